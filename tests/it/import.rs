//! Moving in from Authelia: its user file, with hashes that other programs made.

use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, Options};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PASSWORD: &str = "correct horse battery";

/// People, each with a hash of [`PASSWORD`] by another program: OpenSSL, htpasswd, Python's hashlib,
/// passlib and argon2-cffi.
const PEOPLE: [(&str, &str); 8] = [
    (
        "openssl",
        "$6$vestibule$ezSMqVxvixQ/XH025A/PeWh/1NfuyjQGg7OpBtZlBX/T0ioYdtCc0k8b6ipyHJrxr6qfsMziTSpNSF1.wgOA01",
    ),
    ("htpasswd", "$2y$05$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N."),
    (
        "bcrypt256",
        "$bcrypt-sha256$v=2,t=2b,r=5$eXY0s14oqride1HQiUZWfO$mepaDlYT7YxaUydjWpwVNIxmDKhEX0W",
    ),
    (
        "scrypt",
        "$scrypt$ln=10,r=8,p=2$jZHSmhOCcM4ZI2SslfI+pw$Y8q1XqgM2qj/QRYtRiL0mwxKX73Q6ljViaA+NvXmkoc",
    ),
    (
        "pbkdf2",
        "$pbkdf2-sha512$1000$G4NQao1RCuFcCwGAcI7xvg$AAH32aJ/r4MWGN0t9aD83RFOsF/vmJlLRDzDIHrGEVybzLKjVFJR6O7OJ2/qcV0/jZV9OGrtTOPy4pAgSvQKMw",
    ),
    (
        "hashlib",
        "$pbkdf2-sha256$1000$c2l4dGVlbiBieXRlcyBvaw$pSoC2VUDS0BVZIqmG5B64io7wMLf0qC6YiBWOAkxANM",
    ),
    (
        "argon2id",
        "$argon2id$v=19$m=1024,t=3,p=4$uFdqzXnvfe/9f6917l0LwQ$klcKf3AFG0HOFa85qCZTtZLdeQpnBH5HgvE1OIJYATM",
    ),
    (
        "argon2i",
        "$argon2i$v=19$m=1024,t=3,p=4$HkMI4TwnREhJqRUCAECIEQ$SSbjRK4PT/RBuQwZK8W3c2jplmSO17e6daZmCsXtn38",
    ),
];

/// Of "password", as Authelia's manual shows it.
const DOCUMENTED: &str =
    "$argon2id$v=19$m=65536,t=3,p=2$BpLnfgDsc2WD8F2q$o/vzA4myCqZZ36bUGsDY//8mKUYNZZaR0t4MFFSs+iM";

/// A user file as Authelia writes it, with everybody in it.
fn user_file() -> String {
    let mut file = String::from("---\nusers:\n");
    for (name, hash) in PEOPLE {
        file += &entry(name, hash, &format!("email: {name}@example.com"));
    }
    file + &entry("john", DOCUMENTED, "email: john.doe@example.com\n    groups: [admins, dev]")
        + &entry("gone", PEOPLE[1].1, "disabled: true")
}

fn entry(name: &str, hash: &str, more: &str) -> String {
    format!("  {name}:\n    displayname: 'The {name}'\n    password: '{hash}'\n    {more}\n")
}

