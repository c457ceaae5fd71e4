//! What time does to sessions, sign-ins, links, codes and locks. The clock is set by hand.

use crate::harness::{ADMIN_PASSWORD, Browser, Reply, World, code_at};
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::{FailureRules, SessionRules};
use vestibule::service::{AdminReply, AdminRequest, Settings};

// In seconds.
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Gives name and password; the answer.
fn give_password(browser: &mut Browser, more: &[(&str, &str)]) -> Reply {
    let page = browser.open("/_vestibule/login");
    assert_eq!(page.status, 200);
    let fields = [[("username", "ann"), ("password", ADMIN_PASSWORD)].as_slice(), more].concat();
    browser.submit(&page, &fields)
}

/// Gives a code at the second factor; the answer.
fn give_code(browser: &mut Browser, code: &str) -> Reply {
    let page = browser.open("/_vestibule/login/second-factor");
    browser.submit(&page, &[("code", code)])
}

/// Signs ann in with the code of this moment.
fn sign_in(world: &Arc<World>, secret: &str, more: &[(&str, &str)]) -> Browser {
    let mut browser = world.browser();
    assert_eq!(give_password(&mut browser, more).status, 303);
    assert_eq!(give_code(&mut browser, &code_at(secret, world.now())).status, 303);
    assert!(is_signed_in(&browser));
    browser
}

/// Whether the account page is shown, which counts as a use.
fn is_signed_in(browser: &Browser) -> bool {
    let reply = browser.clone().request("GET", "/_vestibule/account", "", "");
    assert!([200, 302].contains(&reply.status), "{}", reply.status);
    reply.status == 200
}

fn ann() -> (Arc<World>, String) {
    let world = World::new(Settings::default());
    let secret = world.add("ann", true).unwrap();
    (world, secret)
}

#[test]
fn a_session_ends_when_nothing_was_asked_for_an_hour_and_use_prolongs_it() {
    let (world, secret) = ann();
    let browser = sign_in(&world, &secret, &[]);
    for _ in 0..3 {
        world.pass(HOUR - 1);
        assert!(is_signed_in(&browser));
    }
    world.pass(HOUR);
    assert!(!is_signed_in(&browser));
}

#[test]
fn an_idle_session_is_over_though_nothing_swept_it() {
    let (world, secret) = ann();
    let browser = sign_in(&world, &secret, &[]);
    world.pass(HOUR);
    assert!(!is_signed_in(&browser));
    let listed = world.admin(AdminRequest::SessionList { user: None });
    let AdminReply::Sessions { sessions } = listed else { panic!("no list") };
    assert!(sessions.is_empty(), "{sessions:?}");
}

#[test]
fn a_session_ends_after_a_day_however_busy_it_is() {
    let (world, secret) = ann();
    let browser = sign_in(&world, &secret, &[]);
    let begun = world.now();
    while world.now() + 1800 < begun + DAY {
        world.pass(MINUTE * 30);
        assert!(is_signed_in(&browser));
    }
    world.set(begun + DAY - 1);
    assert!(is_signed_in(&browser));
    world.pass(1);
    assert!(!is_signed_in(&browser));
}

#[test]
fn whoever_asked_to_be_remembered_is_for_thirty_days_idle_or_not() {
    let (world, secret) = ann();
    let remembered = sign_in(&world, &secret, &[("remember", "on")]);
    world.pass(MINUTE);
    let other = sign_in(&world, &secret, &[]);
    world.pass(DAY * 30 - MINUTE - 1);
    assert!(is_signed_in(&remembered) && !is_signed_in(&other));
    world.pass(1);
    assert!(!is_signed_in(&remembered));
}

#[test]
fn what_the_configuration_says_of_sessions_is_what_they_last() {
    let session = SessionRules {
        idle: Duration::from_secs(MINUTE),
        lifetime: Duration::from_secs(3 * MINUTE),
        pending: Duration::from_secs(10),
        ..SessionRules::default()
    };
    let world = World::new(Settings { session, ..Settings::default() });
    let secret = world.add("ann", true).unwrap();
    let browser = sign_in(&world, &secret, &[]);
    for _ in 0..3 {
        world.pass(59);
        assert!(is_signed_in(&browser));
    }
    world.pass(3);
    assert!(!is_signed_in(&browser));
    let mut late = world.browser();
    give_password(&mut late, &[]);
    world.pass(10);
    give_code(&mut late, &code_at(&secret, world.now()));
    assert!(!is_signed_in(&late));
}

