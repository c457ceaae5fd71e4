use super::bench::*;
use super::on_both_engines;
use crate::domain::UserChange;
use crate::store::{Added, SignIns as _, Users as _};
use crate::types::{DisplayName, GroupName, Login, Username};

on_both_engines! {
    a_record_reads_back_as_it_was_written
    a_person_is_found_by_either_name_in_any_spelling
    names_are_one_namespace
    a_freed_name_may_be_taken
    people_come_in_order_of_their_names
    changes_apply_to_the_record_as_it_is
    a_change_that_ends_sessions_ends_them_all
    a_second_factor_takes_its_codes_and_steps_along
    removing_somebody_leaves_no_row_behind
    an_id_is_never_given_to_a_second_record
}

async fn a_record_reads_back_as_it_was_written(bench: &Bench) {
    assert!(bench.store.is_empty().await.unwrap());
    let mut user = person("ann");
    user.email = email("ann@example.org");
    user.display_name = Some(DisplayName::parse("Ann Ó").unwrap());
    user.groups = vec![GroupName::parse("admins").unwrap(), GroupName::parse("ops").unwrap()];
    user.totp = Some(totp());
    user.must_change_password = true;
    user.credentials = 7;
    let (set, _) = codes();
    assert_eq!(bench.store.add_user(user.clone(), Some(set.clone()), HERE).await, Ok(Added::Done));
    let found = bench.store.user(user.id).await.unwrap().unwrap();
    // Secrets do not show in Debug, so they are compared on their own.
    assert_eq!(format!("{found:?}"), format!("{user:?}"));
    assert_eq!(found.password, user.password);
    let secret = |user: &crate::domain::User| user.totp.as_ref().unwrap().secret.bytes().to_vec();
    assert_eq!(secret(&found), secret(&user));
    assert_eq!(bench.store.recovery_set(user.id).await.unwrap(), Some(set));
    assert_eq!(bench.store.last_totp_step(user.id).await.unwrap(), None);
    assert!(!bench.store.is_empty().await.unwrap());
}

async fn a_person_is_found_by_either_name_in_any_spelling(bench: &Bench) {
    let mut user = person("ann");
    user.email = email("a.n.n@example.org");
    assert_eq!(bench.store.add_user(user.clone(), None, HERE).await, Ok(Added::Done));
    for typed in ["ann", " ANN ", "A.N.N@Example.org"] {
        let found = bench.store.find_user(&Login::parse(typed).unwrap()).await.unwrap();
        assert_eq!(found.unwrap().id, user.id, "{typed}");
    }
    let nobody = Login::parse("bob").unwrap();
    assert!(bench.store.find_user(&nobody).await.unwrap().is_none());
}

async fn names_are_one_namespace(bench: &Bench) {
    let mut ann = person("ann@example.org");
    ann.email = email("ann@example.com");
    assert_eq!(bench.store.add_user(ann.clone(), None, HERE).await, Ok(Added::Done));
    assert_eq!(
        bench.store.add_user(person("ann@example.com"), None, HERE).await,
        Ok(Added::NameTaken),
        "a username that is somebody's e-mail address"
    );
    let mut bob = person("bob");
    bob.email = email("ann@example.org");
    assert_eq!(
        bench.store.add_user(bob.clone(), None, HERE).await,
        Ok(Added::NameTaken),
        "an e-mail address that is somebody's username"
    );
    bob.email = None;
    assert_eq!(bench.store.add_user(bob.clone(), None, HERE).await, Ok(Added::Done));
    for taken in ["ann@example.org", "ann@example.com"] {
        let change = vec![UserChange::Email(email(taken))];
        let outcome = bench.store.change_user(bob.id, change, HERE).await.unwrap().unwrap();
        assert_eq!(outcome.unwrap_err(), Added::NameTaken, "{taken}");
    }
    let own = vec![UserChange::Email(email("ann@example.org"))];
    let changed = bench.store.change_user(ann.id, own, HERE).await.unwrap().unwrap().unwrap();
    assert_eq!(changed.user.email, email("ann@example.org"), "one's own name is not taken");
    let login = Login::parse("ann@example.org").unwrap();
    assert_eq!(bench.store.find_user(&login).await.unwrap().unwrap().id, ann.id);
    let none = vec![UserChange::Email(None)];
    assert!(bench.store.change_user(ann.id, none, HERE).await.unwrap().unwrap().is_ok());
    assert_eq!(
        bench.store.find_user(&login).await.unwrap().unwrap().id,
        ann.id,
        "giving up the address does not give up the username that reads the same"
    );
}

async fn a_freed_name_may_be_taken(bench: &Bench) {
    let mut ann = person("ann");
    ann.email = email("ann@example.org");
    assert_eq!(bench.store.add_user(ann.clone(), None, HERE).await, Ok(Added::Done));
    let moved = vec![UserChange::Email(email("ann@example.net"))];
    assert!(bench.store.change_user(ann.id, moved, HERE).await.unwrap().unwrap().is_ok());
    let mut bob = person("bob");
    bob.email = email("ann@example.org");
    assert_eq!(bench.store.add_user(bob, None, HERE).await, Ok(Added::Done));
    assert!(bench.store.remove_user(ann.id, NO_COUNTERS, HERE).await.unwrap().is_some());
    assert_eq!(bench.store.add_user(person("ann"), None, HERE).await, Ok(Added::Done));
}

