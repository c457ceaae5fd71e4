//! Every command, asked of a running gateway and of a store that nobody has open: alike.

use crate::harness::{ADMIN_PASSWORD, Browser, Gateway, Options, Person, run};
use serde_json::{Value, json};
use std::process::Output;

/// A gateway, or only its folder.
struct Place {
    gateway: Gateway,
    runs: bool,
}

/// The same tests in both places.
fn in_both(test: impl Fn(&Place)) {
    let gateway = Gateway::start(Options::default());
    test(&Place { gateway, runs: true });
    let mut gateway = Gateway::start(Options::default());
    gateway.stop();
    test(&Place { gateway, runs: false });
}

impl Place {
    fn json(&self, args: &[&str]) -> Value {
        self.gateway.json(args, "")
    }

    /// Runs a command that has to work; what it printed for people.
    fn text(&self, args: &[&str]) -> String {
        let output = self.gateway.command(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that has to fail with this code; it says these things and nothing on stdout.
    fn fails(&self, args: &[&str], stdin: &str, code: i32, parts: &[&str]) {
        let output = self.gateway.command_with(args, stdin);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "runs: {}: {args:?}: {said}", self.runs);
        assert!(output.stdout.is_empty(), "{args:?}");
        for part in parts {
            assert!(said.contains(part), "{args:?}: {part:?} is missing in {said}");
        }
    }

    fn add(&self, name: &str) {
        self.gateway.json(&["user", "add", name, "--password-stdin"], ADMIN_PASSWORD);
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn is_link(url: &Value, place: &Place, page: &str) -> bool {
    // Without a public_url of its own a gateway is where it listens.
    let start = format!("http://{}/_vestibule/{page}?token=", place.gateway.address);
    url.as_str().unwrap().strip_prefix(&start).is_some_and(|token| token.len() == 43)
}

#[test]
fn people_are_added_in_the_promised_shapes() {
    in_both(|place| {
        let invited = place.json(&["user", "add", "bob"]);
        assert_eq!(keys(&invited), ["invite_url", "username"]);
        assert_eq!(invited["username"], "bob");
        assert!(is_link(&invited["invite_url"], place, "invite"), "{invited}");

        let args = ["user", "add", "Ann", "--password-stdin", "--totp"];
        let enrolled = place.gateway.json(&args, &format!("{ADMIN_PASSWORD}\n"));
        assert_eq!(keys(&enrolled), ["recovery_codes", "totp", "username"]);
        assert_eq!(
            (keys(&enrolled["totp"]), &enrolled["username"]),
            (vec!["secret", "uri"], &json!("ann"))
        );
        let secret = enrolled["totp"]["secret"].as_str().unwrap();
        let uri = url::Url::parse(enrolled["totp"]["uri"].as_str().unwrap()).unwrap();
        assert!(uri.query_pairs().any(|(name, value)| name == "secret" && value == secret));
        assert_eq!(enrolled["recovery_codes"].as_array().unwrap().len(), 10);

        let plain = place.gateway.json(&["user", "add", "cat", "--password-stdin"], ADMIN_PASSWORD);
        assert_eq!(plain, json!({"username": "cat"}));
        let text = place.text(&["user", "add", "dan", "--totp"]);
        assert!(text.starts_with("dan is added\n") && text.contains("/invite?token="), "{text}");
        assert!(text.contains("otpauth://totp/") && text.contains("Recovery codes"), "{text}");
    });
}

#[test]
fn people_are_listed_shown_and_changed() {
    in_both(|place| {
        let more = ["--email", "Ann@Example.com", "--display-name", "Ann A.", "--group", "b"];
        let args = [&["user", "add", "ann", "--must-change-password"], more.as_slice()].concat();
        place.json(&args);
        place.add("bob");
        let listed = place.json(&["user", "list"]);
        let names: Vec<&Value> =
            listed.as_array().unwrap().iter().map(|user| &user["username"]).collect();
        assert_eq!(names, ["ann", "bob"]);
        let shown = place.json(&["user", "show", "ann"]);
        assert_eq!(shown, listed[0]);
        assert_eq!(shown, place.json(&["user", "show", "ANN@example.com"]));
        for (key, value) in [
            ("email", json!("ann@example.com")),
            ("display_name", json!("Ann A.")),
            ("groups", json!(["b"])),
            ("disabled", json!(false)),
            ("has_password", json!(false)),
            ("must_change_password", json!(true)),
            ("totp", json!(false)),
            ("recovery_codes_remaining", json!(0)),
            ("locked_until", Value::Null),
        ] {
            assert_eq!(shown[key], value, "{key}");
        }

        place.json(&["user", "set", "ann", "--group", "x", "--group", "a", "--group", "x"]);
        place.json(&["user", "set", "ann", "--email", "", "--display-name", "Anna"]);
        let shown = place.json(&["user", "show", "ann"]);
        assert_eq!(shown["groups"], json!(["x", "a"]));
        assert_eq!((&shown["email"], &shown["display_name"]), (&Value::Null, &json!("Anna")));
        place.json(&["user", "set", "ann", "--display-name", ""]);
        assert_eq!(place.json(&["user", "show", "ann"])["display_name"], Value::Null);

        place.json(&["user", "disable", "ann"]);
        assert_eq!(place.json(&["user", "show", "ann"])["disabled"], true);
        assert!(place.text(&["user", "list"]).contains("disabled"));
        place.json(&["user", "enable", "ann"]);
        assert_eq!(place.json(&["user", "show", "ann"])["disabled"], false);
        assert!(place.text(&["user", "show", "ann"]).contains("username        ann\n"));

        place.json(&["user", "unlock", "ann"]);
        for (command, page) in [("reset-password", "invite"), ("reset-mfa", "invite")] {
            let reset = place.json(&["user", command, "bob"]);
            assert_eq!(
                (keys(&reset), &reset["username"]),
                (vec!["url", "username"], &json!("bob"))
            );
            assert!(is_link(&reset["url"], place, page), "{reset}");
        }
        assert_eq!(place.json(&["user", "show", "bob"])["has_password"], false);
        assert!(place.text(&["user", "remove", "bob"]).contains("bob is removed"));
        assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 1);
    });
}

#[test]
fn what_cannot_be_done_is_said_in_a_sentence_with_its_exit_code() {
    in_both(|place| {
        place.json(&["user", "add", "ann", "--email", "ann@example.com"]);
        place.add("bob");
        for command in
            ["show", "disable", "enable", "remove", "unlock", "reset-mfa", "reset-password"]
        {
            place.fails(&["user", command, "eve"], "", 1, &["\"eve\"", "vestibule user list"]);
        }
        let set = ["user", "set", "eve", "--group", "x"];
        place.fails(&set, "", 1, &["\"eve\"", "vestibule user list"]);
        place.fails(&["session", "list", "--user", "eve"], "", 1, &["\"eve\""]);
        place.fails(&["session", "revoke", "--user", "eve"], "", 1, &["\"eve\""]);
        let unknown = "0123456789abcdef0123456789abcdef";
        place.fails(&["session", "revoke", unknown], "", 1, &[unknown, "vestibule session list"]);
        place.fails(&["user", "add", "ANN"], "", 1, &["username or e-mail address already"]);
        let email = ["user", "add", "dan", "--email", "ann@example.com"];
        place.fails(&email, "", 1, &["username or e-mail address already"]);
        let email = ["user", "set", "bob", "--email", "ann@example.com"];
        place.fails(&email, "", 1, &["username or e-mail address already"]);
        // A username that reads like somebody's e-mail address would be two people in one field.
        let twin = ["user", "add", "ann@example.com"];
        place.fails(&twin, "", 1, &["username or e-mail address already"]);
        let twin = ["user", "add", "dan", "--email", "ann"];
        place.fails(&twin, "", 2, &["--email", "ann@example.com"]);
        place.fails(&["user", "add", "no good"], "", 2, &["no good", "a username begins with"]);
        place.fails(&["user", "add", "dan", "--group", "a,b"], "", 2, &["a,b", "comma"]);
        place.fails(&["user", "set", "bob"], "", 1, &["--email", "--group"]);
        let reads = ["user", "add", "dan", "--password-stdin"];
        place.fails(&reads, "short", 1, &["at least 12 characters"]);
        place.fails(&reads, "dandandandandan", 1, &["more in it than your name"]);
        place.fails(&reads, &"x".repeat(2000), 1, &["1024 bytes"]);
        place.fails(&reads, &"\u{e9}".repeat(5000), 2, &["longer than any password"]);
        place.fails(&reads, "", 2, &["--password-stdin", "standard input is empty"]);
        place.fails(&reads, "\n", 2, &["standard input is empty"]);
        place.fails(&reads, "a pass phrase of one\nline and another\n", 2, &["one line"]);
        // Nothing of all that left a trace.
        let listed = place.json(&["user", "list"]);
        assert_eq!(listed.as_array().unwrap().len(), 2);
        assert_eq!(listed[1]["email"], Value::Null);
    });
}

#[test]
fn sessions_are_listed_and_revoked_whether_or_not_a_gateway_runs() {
    let mut gateway = Gateway::start(Options::default());
    let (ann, bob) = (Person::add(&gateway, "ann"), Person::add(&gateway, "bob"));
    for (person, number) in [(&ann, 0), (&ann, 1), (&bob, 0), (&bob, 1)] {
        let mut browser = Browser::new(gateway.address);
        assert_eq!(person.recover(&mut browser, "/", number).status, 200);
    }
    let runs = gateway.json(&["session", "list"], "");
    gateway.stop();
    // Where none runs, the same is read from the store.
    let stopped = gateway.json(&["session", "list"], "");
    assert_eq!(runs, stopped);
    assert_eq!(runs.as_array().unwrap().len(), 4);
    let names = ["created_at", "expires_at", "id", "ip", "last_seen_at", "user_agent", "username"];
    for session in runs.as_array().unwrap() {
        assert_eq!(keys(session), names);
        assert_eq!((&session["ip"], &session["user_agent"]), (&json!("127.0.0.1"), &json!("it")));
    }
    let of = |name: &str| gateway.json(&["session", "list", "--user", name], "");
    let count = |name: &str| of(name).as_array().unwrap().len();
    assert_eq!((count("ann"), count("bob")), (2, 2));
    let first = of("ann")[0]["id"].as_str().unwrap().to_owned();
    gateway.json(&["session", "revoke", &first], "");
    assert_eq!((count("ann"), count("bob")), (1, 2));
    gateway.json(&["session", "revoke", "--user", "bob"], "");
    assert_eq!((count("ann"), count("bob")), (1, 0));
    gateway.json(&["session", "revoke", "--all"], "");
    assert_eq!((count("ann"), count("bob")), (0, 0));
    let text = String::from_utf8(gateway.command(&["session", "list"]).stdout).unwrap();
    assert_eq!(text, "ID  USERNAME  FROM  LAST SEEN  BROWSER\n");
}

#[test]
fn what_was_done_without_a_gateway_holds_once_it_runs() {
    let mut gateway = Gateway::start(Options::default());
    let ann = Person::add(&gateway, "ann");
    let mut browser = Browser::new(gateway.address);
    assert_eq!(ann.recover(&mut browser, "/", 0).status, 200);
    gateway.stop();
    let bob = Person::add(&gateway, "bob");
    gateway.json(&["session", "revoke", "--user", "ann"], "");
    let gateway = gateway.kill_and_restart();
    let mut later = Browser::new(gateway.address);
    later.cookies = browser.cookies;
    assert_eq!(later.request("GET", "/", "Sec-Fetch-Mode: navigate\r\n", "").status, 302);
    later.cookies.clear();
    assert_eq!(bob.recover(&mut later, "/", 0).status, 200);
}

#[test]
fn health_is_the_exit_code() {
    let mut gateway = Gateway::start(Options::default());
    for (args, word) in [(&["health"][..], "alive\n"), (&["health", "--ready"], "ready\n")] {
        let output = gateway.command(args);
        assert_eq!((output.status.code(), output.stdout), (Some(0), word.into()));
    }
    assert_eq!(gateway.json(&["health"], ""), json!({"status": "alive"}));
    assert_eq!(gateway.json(&["health", "--ready"], ""), json!({"status": "ready"}));
    let before = gateway.data.join("data").join("admin.sock");
    assert!(before.exists());
    gateway.kill();
    for args in [&["health"][..], &["health", "--ready"]] {
        let output = gateway.command(args);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("no gateway runs"), "{}", stderr(&output));
    }
    let nowhere = run(&["health", "--data", "/nowhere/at/all"], "");
    assert_eq!(nowhere.status.code(), Some(1), "{}", stderr(&nowhere));
}

#[test]
fn the_configuration_is_checked_and_shown_with_its_secrets_masked() {
    let gateway = Gateway::start(
        Options::default()
            .config("[secrets]\nmaster_key = \"a marker of thirty-two bytes, more\"\n"),
    );
    let config = gateway.data.join("config.toml").display().to_string();
    let checked = run(&["config", "check", &config], "");
    assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains(&config) && said.contains("is valid"), "{said}");
    let shown = gateway.command(&["config", "show"]);
    assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(&format!("listen = [\"{}\"]", gateway.address)), "{shown}");
    assert!(shown.contains("master_key = \"********\""), "{shown}");
    assert!(!shown.contains("marker"), "{shown}");
    assert!(shown.contains("lockout_after = 10 # default"), "{shown}");
}

