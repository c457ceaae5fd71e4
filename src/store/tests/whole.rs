//! The store as a whole: copied, made anew, sealed anew.

use super::bench::*;
use super::on_both_engines;
use crate::crypto::Keyring;
use crate::domain::{AuditEvent, FailureRules, Happening, LinkPurpose};
use crate::store::kv::{Batch, Engine};
use crate::store::sled::{Floors, SledEngine};
use crate::store::snapshot::Snapshot;
use crate::store::{
    Awaited, Backup, BackupError, BackupSummary, Counters as _, KvStore, OneTime, Onward,
    Recognised, Restoring, Sessions as _, SignIns as _, Stepped, Trail as _, Users as _,
    WholeStore as _, layout,
};
use crate::types::Timestamp;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

on_both_engines! {
    what_is_read_of_a_moment_does_not_change_with_what_is_written_after
    a_backup_under_load_is_of_one_moment_and_misses_nothing_from_before
}

/// A file in memory that stays readable.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn back_up(store: &KvStore) -> Vec<u8> {
    let paper = Paper::default();
    store.write_backup(NOW, Box::new(paper.clone())).await.unwrap();
    paper.0.lock().unwrap().clone()
}

fn check(bytes: &[u8], keys: &Keyring) -> Result<BackupSummary, BackupError> {
    Backup::begin(bytes)?.check(keys)
}

fn happening(event: AuditEvent, now: Timestamp) -> Happening {
    Happening { event, on: at(now) }
}

async fn what_is_read_of_a_moment_does_not_change_with_what_is_written_after(bench: &Bench) {
    let row = |n: u8, value: &str| (vec![b'z', n], Some(value.as_bytes().to_vec()));
    let engine = &*bench.engine;
    engine.apply((0..40).map(|n| row(2 * n, "old")).collect()).unwrap();
    let before = dump(engine);
    let snapshot = Snapshot::default();
    assert!(snapshot.begin());
    assert!(!snapshot.begin(), "one at a time");
    let mut read = Vec::new();
    let mut round = 0;
    // Between any two pieces that are read rows change, come and go, behind and ahead.
    while let Some(rows) = snapshot.next(engine, 3).unwrap() {
        read.extend(rows.into_iter().filter(|(key, _)| key != layout::PROGRESS));
        let changed = (0..80).filter(|n| n % 7 == round % 7);
        let batch: Batch = changed
            .map(|n| if n % 3 == 0 { (vec![b'z', n], None) } else { row(n, "new") })
            .collect();
        snapshot.note(&batch, engine).unwrap();
        engine.apply(batch).unwrap();
        round += 1;
    }
    assert!(round > 10, "it was read in pieces");
    assert_eq!(read, before);
    assert_ne!(dump(engine), before);
    assert!(snapshot.begin(), "the next one may begin");
}

