use super::{faults, parse};
use crate::config::Config;
use crate::proxy::{Probe, RouteSettings, UpstreamHost};
use std::time::Duration;

fn route(upstream: &str, rest: &str) -> String {
    format!("[[route]]\nhost = \"*\"\nupstream = {upstream}\n{rest}\n")
}

fn settings(upstream: &str, rest: &str) -> RouteSettings {
    let Config { mut proxy, .. } = parse(&route(upstream, rest)).unwrap();
    proxy.routes.remove(0)
}

#[test]
fn a_route_of_which_nothing_is_said_is_as_documented() {
    let said = settings("\"http://a\"", "");
    let usual = RouteSettings::new(said.key.clone(), said.upstreams.clone());
    assert_eq!(format!("{said:?}"), format!("{usual:?}"));
    assert_eq!(settings("[\"http://a\", \"http://b\"]", "").health.probe, Probe::Connect);
}

#[test]
fn everything_about_an_upstream_can_be_said() {
    let said = settings(
        "\"https://a\"",
        "path = \"/app\"\nstrip_prefix = true\nupstream_host = \"b.test:8443\"\nbody_max = \"1MiB\"\n\
         connect_timeout = \"1s\"\nfirst_byte_timeout = \"2m\"\nidle_timeout = \"1h\"\n\
         health_check = \"/healthz?deep\"\nhealth_interval = \"30s\"\nhealth_timeout = \"3s\"\n\
         health_down_after = 4\nhealth_up_after = 5\nupstream_ca = \"/ca\"\nupstream_cert = \"/c\"\n\
         upstream_key = \"/k\"\nupstream_server_name = \"c.test\"",
    );
    assert!(said.strip_prefix && said.body_max == Some(1 << 20));
    assert_eq!(said.host, UpstreamHost::Named("b.test:8443".parse().unwrap()));
    let seconds = |duration: Duration| duration.as_secs();
    let patience = said.patience;
    assert_eq!(seconds(patience.connect), 1);
    assert_eq!(patience.first_byte.map(seconds), Some(120));
    assert_eq!(patience.idle.map(seconds), Some(3600));
    let health = said.health;
    assert_eq!(health.probe, Probe::Get("/healthz?deep".into()));
    assert_eq!((seconds(health.interval), seconds(health.timeout)), (30, 3));
    assert_eq!((health.down_after, health.up_after), (4, 5));
    let tls = format!("{:?}", said.tls);
    assert!(["/ca", "/c", "/k", "c.test"].iter().all(|part| tls.contains(part)), "{tls}");
}

#[test]
fn every_bad_word_about_an_upstream_is_a_fault_with_advice() {
    let (http, https, unix) = ("\"http://a\"", "\"https://a\"", "\"unix:/a\"");
    for (upstream, rest, key, told) in [
        (http, "strip_prefix = true", "strip_prefix", "nothing to strip"),
        (http, "strip_prefix = \"yes\"", "strip_prefix", "without quotes"),
        (http, "body_max = 0", "body_max", "not from 1"),
        (http, "body_max = \"10MB\"", "body_max", "not a size"),
        (http, "upstream_host = \"a b\"", "upstream_host", "perhaps with a port"),
        (http, "upstream_host = \"\"", "upstream_host", "perhaps with a port"),
        (http, "upstream_host = \"u@a\"", "upstream_host", "perhaps with a port"),
        (http, "upstream_host = \"http://a\"", "upstream_host", "perhaps with a port"),
        (unix, "upstream_host = \"upstream\"", "upstream_host", "no name to tell"),
        (http, "connect_timeout = \"\"", "connect_timeout", "not a duration"),
        (http, "connect_timeout = \"0s\"", "connect_timeout", "zero"),
        (http, "first_byte_timeout = 5", "first_byte_timeout", "in quotes"),
        (http, "idle_timeout = \"5\"", "idle_timeout", "not a duration"),
        (http, "health_check = \"tcp\"", "health_check", "\"connect\" or a path"),
        (http, "health_check = \"/a b\"", "health_check", "\"connect\" or a path"),
        (http, "health_check = true", "health_check", "in quotes"),
        (http, "health_interval = \"0s\"", "health_interval", "zero"),
        (http, "health_timeout = \"\"", "health_timeout", "not a duration"),
        (http, "health_down_after = 0", "health_down_after", "write 1 to 100"),
        (http, "health_up_after = 101", "health_up_after", "write 1 to 100"),
        (http, "upstream_ca = \"/x\"", "upstream_ca", "write https://"),
        (http, "upstream_server_name = \"a\"", "upstream_server_name", "write https://"),
        (https, "upstream_cert = \"/x\"", "upstream_cert", "without upstream_key"),
        (https, "upstream_key = \"/x\"", "upstream_key", "without upstream_cert"),
        (https, "upstream_server_name = \"a:1\"", "upstream_server_name", "without a port"),
        (https, "upstream_verify = false", "upstream_verify", "unknown key"),
        (https, "strip_prefx = true", "strip_prefx", "did you mean route.strip_prefix?"),
    ] {
        let faults = faults(&route(upstream, rest));
        assert!(faults.starts_with("config.toml:4: "), "{rest}: {faults}");
        assert_eq!(faults.lines().count(), 1, "{faults}");
        assert!(faults.contains(&format!(": route.{key}: ")), "{rest}: {faults}");
        assert!(faults.contains(told), "{rest}: {faults}");
    }
}
