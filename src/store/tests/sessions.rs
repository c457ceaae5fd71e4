use super::bench::*;
use super::on_both_engines;
use crate::domain::{Charge, FailureRules, Filter, SignInFailure, Start, UserChange};
use crate::store::{
    Counters as _, OneTime, Sessions as _, Stepped, Trail as _, Upkeep as _, Users as _,
};
use std::sync::Arc;
use std::time::Duration;

on_both_engines! {
    a_session_comes_with_its_person
    a_disabled_persons_session_is_not_found
    revoking_one_ends_that_one
    revoking_a_persons_sessions_spares_everybody_else
    everyones_sessions_end_by_the_thousand
    touching_moves_on_and_never_back
    a_counter_locks_and_a_lock_runs_out
    parallel_tries_do_not_slip_past_the_limit
    a_refund_gives_back_one_charge
    clearing_says_whether_there_was_anything
    a_finished_sign_in_clears_its_counter
}

const RULES: FailureRules = FailureRules { lockout_after: 3, lockout_for: Duration::from_secs(60) };

async fn a_session_comes_with_its_person(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (token, session) = bench.sign_in(&ann, NOW).await;
    let (found, user) = bench.store.session(token).await.unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{session:?}"));
    assert_eq!(user.id, ann.id);
    assert!(bench.store.session(digest()).await.unwrap().is_none());
}

async fn a_disabled_persons_session_is_not_found(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (token, _) = bench.sign_in(&ann, NOW).await;
    let changes = vec![UserChange::Disabled(true)];
    let outcome = bench.store.change_user(ann.id, changes, HERE).await.unwrap().unwrap().unwrap();
    assert_eq!(outcome.sessions_ended, 1);
    assert!(bench.store.session(token).await.unwrap().is_none());
}

async fn revoking_one_ends_that_one(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (gone, session) = bench.sign_in(&ann, NOW).await;
    let (stays, _) = bench.sign_in(&ann, NOW).await;
    let (token, ended) = bench.store.revoke(session.id(), HERE).await.unwrap().unwrap();
    assert_eq!((token, ended.id()), (gone, session.id()));
    assert!(bench.store.revoke(session.id(), HERE).await.unwrap().is_none());
    assert!(bench.store.session(gone).await.unwrap().is_none());
    assert!(bench.store.session(stays).await.unwrap().is_some());
}

async fn revoking_a_persons_sessions_spares_everybody_else(bench: &Bench) {
    let (ann, bob) = (bench.add("ann").await, bench.add("bob").await);
    for user in [&ann, &ann, &bob] {
        bench.sign_in(user, NOW).await;
    }
    assert_eq!(bench.store.revoke_all(Some(ann.id), HERE).await.unwrap(), 2);
    assert_eq!(bench.store.sessions(None).await.unwrap()[0].1.user(), bob.id);
    assert_eq!(bench.store.revoke_all(None, HERE).await.unwrap(), 1);
    assert_eq!(bench.store.revoke_all(Some(ann.id), HERE).await.unwrap(), 0);
    assert_eq!(bench.count(b"sihpx"), 0);
}

async fn everyones_sessions_end_by_the_thousand(bench: &Bench) {
    let ann = bench.add("ann").await;
    sign_in_often(bench, &ann, 2100).await;
    assert_eq!(bench.store.sessions(None).await.unwrap().len(), 2100);
    assert_eq!(bench.store.revoke_all(None, HERE).await.unwrap(), 2100);
    assert_eq!(bench.count(b"sihpxo"), 0);
}

/// Many sign-ins at once.
pub(super) async fn sign_in_often(bench: &Bench, user: &crate::domain::User, times: usize) {
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..times {
        let (store, onward) = (
            Arc::clone(&bench.store),
            crate::store::Onward::Session(digest(), session(user, NOW), Vec::new()),
        );
        let step = step(user, onward, NOW);
        all.spawn(async move { crate::store::SignIns::commit(&*store, step).await });
        if all.len() >= 256 {
            assert_eq!(all.join_next().await.unwrap().unwrap(), Ok(Stepped::Done));
        }
    }
    while let Some(done) = all.join_next().await {
        assert_eq!(done.unwrap(), Ok(Stepped::Done));
    }
}

