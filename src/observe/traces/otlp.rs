//! What is sent: OTLP's `ExportTraceServiceRequest` as JSON, with the names that OpenTelemetry's
//! conventions give to what is told.

use super::context::Context;
use super::steps::Step;
use super::tracer::Ended;
use serde::Serialize;
use std::borrow::Cow;
use std::iter;
use std::time::Instant;

/// One moment by both clocks: what was put down by the one is told by the other.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// By the clock that is never set.
    pub at: Instant,
    /// By the other: nanoseconds since 1970.
    pub unix_nanos: u128,
}

impl Moment {
    /// Moments come before this one.
    fn tell(self, moment: Instant) -> String {
        let ago = self.at.saturating_duration_since(moment).as_nanos();
        self.unix_nanos.saturating_sub(ago).to_string()
    }
}

/// All of these as the body of one request to a collector.
pub fn body(service: &str, all: &[Ended], now: Moment) -> Vec<u8> {
    let scope = Scope { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
    let spans = all.iter().flat_map(|ended| ended.spans(now)).collect();
    let version = env!("CARGO_PKG_VERSION");
    let attributes = vec![text("service.name", service), text("service.version", version)];
    let request = Request {
        resource_spans: [ResourceSpans {
            resource: Resource { attributes },
            scope_spans: [ScopeSpans { scope, spans }],
        }],
    };
    // Texts and numbers: nothing that could not be written.
    serde_json::to_vec(&request).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'e> {
    resource_spans: [ResourceSpans<'e>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'e> {
    resource: Resource<'e>,
    scope_spans: [ScopeSpans<'e>; 1],
}

#[derive(Serialize)]
struct Resource<'e> {
    attributes: Vec<Attribute<'e>>,
}

#[derive(Serialize)]
struct ScopeSpans<'e> {
    scope: Scope,
    spans: Vec<Span<'e>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'e> {
    trace_id: String,
    #[serde(rename = "spanId")]
    id: String,
    #[serde(rename = "parentSpanId", skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    flags: u8,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute<'e>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    trace_id: String,
    span_id: String,
}

#[derive(Serialize)]
struct Status {
    code: u8,
}

#[derive(Serialize)]
struct Attribute<'e> {
    key: &'static str,
    value: Value<'e>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Value<'e> {
    StringValue(Cow<'e, str>),
    // Whole numbers are written as texts in JSON.
    IntValue(String),
}

const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// The status of a span that did not go well.
const ERROR: Status = Status { code: 2 };

fn text<'e>(key: &'static str, value: impl Into<Cow<'e, str>>) -> Attribute<'e> {
    Attribute { key, value: Value::StringValue(value.into()) }
}

fn number(key: &'static str, value: impl ToString) -> Attribute<'static> {
    Attribute { key, value: Value::IntValue(value.to_string()) }
}

fn trace_id(context: Context) -> String {
    format!("{:032x}", context.trace)
}

fn span_id(span: u64) -> String {
    format!("{span:016x}")
}

impl Ended {
    fn spans(&self, now: Moment) -> impl Iterator<Item = Span<'_>> {
        let steps = self.steps.iter().map(move |(id, step)| self.step(*id, step, now));
        iter::once(self.whole(now)).chain(self.exchange(now)).chain(steps)
    }

    fn span(&self, id: u64, kind: u8, name: String, times: [String; 2]) -> Span<'_> {
        let [start_time_unix_nano, end_time_unix_nano] = times;
        Span {
            trace_id: trace_id(self.server),
            id: span_id(id),
            parent: Some(span_id(self.server.span)),
            flags: self.server.flags,
            name,
            kind,
            start_time_unix_nano,
            end_time_unix_nano,
            attributes: Vec::new(),
            links: Vec::new(),
            status: None,
        }
    }

    /// What spans are called after.
    fn verb(&self) -> &str {
        if *self.method == *"_OTHER" { "HTTP" } else { &self.method }
    }

    /// All of the request.
    fn whole(&self, now: Moment) -> Span<'_> {
        let name = match &self.route {
            Some(route) => format!("{} {route}", self.verb()),
            None => self.verb().to_owned(),
        };
        let times = [now.tell(self.began), now.tell(self.over)];
        let mut span = self.span(self.server.span, SERVER, name, times);
        span.parent = self.parent.map(span_id);
        let link = |link: Context| Link { trace_id: trace_id(link), span_id: span_id(link.span) };
        span.links = self.link.map(link).into_iter().collect();
        span.attributes = vec![
            text("http.request.method", &*self.method),
            text("url.scheme", if self.passage.https { "https" } else { "http" }),
            text("server.address", &*self.host),
            text("url.path", &*self.path),
            text("network.protocol.version", self.passage.version),
            text("vestibule.verdict", self.verdict),
            text("vestibule.request_id", self.id.to_string()),
        ];
        span.attributes.extend(self.route.as_deref().map(|route| text("vestibule.route", route)));
        self.answered(&mut span, 500);
        span
    }

    /// What the app was asked.
    fn exchange(&self, now: Moment) -> Option<Span<'_>> {
        let (id, since) = self.asked?;
        let times = [now.tell(since), now.tell(self.over)];
        let mut span = self.span(id, CLIENT, self.verb().to_owned(), times);
        span.attributes = vec![text("http.request.method", &*self.method)];
        if let Some((address, port)) = &self.passage.app {
            span.attributes.push(text("server.address", address.as_str()));
            span.attributes.extend(port.map(|port| number("server.port", port)));
        }
        if self.passage.resent > 0 {
            span.attributes.push(number("http.request.resend_count", self.passage.resent));
        }
        self.answered(&mut span, 400);
        Some(span)
    }

    /// How it was answered: an error from this status on, or where it was not.
    fn answered(&self, span: &mut Span<'_>, error_from: u16) {
        if self.status != 0 {
            span.attributes.push(number("http.response.status_code", self.status));
        }
        if (1..error_from).contains(&self.status) {
            return;
        }
        let code = || self.status.to_string();
        let kind = self.reason.as_deref().map_or_else(code, ToOwned::to_owned);
        span.attributes.push(text("error.type", kind));
        span.status = Some(ERROR);
    }

    fn step(&self, id: u64, step: &Step, now: Moment) -> Span<'_> {
        let times = [now.tell(step.began), now.tell(step.ended)];
        self.span(id, INTERNAL, step.name.to_owned(), times)
    }
}
