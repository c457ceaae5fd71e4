//! What a collector of traces is told, what apps are told of traces, and by whom they are begun.

use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Gateway, Options, PATIENCE, Person, connect, exchange, free_port,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

const THEIRS: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const THEIR_SPAN: &str = "00f067aa0ba902b7";

/// A collector that listens for OTLP over HTTP and keeps what it is told.
#[derive(Clone)]
struct Collector {
    address: SocketAddr,
    told: Arc<(Mutex<Vec<String>>, Condvar)>,
}

/// A span, by its attributes.
#[derive(Clone, Debug)]
struct Span {
    name: String,
    kind: u64,
    trace: String,
    id: String,
    parent: Option<String>,
    nanos: (u64, u64),
    is_error: bool,
    links: Vec<(String, String)>,
    attributes: BTreeMap<String, String>,
}

impl Collector {
    fn start() -> Self {
        Self::answering("200 OK")
    }

    fn answering(status: &str) -> Self {
        let told: Arc<(Mutex<Vec<String>>, Condvar)> = Arc::default();
        let (of_app, status) = (Arc::clone(&told), status.to_owned());
        let app = App::serving(move |request, stream| {
            of_app.0.lock().unwrap().push(request.to_owned());
            of_app.1.notify_all();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).is_ok()
        });
        Self { address: app.address, told }
    }

    /// Each request that it was sent, whole.
    fn requests(&self) -> Vec<String> {
        self.told.0.lock().unwrap().clone()
    }

    /// Waits until it has been told of a request that ends with this path; its spans.
    fn spans_of(&self, path: &str) -> Vec<Span> {
        let told = self.told.0.lock().unwrap();
        let unheard = |told: &mut Vec<String>| !told.iter().any(|r| !of_path(r, path).is_empty());
        let (told, late) = self.told.1.wait_timeout_while(told, PATIENCE, unheard).unwrap();
        assert!(!late.timed_out(), "never told of {path}: {told:?}");
        told.iter().flat_map(|request| of_path(request, path)).collect()
    }

    /// The configuration of a gateway that tells it.
    fn config(&self) -> String {
        format!("[traces]\nendpoint = \"http://{}\"\n", self.address)
    }
}

/// The spans in a request to a collector that belong to requests for this path.
fn of_path(request: &str, path: &str) -> Vec<Span> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let json: Value = serde_json::from_str(body).unwrap();
    let spans = json["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    let spans: Vec<Span> = spans.iter().map(span).collect();
    let wanted = |span: &&Span| span.attributes.get("url.path").is_some_and(|own| own == path);
    let roots: Vec<String> = spans.iter().filter(wanted).map(|span| span.id.clone()).collect();
    let is_of = |span: &Span| {
        roots.contains(&span.id) || span.parent.as_ref().is_some_and(|p| roots.contains(p))
    };
    spans.into_iter().filter(is_of).collect()
}

fn span(json: &Value) -> Span {
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    let nanos = |key: &str| text(key).unwrap().parse().unwrap();
    let value = |value: &Value| {
        let value = value.get("stringValue").or(value.get("intValue")).unwrap();
        value.as_str().unwrap().to_owned()
    };
    let list = |key: &str| json[key].as_array().cloned().unwrap_or_default();
    Span {
        name: text("name").unwrap(),
        kind: json["kind"].as_u64().unwrap(),
        trace: text("traceId").unwrap(),
        id: text("spanId").unwrap(),
        parent: text("parentSpanId"),
        nanos: (nanos("startTimeUnixNano"), nanos("endTimeUnixNano")),
        is_error: json["status"]["code"] == 2,
        links: list("links")
            .iter()
            .map(|link| (value_of(link, "traceId"), value_of(link, "spanId")))
            .collect(),
        attributes: list("attributes")
            .iter()
            .map(|all| (value_of(all, "key"), value(&all["value"])))
            .collect(),
    }
}

fn value_of(json: &Value, key: &str) -> String {
    json[key].as_str().unwrap().to_owned()
}

/// The trace that an app was told last, by its parts.
fn told_to(app: &App) -> Vec<String> {
    let received = app.take_received();
    let told: Vec<&str> =
        received.lines().filter_map(|line| line.strip_prefix("traceparent: ")).collect();
    assert_eq!(told.len(), 1, "{received}");
    told[0].split('-').map(str::to_owned).collect()
}

/// Asks for something that nobody has to sign in for.
fn get(gateway: &Gateway, path: &str, fields: &str) -> u16 {
    let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n");
    exchange(gateway.address, head.as_bytes()).status
}

/// A gateway that lets everybody through, and tells this collector.
fn open(app: &App, collector: &Collector, server: &str, traces: &str) -> Gateway {
    let options = Options { server: server.to_owned(), ..Options::upstream(&app.url()) };
    let rules = "[access]\ndefault_policy = \"bypass\"\n";
    Gateway::start(options.config(&format!("{rules}{}{traces}", collector.config())))
}

