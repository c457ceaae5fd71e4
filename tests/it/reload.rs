//! Reload: what the files say takes the place of what was in force, and nobody notices who does
//! not ask.

use crate::harness::{
    App, Gateway, House, Options, PATIENCE, connect, exchange, free_port, read_head, read_reply,
    read_until,
};
use std::io::{BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const OPEN: &str = "[[rule]]\npath = \"/open\"\npolicy = \"bypass\"\n";
const IN_FORCE: &str = "reloaded: the configuration ";

/// One app for every host, and more.
fn options(app: &App, more: &str) -> Options {
    Options::default()
        .config(&format!("{more}\n[[route]]\nhost = \"*\"\nupstream = \"{}\"\n", app.url()))
}

fn house(app: App, more: &str) -> House {
    let options = options(&app, more);
    House::with(app, options)
}

fn stranger(gateway: &Gateway, target: &str) -> u16 {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    exchange(gateway.address, request.as_bytes()).status
}

#[test]
fn rules_change_at_a_signal_for_the_next_request_and_sessions_go_on() {
    let house = house(App::start(), "");
    assert_eq!((stranger(&house.gateway, "/open"), house.get("/x", "").status), (401, 200));
    house.gateway.rewrite(&options(&house.app, OPEN));
    house.gateway.hangup(IN_FORCE);
    assert_eq!((stranger(&house.gateway, "/open"), house.get("/x", "").status), (200, 200));
    house.gateway.rewrite(&options(&house.app, "[access]\ndefault_policy = \"deny\""));
    house.gateway.hangup(IN_FORCE);
    assert_eq!((stranger(&house.gateway, "/open"), house.get("/x", "").status), (403, 403));
    // Nothing new is not made much of.
    house.gateway.hangup("reloaded: nothing has changed");
}

#[test]
fn a_changed_file_is_taken_by_itself_also_where_a_link_to_its_folder_is_swapped() {
    let house = house(App::start(), "");
    house.gateway.rewrite(&options(&house.app, OPEN));
    house.gateway.hear(IN_FORCE);
    assert_eq!(stranger(&house.gateway, "/open"), 200);
    // As Kubernetes lays config maps: the file is a link through a link, and that one is swapped.
    let data = &house.gateway.data;
    for (folder, more) in [("one", OPEN), ("two", "")] {
        std::fs::create_dir(data.join(folder)).unwrap();
        let text = house.gateway.config_of(&options(&house.app, more));
        std::fs::write(data.join(folder).join("config.toml"), text).unwrap();
    }
    symlink("one", data.join("current")).unwrap();
    symlink("current/config.toml", data.join("link")).unwrap();
    std::fs::rename(data.join("link"), data.join("config.toml")).unwrap();
    house.gateway.hear("reloaded: nothing has changed");
    symlink("two", data.join("next")).unwrap();
    std::fs::rename(data.join("next"), data.join("current")).unwrap();
    house.gateway.hear_times(IN_FORCE, 2);
    assert_eq!(stranger(&house.gateway, "/open"), 401);
}

#[test]
fn an_invalid_file_is_refused_with_its_reason_and_what_was_in_force_stays() {
    let house = house(App::start(), OPEN);
    let gateway = &house.gateway;
    let is_as_before = || {
        assert_eq!((stranger(gateway, "/open"), stranger(gateway, "/x")), (200, 401));
        assert_eq!(house.get("/x", "").status, 200);
    };
    let refused = "reload refused, what was in force stays in force: ";
    let wrong = "[[rule]]\npolicy = \"bypas\"\n[[rule]]\nhots = \"a\"\n";
    gateway.rewrite(&options(&house.app, wrong));
    gateway.hangup(refused);
    for reason in [":7: rule.policy: ", "bypas", ":9: rule.hots: ", "did you mean rule.host?"] {
        gateway.hear(reason);
    }
    is_as_before();
    let picture = house.gateway.data.join("logo.svg");
    let logo = format!("[branding]\nlogo = \"{}\"\n", picture.display());
    gateway.rewrite(&options(&house.app, &logo));
    gateway.hangup(refused);
    gateway.hear("logo.svg cannot be shown");
    is_as_before();
    // Taking the file away takes no rule away.
    std::fs::rename(gateway.data.join("config.toml"), gateway.data.join("kept")).unwrap();
    gateway.hangup(refused);
    is_as_before();
    std::fs::rename(gateway.data.join("kept"), gateway.data.join("config.toml")).unwrap();
    // Nor does emptying it, as a full disk does.
    let whole = std::fs::read_to_string(gateway.data.join("config.toml")).unwrap();
    std::fs::write(gateway.data.join("config.toml"), "\n").unwrap();
    gateway.hangup(refused);
    gateway.hear("says nothing any more");
    is_as_before();
    std::fs::write(gateway.data.join("config.toml"), whole).unwrap();
    let explained = |gateway: &Gateway| {
        let question = serde_json::json!({
            "do": "policy_explain", "user": null, "from": "127.0.0.1", "method": "GET",
            "url": "https://a.test/open"
        });
        let reply = gateway.ask(&question);
        (reply["decision"].clone(), reply["route"].clone())
    };
    assert_eq!(explained(gateway), ("allow".into(), "*/".into()));
    // What was missing is awaited as well.
    std::fs::write(picture, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    gateway.hear(IN_FORCE);
    assert_eq!(explained(gateway), ("sign_in".into(), "*/".into()));
}

/// Puts a pipe that nobody writes to in the place of a file.
fn pipe_at(path: &Path) {
    let draft = path.with_extension("pipe");
    assert!(Command::new("mkfifo").arg(&draft).status().unwrap().success());
    std::fs::rename(draft, path).unwrap();
}

fn last_reload(health: SocketAddr) -> char {
    let told = exchange(health, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").text();
    let name = "\nvestibule_config_last_reload_successful ";
    told[told.find(name).expect("no gauge") + name.len()..].chars().next().unwrap()
}

#[test]
fn a_file_that_does_not_answer_costs_a_refusal_and_reloads_go_on() {
    let (app, health) = (App::start(), free_port());
    let mut first = options(&app, "");
    first.env.push(("VESTIBULE_SERVER__ADMIN_LISTEN".into(), health.to_string()));
    let mut gateway = Gateway::start(first);
    let refused = "reload refused, what was in force stays in force: ";
    // In place of the file itself it is seen at once.
    pipe_at(&gateway.data.join("config.toml"));
    gateway.hear(&format!("{refused}the configuration is not in a regular file"));
    assert_eq!((last_reload(health), stranger(&gateway, "/open")), ('0', 401));
    // In place of a file that is named in it, it is read, and given up after a while.
    let picture = gateway.data.join("logo.svg");
    pipe_at(&picture);
    let logo = format!("[branding]\nlogo = {picture:?}\n");
    gateway.rewrite(&options(&app, &format!("{OPEN}{logo}")));
    gateway.hear(&format!("{refused}the disk has not answered within 10 seconds: "));
    assert_eq!((last_reload(health), stranger(&gateway, "/open")), ('0', 401));
    gateway.rewrite(&options(&app, OPEN));
    gateway.hear(IN_FORCE);
    assert_eq!((last_reload(health), stranger(&gateway, "/open")), ('1', 200));
    // Whoever still waits keeps nobody.
    let since = Instant::now();
    gateway.stop();
    assert!(since.elapsed() < PATIENCE / 2, "{:?}", since.elapsed());
}

/// What the audit trail tells of reloads: by whom, and how they went.
fn told_of_reloads(gateway: &Gateway) -> Vec<(String, String)> {
    let output = gateway.command(&["audit", "export"]);
    let export = String::from_utf8(output.stdout).unwrap();
    let entries =
        export.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let of = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    entries
        .filter(|entry| entry["event"] == "reloaded")
        .map(|entry| (of(&entry, "by"), of(&entry, "detail")))
        .collect()
}

#[test]
fn the_audit_trail_tells_of_reloads_that_changed_something_or_were_refused() {
    let app = App::start();
    let gateway = Gateway::start(options(&app, ""));
    let first = gateway.log();
    gateway.hangup("reloaded: nothing has changed");
    gateway.reload(&options(&app, OPEN));
    gateway.rewrite(&options(&app, "nonsense"));
    gateway.hear("reload refused");
    gateway.rewrite(&options(&app, ""));
    gateway.hear_times(IN_FORCE, 2);
    let since = Instant::now();
    while told_of_reloads(&gateway).len() < 3 {
        assert!(since.elapsed() < PATIENCE, "{:?}", told_of_reloads(&gateway));
    }
    let told = told_of_reloads(&gateway);
    let digests: Vec<_> = told.iter().map(|(_, detail)| detail.split_once(", ").unwrap()).collect();
    assert_eq!((told.len(), &*told[0].0, digests[0].0), (3, "command_line", "signal"), "{told:?}");
    assert!(gateway.log().contains(&format!("{IN_FORCE}{}", digests[0].1)), "{told:?}");
    assert_eq!(told[1], (String::from("gateway"), String::from("file, refused")));
    assert_eq!((&*told[2].0, digests[2].0), ("gateway", "file"));
    assert!(first.contains(&format!("the configuration {} is in force", digests[2].1)), "{first}");
    assert!(gateway.command(&["audit", "verify"]).status.success());
}

#[test]
fn a_file_that_is_being_written_is_not_read_before_it_is_whole() {
    let app = App::start();
    let gateway = Gateway::start(options(&app, ""));
    let (path, text) = (gateway.data.join("config.toml"), gateway.config_of(&options(&app, OPEN)));
    let (begun, rest) = text.split_at(text.find("policy").unwrap());
    // In place, and with pauses that some look falls into: at each end of a line it can be read, and
    // is a mistake.
    for round in 1..4 {
        std::fs::write(&path, begun).unwrap();
        std::thread::sleep(Duration::from_millis(700));
        std::fs::write(&path, format!("{begun}{rest}\n[branding]\nname = \"{round}\"\n")).unwrap();
        gateway.hear_times(IN_FORCE, round);
    }
    assert!(!gateway.log().contains("refused"), "{}", gateway.log());
}

#[test]
fn a_check_says_whether_the_running_gateway_goes_by_what_was_checked() {
    let app = App::start();
    let gateway = Gateway::start(options(&app, ""));
    let check = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(["config", "check", "--config"]).arg(gateway.data.join("config.toml"));
        command.env("VESTIBULE_LIMITS__LOGIN_PER_IP", "100000/1m");
        command.env("VESTIBULE_LIMITS__LOGIN_PER_ACCOUNT", "100000/1m");
        command.env("VESTIBULE_SERVER__WORKERS", "1");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(check().contains("the running gateway has had it in force since 20"), "{}", check());
    let waits = Options { server: "prefix = \"/p\"".into(), ..options(&app, OPEN) };
    gateway.rewrite(&waits);
    gateway.hangup(IN_FORCE);
    assert!(check().contains("has had another in force since"), "{}", check());
}

#[test]
fn what_cannot_change_while_it_runs_is_named_and_the_rest_is_in_force() {
    let house = house(App::start(), "");
    let gateway = &house.gateway;
    let server = "prefix = \"/portal\"\npublic_url = \"http://127.0.0.1:1\"\nworkers = 3";
    let more = format!("{OPEN}[password]\nhash_workers = 2\n");
    gateway.rewrite(&Options { server: server.into(), ..options(&house.app, &more) });
    gateway.hangup(IN_FORCE);
    // The workers are set by a variable, which wins over the file.
    gateway
        .hear("what was changed of server.public_url, server.prefix, password.hash_workers waits");
    assert_eq!(stranger(gateway, "/open"), 200);
    assert_eq!(stranger(gateway, "/_vestibule/login"), 200);
    assert_eq!(stranger(gateway, "/portal/login"), 401);
    assert_eq!(house.get("/x", "").status, 200);
}

#[test]
fn a_request_under_way_is_judged_by_what_was_in_force_when_it_came() {
    let house = house(App::start(), "");
    let mut stream = connect(house.gateway.address);
    let head = "POST /x HTTP/1.1\r\nHost: a.test\r\n$CContent-Length: 4\r\n\r\nha";
    stream.write_all(&house.fill(head.as_bytes())).unwrap();
    // Begun for certain once the app has heard of it.
    while !house.app.received().ends_with("ha") {
        std::thread::yield_now();
    }
    let renamed = "[access]\ndefault_policy = \"deny\"\n[identity]\nuser = \"X-Who\"\n";
    house.gateway.reload(&options(&house.app, renamed));
    stream.write_all(b"lf").unwrap();
    let mut stream = BufReader::new(stream);
    assert_eq!(read_reply(&mut stream, false).status, 200);
    assert!(house.app.take_received().contains("\r\nremote-user: ann\r\n"));
    // The next on the very same connection is another matter.
    let next = house.fill(b"GET /x HTTP/1.1\r\nHost: a.test\r\n$C\r\n");
    stream.get_mut().write_all(&next).unwrap();
    assert_eq!(read_reply(&mut stream, false).status, 403);
    assert_eq!(house.app.received(), "");
}

#[test]
fn names_for_the_app_change_and_their_spellings_are_refused_also_on_connections_from_before() {
    let house = house(App::start(), OPEN);
    let mut before = BufReader::new(connect(house.gateway.address));
    let mut ask = |target: &str, fields: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n$C{fields}\r\n");
        before.get_mut().write_all(&house.fill(request.as_bytes())).unwrap();
        read_reply(&mut before, false).status
    };
    assert_eq!(ask("/x", "X_Who: root\r\n"), 200);
    let renamed = format!("{OPEN}[identity]\nuser = \"X-Who\"\n");
    house.gateway.reload(&options(&house.app, &renamed));
    house.app.take_received();
    assert_eq!(ask("/x", "X-Who: root\r\nRemote-User: root\r\n"), 200);
    let received = house.app.take_received();
    assert!(received.contains("\r\nx-who: ann\r\n") && !received.contains("root"), "{received}");
    assert_eq!(ask("/open", "X_Who: root\r\n"), 400);
    assert_eq!(house.get("/open", "X.Who: root\r\n").status, 400);
    assert_eq!(house.app.received(), "");
}

/// An app that upgrades `/socket` and gives back what comes, and streams `/long` without an end.
fn lasting() -> App {
    App::by_hand(|mut stream| {
        let head = read_head(&mut stream);
        if head.starts_with("GET /socket ") {
            let accepted = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            stream.get_mut().write_all(accepted).unwrap();
        } else {
            let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\nbegun";
            stream.get_mut().write_all(begun).unwrap();
        }
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() {
            stream.get_mut().write_all(&byte).unwrap();
        }
    })
}

#[test]
fn an_open_websocket_and_a_long_transfer_survive_reloads_and_the_end_of_their_route() {
    let house = house(lasting(), "");
    let open = |request: &str| {
        let mut stream = connect(house.gateway.address);
        stream.write_all(&house.fill(request.as_bytes())).unwrap();
        BufReader::new(stream)
    };
    let mut socket = open(
        "GET /socket HTTP/1.1\r\nHost: a\r\n$CConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    assert!(read_head(&mut socket).starts_with("HTTP/1.1 101 "));
    let mut long = open("POST /long HTTP/1.1\r\nHost: a\r\n$CContent-Length: 3\r\n\r\n");
    read_until(&mut long, "begun");
    let elsewhere = "[[route]]\nhost = \"b.test\"\nupstream = \"http://127.0.0.1:1\"\n";
    house.gateway.reload(&options(&house.app, OPEN));
    house.gateway.reload(&Options::default().config(elsewhere));
    assert_eq!(house.get("/x", "").status, 404);
    for stream in [&mut socket, &mut long] {
        stream.get_mut().write_all(b"abc").unwrap();
        let mut back = [0; 3];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"abc");
    }
}

#[test]
fn routes_come_and_go_and_none_leads_to_the_demo_page() {
    let (one, two) = (App::answering(&said("one")), App::answering(&said("two")));
    let route = |host: &str, app: &App| {
        format!("[[route]]\nhost = \"{host}\"\nupstream = \"{}\"\n", app.url())
    };
    let both = format!("{}{}", route("one.test", &one), route("two.test", &two));
    let house = House::with(App::start(), Options::default().config(&route("one.test", &one)));
    let ask = |host: &str| house.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n$C\r\n")).text();
    assert!(ask("one.test") == "one" && ask("two.test") != "two");
    house.gateway.reload(&Options::default().config(&both));
    assert!(ask("one.test") == "one" && ask("two.test") == "two");
    house.gateway.reload(&Options::default().config(&route("two.test", &two)));
    assert!(ask("one.test") != "one" && ask("two.test") == "two");
    house.gateway.reload(&Options::default().config("[identity]\nuser = \"X-Who\"\n"));
    let demo = ask("two.test");
    assert!(demo.contains("you are <strong>ann</strong>"), "{demo}");
    assert!(demo.contains("x-who: ann"), "{demo}");
    let reply = house.get("/", "");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "it says who is there");
}

fn said(word: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{word}", word.len())
}

#[test]
fn limits_and_branding_change_and_so_does_a_picture_that_is_replaced() {
    let app = App::start();
    let gateway = Gateway::start(options(&app, ""));
    let login = |length: usize| {
        let body = format!("username=a&password={}", "x".repeat(length));
        let request = format!(
            "POST /_vestibule/login HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            gateway.address,
            body.len()
        );
        exchange(gateway.address, request.as_bytes()).status
    };
    let page = |target: &str| {
        let host = gateway.address;
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        exchange(gateway.address, request.as_bytes()).text()
    };
    assert!(login(3000) != 413 && page("/_vestibule/login").contains("vestibule"));
    let picture = gateway.data.join("logo.svg");
    std::fs::write(&picture, "<svg xmlns=\"http://www.w3.org/2000/svg\"><!--one--></svg>").unwrap();
    let brand = format!("[branding]\nname = \"Example Works\"\nlogo = {picture:?}\n");
    let limits = "[limits]\nbody_max = \"2KiB\"\n";
    gateway.reload(&options(&app, &format!("{brand}{limits}")));
    assert_eq!(login(3000), 413);
    let logo = |page: &str| {
        let at = page.find("/_vestibule/assets/").expect("assets");
        let logo = page[at..].split('"').find(|part| part.ends_with(".svg")).expect("a logo");
        logo.to_owned()
    };
    let html = page("/_vestibule/login");
    assert!(html.contains("Example Works"), "{html}");
    assert!(page(&logo(&html)).contains("<!--one-->"));
    std::fs::write(&picture, "<svg xmlns=\"http://www.w3.org/2000/svg\"><!--two--></svg>").unwrap();
    gateway.hear_times(IN_FORCE, 2);
    let former = logo(&html);
    let html = page("/_vestibule/login");
    assert!(page(&logo(&html)).contains("<!--two-->"));
    // Whoever has the page from before open finds its picture.
    assert!(page(&former).contains("<!--one-->"));
}

/// An app that counts its connections.
fn counting() -> (App, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let app = App::by_hand(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        while read_head(&mut stream).ends_with("\r\n\r\n") {
            stream.get_mut().write_all(said("hello").as_bytes()).unwrap();
        }
    });
    (app, count)
}

