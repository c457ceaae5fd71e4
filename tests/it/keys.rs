//! Another master key: everything sealed anew, whatever comes between.

use crate::assertion::{issuer, jwks, told, verify};
use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Chance, Gateway, House, Options, Person, SmallDisk, TempDir,
};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap()
}

fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(output));
    text(output)
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(output));
    text(output)
}

/// The names in a data folder.
fn names(data: &Path) -> Vec<String> {
    let entries = fs::read_dir(data).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn one_factor(app: &App) -> Options {
    let config = "[access]\ndefault_policy = \"one_factor\"\n[limits]\nlockout_after = 3\n";
    Options::upstream(&app.url()).config(config)
}

/// Gives a password, to somebody who has no second factor; what comes back.
fn sign_in(gateway: &Gateway, name: &str, password: &str) -> u16 {
    let mut browser = Browser::new(gateway.address);
    let page = browser.open("/_vestibule/login");
    browser.submit(&page, &[("username", name), ("password", password)]).status
}

#[test]
fn with_a_new_key_everybody_signs_in_as_before_and_stays_locked_out_as_before() {
    let app = App::start();
    let mut gateway = Gateway::start(one_factor(&app));
    let ann = Person::add(&gateway, "ann");
    let mut of_ann = Browser::new(gateway.address);
    ann.recover(&mut of_ann, "/", 0);
    for name in ["bob", "eve"] {
        gateway.json(&["user", "add", name, "--password-stdin"], ADMIN_PASSWORD);
    }
    for _ in 0..3 {
        sign_in(&gateway, "eve", "not the password");
    }
    assert_eq!(sign_in(&gateway, "eve", ADMIN_PASSWORD), 423);
    let data = gateway.data.join("data");
    let old_key = fs::read(data.join("master.key")).unwrap();
    let backup = gateway.data.join("old.backup").display().to_string();
    done(&gateway.command(&["backup", "create", &backup]));
    let running = refused(&gateway.command(&["keys", "rotate"]));
    assert!(running.contains("stop it first"), "{running}");
    assert_eq!(fs::read(data.join("master.key")).unwrap(), old_key, "nothing has happened");

    gateway.stop();
    let rotated = gateway.command(&["keys", "rotate", "--json"]);
    let rotated: serde_json::Value = serde_json::from_str(&done(&rotated)).unwrap();
    let kept = PathBuf::from(rotated["old_key"].as_str().unwrap());
    assert_eq!(fs::read(&kept).unwrap(), old_key);
    assert_ne!(fs::read(data.join("master.key")).unwrap(), old_key);
    let kept_name = kept.file_name().unwrap().to_str().unwrap();
    assert_eq!(names(&data), ["master.key", kept_name, "store"]);

    let mut gateway = gateway.kill_and_restart();
    assert_eq!(sign_in(&gateway, "bob", ADMIN_PASSWORD), 303);
    assert_eq!(sign_in(&gateway, "eve", ADMIN_PASSWORD), 423, "still locked out");
    let page = ann.sign_in(&mut Browser::new(gateway.address), "/", 0);
    assert_eq!(page.status, 200, "{}", page.text());
    let mut again = Browser::new(gateway.address);
    again.cookies.clone_from(&of_ann.cookies);
    assert_eq!(again.request("GET", "/", "Sec-Fetch-Mode: cors\r\n", "").status, 200, "still in");
    gateway.json(&["audit", "verify"], "");
    let export = text(&gateway.command(&["audit", "export"]));
    assert_eq!(export.matches("\"event\":\"keys_rotated\"").count(), 1, "{export}");

    // A backup made before opens with the key that was kept, and with that alone.
    done(&gateway.command(&["backup", "verify", &backup]));
    gateway.stop();
    done(&gateway.command(&["backup", "restore", &backup, "--force"]));
    let mut gateway = gateway.kill_and_restart();
    assert_eq!(sign_in(&gateway, "bob", ADMIN_PASSWORD), 303);
    assert_eq!(sign_in(&gateway, "eve", ADMIN_PASSWORD), 423);
    gateway.stop();
    fs::remove_file(&kept).unwrap();
    let said = refused(&gateway.command(&["backup", "verify", &backup]));
    assert!(said.contains(kept.to_str().unwrap()), "{said}");
}

#[test]
fn killed_at_any_moment_the_gateway_starts_and_the_next_rotation_completes() {
    let (app, house) = (App::start(), Arc::new(TempDir::new()));
    let mut gateway = Gateway::on(Arc::clone(&house), one_factor(&app));
    gateway.json(&["user", "add", "bob", "--password-stdin"], ADMIN_PASSWORD);
    gateway.stop();
    let (data, config) = (house.join("data"), house.join("config.toml"));
    let rotate = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(["keys", "rotate", "--config"]).arg(&config).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let began = Instant::now();
    assert!(rotate().wait().unwrap().success());
    let mut whole = began.elapsed();
    let (mut chance, mut unfinished, mut found) = (Chance::new(), 0, Vec::new());
    for round in 0..20 {
        let key = fs::read(data.join("master.key")).unwrap();
        let mut rotating = rotate();
        let micros = usize::try_from(whole.as_micros()).unwrap();
        std::thread::sleep(Duration::from_micros(chance.below(micros).try_into().unwrap()));
        rotating.kill().unwrap();
        let ended_well = rotating.wait().unwrap().success();
        unfinished += u32::from(!ended_well);
        let left = names(&data);
        let is = |name: &str| left.iter().any(|found| found == name);
        found.push((is("store.draft"), is("master.key.new")));
        // With whichever key is in force.
        gateway = Gateway::on(Arc::clone(&house), one_factor(&app));
        assert_eq!(sign_in(&gateway, "bob", ADMIN_PASSWORD), 303, "round {round}: {left:?}");
        gateway.stop();
        let began = Instant::now();
        done(&gateway.command(&["keys", "rotate"]));
        whole = whole.min(began.elapsed());
        assert_ne!(fs::read(data.join("master.key")).unwrap(), key, "round {round}");
        let left = names(&data);
        let is_left = |name: &String| name.contains("draft") || name.ends_with(".new");
        assert!(!left.iter().any(is_left), "round {round}: {left:?}");
    }
    gateway = Gateway::on(Arc::clone(&house), one_factor(&app));
    assert_eq!(sign_in(&gateway, "bob", ADMIN_PASSWORD), 303);
    gateway.json(&["audit", "verify"], "");
    println!("20 kills within {whole:?}, {unfinished} before the end; left behind: {found:?}");
    assert!(unfinished > 5, "it was killed too late to show anything");
}

#[test]
fn where_the_store_has_the_new_key_and_the_file_the_old_one_the_next_start_mends_it() {
    let app = App::start();
    let mut gateway = Gateway::start(one_factor(&app));
    gateway.json(&["user", "add", "bob", "--password-stdin"], ADMIN_PASSWORD);
    gateway.stop();
    let data = gateway.data.join("data");
    let at = |name: &str| data.join(name);
    let old_key = fs::read(at("master.key")).unwrap();
    let rotated = done(&gateway.command(&["keys", "rotate", "--json"]));
    let rotated: serde_json::Value = serde_json::from_str(&rotated).unwrap();
    let kept = PathBuf::from(rotated["old_key"].as_str().unwrap());
    let new_key = fs::read(at("master.key")).unwrap();
    let has_linked_the_old_key = [true, false];
    for has_linked in has_linked_the_old_key {
        // As it is between the moment the store has changed and the end.
        fs::rename(at("master.key"), at("master.key.new")).unwrap();
        fs::copy(&kept, at("master.key")).unwrap();
        if !has_linked {
            fs::remove_file(&kept).unwrap();
        }
        fs::create_dir(at("store.draft")).unwrap();
        fs::write(at("store.draft/db"), "what the old key sealed").unwrap();
        gateway = gateway.kill_and_restart();
        assert_eq!(sign_in(&gateway, "bob", ADMIN_PASSWORD), 303);
        gateway.stop();
        assert_eq!(fs::read(at("master.key")).unwrap(), new_key);
        assert_eq!(fs::read(&kept).unwrap(), old_key);
        let kept_name = kept.file_name().unwrap().to_str().unwrap();
        assert_eq!(names(&data), ["master.key", kept_name, "store"]);
    }
    // A new key that was never in force, or was not even written to its end, is in nobody's way.
    for never in [[9_u8; 32].as_slice(), b"half", &[old_key.as_slice(), b"x"].concat()] {
        fs::write(at("master.key.new"), never).unwrap();
        fs::set_permissions(at("master.key.new"), fs::Permissions::from_mode(0o600)).unwrap();
        gateway = gateway.kill_and_restart();
        assert_eq!(sign_in(&gateway, "bob", ADMIN_PASSWORD), 303);
        gateway.stop();
        assert_eq!(fs::read(at("master.key")).unwrap(), new_key);
    }
}

#[test]
fn on_a_full_disk_nothing_is_sealed_anew_and_nothing_is_lost() {
    let (app, house) = (App::start(), Arc::new(TempDir::new()));
    let data = house.join("data");
    let Some(disk) = SmallDisk::mount(&data, 32) else { return };
    let mut gateway = Gateway::on(Arc::clone(&house), one_factor(&app));
    gateway.json(&["user", "add", "bob", "--password-stdin"], ADMIN_PASSWORD);
    let backup = house.join("bob.backup").display().to_string();
    done(&gateway.command(&["backup", "create", &backup]));
    gateway.stop();
    let key = fs::read(data.join("master.key")).unwrap();
    disk.fill();
    // Not even for the key, and for the key but not for the store.
    for room in [0, 2 << 20] {
        let filler = fs::OpenOptions::new().write(true).open(data.join("filler")).unwrap();
        filler.set_len(filler.metadata().unwrap().len() - room).unwrap();
        for args in [&["keys", "rotate"][..], &["backup", "restore", &backup, "--force"]] {
            let said = refused(&gateway.command(args));
            let is_told = said.contains("disk is full") || said.contains("No space left");
            assert!(is_told, "{args:?} with {room}: {said}");
            assert_eq!(fs::read(data.join("master.key")).unwrap(), key);
            assert_eq!(names(&data), ["filler", "master.key", "store"], "{args:?} with {room}");
        }
    }
    disk.make_room();
    done(&gateway.command(&["keys", "rotate"]));
    let gateway = Gateway::on(house, one_factor(&app));
    assert_eq!(sign_in(&gateway, "bob", ADMIN_PASSWORD), 303);
}

#[test]
fn what_apps_were_told_before_still_verifies_and_the_new_keys_are_announced() {
    let mut house = House::new();
    let statement = |house: &House| {
        assert_eq!(house.get("/x", "").status, 200);
        told(&house.app.take_received()).unwrap()
    };
    let before = statement(&house);
    let (old_keys, iss) = (jwks(&house.gateway), issuer(&house.gateway));
    house.gateway.stop();
    done(&house.gateway.command(&["keys", "rotate"]));
    house.gateway = house.gateway.kill_and_restart();
    let new_keys = jwks(&house.gateway);
    let all = new_keys["keys"].as_array().unwrap();
    assert_eq!(all.len(), 6, "those of both master keys: {new_keys}");
    for key in old_keys["keys"].as_array().unwrap() {
        assert!(all.contains(key), "{key} is gone");
    }
    verify(&before, &new_keys, &iss, "http://app.test").unwrap();
    // An app that kept the keys of yesterday reads what it is told today.
    let after = statement(&house);
    assert_ne!(before, after);
    verify(&after, &old_keys, &issuer(&house.gateway), "http://app.test").unwrap();
}

#[test]
fn a_key_that_cannot_be_replaced_is_refused_with_what_to_do() {
    let app = App::start();
    let mut options = Options::upstream(&app.url());
    let key = "a master key that everybody knows";
    options.env.push((String::from("VESTIBULE_SECRETS__MASTER_KEY"), key.into()));
    let mut gateway = Gateway::start(options);
    gateway.stop();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    let command =
        command.args(["keys", "rotate", "--config"]).arg(gateway.data.join("config.toml"));
    let said = refused(&command.env("VESTIBULE_SECRETS__MASTER_KEY", key).output().unwrap());
    assert!(said.contains("secrets.master_key_file"), "{said}");
    let nowhere = TempDir::new();
    let said = refused(&crate::harness::run(
        &["keys", "rotate", "--data", nowhere.path().to_str().unwrap()],
        "",
    ));
    assert!(said.contains("there is no store"), "{said}");
    assert!(names(nowhere.path()).is_empty(), "and none is made");
}
