use super::bench::*;
use super::on_both_engines;
use crate::crypto::{TotpParams, TotpSecret};
use crate::domain::{LinkPurpose, TotpFactor, UserChange};
use crate::store::{
    Effect, OneTime, Onward, Sessions as _, SignIns as _, Step, Stepped, Users as _,
};
use std::sync::Arc;

on_both_engines! {
    a_totp_step_is_used_once_and_no_earlier_one_after_it
    one_of_64_takes_a_totp_step
    one_of_64_takes_a_recovery_code
    one_of_64_takes_a_sign_in_under_way
    one_of_64_takes_a_link
    one_of_64_becomes_the_first_administrator
    a_step_under_old_credentials_is_void
    a_disabled_persons_step_is_void
    another_persons_step_is_void
    a_changed_password_ends_sessions_and_sign_ins_but_not_its_own
    an_expired_sign_in_or_link_is_gone_before_any_sweep
    enrolling_uses_up_its_step_and_replaces_the_codes
    a_pending_secret_is_rewritten_in_place_and_only_there
    recovery_codes_are_shown_once_and_to_a_live_session_only
    links_of_one_kind_replace_each_other
    a_set_up_link_makes_the_first_person_and_nothing_else
    a_refused_step_leaves_everything_as_it_was
}

async fn a_totp_step_is_used_once_and_no_earlier_one_after_it(bench: &Bench) {
    let (ann, factor) = (bench.add("ann").await, totp());
    let spend = async |secs| {
        let code = matched(ann.id, &factor, later(secs));
        bench.store.spend_totp_step(code).await.unwrap().is_some()
    };
    assert!(spend(60).await);
    assert!(!spend(60).await, "the same step");
    assert!(!spend(30).await, "an earlier step");
    assert!(spend(90).await, "a later step");
    let last = bench.store.last_totp_step(ann.id).await.unwrap();
    assert_eq!(last, Some(matched(ann.id, &factor, later(90)).step()));
}

async fn one_of_64_takes_a_totp_step(bench: &Bench) {
    let (ann, factor) = (bench.add("ann").await, totp());
    let won = race(64, |_| {
        let (store, code) = (Arc::clone(&bench.store), matched(ann.id, &factor, NOW));
        async move { store.spend_totp_step(code).await.unwrap().is_some() }
    });
    assert_eq!(won.await, 1);
}

async fn one_of_64_takes_a_recovery_code(bench: &Bench) {
    let (ann, (set, _)) = (person("ann"), codes());
    let code = set.digests[3];
    let added = bench.store.add_user(ann.clone(), Some(set), HERE).await;
    assert_eq!(added, Ok(crate::store::Added::Done));
    let won = race(64, |_| {
        let (store, id) = (Arc::clone(&bench.store), ann.id);
        async move { store.spend_recovery_code(id, code, HERE).await.unwrap().is_some() }
    });
    assert_eq!(won.await, 1);
    let left = bench.store.recovery_set(ann.id).await.unwrap().unwrap().digests;
    assert_eq!(left.len(), 9);
    let (spent, count) =
        bench.store.spend_recovery_code(ann.id, left[0], HERE).await.unwrap().unwrap();
    assert_eq!((spent.user(), count), (ann.id, 8));
    let bob = bench.add("bob").await;
    assert!(bench.store.spend_recovery_code(bob.id, left[1], HERE).await.unwrap().is_none());
}

async fn one_of_64_takes_a_sign_in_under_way(bench: &Bench) {
    let ann = bench.add("ann").await;
    let pending = bench.begin(&ann, NOW).await;
    let won = race(64, |_| {
        let (store, (_, step)) =
            (Arc::clone(&bench.store), finish(&ann, OneTime::Pending(pending), NOW));
        async move { store.commit(step).await.unwrap() == Stepped::Done }
    });
    assert_eq!(won.await, 1);
    assert_eq!(bench.store.sessions(Some(ann.id)).await.unwrap().len(), 1);
    assert!(bench.store.pending(pending, NOW).await.unwrap().is_none());
    assert_eq!(bench.count(b"p"), 0);
}

