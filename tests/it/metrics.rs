//! What Prometheus is told.

use crate::harness::{App, Browser, Gateway, Options, Person, exchange, fixture, free_port};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

/// A gateway that tells its numbers, and where.
fn measured(app: &App, more: &str) -> (Gateway, SocketAddr) {
    let (options, health) = telling(Options::upstream(&app.url()).config(more));
    (Gateway::start(options), health)
}

fn telling(mut options: Options) -> (Options, SocketAddr) {
    let health = free_port();
    options.env.push(("VESTIBULE_SERVER__ADMIN_LISTEN".into(), health.to_string()));
    (options, health)
}

fn scrape(health: SocketAddr) -> String {
    let reply = exchange(health, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    reply.text()
}

/// Samples by name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name, value.parse().unwrap())
        })
        .collect()
}

#[test]
fn every_promised_number_is_told_and_counts_what_happened() {
    let app = App::start();
    let (gateway, health) = measured(&app, "[limits]\nlockout_after = 2\n");
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::new(gateway.address);
    ann.sign_in(&mut browser, "/", 0);
    for _ in 0..3 {
        assert_eq!(browser.request("GET", "/page", "", "").status, 200);
    }
    let mut stranger = Browser::new(gateway.address);
    let page = stranger.open("/");
    for _ in 0..3 {
        stranger.submit(&page, &[("username", "ben"), ("password", "not the password")]);
    }
    exchange(gateway.address, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    // A request is counted once its connection has been answered to the end.
    let text = scrape(health);
    let all = samples(&text);
    let count = |name: &str| all.get(name).copied().unwrap_or_else(|| panic!("{name}:\n{text}"));
    let requests = |route: &str, verdict: &str| {
        count(&format!("vestibule_requests_total{{route=\"{route}\",verdict=\"{verdict}\"}}"))
    };
    assert!(requests("*/", "allowed") >= 3.0, "{text}");
    assert_eq!(requests("*/", "challenged"), 2.0, "{text}");
    assert!(requests("", "portal") >= 6.0, "{text}");
    assert_eq!(requests("", "malformed"), 1.0, "{text}");
    let sign_ins =
        |outcome: &str| count(&format!("vestibule_signins_total{{outcome=\"{outcome}\"}}"));
    assert_eq!(
        [sign_ins("signed_in"), sign_ins("credentials"), sign_ins("locked")],
        [1.0, 2.0, 1.0]
    );
    assert_eq!(count("vestibule_lockouts_total"), 1.0);
    assert_eq!(count("vestibule_hash_queue_depth"), 0.0);
    assert!(count("vestibule_request_duration_seconds_count{route=\"*/\"}") >= 5.0);
    assert!(count("vestibule_store_duration_seconds_count{operation=\"change\"}") >= 5.0);
    let upstream = format!("vestibule_upstream_healthy{{route=\"*/\",upstream=\"{}\"}}", app.url());
    assert_eq!(count(&upstream), 1.0);
    let version = format!("vestibule_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(count(&version), 1.0);
    assert!(count("process_resident_memory_bytes") > 1e6);
    // Neither is it told where everybody could ask, nor anything else where it is.
    assert_eq!(exchange(gateway.address, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").status, 401);
    assert_eq!(
        exchange(health, b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status,
        405
    );
}

#[test]
fn prometheus_own_parser_reads_all_of_it_and_no_label_is_a_person_or_a_path() {
    let app = App::start();
    let (gateway, health) = measured(&app, "");
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::new(gateway.address);
    ann.sign_in(&mut browser, "/some/private/path?secret=1", 0);
    let text = scrape(health);
    for private in ["ann", "private", "secret", "127.0.0.1\""] {
        assert!(!text.contains(private), "{private}:\n{text}");
    }
    let file = gateway.data.join("metrics.txt");
    std::fs::write(&file, &text).unwrap();
    let parse = "import sys\nfrom prometheus_client.parser import text_string_to_metric_families\n\
                 families = list(text_string_to_metric_families(open(sys.argv[1]).read()))\n\
                 assert all(f.samples and f.documentation for f in families), families\n\
                 print(len(families))";
    let parsed = Command::new("/usr/bin/python3").args(["-c", parse]).arg(&file).output().unwrap();
    assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
}

/// Names of ours in a text.
fn names(text: &str) -> Vec<&str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !word(c))
        .filter(|name| name.starts_with("vestibule_") || name.starts_with("process_"))
        .collect()
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_numbers_that_there_are() {
    let app = App::start();
    let (cert, key) = (fixture("app.pem"), fixture("app.key"));
    let server = format!("tls = {{ cert = \"{cert}\", key = \"{key}\" }}");
    let (options, health) = telling(Options { server, ..Options::upstream(&app.url()) });
    let _gateway = Gateway::start(options);
    let told = scrape(health);
    for file in ["dashboard.json", "alerts.yml"] {
        let path = format!("{}/deploy/prometheus/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let asked = names(&text);
        assert!(asked.len() > 5, "{file}");
        for name in asked {
            let is_told = told.lines().any(|line| {
                line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} "))
            });
            assert!(is_told, "{file} asks for {name}, which nobody tells");
        }
    }
    let path = format!("{}/deploy/prometheus/dashboard.json", env!("CARGO_MANIFEST_DIR"));
    let dashboard: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 8);
}
