//! A gateway that cannot start says why in one sentence, and leaves everything as it was.

use crate::harness::{App, Gateway, Options, Person, TempDir, free_port, run};
use std::collections::BTreeMap;
use std::fs::{Permissions, read, read_dir, set_permissions, write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

/// Everything below a folder: modes, and the bytes of files.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let mode = entry.metadata().unwrap().permissions().mode();
        if kind.is_dir() {
            found.append(&mut contents(&path));
        }
        let bytes = if kind.is_file() { read(&path).unwrap() } else { Vec::new() };
        found.insert(path, (mode, bytes));
    }
    found
}

/// A data folder in which a gateway has worked, at rest.
fn used_folder() -> TempDir {
    let app = App::start();
    let folder = Arc::new(TempDir::new());
    let mut gateway = Gateway::on(Arc::clone(&folder), Options::upstream(&app.url()));
    Person::add(&gateway, "ann");
    gateway.stop();
    drop(gateway);
    Arc::into_inner(folder).expect("nobody else uses the folder")
}

/// Starts a gateway that must not start.
fn start(folder: &TempDir, address: SocketAddr, more: &[&str]) -> Output {
    let data = folder.join("data").display().to_string();
    // Not the usual health address, which somebody else may have.
    let config = folder.join("other.toml");
    write(&config, "[server]\nadmin_listen = \"\"\n").unwrap();
    let (config, address) = (config.display().to_string(), address.to_string());
    let usual = ["serve", "--config", &config, "--data", &data, "--listen", &address];
    run(&[usual.as_slice(), more].concat(), "")
}

/// It failed with exit 1 and one sentence that names what is at fault and what to do.
fn assert_sentence(output: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(said.starts_with("vestibule: "), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing in {said}");
    }
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Spoils a used folder, sees that the gateway refuses it in these words, commands likewise, and
/// that nothing was changed.
fn refused(spoil: impl FnOnce(&TempDir), parts: &[&str]) {
    let folder = used_folder();
    spoil(&folder);
    let before = contents(&folder.join("data"));
    assert_sentence(&start(&folder, free_port(), &[]), parts);
    assert!(contents(&folder.join("data")) == before, "starting changed the folder");
    let data = folder.join("data").display().to_string();
    assert_sentence(&run(&["user", "list", "--data", &data], ""), parts);
    assert!(contents(&folder.join("data")) == before, "a command changed the folder");
}

fn key(folder: &TempDir) -> PathBuf {
    folder.join("data").join("master.key")
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let marker = |folder: &TempDir| folder.join("data").join("store").join("vestibule.store");
    refused(
        |folder| {
            let text = std::fs::read_to_string(marker(folder)).unwrap();
            assert!(text.contains("\"format\":2"), "{text}");
            write(marker(folder), text.replace("\"format\":2", "\"format\":3")).unwrap();
        },
        &["newer version", "format 3", "/data/store", "run that version"],
    );
}

#[test]
fn a_store_under_another_master_key_is_refused() {
    refused(
        |folder| write(key(folder), b"another key, of thirty-two bytes").unwrap(),
        &["another master key", "/data/store", "key file"],
    );
}

#[test]
fn a_lost_master_key_is_not_replaced_by_a_new_one() {
    refused(
        |folder| std::fs::remove_file(key(folder)).unwrap(),
        &["master key", "/data/master.key", "missing"],
    );
}

#[test]
fn a_short_master_key_is_refused() {
    refused(
        |folder| write(key(folder), b"one byte less than is asked for").unwrap(),
        &["/data/master.key", "32 bytes", "/dev/urandom"],
    );
}

#[test]
fn a_master_key_that_others_can_read_is_refused() {
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let folder = TempDir::new();
        std::fs::create_dir(folder.join("data")).unwrap();
        write(key(&folder), [7; 32]).unwrap();
        set_permissions(key(&folder), Permissions::from_mode(mode)).unwrap();
        let before = contents(&folder.join("data"));
        let output = start(&folder, free_port(), &[]);
        let mode = format!("{mode:o}");
        assert_sentence(&output, &["/data/master.key", &mode, "chmod 600"]);
        assert!(contents(&folder.join("data")) == before);
    }
}

#[test]
fn a_master_key_that_cannot_be_read_is_refused() {
    // A folder, since the one who runs the tests may be allowed to read any file.
    refused(
        |folder| {
            std::fs::remove_file(key(folder)).unwrap();
            std::fs::create_dir(key(folder)).unwrap();
        },
        &["cannot read the master key", "/data/master.key"],
    );
}

#[test]
fn a_damaged_store_is_refused() {
    refused(
        |folder| std::fs::remove_file(folder.join("data").join("store").join("db")).unwrap(),
        &["/data/store", "damaged", "restore a backup"],
    );
}

