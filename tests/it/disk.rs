//! Disks that are full, and files that are damaged.

use crate::harness::{
    App, BrittleDisk, Browser, Chance, Gateway, Options, Person, SmallDisk, TempDir, exchange,
    free_port, run,
};
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn readiness(health: SocketAddr) -> u16 {
    exchange(health, b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").status
}

/// What the app's page answers to this browser, signed in or not.
fn status(browser: &mut Browser) -> u16 {
    browser.request("GET", "/", "Sec-Fetch-Mode: cors\r\n", "").status
}

#[test]
fn on_a_full_disk_whoever_is_in_stays_in_nobody_else_comes_in_and_room_mends_it() {
    let data = Arc::new(TempDir::new());
    let Some(disk) = SmallDisk::mount(&data.join("data"), 32) else { return };
    let (app, health) = (App::start(), free_port());
    let mut options = Options::upstream(&app.url());
    options.env.push((String::from("VESTIBULE_SERVER__ADMIN_LISTEN"), health.to_string()));
    let gateway = Gateway::on(Arc::clone(&data), options);
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| Person::add(&gateway, name));
    let new = || Browser::new(gateway.address);
    let (mut of_ann, mut of_bob, mut of_eve) = (new(), new(), new());
    assert_eq!(ann.sign_in(&mut of_ann, "/", 0).status, 200);
    // Eve has given her password and not her code.
    let answer = eve.give_password(&mut of_eve, "/");
    let code_page = of_eve.follow(answer);
    assert_eq!(readiness(health), 200);

    disk.fill();
    assert_eq!(readiness(health), 503);
    let ready = gateway.command(&["health", "--ready"]);
    assert_eq!(ready.status.code(), Some(1), "{ready:?}");
    assert!(gateway.command(&["health"]).status.success(), "alive it is");
    for _ in 0..3 {
        let answer = bob.give_password(&mut of_bob, "/");
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
        let code = crate::harness::code_now(&eve.secret);
        let answer = of_eve.submit(&code_page, &[("code", &code)]);
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(!of_bob.cookies.contains_key("vestibule"), "{:?}", of_bob.cookies);
        assert!(!of_eve.cookies.contains_key("vestibule"), "{:?}", of_eve.cookies);
        assert_eq!(status(&mut of_ann), 200, "whoever is in stays in");
    }
    // Signing out is not claimed either.
    let page = of_ann.open("/_vestibule/logout");
    assert_eq!(of_ann.submit(&page, &[]).status, 503);
    assert_eq!(status(&mut of_ann), 200);
    assert_eq!(gateway.command(&["user", "add", "zoe"]).status.code(), Some(1));

    disk.make_room();
    let since = Instant::now();
    let patience = Duration::from_secs(10);
    while bob.give_password(&mut of_bob, "/").status != 303 {
        assert!(since.elapsed() < patience, "not mended:\n{}", gateway.log());
    }
    println!("signing in works again {:?} after there was room", since.elapsed());
    assert_eq!(readiness(health), 200);
    assert_eq!(bob.sign_in(&mut of_bob, "/", 1).status, 200);
    assert_eq!(eve.sign_in(&mut of_eve, "/", 1).status, 200);
    gateway.json(&["user", "add", "sam"], "");

    let gateway = gateway.kill_and_restart();
    for browser in [of_ann, of_bob, of_eve] {
        let mut again = Browser::new(gateway.address);
        again.cookies = browser.cookies;
        assert_eq!(status(&mut again), 200);
    }
    let names = Truth::of(&gateway).people.into_iter().map(|person| person.0);
    assert_eq!(names.collect::<Vec<_>>(), ["ann", "bob", "eve", "sam"]);
}

