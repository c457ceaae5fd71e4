//! `/metrics`: everything that is counted and measured, as Prometheus reads it.

use super::State;
use crate::observe::Measured;
use crate::proxy::{Gateway, TurnedAway};
use crate::service::Service;
use std::fmt::{Display, Write as _};

/// The content type of the text format.
pub(super) const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All of it.
pub(super) fn exposition(gateway: &Gateway, state: &State) -> String {
    let service = gateway.service();
    let sources = Sources { gateway, state, service: &service };
    let mut page = Page::default();
    sources.connections(&mut page);
    sources.requests(&mut page);
    sources.people(&mut page);
    sources.upstreams(&mut page);
    sources.configuration(&mut page);
    sources.certificates(&mut page);
    sources.inside(&mut page);
    process(&mut page);
    page.0
}

/// What the numbers come from.
struct Sources<'s> {
    gateway: &'s Gateway,
    state: &'s State,
    service: &'s Service,
}

impl Sources<'_> {
    fn connections(&self, page: &mut Page) {
        let connections = self.gateway.connections();
        let open = "Connections of clients that are open.";
        page.number("vestibule_connections_open", "gauge", open, connections.len());
        let limit = "How many connections of clients there may be at once.";
        page.number("vestibule_connections_limit", "gauge", limit, connections.max());
        let name = "vestibule_connections_refused_total";
        let help = "Connections, and requests beside others on theirs, that were turned away at once: \
                    all places were taken, their address had its share, or no file was left.";
        page.about(name, "counter", help);
        for why in TurnedAway::ALL {
            page.sample(name, &[("reason", why.name())], connections.turned_away(why));
        }
    }

    fn requests(&self, page: &mut Page) {
        let routes = self.service.log().meters().routes();
        page.about("vestibule_requests_total", "counter", "Requests by route and verdict.");
        for route in &routes {
            for (outcome, count) in route.outcomes() {
                let labels = [("route", route.name()), ("verdict", outcome.name())];
                page.sample("vestibule_requests_total", &labels, count);
            }
        }
        let name = "vestibule_request_duration_seconds";
        page.about(name, "histogram", "How long requests took, the app's part included.");
        for route in &routes {
            page.histogram(name, &[("route", route.name())], &route.durations().measured());
        }
    }

    fn people(&self, page: &mut Page) {
        let meters = self.service.log().meters();
        page.about("vestibule_signins_total", "counter", "Sign-ins by how they ended.");
        for (outcome, count) in meters.sign_ins() {
            page.sample("vestibule_signins_total", &[("outcome", outcome)], count);
        }
        let lockouts = "Accounts, and names that are nobody's, that were locked.";
        page.number("vestibule_lockouts_total", "counter", lockouts, meters.lockouts());
        let sessions = "Sessions, counted once a minute.";
        page.number("vestibule_sessions", "gauge", sessions, self.service.session_count());
        let depth = "Passwords that wait to be hashed or are being hashed.";
        page.number("vestibule_hash_queue_depth", "gauge", depth, self.service.hash_depth());
    }

    fn upstreams(&self, page: &mut Page) {
        let help = "Whether an upstream answers, as far as is known.";
        page.about("vestibule_upstream_healthy", "gauge", help);
        for (route, upstream, is_well) in self.gateway.upstreams() {
            let labels = [("route", route.as_str()), ("upstream", upstream.as_str())];
            page.sample("vestibule_upstream_healthy", &labels, u8::from(is_well));
        }
    }

    fn configuration(&self, page: &mut Page) {
        let in_force = self.state.in_force();
        let name = "vestibule_config_info";
        page.about(
            name,
            "gauge",
            "Always 1; the digest of the configuration in force is in the label.",
        );
        page.sample(name, &[("digest", in_force.digest.as_str())], 1);
        let since = "When the configuration in force came into force.";
        let name = "vestibule_config_in_force_since_timestamp_seconds";
        page.number(name, "gauge", since, in_force.since.as_secs());
        let name = "vestibule_config_last_reload_successful";
        let help =
            "Whether the configuration that was read last is in force; 0 where it was refused.";
        page.number(name, "gauge", help, u8::from(in_force.last_reload_ok));
    }

    fn certificates(&self, page: &mut Page) {
        let name = "vestibule_certificate_expiry_timestamp_seconds";
        let certificates = self.gateway.certificates();
        if !certificates.is_empty() {
            page.about(name, "gauge", "When the certificate for a name expires.");
        }
        for certificate in certificates {
            page.sample(name, &[("name", &certificate.name)], certificate.at.as_secs());
        }
        let fetches = self.service.log().meters().fetches();
        let failing = fetches.iter().filter(|fetch| fetch.failures > 0).count();
        let help = "Certificates that could not be fetched when that was tried last.";
        page.number("vestibule_certificates_failing", "gauge", help, failing);
        if fetches.is_empty() {
            return;
        }
        let name = "vestibule_certificate_fetch_failures";
        page.about(name, "gauge", "How often fetching failed since it last went well.");
        for fetch in &fetches {
            page.sample(name, &[("name", &fetch.name)], fetch.failures);
        }
        let name = "vestibule_certificate_next_fetch_timestamp_seconds";
        page.about(name, "gauge", "When the certificate for a name is fetched next.");
        for fetch in &fetches {
            page.sample(name, &[("name", &fetch.name)], fetch.next.as_secs());
        }
    }

    fn inside(&self, page: &mut Page) {
        let meters = self.service.log().meters();
        let name = "vestibule_store_duration_seconds";
        page.about(name, "histogram", "How long the store took to read, and to bring to the disk.");
        page.histogram(name, &[("operation", "read")], &meters.reads().measured());
        page.histogram(name, &[("operation", "change")], &meters.changes().measured());
        let lost = "Lines of the log that were dropped, since nobody wrote them fast enough.";
        page.number("vestibule_log_lines_lost_total", "counter", lost, self.service.log().lost());
        if let Some((sent, dropped)) = self.gateway.tracer().counts() {
            let help = "Requests that the collector of traces was told of.";
            page.number("vestibule_traces_sent_total", "counter", help, sent);
            let help =
                "Requests that it was not, since it did not take them fast enough or at all.";
            page.number("vestibule_traces_dropped_total", "counter", help, dropped);
        }
        page.about("vestibule_build_info", "gauge", "Always 1; the version is in the label.");
        page.sample("vestibule_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    }
}

/// What every exporter tells of its process, under the usual names.
fn process(page: &mut Page) {
    let memory = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = memory.and_then(|statm| statm.split(' ').nth(1)?.parse::<u64>().ok());
    if let Some(pages) = pages {
        let bytes = pages.saturating_mul(rustix::param::page_size() as u64);
        let help = "Resident memory size in bytes.";
        page.number("process_resident_memory_bytes", "gauge", help, bytes);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let help = "Number of open file descriptors.";
        page.number("process_open_fds", "gauge", help, open.count());
    }
}

/// The text as it grows.
#[derive(Default)]
struct Page(String);

impl Page {
    fn about(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text does not fail, here and below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn number(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.about(name, kind, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"", if at == 0 { '{' } else { ',' });
            for c in text.chars() {
                match c {
                    '\\' | '"' => self.0.extend(['\\', c]),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], measured: &Measured) {
        let bucket = format!("{name}_bucket");
        for (end, count) in &measured.up_to {
            let end = seconds(*end);
            self.sample(&bucket, &[labels, &[("le", end.as_str())]].concat(), count);
        }
        self.sample(&bucket, &[labels, &[("le", "+Inf")]].concat(), measured.count);
        self.sample(&format!("{name}_sum"), labels, seconds(measured.micros));
        self.sample(&format!("{name}_count"), labels, measured.count);
    }
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:06}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let mut page = Page::default();
        page.sample("a", &[("b", "x\"} 1\n\\"), ("c", "")], 2);
        assert_eq!(page.0, "a{b=\"x\\\"} 1\\n\\\\\",c=\"\"} 2\n");
    }

    #[test]
    fn seconds_are_exact() {
        let texts = [0, 100, 1_000, 2_500, 1_000_000, 10_000_001].map(seconds);
        assert_eq!(texts, ["0", "0.0001", "0.001", "0.0025", "1", "10.000001"]);
    }
}
