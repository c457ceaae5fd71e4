//! Every word that people read on our pages, once for each language.
//!
//! A text that is the same for everybody is a `&'static str`. One with something in it is a
//! function, since languages differ in their plurals and in the order of their words; or, where
//! what is in it is markup, the pieces around that. The spaces between the pieces are theirs, too:
//! Japanese has none. What a language lacks does not compile.

mod de;
mod en;
mod es;
mod fr;
mod ja;

use super::{Answer, Language, Says};
use crate::crypto::Guess;
use crate::domain::{Next, PasswordWeakness};
use crate::types::NameError;
use std::borrow::Cow;

/// A text that is the same for everybody.
pub(crate) type Text = &'static str;

/// A title, and a sentence below it; or few words where there is room for few, and all of them.
pub(crate) type Titled = (&'static str, &'static str);

/// Declares texts by the page that they are on: `first, second: Kind;`. Tests can look at each by
/// its name.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($($field:ident),+ : $kind:ty;)+ })+) => {$(
        $(#[$doc])*
        pub(crate) struct $name { $($(pub $field: $kind,)+)+ }

        #[cfg(test)]
        impl $crate::http::words::tests::Said for $name {
            fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
                $($(self.$field.said(&format!("{name}.{}", stringify!($field)), all);)+)+
            }
        }
    )+};
}
pub(crate) use words;

words! {
    /// What we say in one language.
    Words {
        frame: Frame;
        inputs: Inputs;
        login: Login;
        second_factor: SecondFactor;
        password: Password;
        strength: Strength;
        register: Register;
        links: Links;
        enrol: Enrol;
        authenticator: Authenticator;
        recovery: Recovery;
        account: Account;
        logout: Logout;
        demo: Demo;
        paging: Paging;
        refusals: Refusals;
        answers: Answers;
    }

    /// What surrounds a page, and pages without a form.
    Frame {
        not_done: Text;
        not_done_title: fn(&str) -> String;
        labelled: fn(&str, &str) -> String;
        signed_in, follow, not_possible, not_available, try_again: Text;
    }

    /// What several forms ask for, and where several pages lead.
    Inputs {
        username, password, current_password, new_password, password_again, code: Text;
        reveal: Titled;
        announces, go_on, confirm, start_over, your_account: Text;
    }

    /// Name and password.
    Login {
        title, name, remember, button, register: Text;
    }

    /// The second factor.
    SecondFactor {
        title, again, without, recovery_code, recovery_hint, use_code: Text;
    }

    /// Choosing another password.
    Password {
        title, text, own_title, own_text, button, done_title, done: Text;
    }

    /// How hard a new password is to guess.
    Strength {
        label: Text;
        levels: [Text; 5];
        why: fn(Guess) -> Text;
        advice: Text;
    }

    /// Adding oneself.
    Register {
        title, display_name, email, button, login: Text;
    }

    /// The pages behind one-time links.
    Links {
        setup, invitation, new_password, new_second_factor: Titled;
    }

    /// Enrolling an authenticator.
    Enrol {
        title, text, picture, this_device, open, key: Text;
        link_needed: Titled;
    }

    /// Replacing the authenticator, and taking it away.
    Authenticator {
        title, text, any_code, replace, remove_title, remove_text, remove, not_now, back: Text;
    }

    /// Recovery codes.
    Recovery {
        title, shown_title, new_title, shown, copy, copied, not_copied, save, file, print, kept,
        renew, renew_text, renew_button, none, last_used: Text;
        few, many: fn(usize) -> String;
    }

    /// The account of whoever is signed in.
    Account {
        groups, no_groups, since, ends, how, change_password: Text;
        enrolled: [Text; 2];
        replace, no_authenticator, enrol, places, unknown_device: Text;
        device: fn(&str, &str) -> String;
        place: [Text; 4];
        this_device, end_there, end_everywhere, programs, programs_text: Text;
        program_since: [Text; 2];
        revoke: fn(&str) -> String;
        sign_out: Text;
    }

    /// Signing out.
    Logout {
        title: Text;
        signed_in_as: [Text; 2];
        button, done_title, done, sign_in: Text;
    }

    /// The page of the demo app.
    Demo {
        title: Text;
        user: [Text; 2];
        nobody, received, protect: Text;
    }

    /// Long lists, a page at a time.
    Paging {
        label, first, previous, next, last: Text;
        page_of: fn(usize, usize) -> String;
    }

    /// Refusals that belong to no form, by what their status means.
    Refusals {
        forbidden, not_found, method_not_allowed, timeout, too_large, uri_too_long,
        unsupported_media_type, headers_too_large, bad_gateway, unavailable, maintenance, gateway_timeout,
        bad_request, internal, from_elsewhere: Titled;
    }

    /// Why what was asked for is not done: a field for each [`Says`], or for each of a kind.
    Answers {
        credentials, not_current_password, code, code_used, code_missing: Text;
        locked: fn(u64, &str) -> String;
        rate_limited, clock_off: fn(u64) -> String;
        expired, session_revoked, wrong_step, already_enabled, link_gone, link_needed,
        mfa_enforced, registration_disabled, no_such_session: Text;
        weak: fn(PasswordWeakness) -> String;
        password_unusable, mismatch, breached, breach_unknown: Text;
        name: fn(NameError) -> String;
        name_taken, busy, unavailable, unsent, stale_form, needs_code, needs_password,
        needs_enrolment: Text;
    }
}

