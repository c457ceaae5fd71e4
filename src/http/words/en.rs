//! English.

use super::{
    Account, Answers, Authenticator, Demo, Enrol, Frame, Inputs, Links, Login, Logout, Paging,
    Password, Recovery, Refusals, Register, SecondFactor, Strength, Wait, Words,
};
use crate::crypto::Guess;
use crate::types::NameError;

pub(super) static WORDS: Words = Words {
    frame: Frame {
        not_done: "Not done. ",
        not_done_title: |title| format!("Not done: {title}"),
        signed_in: "You are signed in",
        labelled: |name, value| format!("{name}: {value}"),
        follow: "Continue",
        not_possible: "Not possible",
        not_available: "Not available",
        try_again: "Try again",
    },
    inputs: Inputs {
        username: "Username",
        password: "Password",
        current_password: "Current password",
        new_password: "New password",
        password_again: "The same again",
        code: "Code from your authenticator",
        reveal: ("Show", "Show password"),
        announces: "It is sent when its last digit is there.",
        go_on: "Go on",
        confirm: "Confirm",
        start_over: "Start over",
        your_account: "Your account",
    },
    login: Login {
        title: "Sign in",
        name: "Username or e-mail",
        remember: "Keep me signed in on this device",
        button: "Sign in",
        register: "Create an account",
    },
    second_factor: SecondFactor {
        title: "Second factor",
        again: "What you ask for needs a second factor that was shown a short while ago.",
        without: "I cannot use my authenticator",
        recovery_code: "Recovery code",
        recovery_hint: "One of the ten you kept when you enrolled. Each works once.",
        use_code: "Use this code",
    },
    password: Password {
        title: "Choose a new password",
        text: "Before you go on, choose a new password.",
        own_title: "Change your password",
        own_text: "Wherever else you are signed in, you will have to sign in again.",
        button: "Change password",
        done_title: "Password changed",
        done: "Your password is changed. Everywhere but here you are signed out.",
    },
    strength: Strength {
        label: "Strength of the new password",
        levels: [
            "Very easy to guess",
            "Easy to guess",
            "Can be guessed",
            "Hard to guess",
            "Very hard to guess",
        ],
        why,
        advice: "Add a word or two that have nothing to do with it. Capitals, digits \
                  and symbols in the usual places help little.",
    },
    register: Register {
        title: "Create an account",
        display_name: "Your name (optional)",
        email: "E-mail (optional)",
        button: "Create account",
        login: "I have an account",
    },
    links: Links {
        setup: (
            "Set up the first administrator",
            "Nobody can sign in yet. Choose the name and the password of the first administrator.",
        ),
        invitation: ("Welcome", "You have been invited. Choose your password."),
        new_password: ("Choose a new password", "Your second factor stays as it is."),
        new_second_factor: (
            "Enrol a new authenticator",
            "Prove that it is you with your password. Then you can enrol.",
        ),
    },
    enrol: Enrol {
        title: "Enrol your authenticator",
        text: "From now on you sign in with your password and a code from an authenticator app. \
               Scan this picture with the app, then type the code it shows.",
        picture: "QR code for your authenticator app",
        this_device: "On this very device? ",
        open: "Open it in your authenticator app",
        key: "Or type this key into the app:",
        link_needed: (
            "A link is needed",
            "Your second factor was taken away by an administrator. To enrol a new one you need \
             the link that came with that: ask your administrator for it, and open it.",
        ),
    },
    authenticator: Authenticator {
        title: "Your authenticator",
        text: "You have an authenticator. You can set up another one in its place: the old one \
               works until the first code of the new one is confirmed.",
        any_code: "Code from it, or a recovery code",
        replace: "Set up a new one",
        remove_title: "Take the second factor away",
        remove_text: "Then your password alone lets you in. Your recovery codes go with it.",
        remove: "Take it away",
        not_now: "Not now",
        back: "Back to your account",
    },
    recovery: Recovery {
        title: "Recovery codes",
        shown_title: "Your recovery codes",
        new_title: "Your new recovery codes",
        shown: "If you lose your authenticator, each of these codes lets you in once in its \
                place. Keep them where only you find them. They are not shown again.",
        copy: "Copy",
        copied: "Copied.",
        not_copied: "Your browser did not copy. Please select and copy by hand.",
        save: "Save as a file",
        file: "recovery-codes",
        print: "Print",
        kept: "I have kept them",
        renew: "Make new recovery codes",
        renew_text: "The ones you have stop working.",
        renew_button: "Make new codes",
        none: "You have no recovery codes, since you have no authenticator.",
        last_used: "You have used your last recovery code. Make new ones now: without them you \
                    cannot get in if you lose your authenticator.",
        few: |left| match left {
            1 => "You have one recovery code left. Make new ones soon.".into(),
            _ => format!("You have only {left} recovery codes left. Make new ones soon."),
        },
        many: |left| {
            format!(
                "You have {left} recovery codes left. They were shown once, and are not kept \
                 where they could be shown again."
            )
        },
    },
    account: Account {
        groups: "Groups",
        no_groups: "None",
        since: "Signed in since",
        ends: "Ends, at the latest",
        how: "How you sign in",
        change_password: "Change your password",
        enrolled: ["Authenticator enrolled on ", ". "],
        replace: "Replace or remove it",
        no_authenticator: "No authenticator. ",
        enrol: "Enrol one",
        places: "Where you are signed in",
        unknown_device: "Unknown device",
        device: |browser, system| format!("{browser} on {system}"),
        place: ["From ", ", since ", ", last used ", ". "],
        this_device: "This device.",
        end_there: "Sign out there",
        end_everywhere: "Sign out everywhere",
        programs: "Programs that act in your name",
        programs_text: "Your administrator made these access tokens.",
        program_since: ["Since ", "."],
        revoke: |name| format!("Revoke {name}"),
        sign_out: "Sign out",
    },
    logout: Logout {
        title: "Sign out?",
        signed_in_as: ["You are signed in as ", "."],
        button: "Sign out",
        done_title: "Signed out",
        done: "You are signed out, here and wherever this sign-in was used.",
        sign_in: "Sign in again",
    },
    demo: Demo {
        title: "The demo app",
        user: ["The gateway says you are ", "."],
        nobody: "The gateway did not say who you are.",
        received: "This page stands where your own app will. It received:",
        protect: "Protect your own app: ",
    },
    paging: Paging {
        label: "Pages",
        first: "First page",
        previous: "Previous page",
        next: "Next page",
        last: "Last page",
        page_of: |page, pages| format!("Page {page} of {pages}"),
    },
    refusals: Refusals {
        forbidden: ("Not allowed", "You may not go there. Ask your administrator."),
        not_found: ("Nothing here", "There is no page at this address."),
        method_not_allowed: ("Not possible", "This page cannot be asked for like that."),
        timeout: ("Too slow", "The request did not arrive in time. Please try again."),
        too_large: ("Too much", "What was sent is larger than is taken here."),
        uri_too_long: ("Address too long", "The address is longer than is taken here."),
        unsupported_media_type: ("Not a form", "This page takes what its form sends."),
        headers_too_large: ("Too much", "Your browser sent more than is taken here."),
        bad_gateway: ("App not reachable", "The app could not be reached. Try again soon."),
        unavailable: (
            "Not available for a moment",
            "Who you are cannot be checked just now, so nothing is let through. Nothing of yours \
             is lost. Try again soon.",
        ),
        maintenance: (
            "Under maintenance",
            "Somebody is working on this app. Nothing of yours is lost. Try again later.",
        ),
        gateway_timeout: ("The app is slow", "The app took too long. Try again soon."),
        bad_request: ("Not understood", "What was sent could not be understood."),
        internal: ("Something went wrong", "It is not your fault. Try again soon."),
        from_elsewhere: (
            "Not from here",
            "Another site sent this form in your name, so nothing was done.",
        ),
    },
    answers: ANSWERS,
};

