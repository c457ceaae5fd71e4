//! Backups: made while people sign in, checked, restored, and refused.

use crate::harness::{
    ADMIN_PASSWORD, App, Browser, Chance, Gateway, Options, Person, TempDir, code_at, fixture, run,
    step_now,
};
use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(both).unwrap()
}

/// What a command said that had to work.
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(output));
    text(output)
}

/// What a command said that had to fail, in one sentence.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(output));
    let said = text(output);
    assert!(said.starts_with("vestibule: ") && said.lines().count() == 1, "{said}");
    said
}

/// A folder with nothing but the master key of another one.
fn empty_house(key_of: &Path) -> Arc<TempDir> {
    let house = Arc::new(TempDir::new());
    fs::create_dir(house.join("data")).unwrap();
    fs::copy(key_of.join("data/master.key"), house.join("data/master.key")).unwrap();
    house
}

/// A command on the data folder in this one.
fn on(house: &TempDir, args: &[&str]) -> Output {
    let data = house.join("data");
    run(&[args, &["--data", data.to_str().unwrap()]].concat(), "")
}

/// What the gateway says to somebody who gives a password and then this.
fn second_step(gateway: &Gateway, person: &Person, field: &str, value: &str) -> u16 {
    let mut browser = Browser::new(gateway.address);
    let answer = person.give_password(&mut browser, "/");
    let page = browser.follow(answer);
    browser.submit(&page, &[(field, value)]).status
}

fn patient(app: &App) -> Options {
    Options::upstream(&app.url()).config("[limits]\nlockout_after = 100\n")
}

#[test]
fn a_backup_made_while_people_sign_in_holds_all_that_was_acknowledged_before() {
    let (app, house) = (App::start(), Arc::new(TempDir::new()));
    let gateway = Gateway::on(Arc::clone(&house), patient(&app));
    let (acknowledged, ended) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let (number, longest) = (AtomicU32::new(0), Mutex::new(Duration::ZERO));
    let file = house.join("vestibule.backup");
    let mut before = 0;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    let name = format!("p{}", number.fetch_add(1, Ordering::SeqCst));
                    let (began, person) = (Instant::now(), Person::add(&gateway, &name));
                    let page = person.recover(&mut Browser::new(gateway.address), "/", 0);
                    assert_eq!(page.status, 200, "nobody is refused meanwhile: {}", page.text());
                    let mut longest = longest.lock().unwrap();
                    *longest = began.elapsed().max(*longest);
                    acknowledged.lock().unwrap().push(person);
                }
            });
        }
        for wanted in [2, 6, 10] {
            while acknowledged.lock().unwrap().len() < wanted {
                std::thread::sleep(Duration::from_millis(5));
            }
            before = acknowledged.lock().unwrap().len();
            done(&gateway.command(&["backup", "create", file.to_str().unwrap()]));
        }
        ended.store(true, Ordering::SeqCst);
    });
    println!("{before} before the last backup; the longest sign-in: {longest:?}");

    let other = empty_house(house.path());
    let said = done(&on(&other, &["backup", "restore", file.to_str().unwrap()]));
    assert!(said.contains("restored: everybody signs in again"), "{said}");
    let restored = Gateway::on(Arc::clone(&other), patient(&app));
    let listed = restored.json(&["user", "list"], "");
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["username"]).collect();
    for person in &acknowledged.lock().unwrap()[..before] {
        assert!(names.iter().any(|name| **name == *person.name), "{} is missing", person.name);
    }
    for person in &acknowledged.lock().unwrap()[..3] {
        let first = second_step(&restored, person, "recovery_code", &person.recovery_codes[0]);
        let second = second_step(&restored, person, "recovery_code", &person.recovery_codes[1]);
        assert_eq!((first, second), (401, 303), "used before it was made, and not used");
    }
    restored.json(&["audit", "verify"], "");
    let export = text(&restored.command(&["audit", "export"]));
    assert!(export.matches("\"event\":\"signed_in\"").count() >= before, "{export}");
    assert_eq!(export.matches("\"event\":\"backup_made\"").count(), 3, "{export}");
    assert_eq!(export.matches("\"event\":\"restored\"").count(), 1, "{export}");
}