async fn one_of_64_takes_a_link(bench: &Bench) {
    let (ann, token) = (bench.add("ann").await, digest());
    let invitation = link(Some(&ann), LinkPurpose::Invitation, later(60));
    bench.store.add_link(token, invitation).await.unwrap();
    let won = race(64, |_| {
        let (store, (_, mut step)) =
            (Arc::clone(&bench.store), finish(&ann, OneTime::Link(token), NOW));
        step.effects = vec![Effect::Change(new_password())];
        async move { store.commit(step).await.unwrap() == Stepped::Done }
    });
    assert_eq!(won.await, 1);
    assert_eq!(bench.store.link(token, NOW).await.unwrap(), None);
    assert_eq!(bench.store.user(ann.id).await.unwrap().unwrap().credentials, 1);
    assert_eq!(bench.store.sessions(None).await.unwrap().len(), 1);
}

async fn one_of_64_becomes_the_first_administrator(bench: &Bench) {
    let won = race(64, |at| {
        let (store, user) = (Arc::clone(&bench.store), person(&format!("ann{at}")));
        let onward = Onward::Pending(digest(), pending(&user, NOW));
        let effects = vec![Effect::FirstUser(user.clone())];
        let step = Step { effects, ..step(&user, onward, NOW) };
        async move { store.commit(step).await.unwrap() == Stepped::Done }
    });
    assert_eq!(won.await, 1);
    assert_eq!((bench.count(b"u"), bench.count(b"n"), bench.count(b"p")), (1, 1, 1));
}

async fn a_step_under_old_credentials_is_void(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (stays, goes) = (bench.begin(&ann, NOW).await, bench.begin(&ann, NOW).await);
    let (_, step) = finish(&ann, OneTime::Pending(stays), NOW);
    assert_eq!(bench.commit(step).await, Stepped::Done);
    let secret = TotpSecret::generate(TotpParams::default()).unwrap();
    let changes = vec![UserChange::Totp(TotpFactor { secret, confirmed_at: NOW })];
    let now_is =
        bench.store.change_user(ann.id, changes, HERE).await.unwrap().unwrap().unwrap().user;
    let (_, old) = finish(&ann, OneTime::Pending(goes), NOW);
    assert_eq!(bench.commit(old).await, Stepped::Void);
    let (_, pretends) = finish(&now_is, OneTime::Pending(goes), NOW);
    assert_eq!(bench.commit(pretends).await, Stepped::Void, "the sign-in began under the old ones");
    let onward = Onward::Session(digest(), session(&ann, NOW), Vec::new());
    assert_eq!(bench.commit(step_of(&ann, onward)).await, Stepped::Void);
    let left = bench.store.sessions(None).await.unwrap().len();
    assert_eq!(left, 0, "the one that was begun without the second factor ended with its coming");
}

fn step_of(user: &crate::domain::User, onward: Onward) -> Step {
    step(user, onward, NOW)
}

async fn a_disabled_persons_step_is_void(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (digest, _) = bench.sign_in(&ann, NOW).await;
    let pending = bench.begin(&ann, NOW).await;
    let off = vec![UserChange::Disabled(true)];
    let ann = bench.store.change_user(ann.id, off, HERE).await.unwrap().unwrap().unwrap().user;
    assert!(bench.store.session(digest).await.unwrap().is_none());
    let (_, step) = finish(&ann, OneTime::Pending(pending), NOW);
    assert_eq!(bench.commit(step).await, Stepped::Void);
    let onward = Onward::Session(super::bench::digest(), session(&ann, NOW), Vec::new());
    assert_eq!(bench.commit(step_of(&ann, onward)).await, Stepped::Void);
    assert_eq!(bench.count(b"s"), 0);
}

async fn another_persons_step_is_void(bench: &Bench) {
    let (ann, bob) = (bench.add("ann").await, bench.add("bob").await);
    let pending = bench.begin(&ann, NOW).await;
    let token = digest();
    let invitation = link(Some(&ann), LinkPurpose::Invitation, later(60));
    bench.store.add_link(token, invitation).await.unwrap();
    for theirs in [OneTime::Pending(pending), OneTime::Link(token)] {
        assert_eq!(bench.commit(finish(&bob, theirs, NOW).1).await, Stepped::Void);
    }
    let mixed = Onward::Session(digest(), session(&bob, NOW), Vec::new());
    assert_eq!(bench.commit(step_of(&ann, mixed)).await, Stepped::Void);
    let ghost = person("ghost");
    let onward = Onward::Session(digest(), session(&ghost, NOW), Vec::new());
    assert_eq!(bench.commit(step_of(&ghost, onward)).await, Stepped::Void);
    assert_eq!(bench.commit(finish(&ann, OneTime::Pending(pending), NOW).1).await, Stepped::Done);
}

