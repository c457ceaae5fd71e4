//! Return addresses: whoever can make our own page send somebody elsewhere.

use crate::harness::{ADMIN_PASSWORD, App, Browser, Gateway, Options, Person, filled_in};
use url::Url;

/// CVE-2020-5233, CVE-2020-11053, CVE-2021-29456, as lookalikes of a domain that many hosts share.
const EVIL: &[&str] = &[
    "https://example.com.evil.test/",
    "https://evilexample.com/",
    "https://example.com@evil.test/",
    "https://example.com:pass@evil.test/",
    "https://evil.test/?example.com",
    "https://evil.test#.example.com",
    "https://evil.test\\.example.com",
    "https://evil.test\\@app.example.com/",
    "https://evil.test%2f.example.com/",
    "https://evil.test%00.example.com/",
    "https://evil.test%23.example.com/",
    "https://evil.test;.example.com/",
    "https://evil.test&.example.com/",
    "https:/evil.test/",
    "https:evil.test",
    "https:\\\\evil.test",
    "https:///evil.test",
    "http://app.example.com/",
    "HTTP://APP.EXAMPLE.COM/",
    "//app.example.com.evil.test",
    "//evil.test/%2e%2e",
    "https://app.example.com:8443/",
    "https://app.example.com:22/",
    "https://app.example.com:0/",
    "https://app.example.com.:443/",
    "https://app.example.com./",
    "https://user@app.example.com/",
    "https://ex\u{e4}mple.com/",
    "https://app.ex\u{430}mple.com/",
    "https://app\u{3002}evil\u{3002}test/",
    "https://app.example.com\u{2044}.evil.test/",
    "https://app.example.com\u{ff0f}.evil.test/",
    "https://\u{2100}.evil.test/",
    "https://xn--exmple-cua.com/",
    "https://[::1]/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://app.example.com\t.evil.test/",
    "https://app.example.com\r\n.evil.test/",
    " https://evil.test/",
    "\u{feff}https://evil.test/",
    "\u{0}https://evil.test/",
    "\u{85}//evil.test",
    "/\u{85}/evil.test",
    "/\u{b}/evil.test",
    "/%09/evil.test\\",
    "/%5cevil.test\\..",
    "/..//evil.test",
    "/.%2e//evil.test",
    "/%2e//evil.test",
    "/a/../..//evil.test",
    "/;//evil.test\\",
    "javascript:alert(1)//example.com",
    "data:text/html,https://app.example.com",
    "intent://app.example.com",
    "https://login.example.com/_vestibule/login?rd=//evil.test\\",
    "mailto:a@example.com",
    "ws://app.example.com/",
    "x:y",
];

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Whether a browser that is sent there stays below the domain, encrypted.
fn stays(to: &str) -> bool {
    let base = Url::parse("https://login.example.com/_vestibule/login").unwrap();
    let url = base.join(to).unwrap();
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https"
        && (host == "example.com" || host.ends_with(".example.com"))
        && url.port().is_none()
}

