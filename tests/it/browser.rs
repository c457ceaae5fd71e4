//! The pages in Debian's Chromium: by keyboard, in every size, light and dark, with and without
//! the script, and before axe's eyes. Pictures of all of them are left in `target/pictures`.

use crate::harness::{ADMIN_PASSWORD, App, Gateway, Options};
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = r##"
[branding]
name = "Example Works"
accent = "#0b6e4f"
text = "For people who work here. Ask at the desk if you are locked out."
links = ["Help https://help.example.com/sign-in", "Imprint https://example.com/imprint"]
[[rule]]
path = "/forbidden"
policy = "deny"
[[route]]
host = "*"
upstream = ["{}"]
[[route]]
host = "*"
path = "/down"
upstream = ["http://127.0.0.1:1"]
"##;

/// Where everything for the browser was installed, which `tests/run` does.
fn target() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"))
}

fn gateway() -> Gateway {
    gateway_with("")
}

/// One that is told more.
fn gateway_with(more: &str) -> Gateway {
    let app = App::start();
    Gateway::start(Options::default().config(&CONFIG.replace("{}", &app.url())).config(more))
}

/// Plays a scene; what it has to complain about fails the test.
fn play(scene: &str, gateway: &Gateway, more: &[(&str, &str)]) {
    let scenes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/scenes.js");
    let played = Command::new("node")
        .arg(scenes)
        .arg(scene)
        .env("BROWSER_MODULES", target().join("browser/node_modules"))
        .env("PICTURES", target().join("pictures"))
        .env("CHROMIUM", "/usr/bin/chromium")
        .env("GATEWAY", format!("http://{}", gateway.address))
        .envs(more.iter().copied())
        .output()
        .expect("node, which tests/run installs");
    let said = String::from_utf8_lossy(&played.stderr);
    assert!(played.status.success(), "{scene}: {said}\n{}", gateway.log());
}

/// Plays a scene of somebody who is enrolled.
fn play_as(name: &str, scene: &str, more: &[(&str, &str)]) {
    let gateway = gateway();
    let known =
        ["--email", "ann@example.com", "--display-name", "Ann Example", "--group", "admins"];
    let args = [&["user", "add", name, "--password-stdin", "--totp"], &known[..]].concat();
    let added = gateway.json(&args, ADMIN_PASSWORD);
    let secret = added["totp"]["secret"].as_str().unwrap();
    for number in 0..60 {
        let name = if number == 0 { String::from("bob") } else { format!("person-{number}") };
        let mail = format!("{name}@example.com");
        let args = ["user", "add", &name, "--email", &mail, "--group", "staff", "--password-stdin"];
        gateway.json(&args, ADMIN_PASSWORD);
    }
    let who = [("NAME", name), ("PASSWORD", ADMIN_PASSWORD), ("SECRET", secret)];
    play(scene, &gateway, &[&who, more].concat());
}

#[test]
fn the_first_administrator_needs_no_mouse() {
    let gateway = gateway();
    let greeting = gateway.greeting();
    let link = greeting.split_whitespace().find(|word| word.contains("/setup?token="));
    play("first_run", &gateway, &[("SETUP", link.expect("a setup link"))]);
}

#[test]
fn signing_in_looks_right_everywhere_and_is_open_to_everybody() {
    play_as("ann", "sign_in", &[]);
}

#[test]
fn longer_words_and_other_letters_have_room_as_well() {
    play_as("ann", "sign_in", &[("LOCALE", "de")]);
    play_as("ann", "console", &[("LOCALE", "ja")]);
}

#[test]
fn the_console_looks_right_everywhere_and_is_open_to_everybody() {
    play_as("ann", "console", &[]);
}

/// Where a password is enough for whoever has nothing more.
const LENIENT: &str = "[access]\ndefault_policy = \"one_factor\"\n";

/// Plays a scene of somebody who was added with these arguments.
fn play_with(scene: &str, config: &str, args: &[&str]) {
    let gateway = gateway_with(config);
    let args = [&["user", "add", "ann", "--password-stdin"], args].concat();
    let added = gateway.json(&args, ADMIN_PASSWORD);
    let (secret, codes) = (added["totp"]["secret"].as_str(), added["recovery_codes"].to_string());
    let who = [("NAME", "ann"), ("PASSWORD", ADMIN_PASSWORD)];
    let more = [("SECRET", secret.unwrap_or_default()), ("RECOVERY", codes.as_str())];
    play(scene, &gateway, &[who, more].concat());
}

#[test]
fn people_who_add_themselves_hear_how_easily_their_password_is_guessed() {
    play_with("registration", &format!("{LENIENT}[registration]\nenabled = true\n"), &[]);
}

#[test]
fn an_invitation_is_accepted_in_a_browser() {
    let gateway = gateway_with(LENIENT);
    let invited = gateway.json(&["user", "add", "carol"], "");
    play("invitation", &gateway, &[("INVITE", invited["invite_url"].as_str().unwrap())]);
}

#[test]
fn whoever_has_to_choose_another_password_does() {
    play_with("forced_change", LENIENT, &["--must-change-password"]);
}

#[test]
fn whoever_is_locked_out_reads_until_when_in_their_own_time() {
    play_with("lockout", "[limits]\nlockout_after = 3\n", &[]);
}

#[test]
fn whoever_has_a_clock_that_is_off_reads_what_to_do() {
    play_with("clock_off", "", &["--totp"]);
}

#[test]
fn the_last_recovery_codes_are_announced() {
    play_with("last_codes", "", &["--totp"]);
}

#[test]
fn somebody_adds_an_authenticator_and_takes_it_away() {
    play_with("own_authenticator", LENIENT, &[]);
}

#[test]
fn many_sessions_are_paged_and_ended_by_keyboard() {
    play_with("many_places", LENIENT, &[]);
}

#[test]
fn everything_works_without_the_script() {
    play_as("ann", "without_script", &[]);
}
