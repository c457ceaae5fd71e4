//! Pages in the language that a browser asks for, and everything else in English.

use crate::harness::{
    ADMIN_PASSWORD, App, Behind, Browser, Gateway, Options, Person, Reply, Shared, free_port,
};
use std::sync::Arc;

fn gateway() -> Arc<Behind> {
    static GATEWAY: Shared = Shared::new();
    GATEWAY.get("")
}

/// A browser that likes these languages.
fn speaking(gateway: &Gateway, languages: &str) -> Browser {
    let mut browser = Browser::new(gateway.address);
    browser.added = format!("Accept-Language: {languages}\r\n");
    browser
}

fn assert_language(page: &Reply, tag: &str, texts: &[&str]) {
    let html = page.text();
    assert!(html.contains(&format!("<html lang=\"{tag}\">")), "{html}");
    assert_eq!(page.header("content-language"), Some(tag));
    assert_eq!(page.header("vary"), Some("Accept-Language"));
    for text in texts {
        assert!(html.contains(text), "{text:?} is missing in {html}");
    }
}

#[test]
fn a_german_browser_gets_german_pages() {
    let behind = gateway();
    let mut browser = speaking(&behind.gateway, "de-AT,de;q=0.9,en;q=0.5");
    let page = browser.open("/_vestibule/login");
    let texts = ["<title>Anmelden · vestibule</title>", "<h1>Anmelden</h1>", "Passwort</label>"];
    assert_language(&page, "de", &texts);

    let page = browser.submit(&page, &[("username", "nobody"), ("password", ADMIN_PASSWORD)]);
    assert_eq!(page.status, 401);
    let texts = ["<title>Fehler: Anmelden", "Name und Passwort passen nicht zusammen."];
    assert_language(&page, "de", &texts);

    let page = browser.open("/_vestibule/nowhere");
    assert_eq!(page.status, 404);
    assert_language(&page, "de", &["Unter dieser Adresse gibt es keine Seite."]);

    let page = browser.post_with("/_vestibule/login", "Origin: http://evil.test\r\n", "a=b");
    assert_eq!(page.status, 403);
    assert_language(&page, "de", &["Es wurde nichts ausgeführt."]);
}

#[test]
fn what_a_browser_likes_best_of_what_we_speak_is_what_it_gets() {
    let behind = gateway();
    for (languages, tag, button) in [
        ("pl, fr;q=0.6, es;q=0.7", "es", "<button>Iniciar sesión</button>"),
        ("de;q=0, fr-CA;q=0.1", "fr", "<button>Se connecter</button>"),
        ("ja", "ja", "<button>サインイン</button>"),
        ("pl", "en", "<button>Sign in</button>"),
        ("*", "en", "<button>Sign in</button>"),
        ("de;q=0.3, en;q=0.31", "en", "<button>Sign in</button>"),
    ] {
        let page = speaking(&behind.gateway, languages).open("/_vestibule/login");
        assert_language(&page, tag, &[button]);
    }
    let page = Browser::new(behind.gateway.address).open("/_vestibule/login");
    assert_language(&page, "en", &["<button>Sign in</button>"]);
}

#[test]
fn the_pages_of_somebody_who_is_signed_in_are_in_their_language() {
    let behind = gateway();
    let ann = Person::add(&behind.gateway, "ann-speaks");
    let mut browser = speaking(&behind.gateway, "fr");
    ann.sign_in(&mut browser, "/", 0);
    let page = browser.open("/_vestibule/account");
    let texts = ["Votre compte", "Application d’authentification configurée le <time", "codes de"];
    assert_language(&page, "fr", &texts);
    // The same person at another browser's page.
    browser.added = "Accept-Language: ja\r\n".into();
    let page = browser.open("/_vestibule/logout");
    let text = "現在 <strong>ann-speaks</strong> としてサインインしています。";
    assert_language(&page, "ja", &[text]);
}

#[test]
fn a_weak_password_is_refused_in_the_words_of_the_language() {
    let behind = gateway();
    let invited = behind.gateway.json(&["user", "add", "bob-speaks"], "");
    let link = invited["invite_url"].as_str().unwrap();
    let mut browser = speaking(&behind.gateway, "es");
    let page = browser.open(link.strip_prefix(&browser.origin()).unwrap());
    assert_language(&page, "es", &["Ha recibido una invitación."]);
    let page = browser.submit(&page, &[("password", "short"), ("password_again", "short")]);
    assert_eq!(page.status, 422);
    assert_language(&page, "es", &["Elija una contraseña de al menos 12 caracteres."]);
}

#[test]
fn an_app_that_cannot_be_reached_is_said_to_be_in_the_visitors_language() {
    let nobody = format!("http://{}", free_port());
    let config = "[access]\ndefault_policy = \"bypass\"\n";
    let gateway = Gateway::start(Options::upstream(&nobody).config(config));
    let page = speaking(&gateway, "de").open("/");
    assert_eq!(page.status, 502);
    assert_language(&page, "de", &["Die App ist nicht erreichbar."]);
}

#[test]
fn programs_are_answered_in_english() {
    let behind = gateway();
    let gateway = &behind.gateway;
    let body = format!(r#"{{"username":"nobody","password":"{ADMIN_PASSWORD}"}}"#);
    let headers = "Content-Type: application/json\r\n";
    let answer =
        speaking(gateway, "de").request("POST", "/_vestibule/api/v1/auth/login", headers, &body);
    assert_eq!(answer.status, 401);
    assert!(answer.text().contains("That name and password do not belong together."));
    assert!(answer.header("content-language").is_none());
    let script = "Sec-Fetch-Mode: cors\r\n";
    let answer = speaking(gateway, "de").request("GET", "/_vestibule/nowhere", script, "");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("There is no page at this address."), "{}", answer.text());
    let answer = speaking(gateway, "de").request("GET", "/app", script, "");
    assert!(answer.text().contains("Sign in to go on."), "{}", answer.text());
}

#[test]
fn what_an_app_says_keeps_its_language() {
    let app = App::start();
    let config = "[access]\ndefault_policy = \"bypass\"\n";
    let gateway = Gateway::start(Options::upstream(&app.url()).config(config));
    let page = speaking(&gateway, "de").open("/");
    assert_eq!((page.status, page.text().as_str()), (200, "hello"));
    assert!(page.header("content-language").is_none());
    assert!(app.received().to_lowercase().contains("accept-language: de\r\n"));
}
