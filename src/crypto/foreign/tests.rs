use super::*;
use crate::crypto::{HashParams, Password, PasswordHash};
use crate::types::UserId;

const PASSWORD: &str = "correct horse battery";
const ANN: UserId = UserId::from_bytes([1; 16]);

/// Of [`PASSWORD`], each made by the program that stands before it.
const MADE: [(&str, &str); 18] = [
    (
        "openssl passwd -6",
        "$6$vestibule$ezSMqVxvixQ/XH025A/PeWh/1NfuyjQGg7OpBtZlBX/T0ioYdtCc0k8b6ipyHJrxr6qfsMziTSpNSF1.wgOA01",
    ),
    ("openssl passwd -5", "$5$vestibule$lkM8ptOCE1k0I4xVmn9Gxs638eHtQFqJ9JGIV.X5I3."),
    (
        "crypt(3)",
        "$6$rounds=50000$saltstring.salt/$aAKtduCx5S5bCHa9keuj3J397inUKtfBocE0Tp8BnfwsV8sCq8ZW5S2AjITKQa8Vsf0KzzyfNqAGy7Chn/tF2/",
    ),
    ("htpasswd -B", "$2y$05$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N."),
    ("passlib bcrypt", "$2b$05$sB/g2XEKiwbt5.Z0Gb32BeI.rqqEyt7rCcJ43KVFGyA3ZtHO22liG"),
    (
        "passlib bcrypt_sha256",
        "$bcrypt-sha256$v=2,t=2b,r=5$eXY0s14oqride1HQiUZWfO$mepaDlYT7YxaUydjWpwVNIxmDKhEX0W",
    ),
    (
        "hashlib scrypt",
        "$scrypt$ln=14,r=8,p=1$c2l4dGVlbiBieXRlcyBvaw$Dv99HshPRG57Gr3txOmT/+Dnj9tgAKS5aTlg0+0f9ZA",
    ),
    (
        "passlib scrypt",
        "$scrypt$ln=10,r=8,p=2$jZHSmhOCcM4ZI2SslfI+pw$Y8q1XqgM2qj/QRYtRiL0mwxKX73Q6ljViaA+NvXmkoc",
    ),
    ("hashlib sha1", "$pbkdf2-sha1$1000$c2l4dGVlbiBieXRlcyBvaw$8rDWPPZ3.X5ztnq8MTtlbYmMrwc"),
    (
        "hashlib sha224",
        "$pbkdf2-sha224$1000$c2l4dGVlbiBieXRlcyBvaw$r1dyMmp6QPqcUrdgLM2tFisDY5VxDHQ0gbqwSg",
    ),
    (
        "hashlib sha256",
        "$pbkdf2-sha256$1000$c2l4dGVlbiBieXRlcyBvaw$pSoC2VUDS0BVZIqmG5B64io7wMLf0qC6YiBWOAkxANM",
    ),
    (
        "hashlib sha384",
        "$pbkdf2-sha384$1000$c2l4dGVlbiBieXRlcyBvaw$9YQnL8TWrpivqcjloOMW1VBvXPsaA/w9x62jG1G3yaewe/.MmHOTo4P3G7j7JzN4",
    ),
    (
        "hashlib sha512",
        "$pbkdf2-sha512$1000$c2l4dGVlbiBieXRlcyBvaw$8pIGjYoUZDNxrNWbHDQlNZGiWXcEMWOS2TLAQhkILVWcgh6MZDyAHXxU70VwU1XrwNdnTN5UY5AfqKoNs1UhWw",
    ),
    (
        "passlib pbkdf2_sha512",
        "$pbkdf2-sha512$1000$G4NQao1RCuFcCwGAcI7xvg$AAH32aJ/r4MWGN0t9aD83RFOsF/vmJlLRDzDIHrGEVybzLKjVFJR6O7OJ2/qcV0/jZV9OGrtTOPy4pAgSvQKMw",
    ),
    ("passlib pbkdf2_sha1", "$pbkdf2$1000$lZJyjtFaa42xlvJ.L.W8Vw$dKnmI8H3SQeD6LbQTHsMMNvRxfM"),
    (
        "argon2-cffi",
        "$argon2id$v=19$m=1024,t=3,p=4$uFdqzXnvfe/9f6917l0LwQ$klcKf3AFG0HOFa85qCZTtZLdeQpnBH5HgvE1OIJYATM",
    ),
    (
        "argon2-cffi",
        "$argon2i$v=19$m=1024,t=3,p=4$HkMI4TwnREhJqRUCAECIEQ$SSbjRK4PT/RBuQwZK8W3c2jplmSO17e6daZmCsXtn38",
    ),
    (
        "argon2-cffi",
        "$argon2d$v=19$m=1024,t=3,p=4$YgzhXIuR8r73HoNwDkGIcQ$rp6qi411gjXK8K+RKFo3ynwHZAXCDZdmHT4+UMuH0Ic",
    ),
];

