use super::bench::*;
use super::on_both_engines;
use crate::domain::{KnownBrowser, Program, Session, User, UserChange};
use crate::store::{
    Awaited, Counters as _, Effect, OneTime, Onward, Recognised, Rotated, Sessions as _,
    SignIns as _, Step, Stepped, Upkeep as _, Users as _,
};
use crate::types::{Timestamp, TokenDigest};
use std::sync::Arc;

on_both_engines! {
    a_refresh_token_works_once_and_a_second_time_ends_its_family
    of_many_parallel_uses_of_a_refresh_token_one_at_most_succeeds
    a_disabled_persons_program_is_not_refreshed
    a_step_in_a_session_spares_it_and_ends_the_others
    a_step_in_a_session_that_has_ended_is_void
    an_awaited_secret_goes_with_its_session_and_with_a_change_of_credentials
    a_browser_is_known_by_a_finished_sign_in_and_forgotten_in_time
    clearing_takes_all_counters_of_one_person
}

fn program(refresh: TokenDigest, family: TokenDigest, now: Timestamp) -> Program {
    Program { family, refresh, access_until: now.plus(std::time::Duration::from_secs(600)) }
}

/// Signs a program in: its access and refresh tokens, and the family.
async fn sign_in(bench: &Bench, user: &User) -> [TokenDigest; 3] {
    let [access, refresh, family] = [digest(), digest(), digest()];
    let session = session(user, NOW).of_program(program(refresh, family, NOW));
    let onward = Onward::Session(access, session, Vec::new());
    assert_eq!(bench.commit(step(user, onward, NOW)).await, Stepped::Done);
    [access, refresh, family]
}

async fn a_refresh_token_works_once_and_a_second_time_ends_its_family(bench: &Bench) {
    let ann = bench.add("ann").await;
    let [access, refresh, family] = sign_in(bench, &ann).await;
    let (next_access, next_refresh) = (digest(), digest());
    let next = program(next_refresh, family, later(700));
    let rotated = bench.store.rotate(refresh, next_access, next, at(later(700))).await.unwrap();
    assert!(matches!(rotated, Rotated::Done));
    assert!(bench.store.session(access).await.unwrap().is_none(), "the old one is gone");
    let (found, _) = bench.store.session(next_access).await.unwrap().unwrap();
    assert!(found.admits(later(1299), found.last_seen_at()));
    assert!(!found.admits(later(1300), found.last_seen_at()));
    assert!(found.is_live(later(1300), found.last_seen_at()), "it can be refreshed yet");

    let again = program(digest(), family, NOW);
    let stolen = bench.store.rotate(refresh, digest(), again, at(later(701)));
    let Rotated::Reused(id) = stolen.await.unwrap() else { panic!("taken") };
    assert_eq!(id, found.id());
    assert!(bench.store.session(next_access).await.unwrap().is_none());
    let after = program(digest(), family, NOW);
    let rotated = bench.store.rotate(next_refresh, digest(), after, at(later(702))).await.unwrap();
    assert!(matches!(rotated, Rotated::Gone));
    assert_eq!(bench.count(b"sigx"), 0, "nothing of it is left");
}

async fn of_many_parallel_uses_of_a_refresh_token_one_at_most_succeeds(bench: &Bench) {
    let ann = bench.add("ann").await;
    let [_, refresh, family] = sign_in(bench, &ann).await;
    let won = race(64, |_| {
        let store = Arc::clone(&bench.store);
        async move {
            let next = program(digest(), family, NOW);
            matches!(store.rotate(refresh, digest(), next, HERE).await, Ok(Rotated::Done))
        }
    });
    assert_eq!(won.await, 1);
    assert_eq!(bench.store.sessions(Some(ann.id)).await.unwrap().len(), 0);
}

async fn a_disabled_persons_program_is_not_refreshed(bench: &Bench) {
    let ann = bench.add("ann").await;
    let [_, refresh, family] = sign_in(bench, &ann).await;
    bench.store.change_user(ann.id, vec![UserChange::Disabled(true)], HERE).await.unwrap();
    let next = program(digest(), family, NOW);
    let rotated = bench.store.rotate(refresh, digest(), next, HERE).await.unwrap();
    assert!(matches!(rotated, Rotated::Gone));
}

fn here(user: &User, session: &Session, effects: Vec<Effect>) -> Step {
    Step { effects, ..step(user, Onward::Same(session.id()), NOW) }
}

async fn a_step_in_a_session_spares_it_and_ends_the_others(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (token, session) = bench.sign_in(&ann, NOW).await;
    let (other, _) = bench.sign_in(&ann, NOW).await;
    let change = here(&ann, &session, vec![Effect::Change(new_password())]);
    assert_eq!(bench.commit(change.clone()).await, Stepped::Done);
    assert!(bench.store.session(token).await.unwrap().is_some());
    assert!(bench.store.session(other).await.unwrap().is_none());
    assert_eq!(bench.commit(change).await, Stepped::Void, "it was judged under another password");
}

