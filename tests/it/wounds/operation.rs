//! Logs and operation: what tells secrets by the way, and what opens where it should close.

use crate::harness::{App, Gateway, House, Options, TempDir, free_port, run};
use std::fs::write;
use std::sync::Arc;

/// CVE-2026-54762: a configuration that says less than was meant must not be taken for one that
/// opens. Each of these is refused, and nothing listens.
#[test]
fn a_configuration_that_might_open_more_than_was_meant_is_refused() {
    let route = "[[route]]\nhost = \"a.test\"\nupstream = \"http://127.0.0.1:9\"\n";
    for faulty in [
        "[access]\ndefault_policy = \"\"\n",
        "[access]\ndefault_policy = \"none\"\n",
        "[access]\ndefault_policy = \"Two_Factor\"\n",
        "[access]\ndefault_policy = [\"two_factor\"]\n",
        "[access]\ndefault-policy = \"deny\"\n",
        "[acces]\ndefault_policy = \"deny\"\n",
        "[[rules]]\npath = \"/x\"\npolicy = \"deny\"\n",
        "[[rule]]\npath = \"/x\"\npolcy = \"deny\"\n",
        "[[rule]]\npath = \"/x\"\n",
        "[[rule]]\npath = \"x\"\npolicy = \"deny\"\n",
        "[[rule]]\npath = \"\"\npolicy = \"bypass\"\n",
        "[[rule]]\npath = \"/x/../y\"\npolicy = \"deny\"\n",
        "[[rule]]\npath = \"/x%2fy\"\npolicy = \"deny\"\n",
        "[[rule]]\nhost = \"\"\npolicy = \"bypass\"\n",
        "[[rule]]\nhost = \"*evil.test\"\npolicy = \"bypass\"\n",
        "[[rule]]\nhost = \"a.*.test\"\npolicy = \"bypass\"\n",
        "[[rule]]\nhost = \"a.test:8080\"\npolicy = \"bypass\"\n",
        "[[rule]]\nmethods = [\"get\"]\npolicy = \"deny\"\n",
        "[[rule]]\nmethods = [\"\"]\npolicy = \"bypass\"\n",
        "[[rule]]\nnetworks = [\"10.0.0.0/33\"]\npolicy = \"bypass\"\n",
        "[[rule]]\nnetworks = [\"10.0.0.1/8\"]\npolicy = \"bypass\"\n",
        "[[rule]]\nnetworks = [\"10.0.0.0-10.0.0.9\"]\npolicy = \"bypass\"\n",
        "[[rule]]\nusers = [\"ann\"]\npolicy = \"bypass\"\n",
        "[[rule]]\ngroups = [\"admins\"]\npolicy = \"bypass\"\n",
        "[[rule]]\nfresh = \"10m\"\npolicy = \"bypass\"\n",
        "[[rule]]\nfresh = \"ten minutes\"\npolicy = \"two_factor\"\n",
        "[identity]\nuser = \"Host\"\n",
        "[identity]\nuser = \"Remote-User\"\ngroups = \"Remote_User\"\n",
        "[session]\nidle = \"0s\"\n",
        "[session]\ncookie_domain = \"test\"\n",
        "[session]\nlifetime = \"-1h\"\n",
        "[limits]\nlockout_after = 0\n",
        "[limits]\nlogin_per_ip = \"0/1m\"\n",
        "[password]\nmemory_kib = 1\n",
        "[password]\nmin_length = 1\n",
        "[totp]\nskew = 10\n",
        "[totp]\ndigits = 4\n",
    ] {
        let folder = TempDir::new();
        let config = folder.join("config.toml");
        let data = folder.join("data").display().to_string();
        let server = format!("[server]\nlisten = [\"{}\"]\nadmin_listen = \"\"\n", free_port());
        write(&config, format!("{server}{faulty}{route}")).unwrap();
        let config = config.display().to_string();
        let output = run(&["config", "check", &config], "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{faulty}\n{said}");
        assert!(said.starts_with(&format!("{config}:")), "{faulty}\n{said}");
        let started = run(&["serve", "--config", &config, "--data", &data], "");
        assert_eq!(started.status.code(), Some(2), "{faulty}");
    }
    for server in [
        "trusted_proxies = [\"0.0.0.0/0\"]",
        "trusted_proxies = [\"::/0\"]",
        "trusted_proxies = [\"10.0.0.1/8\"]",
        "trusted_proxies = [\"*\"]",
        "trusted_proxies = [\"\"]",
        "trusted_proxies = \"10.0.0.1\"",
        "public_url = \"http://login.example.com\"",
        "public_url = \"https://login.example.com/x\"",
        "public_url = \"//login.example.com\"",
        "prefix = \"/\"",
        "prefix = \"\"",
        "prefix = \"/a/../b\"",
    ] {
        let options = Options { server: server.into(), ..Options::default() };
        let tried = Gateway::or_refusal(Arc::new(TempDir::new()), options.config(route));
        let Err((code, said)) = tried else { panic!("{server} was taken") };
        assert_eq!(code, Some(2), "{server}: {said}");
    }
}

/// No advisory of its own: a line in the log that somebody else wrote, or one that tells a secret.
/// Every field that reaches the log is tried, over both protocols' refusals and all verdicts.
#[test]
fn nothing_that_a_request_says_makes_a_line_or_tells_a_secret() {
    let app = App::start();
    let house = House::with(app, Options::default());
    let evil = "%0a%0d{\"time\":\"forged\",\"message\":\"forged\"}%1b[2J";
    let secret = "s3cr3t-marker";
    for request in [
        format!("GET /x{evil}?t={secret} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"),
        format!(
            "GET /x?{secret}={secret} HTTP/1.1\r\nHost: app.test\r\nReferer: http://a/?{secret}\r\nConnection: close\r\n\r\n"
        ),
        format!("GET /x HTTP/1.1\r\nHost: forged\u{1b}[2J{secret}\r\n\r\n"),
        format!("{secret} /x HTTP/1.1\r\nHost: app.test\r\n\r\n"),
        format!("GET {secret} HTTP/1.1\r\nHost: app.test\r\n\r\n"),
        format!(
            "GET /x HTTP/1.1\r\nHost: app.test\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "GET /x HTTP/1.1\r\nHost: app.test\r\nCookie: vestibule={secret}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "GET /x HTTP/1.1\r\nHost: app.test\r\nUser-Agent: \"}}\\n{secret}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "GET /_vestibule/invite?token={secret} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "GET /_vestibule/login?rd=/x?{secret} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "POST /_vestibule/api/v1/auth/login HTTP/1.1\r\nHost: app.test\r\nContent-Type: application/json\r\n\
                 Content-Length: 44\r\nConnection: close\r\n\r\n{{\"username\":\"a\\nforged\",\"password\":\"{secret}x\"}}"
        ),
    ] {
        house.send(request.as_bytes());
    }
    let log = house.gateway.log_to_its_end();
    assert!(!log.contains(secret), "{log}");
    for line in log.lines() {
        let read: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(read["time"] != "forged" && read["message"] != "forged", "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}
