//! What every call refuses alike. The calls are those of the description, so that none is left out.

use super::{Enrolled, patient};
use crate::harness::{Browser, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Method, path (words filled in), and the operation, of every call.
fn every_call(world: &std::sync::Arc<World>) -> Vec<(String, String, Value)> {
    let described = world.browser().call("GET", "/openapi.json", Value::Null);
    assert_eq!(described.status, 200);
    let mut calls = Vec::new();
    for (path, methods) in described.json["paths"].as_object().unwrap() {
        let path = path.replace("{name}", "ann").replace("{id}", &"00".repeat(16));
        for (method, operation) in methods.as_object().unwrap() {
            calls.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    assert!(calls.len() >= 30, "{}", calls.len());
    calls
}

/// Somebody who may make every call.
fn root() -> (Enrolled, Browser) {
    let world = World::new(patient());
    let root = Enrolled::add(&world, "root", &["admins"]);
    let browser = root.signed_in();
    (root, browser)
}

fn has_body(operation: &Value) -> bool {
    operation.get("requestBody").is_some()
}

#[test]
fn every_call_judges_what_it_is_sent_alike() {
    let (root, browser) = root();
    let json_type = "Content-Type: application/json\r\n";
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(65_536));
    for (method, path, operation) in every_call(&root.world) {
        let needed = operation["requestBody"]["required"] == true;
        let rows: [(&str, &str, (u16, &str)); 13] = [
            ("Content-Type: text/plain\r\n", "{}", (415, "unsupported_media_type")),
            ("Content-Type: text/plain\r\n", "", (415, "unsupported_media_type")),
            (
                "Content-Type: application/json; charset=utf-16\r\n",
                "{}",
                (415, "unsupported_media_type"),
            ),
            ("", "{\"x\":1}", (415, "unsupported_media_type")),
            (json_type, "{", (400, "malformed")),
            (json_type, "{\"x\":1,}", (400, "malformed")),
            (json_type, "{} {}", (400, "malformed")),
            (json_type, "{\"x\":tru}", (400, "malformed")),
            (json_type, "{\"x\":1}", (422, "invalid")),
            (json_type, "[]", (422, "invalid")),
            (json_type, "null", (422, "invalid")),
            (json_type, "\"text\"", (422, "invalid")),
            (json_type, &large, (413, "too_large")),
        ];
        for (headers, body, outcome) in rows {
            let called = browser.clone().call_with(&method, &path, headers, body);
            let start = &body[..body.len().min(20)];
            assert_eq!(called.outcome(), outcome, "{method} {path} {headers} {start}");
            assert!(!called.reply.text().contains("\"text\""), "{}", called.json);
        }
        if needed {
            let called = browser.clone().call_with(&method, &path, json_type, "");
            assert_eq!(called.outcome(), (400, "malformed"), "{method} {path}");
            let called = browser.clone().call_with(&method, &path, "", "");
            assert_eq!(called.outcome(), (415, "unsupported_media_type"), "{method} {path}");
            let called = browser.clone().call_with(&method, &path, json_type, "{}");
            assert_eq!(called.outcome(), (422, "invalid"), "{method} {path}");
        }
    }
}

/// The schema of a call's body, in the description.
fn fields(described: &Value, operation: &Value) -> Vec<(String, Value)> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let pointer = schema["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
    let schema = described.pointer(pointer).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    properties.iter().map(|(name, field)| (name.clone(), field.clone())).collect()
}

#[test]
fn no_field_is_taken_of_another_type_or_twice() {
    let (root, browser) = root();
    let described = browser.clone().call("GET", "/openapi.json", Value::Null).json;
    let headers = "Content-Type: application/json\r\n";
    let mut tried = 0;
    for (method, path, operation) in every_call(&root.world) {
        if !has_body(&operation) {
            continue;
        }
        for (name, field) in fields(&described, &operation) {
            let mut wrong = vec![json!({"hunter2": 1}), json!(7.5)];
            if field["type"] == "string" {
                wrong.extend([Value::Null, json!(["hunter2"]), json!(true)]);
            }
            for value in wrong {
                let body = json!({ &name: value }).to_string();
                let called = browser.clone().call_with(&method, &path, headers, &body);
                assert_eq!(called.outcome(), (422, "invalid"), "{method} {path} {body}");
                assert!(called.text("detail").contains(&name), "{}", called.json);
                assert!(!called.reply.text().contains("hunter2"), "{}", called.json);
                tried += 1;
            }
            let good = match field["type"].as_str() {
                Some("boolean") => "true",
                Some("array") => "[]",
                _ => "null",
            };
            let good = if field["type"] == "string" { "\"hunter2\"" } else { good };
            let twice = format!("{{\"{name}\":{good},\"{name}\":{good}}}");
            let called = browser.clone().call_with(&method, &path, headers, &twice);
            assert_eq!(called.outcome(), (422, "invalid"), "{method} {path} {twice}");
            assert!(!called.reply.text().contains("hunter2"), "{}", called.json);
        }
    }
    assert!(tried > 60, "{tried}");
}

#[test]
fn a_call_under_another_method_is_told_which_ones_there_are() {
    let (root, mut browser) = root();
    let calls = every_call(&root.world);
    let paths: BTreeSet<&String> = calls.iter().map(|(_, path, _)| path).collect();
    for path in paths {
        let of_path = calls.iter().filter(|(_, other, _)| other == path);
        let mut expected: BTreeSet<&str> = of_path.map(|(method, _, _)| method.as_str()).collect();
        if expected.contains("GET") {
            expected.insert("HEAD");
        }
        for method in ["PUT", "OPTIONS", "BREW"] {
            let called = browser.call(method, path, Value::Null);
            assert_eq!(called.outcome(), (405, "method_not_allowed"), "{method} {path}");
            let allow = called.reply.header("allow").unwrap();
            assert_eq!(allow.split(", ").collect::<BTreeSet<_>>(), expected, "{path}");
        }
    }
}

#[test]
fn what_is_not_a_call_is_not_found() {
    let (_root, mut browser) = root();
    let html = "Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n";
    for path in [
        "",
        "/",
        "/auth",
        "/auth/",
        "/auth/login/",
        "/auth/LOGIN",
        "//auth/login",
        "/auth//login",
        "/admin",
        "/admin/users/",
        "/admin/audit/1",
        "/auth/%6cogin",
    ] {
        let called = browser.call_with("GET", path, html, "");
        assert_eq!(called.outcome(), (404, "not_found"), "{path}");
    }
    for target in ["/_vestibule/api/", "/_vestibule/api/v2/auth/me", "/_vestibule/api/v1x/auth/me"]
    {
        let reply = browser.request("GET", target, html, "");
        assert_eq!(reply.status, 404, "{target}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{target}");
    }
}

#[test]
fn whoever_is_not_signed_in_is_told_so_before_their_body_is_looked_at() {
    let (root, _) = root();
    for (method, path, operation) in every_call(&root.world) {
        let schemes = operation["security"].as_array().unwrap();
        let open = schemes.is_empty() || schemes.contains(&json!({}));
        let mut nobody = root.world.browser();
        let called = nobody.call_with(&method, &path, "Content-Type: text/plain\r\n", "{");
        let expected =
            if open { (415, "unsupported_media_type") } else { (401, "unauthenticated") };
        assert_eq!(called.outcome(), expected, "{method} {path}");
        assert!(called.reply.header("www-authenticate").is_none());
        assert!(nobody.cookies.is_empty(), "{:?}", nobody.cookies);
    }
}

#[test]
fn every_refusal_is_in_the_description() {
    // Of those that differ from call to call, a few; the rest are in the tests of each call.
    let (root, mut browser) = root();
    let calls = every_call(&root.world);
    for (method, path, body) in [
        ("POST", "/auth/login", json!({"username": "root", "password": "wrong"})),
        ("POST", "/auth/totp/verify", json!({"code": "000000"})),
        ("POST", "/auth/totp/enroll", Value::Null),
        ("POST", "/auth/refresh", json!({"refresh_token": ""})),
        ("POST", "/auth/register", json!({"username": "x", "password": "y"})),
        ("GET", "/admin/users/ann", Value::Null),
    ] {
        let called = browser.call(method, path, body);
        let (status, code) = called.outcome();
        let (_, _, operation) =
            calls.iter().find(|(m, p, _)| (m.as_str(), p.as_str()) == (method, path)).unwrap();
        let said = operation["responses"][status.to_string()]["description"].as_str();
        assert!(said.unwrap().split(", ").any(|said| said == code), "{path}: {status} {code}");
    }
}