#[test]
fn upstreams_that_stay_keep_their_connections_and_what_is_known_of_their_health() {
    let (app, count) = counting();
    let down = "http://127.0.0.1:1";
    let url = app.url();
    let house = House::with(app, config_with(&url, down, "", ""));
    house.gateway.hear(&format!("the upstream {down} is down"));
    assert_eq!(house.get("/x", "").status, 200);
    // Checks connect as well: what is counted is what requests add.
    let connections = count.load(Ordering::SeqCst);
    house.gateway.reload(&config_with(&url, down, OPEN, ""));
    house.gateway.reload(&config_with(&url, down, OPEN, "body_max = \"1MiB\"\n"));
    for _ in 0..6 {
        assert_eq!(house.get("/x", "").status, 200);
    }
    let log = house.gateway.log();
    assert!(!log.contains("could not be reached") && !log.contains("cannot be reached"), "{log}");
    // The second reload began one more check of each.
    let now = count.load(Ordering::SeqCst);
    assert!(now <= connections + 1, "{now} after {connections}: {log}");
}

fn config_with(url: &str, down: &str, more: &str, keys: &str) -> Options {
    Options::default().config(&format!(
        "{more}\n[[route]]\nhost = \"*\"\nupstream = [\"{url}\", \"{down}\"]\n\
         health_check = \"connect\"\nhealth_interval = \"1d\"\nhealth_down_after = 1\n{keys}"
    ))
}