async fn a_step_in_a_session_that_has_ended_is_void(bench: &Bench) {
    let (ann, bob) = (bench.add("ann").await, bench.add("bob").await);
    let (_, gone) = bench.sign_in(&ann, NOW).await;
    let (_, of_bob) = bench.sign_in(&bob, NOW).await;
    bench.store.revoke(gone.id(), HERE).await.unwrap();
    for session in [&gone, &of_bob] {
        let change = here(&ann, session, vec![Effect::Change(new_password())]);
        assert_eq!(bench.commit(change).await, Stepped::Void);
    }
}

async fn an_awaited_secret_goes_with_its_session_and_with_a_change_of_credentials(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (token, session) = bench.sign_in(&ann, NOW).await;
    let factor = totp();
    let awaited = || Awaited { secret: factor.secret.clone(), credentials: 0, until: later(900) };
    bench.store.await_enrolment(token, awaited()).await.unwrap();
    let found = bench.store.awaited_enrolment(token, later(899)).await.unwrap().unwrap();
    assert_eq!(found.secret.bytes(), factor.secret.bytes());
    assert!(bench.store.awaited_enrolment(token, later(900)).await.unwrap().is_none());

    let (recovery, _) = codes();
    let confirm = Step {
        consumes: Some(OneTime::Enrolment(token)),
        ..here(&ann, &session, vec![enrol(&factor, 7, recovery)])
    };
    let late = Step { on: at(later(900)), ..confirm.clone() };
    assert_eq!(bench.commit(late).await, Stepped::Void);
    assert_eq!(bench.commit(confirm.clone()).await, Stepped::Done);
    assert_eq!(bench.store.last_totp_step(ann.id).await.unwrap(), Some(7));
    assert!(bench.store.awaited_enrolment(token, NOW).await.unwrap().is_none());

    // Begun before there was a second factor, it must not replace the one there is now.
    bench.store.await_enrolment(token, awaited()).await.unwrap();
    let now = bench.store.user(ann.id).await.unwrap().unwrap();
    let stale = Step { credentials: now.credentials, ..confirm };
    assert_eq!(bench.commit(stale).await, Stepped::Void);

    bench.store.revoke(session.id(), HERE).await.unwrap();
    bench.store.await_enrolment(token, awaited()).await.unwrap();
    assert_eq!(bench.count(b"w"), 0, "what is nobody's is not kept");
}

async fn a_browser_is_known_by_a_finished_sign_in_and_forgotten_in_time(bench: &Bench) {
    let (ann, bob) = (bench.add("ann").await, bench.add("bob").await);
    let browser = digest();
    assert!(bench.store.browser(browser, NOW).await.unwrap().is_none());
    let onward = Onward::Session(digest(), session(&ann, NOW), Vec::new());
    let as_new = Some(Recognised { before: None, after: browser });
    let done = Step { browser: as_new, ..step(&ann, onward, NOW) };
    assert_eq!(bench.commit(done).await, Stepped::Done);
    let known = bench.store.browser(browser, NOW).await.unwrap().unwrap();
    assert!(known.knows(ann.id, 0) && !known.knows(bob.id, 0));
    // Somebody else signs in with it: it gets another token, and the last one is nobody's.
    let (before, browser) = (browser, digest());
    let onward = Onward::Session(digest(), session(&bob, NOW), Vec::new());
    let renewed = Some(Recognised { before: Some(before), after: browser });
    let done = Step { browser: renewed, ..step(&bob, onward, NOW) };
    assert_eq!(bench.commit(done).await, Stepped::Done);
    let known = bench.store.browser(browser, NOW).await.unwrap().unwrap();
    assert!(known.knows(ann.id, 0) && known.knows(bob.id, 0));
    assert!(bench.store.browser(before, NOW).await.unwrap().is_none());
    let end = NOW.plus(KnownBrowser::LIFE);
    assert!(bench.store.browser(browser, end).await.unwrap().is_none());
    while bench.store.sweep(end).await.unwrap() > 0 {}
    assert_eq!(bench.count(b"kx"), 0);
}

async fn clearing_takes_all_counters_of_one_person(bench: &Bench) {
    let rules = crate::domain::FailureRules::default();
    let keyring = keys(0);
    let (ann, bob) = (bench.add("ann").await, bench.add("bob").await);
    let browser = digest();
    for user in [&ann, &bob] {
        for known in [None, Some(&browser)] {
            let key = keyring.counter_key(user.id, known);
            let _ = bench.store.charge(key, None, &rules, HERE).await.unwrap();
        }
    }
    assert!(bench.store.unlock(ann.id, keyring.counters_of(ann.id), HERE).await.unwrap());
    assert_eq!(bench.count(b"f"), 2);
    assert!(!bench.store.unlock(ann.id, keyring.counters_of(ann.id), HERE).await.unwrap());
    let of_bob = keyring.counter_key(bob.id, Some(&browser));
    assert!(bench.store.failures(of_bob).await.unwrap().is_some());
}
