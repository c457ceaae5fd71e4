//! Damaged files are refused in words, or do no harm. They never make a store that has less in it.

use super::bench::*;
use super::disk::{closed, open, refused};
use crate::store::kv::Engine as _;
use crate::store::sled::{Floors, SledEngine};
use crate::store::{KvStore, OpenError, StoreError, Users as _, layout};
use std::fs;
use std::path::Path;

#[tokio::test]
async fn a_row_that_vanished_is_noticed() {
    let (folder, ann) = closed().await;
    for key in [layout::user(ann.id), layout::username("ann"), layout::INVENTORY.to_vec()] {
        let copy = copy_of(folder.path());
        {
            let engine = SledEngine::open(copy.path(), &keys(0), Floors::default()).unwrap();
            engine.apply([(key, None)].into()).unwrap();
            engine.sync().unwrap();
        }
        let error = refused(copy.path(), 0);
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert!(error.to_string().ends_with("move it aside and restore a backup"), "{error}");
    }
}

#[tokio::test]
async fn files_that_vanished_are_noticed() {
    let (folder, _) = closed().await;
    fs::remove_file(folder.path().join("db")).unwrap();
    let error = refused(folder.path(), 0);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn a_flipped_byte_is_refused_or_does_no_harm() {
    let folder = Folder::new();
    let names: Vec<String> = (0..40).map(|at| format!("person{at:02}")).collect();
    {
        let store = open(folder.path());
        for name in &names {
            assert_eq!(
                store.add_user(person(name), None, HERE).await,
                Ok(crate::store::Added::Done)
            );
        }
    }
    let db = fs::read(folder.path().join("db")).unwrap();
    let written = db.iter().rposition(|byte| *byte != 0).unwrap_or_default();
    let (mut refusals, mut harmless) = (0, 0);
    for at in (0..24).map(|part| written * part / 24) {
        let copy = copy_of(folder.path());
        let mut bytes = db.clone();
        bytes[at] ^= 0x10;
        fs::write(copy.path().join("db"), bytes).unwrap();
        match KvStore::open(copy.path(), keys(0)) {
            Err(OpenError::Damaged { .. }) => refusals += 1,
            Err(other) => panic!("byte {at}: {other}"),
            Ok(store) => match store.users().await {
                Ok(users) => {
                    let found: Vec<_> = users.iter().map(|user| user.username.as_str()).collect();
                    assert_eq!(found, names, "byte {at}");
                    harmless += 1;
                }
                Err(StoreError::Corrupt(_)) => refusals += 1,
                Err(other) => panic!("byte {at}: {other}"),
            },
        }
    }
    assert_eq!(refusals + harmless, 24);
    assert!(refusals > 0, "not one of the flips was noticed");
}

fn copy_of(path: &Path) -> Folder {
    let copy = Folder::new();
    fs::create_dir(copy.path()).unwrap();
    fs::create_dir(copy.path().join("blobs")).unwrap();
    for entry in fs::read_dir(path).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    copy
}
