//! What only a store on disk can show: opening again, and being refused.

use super::bench::*;
use super::sessions::sign_in_often;
use crate::domain::FailureRules;
use crate::store::{
    Added, Counters as _, KvStore, OpenError, Sessions as _, SignIns as _, Stepped, Upkeep as _,
    Users as _,
};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) fn open(path: &Path) -> KvStore {
    KvStore::open(path, keys(0)).unwrap()
}

pub(super) fn refused(path: &Path, first_key_byte: u8) -> OpenError {
    match KvStore::open(path, keys(first_key_byte)) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

/// Every file below a folder, with its bytes.
fn snapshot(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
            files.insert(path, Vec::new());
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// A closed store with one person in it.
pub(super) async fn closed() -> (Folder, crate::domain::User) {
    let folder = Folder::new();
    let store = open(folder.path());
    let ann = person("ann");
    assert_eq!(store.add_user(ann.clone(), None, HERE).await, Ok(Added::Done));
    (folder, ann)
}

#[tokio::test]
async fn reopening_finds_everything() {
    let folder = Folder::new();
    let (mut ann, factor, (set, fresh)) = (person("ann"), totp(), codes());
    ann.totp = Some(factor.clone());
    let (token, name, rules) = (digest(), [3; 32], FailureRules::default());
    {
        let store = open(folder.path());
        assert_eq!(store.add_user(ann.clone(), Some(set.clone()), HERE).await, Ok(Added::Done));
        assert!(store.spend_totp_step(matched(ann.id, &factor, NOW)).await.unwrap().is_some());
        let onward = crate::store::Onward::Session(token, session(&ann, NOW), fresh.clone());
        assert_eq!(store.commit(step(&ann, onward, NOW)).await, Ok(Stepped::Done));
        let _ = store.charge(name, None, &rules, HERE).await.unwrap();
        store.touch(vec![(token, later(9))]).await.unwrap();
    }
    let store = open(folder.path());
    let (session, user) = store.session(token).await.unwrap().unwrap();
    assert_eq!((session.last_seen_at(), user.id), (later(9), ann.id));
    assert_eq!(store.recovery_set(ann.id).await.unwrap(), Some(set));
    assert_eq!(store.take_recovery_codes(token, NOW).await.unwrap().len(), fresh.len());
    assert!(store.failures(name).await.unwrap().is_some());
    let again = store.spend_totp_step(matched(ann.id, &factor, NOW)).await.unwrap();
    assert!(again.is_none(), "a used step stays used");
    let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_and_left_as_it_was() {
    let (folder, _) = closed().await;
    let marker = folder.path().join("vestibule.store");
    fs::write(&marker, "{\"format\":9,\"whatever\":[]}").unwrap();
    let before = snapshot(folder.path());
    let error = refused(folder.path(), 0);
    assert!(matches!(error, OpenError::Newer { format: 9, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(folder.path().to_str().unwrap()) && text.contains("format 9"), "{text}");
    assert_eq!(snapshot(folder.path()), before);
}

#[tokio::test]
async fn another_master_key_is_refused_and_the_store_left_as_it_was() {
    let (folder, ann) = closed().await;
    let before = snapshot(folder.path());
    let error = refused(folder.path(), 9);
    assert!(matches!(error, OpenError::OtherKey(_)), "{error}");
    assert_eq!(snapshot(folder.path()), before);
    assert!(open(folder.path()).user(ann.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_of_somebody_else_is_refused_and_left_as_it_was() {
    let (folder, _) = closed().await;
    fs::remove_file(folder.path().join("vestibule.store")).unwrap();
    let before = snapshot(folder.path());
    let error = refused(folder.path(), 0);
    assert!(matches!(error, OpenError::NotAStore(_)), "{error}");
    assert_eq!(snapshot(folder.path()), before);
}

#[tokio::test]
async fn a_store_in_use_is_refused_in_words() {
    let folder = Folder::new();
    let store = open(folder.path());
    let error = refused(folder.path(), 0);
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    assert!(error.to_string().starts_with("another vestibule uses the store "), "{error}");
    assert_eq!(store.add_user(person("ann"), None, HERE).await, Ok(Added::Done));
    drop(store);
    assert_eq!(open(folder.path()).users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_snapshot_left_unfinished_is_no_obstacle() {
    let (folder, ann) = closed().await;
    fs::write(folder.path().join("snap.00000000000000FF.generating"), b"half of it").unwrap();
    assert!(open(folder.path()).user(ann.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_that_was_begun_and_not_finished_is_begun_again() {
    let folder = Folder::new();
    fs::create_dir(folder.path()).unwrap();
    drop(open(folder.path()));
    for name in ["db", "conf"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    fs::remove_dir_all(folder.path().join("blobs")).unwrap();
    let marker = folder.path().join("vestibule.store");
    let complete = fs::read_to_string(&marker).unwrap();
    fs::write(&marker, complete.replace("true", "false")).unwrap();
    assert!(open(folder.path()).is_empty().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_churns_does_not_grow_without_end() {
    let folder = Folder::new();
    let engine = crate::store::sled::SledEngine::open(
        folder.path(),
        &keys(0),
        crate::store::sled::Floors::default(),
    );
    let bench = Bench::at(Arc::new(engine.unwrap()));
    let ann = bench.add("ann").await;
    let mut sizes = Vec::new();
    for _ in 0..10 {
        sign_in_often(&bench, &ann, 1000).await;
        while bench.store.sweep(later(86_400)).await.unwrap() > 0 {}
        assert_eq!(bench.count(b"s"), 0);
        sizes.push(size(folder.path()) >> 20);
    }
    assert!(sizes.iter().all(|mib| *mib < 64), "MiB after each round: {sizes:?}");
}

fn size(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.metadata().unwrap() {
            meta if meta.is_dir() => size(&entry.path()),
            meta => meta.blocks() * 512,
        })
        .sum()
}