fn write(gateway: &Gateway, text: &str) -> String {
    let path = gateway.data.join("users.yml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn outcomes(reply: &Value) -> Vec<(&str, &str)> {
    let people = reply["people"].as_array().unwrap().iter();
    people.map(|p| (p["name"].as_str().unwrap(), p["outcome"].as_str().unwrap())).collect()
}

/// What a first factor is answered with.
fn sign_in(gateway: &Gateway, name: &str, password: &str) -> (u16, String) {
    let body = json!({"username": name, "password": password});
    let called = Browser::new(gateway.address).call("POST", "/auth/login", body);
    let word = called.json["status"].as_str().filter(|_| called.status == 200);
    (called.status, word.or(called.json["code"].as_str()).unwrap().to_owned())
}

fn is_imported(gateway: &Gateway, name: &str) -> bool {
    let shown = gateway.json(&["user", "show", name], "");
    assert_eq!(shown["has_password"], true, "{name}");
    shown["password_imported"] == true
}

#[test]
fn everybody_signs_in_with_the_password_they_had_and_has_a_hash_of_ours_from_then_on() {
    let gateway = Gateway::start(Options::default());
    let file = write(&gateway, &user_file());
    let added = gateway.json(&["import", "authelia", "--with-admins", &file], "");
    assert!(outcomes(&added).iter().all(|(_, outcome)| *outcome == "added"), "{added}");
    assert_eq!(outcomes(&added).len(), PEOPLE.len() + 2);
    for (name, _) in PEOPLE {
        assert!(is_imported(&gateway, name));
        assert_eq!(sign_in(&gateway, name, "correct horse batterz").0, 401, "{name}");
        assert!(is_imported(&gateway, name), "a wrong password changes nothing");
        // By what they are called, then by their address: the second time against ours.
        let stepped = (200, String::from("enrollment_required"));
        assert_eq!(sign_in(&gateway, name, PASSWORD), stepped, "{name}");
        assert!(!is_imported(&gateway, name), "{name}");
        assert_eq!(sign_in(&gateway, &format!("{name}@example.com"), PASSWORD), stepped);
        assert_eq!(sign_in(&gateway, name, "correct horse batterz").0, 401, "{name}");
    }
    assert_eq!(sign_in(&gateway, "john", "password").0, 200);
    let john = gateway.json(&["user", "show", "john"], "");
    assert_eq!(john["groups"], json!(["admins", "dev"]));
    assert_eq!(
        (&john["email"], &john["display_name"]),
        (&json!("john.doe@example.com"), &json!("The john"))
    );

    // Who was kept out is kept out, told as little as a stranger, and keeps the hash until let in.
    let stranger = sign_in(&gateway, "nobody", PASSWORD);
    assert_eq!(sign_in(&gateway, "gone", PASSWORD), stranger);
    assert!(is_imported(&gateway, "gone"));
    gateway.json(&["user", "enable", "gone"], "");
    assert_eq!(sign_in(&gateway, "gone", PASSWORD).0, 200);
    assert!(!is_imported(&gateway, "gone"));

    let log = gateway.log_to_its_end();
    for (name, hash) in PEOPLE {
        assert!(!log.contains(&hash[hash.len() - 20..]), "{name}");
    }
}

#[test]
fn a_dry_run_says_what_would_become_of_each_and_changes_nothing() {
    let mut gateway = Gateway::start(Options::default());
    gateway.json(&["user", "add", "htpasswd", "--password-stdin"], ADMIN_PASSWORD);
    gateway.json(&["user", "add", "bob", "--email", "bob@example.com"], "");
    let odd = entry("no good", DOCUMENTED, "email: x@example.com")
        + &entry("Ann", DOCUMENTED, "groups: []")
        + &entry("ann", DOCUMENTED, "groups: []")
        + &entry("bobs", DOCUMENTED, "email: Bob@example.com")
        + &entry("comma", DOCUMENTED, "groups: ['a,b']")
        + &entry("mail", DOCUMENTED, "email: nowhere")
        + &entry("plain", "$plaintext$marker", "groups: []")
        + &entry("dear", &DOCUMENTED.replace("65536", "67108864"), "groups: []")
        + &entry("slow", &PEOPLE[1].1.replace("$05$", "$15$"), "groups: []")
        + "  empty: {}\n";
    let file = write(&gateway, &(user_file() + &odd));
    let before = gateway.json(&["user", "list"], "");
    let dry = ["import", "authelia", "--dry-run", &file];
    let mut said = Vec::new();
    for runs in [true, false] {
        if !runs {
            gateway.stop();
        }
        let output = gateway.command(&dry);
        assert_eq!(output.status.code(), Some(1), "some are left out");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("8 people are left out"), "{stderr}");
        said.push(String::from_utf8(output.stdout).unwrap());
        assert_eq!(gateway.json(&["user", "list"], ""), before);
    }
    assert_eq!(said[0], said[1]);
    for line in [
        "openssl: would be added",
        "htpasswd: is there already, and stays as it is",
        "Ann: would be added",
        "ann: is there already, and stays as it is",
        "no good: left out: a username begins with",
        "bobs: left out: bob@example.com is somebody else's",
        "comma: left out: the group \"a,b\": a group has",
        "mail: left out: the e-mail address: an e-mail address looks like",
        "plain: left out: the password hash is damaged, or none of argon2, bcrypt,",
        "dear: left out: the password hash takes more than 256 MiB to check",
        "slow: left out: the password hash takes more than a second to check",
        "empty: left out: there is no password hash",
        "john: would be added, but not to admins\n",
        "10 would be added, 2 there already, 8 left out\n",
        "administrators in the file, and no more than others here: john; --with-admins takes that over",
    ] {
        assert!(said[0].contains(line), "{line:?} is missing in\n{}", said[0]);
    }
    assert!(!said[0].contains('$') && !said[0].contains("marker"), "{}", said[0]);
}

