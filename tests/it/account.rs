//! What people do about their own account, on its pages. The clock is set by hand.

use crate::harness::{ADMIN_PASSWORD, Browser, Reply, World, code_at, filled_in};
use std::sync::Arc;
use vestibule::domain::{AccessRules, Policy};
use vestibule::service::{AdminReply, AdminRequest, NewToken, Settings};
use vestibule::types::DisplayName;

const NEW_PASSWORD: &str = "another long password";

/// A world in which a password alone lets in whoever has no second factor.
fn one_factor() -> Arc<World> {
    let access = AccessRules::new(Vec::new(), Policy::OneFactor);
    World::new(Settings { access, registration: true, ..Settings::default() })
}

fn give_password(browser: &mut Browser, name: &str, password: &str) -> Reply {
    let page = browser.open("/_vestibule/login");
    browser.submit(&page, &[("username", name), ("password", password)])
}

/// Signs somebody in, with the code of this moment where they have a second factor.
fn sign_in(world: &Arc<World>, name: &str, secret: Option<&str>) -> Browser {
    let mut browser = world.browser();
    assert_eq!(give_password(&mut browser, name, ADMIN_PASSWORD).status, 303);
    if let Some(secret) = secret {
        world.pass(30);
        let page = browser.open("/_vestibule/login/second-factor");
        assert_eq!(browser.submit(&page, &[("code", &code_at(secret, world.now()))]).status, 303);
    }
    assert!(is_signed_in(&browser));
    browser
}

fn is_signed_in(browser: &Browser) -> bool {
    browser.clone().request("GET", "/_vestibule/account", "", "").status == 200
}

/// Fills in the form of a page that does this.
fn submit(browser: &mut Browser, page: &Reply, what: &str, fields: &[(&str, &str)]) -> Reply {
    let fields = [&[("do", what)], fields].concat();
    browser.submit(page, &fields)
}

fn key_on(page: &Reply) -> String {
    let text = page.text();
    let key = text.split("<code>").nth(1).unwrap_or_else(|| panic!("no key: {text}"));
    key.split('<').next().unwrap().to_owned()
}

fn codes_on(page: &Reply) -> Vec<String> {
    let text = page.text();
    let items = text.split("<li>").skip(1);
    items.map(|item| item.split('<').next().unwrap().to_owned()).collect()
}

#[test]
fn changing_the_password_ends_the_other_sessions_and_keeps_this_one() {
    let world = one_factor();
    world.add("ann", false);
    let (mut here, elsewhere) = (sign_in(&world, "ann", None), sign_in(&world, "ann", None));
    let page = here.open("/_vestibule/password");
    let typed = |current, new, again| {
        [("current_password", current), ("password", new), ("password_again", again)]
    };
    let wrong = here.submit(&page, &typed("not the password", NEW_PASSWORD, NEW_PASSWORD));
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("not your current password"));
    for (new, again) in [(ADMIN_PASSWORD, ADMIN_PASSWORD), ("short", "short"), ("one", "other")] {
        let refused = here.submit(&page, &typed(ADMIN_PASSWORD, new, again));
        assert_eq!(refused.status, 422, "{new}");
    }
    assert!(is_signed_in(&elsewhere));
    let done = here.submit(&page, &typed(ADMIN_PASSWORD, NEW_PASSWORD, NEW_PASSWORD));
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(is_signed_in(&here) && !is_signed_in(&elsewhere));
    let mut later = world.browser();
    assert_eq!(give_password(&mut later, "ann", ADMIN_PASSWORD).status, 401);
    assert_eq!(give_password(&mut later, "ann", NEW_PASSWORD).status, 303);
}