const OF_THEIRS: &str =
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntracestate: k=v\r\n";
const UNSAMPLED: &str =
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\ntracestate: k=v\r\n";

#[test]
fn a_request_is_told_as_one_span_and_what_its_app_was_asked_as_another() {
    let (app, collector) = (App::start(), Collector::start());
    let gateway = open(&app, &collector, "", "service = \"the door\"\n");
    assert_eq!(get(&gateway, "/page?token=s3cret", ""), 200);
    let told = told_to(&app);
    let spans = collector.spans_of("/page");
    let [whole, asked] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((whole.kind, whole.name.as_str(), &whole.parent), (2, "GET */", &None));
    assert_eq!((asked.kind, asked.name.as_str()), (3, "GET"));
    assert_eq!(asked.parent.as_ref(), Some(&whole.id));
    assert_eq!(told, ["00", &whole.trace, &asked.id, "01"], "the app is a child of its span");
    let port = app.address.port().to_string();
    let of = |span: &Span, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| span.attributes.get(*name).cloned().unwrap_or_default()).collect()
    };
    let names = ["http.request.method", "url.scheme", "server.address", "vestibule.verdict"];
    assert_eq!(of(whole, &names), ["GET", "http", "a", "allowed"]);
    let names = ["http.response.status_code", "network.protocol.version", "vestibule.route"];
    assert_eq!(of(whole, &names), ["200", "1.1", "*/"]);
    let names = ["http.request.method", "http.response.status_code", "server.port"];
    assert_eq!(of(asked, &names), ["GET", "200", port.as_str()]);
    let id = format!(r#""id":"{}""#, whole.attributes["vestibule.request_id"]);
    gateway.hear(&id);
    assert!(whole.nanos.0 <= asked.nanos.0 && asked.nanos.0 < asked.nanos.1);
    assert!(asked.nanos.1 <= whole.nanos.1 && !whole.is_error && !asked.is_error);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ago = u64::try_from(now.as_nanos()).unwrap() - whole.nanos.1;
    assert!(ago < 60_000_000_000, "{ago} ns ago");
    let request = &collector.requests()[0];
    assert!(request.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\"stringValue\":\"the door\"") && !request.contains("s3cret"));
}

#[test]
fn a_stranger_neither_gets_into_a_trace_nor_has_one_kept() {
    let (app, collector) = (App::start(), Collector::start());
    let gateway = open(&app, &collector, "", "");
    assert_eq!(get(&gateway, "/stranger", OF_THEIRS), 200);
    let received = app.received();
    assert!(!received.contains("tracestate") && !received.contains(THEIRS), "{received}");
    let told = told_to(&app);
    let spans = collector.spans_of("/stranger");
    assert_eq!((&spans[0].trace, &spans[0].parent), (&told[1], &None));
    assert_eq!(spans[0].links, [(THEIRS.to_owned(), THEIR_SPAN.to_owned())]);
    drop(gateway);
    // Where none are kept that begin here, none is that a stranger would have kept.
    let gateway = open(&app, &collector, "", "sample = 0.0\n");
    app.take_received();
    assert_eq!(get(&gateway, "/unkept", OF_THEIRS), 200);
    let told = told_to(&app);
    assert!(told[1] != THEIRS && told[3] == "00", "{told:?}");
    gateway.log_to_its_end();
    assert!(!collector.requests().iter().any(|request| request.contains("/unkept")));
}

#[test]
fn a_trusted_proxy_says_which_trace_goes_on_and_whether_it_is_kept() {
    let (app, collector) = (App::start(), Collector::start());
    let trusted = "trusted_proxies = [\"127.0.0.1\"]\n";
    // What begins here is not kept: what is told was kept by the proxy.
    let gateway = open(&app, &collector, trusted, "sample = 0.0\n");
    assert_eq!(get(&gateway, "/kept", OF_THEIRS), 200);
    assert!(app.received().contains("tracestate: k=v\r\n"), "{}", app.received());
    let told = told_to(&app);
    let spans = collector.spans_of("/kept");
    assert_eq!((spans[0].trace.as_str(), spans[0].parent.as_deref()), (THEIRS, Some(THEIR_SPAN)));
    assert_eq!(told, ["00", THEIRS, &spans[1].id, "01"]);
    assert!(spans[0].links.is_empty());
    drop(gateway);
    let gateway = open(&app, &collector, trusted, "");
    app.take_received();
    assert_eq!(get(&gateway, "/unkept", UNSAMPLED), 200);
    assert!(app.received().contains("tracestate: k=v\r\n"), "{}", app.received());
    let told = told_to(&app);
    assert!(told[1] == THEIRS && told[2] != THEIR_SPAN && told[3] == "00", "{told:?}");
    // What it says wrongly, or twice, begins another.
    for wrong in [format!("{OF_THEIRS}{OF_THEIRS}"), OF_THEIRS.to_uppercase()] {
        assert_eq!(get(&gateway, "/wrong", &wrong), 200);
        assert!(!app.received().to_lowercase().contains("tracestate"), "{}", app.received());
        assert_ne!(told_to(&app)[1], THEIRS);
    }
    collector.spans_of("/wrong");
    gateway.log_to_its_end();
    assert!(!collector.requests().iter().any(|request| request.contains("/unkept")));
}