/// Of "password", as Authelia's manual shows it.
const DOCUMENTED: &str =
    "$argon2id$v=19$m=65536,t=3,p=2$BpLnfgDsc2WD8F2q$o/vzA4myCqZZ36bUGsDY//8mKUYNZZaR0t4MFFSs+iM";

fn fits(hash: &PasswordHash, password: &str) -> bool {
    hash.verify(ANN, &Password::new(password).unwrap()).is_some()
}

#[test]
fn a_hash_of_another_program_fits_its_password_and_no_other() {
    for (program, text) in MADE {
        let hash = PasswordHash::foreign(text).unwrap_or_else(|why| panic!("{program}: {why}"));
        assert!(fits(&hash, PASSWORD), "{program}");
        assert!(!fits(&hash, "correct horse batterz"), "{program}");
        assert!(!fits(&hash, "correct horse battery "), "{program}");
        assert!(!fits(&hash.decoy(), PASSWORD), "{program}");
        assert!(!hash.is_current(HashParams::default()), "{program}");
    }
    assert!(fits(&PasswordHash::foreign(DOCUMENTED).unwrap(), "password"));
}

#[test]
fn a_hash_of_another_program_survives_being_written_and_read_and_never_passes_for_ours() {
    for (program, text) in MADE {
        let hash = PasswordHash::foreign(text).unwrap();
        let again = PasswordHash::from_phc(hash.to_phc().reveal()).unwrap();
        assert!(again == hash && fits(&again, PASSWORD), "{program}");
        assert!(!format!("{hash:?}").contains('$'), "{program}");
    }
    // Ours, word for word, but brought in from elsewhere.
    let ours = PasswordHash::create(
        &Password::new(PASSWORD).unwrap(),
        HashParams { memory_kib: 64, iterations: 1 },
    );
    let brought = PasswordHash::foreign(ours.unwrap().to_phc().reveal()).unwrap();
    let again = PasswordHash::from_phc(brought.to_phc().reveal()).unwrap();
    assert!(again.is_foreign() && fits(&again, PASSWORD));
}

#[test]
fn marks_of_directories_before_a_hash_are_passed_over() {
    let (_, crypt) = MADE[0];
    let (_, argon2) = MADE[15];
    for text in [format!("{{CRYPT}}{crypt}"), format!("{{ARGON2}}{argon2}")] {
        assert!(fits(&PasswordHash::foreign(&text).unwrap(), PASSWORD), "{text}");
    }
}