async fn people_come_in_order_of_their_names(bench: &Bench) {
    for name in ["carol", "ann", "bob"] {
        bench.add(name).await;
    }
    let users = bench.store.users().await.unwrap();
    let names: Vec<&str> = users.iter().map(|user| user.username.as_str()).collect();
    assert_eq!(names, ["ann", "bob", "carol"]);
}

async fn changes_apply_to_the_record_as_it_is(bench: &Bench) {
    let ann = bench.add("ann").await;
    let won = race(32, |at| {
        let (store, id) = (bench.store.clone(), ann.id);
        async move {
            let change = match at % 2 {
                0 => UserChange::NoSecondFactor,
                _ => UserChange::DisplayName(Some(DisplayName::parse("Ann").unwrap())),
            };
            store.change_user(id, vec![change], HERE).await.unwrap().unwrap().is_ok()
        }
    })
    .await;
    let found = bench.store.user(ann.id).await.unwrap().unwrap();
    assert_eq!((won, found.credentials), (32, 16), "no change was lost");
    assert!(found.display_name.is_some());
    let nobody = person("nobody").id;
    assert!(bench.store.change_user(nobody, Vec::new(), HERE).await.unwrap().is_none());
}

async fn a_change_that_ends_sessions_ends_them_all(bench: &Bench) {
    let (ann, bob) = (bench.add("ann").await, bench.add("bob").await);
    for user in [&ann, &ann, &bob] {
        bench.sign_in(user, NOW).await;
    }
    use crate::store::Sessions as _;
    let quiet = vec![UserChange::Groups(Vec::new())];
    let changed = bench.store.change_user(ann.id, quiet, HERE).await.unwrap().unwrap().unwrap();
    assert_eq!(changed.sessions_ended, 0);
    let loud = vec![new_password(), UserChange::Groups(Vec::new())];
    let changed = bench.store.change_user(ann.id, loud, HERE).await.unwrap().unwrap().unwrap();
    assert_eq!(changed.sessions_ended, 2);
    assert_eq!(bench.store.sessions(None).await.unwrap().len(), 1);
    assert_eq!(bench.store.sessions(Some(bob.id)).await.unwrap().len(), 1);
}

async fn a_second_factor_takes_its_codes_and_steps_along(bench: &Bench) {
    let (mut ann, (set, _)) = (person("ann"), codes());
    let factor = totp();
    ann.totp = Some(factor.clone());
    assert_eq!(bench.store.add_user(ann.clone(), Some(set), HERE).await, Ok(Added::Done));
    assert!(bench.store.spend_totp_step(matched(ann.id, &factor, NOW)).await.unwrap().is_some());
    let gone = vec![UserChange::NoSecondFactor];
    assert!(bench.store.change_user(ann.id, gone, HERE).await.unwrap().unwrap().is_ok());
    assert_eq!(bench.store.recovery_set(ann.id).await.unwrap(), None);
    assert_eq!(bench.store.last_totp_step(ann.id).await.unwrap(), None);
}

async fn removing_somebody_leaves_no_row_behind(bench: &Bench) {
    let bob = bench.add("bob").await;
    let before = bench.dump_of_today();
    let (mut ann, (set, codes)) = (person("ann"), codes());
    ann.email = email("ann@example.org");
    let factor = totp();
    ann.totp = Some(factor.clone());
    assert_eq!(bench.store.add_user(ann.clone(), Some(set), HERE).await, Ok(Added::Done));
    assert!(bench.store.spend_totp_step(matched(ann.id, &factor, NOW)).await.unwrap().is_some());
    bench.begin(&ann, NOW).await;
    bench.sign_in(&ann, NOW).await;
    let onward = crate::store::Onward::Session(digest(), session(&ann, NOW), codes);
    assert_eq!(bench.commit(step(&ann, onward, NOW)).await, crate::store::Stepped::Done);
    use crate::domain::LinkPurpose::{Invitation, NewSecondFactor};
    for purpose in [Invitation, NewSecondFactor] {
        bench.store.add_link(digest(), link(Some(&ann), purpose, later(60))).await.unwrap();
    }
    assert_eq!(
        bench.store.remove_user(ann.id, NO_COUNTERS, HERE).await.unwrap().unwrap().id,
        ann.id
    );
    assert_eq!(bench.dump_of_today(), before);
    assert!(bench.store.remove_user(ann.id, NO_COUNTERS, HERE).await.unwrap().is_none());
    bench.store.add_link(digest(), link(Some(&ann), Invitation, later(60))).await.unwrap();
    let late = bench.store.spend_totp_step(matched(ann.id, &factor, later(60))).await.unwrap();
    assert!(late.is_none());
    assert_eq!(bench.dump_of_today(), before, "what comes too late leaves nothing either");
    assert!(bench.store.user(bob.id).await.unwrap().is_some());
}

async fn an_id_is_never_given_to_a_second_record(bench: &Bench) {
    let mut ann = bench.add("ann").await;
    ann.username = Username::parse("eve").unwrap();
    assert_eq!(bench.store.add_user(ann.clone(), None, HERE).await, Ok(Added::NameTaken));
    assert_eq!(bench.store.user(ann.id).await.unwrap().unwrap().username.as_str(), "ann");
}
