//! A service that is asked by range, how much it learns, and what happens when it says nothing.

use super::server::{self, Mood, Ranges};
use super::{CHOSEN, STOLEN, choose, is_refused_everywhere, refuses, sha1, takes, target_of};
use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, Options, PATIENCE, fixture, free_port};
use std::time::Instant;

/// In the answer, but only to make it longer.
const PADDING: &str = "a pass phrase that pads an answer";

#[test]
fn a_password_that_the_service_knows_is_refused_wherever_one_is_chosen() {
    let ranges = Ranges::start(&[STOLEN], &[]);
    is_refused_everywhere(Options::default().config(&ranges.config("refuse")));
}

#[test]
fn a_password_typed_in_other_letters_is_looked_up_as_typed_and_as_kept() {
    let (typed, kept) = ("Zoe\u{308}'s own pass phrase", "Zo\u{eb}'s own pass phrase");
    for known in [typed, kept] {
        let ranges = Ranges::start(&[known], &[]);
        let gateway = Gateway::start(Options::default().config(&ranges.config("refuse")));
        refuses(&gateway, typed, "stolen");
    }
}

#[test]
fn nothing_but_five_digits_of_a_hash_leaves_and_nothing_at_all_is_logged() {
    let ranges = Ranges::start(&[STOLEN], &[PADDING]);
    let options = Options::default().config(&ranges.config("refuse"));
    let gateway = Gateway::start(options);
    refuses(&gateway, STOLEN, "stolen");
    let head = ranges.app.take_received();
    let hash = sha1(STOLEN);
    assert!(head.starts_with(&format!("GET /range/{} HTTP/1.1\r\n", &hash[..5])), "{head}");
    let lower = head.to_lowercase();
    for field in [
        "add-padding: true\r\n",
        concat!("user-agent: vestibule/", env!("CARGO_PKG_VERSION"), "\r\n"),
        &format!("host: {}\r\n", ranges.app.address),
    ] {
        assert!(lower.contains(field), "{field}: {head}");
    }
    takes(&gateway, "padding", PADDING);
    takes(&gateway, "dave", CHOSEN);
    ranges.answer(Mood::Says("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"));
    refuses(&gateway, STOLEN, "500");

    let received = head + &ranges.app.received();
    let log = gateway.log_to_its_end();
    assert_eq!(received.matches("GET /range/").count(), 4, "{received}");
    for (password, text) in [STOLEN, PADDING, CHOSEN]
        .into_iter()
        .flat_map(|password| [(password, received.as_str()), (password, log.as_str())])
    {
        let hash = sha1(password);
        for marker in [password, &hash, &hash[5..], &hash[..6]] {
            assert!(!text.to_uppercase().contains(&marker.to_uppercase()), "{marker}: {text}");
        }
    }
    assert!(log.contains("it answered 500"), "{log}");
    assert!(!log.contains(&sha1(STOLEN)[..5]), "{log}");
}

#[test]
fn over_tls_a_service_has_to_prove_who_it_is() {
    let (address, received) = server::over_tls(&[STOLEN]);
    let gateway = |host: &str, trusts: bool| {
        let url = format!("https://{host}:{}", address.port());
        let mut options = Options::default().config(&server::config(&url, "refuse"));
        if trusts {
            let bundle = fixture("ca.pem");
            options.env.push((String::from("SSL_CERT_FILE"), bundle));
        }
        Gateway::start(options)
    };
    for host in ["localhost", "127.0.0.1"] {
        let gateway = gateway(host, true);
        refuses(&gateway, STOLEN, "stolen");
        takes(&gateway, "dave", CHOSEN);
        let seen = std::mem::take(&mut *received.lock().unwrap());
        assert_eq!(seen.matches("GET /range/").count(), 2, "{seen}");
    }
    // Signed by nobody we know, and somebody else's.
    for (host, trusts) in [("localhost", false), ("127.0.0.2", true)] {
        refuses(&gateway(host, trusts), CHOSEN, "no TLS: invalid peer certificate");
    }
    assert_eq!(*received.lock().unwrap(), "");
}