async fn touching_moves_on_and_never_back(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (token, _) = bench.sign_in(&ann, NOW).await;
    let seen = vec![(token, later(50)), (digest(), later(60)), (token, later(40))];
    bench.store.touch(seen).await.unwrap();
    bench.store.flush().await.unwrap();
    let (session, _) = bench.store.session(token).await.unwrap().unwrap();
    assert_eq!(session.last_seen_at(), later(50));
    assert_eq!(bench.count(b"s"), 1, "a session that is gone does not come back");
}

const ADMITTED: Charge = Charge::Admitted;

async fn a_counter_locks_and_a_lock_runs_out(bench: &Bench) {
    let (store, user) = (&bench.store, Some(NOBODY));
    let charge = async |secs| store.charge([1; 32], user, &RULES, at(later(secs))).await.unwrap();
    let locked = |secs, begins| Charge::Locked { until: later(secs), begins };
    let told = async || {
        let lines = store.excerpt(Start::Newest, Filter::default(), 9).await.unwrap().lines;
        lines.into_iter().map(|line| line.entry.event).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        assert_eq!(charge(0).await, ADMITTED);
        store.fail([1; 32], user, SignInFailure::Code, &RULES, HERE).await.unwrap();
    }
    assert_eq!(charge(59).await, locked(60, false));
    let failed = "sign_in_failed";
    assert_eq!(told().await, ["locked_out", failed, failed, failed]);
    let other = bench.store.charge([2; 32], None, &RULES, HERE).await.unwrap();
    assert_eq!(other, ADMITTED, "another name is another counter");
    for _ in 0..3 {
        assert_eq!(charge(60).await, ADMITTED);
    }
    // None of them was ever judged: the next one finds so, and that is told as well.
    assert_eq!(charge(70).await, locked(120, true));
    assert_eq!(charge(71).await, locked(120, false));
    assert_eq!(told().await[..2], ["locked_out", "locked_out"]);
}

async fn parallel_tries_do_not_slip_past_the_limit(bench: &Bench) {
    let won = race(64, |_| {
        let store = Arc::clone(&bench.store);
        async move {
            let charge = store.charge([1; 32], None, &RULES, HERE).await.unwrap();
            charge == ADMITTED
        }
    });
    assert_eq!(won.await, 3);
}

async fn a_refund_gives_back_one_charge(bench: &Bench) {
    for _ in 0..2 {
        assert_eq!(bench.store.charge([1; 32], None, &RULES, HERE).await.unwrap(), ADMITTED);
    }
    bench.store.refund([1; 32]).await.unwrap();
    assert!(bench.store.failures([1; 32]).await.unwrap().is_some());
    bench.store.refund([1; 32]).await.unwrap();
    assert_eq!(bench.store.failures([1; 32]).await.unwrap(), None);
    bench.store.refund([1; 32]).await.unwrap();
    assert_eq!(bench.count(b"fx"), 0, "nothing counted is nothing kept");
}

async fn clearing_says_whether_there_was_anything(bench: &Bench) {
    assert!(!bench.store.unlock(NOBODY, [1; 16], HERE).await.unwrap());
    assert_eq!(bench.store.charge([1; 32], None, &RULES, HERE).await.unwrap(), ADMITTED);
    assert!(bench.store.unlock(NOBODY, [1; 16], HERE).await.unwrap());
    assert_eq!(bench.store.failures([1; 32]).await.unwrap(), None);
    assert_eq!(bench.count(b"fx"), 0);
}

async fn a_finished_sign_in_clears_its_counter(bench: &Bench) {
    let ann = bench.add("ann").await;
    let pending = bench.begin(&ann, NOW).await;
    assert_eq!(bench.store.charge([1; 32], None, &RULES, HERE).await.unwrap(), ADMITTED);
    let (_, mut late) = finish(&ann, OneTime::Pending(pending), later(300));
    late.clears = Some([1; 32]);
    assert_eq!(bench.commit(late).await, Stepped::Void);
    assert!(bench.store.failures([1; 32]).await.unwrap().is_some(), "a void step clears nothing");
    let (_, mut done) = finish(&ann, OneTime::Pending(pending), NOW);
    done.clears = Some([1; 32]);
    assert_eq!(bench.commit(done).await, Stepped::Done);
    assert_eq!(bench.store.failures([1; 32]).await.unwrap(), None);
}
