//! A browser without a screen: it keeps cookies, follows redirects and fills in forms.

use super::http::{Reply, exchange};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A browser that talks to one gateway.
#[derive(Clone)]
pub struct Browser {
    pub address: SocketAddr,
    pub host: String,
    pub cookies: BTreeMap<String, String>,
    /// The path of the page that is open.
    pub path: String,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            host: address.to_string(),
            cookies: BTreeMap::new(),
            path: String::from("/"),
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
             Connection: close\r\n{cookies}{length}{headers}\r\n{body}",
            self.host
        );
        let reply = exchange(self.address, request.as_bytes());
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
        self.path = target.to_owned();
        let reply = self.request("GET", target, "Sec-Fetch-Mode: navigate\r\n", "");
        self.follow(reply)
    }

    /// Follows redirects on this host.
    pub fn follow(&mut self, mut reply: Reply) -> Reply {
        for _ in 0..10 {
            let Some(location) = reply.header("location").map(str::to_owned) else { return reply };
            let origin = format!("http://{}", self.host);
            let target = location.strip_prefix(&origin).unwrap_or(&location).to_owned();
            assert!(target.starts_with('/'), "a redirect to {location}");
            self.path = target.clone();
            reply = self.request("GET", &target, "Sec-Fetch-Mode: navigate\r\n", "");
        }
        panic!("redirects without end at {}", self.path);
    }

    /// Fills in the form of a page that was opened and submits it; its hidden fields go along.
    /// Redirects are not followed.
    pub fn submit(&mut self, page: &Reply, fields: &[(&str, &str)]) -> Reply {
        let html = page.text();
        let action = attribute(html.split("<form").nth(1).expect("a form"), "action");
        let action = action.unwrap_or_else(|| self.path.clone());
        let mut body = form_urlencoded::Serializer::new(String::new());
        for input in html
            .split("<form")
            .nth(1)
            .unwrap()
            .split("</form>")
            .next()
            .unwrap()
            .split("<input")
            .skip(1)
        {
            let tag = input.split('>').next().unwrap();
            let is_hidden = attribute(tag, "type").as_deref() == Some("hidden");
            let name = attribute(tag, "name").unwrap_or_default();
            if is_hidden && !fields.iter().any(|(n, _)| *n == name) {
                body.append_pair(&name, &attribute(tag, "value").unwrap_or_default());
            }
        }
        body.extend_pairs(fields);
        let headers = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://{}\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n",
            self.host
        );
        self.path = action.clone();
        self.request("POST", &action, &headers, &body.finish())
    }

    /// As [`Browser::submit`], and follows redirects.
    pub fn submit_and_follow(&mut self, page: &Reply, fields: &[(&str, &str)]) -> Reply {
        let reply = self.submit(page, fields);
        self.follow(reply)
    }
}

/// An attribute of a tag, unescaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    let plain = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(plain.replace("&amp;", "&"))
}
