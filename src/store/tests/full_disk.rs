//! A full disk: no more writing, reading as before, and writing again when there is room.

use super::bench::*;
use crate::domain::User;
use crate::store::sled::{Floors, SledEngine};
use crate::store::{Added, KvStore, StoreError, Upkeep as _, Users as _};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// A small file system of its own.
struct SmallDisk(Folder);

impl SmallDisk {
    /// Nothing where it cannot be made, which only an ordinary user's machine may be excused for.
    fn new(mib: u32) -> Option<Self> {
        let folder = Folder::new();
        fs::create_dir(folder.path()).unwrap();
        let size = format!("size={mib}m");
        let mounts = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output();
        if mounts.is_ok_and(|run| run.status.success()) {
            return Some(Self(folder));
        }
        let in_ci = std::env::var("CI").is_ok_and(|set| set == "true");
        assert!(!in_ci, "this test mounts a small tmpfs, which takes root: run it as root");
        println!("skipped: only root may mount the small disk this test needs");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut file = fs::File::create(self.path().join("filler")).unwrap();
        for size in [1 << 16, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

fn open(disk: &SmallDisk, floors: Floors) -> KvStore {
    let engine = SledEngine::open(&disk.path().join("store"), &keys(0), floors).unwrap();
    KvStore::over(Arc::new(engine), keys(0)).unwrap()
}

async fn add(store: &KvStore, name: &str) -> Result<User, StoreError> {
    let user = person(name);
    store.add_user(user.clone(), None).await.map(|added| {
        assert_eq!(added, Added::Done);
        user
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nearly_full_disk_stops_writing_and_nothing_else() {
    let Some(disk) = SmallDisk::new(24) else { return };
    let store = open(&disk, Floors::default());
    let ann = add(&store, "ann").await.unwrap();
    disk.fill();
    for attempt in 0..3 {
        let refused = add(&store, "bob").await;
        let Err(StoreError::Unavailable(why)) = refused else { panic!("attempt {attempt}") };
        assert!(why.contains("the disk is full"), "{why}");
        assert!(store.user(ann.id).await.unwrap().is_some(), "reading goes on");
        assert!(store.check().await.is_err(), "and it says that it cannot write");
    }
    disk.make_room();
    assert_eq!(store.check().await, Ok(()));
    add(&store, "bob").await.unwrap();
    assert_eq!(store.users().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_filled_up_in_the_middle_of_writing_is_survived() {
    let Some(disk) = SmallDisk::new(24) else { return };
    // Nothing stops it early, so the engine runs into the wall.
    let floors = Floors { write: 0, reopen: 1 << 20, between_tries: Duration::ZERO };
    let store = open(&disk, floors);
    let mut acknowledged = vec![add(&store, "first").await.unwrap()];
    disk.fill();
    let mut failures = 0;
    for at in 0..5000 {
        match add(&store, &format!("person{at}")).await {
            Ok(user) => acknowledged.push(user),
            Err(StoreError::Unavailable(_)) => failures += 1,
            Err(other) => panic!("{other}"),
        }
        if failures == 20 {
            break;
        }
    }
    assert_eq!(failures, 20, "the disk never filled up");
    assert!(store.check().await.is_err());
    for user in &acknowledged {
        assert!(store.user(user.id).await.unwrap().is_some(), "reading goes on");
    }
    disk.make_room();
    let after = add(&store, "afterwards").await.unwrap();
    assert_eq!(store.check().await, Ok(()));
    drop(store);
    let store = open(&disk, floors);
    for user in acknowledged.iter().chain([&after]) {
        assert!(store.user(user.id).await.unwrap().is_some(), "{}", user.username);
    }
}