#[test]
fn nobody_becomes_an_administrator_by_the_word_of_another_program_alone() {
    let file = format!(
        "users:\n{}{}{}",
        entry("ann", PEOPLE[1].1, "groups: [dev, admins]"),
        entry("bob", PEOPLE[1].1, "groups: [admin, Admins, dev]"),
        entry("odd", "$plaintext$", "groups: [admins]")
    );
    let administrator = |reply: &Value, at: usize| reply["people"][at]["administrator"].clone();
    for runs in [true, false] {
        for (flags, is_one) in [(&[][..], false), (&["--with-admins"], true)] {
            let mut gateway = Gateway::start(Options::default());
            let file = write(&gateway, &file);
            if !runs {
                gateway.stop();
            }
            let import = [&["import", "authelia"], flags, &[file.as_str()]].concat();
            let said = |more: &[&str]| {
                let output = gateway.command(&[&import, more].concat());
                String::from_utf8(output.stdout).unwrap()
            };
            let dry = said(&["--dry-run"]);
            assert_eq!(gateway.json(&["user", "list"], ""), json!([]));
            let planned: Value = serde_json::from_str(&said(&["--dry-run", "--json"])).unwrap();
            assert_eq!(administrator(&planned, 0), json!(is_one));
            assert_eq!(administrator(&planned, 1), Value::Null);
            assert_eq!(administrator(&planned, 2), Value::Null, "left out");
            let done = said(&[]);
            let [planned, did] = if is_one {
                ["ann: would be added, as an administrator\n", "ann: added, as an administrator\n"]
            } else {
                ["ann: would be added, but not to admins\n", "ann: added, but not to admins\n"]
            };
            assert!(dry.contains(planned) && done.contains(did), "{dry}{done}");
            assert!(dry.contains("bob: would be added\n"), "{dry}");
            let (would, does) =
                ("would administer the gateway: ann\n", "administer the gateway: ann\n");
            assert_eq!((dry.contains(would), done.contains(does)), (is_one, is_one), "{dry}{done}");
            assert_eq!(
                done.contains("`vestibule user set NAME --group admins`"),
                !is_one,
                "{done}"
            );
            let groups = if is_one { json!(["dev", "admins"]) } else { json!(["dev"]) };
            assert_eq!(gateway.json(&["user", "show", "ann"], "")["groups"], groups);
            let others = gateway.json(&["user", "show", "bob"], "")["groups"].clone();
            assert_eq!(others, json!(["admin", "Admins", "dev"]), "names of others");
        }
    }
}

#[test]
fn a_second_run_adds_nobody_twice_and_leaves_those_alone_who_are_there() {
    for runs in [true, false] {
        let mut gateway = Gateway::start(Options::default());
        gateway.json(&["user", "add", "htpasswd", "--password-stdin"], ADMIN_PASSWORD);
        if !runs {
            gateway.stop();
        }
        let import = ["import", "authelia", &write(&gateway, &user_file())];
        let count = |reply: &Value, kind| outcomes(reply).iter().filter(|o| o.1 == kind).count();
        let first = gateway.json(&import, "");
        assert_eq!((count(&first, "added"), count(&first, "exists")), (PEOPLE.len() + 1, 1));
        let people = gateway.json(&["user", "list"], "");
        let second = gateway.json(&import, "");
        assert_eq!(count(&second, "exists"), PEOPLE.len() + 2);
        assert_eq!(gateway.json(&["user", "list"], ""), people);
        if !runs {
            gateway = gateway.kill_and_restart();
        }
        assert_eq!(sign_in(&gateway, "htpasswd", PASSWORD).0, 401, "not theirs");
        assert_eq!(sign_in(&gateway, "htpasswd", ADMIN_PASSWORD).0, 200);
        assert_eq!(sign_in(&gateway, "scrypt", PASSWORD).0, 200);
    }
}

#[test]
fn a_file_that_is_none_is_refused_with_its_line_and_adds_nobody() {
    let gateway = Gateway::start(Options::default());
    for (text, part) in [
        (user_file() + &entry("openssl", PEOPLE[1].1, "groups: []"), "no name twice"),
        (String::from("users:\n  ann:\n    password: [$6$marker]\n"), "line 3"),
    ] {
        let file = write(&gateway, &text);
        let output = gateway.command(&["import", "authelia", &file]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&file) && said.contains(part), "{said}");
        assert!(!said.contains('$'), "{said}");
    }
    let nowhere = gateway.command(&["import", "authelia", "/nowhere.yml"]);
    assert!(String::from_utf8(nowhere.stderr).unwrap().contains("/nowhere.yml"));
    assert_eq!(gateway.json(&["user", "list"], ""), json!([]));
}

#[test]
fn a_name_that_is_nobodys_takes_as_long_as_one_whose_hash_is_dear() {
    let gateway = Gateway::start(Options::default());
    let fastest = |name: &str| {
        let tries = (0..3).map(|_| {
            let began = Instant::now();
            assert_eq!(sign_in(&gateway, name, "not the password").0, 401);
            began.elapsed()
        });
        tries.min().unwrap()
    };
    let before = fastest("nobody");
    let dear = DOCUMENTED.replace("t=3", "t=18");
    let file = write(&gateway, &format!("users:\n{}", entry("dear", &dear, "groups: []")));
    gateway.json(&["import", "authelia", &file], "");
    let (known, unknown) = (fastest("dear"), fastest("nobody"));
    assert!(known > before + Duration::from_millis(100), "{known:?} {before:?}");
    assert!(unknown * 2 > known && known * 2 > unknown, "{known:?} {unknown:?}");
}
