use super::bench::*;
use super::on_both_engines;
use crate::crypto::ChainHash;
use crate::domain::{Actor, AuditEvent, Filter, Line, Occasion, SignInFailure, Start, UserChange};
use crate::store::layout;
use crate::store::{Added, KvStore, Trail as _, Users as _};
use crate::types::{Timestamp, UserId};
use std::sync::Arc;

on_both_engines! {
    entries_hang_together_and_say_who_it_was
    a_name_stays_what_it_was_when_its_record_is_gone
    the_trail_is_read_from_either_end_in_pages
    a_filter_finds_what_it_names
    the_oldest_entries_are_forgotten_without_breaking_the_chain
    the_oldest_entries_beyond_so_many_are_forgotten_however_young
    appending_from_many_tasks_leaves_one_chain
    whoever_changes_an_entry_is_found_out
}

fn wrong(user: Option<UserId>) -> Vec<AuditEvent> {
    vec![AuditEvent::SignInFailed { user, why: SignInFailure::Credentials }]
}

async fn fill(store: &KvStore, entries: std::ops::Range<u64>) {
    for secs in entries {
        store.append(wrong(None), at(Timestamp::from_secs(secs))).await.unwrap();
    }
}

async fn all(store: &KvStore) -> Vec<Line> {
    store.excerpt(Start::After(0), Filter::default(), usize::MAX).await.unwrap().lines
}

async fn numbers(
    store: &KvStore,
    start: Start,
    wanted: &Filter,
    most: usize,
) -> (Vec<u64>, Option<Start>) {
    let excerpt = store.excerpt(start, wanted.clone(), most).await.unwrap();
    (excerpt.lines.iter().map(|line| line.entry.seq).collect(), excerpt.next)
}

async fn entries_hang_together_and_say_who_it_was(bench: &Bench) {
    let (ann, root) = (bench.add("ann").await, bench.add("root").await);
    let by = Actor::Administrator(root.id);
    let on = Occasion::here(by, Timestamp::from_secs(60));
    let disabled = vec![UserChange::Disabled(true)];
    bench.store.change_user(ann.id, disabled, on).await.unwrap().unwrap().unwrap();
    bench.store.append(wrong(Some(ann.id)), HERE).await.unwrap();
    let lines = all(&bench.store).await;
    assert_eq!(lines[0].entry.prev, ChainHash::START);
    let lines = &lines[2..];
    let first = &lines[0].entry;
    assert_eq!(first.seq, 3);
    assert_eq!(first.at, "1970-01-01T00:01:00Z");
    assert_eq!(
        (first.user.as_deref(), first.administrator.as_deref()),
        (Some("ann"), Some("root"))
    );
    assert_eq!((first.event.as_str(), first.detail.as_deref()), ("user_changed", Some("disabled")));
    assert_eq!(lines[1].entry.prev, lines[0].hash);
    // As it is handed out, a line without its last field is what was hashed.
    let text = serde_json::to_string(&lines[0]).unwrap();
    let (hashed, hash) = text.split_once(",\"hash\":\"").unwrap();
    assert_eq!(
        hash.trim_end_matches("\"}"),
        ChainHash::of(format!("{hashed}}}").as_bytes()).to_string()
    );
    let tip = bench.store.verify_trail().await.unwrap().unwrap();
    assert_eq!((tip.len(), tip.hash), (4, lines[1].hash));
}

async fn a_name_stays_what_it_was_when_its_record_is_gone(bench: &Bench) {
    let ann = bench.add("ann").await;
    bench.store.append(wrong(Some(ann.id)), HERE).await.unwrap();
    bench.store.remove_user(ann.id, NO_COUNTERS, HERE).await.unwrap().unwrap();
    assert_eq!(all(&bench.store).await.len(), 3);
    for line in all(&bench.store).await {
        assert_eq!(line.entry.user.as_deref(), Some("ann"));
        assert_eq!(line.entry.user_id, Some(ann.id.to_string()));
    }
}

async fn the_trail_is_read_from_either_end_in_pages(bench: &Bench) {
    let (store, any) = (&bench.store, Filter::default());
    assert_eq!(numbers(store, Start::Newest, &any, 3).await, (vec![], None));
    fill(store, 1..6).await;
    assert_eq!(
        numbers(store, Start::Newest, &any, 3).await,
        (vec![5, 4, 3], Some(Start::Before(3)))
    );
    assert_eq!(numbers(store, Start::Before(3), &any, 3).await, (vec![2, 1], None));
    assert_eq!(
        numbers(store, Start::After(0), &any, 4).await,
        (vec![1, 2, 3, 4], Some(Start::After(4)))
    );
    assert_eq!(numbers(store, Start::After(4), &any, 4).await, (vec![5], None));
    assert_eq!(numbers(store, Start::After(5), &any, 4).await, (vec![], None));
    assert_eq!(numbers(store, Start::After(u64::MAX), &any, 4).await, (vec![], None));
    assert_eq!(numbers(store, Start::Before(0), &any, 4).await, (vec![], None));
}