#[test]
fn between_the_steps_of_a_sign_in_there_are_five_minutes_in_all() {
    let (world, secret) = ann();
    let mut browser = world.browser();
    give_password(&mut browser, &[]);
    let mut late = browser.clone();
    world.pass(MINUTE * 5 - 1);
    assert_eq!(late.open("/_vestibule/login/second-factor").status, 200);
    let page = late.open("/_vestibule/login/second-factor");
    world.pass(1);
    let code = code_at(&secret, world.now());
    let reply = late.submit(&page, &[("code", &code)]);
    assert!(reply.header("location").unwrap().contains("why=expired"), "{:?}", reply.headers);
    assert!(!is_signed_in(&late));
    // The code was not used up by coming too late.
    give_password(&mut browser, &[]);
    assert_eq!(give_code(&mut browser, &code).status, 303);
    assert!(is_signed_in(&browser));
}

#[test]
fn the_steps_of_a_sign_in_do_not_begin_its_time_anew() {
    let world = World::new(Settings::default());
    world.add("ann", false);
    let mut browser = world.browser();
    give_password(&mut browser, &[]);
    let page = browser.open("/_vestibule/enroll");
    let key = page.text().split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    for _ in 0..4 {
        world.pass(MINUTE);
        assert_eq!(browser.submit(&page, &[("code", "000000")]).status, 401);
    }
    world.pass(MINUTE);
    let reply = browser.submit(&page, &[("code", &code_at(&key, world.now()))]);
    assert!(reply.header("location").unwrap().contains("why=expired"), "{:?}", reply.headers);
    assert!(!is_signed_in(&browser));
}

#[test]
fn a_link_waits_two_days_and_not_longer() {
    let (world, _) = ann();
    let link = |world: &World| {
        let reset = world.admin(AdminRequest::UserResetPassword { name: "ann".into() });
        let AdminReply::Link { url, .. } = reset else { panic!("no link") };
        url.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
    };
    let fields = [("password", ADMIN_PASSWORD), ("password_again", ADMIN_PASSWORD)];
    for (waited, status) in [(DAY * 2 - 1, 303), (DAY * 2, 410)] {
        let target = link(&world);
        let mut browser = world.browser();
        let page = browser.open(&target);
        world.pass(waited);
        assert_eq!(browser.submit(&page, &fields).status, status, "{waited} s");
        assert_eq!(browser.open(&target).status, 410, "{waited} s");
    }
}

#[test]
fn a_code_is_taken_one_step_early_or_late_and_no_further() {
    let (world, secret) = ann();
    for (steps, status) in [(-2_i64, 401), (2, 401), (-1, 303), (1, 303)] {
        // Each try in a step of its own, far from those that were used.
        world.pass(MINUTE * 10);
        let mut browser = world.browser();
        give_password(&mut browser, &[]);
        let code = code_at(&secret, world.now().checked_add_signed(steps * 30).unwrap());
        assert_eq!(give_code(&mut browser, &code).status, status, "{steps} steps");
    }
}

#[test]
fn a_clock_that_goes_back_brings_no_used_code_to_life() {
    let (world, secret) = ann();
    let code = code_at(&secret, world.now());
    let earlier = code_at(&secret, world.now() - 30);
    sign_in(&world, &secret, &[]);
    for back in [30, 30, HOUR] {
        world.set_back(back);
        let at = code_at(&secret, world.now());
        let mut browser = world.browser();
        give_password(&mut browser, &[]);
        for used in [&code, &earlier, &at] {
            assert_eq!(give_code(&mut browser, used).status, 401, "{back} s");
        }
        assert!(!is_signed_in(&browser));
        world.admin(AdminRequest::UserUnlock { name: "ann".into() });
    }
    // Once time has caught up, the next step is good again.
    world.pass(HOUR + MINUTE + 30);
    sign_in(&world, &secret, &[]);
}

