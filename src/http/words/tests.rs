//! That every language says everything, and in its own words.

use super::*;
use crate::service::Denied;
use crate::types::Timestamp;

/// What a field says, under its name: once for each way it can be said.
pub(super) trait Said {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>);
}

fn push(name: &str, text: impl Into<String>, all: &mut Vec<(String, String)>) {
    all.push((name.to_owned(), text.into()));
}

impl Said for &'static str {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        push(name, *self, all);
    }
}

impl Said for Titled {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        push(&format!("{name}.title"), self.0, all);
        push(&format!("{name}.text"), self.1, all);
    }
}

impl<const N: usize> Said for [&'static str; N] {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        push(name, self.join("…"), all);
    }
}

impl Said for fn(&str) -> String {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        push(name, self("Ann"), all);
    }
}

impl Said for fn(&str, &str) -> String {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        push(name, self("Ann", "other"), all);
    }
}

impl Said for fn(usize) -> String {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        [1, 2, 7].into_iter().for_each(|count| push(name, self(count), all));
    }
}

impl Said for fn(u64) -> String {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        [1, 30, 60, 90].into_iter().for_each(|seconds| push(name, self(seconds), all));
    }
}

impl Said for fn(PasswordWeakness) -> String {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        use PasswordWeakness::{IsTheName, MissingClass, TooShort, Unchanged};
        for weakness in [TooShort(12), MissingClass, IsTheName, Unchanged] {
            push(name, self(weakness), all);
        }
    }
}

impl Said for fn(NameError) -> String {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        use NameError::{
            DisplayName, Email, Group, Login, UsernameCharacters, UsernameIsAddress, UsernameLength,
        };
        for error in [
            UsernameLength,
            UsernameCharacters,
            UsernameIsAddress,
            Email,
            DisplayName,
            Group,
            Login,
        ] {
            push(name, self(error), all);
        }
    }
}

fn all(language: Language) -> Vec<(String, String)> {
    let mut all = Vec::new();
    language.words().said(language.tag(), &mut all);
    all
}

#[test]
fn no_text_is_empty() {
    for (name, text) in Language::ALL.into_iter().flat_map(all) {
        assert!(text.chars().any(char::is_alphabetic), "{name}");
    }
}

#[test]
fn no_language_says_it_in_the_words_of_another() {
    let english = all(Language::English);
    let others = Language::ALL.into_iter().filter(|language| *language != Language::English);
    for (language, said) in others.map(|language| (language, all(language))) {
        assert_eq!(said.len(), english.len(), "{language:?}");
        for ((name, text), (_, in_english)) in said.iter().zip(&english) {
            assert_ne!(text, in_english, "{name}");
        }
    }
}

#[test]
fn no_text_shouts_or_lacks_the_space_that_a_value_or_a_link_needs() {
    for (name, text) in Language::ALL.into_iter().flat_map(all) {
        assert!(!text.contains(['!', '！']), "{name}");
        assert!(!text.contains("  "), "{name}: {text}");
    }
    for language in Language::ALL.into_iter().filter(|language| *language != Language::Japanese) {
        let words = language.words();
        let before_others = [
            words.frame.not_done,
            words.enrol.this_device,
            words.account.enrolled[1],
            words.account.no_authenticator,
            words.account.place[3],
            words.demo.protect,
        ];
        assert!(before_others.iter().all(|text| text.ends_with(' ')), "{language:?}");
    }
}

#[test]
fn times_to_wait_are_counted_as_people_count_them() {
    let locked = |language: Language, seconds| language.words().say(Says::Locked(seconds));
    for (language, seconds, part) in [
        (Language::English, 45, "in 45 seconds."),
        (Language::English, 90, "in 2 minutes."),
        (Language::German, 1, "in einer Sekunde noch"),
        (Language::German, 60, "in einer Minute noch"),
        (Language::German, 61, "in 2 Minuten noch"),
        (Language::French, 60, "dans une minute."),
        (Language::Spanish, 1800, "dentro de 30 minutos."),
        (Language::Japanese, 59, "59秒後に"),
    ] {
        let text = locked(language, seconds);
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn whatever_a_use_case_refuses_is_said_in_every_language() {
    let (weakness, until) = (PasswordWeakness::TooShort(14), Timestamp::from_secs(1090));
    let denials = [
        Denied::Credentials,
        Denied::Code,
        Denied::CodeUsed,
        Denied::Locked(until),
        Denied::Expired,
        Denied::WrongStep,
        Denied::LinkGone,
        Denied::Weak(weakness),
        Denied::PasswordUnusable,
        Denied::Name(NameError::UsernameLength),
        Denied::NameTaken,
        Denied::Breached,
        Denied::BreachUnknown(String::new()),
        Denied::RateLimited(until),
        Denied::RegistrationDisabled,
        Denied::LinkNeeded,
        Denied::AlreadyEnabled,
        Denied::MfaEnforced,
        Denied::SessionRevoked,
        Denied::NeedsBrowser(Next::SecondFactor),
        Denied::NeedsBrowser(Next::NewPassword),
        Denied::NeedsBrowser(Next::Enrolment),
        Denied::NoSuchSession,
        Denied::Busy,
        Denied::Unavailable(String::new()),
    ];
    let answers = denials.iter().map(|denied| Answer::to(denied, Timestamp::from_secs(1000)));
    let others = [
        Answer::unsent(),
        Answer::stale_form(),
        Answer::missing_code(),
        Answer::mismatch(),
        Answer::not_current_password(),
    ];
    for answer in answers.chain(others) {
        assert_eq!(Language::English.words().answer(&answer), answer.text);
        for language in Language::ALL.into_iter().filter(|other| *other != Language::English) {
            let text = language.words().answer(&answer);
            assert_ne!(text, answer.text, "{language:?} {}", answer.code);
        }
    }
    let german = |denied: &Denied| {
        let answer = Answer::to(denied, Timestamp::from_secs(1000));
        Language::German.words().answer(&answer).into_owned()
    };
    assert!(german(&Denied::Weak(weakness)).contains("mindestens 14 Zeichen"));
    assert!(german(&Denied::Locked(until)).contains("in 2 Minuten"));
}