async fn a_backup_under_load_is_of_one_moment_and_misses_nothing_from_before(bench: &Bench) {
    let stop = Arc::new(AtomicBool::new(false));
    let (store, stopped) = (Arc::clone(&bench.store), Arc::clone(&stop));
    let load = tokio::spawn(async move {
        let mut last = None;
        for n in 0.. {
            let user = person(&format!("p{n}"));
            assert_eq!(
                store.add_user(user.clone(), None, HERE).await,
                Ok(crate::store::Added::Done)
            );
            // What was added before goes, so that rows vanish as well.
            if let Some(last) = last.replace(user.id).filter(|_| n % 3 == 0) {
                store.remove_user(last, NO_COUNTERS, HERE).await.unwrap();
            }
            if stopped.load(Ordering::SeqCst) {
                return n;
            }
        }
        0
    });
    for n in 0..8 {
        let user = bench.add(&format!("before{n}")).await;
        let bytes = back_up(&bench.store).await;
        let held = check(&bytes, &keys(0)).expect("the inventory agrees with the rows");
        assert!(held.users > n, "{held:?}");
        let mut is_there = false;
        let visit = &mut |key: &[u8], _: &[u8]| {
            is_there |= key == layout::user(user.id);
            Ok(())
        };
        assert!(Backup::begin(&bytes[..]).unwrap().each(&keys(0), visit).is_ok());
        assert!(is_there, "what was acknowledged before is in it");
    }
    stop.store(true, Ordering::SeqCst);
    assert!(load.await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_while_twenty_thousand_rows_are_copied() {
    let bench = Bench::on_sled();
    for part in 0..20_u64 {
        let row = |n: u64| ([b"z".as_slice(), &n.to_be_bytes()].concat(), Some(vec![7; 300]));
        bench.engine.apply((part * 1000..(part + 1) * 1000).map(row).collect()).unwrap();
    }
    let user = bench.add("ann").await;
    let began = Instant::now();
    let store = Arc::clone(&bench.store);
    let copying = tokio::spawn(async move { (back_up(&store).await, began.elapsed()) });
    let (mut longest, mut times) = (Duration::ZERO, 0);
    while !copying.is_finished() {
        let began = Instant::now();
        bench.sign_in(&user, NOW).await;
        longest = longest.max(began.elapsed());
        times += 1;
    }
    let (bytes, took) = copying.await.unwrap();
    let rows = check(&bytes, &keys(0)).unwrap().rows;
    assert!(rows >= 20_000);
    println!("{rows} rows in {took:?}; {times} sign-ins meanwhile, the longest {longest:?}");
    assert!(times > 0 && longest < Duration::from_secs(5), "{longest:?}");
}

#[tokio::test]
async fn a_backup_that_was_cut_changed_or_lengthened_is_refused_in_words() {
    let bench = Bench::in_memory();
    for name in ["ann", "bob", "eve"] {
        bench.add(name).await;
    }
    bench.engine.apply([(b"zz".to_vec(), Some(vec![1; 200_000]))].into()).unwrap();
    let whole = back_up(&bench.store).await;
    let held = check(&whole, &keys(0)).unwrap();
    assert_eq!((held.users, held.sessions, held.made_at), (3, 0, NOW));
    assert!(matches!(check(&whole, &keys(1)), Err(BackupError::OtherKey(_))));
    let head = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for at in (0..whole.len()).filter(|at| *at < head + 300 || at % 997 == 0) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(check(&changed, &keys(0)).is_err(), "byte {at}");
        assert!(check(&whole[..at], &keys(0)).is_err(), "cut at {at}");
    }
    let cut = check(&whole[..whole.len() - 1], &keys(0)).unwrap_err();
    assert_eq!(cut.to_string(), "this backup is cut short: take another one");
    let longer = check(&[&whole[..], b"x"].concat(), &keys(0)).unwrap_err();
    assert!(matches!(longer, BackupError::Longer));
    // Two pieces that change places.
    let piece = |at: usize| {
        let length = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        at..at + 4 + length as usize
    };
    let (first, second) = (piece(head), piece(piece(head).end));
    let swapped =
        [&whole[..head], &whole[second.clone()], &whole[first], &whole[second.end..]].concat();
    assert!(matches!(check(&swapped, &keys(0)), Err(BackupError::Changed)));
    let newer = String::from_utf8_lossy(&whole[..head]).replace("backup\":1", "backup\":2");
    let error = check(newer.as_bytes(), &keys(0)).unwrap_err();
    assert!(error.to_string().contains("version 2; this one reads 1 and older"), "{error}");
    for other in [&b"{}\n"[..], b"", b"PK\x03\x04", &[b'x'; 5000]] {
        assert!(matches!(check(other, &keys(0)), Err(BackupError::NotABackup)));
    }
}

/// Every value that is sealed in these rows, as text.
fn sealed(rows: &[(Vec<u8>, Vec<u8>)]) -> Vec<String> {
    let texts = rows.iter().filter_map(|(_, value)| std::str::from_utf8(value.get(1..)?).ok());
    let quoted = texts.flat_map(|text| text.split('"').map(str::to_owned).collect::<Vec<_>>());
    let is_sealed = |text: &String| {
        text.len() > 50 && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"+/".contains(&c))
    };
    // Hashes and ids are shorter, or hexadecimal.
    quoted.filter(is_sealed).filter(|text| text.bytes().any(|c| c > b'f')).collect()
}

