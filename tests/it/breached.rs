//! Passwords that have been stolen: looked up in a list and at a service, wherever one is chosen.

mod cost;
mod server;
mod service;

use crate::harness::{App, Browser, Gateway, Options, Person, Reply, TempDir};
use sha1::{Digest as _, Sha1};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

const STOLEN: &str = "stolen Pass-phrase of Somebody";
const CHOSEN: &str = "a pass phrase of their own";

fn sha1(password: &str) -> String {
    Sha1::digest(password.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02X}").unwrap();
        hex
    })
}

fn listed(path: &Path) -> String {
    format!("[password]\nbreached = \"list:{}\"\n", path.display())
}

fn add(gateway: &Gateway, name: &str, password: &str) -> Output {
    gateway.command_with(&["user", "add", name, "--password-stdin"], password)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Refuses a password with this code and these words.
fn refuses(gateway: &Gateway, password: &str, told: &str) {
    let output = add(gateway, "eve", password);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains(told) && output.stdout.is_empty(), "{}", stderr(&output));
    let users = gateway.json(&["user", "list"], "");
    assert!(users.as_array().unwrap().iter().all(|user| user["username"] != "eve"), "{users}");
}

fn takes(gateway: &Gateway, name: &str, password: &str) {
    let output = add(gateway, name, password);
    assert!(output.status.success(), "{}", stderr(&output));
}

fn target_of(url: &serde_json::Value) -> String {
    format!("/{}", url.as_str().expect("a link").splitn(4, '/').nth(3).unwrap())
}

/// What else a form wants.
type More<'a> = &'a [(&'a str, &'a str)];

fn choose(browser: &mut Browser, page: &Reply, more: More<'_>, password: &str) -> Reply {
    let twice = [("password", password), ("password_again", password)];
    browser.submit(page, &[&twice, more].concat())
}

/// A page refuses the stolen password at its field, and takes another.
fn chooses(browser: &mut Browser, page: &Reply, more: More<'_>, other: &str) {
    let reply = choose(browser, page, more, STOLEN);
    let text = reply.text();
    assert_eq!(reply.status, 422, "{text}");
    assert!(text.contains("list of stolen passwords"), "{text}");
    let field = text.split("<input").find(|tag| tag.contains(" name=\"password\"")).unwrap();
    assert!(field.contains("aria-invalid=\"true\""), "{field}");
    assert!(!text.contains(STOLEN));
    let reply = choose(browser, &reply, more, other);
    assert!([200, 303].contains(&reply.status), "{} {}", reply.status, reply.text());
}

/// Every way to a new password.
fn is_refused_everywhere(options: Options) {
    let gateway = Gateway::start(options.config("[registration]\nenabled = true\n"));
    let mut browser = Browser::new(gateway.address);
    let greeting = gateway.greeting();
    let at = greeting.find("/_vestibule/setup?token=").expect("a setup link");
    let page = browser.open(greeting[at..].split_whitespace().next().unwrap());
    chooses(&mut browser, &page, &[("username", "ann")], CHOSEN);

    let added = gateway.json(&["user", "add", "bob"], "");
    let mut browser = Browser::new(gateway.address);
    let page = browser.open(&target_of(&added["invite_url"]));
    chooses(&mut browser, &page, &[], CHOSEN);
    let reset = gateway.json(&["user", "reset-password", "bob"], "");
    let page = browser.open(&target_of(&reset["url"]));
    chooses(&mut browser, &page, &[], CHOSEN);

    let forced = Person::add_with(&gateway, "carol", &["--must-change-password"]);
    let mut browser = Browser::new(gateway.address);
    let page = forced.recover(&mut browser, "/", 0);
    assert!(browser.path.starts_with("/_vestibule/password"), "{}", browser.path);
    chooses(&mut browser, &page, &[], CHOSEN);
    let page = browser.open("/_vestibule/password");
    chooses(&mut browser, &page, &[("current_password", CHOSEN)], "one more of their own");

    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/_vestibule/register");
    chooses(&mut browser, &page, &[("username", "gina")], CHOSEN);

    refuses(&gateway, STOLEN, "the password is in a list of stolen passwords");
    takes(&gateway, "dave", CHOSEN);
    // As it is where no gateway runs.
    let mut gateway = gateway;
    gateway.stop();
    refuses(&gateway, STOLEN, "the password is in a list of stolen passwords");
    takes(&gateway, "fred", CHOSEN);
}

#[test]
fn a_password_in_the_list_is_refused_wherever_one_is_chosen() {
    let folder = TempDir::new();
    for (number, line) in [
        STOLEN.to_owned(),
        format!("{}:12", sha1(STOLEN).to_lowercase()),
        sha1(STOLEN)[..10].into(),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.join(&format!("list {number}"));
        std::fs::write(&path, format!("another\r\n{}\r\n{line}\r\n", sha1("third"))).unwrap();
        let options = Options::default().config(&listed(&path));
        if number == 0 {
            is_refused_everywhere(options);
        } else {
            let gateway = Gateway::start(options);
            refuses(&gateway, STOLEN, "stolen");
            takes(&gateway, "dave", CHOSEN);
        }
    }
}

#[test]
fn a_list_that_was_replaced_counts_and_one_that_is_gone_lets_no_password_through() {
    let (app, folder) = (App::start(), TempDir::new());
    let path = folder.join("list");
    std::fs::write(&path, "another\n").unwrap();
    let options = Options::upstream(&app.url()).config(&listed(&path));
    let gateway = Gateway::start(options.config("breached_unanswered = \"accept\"\n"));
    takes(&gateway, "ann", STOLEN);
    std::fs::write(folder.join("new"), format!("another\n{STOLEN}\n")).unwrap();
    std::fs::rename(folder.join("new"), &path).unwrap();
    refuses(&gateway, STOLEN, "stolen");
    std::fs::remove_file(&path).unwrap();
    refuses(&gateway, CHOSEN, &path.display().to_string());
    // Whoever has to be kept out meanwhile is.
    gateway.json(&["user", "disable", "ann"], "");
    let log = gateway.log_to_its_end();
    let line = log.lines().find(|line| line.contains("cannot be read")).expect(&log);
    assert!(line.contains(r#""level":"error""#) && line.contains("was refused"), "{line}");
}

#[test]
fn a_list_that_cannot_be_read_is_a_fault_of_the_configuration_with_its_place() {
    let folder = TempDir::new();
    std::fs::write(folder.join("empty"), "").unwrap();
    for (path, told) in [
        (folder.join("missing"), "No such file or directory"),
        (folder.path().to_owned(), "it is not a file"),
        (folder.join("empty"), "it is empty"),
    ] {
        let told = format!(
            "config.toml:5: password.breached: the list {} cannot be used: {told}",
            path.display()
        );
        let config = folder.join("config.toml");
        let text = format!("\n\n\n{}", listed(&path));
        std::fs::write(&config, text).unwrap();
        let config = config.display().to_string();
        for command in [&["config", "check", &config][..], &["serve", "--config", &config]] {
            let output = crate::harness::run(command, "");
            assert_eq!(output.status.code(), Some(2), "{command:?}: {}", stderr(&output));
            assert!(stderr(&output).contains(&told), "{command:?}: {}", stderr(&output));
            assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        }
    }
    assert!(!folder.join("vestibule-data").exists());
}
