use super::bench::*;
use crate::store::inventory::Inventory;
use crate::store::kv::{Batch, Engine, Row, Rows, Visit};
use crate::store::memory::Memory;
use crate::store::snapshot::Snapshot;
use crate::store::txn::Txn;
use crate::store::{
    Counters as _, KvStore, Result, SignIns as _, StoreError, Upkeep as _, Users as _,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn seen(txn: &Txn<'_>, prefix: &str, most: usize) -> String {
    let mut all = Vec::new();
    txn.scan(prefix.as_bytes(), &mut |key, value| {
        all.push(format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
        Ok(all.len() < most)
    })
    .unwrap();
    all.join(" ")
}

#[test]
fn a_round_reads_what_it_staged_over_what_is_there() {
    let (engine, keys) = (Memory::default(), keys(0));
    let there = ["a1", "a3", "a5", "b1"].map(|key| (text(key), Some(text("old"))));
    engine.apply(Batch::from(there)).unwrap();
    let mut txn = Txn::new(&engine, &keys);
    txn.put(text("a0"), text("new"));
    txn.put(text("a3"), text("new"));
    txn.put(text("a4"), text("new"));
    txn.remove(text("a5"));
    txn.put(text("a9"), text("new"));
    assert_eq!(seen(&txn, "a", 99), "a0=new a1=old a3=new a4=new a9=new");
    for most in 1..=5 {
        assert_eq!(seen(&txn, "a", most).split(' ').count(), most);
    }
    assert_eq!(txn.get(b"a5").unwrap(), None);
    txn.keep(true);
    txn.put(text("a1"), text("newer"));
    txn.remove(text("a4"));
    txn.put(text("a4"), text("newer"));
    txn.put(text("a2"), text("newer"));
    assert_eq!(seen(&txn, "a", 99), "a0=new a1=newer a2=newer a3=new a4=newer a9=new");
    txn.discard();
    assert_eq!(seen(&txn, "a", 99), "a0=new a1=old a3=new a4=new a9=new");
    txn.settle(&Snapshot::default()).unwrap();
    let keys: Vec<_> = dump(&engine).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a0", "a1", "a3", "a4", "a9", "b1"].map(text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inventory_follows_every_change() {
    let bench = Bench::in_memory();
    let agrees = || {
        let kept = Inventory::read(&*bench.engine).unwrap().unwrap();
        assert_eq!(kept, Inventory::count(&*bench.engine, &keys(0)).unwrap());
        kept
    };
    let ann = bench.add("ann").await;
    let one = agrees();
    let mut bob = person("bob");
    bob.email = email("bob@example.org");
    let (set, _) = codes();
    let code = set.digests[0];
    assert_eq!(
        bench.store.add_user(bob.clone(), Some(set), HERE).await,
        Ok(crate::store::Added::Done)
    );
    agrees();
    assert!(bench.store.spend_recovery_code(bob.id, code, HERE).await.unwrap().is_some());
    agrees();
    let rules = crate::domain::FailureRules::default();
    for _ in 0..3 {
        let _ = bench.store.charge([1; 32], None, &rules, HERE).await.unwrap();
        agrees();
    }
    bench.sign_in(&ann, NOW).await;
    bench.store.change_user(ann.id, vec![new_password()], HERE).await.unwrap();
    assert_ne!(agrees(), one, "a changed row shows");
    bench.store.remove_user(bob.id, NO_COUNTERS, HERE).await.unwrap();
    bench.store.unlock(ann.id, [1; 16], HERE).await.unwrap();
    agrees();
}

/// An engine whose disk can be made to fail, and which keeps count.
#[derive(Default)]
pub(super) struct Moody {
    rows: Memory,
    pub(super) failing: Mutex<bool>,
    pub(super) applied: Mutex<Vec<Batch>>,
    synced: AtomicUsize,
}

impl Rows for Moody {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.rows.get(key)
    }
    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.rows.scan(prefix, visit)
    }
}

impl Engine for Moody {
    fn release(&self) {}