#[test]
fn an_authenticator_is_enrolled_and_replaced_only_once_the_new_one_is_confirmed() {
    let world = one_factor();
    world.add("ann", false);
    let mut browser = sign_in(&world, "ann", None);
    let page = browser.open("/_vestibule/enroll");
    let first = key_on(&page);
    let wrong = submit(&mut browser, &page, "confirm", &[("code", "000000")]);
    assert_eq!((wrong.status, key_on(&wrong)), (401, first.clone()), "the picture stays");
    let code = code_at(&first, world.now());
    let shown = submit(&mut browser, &page, "confirm", &[("code", &code)]);
    assert_eq!(codes_on(&shown).len(), 10, "{}", shown.text());

    // It is asked for from now on, and its first code is used up.
    let mut other = world.browser();
    let asked = give_password(&mut other, "ann", ADMIN_PASSWORD);
    let asked = other.follow(asked);
    assert_eq!(other.submit(&asked, &[("code", &code)]).status, 401);

    let page = browser.open("/_vestibule/enroll");
    assert!(!page.text().contains("<code>"), "an active secret is never shown again");
    world.pass(30);
    let code = code_at(&first, world.now());
    let prove = [("current_password", ADMIN_PASSWORD), ("code", code.as_str())];
    let refused = [("current_password", ADMIN_PASSWORD), ("code", "000000")];
    assert_eq!(submit(&mut browser, &page, "replace", &refused).status, 401);
    let sent = submit(&mut browser, &page, "replace", &prove);
    let page = browser.follow(sent);
    let second = key_on(&page);
    assert_ne!(second, first);
    // Until the new one is confirmed, the old one is what lets in.
    world.pass(30);
    let asked = give_password(&mut other, "ann", ADMIN_PASSWORD);
    let asked = other.follow(asked);
    assert_eq!(other.submit(&asked, &[("code", &code_at(&second, world.now()))]).status, 401);
    assert_eq!(other.submit(&asked, &[("code", &code_at(&first, world.now()))]).status, 303);
    let code = code_at(&second, world.now());
    let shown = submit(&mut browser, &page, "confirm", &[("code", &code)]);
    assert_eq!(codes_on(&shown).len(), 10);
    world.pass(30);
    let mut other = world.browser();
    let asked = give_password(&mut other, "ann", ADMIN_PASSWORD);
    let asked = other.follow(asked);
    assert_eq!(other.submit(&asked, &[("code", &code_at(&first, world.now()))]).status, 401);
    assert_eq!(other.submit(&asked, &[("code", &code_at(&second, world.now()))]).status, 303);
}

#[test]
fn a_secret_begun_before_there_was_a_second_factor_cannot_replace_it() {
    let world = one_factor();
    world.add("ann", false);
    let (mut thief, mut ann) = (sign_in(&world, "ann", None), sign_in(&world, "ann", None));
    let waiting = thief.open("/_vestibule/enroll");
    let page = ann.open("/_vestibule/enroll");
    let key = key_on(&page);
    submit(&mut ann, &page, "confirm", &[("code", &code_at(&key, world.now()))]);
    let code = code_at(&key_on(&waiting), world.now());
    let late = submit(&mut thief, &waiting, "confirm", &[("code", &code)]);
    assert!(codes_on(&late).is_empty() && !late.text().contains("<code>"), "{}", late.text());
}

#[test]
fn the_second_factor_goes_with_password_and_code_and_not_where_it_is_asked_for() {
    let world = one_factor();
    let secret = world.add("ann", true).unwrap();
    let mut browser = sign_in(&world, "ann", Some(&secret));
    let page = browser.open("/_vestibule/enroll");
    world.pass(30);
    let code = code_at(&secret, world.now());
    for (password, code) in [("not the password", code.as_str()), (ADMIN_PASSWORD, "000000")] {
        let fields = [("current_password", password), ("code", code)];
        assert_eq!(submit(&mut browser, &page, "remove", &fields).status, 401);
    }
    let fields = [("current_password", ADMIN_PASSWORD), ("code", code.as_str())];
    assert_eq!(submit(&mut browser, &page, "remove", &fields).status, 303);
    sign_in(&world, "ann", None);

    let world = World::new(Settings::default());
    let secret = world.add("ann", true).unwrap();
    let mut browser = sign_in(&world, "ann", Some(&secret));
    let page = browser.open("/_vestibule/enroll");
    assert!(!page.text().contains("Take it away"));
    world.pass(30);
    let code = code_at(&secret, world.now());
    let fields = [("current_password", ADMIN_PASSWORD), ("code", code.as_str())];
    assert_eq!(submit(&mut browser, &page, "remove", &fields).status, 403);
}

#[test]
fn new_recovery_codes_put_an_end_to_the_old_ones() {
    let world = one_factor();
    world.add("ann", false);
    let mut browser = sign_in(&world, "ann", None);
    let page = browser.open("/_vestibule/enroll");
    let key = key_on(&page);
    let shown = submit(&mut browser, &page, "confirm", &[("code", &code_at(&key, world.now()))]);
    let old = codes_on(&shown);
    let page = browser.open("/_vestibule/recovery-codes");
    world.pass(30);
    let code = code_at(&key, world.now());
    let wrong = [("current_password", "not the password"), ("code", code.as_str())];
    assert_eq!(browser.submit(&page, &wrong).status, 401);
    let right = [("current_password", ADMIN_PASSWORD), ("code", code.as_str())];
    let shown = browser.submit(&page, &right);
    let new = codes_on(&shown);
    assert_eq!(new.len(), 10, "{}", shown.text());
    let mut other = world.browser();
    let asked = give_password(&mut other, "ann", ADMIN_PASSWORD);
    let asked = other.follow(asked);
    assert_eq!(other.submit(&asked, &[("recovery_code", &old[0])]).status, 401);
    assert_eq!(other.submit(&asked, &[("recovery_code", &new[0])]).status, 303);
}