async fn a_changed_password_ends_sessions_and_sign_ins_but_not_its_own(bench: &Bench) {
    let ann = bench.add("ann").await;
    bench.sign_in(&ann, NOW).await;
    let (own, other) = (bench.begin(&ann, NOW).await, bench.begin(&ann, NOW).await);
    let next = digest();
    let mut change = step_of(&ann, Onward::Pending(next, pending(&ann, NOW)));
    change.consumes = Some(OneTime::Pending(own));
    change.effects = vec![Effect::Change(new_password())];
    assert_eq!(bench.commit(change).await, Stepped::Done);
    assert_eq!(bench.store.sessions(None).await.unwrap().len(), 0);
    let user = bench.store.user(ann.id).await.unwrap().unwrap();
    let voided = bench.store.pending(other, NOW).await.unwrap().unwrap();
    assert!(!voided.is_good_for(&user, NOW));
    let stands = bench.store.pending(next, NOW).await.unwrap().unwrap();
    assert!(stands.is_good_for(&user, NOW));
    let proof = session(&ann, NOW);
    let onward = Onward::Session(digest(), proof, Vec::new());
    let mut last = step(&user, onward, NOW);
    last.consumes = Some(OneTime::Pending(next));
    assert_eq!(bench.commit(last).await, Stepped::Done);
    assert_eq!(bench.store.sessions(None).await.unwrap().len(), 1);
}

async fn an_expired_sign_in_or_link_is_gone_before_any_sweep(bench: &Bench) {
    let ann = bench.add("ann").await;
    let pending = bench.begin(&ann, NOW).await;
    let token = digest();
    let reset = link(Some(&ann), LinkPurpose::NewPassword, later(300));
    bench.store.add_link(token, reset).await.unwrap();
    assert!(bench.store.pending(pending, later(299)).await.unwrap().is_some());
    assert_eq!(bench.store.link(token, later(299)).await.unwrap(), Some(reset));
    assert!(bench.store.pending(pending, later(300)).await.unwrap().is_none());
    assert_eq!(bench.store.link(token, later(300)).await.unwrap(), None);
    for late in [OneTime::Pending(pending), OneTime::Link(token)] {
        assert_eq!(bench.commit(finish(&ann, late, later(300)).1).await, Stepped::Void);
    }
}

async fn enrolling_uses_up_its_step_and_replaces_the_codes(bench: &Bench) {
    let ann = person("ann");
    let (old, _) = codes();
    let added = bench.store.add_user(ann.clone(), Some(old), HERE).await;
    assert_eq!(added, Ok(crate::store::Added::Done));
    let (factor, (new, _)) = (totp(), codes());
    let first = matched(ann.id, &factor, NOW);
    let pending = bench.begin(&ann, NOW).await;
    let (_, mut enrols) = finish(&ann, OneTime::Pending(pending), NOW);
    enrols.effects = vec![enrol(&factor, first.step(), new.clone())];
    assert_eq!(bench.commit(enrols).await, Stepped::Done);
    assert!(bench.store.spend_totp_step(first).await.unwrap().is_none());
    assert_eq!(bench.store.recovery_set(ann.id).await.unwrap(), Some(new));
    let user = bench.store.user(ann.id).await.unwrap().unwrap();
    assert_eq!(user.totp.unwrap().secret.bytes(), factor.secret.bytes());
}

async fn a_pending_secret_is_rewritten_in_place_and_only_there(bench: &Bench) {
    let ann = bench.add("ann").await;
    let token = bench.begin(&ann, NOW).await;
    let mut changed = bench.store.pending(token, NOW).await.unwrap().unwrap();
    let secret = totp().secret;
    changed.enrolment = Some(secret.clone());
    changed.return_to = Some(String::from("/there?x=1"));
    changed.remember = true;
    assert!(bench.store.update_pending(token, changed.clone()).await.unwrap());
    let found = bench.store.pending(token, NOW).await.unwrap().unwrap();
    assert_eq!(found.enrolment.unwrap().bytes(), secret.bytes());
    assert_eq!((found.return_to, found.remember), (changed.return_to.clone(), true));
    assert!(!bench.store.update_pending(digest(), changed.clone()).await.unwrap());
    assert_eq!(bench.commit(finish(&ann, OneTime::Pending(token), NOW).1).await, Stepped::Done);
    assert!(!bench.store.update_pending(token, changed).await.unwrap(), "used up, not revived");
    assert_eq!(bench.count(b"p"), 0);
}