/// A gateway with one person in it, and a backup of it.
fn backed_up(app: &App) -> (Gateway, Person, String) {
    let gateway = Gateway::start(patient(app));
    let ann = Person::add(&gateway, "ann");
    let file = gateway.data.join("vestibule.backup").display().to_string();
    let said = done(&gateway.command(&["backup", "create", &file]));
    assert!(said.contains("1 users"), "{said}");
    (gateway, ann, file)
}

#[test]
fn a_code_used_after_the_backup_and_all_that_was_open_is_void_after_restoring() {
    let app = App::start();
    let (mut gateway, ann, _) = backed_up(&app);
    let mut of_ann = Browser::new(gateway.address);
    assert_eq!(ann.sign_in(&mut of_ann, "/", 0).status, 200);
    let link = gateway.json(&["user", "add", "bob"], "")["invite_url"].as_str().unwrap().to_owned();
    let token = gateway.json(&["token", "add", "robot", "--user", "ann"], "");
    gateway.json(&["token", "add", "other", "--user", "ann"], "");
    Person::add(&gateway, "eve");
    let file = gateway.data.join("second.backup").display().to_string();
    done(&gateway.command(&["backup", "create", &file]));
    let step = step_now();
    let late = code_at(&ann.secret, 30 * (step + 1));
    assert_eq!(second_step(&gateway, &ann, "code", &late), 303, "after the backup");

    // And so does what was used up and ended.
    assert_eq!(second_step(&gateway, &ann, "recovery_code", &ann.recovery_codes[1]), 303);
    let revoked = token["id"].as_str().unwrap();
    done(&gateway.command(&["token", "revoke", revoked]));
    done(&gateway.command(&["user", "disable", "eve"]));

    let running = refused(&gateway.command(&["backup", "restore", &file, "--force"]));
    assert!(running.contains("stop it first"), "{running}");
    gateway.stop();
    let used = refused(&gateway.command(&["backup", "restore", &file]));
    assert!(used.contains("--force"), "{used}");
    let restored = gateway.command(&["backup", "restore", &file, "--force", "--json"]);
    let restored: serde_json::Value = serde_json::from_str(&done(&restored)).unwrap();
    let kept = restored["replaced_store"].as_str().unwrap();
    assert!(Path::new(kept).join("vestibule.store").exists(), "the old store is kept: {kept}");

    let gateway = gateway.kill_and_restart();
    for code in [code_at(&ann.secret, 30 * step), late] {
        assert_eq!(second_step(&gateway, &ann, "code", &code), 401, "no code of then works");
    }
    of_ann.host = gateway.address.to_string();
    let mut again = Browser::new(gateway.address);
    again.cookies.clone_from(&of_ann.cookies);
    assert_eq!(again.request("GET", "/", "Sec-Fetch-Mode: cors\r\n", "").status, 401);
    let link = &link[link.find("/_vestibule").unwrap()..];
    assert_eq!(Browser::new(gateway.address).open(link).status, 410);
    let codes =
        [1, 0].map(|n| second_step(&gateway, &ann, "recovery_code", &ann.recovery_codes[n]));
    assert_eq!(codes, [401, 303], "used after the backup, and not used");
    let tokens = gateway.json(&["token", "list"], "");
    let names: Vec<_> = tokens.as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["other"], "revoked after the backup");
    assert_eq!(gateway.json(&["user", "show", "eve"], "")["disabled"], true);
}

#[test]
fn a_backup_is_for_its_owner_alone_and_has_no_secret_and_no_name_in_clear() {
    let app = App::start();
    let (gateway, ann, file) = backed_up(&app);
    let bytes = fs::read(&file).unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let key = fs::read(gateway.data.join("data/master.key")).unwrap();
    let secret = ann.secret.replace(' ', "");
    let markers: [&[u8]; 5] =
        [secret.as_bytes(), ann.recovery_codes[0].as_bytes(), b"$argon2", b"\"ann\"", &key];
    for marker in markers {
        assert!(!bytes.windows(marker.len()).any(|part| part == marker), "{marker:?}");
    }
    // Where the caller stands, also where no gateway runs, in place of an older one.
    let folder = gateway.data.path().to_path_buf();
    let mut gateway = gateway;
    gateway.stop();
    for _ in 0..2 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        let command = command.args(["backup", "create", "here.backup", "--data", "data"]);
        done(&command.current_dir(&folder).output().unwrap());
        assert!(folder.join("here.backup").exists() && !folder.join("here.backup.new").exists());
    }
    let nowhere = refused(&gateway.command(&["backup", "create", "/no/such/folder/file"]));
    assert!(nowhere.contains("/no/such/folder/file.new"), "{nowhere}");
}

