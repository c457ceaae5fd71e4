use super::{faults, parse, parse_with};
use crate::config::traces::built;
use crate::config::{Config, Overrides};

/// What is told of requests, and where.
fn told(config: &Config) -> Option<String> {
    let traces = config.traces.as_ref()?;
    Some(format!("{} {} {}", traces.endpoint, traces.sample, traces.service))
}

#[test]
fn a_binary_without_traces_says_how_to_build_one_with_them() {
    assert!(built(true).is_ok());
    let said = built(false).unwrap_err().sentence();
    assert!(said.contains("cargo build --release --features otlp"), "{said}");
}

#[test]
fn nothing_is_told_unless_somebody_says_where() {
    assert_eq!(told(&parse("").unwrap()), None);
    assert_eq!(told(&parse("[traces]\nsample = 0.5\nservice = \"door\"").unwrap()), None);
    let all = "[traces]\nendpoint = \"http://c:4318/\"\nsample = 0.25\nservice = \"door\"";
    assert_eq!(told(&parse(all).unwrap()).unwrap(), "http://c:4318/v1/traces 0.25 door");
    let few = "[traces]\nendpoint = \"https://c.example/otlp\"\nsample = 1";
    assert_eq!(told(&parse(few).unwrap()).unwrap(), "https://c.example/otlp/v1/traces 1 vestibule");
}

#[test]
fn what_everybody_heeds_is_heeded_where_nothing_of_ours_is_said() {
    let with = |environment: &[(&str, &str)]| {
        told(&parse_with("", environment, &Overrides::default()).unwrap())
    };
    let of_all = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_SERVICE_NAME", "sso")];
    assert_eq!(with(&of_all).unwrap(), "http://c:4318/v1/traces 1 sso");
    let own = [
        ("VESTIBULE_TRACES__ENDPOINT", "http://d:4318"),
        ("VESTIBULE_TRACES__SAMPLE", "0.1"),
        of_all[0],
        of_all[1],
    ];
    assert_eq!(with(&own).unwrap(), "http://d:4318/v1/traces 0.1 sso");
    assert_eq!(with(&[of_all[0], ("VESTIBULE_TRACES__ENDPOINT", "")]), None);
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_to_write() {
    for (key, value, told) in [
        ("endpoint", "\"c:4318\"", "must begin with http:// or https://"),
        ("endpoint", "\"collector\"", "is not an address"),
        ("endpoint", "\"http://me:secret@c\"", "headers_file is for those"),
        ("endpoint", "\"http://c/?key=secret\"", "nothing behind its path"),
        ("sample", "1.5", "write 0.0 to 1.0"),
        ("sample", "-0.1", "write 0.0 to 1.0"),
        ("sample", "nan", "write 0.0 to 1.0"),
        ("sample", "\"0.1\"", "without quotes"),
        ("service", "\"\"", "is not a name"),
    ] {
        let said = faults(&format!("[traces]\n{key} = {value}"));
        assert!(said.contains(&format!("traces.{key}")) && said.contains(told), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn what_the_collector_asks_for_is_sent_to_it_alone_and_shown_to_nobody() {
    let folder = std::env::temp_dir().join(format!("vestibule-headers-{}", std::process::id()));
    let with = |content: &str, endpoint: &str| {
        std::fs::write(&folder, content).unwrap();
        let file = folder.display();
        let text = format!("[traces]\nendpoint = \"{endpoint}\"\nheaders_file = \"{file}\"");
        parse(&text).and_then(Config::with_files)
    };
    let config = with("Authorization: Bearer s3cret\n\nX-Scope: a:b\n", "https://c").unwrap();
    let headers = config.traces.as_ref().unwrap().headers.clone();
    assert_eq!(headers.len(), 2);
    assert_eq!((headers[1].0.as_str(), headers[1].1.as_bytes()), ("x-scope", &b"a:b"[..]));
    assert!(!format!("{config:?}").contains("s3cret"));
    for (content, endpoint, told) in [
        ("Bearer s3cret", "https://c", "line 1 is not a field"),
        ("X: 1\nAuthorization s3cret", "https://c", "line 2 is not a field"),
        ("Authorization: s3cret", "http://c", "in the clear"),
    ] {
        let said = with(content, endpoint).unwrap_err().to_string();
        assert!(said.contains(told) && !said.contains("s3cret"), "{said}");
    }
    assert!(with("Authorization: s3cret", "http://127.0.0.1:4318").is_ok());
    std::fs::remove_file(&folder).unwrap();
    let file = folder.display();
    let text = format!("[traces]\nendpoint = \"https://c\"\nheaders_file = \"{file}\"");
    let gone = parse(&text).and_then(Config::with_files).map(|_| ()).unwrap_err().to_string();
    assert!(gone.contains("traces.headers_file"), "{gone}");
}
