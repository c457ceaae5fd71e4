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
use crate::domain::{Next, PasswordWeakness};
use crate::types::NameError;
use std::borrow::Cow;

/// A title, and a sentence below it; or few words where there is room for few, and all of them.
pub(crate) type Titled = (&'static str, &'static str);

/// Declares texts by the page that they are on. Tests can look at each by its name.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty,)+ })+) => {$(
        $(#[$doc])*
        pub(crate) struct $name { $(pub $field: $kind,)+ }

        #[cfg(test)]
        impl tests::Said for $name {
            fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
                $(self.$field.said(&format!("{name}.{}", stringify!($field)), all);)+
            }
        }
    )+};
}

words! {
    /// What we say in one language.
    Words {
        frame: Frame,
        inputs: Inputs,
        login: Login,
        second_factor: SecondFactor,
        password: Password,
        register: Register,
        links: Links,
        enrol: Enrol,
        authenticator: Authenticator,
        recovery: Recovery,
        account: Account,
        logout: Logout,
        demo: Demo,
        refusals: Refusals,
        answers: Answers,
    }

    /// What surrounds a page, and pages without a form.
    Frame {
        not_done: &'static str,
        not_done_title: fn(&str) -> String,
        signed_in: &'static str,
        follow: &'static str,
        not_possible: &'static str,
        not_available: &'static str,
        try_again: &'static str,
    }

    /// What several forms ask for, and where several pages lead.
    Inputs {
        username: &'static str,
        password: &'static str,
        current_password: &'static str,
        new_password: &'static str,
        password_again: &'static str,
        code: &'static str,
        reveal: Titled,
        announces: &'static str,
        go_on: &'static str,
        confirm: &'static str,
        start_over: &'static str,
        your_account: &'static str,
    }

    /// Name and password.
    Login {
        title: &'static str,
        name: &'static str,
        remember: &'static str,
        button: &'static str,
        register: &'static str,
    }

    /// The second factor.
    SecondFactor {
        title: &'static str,
        again: &'static str,
        without: &'static str,
        recovery_code: &'static str,
        recovery_hint: &'static str,
        use_code: &'static str,
    }

    /// Choosing another password.
    Password {
        title: &'static str,
        text: &'static str,
        own_title: &'static str,
        own_text: &'static str,
        button: &'static str,
        done_title: &'static str,
        done: &'static str,
    }

    /// Adding oneself.
    Register {
        title: &'static str,
        display_name: &'static str,
        email: &'static str,
        button: &'static str,
        login: &'static str,
    }

    /// The pages behind one-time links.
    Links {
        setup: Titled,
        invitation: Titled,
        new_password: Titled,
        new_second_factor: Titled,
    }

    /// Enrolling an authenticator.
    Enrol {
        title: &'static str,
        text: &'static str,
        picture: &'static str,
        this_device: &'static str,
        open: &'static str,
        key: &'static str,
        link_needed: Titled,
    }

    /// Replacing the authenticator, and taking it away.
    Authenticator {
        title: &'static str,
        text: &'static str,
        any_code: &'static str,
        replace: &'static str,
        remove_title: &'static str,
        remove_text: &'static str,
        remove: &'static str,
        not_now: &'static str,
        back: &'static str,
    }

    /// Recovery codes.
    Recovery {
        title: &'static str,
        shown_title: &'static str,
        new_title: &'static str,
        shown: &'static str,
        copy: &'static str,
        copied: &'static str,
        not_copied: &'static str,
        save: &'static str,
        file: &'static str,
        print: &'static str,
        kept: &'static str,
        renew: &'static str,
        renew_text: &'static str,
        renew_button: &'static str,
        none: &'static str,
        last_used: &'static str,
        few: fn(usize) -> String,
        many: fn(usize) -> String,
    }

    /// The account of whoever is signed in.
    Account {
        groups: &'static str,
        no_groups: &'static str,
        since: &'static str,
        ends: &'static str,
        how: &'static str,
        change_password: &'static str,
        enrolled: [&'static str; 2],
        replace: &'static str,
        no_authenticator: &'static str,
        enrol: &'static str,
        places: &'static str,
        unknown_device: &'static str,
        device: fn(&str, &str) -> String,
        place: [&'static str; 4],
        this_device: &'static str,
        end_there: &'static str,
        end_everywhere: &'static str,
        programs: &'static str,
        programs_text: &'static str,
        program_since: [&'static str; 2],
        revoke: fn(&str) -> String,
        sign_out: &'static str,
    }

    /// Signing out.
    Logout {
        title: &'static str,
        signed_in_as: [&'static str; 2],
        button: &'static str,
        done_title: &'static str,
        done: &'static str,
        sign_in: &'static str,
    }

    /// The page of the demo app.
    Demo {
        title: &'static str,
        user: [&'static str; 2],
        nobody: &'static str,
        received: &'static str,
        protect: &'static str,
    }

    /// Refusals that belong to no form, by what their status means.
    Refusals {
        forbidden: Titled,
        not_found: Titled,
        method_not_allowed: Titled,
        timeout: Titled,
        too_large: Titled,
        uri_too_long: Titled,
        unsupported_media_type: Titled,
        headers_too_large: Titled,
        bad_gateway: Titled,
        unavailable: Titled,
        gateway_timeout: Titled,
        bad_request: Titled,
        internal: Titled,
        from_elsewhere: Titled,
    }

    /// Why what was asked for is not done: a field for each [`Says`], or for each of a kind.
    Answers {
        credentials: &'static str,
        not_current_password: &'static str,
        code: &'static str,
        code_used: &'static str,
        code_missing: &'static str,
        locked: fn(u64) -> String,
        rate_limited: fn(u64) -> String,
        expired: &'static str,
        session_revoked: &'static str,
        wrong_step: &'static str,
        already_enabled: &'static str,
        link_gone: &'static str,
        link_needed: &'static str,
        mfa_enforced: &'static str,
        registration_disabled: &'static str,
        no_such_session: &'static str,
        weak: fn(PasswordWeakness) -> String,
        password_unusable: &'static str,
        mismatch: &'static str,
        breached: &'static str,
        breach_unknown: &'static str,
        name: fn(NameError) -> String,
        name_taken: &'static str,
        busy: &'static str,
        unavailable: &'static str,
        unsent: &'static str,
        stale_form: &'static str,
        needs_code: &'static str,
        needs_password: &'static str,
        needs_enrolment: &'static str,
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
            Says::Locked(seconds) => return (answers.locked)(seconds).into(),
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
mod tests;
