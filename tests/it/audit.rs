//! The audit trail: what is in it, how it is read, and that nobody changes it unseen.

use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Gateway, Options, PATIENCE, Person, TempDir, World, run,
};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vestibule::domain::FailureRules;
use vestibule::observe::Level;
use vestibule::service::{AdminReply, AdminRequest, AuditQuestion, Settings};
use vestibule::types::Timestamp;

/// A gateway at which ann signed in after a wrong password, and root did something.
fn eventful(options: Options) -> Gateway {
    let gateway = Gateway::start(options);
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/");
    browser.submit(&page, &[("username", "ann"), ("password", "not the password")]);
    browser.submit(&page, &[("username", "nobody"), ("password", "not the password")]);
    ann.sign_in(&mut browser, "/", 0);
    gateway.json(&["user", "set", "ann", "--group", "staff"], "");
    gateway
}

fn export(gateway: &Gateway) -> String {
    let output = gateway.command(&["audit", "export"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn entries(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_trail_says_who_did_what_to_whom_and_from_where() {
    let app = App::start();
    let gateway = eventful(Options::upstream(&app.url()));
    let all = entries(&export(&gateway));
    let told: Vec<_> = all
        .iter()
        .map(|e| {
            ["event", "by", "user", "from", "detail"].map(|key| e[key].as_str().unwrap_or("-"))
        })
        .collect();
    let session = told[3][4];
    assert_eq!(session.len(), 32, "{told:?}");
    assert_eq!(
        told,
        [
            ["user_added", "command_line", "ann", "-", "ann"],
            ["sign_in_failed", "person", "ann", "127.0.0.1", "credentials"],
            // What was typed may be a password in the wrong field.
            ["sign_in_failed", "person", "-", "127.0.0.1", "credentials"],
            ["signed_in", "person", "ann", "127.0.0.1", session],
            ["user_changed", "command_line", "ann", "-", "set"],
        ]
    );
    // The log has the request under the same name.
    let request = all[3]["request"].as_str().unwrap();
    gateway.hear(&format!(r#""id":"{request}""#));
    let lines = gateway.command(&["audit", "list", "--user", "ann", "--event", "signed_in"]);
    let lines = String::from_utf8(lines.stdout).unwrap();
    assert!(lines.contains(&format!("ann  {session}  from 127.0.0.1")), "{lines}");
    assert_eq!(lines.lines().count(), 1, "{lines}");
    let since = |when: &str| gateway.command(&["audit", "list", "--since", when]);
    assert_eq!(String::from_utf8(since("1h").stdout).unwrap().lines().count(), 5);
    assert_eq!(since("2100-01-01").stdout, b"");
    let odd = since("yesterday");
    assert_eq!(odd.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&odd.stderr).contains("write 2026-11-26"), "{odd:?}");
}

#[test]
fn what_an_administrator_did_is_told_with_the_request_it_was_done_in() {
    let app = App::start();
    let gateway = Gateway::start(Options::upstream(&app.url()));
    let root = Person::add_with(&gateway, "root", &["--group", "admins"]);
    Person::add(&gateway, "ann");
    let mut browser = Browser::new(gateway.address);
    root.sign_in(&mut browser, "/_vestibule/admin", 0);
    let page = browser.open("/_vestibule/admin/users/ann");
    assert_eq!(browser.submit(&page, &[("do", "disable")]).status, 303);
    let all = entries(&export(&gateway));
    let last = all.last().unwrap();
    let told = ["event", "by", "administrator", "user", "from", "detail"];
    let told = told.map(|key| last[key].as_str().unwrap_or("-"));
    assert_eq!(told, ["user_changed", "administrator", "root", "ann", "127.0.0.1", "disabled"]);
    // The log has the request and the act under the same name.
    let request = last["request"].as_str().unwrap();
    gateway.hear(&format!(r#""kind":"request","id":"{request}""#));
    gateway.hear(&format!(r#""detail":"disabled","request":"{request}""#));
}

#[test]
fn whoever_has_an_export_can_check_it_with_any_system_s_tools() {
    let app = App::start();
    let mut gateway = eventful(Options::upstream(&app.url()));
    let text = export(&gateway);
    let verified = gateway.json(&["audit", "verify"], "");
    assert_eq!((&verified["entries"], &verified["last"]), (&Value::from(5), &Value::from(5)));
    let last = text.lines().last().unwrap();
    let (hashed, hash) = last.rsplit_once(r#","hash":""#).unwrap();
    let hash = hash.trim_end_matches("\"}");
    assert_eq!(verified["hash"], hash);
    let sums = Command::new("bash")
        .args(["-c", r#"printf '%s}' "$1" | sha256sum"#, "-", hashed])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&sums.stdout).split(' ').next(), Some(hash));

    let file = gateway.data.join("export.jsonl");
    let verify = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(&["audit", "verify", file.to_str().unwrap()], "")
    };
    assert_eq!(verify(&text).status.code(), Some(0));
    for changed in [
        text.replacen("credentials", "code", 1),
        text.lines()
            .filter(|line| !line.contains(r#""seq":3,"#))
            .map(|l| format!("{l}\n"))
            .collect(),
        text.lines().rev().map(|line| format!("{line}\n")).collect(),
        text[1..].to_owned(),
    ] {
        let refused = verify(&changed);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("export.jsonl:"), "{refused:?}");
    }
    // The same of a store that nobody has open.
    gateway.stop();
    assert_eq!(gateway.json(&["audit", "verify"], "")["hash"], hash);
    assert_eq!(export(&gateway), text);
    gateway.json(&["user", "disable", "ann"], "");
    assert_eq!(gateway.json(&["audit", "verify"], "")["entries"], 6);
}

/// Follows until it is dropped.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn whoever_follows_is_told_as_it_happens() {
    let app = App::start();
    let gateway = eventful(Options::upstream(&app.url()));
    let mut follower = Follower(
        Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["audit", "list", "--follow", "--event", "user_changed", "--config"])
            .arg(gateway.data.join("config.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(follower.0.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("ann  set  by command line"));
    gateway.json(&["user", "add", "ben"], "");
    gateway.json(&["user", "disable", "ann"], "");
    assert!(lines.next().unwrap().unwrap().ends_with("ann  disabled  by command line"));
}

#[test]
fn a_copy_in_a_file_has_no_gap_and_no_entry_twice_however_the_gateway_ended() {
    let app = App::start();
    let folder = TempDir::new();
    let file = folder.join("audit.jsonl");
    let options =
        Options::upstream(&app.url()).config(&format!("[audit]\nfile = \"{}\"\n", file.display()));
    let mut gateway = eventful(options);
    let copied = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    wait_for("the first entry is copied", || copied(&file).contains('\n').then_some(()));
    for round in 0..4 {
        for number in 0..5 {
            gateway.json(&["user", "add", &format!("p{round}-{number}")], "");
        }
        gateway.kill();
        if round == 1 {
            // As a crash leaves it, in the middle of a line.
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, &text[..text.len() - 10]).unwrap();
        }
        gateway = gateway.kill_and_restart();
    }
    let last = export(&gateway).lines().last().unwrap().to_owned();
    wait_for("the last entry is copied", || copied(&file).lines().any(|l| l == last).then_some(()));
    assert_eq!(copied(&file), export(&gateway));
    assert!(run(&["audit", "verify", file.to_str().unwrap()], "").status.success());
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_syslog_is_told_what_happens_in_its_own_form() {
    let app = App::start();
    let folder = TempDir::new();
    let socket = UnixDatagram::bind(folder.join("log")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let to = format!("[audit]\nsyslog = \"unix:{}\"\n", folder.join("log").display());
    let gateway = Gateway::start(Options::upstream(&app.url()).config(&to));
    // It begins with what happens after the start, which is not before it has looked.
    let hear = || {
        let mut message = [0; 4096];
        let length = socket.recv(&mut message).ok()?;
        Some(String::from_utf8(message[..length].to_vec()).unwrap())
    };
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let message = wait_for("a message", || {
        gateway.command(&["user", "add", "ann"]);
        gateway.command(&["user", "remove", "ann"]);
        hear()
    });
    assert!(message.starts_with("<86>1 20"), "{message}");
    assert!(message.contains("Z - vestibule "), "{message}");
    assert!(message.contains(r#" audit - {"seq":"#), "{message}");
    // What happens while nothing runs is told as well, later.
    let mut gateway = gateway;
    gateway.stop();
    gateway.json(&["user", "add", "unseen"], "");
    let _gateway = gateway.kill_and_restart();
    wait_for("what happened meanwhile", || hear().filter(|message| message.contains("unseen")));
}

#[test]
fn tries_that_are_turned_away_by_the_thousand_do_not_fill_the_trail() {
    let mut options = Options::upstream(&App::start().url());
    options.env.push(("VESTIBULE_LIMITS__LOGIN_PER_IP".into(), "2/1h".into()));
    let gateway = Gateway::start(options);
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/");
    for tried in 0..20 {
        let answer = browser.submit(&page, &[("username", "nobody"), ("password", "wrong")]);
        assert_eq!(answer.status, if tried < 2 { 401 } else { 429 });
    }
    let text = export(&gateway);
    assert_eq!(text.matches(r#""detail":"credentials""#).count(), 2, "{text}");
    assert_eq!(text.matches(r#""detail":"address_rate""#).count(), 1, "{text}");
    let log = gateway.log_to_its_end();
    assert_eq!(log.matches(r#""detail":"address_rate""#).count(), 18);
}

fn read(world: &World, question: AuditQuestion) -> Vec<String> {
    let question = AuditQuestion { most: 1000, ..question };
    match world.admin(AdminRequest::AuditRead(question)) {
        AdminReply::Audit { lines, .. } => lines.into_iter().map(|line| line.entry.event).collect(),
        _ => panic!("not read"),
    }
}

#[test]
fn what_is_older_than_it_must_be_kept_is_forgotten_and_the_chain_stays_whole() {
    const DAY: u64 = 86_400;
    let keep = Some(Duration::from_secs(30 * DAY));
    let world = World::new(Settings { trail_keep: keep, ..Settings::default() });
    world.add("ann", false);
    world.pass(20 * DAY);
    world.add("ben", false);
    let prune = || world.run(world.service.prune_trail()).unwrap();
    // A day's worth at a time: nothing is forgotten while the oldest has hours to go.
    world.pass(10 * DAY + DAY / 2);
    prune();
    assert_eq!(read(&world, AuditQuestion::default()).len(), 2);
    world.pass(DAY);
    prune();
    assert_eq!(read(&world, AuditQuestion::default()), ["trail_pruned", "user_added"]);
    match world.admin(AdminRequest::AuditVerify) {
        AdminReply::Verified { tip } => assert_eq!((tip.first, tip.next), (2, 4)),
        _ => panic!("it is not whole"),
    }
}

#[test]
fn a_clock_that_leaps_ahead_takes_no_more_of_the_trail_than_a_day() {
    const DAY: u64 = 86_400;
    let keep = Some(Duration::from_secs(30 * DAY));
    let world = World::new(Settings { trail_keep: keep, ..Settings::default() });
    for name in ["ann", "ben", "cyn", "dan"] {
        world.add(name, false);
        world.pass(DAY);
    }
    world.pass(3650 * DAY);
    for _ in 0..100 {
        world.run(world.service.prune_trail()).unwrap();
    }
    let left = read(&world, AuditQuestion::default());
    assert_eq!(left, ["trail_pruned", "user_added", "user_added", "user_added"]);
}

#[test]
fn what_is_more_than_may_be_kept_is_forgotten_however_young_and_the_log_says_so_once_a_day() {
    let world = World::new(Settings { trail_most: 200, ..Settings::default() });
    let tip = || match world.admin(AdminRequest::AuditVerify) {
        AdminReply::Verified { tip } => tip,
        _ => panic!("it is not whole"),
    };
    // One guess is one entry, whatever address it comes from.
    let guess = |times: u64| {
        for _ in 0..times {
            let mut browser = world.browser();
            let page = browser.open("/_vestibule/login");
            browser.submit(&page, &[("username", "nobody"), ("password", "wrong password")]);
        }
    };
    let prune = || world.run(world.service.prune_trail()).unwrap();
    let fill = |most: u64| {
        while tip().len() < most {
            world.pass(3600);
            guess(1);
        }
    };
    // Up to a line that is written after all others.
    let warnings = |last: &str| {
        world.service.log().say(Timestamp::from_secs(world.now()), Level::Info, last);
        let log = world.logged(last);
        ["will soon forget", "has forgotten"].map(|what| log.matches(what).count())
    };
    fill(180);
    prune();
    assert_eq!(warnings("half full"), [0, 0]);
    fill(181);
    prune();
    prune();
    assert_eq!(warnings("nearly full"), [1, 0], "a tenth before it comes to that, it is told");
    fill(200);
    prune();
    assert_eq!((tip().first, tip().len()), (1, 200), "so many may be kept");
    fill(201);
    prune();
    // A hundredth at a time, with room for the entry that tells of it.
    assert_eq!((tip().first, tip().len()), (5, 198));
    assert_eq!(read(&world, AuditQuestion::default())[0], "trail_pruned");
    assert_eq!(warnings("forgotten once")[1], 1);
    prune();
    assert_eq!(tip().len(), 198, "nothing is forgotten where there is room");
    // The flood goes on, and after a day it is told again.
    fill(201);
    prune();
    assert_eq!(warnings("forgotten twice")[1], 1);
    for _ in 0..30 {
        fill(201);
        prune();
    }
    let [_, times] = warnings("forgotten for days");
    assert!((2..=6).contains(&times), "{times}");
}

#[test]
fn a_store_of_the_first_version_opens_with_all_that_was_in_it_and_an_empty_trail() {
    let data = Arc::new(TempDir::new());
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/store-1.tgz");
    let unpacked = Command::new("tar").args(["xzf", fixture, "-C"]).arg(data.path()).status();
    assert!(unpacked.unwrap().success());
    let marker = || std::fs::read_to_string(data.join("data/store/vestibule.store")).unwrap();
    assert!(marker().contains(r#""format":1"#), "{}", marker());
    let app = App::start();
    let gateway = Gateway::on(Arc::clone(&data), Options::upstream(&app.url()));
    assert!(marker().contains(r#""format":2"#), "{}", marker());
    let people = gateway.json(&["user", "list"], "");
    let names: Vec<_> = people.as_array().unwrap().iter().map(|one| &one["username"]).collect();
    assert_eq!(names, ["ann", "ben", "cleo"]);
    assert_eq!(people[2]["disabled"], true);
    assert_eq!(gateway.json(&["token", "list"], "")[0]["name"], "backup");
    assert_eq!(gateway.json(&["audit", "verify"], "")["entries"], 0);
    // Its password, its second factor and its recovery codes work.
    let ann = Person {
        name: "ann".into(),
        password: "correct horse battery".into(),
        secret: "SE5C5RR4E7K2TUFPHLBOAQ5UDOFM7CF5".into(),
        recovery_codes: vec!["JAKK-88AX-V8TM-4Q52".into()],
    };
    let mut browser = Browser::new(gateway.address);
    assert_eq!(ann.sign_in(&mut browser, "/", 0).text(), "hello");
    let mut browser = Browser::new(gateway.address);
    assert_eq!(ann.recover(&mut browser, "/", 0).text(), "hello");
    assert_ne!(ann.password, ADMIN_PASSWORD);
    assert_eq!(gateway.json(&["audit", "verify"], "")["entries"], 3);
}

#[test]
fn a_name_that_is_nobodys_is_turned_away_with_as_many_entries_as_one_that_is_somebodys() {
    let failures = FailureRules { lockout_after: 2, ..FailureRules::default() };
    let world = World::new(Settings { failures, ..Settings::default() });
    world.add("ann", false);
    let refusals = |name: &str, address: &str| {
        let before = read(&world, AuditQuestion::default()).len();
        let mut browser = world.browser_from(address);
        let page = browser.open("/_vestibule/login");
        let tried = browser.submit(&page, &[("username", name), ("password", "wrong password")]);
        (tried.status, read(&world, AuditQuestion::default()).len() - before)
    };
    // One address for all, and then a fresh one each time: what is written takes time.
    for addresses in [
        ["192.0.2.1"; 6],
        ["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7"],
    ] {
        let of = |name: &str| addresses.map(|address| refusals(name, address));
        assert_eq!(of("ann"), of("nobody"));
        world.pass(3600);
    }
}