#[test]
fn a_lock_runs_out_by_itself_and_trying_does_not_prolong_it() {
    let failures = FailureRules { lockout_after: 3, lockout_for: Duration::from_secs(30 * MINUTE) };
    let world = World::new(Settings { failures, ..Settings::default() });
    let secret = world.add("ann", true).unwrap();
    for name in ["ann", "nobody"] {
        let begun = world.now();
        let mut browser = world.browser();
        let page = browser.open("/_vestibule/login");
        let wrong = [("username", name), ("password", "a wrong password indeed")];
        for _ in 0..3 {
            assert_eq!(browser.submit(&page, &wrong).status, 401);
        }
        for minute in [10, 20] {
            world.set(begun + minute * 60);
            let reply = browser.submit(&page, &wrong);
            assert_eq!(reply.status, 423);
            let left = (30 - minute) * 60;
            assert_eq!(reply.header("retry-after"), Some(left.to_string().as_str()));
        }
        world.set(begun + 30 * 60 - 1);
        assert_eq!(browser.submit(&page, &wrong).status, 423);
        world.pass(1);
        // The run begins anew: three more, and not one.
        for _ in 0..2 {
            assert_eq!(browser.submit(&page, &wrong).status, 401, "{name}");
        }
    }
    sign_in(&world, &secret, &[]);
}

#[test]
fn failures_of_yesterday_are_forgotten_and_those_of_today_are_not() {
    let failures = FailureRules { lockout_after: 3, lockout_for: Duration::from_secs(30 * MINUTE) };
    for (waited, status) in [(DAY - 1, 423), (DAY, 303)] {
        let world = World::new(Settings { failures, ..Settings::default() });
        world.add("ann", true);
        let mut browser = world.browser();
        let page = browser.open("/_vestibule/login");
        let wrong = [("username", "ann"), ("password", "a wrong password indeed")];
        for _ in 0..2 {
            assert_eq!(browser.submit(&page, &wrong).status, 401);
        }
        world.pass(waited);
        world.run(world.service.sweep()).unwrap();
        assert_eq!(browser.submit(&page, &wrong).status, 401);
        assert_eq!(give_password(&mut browser, &[]).status, status, "{waited} s");
    }
}

#[test]
fn somebody_whose_clock_is_off_is_told_after_two_codes_of_another_time_and_let_in_by_neither() {
    let (world, secret) = ann();
    for minutes in [-7, 7] {
        let mut browser = world.browser();
        assert_eq!(give_password(&mut browser, &[]).status, 303);
        let shown =
            |world: &World| code_at(&secret, world.now().checked_add_signed(minutes * 60).unwrap());
        let first = give_code(&mut browser, &shown(&world));
        assert_eq!(first.status, 401);
        assert!(!first.text().contains("clock of"), "one alone tells nothing");
        // The same once more tells no more.
        assert!(!give_code(&mut browser, &shown(&world)).text().contains("clock of"));
        world.pass(30);
        let second = give_code(&mut browser, &shown(&world));
        assert_eq!(second.status, 401);
        let text = "clock of your phone seems to be off by about 7 minutes";
        assert!(second.text().contains(text), "{}", second.text());
        assert!(!is_signed_in(&browser));
        // The clock is right now.
        world.pass(30);
        assert_eq!(give_code(&mut browser, &code_at(&secret, world.now())).status, 303);
        assert!(is_signed_in(&browser));
        world.pass(HOUR);
    }
}

