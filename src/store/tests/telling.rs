use super::bench::*;
use super::inside::{Moody, moody};
use crate::domain::{Entry, FailureRules, LinkPurpose, UserChange};
use crate::store::kv::Batch;
use crate::store::{
    Added, Counters as _, Effect, KvStore, OneTime, Onward, Sessions as _, SignIns as _, Step,
    Users as _, layout,
};
use std::sync::{Arc, Mutex};

/// The entries that a batch has, by name, and whether it has anything else.
fn told(batch: &Batch) -> (Vec<String>, bool) {
    let is_entry = |key: &[u8]| key.starts_with(&[layout::TRAIL]);
    let entries = batch.iter().filter(|(key, _)| is_entry(key));
    let name = |row: &Vec<u8>| serde_json::from_slice::<Entry>(&row[1..]).unwrap().event;
    let names = entries.filter_map(|(_, row)| row.as_ref().map(name)).collect();
    let is_else = |key: &[u8]| !is_entry(key) && key != layout::TIP && key != layout::INVENTORY;
    (names, batch.keys().any(|key| is_else(key)))
}

/// Awaits an act, which must be one batch, with these entries and with what they tell of.
macro_rules! one_batch {
    ($engine:ident, $act:expr, $($event:literal)*) => {{
        $engine.applied.lock().unwrap().clear();
        let acted = $act.await.unwrap();
        let batches = std::mem::take(&mut *$engine.applied.lock().unwrap());
        let batches: Vec<_> = batches.iter().map(told).collect();
        assert_eq!(batches, [(vec![$($event.to_owned()),*], true)]);
        acted
    }};
}

#[tokio::test]
async fn an_act_and_its_entry_are_one_batch() {
    let (engine, store) = moody();
    let ((set, _), link_token, next) = (codes(), digest(), digest());
    let (code, ann) = (set.digests[0], crate::domain::User { totp: Some(totp()), ..person("ann") });
    let _ = one_batch!(engine, store.add_user(ann.clone(), Some(set), HERE), "user_added");
    let _ = store.charge([1; 32], None, &FailureRules::default(), HERE).await.unwrap();
    one_batch!(engine, store.unlock(ann.id, [1; 16], HERE), "user_changed");
    let spent = store.spend_recovery_code(ann.id, code, HERE);
    let (spent, _) = one_batch!(engine, spent, "recovery_code_used").unwrap();

    store.add_link(link_token, link(Some(&ann), LinkPurpose::NewPassword, later(9))).await.unwrap();
    let (token, step) = finish(&ann, OneTime::Link(link_token), NOW);
    let Onward::Session(_, session, _) = &step.onward else { panic!("it leads to one") };
    let (id, effects) = (session.id(), vec![Effect::Change(new_password())]);
    let commit = store.commit(Step { effects, ..step });
    let _ = one_batch!(engine, commit, "link_used" "password_changed" "signed_in");
    one_batch!(engine, store.renew(token, next, spent, HERE), "second_factor_shown").unwrap();
    one_batch!(engine, store.sign_out(id, HERE), "signed_out").unwrap();

    let bob = person("bob");
    let _ = one_batch!(engine, store.add_user(bob.clone(), None, HERE), "user_added");
    let session = super::bench::session(&bob, NOW);
    let sign_in =
        |session| super::bench::step(&bob, Onward::Session(digest(), session, Vec::new()), NOW);
    let _ = one_batch!(engine, store.commit(sign_in(session.clone())), "signed_in");
    one_batch!(engine, store.revoke(session.id(), HERE), "sessions_revoked").unwrap();
    let _ = one_batch!(engine, store.commit(sign_in(session)), "signed_in");
    one_batch!(engine, store.revoke_all(None, HERE), "sessions_revoked");
    let disable = store.change_user(bob.id, vec![UserChange::Disabled(true)], HERE);
    one_batch!(engine, disable, "user_changed").unwrap().unwrap();
    one_batch!(engine, store.remove_user(bob.id, NO_COUNTERS, HERE), "user_removed").unwrap();
}

#[tokio::test]
async fn what_finds_nothing_to_do_tells_nothing() {
    let (engine, store) = moody();
    let (ann, bob) = (person("ann"), person("bob"));
    assert_eq!(store.add_user(ann.clone(), None, HERE).await, Ok(Added::Done));
    engine.applied.lock().unwrap().clear();
    assert_eq!(store.add_user(ann.clone(), None, HERE).await, Ok(Added::NameTaken));
    assert!(store.remove_user(bob.id, NO_COUNTERS, HERE).await.unwrap().is_none());
    assert!(store.change_user(bob.id, vec![new_password()], HERE).await.unwrap().is_none());
    assert!(store.spend_recovery_code(ann.id, codes().0.digests[0], HERE).await.unwrap().is_none());
    let id = session(&ann, NOW).id();
    assert!(store.sign_out(id, HERE).await.unwrap().is_none());
    assert!(store.revoke(id, HERE).await.unwrap().is_none());
    assert_eq!(store.revoke_all(None, HERE).await, Ok(0));
    let void = Step { credentials: 7, ..step(&ann, Onward::Same(id), NOW) };
    let _ = store.commit(void).await.unwrap();
    assert_eq!(engine.applied.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn nobody_hears_of_what_did_not_reach_the_disk() {
    let (engine, heard) = (Arc::new(Moody::default()), Arc::new(Mutex::new(Vec::new())));
    let hears = Arc::clone(&heard);
    let store = KvStore::over(engine.clone(), keys(0)).unwrap();
    let store = store.heard(Arc::new(move |one| hears.lock().unwrap().push(one.event.name())));
    *engine.failing.lock().unwrap() = true;
    assert!(store.add_user(person("ann"), None, HERE).await.is_err());
    *engine.failing.lock().unwrap() = false;
    assert_eq!(heard.lock().unwrap().len(), 0);
    assert_eq!(store.add_user(person("bob"), None, HERE).await, Ok(Added::Done));
    assert_eq!(store.add_user(person("bob"), None, HERE).await, Ok(Added::NameTaken));
    assert_eq!(*heard.lock().unwrap(), ["user_added"]);
}