fn files(path: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { files(&path) } else { std::fs::read(path).unwrap() });
    }
    all
}

fn contains(all: &[u8], text: &str) -> bool {
    all.windows(text.len()).any(|part| part == text.as_bytes())
}

#[tokio::test]
async fn sealed_anew_the_store_opens_with_the_new_key_and_holds_nothing_the_old_one_opens() {
    let (folder, old, new) = (Folder::new(), keys(0), keys(1));
    let (factor, waiting, (set, shown)) = (totp(), totp(), codes());
    let mut ann = person("ann");
    ann.totp = Some(factor.clone());
    let engine = Arc::new(SledEngine::open(folder.path(), &old, Floors::default()).unwrap());
    let store = KvStore::over(Arc::clone(&engine) as Arc<dyn Engine>, old.clone()).unwrap();
    assert_eq!(
        store.add_user(ann.clone(), Some(set.clone()), HERE).await,
        Ok(crate::store::Added::Done)
    );
    let (token, under_way, browser) = (digest(), digest(), digest());
    let onward = Onward::Session(token, session(&ann, NOW), shown.clone());
    let known = Some(Recognised { before: None, after: browser });
    let mut signing_in = step(&ann, onward, NOW);
    signing_in.browser = known;
    assert_eq!(store.commit(signing_in).await, Ok(Stepped::Done));
    let onward = Onward::Pending(under_way, pending(&ann, NOW));
    assert_eq!(store.commit(step(&ann, onward, NOW)).await, Ok(Stepped::Done));
    let awaited = Awaited { secret: waiting.secret.clone(), credentials: 0, until: later(900) };
    store.await_enrolment(token, awaited).await.unwrap();
    let (rules, login) = (FailureRules::default(), crate::types::Login::parse("nobody").unwrap());
    for keys in [
        old.counter_key(ann.id, None),
        old.counter_key(ann.id, Some(&browser)),
        old.stranger_key(&login),
    ] {
        store.charge(keys, None, &rules, HERE).await.unwrap();
    }
    let told = store.tip().await.unwrap().len();
    let before = sealed(&dump(&*engine));
    assert!(before.len() >= 4, "password, factor, codes, waiting: {before:?}");
    drop((store, engine));
    assert!(before.iter().all(|text| contains(&files(folder.path()), text)));

    let rotated = happening(AuditEvent::KeysRotated, later(5));
    KvStore::rotate(folder.path(), &old, &new, &rotated).unwrap();
    assert!(KvStore::open(folder.path(), old.clone()).is_err(), "the old key opens nothing");
    assert!(before.iter().all(|text| !contains(&files(folder.path()), text)));
    let store = KvStore::open(folder.path(), new.clone()).unwrap();
    let found = store.user(ann.id).await.unwrap().unwrap();
    assert_eq!(found.totp.unwrap().secret.bytes(), factor.secret.bytes());
    assert_eq!(found.password.unwrap().to_phc().reveal(), ann.password.unwrap().to_phc().reveal());
    assert!(store.pending(under_way, NOW).await.unwrap().is_some());
    let awaited = store.awaited_enrolment(token, NOW).await.unwrap().unwrap();
    assert_eq!(awaited.secret.bytes(), waiting.secret.bytes());
    let taken = store.take_recovery_codes(token, NOW).await.unwrap();
    assert_eq!(taken.len(), shown.len());
    assert_eq!(store.recovery_set(ann.id).await.unwrap().unwrap().digests, set.digests);
    for (key, is_there) in [
        (new.counter_key(ann.id, None), true),
        (new.counter_key(ann.id, Some(&browser)), true),
        (new.stranger_key(&login), false),
        (old.counter_key(ann.id, None), false),
    ] {
        assert_eq!(store.failures(key).await.unwrap().is_some(), is_there);
    }
    assert!(store.unlock(ann.id, new.counters_of(ann.id), HERE).await.unwrap());
    assert_eq!(store.verify_trail().await.unwrap().unwrap().len(), told + 2);
    let earlier = store.earlier_statements().unwrap();
    assert_eq!(earlier.len(), 1);
    assert_eq!(earlier[0].root.bytes(), old.statements().bytes());
    assert_eq!(earlier[0].signs_until, later(5 + 24 * 3600));
    drop(store);
    // Once more, and the first key is still remembered for as long as it must be.
    let again = happening(AuditEvent::KeysRotated, later(60));
    KvStore::rotate(folder.path(), &new, &keys(2), &again).unwrap();
    let store = KvStore::open(folder.path(), keys(2)).unwrap();
    let roots: Vec<_> = store.earlier_statements().unwrap();
    let roots: Vec<_> = roots.iter().map(|one| *one.root.bytes()).collect();
    assert_eq!(roots, [*old.statements().bytes(), *new.statements().bytes()]);
}