#[test]
fn every_command_explains_itself_with_an_example() {
    for command in [
        &[][..],
        &["serve"],
        &["user", "add"],
        &["user", "list"],
        &["user", "show"],
        &["user", "set"],
        &["user", "disable"],
        &["user", "enable"],
        &["user", "remove"],
        &["user", "unlock"],
        &["user", "reset-mfa"],
        &["user", "reset-password"],
        &["session", "list"],
        &["session", "revoke"],
        &["import", "authelia"],
        &["config", "check"],
        &["config", "show"],
        &["health"],
        &["completions"],
        &["man"],
    ] {
        let output = run(&[command, &["--help"]].concat(), "");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let example = text.split("Example").nth(1).unwrap_or_else(|| panic!("{command:?}: {text}"));
        assert!(example.contains(&["vestibule", &command.join(" ")].join(" ")), "{text}");
        for global in ["--config", "--data", "--json"] {
            assert!(text.contains(global), "{command:?}: {text}");
        }
    }
    let version = run(&["--version"], "");
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("vestibule "));
}

#[test]
fn the_socket_and_the_key_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let gateway = Gateway::start(Options::default());
    let mode = |path: &str| {
        std::fs::metadata(gateway.data.join(path)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("data"), mode("data/admin.sock")), (0o700, 0o600));
    assert_eq!((mode("data/master.key"), mode("data/store")), (0o600, 0o700));
}

#[test]
fn a_file_that_has_no_end_is_refused_by_whoever_reads_it() {
    let gateway = Gateway::start(Options::default());
    for (args, code, part) in [
        (&["audit", "verify", "/dev/zero"][..], 1, "/dev/zero:1: it is longer than any entry"),
        (&["backup", "verify", "/dev/zero"], 1, "/dev/zero: this is no backup of vestibule"),
        (&["backup", "restore", "/dev/zero"], 1, "/dev/zero: this is no backup of vestibule"),
        (&["import", "authelia", "/dev/zero"], 1, "/dev/zero: it is longer than 8 MiB"),
    ] {
        let output = gateway.command(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(part), "{args:?}: {said}");
    }
    let checked = run(&["config", "check", "/dev/zero"], "");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(2), "{said}");
    assert!(said.contains("/dev/zero") && said.contains("longer than 4 MiB"), "{said}");
}