#[test]
fn no_request_of_a_load_fails_through_twenty_reloads() {
    let house = house(App::start(), "");
    let (done, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let request = house.fill(b"GET /x HTTP/1.1\r\nHost: a.test\r\n$C\r\n");
    let last = house.fill(b"GET /x HTTP/1.1\r\nHost: a.test\r\n$CConnection: close\r\n\r\n");
    std::thread::scope(|threads| {
        // Some keep their connection, some open one for each request.
        for keeps in [true, true, false] {
            let (request, last, house, done, served) = (&request, &last, &house, &done, &served);
            threads.spawn(move || {
                let mut kept = BufReader::new(connect(house.gateway.address));
                while !done.load(Ordering::SeqCst) {
                    let reply = if keeps {
                        kept.get_mut().write_all(request).unwrap();
                        read_reply(&mut kept, false)
                    } else {
                        exchange(house.gateway.address, last)
                    };
                    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
                    served.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for turn in 0..20 {
            let name = ["Remote-User", "X-Who"][turn % 2];
            let more =
                format!("{OPEN}[identity]\nuser = \"{name}\"\n[branding]\nname = \"{turn}\"\n");
            house.gateway.rewrite(&options(&house.app, &more));
            house.gateway.hangup("reloaded: the configuration ");
            // Each is felt by some request.
            let so_far = served.load(Ordering::SeqCst);
            let begun = Instant::now();
            while served.load(Ordering::SeqCst) < so_far + 10 && begun.elapsed() < PATIENCE {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    let received = house.app.received();
    assert!(received.contains("\r\nx-who: ann") && received.contains("\r\nremote-user: ann"));
}

#[test]
fn whoever_works_on_an_app_says_so_and_the_app_gets_nothing_until_they_are_done() {
    let app = App::start();
    let route = |more: &str| {
        let text = format!("[[route]]\nhost = \"*\"\nupstream = \"{}\"\n{more}", app.url());
        Options::default().config(&text)
    };
    let house = House::with(App::start(), route("maintenance = true\n"));
    let page = house.get("/", "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n");
    assert_eq!((page.status, page.header("retry-after")), (503, Some("120")));
    assert!(page.text().contains("Under maintenance"), "{}", page.text());
    let problem = house.get("/api", "");
    assert_eq!(problem.status, 503);
    assert!(problem.text().contains(r#""code":"maintenance""#), "{}", problem.text());
    // Nobody who would not be let in learns of it.
    assert_eq!(stranger(&house.gateway, "/"), 401);
    assert_eq!(app.received(), "");
    house.gateway.reload(&route(""));
    assert_eq!(house.get("/", "").text(), "hello");
}
