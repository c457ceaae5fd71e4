//! The usual scene: an app, a gateway in front of it, and somebody who is signed in.

use super::app::App;
use super::browser::Browser;
use super::gateway::{Gateway, Options};
use super::http::{Reply, exchange, send_raw};
use super::people::Person;

/// What a request is written with in place of the line with the session's cookie.
pub const SIGNED_IN: &str = "$C";

/// An app, a gateway in front of it, and somebody who is signed in.
pub struct House {
    pub app: App,
    pub gateway: Gateway,
    /// Name and value of the cookie of Ann's session.
    pub cookie: String,
}

impl House {
    /// Around an app that says hello.
    pub fn new() -> Self {
        Self::around(App::start())
    }

    /// Around this app.
    pub fn around(app: App) -> Self {
        let options = Options::upstream(&app.url());
        Self::with(app, options)
    }

    /// Around this app, with a gateway that is told something else.
    pub fn with(app: App, options: Options) -> Self {
        let gateway = Gateway::start(options);
        let ann = Person::add(&gateway, "ann");
        let cookie = session_of(&ann, &gateway);
        app.take_received();
        Self { app, gateway, cookie }
    }

    /// A request as bytes, with the cookie's line where it is asked for.
    pub fn fill(&self, request: &[u8]) -> Vec<u8> {
        let (mut filled, mut rest) = (Vec::new(), request);
        let mark = SIGNED_IN.as_bytes();
        while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
            filled.extend_from_slice(&rest[..at]);
            filled.extend_from_slice(format!("Cookie: {}\r\n", self.cookie).as_bytes());
            rest = &rest[at + mark.len()..];
        }
        filled.extend_from_slice(rest);
        filled
    }

    /// Sends bytes and reads until the gateway closes.
    pub fn send(&self, request: &[u8]) -> String {
        let received = send_raw(self.gateway.address, &self.fill(request));
        String::from_utf8_lossy(&received).into_owned()
    }

    /// Sends one request and reads one answer.
    pub fn ask(&self, request: &str) -> Reply {
        exchange(self.gateway.address, &self.fill(request.as_bytes()))
    }

    /// Gets something as Ann.
    pub fn get(&self, target: &str, headers: &str) -> Reply {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: app.test\r\n$C{headers}\r\n"))
    }
}

/// Signs somebody in; name and value of the session's cookie.
pub fn session_of(person: &Person, gateway: &Gateway) -> String {
    let mut browser = Browser::new(gateway.address);
    person.sign_in(&mut browser, "/_vestibule/account", 0);
    let token = browser.cookies.get("vestibule").expect("a session");
    format!("vestibule={token}")
}