async fn a_filter_finds_what_it_names(bench: &Bench) {
    let (store, ann, day) = (&bench.store, person("ann"), 86_400);
    fill(store, 10 * day..10 * day + 2).await;
    let on = at(Timestamp::from_secs(12 * day));
    assert_eq!(store.add_user(ann, None, on).await, Ok(Added::Done));
    fill(store, 14 * day..14 * day + 1).await;
    let by = |filter: Filter| async move { numbers(store, Start::Newest, &filter, 9).await.0 };
    let when = |secs| Some(Timestamp::from_secs(secs));
    let user = Some(String::from("ann"));
    assert_eq!(by(Filter { user, ..Filter::default() }).await, [3]);
    let event = Some(String::from("signed_in"));
    assert_eq!(by(Filter { event, ..Filter::default() }).await, [0; 0]);
    assert_eq!(by(Filter { since: when(12 * day), ..Filter::default() }).await, [4, 3]);
    assert_eq!(by(Filter { until: when(12 * day), ..Filter::default() }).await, [2, 1]);
    assert_eq!(
        by(Filter { since: when(11 * day), until: when(13 * day), ..Filter::default() }).await,
        [3]
    );
}

async fn the_oldest_entries_are_forgotten_without_breaking_the_chain(bench: &Bench) {
    let store = &bench.store;
    fill(store, 1..8).await;
    assert_eq!(store.prune_trail(Timestamp::from_secs(5), u64::MAX, HERE).await, Ok(4));
    assert_eq!(store.prune_trail(Timestamp::from_secs(5), u64::MAX, HERE).await, Ok(0));
    let tip = store.verify_trail().await.unwrap().unwrap();
    assert_eq!((tip.first, tip.next, tip.len()), (5, 9, 4));
    let lines = all(store).await;
    let told = lines.iter().map(|line| (line.entry.seq, line.entry.event.as_str()));
    let failed = "sign_in_failed";
    assert!(told.eq([(5, failed), (6, failed), (7, failed), (8, "trail_pruned")]));
    assert_eq!(lines[3].entry.detail.as_deref(), Some("4 too old"));
    assert_eq!(lines[0].entry.prev, tip.anchor);
    assert_eq!(store.prune_trail(Timestamp::from_secs(99), u64::MAX, HERE).await, Ok(3));
    fill(store, 100..102).await;
    let tip = store.verify_trail().await.unwrap().unwrap();
    assert_eq!((tip.first, tip.next), (8, 12));
}

async fn the_oldest_entries_beyond_so_many_are_forgotten_however_young(bench: &Bench) {
    let (store, never) = (&bench.store, Timestamp::from_secs(0));
    fill(store, 1..8).await;
    assert_eq!(store.prune_trail(never, 7, HERE).await, Ok(0));
    // The entry that tells of it is one of those that may be kept.
    assert_eq!(store.prune_trail(never, 5, HERE).await, Ok(3));
    assert_eq!(store.prune_trail(never, 5, HERE).await, Ok(0));
    let tip = store.verify_trail().await.unwrap().unwrap();
    assert_eq!((tip.first, tip.next, tip.len()), (4, 9, 5));
    let lines = all(store).await;
    assert_eq!(lines[0].entry.prev, tip.anchor);
    assert_eq!(lines[4].entry.detail.as_deref(), Some("3 too many"));
    // Whichever forgets more.
    assert_eq!(store.prune_trail(Timestamp::from_secs(7), 4, HERE).await, Ok(3));
    assert_eq!(store.prune_trail(Timestamp::from_secs(7), 1, HERE).await, Ok(3));
    assert_eq!(store.verify_trail().await.unwrap().unwrap().len(), 1);
}

async fn appending_from_many_tasks_leaves_one_chain(bench: &Bench) {
    let store = Arc::clone(&bench.store);
    let one = move |_| {
        let store = Arc::clone(&store);
        async move { store.append(wrong(None), HERE).await.is_ok() }
    };
    assert_eq!(race(64, one).await, 64);
    assert_eq!(bench.store.verify_trail().await.unwrap().unwrap().len(), 64);
}

async fn whoever_changes_an_entry_is_found_out(bench: &Bench) {
    fill(&bench.store, 1..7).await;
    let row = |seq| bench.engine.get(&layout::trail(seq)).unwrap();
    let edited = |seq: u64| {
        let text = String::from_utf8(row(seq).unwrap()).unwrap();
        Some(text.replace("credentials", "locked").into_bytes())
    };
    // What is done to which entry, and at which it shows.
    for (rows, shows) in [
        (vec![(3, edited(3))], 4),
        (vec![(6, edited(6))], 6),
        (vec![(3, None)], 3),
        (vec![(1, None)], 1),
        (vec![(6, None)], 6),
        (vec![(2, row(3)), (3, row(2))], 2),
        (vec![(4, Some(b"\x02{}".to_vec()))], 4),
    ] {
        let before: Vec<_> = rows.iter().map(|(seq, _)| (layout::trail(*seq), row(*seq))).collect();
        let rows = rows.into_iter().map(|(seq, row)| (layout::trail(seq), row));
        bench.engine.apply(rows.collect()).unwrap();
        let broken = bench.store.verify_trail().await.unwrap().unwrap_err();
        assert_eq!(broken.seq, shows, "{broken}");
        bench.engine.apply(before.into_iter().collect()).unwrap();
        assert_eq!(bench.store.verify_trail().await.unwrap().unwrap().len(), 6);
    }
}