/// CVE-2020-5233, CVE-2020-11053, CVE-2021-29456, CVE-2024-52003: with one sign-in for a domain, no
/// address leads out of it: not from where it was asked for, nor from where it was kept meanwhile.
#[test]
fn with_one_sign_in_for_a_domain_no_address_leads_out_of_it() {
    let app = App::start();
    let config = format!(
        "[session]\ncookie_domain = \"example.com\"\n[access]\ndefault_policy = \"one_factor\"\n\
         [[route]]\nhost = \"*.example.com\"\nupstream = \"{}\"\n",
        app.url()
    );
    let options = Options {
        server: "trusted_proxies = [\"127.0.0.1\"]\npublic_url = \"https://login.example.com\""
            .into(),
        ..Options::default()
    };
    let gateway = Gateway::start(options.config(&config));
    gateway.json(&["user", "add", "ann", "--password-stdin"], ADMIN_PASSWORD);
    let mut browser = Browser::behind_tls(gateway.address, "login.example.com");
    let page = browser.open("/_vestibule/login");
    let go = |rd: &str, query: &str| {
        let mut browser = browser.clone();
        let fields = [("username", "ann"), ("password", ADMIN_PASSWORD), ("rd", rd)];
        let (_, body) = filled_in(&page.text(), &fields);
        let reply = browser.post(&format!("/_vestibule/login{query}"), &body);
        assert_eq!(reply.status, 303, "{rd:?}");
        reply.header("location").unwrap().to_owned()
    };
    for evil in EVIL {
        let query = format!("?rd={}", encoded(evil));
        // Taken from the form and the address; and shown in the form for later.
        let to = go(evil, &query);
        assert!(stays(&to), "{evil:?} leads to {to}");
        let shown = browser.clone().open(&format!("/_vestibule/login{query}"));
        let text = shown.text();
        let kept =
            text.split("name=\"rd\" value=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
        assert!(kept.is_none_or(stays), "{evil:?} is kept as {kept:?}");
    }
    // Twice is not at all; and what is good is followed.
    for query in ["?rd=/a&rd=/b", "?rd=/a&r%64=//evil.test"] {
        assert_eq!(go("", query), "/_vestibule/account", "{query}");
    }
    let fields =
        [("username", "ann"), ("password", ADMIN_PASSWORD), ("rd", "https://app.example.com/x")];
    let (_, body) = filled_in(&page.text(), &fields);
    let good = browser.clone().post("/_vestibule/login", &body);
    assert!(
        good.status == 200 && good.text().contains("https://app.example.com/x"),
        "{}",
        good.text()
    );
    assert_eq!(go("/x?next=//evil.test", ""), "/x?next=//evil.test", "a query is the app's");
}

/// CVE-2021-29456: the exits that are seldom looked at: enrolling, links, the forced password, signing
/// out, and steps that are gone through out of turn.
#[test]
fn no_exit_leads_elsewhere() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let ann = Person::add(&gateway, "ann");
    let mut signed_in = Browser::new(gateway.address);
    ann.recover(&mut signed_in, "/_vestibule/account", 0);
    let link = |args: &[&str]| {
        let url = gateway.json(args, "")["invite_url"].as_str().unwrap().to_owned();
        format!("/{}", url.splitn(4, '/').nth(3).unwrap())
    };
    let invite = link(&["user", "add", "bob"]);
    for evil in [
        "//evil.test",
        "/\\evil.test",
        "https://evil.test",
        "/\t/evil.test",
        "javascript:alert(1)",
        "/.//evil.test",
    ] {
        let query = format!("rd={}", encoded(evil));
        for target in [
            "/_vestibule/login",
            "/_vestibule/login/second-factor",
            "/_vestibule/enroll",
            "/_vestibule/password",
            "/_vestibule/recovery-codes",
            "/_vestibule/account",
            "/_vestibule/logout",
            "/_vestibule/setup",
            "/_vestibule/register",
            "/_vestibule/admin",
            invite.as_str(),
        ] {
            let mark = if target.contains('?') { '&' } else { '?' };
            for browser in [&mut Browser::new(gateway.address), &mut signed_in.clone()] {
                let reply = browser.request(
                    "GET",
                    &format!("{target}{mark}{query}"),
                    "Sec-Fetch-Mode: navigate\r\n",
                    "",
                );
                let base = Url::parse(&format!("{}/_vestibule/x", browser.origin())).unwrap();
                for to in reply.headers_named("location") {
                    let to = base.join(to).unwrap();
                    assert_eq!(to.origin(), base.origin(), "{target} {evil:?} leads to {to}");
                }
                let text = reply.text();
                for piece in text.split("href=\"").skip(1).chain(text.split("action=\"").skip(1)) {
                    let to = piece.split('"').next().unwrap().replace("&amp;", "&");
                    let to = base.join(&to).unwrap();
                    assert!(
                        to.scheme() == "data" || to.origin() == base.origin(),
                        "{target} {evil:?} links to {to}"
                    );
                }
                assert!(!text.contains("http-equiv=\"refresh\" content=\"0; url=http"), "{target}");
            }
        }
    }
}