    fn mend(&self) {}
    fn ready(&self) -> Result<()> {
        Ok(())
    }
    fn apply(&self, batch: Batch) -> Result<()> {
        self.applied.lock().unwrap().push(batch.clone());
        self.rows.apply(batch)
    }
    fn sync(&self) -> Result<()> {
        self.synced.fetch_add(1, Ordering::SeqCst);
        let fails = *self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if fails { Err(StoreError::Unavailable(text_of("no"))) } else { Ok(()) }
    }
    fn rows_after(&self, key: &[u8], most: usize) -> Result<Vec<Row>> {
        self.rows.rows_after(key, most)
    }
    fn rouse(&self) {}
}

fn text_of(text: &str) -> String {
    text.to_owned()
}

pub(super) fn moody() -> (Arc<Moody>, KvStore) {
    let engine = Arc::new(Moody::default());
    let store = KvStore::over(engine.clone(), keys(0)).unwrap();
    (engine, store)
}

#[tokio::test]
async fn nothing_is_acknowledged_that_did_not_reach_the_disk() {
    let (engine, store) = moody();
    let (ann, factor) = (person("ann"), totp());
    assert_eq!(store.add_user(ann.clone(), None, HERE).await, Ok(crate::store::Added::Done));
    *engine.failing.lock().unwrap() = true;
    let spent = store.spend_totp_step(matched(ann.id, &factor, NOW)).await;
    assert_eq!(spent.unwrap_err(), StoreError::Unavailable(text_of("no")));
    assert!(store.check().await.is_err());
    *engine.failing.lock().unwrap() = false;
    assert_eq!(store.check().await, Ok(()));
}

#[tokio::test]
async fn only_what_must_last_waits_for_the_disk() {
    let (engine, store) = moody();
    let synced = || engine.synced.load(Ordering::SeqCst);
    let ann = person("ann");
    assert_eq!(store.add_user(ann.clone(), None, HERE).await, Ok(crate::store::Added::Done));
    assert_eq!(synced(), 1);
    use crate::store::Sessions as _;
    let (token, session) = (digest(), session(&ann, NOW));
    let onward = crate::store::Onward::Session(token, session, Vec::new());
    store.commit(step(&ann, onward, NOW)).await.map(drop).unwrap();
    assert_eq!(synced(), 2);
    store.touch(vec![(token, later(5))]).await.unwrap();
    assert!(store.remove_user(person("bob").id, NO_COUNTERS, HERE).await.unwrap().is_none());
    assert_eq!((synced(), engine.applied.lock().unwrap().len()), (2, 3));
    drop(store);
    assert_eq!(synced(), 3, "closing brings the rest to the disk");
}

#[tokio::test]
async fn a_job_that_panics_is_undone_and_the_writer_goes_on() {
    let (_, store) = moody();
    let panicked: Result<()> = store
        .writer
        .submit(|txn| {
            txn.put(text("left behind"), text("x"));
            panic!("on purpose")
        })
        .await;
    assert!(matches!(panicked, Err(StoreError::Unavailable(_))));
    let failed: Result<()> = store
        .writer
        .submit(|txn| {
            txn.put(text("left behind"), text("x"));
            Err(StoreError::Corrupt(text_of("on purpose")))
        })
        .await;
    assert_eq!(failed, Err(StoreError::Corrupt(text_of("on purpose"))));
    let found = store.writer.submit(|txn| txn.get(b"left behind")).await;
    assert_eq!(found, Ok(None));
}

#[tokio::test]
async fn a_full_queue_answers_at_once() {
    let (_, store) = moody();
    let store = Arc::new(store);
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let blocker = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.writer.submit(move |_| Ok(gate.recv().is_ok())).await })
    };
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..3000 {
        let store = Arc::clone(&store);
        waiting.spawn(async move { store.unlock(NOBODY, [1; 16], HERE).await });
    }
    let first = waiting.join_next().await.unwrap().unwrap();
    assert!(matches!(first, Err(StoreError::Unavailable(_))), "{first:?}");
    open.send(()).unwrap();
    assert_eq!(blocker.await.unwrap(), Ok(true));
    let all = waiting.join_all().await;
    assert!(all.iter().filter(|answer| answer.is_ok()).count() >= 1000);
    assert_eq!(store.unlock(NOBODY, [1; 16], HERE).await, Ok(false));
}

#[test]
fn it_is_a_store_to_those_who_know_no_more() {
    let store: Arc<dyn crate::store::Store> = Arc::new(KvStore::in_memory(keys(0)).unwrap());
    drop(store);
}