#[test]
fn what_would_exhaust_the_machine_is_refused_where_it_is_read() {
    use ForeignError::{Memory, Time};
    let bcrypt = "$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N.";
    let tail = "$c2l4dGVlbiBieXRlcyBvaw$Dv99HshPRG57Gr3txOmT/+Dnj9tgAKS5aTlg0+0f9ZA";
    let key = "A".repeat(85) + "1";
    for (text, why) in [
        (format!("$argon2id$v=19$m=67108864,t=1,p=1{tail}"), Memory), // 64 GiB
        (format!("$argon2id$v=19$m=262145,t=1,p=1{tail}"), Memory),
        (format!("$argon2id$v=19$m=65536,t=1073741824,p=1{tail}"), Time),
        (format!("$argon2id$v=19$m=65536,t=20,p=1{tail}"), Time),
        (format!("$argon2id$v=19$m=65536,t=99999999999,p=1{tail}"), Time),
        (format!("$scrypt$ln=19,r=8,p=1{tail}"), Memory),
        (format!("$scrypt$ln=63,r=8,p=1{tail}"), Memory),
        (format!("$scrypt$ln=200,r=8,p=1{tail}"), Memory),
        (format!("$scrypt$ln=4,r=8,p=134217727{tail}"), Memory),
        (format!("$scrypt$ln=16,r=8,p=64{tail}"), Time),
        (format!("$scrypt$ln=1,r=1,p=2000000{tail}"), Time),
        (format!("$pbkdf2-sha512$1073741824{tail}"), Time),
        (format!("$pbkdf2-sha512$3000000{tail}"), Time),
        (format!("$pbkdf2-sha512$4294967296{tail}"), Time),
        (format!("$6$rounds=999999999$salt${key}"), Time),
        (format!("$6$rounds=700000$salt${key}"), Time),
        (format!("$2y$15{bcrypt}"), Time),
        (format!("$2y$31{bcrypt}"), Time),
        (
            String::from(
                "$bcrypt-sha256$v=2,t=2b,r=31$eXY0s14oqride1HQiUZWfO$mepaDlYT7YxaUydjWpwVNIxmDKhEX0W",
            ),
            Time,
        ),
    ] {
        assert_eq!(PasswordHash::foreign(&text).err(), Some(why), "{text}");
    }
    // What programs do make, at their dearest.
    for text in [
        format!("$argon2id$v=19$m=262144,t=3,p=4{tail}"),
        format!("$scrypt$ln=17,r=8,p=1{tail}"),
        format!("$pbkdf2-sha512$1000000{tail}"),
        format!("$6$rounds=656000$salt${key}"),
        format!("$2y$14{bcrypt}"),
    ] {
        assert!(PasswordHash::foreign(&text).is_ok(), "{text}");
    }
}

#[test]
fn no_hash_is_checked_for_nothing() {
    let cheap = "$scrypt$ln=1,r=1,p=1$c2FsdHNhbHQ$QUFBQUFBQUFBQUFBQUFBQQ";
    for text in MADE.map(|(_, text)| text).into_iter().chain([cheap]) {
        assert!(ForeignHash::take(text).unwrap().price().time > 0, "{text}");
    }
}

#[test]
fn a_key_of_several_blocks_counts_for_each() {
    let key = |bytes: usize| "A".repeat((bytes * 8).div_ceil(6));
    let text = |bytes| format!("$pbkdf2-sha1$4000000$c2FsdHNhbHQ${}", key(bytes));
    assert!(PasswordHash::foreign(&text(20)).is_ok());
    assert_eq!(PasswordHash::foreign(&text(64)).err(), Some(ForeignError::Time));
}

#[test]
fn a_hash_that_an_earlier_version_took_is_read_though_it_would_not_be_taken_now() {
    let bcrypt = "$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N.";
    let tail = "$c2l4dGVlbiBieXRlcyBvaw$Dv99HshPRG57Gr3txOmT/+Dnj9tgAKS5aTlg0+0f9ZA";
    for text in [
        format!("$argon2id$v=19$m=65536,t=64,p=1{tail}"),
        format!("$scrypt$ln=16,r=8,p=32{tail}"),
        format!("$6$rounds=1000000$salt${}", "A".repeat(86)),
        format!("$2y$15{bcrypt}"),
    ] {
        assert!(PasswordHash::foreign(&text).is_err(), "{text}");
        assert!(PasswordHash::from_phc(&format!("foreign {text}")).is_some(), "{text}");
    }
    assert!(PasswordHash::from_phc(&format!("foreign $2y$20{bcrypt}")).is_none());
}