#[test]
fn whoever_uses_one_of_the_last_recovery_codes_is_told_and_goes_on_from_there() {
    let world = one_factor();
    world.add("ann", false);
    let mut browser = sign_in(&world, "ann", None);
    let page = browser.open("/_vestibule/enroll");
    let code = code_at(&key_on(&page), world.now());
    let shown = submit(&mut browser, &page, "confirm", &[("code", &code)]);
    let codes = codes_on(&shown);
    for (used, code) in codes.iter().enumerate() {
        let mut other = world.browser();
        let page = other.open("/_vestibule/login?rd=/_vestibule/logout");
        let asked = [("username", "ann"), ("password", ADMIN_PASSWORD)];
        let page = other.submit_and_follow(&page, &asked);
        let answer = other.submit(&page, &[("recovery_code", code)]);
        let to = answer.header("location").unwrap().to_owned();
        let left = 9 - used;
        if left > 3 {
            assert_eq!(to, "/_vestibule/logout", "{left} left");
            continue;
        }
        let told = other.follow(answer);
        let words = match left {
            0 => String::from("your last recovery code"),
            1 => String::from("one recovery code left"),
            many => format!("only {many} recovery codes left"),
        };
        assert!(told.text().contains(&words), "{left} left: {}", told.text());
        assert!(told.text().contains("href=\"/_vestibule/logout\""), "the wish is kept");
    }
}

#[test]
fn somebody_sees_where_they_are_signed_in_and_ends_it_there_or_everywhere() {
    let world = one_factor();
    world.add("ann", false);
    world.add("bob", false);
    let (mut here, elsewhere) = (sign_in(&world, "ann", None), sign_in(&world, "ann", None));
    let of_bob = sign_in(&world, "bob", None);
    let page = here.open("/_vestibule/account");
    assert_eq!(page.text().matches("Sign out there").count(), 1, "{}", page.text());
    assert_eq!(page.text().matches("This device.").count(), 1);
    let text = page.text();
    let id = text.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    // Nobody ends a session of somebody else's by its name.
    let mut bob = of_bob.clone();
    let form = bob.open("/_vestibule/account");
    let body = filled_in(&form.text(), &[("session", id), ("everywhere", "")]).1;
    assert_eq!(bob.post("/_vestibule/account", &body).status, 404);
    assert!(is_signed_in(&elsewhere));

    let body = filled_in(&text, &[("session", id)]).1;
    assert_eq!(here.post("/_vestibule/account", &body).status, 303);
    assert!(is_signed_in(&here) && !is_signed_in(&elsewhere));

    let third = sign_in(&world, "ann", None);
    let page = here.open("/_vestibule/account");
    let body = filled_in(&page.text(), &[("everywhere", "yes")]).1;
    let mut gone = here.clone();
    assert_eq!(gone.post("/_vestibule/account", &body).status, 200);
    assert!(!is_signed_in(&here) && !is_signed_in(&third) && is_signed_in(&of_bob));
}

#[test]
fn people_add_themselves_where_that_is_allowed_and_go_on_like_anybody() {
    let closed = World::new(Settings::default());
    let mut browser = closed.browser();
    assert_eq!(browser.open("/_vestibule/register").status, 403);
    assert!(!browser.open("/_vestibule/login").text().contains("/register"));

    let world = World::new(Settings { registration: true, ..Settings::default() });
    let mut browser = world.browser();
    assert!(browser.open("/_vestibule/login").text().contains("/_vestibule/register"));
    let page = browser.open("/_vestibule/register");
    let fields = |name, password| {
        [
            ("username", name),
            ("email", "ann@example.com"),
            ("display_name", "Ann"),
            ("password", password),
            ("password_again", password),
        ]
    };
    assert_eq!(browser.submit(&page, &fields("ann", "short")).status, 422);
    assert_eq!(browser.submit(&page, &fields("not a name", NEW_PASSWORD)).status, 422);
    let page = browser.submit_and_follow(&page, &fields("ann", NEW_PASSWORD));
    // A second factor is asked of everybody here, so it is enrolled before anything else.
    assert!(browser.path.starts_with("/_vestibule/enroll"), "{}", browser.path);
    let code = code_at(&key_on(&page), world.now());
    let shown = browser.submit_and_follow(&page, &[("code", &code)]);
    assert_eq!(codes_on(&shown).len(), 10);
    assert!(is_signed_in(&browser));

    // Every spelling of the name and of the address is somebody's now.
    let mut other = world.browser();
    let page = other.open("/_vestibule/register");
    for (name, email, status) in [
        ("ANN", "", 409),
        ("bob", "Ann@Example.com", 409),
        // Nobody gives themselves a name that looks like the address of another.
        ("cleo@example.com", "", 422),
    ] {
        let mut fields = fields(name, NEW_PASSWORD);
        fields[1].1 = email;
        assert_eq!(other.submit(&page, &fields).status, status, "{name} {email}");
    }
}