impl Language {
    /// What we say in it.
    pub(crate) const fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
            Self::German => &de::WORDS,
            Self::French => &fr::WORDS,
            Self::Spanish => &es::WORDS,
            Self::Japanese => &ja::WORDS,
        }
    }
}

impl Words {
    /// What an answer says. One that was made for programs says it as they are told.
    pub fn answer<'a>(&self, answer: &'a Answer) -> Cow<'a, str> {
        match answer.says {
            Some(says) => self.say(says),
            None => Cow::Borrowed(&answer.text),
        }
    }

    /// Puts it into words.
    pub fn say(&self, says: Says) -> Cow<'static, str> {
        let answers = &self.answers;
        let text = match says {
            Says::Locked { seconds, until } => {
                return (answers.locked)(seconds, &until.clock()).into();
            }
            Says::ClockOff(seconds) => return (answers.clock_off)(seconds).into(),
            Says::RateLimited(seconds) => return (answers.rate_limited)(seconds).into(),
            Says::Weak(weakness) => return (answers.weak)(weakness).into(),
            Says::Name(error) => return (answers.name)(error).into(),
            Says::Credentials => answers.credentials,
            Says::NotCurrentPassword => answers.not_current_password,
            Says::Code => answers.code,
            Says::CodeUsed => answers.code_used,
            Says::CodeMissing => answers.code_missing,
            Says::Expired => answers.expired,
            Says::SessionRevoked => answers.session_revoked,
            Says::WrongStep => answers.wrong_step,
            Says::AlreadyEnabled => answers.already_enabled,
            Says::LinkGone => answers.link_gone,
            Says::LinkNeeded => answers.link_needed,
            Says::MfaEnforced => answers.mfa_enforced,
            Says::RegistrationDisabled => answers.registration_disabled,
            Says::NoSuchSession => answers.no_such_session,
            Says::PasswordUnusable => answers.password_unusable,
            Says::Mismatch => answers.mismatch,
            Says::Breached => answers.breached,
            Says::BreachUnknown => answers.breach_unknown,
            Says::NameTaken => answers.name_taken,
            Says::Busy => answers.busy,
            Says::Unavailable => answers.unavailable,
            Says::Unsent => answers.unsent,
            Says::StaleForm => answers.stale_form,
            Says::NeedsBrowser(Next::SecondFactor) => answers.needs_code,
            Says::NeedsBrowser(Next::NewPassword) => answers.needs_password,
            Says::NeedsBrowser(Next::Enrolment | Next::EnrolmentLink) => answers.needs_enrolment,
        };
        Cow::Borrowed(text)
    }
}

/// A time to wait, as people count it.
enum Wait {
    Seconds(u64),
    Minutes(u64),
}

impl Wait {
    /// Minutes from the first full one on, and never too few.
    const fn of(seconds: u64) -> Self {
        if seconds < 60 { Self::Seconds(seconds) } else { Self::Minutes(seconds.div_ceil(60)) }
    }
}

#[cfg(test)]
pub(crate) mod tests;