#[test]
fn on_a_disk_that_failed_whoever_is_in_stays_in_and_a_mended_one_has_everything() {
    let data = Arc::new(TempDir::new());
    let Some(disk) = BrittleDisk::mount(data.join("disk.img"), &data.join("data")) else { return };
    let (app, health) = (App::start(), free_port());
    let mut options = Options::upstream(&app.url());
    options.env.push((String::from("VESTIBULE_SERVER__ADMIN_LISTEN"), health.to_string()));
    let mut gateway = Gateway::on(Arc::clone(&data), options.clone());
    let [ann, bob] = ["ann", "bob"].map(|name| Person::add(&gateway, name));
    let (mut of_ann, mut of_bob) = (Browser::new(gateway.address), Browser::new(gateway.address));
    assert_eq!(ann.sign_in(&mut of_ann, "/", 0).status, 200);
    let truth = Truth::of(&gateway);

    disk.fail();
    for _ in 0..3 {
        let answer = bob.give_password(&mut of_bob, "/");
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(!of_bob.cookies.contains_key("vestibule"), "{:?}", of_bob.cookies);
        assert_eq!(status(&mut of_ann), 200, "whoever is in stays in");
        assert_eq!(readiness(health), 503);
    }
    assert!(gateway.command(&["health"]).status.success(), "alive it is");
    assert_eq!(gateway.command(&["user", "add", "zoe"]).status.code(), Some(1));
    gateway.terminate();
    assert!(gateway.wait().is_some_and(|code| code < 2), "{}", gateway.log());
    assert!(!gateway.log().contains("panic"), "{}", gateway.log());
    drop(gateway);

    disk.mend();
    disk.make_read_only();
    let refused = Gateway::or_refusal(Arc::clone(&data), options.clone());
    let Err((code, said)) = refused else { panic!("it serves what it cannot write") };
    assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");

    disk.mend();
    let gateway = Gateway::on(Arc::clone(&data), options);
    assert_eq!(Truth::of(&gateway), truth);
    let mut again = Browser::new(gateway.address);
    again.cookies = of_ann.cookies;
    assert_eq!(status(&mut again), 200);
    assert_eq!(bob.sign_in(&mut Browser::new(gateway.address), "/", 0).status, 200);
}

/// What a gateway knows, as the commands tell it.
#[derive(Debug, PartialEq)]
struct Truth {
    people: Vec<(String, String)>,
    sessions: Vec<String>,
}

impl Truth {
    fn of(gateway: &Gateway) -> Self {
        let list = |what| gateway.json(&[what, "list"], "").as_array().unwrap().clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let people = list("user").into_iter();
        let people = people.map(|one| (text(&one["username"]), one.to_string())).collect();
        let mut sessions: Vec<_> = list("session").iter().map(|one| text(&one["id"])).collect();
        sessions.sort();
        Self { people, sessions }
    }
}

/// A folder of a gateway that was stopped, and what must be found in it.
struct Stopped {
    data: Arc<TempDir>,
    truth: Truth,
    ann: Person,
    used: String,
    sessions: Vec<Browser>,
}

/// Stopped twice, so that there are both: what an opening leaves on the disk, and a log beyond it.
fn stopped(options: &Options) -> Stopped {
    let mut gateway = Gateway::start(options.clone());
    let (ann, bob) = (Person::add(&gateway, "ann"), Person::add(&gateway, "bob"));
    let mut sessions = vec![recover(&ann, 0, &gateway), recover(&bob, 0, &gateway)];
    for half in ["guest", "late-guest"] {
        for number in 0..GUESTS {
            let name = format!("{half}{number}");
            let guest = json!({"do": "user_add", "username": name, "groups": ["guests"],
                "totp": false, "must_change_password": false});
            assert_eq!(gateway.ask(&guest)["reply"], "added");
        }
        gateway.stop();
        gateway = gateway.kill_and_restart();
        sessions.push(recover(&bob, sessions.len(), &gateway));
    }
    let truth = Truth::of(&gateway);
    gateway.stop();
    let used = ann.recovery_codes[0].clone();
    Stopped { data: Arc::clone(&gateway.data), truth, ann, used, sessions }
}