#[test]
fn codes_of_another_time_cost_what_any_wrong_code_costs_and_programs_hear_of_a_wrong_code() {
    let failures = FailureRules { lockout_after: 3, ..FailureRules::default() };
    let world = World::new(Settings { failures, ..Settings::default() });
    let secret = world.add("ann", true).unwrap();
    let off = |world: &World| code_at(&secret, world.now() - 5 * MINUTE);
    let mut answers = Vec::new();
    for _ in 0..4 {
        let body = serde_json::json!({
            "username": "ann", "password": ADMIN_PASSWORD, "totp_code": off(&world),
        });
        let reply = world.browser().request(
            "POST",
            "/_vestibule/api/v1/auth/login",
            "Content-Type: application/json\r\n",
            &body.to_string(),
        );
        answers.push((reply.status, reply.text()));
        world.pass(30);
    }
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [401, 401, 401, 423]);
    assert!(answers[0].1.contains("invalid_code"), "{}", answers[0].1);
    assert_eq!(answers[0].1, answers[1].1);
    assert!(!answers[1].1.contains("clock"));
}

#[test]
fn whoever_enrols_with_a_clock_that_is_off_is_told_at_once() {
    let world = World::new(Settings::default());
    world.add("ann", false);
    let mut browser = world.browser();
    let answer = give_password(&mut browser, &[]);
    let page = browser.follow(answer);
    let key = page.text().split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let wrong = browser.submit(&page, &[("code", &code_at(&key, world.now() + 3 * MINUTE))]);
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("off by about 3 minutes"), "{}", wrong.text());
}

#[test]
fn whoever_is_locked_out_is_told_until_when() {
    let failures = FailureRules { lockout_after: 1, ..FailureRules::default() };
    let world = World::new(Settings { failures, ..Settings::default() });
    world.add("ann", true);
    let mut browser = world.browser();
    for status in [401, 423] {
        let page = browser.open("/_vestibule/login");
        let wrong = [("username", "ann"), ("password", "not the password")];
        let reply = browser.submit(&page, &wrong);
        assert_eq!(reply.status, status);
        if status == 423 {
            // From 08:00:15 for half an hour, to the minute and never too early.
            let until =
                "in 30 minutes, at <time datetime=\"2027-01-15T08:31:00Z\" data-clock>08:31 UTC";
            assert!(reply.text().contains(until), "{}", reply.text());
        }
    }
}

#[test]
fn a_clock_that_was_ahead_for_a_moment_locks_nobody_out_for_years() {
    let failures = FailureRules { lockout_after: 3, lockout_for: Duration::from_secs(30 * MINUTE) };
    let world = World::new(Settings { failures, ..Settings::default() });
    world.add("ann", true);
    let now = world.now();
    let mut browser = world.browser();
    let page = browser.open("/_vestibule/login");
    let wrong = [("username", "ann"), ("password", "a wrong password indeed")];
    world.pass(DAY * 3650);
    for _ in 0..3 {
        assert_eq!(browser.submit(&page, &wrong).status, 401);
    }
    world.set(now);
    // Nobody is told of years, administrators no more than whoever tries.
    let AdminReply::User { user } = world.admin(AdminRequest::UserShow { name: "ann".into() })
    else {
        panic!("ann is not there")
    };
    let half_past_eight = Some("2027-01-15T08:30:15Z");
    assert_eq!(user.locked_until.as_deref(), half_past_eight);
    let reply = browser.submit(&page, &wrong);
    assert_eq!((reply.status, reply.header("retry-after")), (423, Some("1800")));
    world.pass(30 * MINUTE);
    assert_eq!(give_password(&mut browser, &[]).status, 303);
}

#[test]
fn a_clock_that_jumps_ends_no_session_that_lives_and_brings_none_to_life() {
    let (world, secret) = ann();
    let browser = sign_in(&world, &secret, &[]);
    let begun = world.now();
    world.set_back(HOUR);
    assert!(is_signed_in(&browser));
    world.set(begun + HOUR / 2);
    assert!(is_signed_in(&browser));
    world.set(begun + DAY * 400);
    assert!(!is_signed_in(&browser));
    world.run(world.service.sweep()).unwrap();
    for moment in [begun, begun + 1, begun - DAY] {
        world.set(moment);
        assert!(!is_signed_in(&browser), "{moment}");
    }
    // Whoever signs in now is counted by the clock as it is now.
    world.set(begun + HOUR);
    let again = sign_in(&world, &secret, &[]);
    world.pass(HOUR);
    assert!(!is_signed_in(&again));
}