/// Everything that is no answer, and a word of what the operator is told.
const NO_ANSWER: [(Mood, &str); 13] = [
    (Mood::Silent, "within 2 seconds"),
    (Mood::HalfSilent, "within 2 seconds"),
    (Mood::EndlessHead, "message head is too large"),
    (Mood::EndlessBody, "length limit exceeded"),
    (Mood::Says(""), "connection closed"),
    (Mood::Says("SSH-2.0-OpenSSH_9.2\r\n"), "invalid HTTP version"),
    (Mood::Says("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"), "it answered 500"),
    (Mood::Says("HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n"), "it answered 404"),
    (Mood::Says("HTTP/1.1 204 X\r\n\r\n"), "it answered 204"),
    (Mood::Says("HTTP/1.1 302 X\r\nLocation: http://127.0.0.1/\r\n\r\n"), "it answered 302"),
    (Mood::Says("HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n"), "no range of hashes"),
    (Mood::Says("HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\nshort"), "end of file"),
    (Mood::Says("HTTP/1.1 200 X\r\nContent-Length: 20\r\n\r\n<html>sign in</html>"), "no range"),
];

#[test]
fn a_service_that_gives_no_answer_lets_no_password_through() {
    let ranges = Ranges::start(&[STOLEN], &[]);
    let gateway = Gateway::start(Options::default().config(&ranges.config("refuse")));
    let added = gateway.json(&["user", "add", "bob"], "");
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&target_of(&added["invite_url"]));
    for (mood, told) in NO_ANSWER {
        ranges.answer(mood);
        let since = Instant::now();
        refuses(&gateway, CHOSEN, told);
        let reply = choose(&mut browser, &page, &[], CHOSEN);
        assert!(since.elapsed() < PATIENCE, "{mood:?} took {:?}", since.elapsed());
        assert_eq!(reply.status, 503, "{mood:?}: {}", reply.text());
        assert!(reply.header("retry-after").is_some(), "{mood:?}");
        assert!(reply.text().contains("cannot be found out just now"), "{}", reply.text());
        // Where it is and what is the matter with it is not for visitors.
        for inside in [told, "127.0.0.1:", "password.breached"] {
            let text = reply.text().replace(&gateway.address.to_string(), "");
            assert!(!text.contains(inside), "{inside}: {text}");
        }
    }
    ranges.answer(Mood::Good);
    assert_eq!(choose(&mut browser, &page, &[], CHOSEN).status, 303, "the link was used up");
    let log = gateway.log_to_its_end();
    for (mood, told) in NO_ANSWER {
        let lines = log.lines().filter(|line| line.contains(r#""level":"error""#));
        assert!(lines.clone().any(|line| line.contains(told)), "{mood:?}: {log}");
        assert_eq!(lines.count(), 2 * NO_ANSWER.len(), "{log}");
    }
}

#[test]
fn a_service_that_gives_no_answer_is_done_without_where_the_configuration_says_so() {
    let ranges = Ranges::start(&[STOLEN], &[]);
    let gateway = Gateway::start(Options::default().config(&ranges.config("accept")));
    refuses(&gateway, STOLEN, "stolen");
    for (number, (mood, _)) in NO_ANSWER.into_iter().enumerate() {
        ranges.answer(mood);
        let since = Instant::now();
        takes(&gateway, &format!("user-{number}"), STOLEN);
        assert!(since.elapsed() < PATIENCE, "{mood:?} took {:?}", since.elapsed());
    }
    let log = gateway.log_to_its_end();
    let warnings = log.lines().filter(|line| line.contains("taken unchecked"));
    let warnings: Vec<&str> = warnings.filter(|l| l.contains(r#""level":"warn""#)).collect();
    assert_eq!(warnings.len(), NO_ANSWER.len(), "{log}");
}

#[test]
fn a_service_that_is_not_there_gives_no_answer() {
    let url = format!("http://{}", free_port());
    let mut gateway = Gateway::start(Options::default().config(&server::config(&url, "refuse")));
    refuses(&gateway, CHOSEN, &format!("{url}: no connection"));
    gateway.stop();
    refuses(&gateway, CHOSEN, &format!("{url}: no connection"));
    let gateway = Gateway::start(Options::default().config(&server::config(&url, "accept")));
    takes(&gateway, "dave", CHOSEN);
    // Nobody is asked about a password that will not do anyway, or when somebody signs in.
    let ranges = Ranges::start(&[ADMIN_PASSWORD], &[]);
    let gateway = Gateway::start(Options::default().config(&ranges.config("refuse")));
    refuses(&gateway, "short", "at least 12 characters");
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/_vestibule/login");
    let form = [("username", "ann"), ("password", ADMIN_PASSWORD)];
    assert_eq!(browser.submit(&page, &form).status, 401);
    assert_eq!(ranges.app.received(), "");
}
