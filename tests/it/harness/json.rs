//! Calls of the JSON API, as programs and pages make them.

use super::browser::Browser;
use super::http::Reply;
use serde_json::Value;

/// Where the calls are.
pub const ROOT: &str = "/_vestibule/api/v1";

/// What a call was answered with.
#[derive(Debug)]
pub struct Called {
    pub status: u16,
    pub json: Value,
    pub reply: Reply,
}

impl Called {
    /// Status and code; no code where it was done.
    pub fn outcome(&self) -> (u16, &str) {
        (self.status, self.json["code"].as_str().unwrap_or_default())
    }

    /// Seconds after which to try again.
    pub fn retry_after(&self) -> Option<u64> {
        self.reply.header("retry-after").map(|seconds| seconds.parse().unwrap())
    }

    /// A text in the answer.
    pub fn text(&self, name: &str) -> String {
        let text = self.json[name].as_str();
        text.unwrap_or_else(|| panic!("no {name}: {} {}", self.status, self.json)).to_owned()
    }

    /// How many a list in the answer has.
    pub fn count(&self, name: &str) -> usize {
        self.json[name].as_array().unwrap_or_else(|| panic!("no {name}: {}", self.json)).len()
    }
}

impl Browser {
    /// Makes a call with the cookies there are, as a program does; no body where it is null.
    pub fn call(&mut self, method: &str, path: &str, body: Value) -> Called {
        if body.is_null() {
            return self.call_with(method, path, "", "");
        }
        self.call_with(method, path, "Content-Type: application/json\r\n", &body.to_string())
    }

    /// Makes a call with these fields and this body.
    pub fn call_with(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Called {
        let reply = self.request(method, &format!("{ROOT}{path}"), headers, body);
        let json = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let called = Called { status: reply.status, json, reply };
        if method != "HEAD" {
            well_formed(&called);
        }
        called
    }

    /// Goes on as a program with this access token.
    pub fn bear(&mut self, token: &str) {
        self.added = format!("Authorization: Bearer {token}\r\n");
    }
}

/// What holds for every answer.
fn well_formed(called: &Called) {
    let Called { status, json, reply } = called;
    let kind = if *status < 400 { "application/json" } else { "application/problem+json" };
    assert_eq!(reply.header("content-type"), Some(kind), "{status} {json}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name} of {status} {json}");
    }
    assert!(reply.header("access-control-allow-origin").is_none());
    if *status >= 400 {
        assert_eq!(json["status"], *status, "{json}");
        for field in ["type", "title", "code", "detail"] {
            assert!(json[field].is_string(), "no {field}: {json}");
        }
    }
    let waits = [423, 429, 503].contains(status);
    assert_eq!(called.retry_after().is_some(), waits, "{status} {json}");
}