#[test]
fn a_backup_that_is_damaged_cut_foreign_or_newer_is_told_apart_and_changes_nothing() {
    let app = App::start();
    let (mut gateway, _, file) = backed_up(&app);
    gateway.stop();
    let whole = fs::read(&file).unwrap();
    let other = empty_house(gateway.data.path());
    let bad = other.join("bad").display().to_string();
    let tried = |bytes: &[u8]| {
        fs::write(&bad, bytes).unwrap();
        let said = refused(&on(&other, &["backup", "verify", &bad]));
        assert!(said.contains(&bad), "{said}");
        refused(&on(&other, &["backup", "restore", &bad]));
        assert!(!other.join("data/store").exists(), "nothing is left of it");
        said
    };
    let mut chance = Chance::new();
    for _ in 0..6 {
        let mut changed = whole.clone();
        let at = chance.below(whole.len() - 200) + 200;
        changed[at] ^= 0x10;
        let said = tried(&changed);
        assert!(said.contains("damaged") || said.contains("cut short"), "byte {at}: {said}");
    }
    assert!(tried(&whole[..whole.len() - 9]).contains("cut short"));
    assert!(tried(&[&whole[..], b"more"].concat()).contains("goes on after its end"));
    assert!(tried(b"something else").contains("no backup of vestibule"));
    let newer =
        String::from_utf8_lossy(&whole).replace("vestibule_backup\":1", "vestibule_backup\":9");
    assert!(tried(newer.as_bytes()).contains("a newer version of vestibule"));

    done(&on(&other, &["backup", "verify", &file]));
    fs::remove_file(other.join("data/master.key")).unwrap();
    let said = refused(&on(&other, &["backup", "restore", &file]));
    assert!(said.contains("put that key into") && said.contains("data/master.key,"), "{said}");
    assert!(!other.join("data/master.key").exists(), "no key is made that opens nothing");
    let key = other.join("data/master.key");
    let mut options = fs::OpenOptions::new();
    let mut made = options.write(true).create_new(true).mode(0o600).open(&key).unwrap();
    std::io::Write::write_all(&mut made, &[b"another key of ".as_slice(), &[7; 32]].concat())
        .unwrap();
    let said = refused(&on(&other, &["backup", "verify", &file]));
    assert!(said.contains("opens with another master key"), "{said}");
    let missing = refused(&on(&other, &["backup", "verify", "/no/such/file"]));
    assert!(missing.contains("cannot read /no/such/file"), "{missing}");
}

/// Made by the first version that made any. Whoever cannot read it any more has broken a promise.
#[test]
fn a_backup_of_the_first_format_restores() {
    let (app, house) = (App::start(), Arc::new(TempDir::new()));
    fs::create_dir(house.join("data")).unwrap();
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut key = options.open(house.join("data/master.key")).unwrap();
    std::io::Write::write_all(&mut key, b"a master key that everybody knows").unwrap();
    let file = fixture("backup-1");
    let said = done(&on(&house, &["backup", "verify", &file]));
    assert!(said.contains("(version 1)") && said.contains("1 users"), "{said}");
    done(&on(&house, &["backup", "restore", &file]));
    let gateway = Gateway::on(house, patient(&app));
    let ann = Person {
        name: String::from("ann"),
        password: ADMIN_PASSWORD.to_owned(),
        secret: String::new(),
        recovery_codes: vec![String::from("0R5G-TV6J-VCSA-JPXS")],
    };
    assert_eq!(second_step(&gateway, &ann, "recovery_code", &ann.recovery_codes[0]), 303);
}