#[test]
fn what_is_no_hash_that_is_known_is_refused() {
    let tail = "$c2l4dGVlbiBieXRlcyBvaw$Dv99HshPRG57Gr3txOmT/+Dnj9tgAKS5aTlg0+0f9ZA";
    for text in [
        "",
        "$",
        "correct horse battery",
        "$plaintext$correct",
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$y$j75$z7ztFz2FayrKI79/jEwlL.$u5x/j193MQ09wbFaRGYr0AH/A/jh3kunjuhYRVRNkmC",
        "$2x$05$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N.",
        "$2y$05$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N",
        "$2y$03$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N.",
        "$2y$+5$74kKvQ.UiOI1LZIAI74oGu0wP17/C6n0ELnMlSYZIUj1IEbAsU.N.",
        "$bcrypt-sha256$v=1,t=2b,r=5$eXY0s14oqride1HQiUZWfO$mepaDlYT7YxaUydjWpwVNIxmDKhEX0W",
        "$6$rounds=999$salt$AAAA",
        "$6$salt$",
        // Of the first only a byte is left, which every 256th password fits.
        "$pbkdf2$40$c2FsdHNhbHQ$00",
        "$pbkdf2-sha256$1000$c2FsdHNhbHQ$QUFBQUFBQUFBQUFBQUFB",
        "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$QUFBQUFBQUE",
        // Their last digits say more than a byte has bits left: no password would be looked at.
        "$5$vestibule$lkM8ptOCE1k0I4xVmn9Gxs638eHtQFqJ9JGIV.X5I3E",
        "$6$vestibule$ezSMqVxvixQ/XH025A/PeWh/1NfuyjQGg7OpBtZlBX/T0ioYdtCc0k8b6ipyHJrxr6qfsMziTSpNSF1.wgOA02",
        "$argon2id$v=16$m=1024,t=3,p=4$c2FsdHNhbHQ$QUFBQUFBQUE",
        "$argon2id$v=19$m=4,t=3,p=4$c2FsdHNhbHQ$QUFBQUFBQUE",
        "$argon2id$v=19$m=1024,t=0,p=4$c2FsdHNhbHQ$QUFBQUFBQUE",
        "$argon2id$v=19$m=1024,t=1,p=4$c2FsdA$QUFBQUFBQUE",
        "$argon2id$v=19$m=1024,t=1,p=4$c2FsdHNhbHQ$",
        "$argon2id$v=19$m=1024,t=1$c2FsdHNhbHQ$QUFBQUFBQUE",
    ] {
        assert_eq!(PasswordHash::foreign(text).err(), Some(ForeignError::Unknown), "{text}");
    }
    for costs in
        ["$pbkdf2-sha512$0", "$pbkdf2-md5$1000", "$scrypt$ln=4,r=0,p=1", "$scrypt$ln=4,r=8"]
    {
        assert!(PasswordHash::foreign(&format!("{costs}{tail}")).is_err(), "{costs}");
    }
}

#[test]
fn what_bcrypt_cannot_tell_apart_is_refused() {
    let long = "x".repeat(72);
    let of_long = "$2b$04$I7Ie1oGqlIKNAjGy.JN83uoQwcdFPaPk.TE/m2fIZYj6kPpv6wRn.";
    let of_long = PasswordHash::foreign(of_long).unwrap();
    assert!(fits(&of_long, &long));
    // bcrypt would cut it, and say yes.
    assert!(!fits(&of_long, &format!("{long}x")));
    // The hash of the empty password, which nobody can type, is not that of a NUL either.
    let empty = "$2b$04$tL8BsLfJw9IGzjW6R00MnO3AqFkmedw.G8AluI7AajpB7lJkdL54m";
    let empty = PasswordHash::foreign(empty).unwrap();
    assert!(!fits(&empty, "\0") && !fits(&empty, "\0\0"));
}

#[test]
fn a_hash_of_another_program_is_of_the_password_as_it_was_typed() {
    let hash = "$6$rounds=1000$PD0INfsLXE6UG2.k$aL341RATbiRQOPPtCHDo8JzwNy854i5NGjbbysWcpCxCuy9BIay8eSWurFtw.btv/QQEW5tJUntS8120puECX/";
    let hash = PasswordHash::foreign(hash).unwrap();
    assert!(fits(&hash, "\u{fb01}re and water \u{b2}"));
    assert!(!fits(&hash, "fire and water 2"));
}

#[test]
fn only_what_takes_as_long_is_like_it() {
    let [hash, other] = [MADE[0], MADE[2]].map(|(_, text)| PasswordHash::foreign(text).unwrap());
    assert!(hash.costs_like(&hash.decoy()));
    assert!(!hash.costs_like(&other));
}