const fn why(guess: Guess) -> &'static str {
    match guess {
        Guess::Common => "It is, or is much like, a password that many people use.",
        Guess::Word => "It is one word, which a dictionary has.",
        Guess::Name => "It is made of a name.",
        Guess::Yours => "It is made of what is known about you.",
        Guess::Keys => "Its characters are next to each other on the keyboard.",
        Guess::Repeats => "It is the same over and over.",
        Guess::Sequence => "It is a sequence, like abc or 6543.",
        Guess::Date => "It is made of a date or a year.",
        Guess::Short => "It is too short or too regular.",
    }
}

const ANSWERS: Answers = Answers {
    credentials: "That name and password do not belong together.",
    not_current_password: "That is not your current password.",
    code: "That code is not right. If it is from your authenticator, type the one that is shown \
           now.",
    clock_off: |seconds| {
        format!(
            "That code is not right: it is one of another time. The clock of your phone seems to \
             be off by about {}. Set it automatically in the phone’s settings, then type the code \
             that is shown.",
            wait(seconds)
        )
    },
    code_used: "That code has been used already. Wait for the next one.",
    code_missing: "Type the code that your authenticator shows.",
    locked: |seconds, until| {
        format!("Too many tries that were not right. Try again in {}, at {until}.", wait(seconds))
    },
    rate_limited: |seconds| {
        format!("Too many tries in a short time. Try again in {}.", wait(seconds))
    },
    expired: "Signing in took too long, or was finished elsewhere. Please begin anew.",
    session_revoked: "This session has ended. Sign in again.",
    wrong_step: "Another step comes first.",
    already_enabled: "A second factor is enrolled already.",
    link_gone: "This link has been used, replaced, or has expired. Ask your administrator for a \
                new one.",
    link_needed: "To enrol you need the link that your administrator has for you.",
    mfa_enforced: "A second factor is asked of you, so it cannot be taken away.",
    registration_disabled: "Nobody can register here by themselves. Ask your administrator.",
    no_such_session: "There is no such session among yours.",
    weak: |weakness| weakness.to_string(),
    password_unusable: "Choose a password that is neither empty nor endless.",
    mismatch: "The two passwords are not the same. Please type both again.",
    breached: "This password is in a list of stolen passwords, which attackers try first. Please \
               choose another one.",
    breach_unknown: "Whether this password is known to be stolen cannot be found out just now. \
                     Please try again in a moment.",
    name: |error| name(error).into(),
    name_taken: "That name is somebody's already.",
    busy: "Too many people are signing in at this moment. Please try again.",
    unavailable: "This is not possible just now. Please try again in a moment.",
    unsent: "What you sent did not arrive, since you have to prove who you are first. You come \
             back to the page you sent it from: please send it again.",
    stale_form: "Nothing was sent: the page had been open for too long, or your browser keeps no \
                 cookies for this site. Please try again.",
    needs_code: "A code from the authenticator is needed.",
    needs_password: "Sign in in a browser and choose a new password first.",
    needs_enrolment: "Sign in in a browser and enrol a second factor first.",
};

const fn name(error: NameError) -> &'static str {
    match error {
        NameError::UsernameLength => "A username has 1 to 64 characters.",
        NameError::UsernameCharacters => {
            "A username begins with a letter or digit and has only letters, digits and . _ @ + -"
        }
        NameError::UsernameIsAddress => "Choose a username without an @.",
        NameError::Email => "An e-mail address looks like ann@example.com.",
        NameError::DisplayName => "A display name has 1 to 128 printable characters.",
        NameError::Group => "A group has 1 to 64 printable characters and no comma.",
        NameError::Login => "A username or an e-mail address has 1 to 254 characters.",
    }
}

fn wait(seconds: u64) -> String {
    match Wait::of(seconds) {
        Wait::Seconds(1) => "a second".into(),
        Wait::Seconds(seconds) => format!("{seconds} seconds"),
        Wait::Minutes(1) => "a minute".into(),
        Wait::Minutes(minutes) => format!("{minutes} minutes"),
    }
}