#[tokio::test]
async fn what_works_once_and_was_handed_out_is_void_in_a_restored_store() {
    let (bench, folder) = (Bench::in_memory(), Folder::new());
    let mut ann = person("ann");
    let (factor, (set, _)) = (totp(), codes());
    ann.totp = Some(factor.clone());
    let added = bench.store.add_user(ann.clone(), Some(set), HERE).await;
    assert_eq!(added, Ok(crate::store::Added::Done));
    let (token, _) = bench.sign_in(&ann, NOW).await;
    let under_way = bench.begin(&ann, NOW).await;
    let a_link = digest();
    let invitation = link(Some(&ann), LinkPurpose::NewPassword, later(900));
    bench.store.add_link(a_link, invitation).await.unwrap();
    bench
        .store
        .charge(keys(0).counter_key(ann.id, None), None, &FailureRules::default(), HERE)
        .await
        .unwrap();
    let (bytes, told) = (back_up(&bench.store).await, bench.store.tip().await.unwrap().len());
    // Under the same key, and under the one that came after it.
    for seals in [keys(0), keys(7)] {
        let happening = happening(AuditEvent::Restored { made_at: NOW }, later(100));
        let from = Cursor::new(&bytes);
        let with = Restoring { from, opens: &keys(0), seals: &seals, skew: 1, happening };
        let restored = KvStore::restore(folder.path(), with).unwrap();
        assert_eq!(restored.kept.is_some(), seals.name() == keys(7).name());
        assert_eq!((restored.held.users, restored.held.sessions), (1, 1));
        let store = KvStore::open(folder.path(), seals.clone()).unwrap();
        assert!(store.session(token).await.unwrap().is_none());
        assert!(store.pending(under_way, NOW).await.unwrap().is_none());
        assert!(store.link(a_link, NOW).await.unwrap().is_none());
        assert!(store.failures(seals.counter_key(ann.id, None)).await.unwrap().is_some());
        for (at, is_new) in [(later(100), false), (later(130), false), (later(190), true)] {
            let spent = store.spend_totp_step(matched(ann.id, &factor, at)).await.unwrap();
            assert_eq!(spent.is_some(), is_new, "{at:?}");
        }
        let (_, begun) = finish(&ann, OneTime::Pending(under_way), NOW);
        assert_eq!(store.commit(begun).await, Ok(Stepped::Void));
        assert_eq!(store.verify_trail().await.unwrap().unwrap().len(), told + 1);
        drop(store);
        if let Some(kept) = restored.kept {
            assert!(KvStore::open(&kept, keys(0)).is_ok(), "what was there is kept");
            std::fs::remove_dir_all(kept).unwrap();
        }
    }
}