#[test]
fn a_second_gateway_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let folder = Arc::new(TempDir::new());
    let gateway = Gateway::on(Arc::clone(&folder), Options::default());
    Person::add(&gateway, "ann");
    let names = |folder: &TempDir| contents(&folder.join("data")).into_keys().collect::<Vec<_>>();
    let before = names(&folder);
    let output = start(&folder, free_port(), &[]);
    assert_sentence(&output, &["another vestibule uses the store", "/data/store"]);
    assert_eq!(names(&folder), before);
    // The first still has its administration socket.
    assert_eq!(gateway.json(&["user", "list"], "")[0]["username"], "ann");
    assert!(gateway.command(&["health", "--ready"]).status.success());
}

#[test]
fn an_address_that_is_taken_is_named_and_the_folder_is_left_alone() {
    let folder = used_folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let before = contents(&folder.join("data"));
    let output = start(&folder, address, &[]);
    assert_sentence(&output, &[&address.to_string(), "--listen"]);
    assert!(contents(&folder.join("data")) == before, "starting changed the folder");
    // Nor is a new one made.
    let folder = TempDir::new();
    assert_sentence(&start(&folder, address, &[]), &[&address.to_string()]);
    assert!(!folder.join("data").exists(), "starting made a folder");
}

#[test]
fn a_socket_that_another_program_listens_on_is_not_taken_from_it() {
    let folder = TempDir::new();
    let path = folder.join("taken.sock");
    let _taken = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let listen = format!("unix:{}", path.display());
    let public = ["--listen", &listen, "--public-url", "http://127.0.0.1:1"];
    let output = start(&folder, free_port(), &public);
    assert_sentence(&output, &["taken.sock"]);
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok(), "its socket is gone");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = TempDir::new();
    write(folder.join("data"), "a file").unwrap();
    let output = start(&folder, free_port(), &[]);
    assert_sentence(&output, &["/data"]);
    assert_eq!(read(folder.join("data")).unwrap(), b"a file");
}

#[test]
fn a_malformed_configuration_is_refused_with_every_fault_and_its_line() {
    let folder = TempDir::new();
    let config = folder.join("bad.toml");
    let text = "data_dir = \"DATA\"\n[server]\nlisten = [\"nowhere\"]\n[sesion]\nidle = \"1h\"\n\
                [session]\nlifetime = \"5x\"\n[totp]\ndigits = 5\n[limits]\nlockout_after = 0\n";
    let text = text.replace("DATA", &folder.join("data").display().to_string());
    write(&config, text).unwrap();
    let config = config.display().to_string();
    let before = contents(folder.path());
    for command in [
        &["serve"][..],
        &[],
        &["config", "check"],
        &["config", "show"],
        &["user", "list"],
        &["session", "list"],
        &["health"],
    ] {
        let output = run(&[command, &["--config", &config]].concat(), "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        assert!(output.stdout.is_empty(), "{command:?}");
        for (line, key) in [
            (3, "server.listen"),
            (4, "sesion"),
            (7, "session.lifetime"),
            (9, "totp.digits"),
            (11, "limits.lockout_after"),
        ] {
            let told = format!("{config}:{line}: {key}: ");
            assert!(said.lines().any(|each| each.starts_with(&told)), "{told} in {said}");
        }
        assert!(said.contains("did you mean [session]?"), "{said}");
        assert_eq!(said.lines().count(), 5, "{said}");
    }
    assert!(contents(folder.path()) == before);
}

#[test]
fn what_is_no_toml_or_no_file_is_refused_with_its_place() {
    let folder = TempDir::new();
    let path = folder.join("bad.toml");
    let config = path.display().to_string();
    for (text, part) in [
        ("[server\nlisten = []\n", ":1: "),
        ("\n\n[server]\nlisten = [\"127.0.0.1:1\"\n", ":4: "),
        ("a = 1\na = 2\n", ":2: "),
    ] {
        write(&path, text).unwrap();
        let output = run(&["config", "check", &config], "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with(&format!("{config}{part}")), "{said}");
    }
    write(&path, [0xff, 0xfe]).unwrap();
    let binary = run(&["serve", "--config", &config], "");
    let missing = run(&["serve", "--config", "/nowhere/at/all.toml"], "");
    for (output, part) in [(binary, config.as_str()), (missing, "/nowhere/at/all.toml")] {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part) && said.contains("--config"), "{said}");
    }
}

#[test]
fn wrong_usage_is_told_from_failure_by_its_exit_code() {
    for args in [
        &["no-such-command"][..],
        &["serve", "--no-such-option"],
        &["user"],
        &["user", "add"],
        &["session", "revoke"],
        &["session", "revoke", "--all", "--user", "ann"],
        &["session", "revoke", "not-an-id"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--public-url", "not a url"],
        &["serve", "--upstream", "gopher://app"],
    ] {
        let output = run(args, "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(!said.is_empty() && output.stdout.is_empty(), "{args:?}");
    }
}
