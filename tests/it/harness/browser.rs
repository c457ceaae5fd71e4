//! A browser without a screen: it keeps cookies, follows redirects and fills in forms.

use super::http::{Reply, exchange};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Whoever answers a request's bytes: a gateway behind a socket, or a portal in this process.
pub type Server = Arc<dyn Fn(&[u8]) -> Reply + Send + Sync>;

/// A browser that talks to one gateway.
#[derive(Clone)]
pub struct Browser {
    pub host: String,
    pub scheme: &'static str,
    pub cookies: BTreeMap<String, String>,
    /// The path of the page that is open.
    pub path: String,
    /// Fields that go with every request, as a proxy in between adds them.
    pub added: String,
    server: Server,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        let server = Arc::new(move |request: &[u8]| exchange(address, request));
        Self::at(&address.to_string(), server)
    }

    /// One that reaches the host in some other way.
    pub fn at(host: &str, server: Server) -> Self {
        Self {
            host: host.to_owned(),
            scheme: "http",
            cookies: BTreeMap::new(),
            path: String::from("/"),
            added: String::new(),
            server,
        }
    }

    /// One before which a proxy ends TLS for this host.
    pub fn behind_tls(address: SocketAddr, host: &str) -> Self {
        Self {
            host: host.to_owned(),
            scheme: "https",
            added: String::from("X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.9\r\n"),
            ..Self::new(address)
        }
    }

    /// One request, as a navigation; redirects are not followed.
    pub fn request(&mut self, method: &str, target: &str, headers: &str, body: &str) -> Reply {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let cookies = if cookies.is_empty() {
            String::new()
        } else {
            format!("Cookie: {}\r\n", cookies.join("; "))
        };
        let length = if body.is_empty() && method != "POST" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\nUser-Agent: it\r\n\
             Connection: close\r\n{cookies}{length}{}{headers}\r\n{body}",
            self.host, self.added
        );
        let reply = (self.server)(request.as_bytes());
        for cookie in reply.headers_named("set-cookie") {
            self.keep(cookie);
        }
        reply
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').unwrap();
        let ended = attributes.to_ascii_lowercase().contains("max-age=0") || value.is_empty();
        if ended {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Opens a page and follows redirects on this host.
    pub fn open(&mut self, target: &str) -> Reply {
        target.clone_into(&mut self.path);
        let reply = self.request("GET", target, "Sec-Fetch-Mode: navigate\r\n", "");
        self.follow(reply)
    }

    /// Follows redirects on this host.
    pub fn follow(&mut self, mut reply: Reply) -> Reply {
        for _ in 0..10 {
            let Some(location) = reply.header("location").map(str::to_owned) else { return reply };
            let origin = self.origin();
            let target = location.strip_prefix(&origin).unwrap_or(&location).to_owned();
            assert!(target.starts_with('/'), "a redirect to {location}");
            self.path.clone_from(&target);
            reply = self.request("GET", &target, "Sec-Fetch-Mode: navigate\r\n", "");
        }
        panic!("redirects without end at {}", self.path);
    }

    /// Fills in the form of a page that was opened and submits it; its hidden fields go along.
    /// Redirects are not followed.
    pub fn submit(&mut self, page: &Reply, fields: &[(&str, &str)]) -> Reply {
        let (action, body) = filled_in(&page.text(), fields);
        self.path = action.unwrap_or_else(|| self.path.clone());
        let target = self.path.clone();
        self.post(&target, &body)
    }

    /// Sends a form's body, as a page of this origin does.
    pub fn post(&mut self, target: &str, body: &str) -> Reply {
        let headers = format!("Origin: {}\r\nSec-Fetch-Site: same-origin\r\n", self.origin());
        self.post_with(target, &headers, body)
    }

    /// Sends a form's body with these fields in place of those that tell where it comes from.
    pub fn post_with(&mut self, target: &str, headers: &str, body: &str) -> Reply {
        let headers = format!("{FORM}Sec-Fetch-Mode: navigate\r\n{headers}");
        self.request("POST", target, &headers, body)
    }

    /// The origin of this host's pages.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }

    /// As [`Browser::submit`], and follows redirects.
    pub fn submit_and_follow(&mut self, page: &Reply, fields: &[(&str, &str)]) -> Reply {
        let reply = self.submit(page, fields);
        self.follow(reply)
    }
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// Where the form leads that has inputs of these names (the page's first, where none has all of
/// them), and its body once they are filled in.
pub fn filled_in(html: &str, fields: &[(&str, &str)]) -> (Option<String>, String) {
    let forms: Vec<&str> =
        html.split("<form").skip(1).map(|form| form.split("</form>").next().unwrap()).collect();
    let has = |form: &&&str| fields.iter().all(|(n, _)| form.contains(&format!(" name=\"{n}\"")));
    let form = forms
        .iter()
        .find(has)
        .or(forms.first())
        .unwrap_or_else(|| panic!("no form on this page: {html}"));
    let mut body = form_urlencoded::Serializer::new(String::new());
    for tag in form.split("<input").skip(1) {
        let is_hidden = attribute(tag, "type").as_deref() == Some("hidden");
        let name = attribute(tag, "name").unwrap_or_default();
        if is_hidden && !fields.iter().any(|(n, _)| *n == name) {
            body.append_pair(&name, &attribute(tag, "value").unwrap_or_default());
        }
    }
    body.extend_pairs(fields);
    (attribute(form, "action"), body.finish())
}

/// An attribute of a tag, unescaped.
pub fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    let plain = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(plain.replace("&amp;", "&"))
}