#[test]
fn a_new_second_factor_ends_what_was_begun_without_it() {
    let world = one_factor();
    world.add("ann", false);
    let (thief, mut ann) = (sign_in(&world, "ann", None), sign_in(&world, "ann", None));
    let page = ann.open("/_vestibule/enroll");
    let code = code_at(&key_on(&page), world.now());
    submit(&mut ann, &page, "confirm", &[("code", &code)]);
    assert!(is_signed_in(&ann) && !is_signed_in(&thief));
}

#[test]
fn a_recovery_code_is_enough_to_replace_a_lost_authenticator() {
    let world = one_factor();
    world.add("ann", false);
    let mut browser = sign_in(&world, "ann", None);
    let page = browser.open("/_vestibule/enroll");
    let first = key_on(&page);
    let code = code_at(&first, world.now());
    let codes = codes_on(&submit(&mut browser, &page, "confirm", &[("code", &code)]));
    let page = browser.open("/_vestibule/enroll");
    let fields = [("current_password", ADMIN_PASSWORD), ("code", codes[0].as_str())];
    let sent = submit(&mut browser, &page, "replace", &fields);
    let page = browser.follow(sent);
    assert_ne!(key_on(&page), first);
}

#[test]
fn somebody_sees_the_access_tokens_in_their_name_and_ends_them() {
    let world = one_factor();
    world.add("ann", false);
    world.add("bob", false);
    let token = |name: &str, user: &str| {
        let new = NewToken {
            name: DisplayName::parse(name).unwrap(),
            user: user.into(),
            expires_in: None,
            groups: Vec::new(),
            networks: Vec::new(),
            hosts: Vec::new(),
            one_factor: false,
        };
        match world.admin(AdminRequest::TokenAdd(new)) {
            AdminReply::TokenAdded { id, .. } => id.to_string(),
            _ => panic!("not made"),
        }
    };
    let (of_ann, of_bob) = (token("backup", "ann"), token("other", "bob"));
    let mut browser = sign_in(&world, "ann", None);
    let page = browser.open("/_vestibule/account");
    assert!(page.text().contains("Revoke backup") && !page.text().contains("Revoke other"));
    for (id, expected) in [(of_bob, 404), (of_ann.clone(), 303), (of_ann, 404)] {
        let body = filled_in(&page.text(), &[("token", &id)]).1;
        assert_eq!(browser.post("/_vestibule/account", &body).status, expected);
    }
    assert!(!browser.open("/_vestibule/account").text().contains("backup"));
}

#[test]
fn many_sessions_and_tokens_are_shown_a_page_at_a_time() {
    let world = one_factor();
    world.add("ann", false);
    let mut browser = sign_in(&world, "ann", None);
    for _ in 0..21 {
        sign_in(&world, "ann", None);
    }
    for number in 0..12 {
        world.admin(AdminRequest::TokenAdd(NewToken {
            name: DisplayName::parse(&format!("program-{number}")).unwrap(),
            user: "ann".into(),
            expires_in: None,
            groups: Vec::new(),
            networks: Vec::new(),
            hosts: Vec::new(),
            one_factor: false,
        }));
    }
    let count = |page: &Reply, what: &str| page.text().matches(what).count();
    let counts = |page: &Reply| {
        (count(page, "Sign out there") + count(page, "This device."), count(page, "Revoke program"))
    };
    assert_eq!(counts(&browser.open("/_vestibule/account")), (10, 10));
    let last = browser.open("/_vestibule/account?places=3&programs=2");
    assert_eq!(counts(&last), (2, 2));
    assert!(last.text().contains("Page 3 of 3") && last.text().contains("Page 2 of 2"));
    // To the other pages of one list the other stays as it is.
    assert!(last.text().contains("/_vestibule/account?programs=2&amp;places=2\""));
    assert!(last.text().contains("/_vestibule/account?places=3&amp;programs=1\""));
    // Whoever ends one goes on where they were; a page that is gone is the last there is.
    let id = last.text().split("name=\"session\" value=\"").nth(1).unwrap()[..32].to_owned();
    let body = filled_in(&last.text(), &[("session", &id), ("places", "3")]).1;
    let ended = browser.post("/_vestibule/account", &body);
    assert_eq!(ended.status, 303);
    assert!(ended.header("location").unwrap().contains("places=3"), "{:?}", ended.headers);
    assert_eq!(counts(&browser.open("/_vestibule/account?places=99")).0, 1);
}
