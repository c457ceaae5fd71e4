//! Identity headers: whoever can tell the app in the gateway's name who somebody is.

use crate::forward::{DIALECTS, Kept, ask, house};
use crate::harness::{
    App, Browser, Gateway, H2App, House, Options, Person, exchange, free_port, h2_body, h2_connect,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// CVE-2025-64484, CVE-2026-39858, CVE-2024-45410: every byte that a name may have and that some
/// server folds, in every place of ours, at every door; and the names themselves in `Connection`.
#[test]
fn no_spelling_of_an_identity_header_is_taken_from_a_client() {
    let house = house();
    for name in
        ["Remote-User", "Remote-Groups", "X-Forwarded-For", "X-Vestibule-Assertion", "X-Request-Id"]
    {
        for byte in "_.~!#$%&'*+^`|".chars() {
            let alias = name.replace('-', &byte.to_string());
            let mut one = name.to_owned();
            one.replace_range(name.find('-').unwrap()..=name.find('-').unwrap(), &byte.to_string());
            for alias in [alias, one] {
                for who in ["", "$C"] {
                    let request = format!(
                        "GET /public HTTP/1.1\r\nHost: app.test\r\n{who}{alias}: root\r\nConnection: close\r\n\r\n"
                    );
                    assert_eq!(house.ask(&request).status, 400, "{alias}");
                    let fields = format!("{alias}: root\r\n");
                    for dialect in DIALECTS {
                        let kept = Kept::get("app.test", "/public").with(&fields);
                        assert_eq!(ask(&house, dialect, &kept).status, 400, "{dialect:?} {alias}");
                    }
                }
            }
        }
        for connection in [
            name.to_owned(),
            name.to_lowercase(),
            format!("close, {name}"),
            format!("{name} ,x"),
            format!("x,\t{name}"),
            name.replace('-', "_"),
            format!("keep-alive\r\nConnection: {name}"),
        ] {
            let request = format!(
                "GET /public HTTP/1.1\r\nHost: app.test\r\n$CConnection: {connection}\r\n\r\n"
            );
            let answer = house.send(request.as_bytes());
            assert!(answer.starts_with("HTTP/1.1 400 "), "{connection}: {answer}");
        }
    }
    assert_eq!(house.app.received(), "");
}

/// CVE-2026-30851, CVE-2020-25017: what a person does not have is told as nothing at every door, and
/// what a client said in its place, once or many times, is gone.
#[test]
fn what_somebody_lacks_is_told_as_nothing_whatever_a_client_said() {
    let house = house();
    let forged = "Remote-Email: root@evil.test\r\nRemote-Groups: admins\r\nremote-email: root@evil.test\r\n\
        REMOTE-GROUPS: admins, root\r\nRemote-Name: root\r\nX-Vestibule-Assertion: eyJ.root.x\r\n";
    for target in ["/x", "/public"] {
        for who in ["", "$C"] {
            for more in ["", "Connection: Upgrade\r\nUpgrade: websocket\r\n"] {
                let request =
                    format!("GET {target} HTTP/1.1\r\nHost: app.test\r\n{who}{forged}{more}\r\n");
                house.ask(&request);
                let received = house.app.take_received().to_lowercase();
                assert!(!received.contains("root") && !received.contains("admins"), "{received}");
                assert_eq!(received.matches("remote-email").count(), 0, "{received}");
                let told = usize::from(target == "/x" || who == "$C");
                let told = if who.is_empty() { 0 } else { told };
                assert_eq!(received.matches("remote-user: ann\r\n").count(), told, "{received}");
            }
        }
    }
    let fields = format!("Cookie: {}\r\n{forged}", house.cookie);
    for dialect in DIALECTS {
        for (target, user) in [("/x", "ann"), ("/public", "ann")] {
            let reply = ask(&house, dialect, &Kept::get("app.test", target).with(&fields));
            for (name, value) in
                [("remote-user", user), ("remote-email", ""), ("remote-groups", "")]
            {
                let told: Vec<&str> = reply.headers_named(name).collect();
                assert_eq!(told, [value], "{dialect:?} {target} {name}");
            }
            assert!(!format!("{:?}", reply.headers).contains("root"), "{dialect:?}");
        }
    }
}

/// No advisory of its own: a request that is sent a second time says the same, once.
#[test]
fn a_second_try_at_another_upstream_says_who_it_is_once() {
    let app = App::start();
    let upstreams =
        [format!("http://{}", free_port()), format!("http://{}", free_port()), app.url()];
    let route = format!("[[route]]\nhost = \"*\"\nupstream = {upstreams:?}\n");
    let house = House::with(app, Options::default().config(&route));
    for _ in 0..6 {
        assert_eq!(
            house.get("/x", "Remote-User: root\r\nX-Forwarded-For: 6.6.6.6\r\n").status,
            200
        );
        let received = house.app.take_received().to_lowercase();
        for name in [
            "remote-user: ann",
            "x-forwarded-for: 127.0.0.1",
            "x-vestibule-assertion: ",
            "x-request-id: ",
        ] {
            assert_eq!(received.matches(&format!("\r\n{name}")).count(), 1, "{name}: {received}");
        }
        assert!(!received.contains("root") && !received.contains("6.6.6.6"), "{received}");
    }
}

/// No advisory of its own: names and groups that would be two in a list, or two lines.
#[test]
fn a_name_or_a_group_that_would_be_two_is_refused_wherever_it_is_given() {
    let gateway = Gateway::start(Options::default());
    for (args, what) in [
        (&["user", "add", "ann,root"][..], "a comma in a name"),
        (&["user", "add", "ann\r\nRemote-User: root"], "lines in a name"),
        (&["user", "add", "ann:x"], "a colon in a name"),
        (&["user", "add", "ann", "--group", "a,admins"], "a comma in a group"),
        (&["user", "add", "ann", "--group", "a\nadmins"], "a line in a group"),
        (
            &["user", "add", "ann", "--display-name", "A\r\nRemote-Groups: admins"],
            "lines in a display name",
        ),
        (
            &["user", "add", "ann", "--email", "a@b.test\r\nRemote-Groups: admins"],
            "lines in an address",
        ),
        (&["user", "add", "ann", "--email", "a@b.test,root@b.test"], "two addresses"),
    ] {
        assert!(!gateway.command(args).status.success(), "{what}");
    }
    assert_eq!(gateway.json(&["user", "list"], ""), serde_json::json!([]));
}

/// CVE-2021-29652 was one of this kind: a statement that is signed for apps opens nothing here, by
/// whichever field it comes back, and none that says to be signed by nobody is believed.
#[test]
fn a_statement_for_apps_is_no_credential_at_any_door() {
    let house = house();
    house.get("/x", "");
    let received = house.app.take_received();
    let name = "x-vestibule-assertion: ";
    let line = received.lines().find(|line| line.to_lowercase().starts_with(name)).unwrap();
    let signed = line[name.len()..].to_owned();
    let parts: Vec<&str> = signed.split('.').collect();
    let none = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    for statement in [signed.as_str(), none.as_str()] {
        let basic = STANDARD.encode(format!("ann:{statement}"));
        for fields in [
            format!("Authorization: Bearer {statement}\r\n"),
            format!("Authorization: Basic {basic}\r\n"),
            format!("Cookie: vestibule={statement}\r\n"),
            format!("X-Vestibule-Assertion: {statement}\r\n"),
        ] {
            let kept = Kept::get("app.test", "/x").with(&fields);
            assert_eq!(super::statuses(&house, &kept), [401; 4], "{fields}");
        }
    }
    assert_eq!(house.app.received(), "");
}

/// No advisory of its own: what a program shows us in `Authorization` is ours, in any wrapping, also
/// where it is good for nothing.
#[test]
fn no_token_of_ours_reaches_an_app_in_any_wrapping() {
    let app = App::start();
    let config = format!(
        "[[rule]]\npath = \"/public\"\npolicy = \"bypass\"\n[[route]]\nhost = \"*\"\nupstream = \"{}\"\n",
        app.url()
    );
    let house = House::with(app, Options::default().config(&config));
    let made = house.gateway.json(&["token", "add", "job", "--user", "ann"], "");
    let token = made["token"].as_str().unwrap().to_owned();
    let body = &token[4..];
    for value in [
        format!("Bearer {token}"),
        format!("bearer  {token} "),
        format!("BEARER\t{token}"),
        format!("Token {token}"),
        format!("Basic {}", STANDARD.encode(format!("ann:{token}"))),
        format!("Basic {}", STANDARD.encode(format!("ann:{token}")).trim_end_matches('=')),
        format!("basic\t{}", STANDARD.encode(format!(":{token}"))),
        token.clone(),
        format!("Digest username=\"{token}\""),
        format!("Bearer {token}, Basic x"),
    ] {
        let request = format!(
            "GET /public HTTP/1.1\r\nHost: a\r\nAuthorization: {value}\r\nConnection: close\r\n\r\n"
        );
        house.ask(&request);
        let received = house.app.take_received();
        assert!(!received.contains(body), "{value}: {received}");
        assert!(
            !received.contains(&STANDARD.encode(format!("ann:{token}"))),
            "{value}: {received}"
        );
    }
    // What an app asks for by itself is left to it.
    let own = "GET /public HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer its-own\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(house.gateway.address, own.as_bytes()).status, 200);
    assert!(house.app.take_received().contains("its-own"));
}

/// No advisory of its own: no cookie of ours is set by an app, in trailers as little as in heads,
/// and none of an app's is taken for ours.
#[test]
fn an_app_plants_no_session_and_learns_none() {
    let app = App::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\
         Set-Cookie: vestibule=planted; Path=/\r\nSet-Cookie: Vestibule-known=planted\r\n\
         Set-Cookie: \tvestibule-step=planted\r\nSet-Cookie: __HOST-vestibule=planted\r\n\
         Set-Cookie: app=1\r\n\r\n2\r\nhi\r\n0\r\nSet-Cookie: vestibule=planted\r\n\r\n",
    );
    let house = House::around(app);
    let answer = house.send(b"GET /x HTTP/1.1\r\nHost: a\r\n$CConnection: close\r\n\r\n");
    assert!(!answer.contains("planted") && answer.contains("app=1"), "{answer}");
    let token = house.cookie.split_once('=').unwrap().1;
    for cookie in [
        format!("a=1; {}; b=2", house.cookie),
        format!("{};", house.cookie),
        format!(" ; ;{}", house.cookie),
        format!("a=\"; {}", house.cookie),
        format!("a=1,{}; {}", "b=2", house.cookie),
        format!("VESTIBULE={token}"),
        format!("__Secure-vestibule={token}"),
        format!("vestibule-old={token}"),
    ] {
        let request =
            format!("GET /x HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
        house.ask(&request);
        assert!(!house.app.take_received().contains(token), "{cookie}");
    }
}

/// The same of the trailers of HTTP/2, which reach the client.
#[tokio::test]
async fn an_app_plants_no_session_behind_a_body() {
    let app = H2App::start();
    let house = House::with(App::start(), Options::upstream(&format!("h2c://{}", app.address)));
    let mut sender = h2_connect(house.gateway.address).await;
    let request = http::Request::get("http://a.test/x").header("cookie", &house.cookie);
    let (answer, _) = sender.send_request(request.body(()).unwrap(), true).unwrap();
    let mut receiving = answer.await.unwrap().into_body();
    h2_body(&mut receiving).await.unwrap();
    let trailers = receiving.trailers().await.unwrap().expect("trailers");
    assert_eq!(trailers["grpc-status"], "0");
    assert!(!trailers.contains_key("set-cookie"), "{trailers:?}");
}

/// No advisory of its own: somebody whose groups have changed is told of at once, at every door.
#[test]
fn a_change_of_groups_counts_at_once_at_every_door() {
    let house = house();
    let root = Person::add_with(&house.gateway, "root", &["--group", "admins"]);
    let mut browser = Browser::new(house.gateway.address);
    root.recover(&mut browser, "/_vestibule/account", 0);
    let fields = format!("Cookie: vestibule={}\r\n", browser.cookies["vestibule"]);
    let kept = Kept::get("app.test", "/admin").with(&fields);
    assert_eq!(super::statuses(&house, &kept), [200; 4]);
    house.gateway.json(&["user", "set", "root", "--group", "staff"], "");
    assert_eq!(super::statuses(&house, &kept), [403; 4]);
}