#[test]
fn where_no_traces_are_told_what_a_client_says_of_its_own_reaches_the_app() {
    let app = App::start();
    let options = Options::upstream(&app.url()).config("[access]\ndefault_policy = \"bypass\"\n");
    let gateway = Gateway::start(options);
    assert_eq!(get(&gateway, "/", OF_THEIRS), 200);
    assert!(app.received().contains(OF_THEIRS), "{}", app.received());
}

#[test]
fn a_sign_in_is_told_with_its_hash_and_with_nothing_that_is_anybodys() {
    let (app, collector) = (App::start(), Collector::start());
    let options = Options::upstream(&app.url()).config(&collector.config());
    let gateway = Gateway::start(options);
    let ann = Person::add(&gateway, "annabella");
    let mut browser = Browser::new(gateway.address);
    ann.sign_in(&mut browser, "/after?secret=inquery", 0);
    let login = collector.spans_of("/_vestibule/login");
    let hash = login.iter().find(|span| span.name == "password.hash").unwrap();
    let whole = login.iter().find(|span| Some(&span.id) == hash.parent.as_ref()).unwrap();
    assert_eq!((hash.kind, whole.name.as_str()), (1, "POST"));
    assert_eq!(whole.attributes["vestibule.verdict"], "portal");
    assert!(whole.nanos.0 <= hash.nanos.0 && hash.nanos.1 <= whole.nanos.1);
    collector.spans_of("/after");
    // Paths of our own have names in them.
    browser.request("GET", "/_vestibule/admin/users/annabella", "", "");
    browser.request("POST", "/_vestibule/api/v1/admin/users/annabella/disable", "", "x");
    collector.spans_of("/_vestibule/admin/users/{name}");
    collector.spans_of("/_vestibule/api/v1/admin/users/{name}/disable");
    gateway.log_to_its_end();
    let all = collector.requests().concat();
    let cookies = browser.cookies.values().map(String::as_str);
    for secret in ["annabella", "inquery", ADMIN_PASSWORD].into_iter().chain(cookies) {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[test]
fn an_app_that_cannot_be_reached_is_an_error_and_a_refusal_is_none() {
    let collector = Collector::start();
    let options = Options::upstream(&format!("http://{}", free_port()));
    let rules = "[[rule]]\npath = \"/gone\"\npolicy = \"bypass\"\n";
    let gateway = Gateway::start(options.config(&format!("{rules}{}", collector.config())));
    assert_eq!(get(&gateway, "/gone", ""), 502);
    let spans = collector.spans_of("/gone");
    assert!(spans[0].is_error && spans[1].is_error, "{spans:?}");
    assert_eq!(spans[1].attributes["error.type"], "app_unreachable");
    assert_eq!(get(&gateway, "/closed", ""), 401);
    let spans = collector.spans_of("/closed");
    assert_eq!((spans.len(), spans[0].is_error), (1, false), "{spans:?}");
    assert_eq!(spans[0].attributes["vestibule.verdict"], "challenged");
}

#[test]
fn what_is_left_is_sent_before_the_gateway_stops() {
    let (app, collector) = (App::start(), Collector::start());
    let gateway = open(&app, &collector, "", "");
    assert_eq!(get(&gateway, "/last", ""), 200);
    gateway.log_to_its_end();
    assert_eq!(collector.spans_of("/last").len(), 2);
}

/// What `/metrics` says of this number.
fn counted(health: SocketAddr, name: &str) -> u64 {
    let page = exchange(health, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").text();
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {page}")).trim().parse().unwrap()
}

/// Waits until `/metrics` says this.
fn await_count(health: SocketAddr, name: &str, count: u64) {
    let began = Instant::now();
    while counted(health, name) != count {
        assert!(began.elapsed() < PATIENCE, "{name} is {}", counted(health, name));
        std::thread::yield_now();
    }
}

#[test]
fn a_collector_that_refuses_or_hangs_costs_traces_and_no_request() {
    let app = App::start();
    let health = free_port();
    let gateway = |collector: &str| {
        let traces = format!("[traces]\nendpoint = \"{collector}\"\n");
        let rules = "[access]\ndefault_policy = \"bypass\"\n";
        let mut options = Options::upstream(&app.url()).config(&format!("{rules}{traces}"));
        options.env.push(("VESTIBULE_SERVER__ADMIN_LISTEN".into(), health.to_string()));
        Gateway::start(options)
    };
    let refusing = Collector::answering("400 Bad Request");
    let refused = gateway(&format!("http://{}", refusing.address));
    assert_eq!(get(&refused, "/one", ""), 200);
    refused.hear("traces are not sent: ");
    refused.hear("it answered 400");
    await_count(health, "vestibule_traces_dropped_total", 1);
    assert_eq!(counted(health, "vestibule_traces_sent_total"), 0);
    drop(refused);
    // One that takes no connection, and one that never answers: what was to be told is kept.
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for silent in [free_port(), hanging.local_addr().unwrap()] {
        let gateway = gateway(&format!("http://{silent}"));
        let began = Instant::now();
        for _ in 0..50 {
            assert_eq!(get(&gateway, "/many", ""), 200);
        }
        assert!(began.elapsed() < PATIENCE / 4, "{:?}", began.elapsed());
        assert_eq!(counted(health, "vestibule_traces_dropped_total"), 0);
    }
}

#[test]
fn a_collector_that_comes_back_is_told_what_it_missed() {
    let app = App::start();
    let address = free_port();
    let rules = "[access]\ndefault_policy = \"bypass\"\n";
    let traces = format!("[traces]\nendpoint = \"http://{address}\"\n");
    let gateway = Gateway::start(Options::upstream(&app.url()).config(&format!("{rules}{traces}")));
    assert_eq!(get(&gateway, "/missed", ""), 200);
    gateway.hear("traces are not sent: ");
    let collector = std::net::TcpListener::bind(address).unwrap();
    let (mut stream, _) = collector.accept().unwrap();
    let mut request = String::new();
    while !request.contains("/missed") {
        let mut buffer = [0; 4096];
        let count = std::io::Read::read(&mut stream, &mut buffer).unwrap();
        assert!(count > 0, "{request}");
        request.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    gateway.hear("traces are sent again");
}

#[test]
fn what_is_sent_is_what_the_protocol_has_by_its_own_description() {
    let (app, collector) = (App::start(), Collector::start());
    let gateway = open(&app, &collector, "", "");
    assert_eq!(get(&gateway, "/described", OF_THEIRS), 200);
    collector.spans_of("/described");
    let request = collector.requests().pop().unwrap();
    let file = gateway.data.join("traces.json");
    std::fs::write(&file, request.split_once("\r\n\r\n").unwrap().1).unwrap();
    // Unknown names and values of other types are refused by the parser.
    let parse = "import sys\n\
        from google.protobuf.json_format import Parse\n\
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest\n\
        told = Parse(open(sys.argv[1]).read(), ExportTraceServiceRequest())\n\
        spans = told.resource_spans[0].scope_spans[0].spans\n\
        print([(span.kind, span.flags, len(span.links)) for span in spans])";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let mut python = Command::new(target.join("peers/bin/python"));
    let parsed = python.args(["-c", parse]).arg(&file).output();
    let parsed = parsed.expect("run tests/peers/install first");
    let said = String::from_utf8_lossy(&parsed.stdout);
    assert_eq!(
        said.trim(),
        "[(2, 1, 1), (3, 1, 0)]",
        "{}",
        String::from_utf8_lossy(&parsed.stderr)
    );
}

#[test]
fn what_the_collector_asks_for_goes_with_every_request_and_into_no_log() {
    let (app, collector) = (App::start(), Collector::start());
    let folder = crate::harness::TempDir::new();
    let file = folder.join("headers");
    std::fs::write(&file, "Authorization: Bearer f0rthecollector\n").unwrap();
    let traces = format!("headers_file = \"{}\"\n", file.display());
    let gateway = open(&app, &collector, "", &traces);
    assert_eq!(get(&gateway, "/with", ""), 200);
    collector.spans_of("/with");
    let request = &collector.requests()[0];
    assert!(request.contains("\r\nauthorization: Bearer f0rthecollector\r\n"), "{request}");
    assert!(!app.received().contains("f0rthecollector"));
    assert!(!gateway.log_to_its_end().contains("f0rthecollector"));
}

#[test]
fn what_waits_is_bounded_whatever_a_client_sends() {
    let (app, collector) = (App::start(), Collector::start());
    let gateway = open(&app, &collector, "", "");
    let long = format!("/{}", "x".repeat(4000));
    assert_eq!(get(&gateway, &long, ""), 200);
    let cut = &long[..1024];
    assert_eq!(collector.spans_of(cut).len(), 2);
    // Whoever leaves before the answer is told of as well.
    let mut stream = connect(gateway.address);
    stream.write_all(b"GET /left HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    drop(stream);
    collector.spans_of("/left");
}