async fn recovery_codes_are_shown_once_and_to_a_live_session_only(bench: &Bench) {
    let ann = bench.add("ann").await;
    let (_, fresh) = codes();
    let texts: Vec<String> = fresh.iter().map(|code| code.reveal()).collect();
    let tokens = [digest(), digest()];
    for token in tokens {
        let onward = Onward::Session(token, session(&ann, NOW), fresh.clone());
        assert_eq!(bench.commit(step_of(&ann, onward)).await, Stepped::Done);
    }
    assert!(bench.store.take_recovery_codes(digest(), NOW).await.unwrap().is_empty());
    let shown = bench.store.take_recovery_codes(tokens[0], NOW).await.unwrap();
    assert_eq!(shown.iter().map(|code| code.reveal()).collect::<Vec<_>>(), texts);
    assert!(bench.store.take_recovery_codes(tokens[0], NOW).await.unwrap().is_empty());
    let expired = bench.store.take_recovery_codes(tokens[1], later(4000)).await.unwrap();
    assert!(expired.is_empty());
    assert_eq!(bench.store.revoke_all(None, HERE).await.unwrap(), 2);
    assert_eq!(bench.count(b"h"), 0, "codes nobody saw go with their session");
}

async fn links_of_one_kind_replace_each_other(bench: &Bench) {
    let (ann, bob) = (bench.add("ann").await, bench.add("bob").await);
    let add = async |user, purpose| {
        let token = digest();
        bench.store.add_link(token, link(user, purpose, later(60))).await.unwrap();
        token
    };
    let first = add(Some(&ann), LinkPurpose::Invitation).await;
    let second = add(Some(&ann), LinkPurpose::NewPassword).await;
    assert_eq!(bench.store.link(first, NOW).await.unwrap(), None);
    let kept = [
        add(Some(&ann), LinkPurpose::NewSecondFactor).await,
        add(Some(&bob), LinkPurpose::NewPassword).await,
        add(Some(&ann), LinkPurpose::NewPassword).await,
    ];
    for gone in [first, second] {
        assert_eq!(bench.store.link(gone, NOW).await.unwrap(), None);
        assert_eq!(bench.commit(finish(&ann, OneTime::Link(gone), NOW).1).await, Stepped::Void);
    }
    for token in kept {
        assert!(bench.store.link(token, NOW).await.unwrap().is_some());
    }
    let set_up = add(None, LinkPurpose::Setup).await;
    let again = add(None, LinkPurpose::Setup).await;
    assert_eq!(bench.store.link(set_up, NOW).await.unwrap(), None);
    assert!(bench.store.link(again, NOW).await.unwrap().is_some());
    assert_eq!(bench.count(b"l"), 4);
}

async fn a_set_up_link_makes_the_first_person_and_nothing_else(bench: &Bench) {
    let token = digest();
    bench.store.add_link(token, link(None, LinkPurpose::Setup, later(60))).await.unwrap();
    let ann = person("ann");
    let (_, bare) = finish(&ann, OneTime::Link(token), NOW);
    assert_eq!(bench.commit(bare.clone()).await, Stepped::Void);
    let (factor, (set, codes)) = (totp(), codes());
    let first = Step {
        effects: vec![Effect::FirstUser(ann.clone()), enrol(&factor, 5, set)],
        onward: Onward::Session(digest(), session(&ann, NOW), codes),
        ..bare.clone()
    };
    assert_eq!(bench.commit(first.clone()).await, Stepped::Done);
    assert_eq!(bench.store.last_totp_step(ann.id).await.unwrap(), Some(5));
    assert_eq!(bench.commit(first).await, Stepped::Void, "the link is used up");
    let second = person("bob");
    let onward = Onward::Session(digest(), session(&second, NOW), Vec::new());
    let effects = vec![Effect::FirstUser(second.clone())];
    let step = Step { effects, ..step(&second, onward, NOW) };
    assert_eq!(bench.commit(step).await, Stepped::Refused, "there is somebody already");
    assert_eq!(bench.count(b"u"), 1);
}

async fn a_refused_step_leaves_everything_as_it_was(bench: &Bench) {
    let (ann, _) = (bench.add("ann").await, bench.add("bob@example.org").await);
    let pending = bench.begin(&ann, NOW).await;
    bench.sign_in(&ann, NOW).await;
    let before = bench.dump();
    let (_, mut renames) = finish(&ann, OneTime::Pending(pending), NOW);
    renames.effects = vec![
        Effect::Change(new_password()),
        Effect::Change(UserChange::Email(email("bob@example.org"))),
    ];
    assert_eq!(bench.commit(renames).await, Stepped::Refused);
    assert_eq!(bench.dump(), before);
}
