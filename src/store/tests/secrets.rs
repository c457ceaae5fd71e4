use super::bench::*;
use super::on_both_engines;
use crate::crypto::{TokenKind, new_bearer};
use crate::store::records::{self, Seal, UserRecord};
use crate::store::{Added, OneTime, Onward, SignIns as _, Stepped, StoreError, Users as _, layout};
use crate::types::UserId;

on_both_engines! {
    no_secret_is_among_the_stored_bytes
    a_sealed_value_moved_to_another_record_does_not_open
    a_record_of_a_newer_version_is_refused_in_words
}

/// Every form in which somebody might have written these bytes down.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = secret.iter().map(u8::to_string).collect();
    let texts = [
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex.to_uppercase(),
        hex,
        list.join(","),
    ];
    let mut all: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    all.push(secret.to_vec());
    all
}

async fn no_secret_is_among_the_stored_bytes(bench: &Bench) {
    let mut ann = person("ann");
    let (factor, waiting, (set, codes)) = (totp(), totp(), codes());
    ann.totp = Some(factor.clone());
    assert_eq!(bench.store.add_user(ann.clone(), Some(set), HERE).await, Ok(Added::Done));
    let (bearer, on_the_way) = (new_bearer().unwrap(), new_bearer().unwrap());
    let token = crate::crypto::digest(TokenKind::Session, &bearer);
    let onward = Onward::Session(token, session(&ann, NOW), codes.clone());
    assert_eq!(bench.commit(step(&ann, onward, NOW)).await, Stepped::Done);
    let pending_token = crate::crypto::digest(TokenKind::Pending, &on_the_way);
    let mut under_way = pending(&ann, NOW);
    under_way.enrolment = Some(waiting.secret.clone());
    let onward = Onward::Pending(pending_token, under_way);
    assert_eq!(bench.commit(step(&ann, onward, NOW)).await, Stepped::Done);

    let phc = ann.password.as_ref().unwrap().to_phc();
    let phc_hash = phc.reveal().rsplit('$').next().unwrap().to_owned();
    let mut secrets = vec![PASSWORD.into(), phc.reveal().clone().into_bytes(), phc_hash.into()];
    for totp in [&factor, &waiting] {
        secrets.extend(spellings(totp.secret.bytes()));
        secrets.push(totp.secret.as_text().reveal().clone().into_bytes());
        secrets.push(totp.secret.as_text().reveal().replace(' ', "").into_bytes());
    }
    for token in [&bearer, &on_the_way] {
        secrets.extend(spellings(token.bytes()));
    }
    for code in &codes {
        secrets.push(code.reveal().into_bytes());
        secrets.push(code.reveal().replace('-', "").into_bytes());
    }
    for (key, value) in bench.dump() {
        let row = [key, value].concat();
        for secret in &secrets {
            assert!(!row.windows(secret.len()).any(|part| part == secret), "{row:?}");
        }
    }
    assert!(bench.store.pending(pending_token, NOW).await.unwrap().unwrap().enrolment.is_some());
}

async fn a_sealed_value_moved_to_another_record_does_not_open(bench: &Bench) {
    let (ann, bob) = (bench.add("ann").await, bench.add("bob").await);
    let (from, to) = (layout::user(ann.id), layout::user(bob.id));
    let row = bench.engine.get(&from).unwrap();
    bench.engine.apply([(to, row)].into()).unwrap();
    let Err(StoreError::Corrupt(why)) = bench.store.user(bob.id).await else {
        panic!("it opened");
    };
    assert!(why.contains("password hash"), "{why}");
    let token = bench.begin(&ann, NOW).await;
    let mut under_way = bench.store.pending(token, NOW).await.unwrap().unwrap();
    under_way.enrolment = Some(totp().secret);
    assert!(bench.store.update_pending(token, under_way).await.unwrap());
    let row = bench.engine.get(&layout::pending(&token)).unwrap();
    let elsewhere = digest();
    bench.engine.apply([(layout::pending(&elsewhere), row)].into()).unwrap();
    assert!(bench.store.pending(elsewhere, NOW).await.is_err());
    let (_, step) = finish(&ann, OneTime::Pending(elsewhere), NOW);
    assert!(bench.store.commit(step).await.is_err());
}

async fn a_record_of_a_newer_version_is_refused_in_words(bench: &Bench) {
    let ann = bench.add("ann").await;
    let key = layout::user(ann.id);
    let mut row = bench.engine.get(&key).unwrap().unwrap();
    row[0] = 4;
    bench.engine.apply([(key, Some(row))].into()).unwrap();
    let error = bench.store.user(ann.id).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store holds something unreadable: a person's record was written by a newer version \
         of vestibule (record version 4; this one knows 3 and older)"
    );
}

/// Rows as version 1 wrote them. Whoever has to change this test has to raise the version.
#[test]
fn yesterdays_records_still_read() {
    let until = |json: &str| [b"\x01\0\0\0\0\0\0\0\x05", json.as_bytes()].concat();
    let user: UserRecord = records::unpack(
        "a record",
        b"\x01{\"username\":\"ann\",\"email\":\"ann@example.org\",\"display_name\":null,\
          \"groups\":[\"admins\"],\"password\":null,\"totp\":null,\"disabled\":false,\
          \"must_change_password\":true,\"enrol_by_link\":false,\"credentials\":3,\
          \"created_at\":1800000000}",
    )
    .unwrap();
    let id = UserId::from_bytes([7; 16]);
    let user = user.open(id, Seal { keys: &keys(0), row: b"u" }).unwrap();
    assert_eq!((user.credentials, user.created_at), (3, NOW));
    let session: crate::domain::Session =
        records::unpack_until("a session", &until(SESSION)).unwrap();
    assert_eq!((session.user(), session.ends_at()), (id, later(3600)));
    let link: crate::domain::Link = records::unpack_until("a link", &until(LINK)).unwrap();
    assert_eq!(link.expires_at, NOW);
    let failures: crate::domain::Failures =
        records::unpack_until("a counter", &until(FAILURES)).unwrap();
    assert_eq!(failures.forgotten_at(), NOW);
    assert_eq!(records::due(&until(LINK)).unwrap().as_secs(), 5);
}

const SESSION: &str = "{\"id\":\"08080808080808080808080808080808\",\
    \"user\":\"07070707070707070707070707070707\",\"created_at\":1800000000,\
    \"password_at\":1800000000,\"second_factor\":[\"totp\",1800000000],\
    \"last_seen_at\":1800000000,\"idle_secs\":3600,\"expires_at\":1800086400,\
    \"client\":\"192.0.2.7\",\"user_agent\":\"a browser\"}";
const LINK: &str = "{\"purpose\":\"new_password\",\"user\":null,\"expires_at\":1800000000}";
const FAILURES: &str = "{\"count\":3,\"last_at\":1799999000,\"locked_until\":1800000000}";
