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

    /// Gives some of it back.
    fn leave(&self, bytes: u64) {
        let file = fs::OpenOptions::new().write(true).open(self.path().join("filler")).unwrap();
        file.set_len(file.metadata().unwrap().len() - bytes).unwrap();
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
    store.add_user(user.clone(), None, HERE).await.map(|added| {
        assert_eq!(added, Added::Done);
        user
    })
}

/// Adds people until ten times in a row it could not.
async fn add_until_it_fails(store: &KvStore, writer: usize) -> Vec<User> {
    let mut acknowledged = Vec::new();
    let mut failures = 0;
    for at in 0..20_000 {
        match add(store, &format!("person{writer}.{at}")).await {
            Ok(user) => acknowledged.push(user),
            Err(StoreError::Unavailable(_)) => failures += 1,
            Err(other) => panic!("{other}"),
        }
        if failures == 10 {
            return acknowledged;
        }
    }
    panic!("the disk never filled up");
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

/// Fills the disk while many write; whatever was acknowledged.
async fn run_into_the_wall(disk: &SmallDisk, store: &Arc<KvStore>) -> Vec<User> {
    let mut acknowledged = vec![add(store, "first").await.unwrap()];
    disk.fill();
    disk.leave(1 << 20);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let store = Arc::clone(store);
        writers.spawn(async move { add_until_it_fails(&store, writer).await });
    }
    acknowledged.extend(writers.join_all().await.into_iter().flatten());
    assert!(acknowledged.len() > 16, "some were written before the disk was full");
    assert!(store.check().await.is_err());
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_allocated_ahead_keeps_the_engine_from_the_wall() {
    let Some(disk) = SmallDisk::new(24) else { return };
    // Others fill the disk to the last byte, so that only what is ours already is left.
    let floors = Floors { write: 0, ahead: 2 << 20, ..Floors::default() };
    let store = Arc::new(open(&disk, floors));
    let acknowledged = run_into_the_wall(&disk, &store).await;
    for user in &acknowledged {
        assert!(store.user(user.id).await.unwrap().is_some(), "reading goes on");
    }
    disk.make_room();
    add(&store, "afterwards").await.unwrap();
    assert_eq!(store.users().await.unwrap().len(), acknowledged.len() + 1, "and all is whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_ran_into_the_wall_is_mended_when_there_is_room() {
    let Some(disk) = SmallDisk::new(24) else { return };
    let floors = Floors { write: 0, ahead: 0, reopen: 1 << 20, between_tries: Duration::ZERO };
    let store = Arc::new(open(&disk, floors));
    let acknowledged = run_into_the_wall(&disk, &store).await;
    let mut readable = 0;
    for user in &acknowledged {
        match store.user(user.id).await {
            Ok(found) => readable += usize::from(found.is_some()),
            Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error}"),
        }
    }
    assert!(readable > 0, "nothing could be read any more");
    disk.make_room();
    let after = add(&store, "afterwards").await.unwrap();
    assert_eq!(store.check().await, Ok(()));
    drop(store);
    let store = open(&disk, floors);
    for user in acknowledged.iter().chain([&after]) {
        assert!(store.user(user.id).await.unwrap().is_some(), "{}", user.username);
    }
}