/// Somebody signed in with a recovery code.
fn recover(person: &Person, code: usize, gateway: &Gateway) -> Browser {
    let mut browser = Browser::new(gateway.address);
    let answer = person.give_password(&mut browser, "/");
    let page = browser.follow(answer);
    let code = &person.recovery_codes[code];
    assert_eq!(browser.submit(&page, &[("recovery_code", code)]).status, 303);
    browser
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The files of a store that hold anything, the largest first.
fn files(store: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.retain(|path| fs::metadata(path).unwrap().len() > 0);
    files.sort_by_key(|path| (std::cmp::Reverse(fs::metadata(path).unwrap().len()), path.clone()));
    files
}

/// Damages a store; in which way.
fn damage(store: &Path, number: usize, chance: &mut Chance) -> String {
    let files = files(store);
    // Every other time it is the log, which is the largest.
    let path = if number.is_multiple_of(2) { &files[0] } else { &files[number / 2 % files.len()] };
    let mut bytes = fs::read(path).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
    let at = chance.below(written);
    let what = if number % 4 == 2 {
        bytes.truncate(at);
        "cut"
    } else {
        bytes[at] ^= 1 << chance.below(8);
        "flipped"
    };
    fs::write(path, bytes).unwrap();
    format!("{} {what} at {at} of {written}", path.file_name().unwrap().display())
}

/// How often files are damaged.
const COPIES: usize = 20;

/// People beside those who sign in, so that a log has a middle.
const GUESTS: usize = 500;

#[test]
fn damaged_files_are_refused_in_one_sentence_or_everything_is_there() {
    let mut chance = Chance::new();
    let app = App::start();
    let options = Options::upstream(&app.url());
    let stopped = stopped(&options);
    let (mut refused, mut harmless) = (0, 0);
    for number in 0..COPIES {
        let folder = Arc::new(TempDir::new());
        copy(&stopped.data.join("data"), &folder.join("data"));
        let how = damage(&folder.join("data/store"), number, &mut chance);
        match Gateway::or_refusal(Arc::clone(&folder), options.clone()) {
            Ok(gateway) => {
                is_all_there(&gateway, &stopped, &how);
                harmless += 1;
            }
            Err((code, said)) => {
                println!("{how}: {}", said.trim_end());
                assert_eq!(code, Some(1), "{how}: {said}");
                is_one_sentence(&said, &how);
                // Having been opened once does not make it whole.
                let config = folder.join("config.toml");
                let again = run(&["user", "list", "--config", config.to_str().unwrap()], "");
                assert_eq!(again.status.code(), Some(1), "{how}, the second time: {again:?}");
                is_one_sentence(&String::from_utf8(again.stderr).unwrap(), &how);
                refused += 1;
            }
        }
    }
    println!("{COPIES} damaged folders: {refused} refused, {harmless} with everything there");
    assert!(refused > 0, "not one of them was noticed");
}

fn is_one_sentence(said: &str, how: &str) {
    assert_eq!(said.lines().count(), 1, "{how}: {said}");
    assert!(said.starts_with("vestibule: the "), "{how}: {said}");
    // A byte of the file that says which key it is may make it another key.
    let advises = said.contains("restore a backup") || said.contains("give the key file");
    assert!(advises, "{how}: it does not say what to do: {said}");
    assert!(!said.contains("panic"), "{how}: {said}");
}

fn is_all_there(gateway: &Gateway, stopped: &Stopped, how: &str) {
    assert_eq!(Truth::of(gateway), stopped.truth, "{how}");
    for browser in &stopped.sessions {
        let mut again = Browser::new(gateway.address);
        again.cookies.clone_from(&browser.cookies);
        assert_eq!(status(&mut again), 200, "{how}");
    }
    let mut browser = Browser::new(gateway.address);
    let answer = stopped.ann.give_password(&mut browser, "/");
    let page = browser.follow(answer);
    assert_eq!(page.status, 200, "{how}: {}\n{}", page.text(), gateway.log());
    let answer = browser.submit(&page, &[("recovery_code", &stopped.used)]);
    assert_eq!(answer.status, 401, "{how}: {}", answer.text());
    assert!(!gateway.log().contains("panic"), "{how}: {}", gateway.log());
}
