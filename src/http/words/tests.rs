//! That every language says everything, and in its own words.

use super::*;
use crate::service::Denied;
use crate::types::Timestamp;

/// What a field says, under its name: once for each way it can be said.
pub(crate) trait Said {
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

impl Said for fn(usize, usize) -> String {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        push(name, self(2, 3), all);
    }
}

impl Said for fn(u64, &str) -> String {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        [1, 30, 60, 90].into_iter().for_each(|seconds| push(name, self(seconds, "12:00 UTC"), all));
    }
}

impl Said for fn(Guess) -> Text {
    fn said(&self, name: &str, all: &mut Vec<(String, String)>) {
        Guess::ALL.into_iter().for_each(|guess| push(name, self(guess), all));
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
        use PasswordWeakness::{MissingClass, Obvious, TooShort, Unchanged};
        for weakness in [TooShort(12), MissingClass, Obvious, Unchanged] {
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

/// Asserts that every language says it all, in words of its own but for what is `shared`, and as it
/// is written there. Whoever tells texts gives each its name.
pub(crate) fn assert_said_in_each(
    shared: &[&str],
    tell: impl Fn(Language, &mut Vec<(String, String)>),
) {
    let all = |language| {
        let mut all = Vec::new();
        tell(language, &mut all);
        all
    };
    let english = all(Language::English);
    for language in Language::ALL {
        let said = all(language);
        assert_eq!(said.len(), english.len(), "{language:?}");
        for ((name, text), (_, in_english)) in said.iter().zip(&english) {
            assert!(text.chars().any(char::is_alphabetic), "{language:?} {name}");
            assert!(!text.contains(['!', '！']), "{language:?} {name} shouts");
            assert!(!text.contains("  "), "{language:?} {name}: {text}");
            let may_be_same = shared.iter().any(|shared| name.ends_with(&format!(".{shared}")));
            let is_own = language == Language::English || may_be_same || text != in_english;
            assert!(is_own, "{language:?} {name}: {text}");
            assert_customs(language, name, text);
        }
    }
}

/// How a language is written, where that is easily forgotten.
fn assert_customs(language: Language, name: &str, text: &str) {
    let loose = |mark: char| text.contains(&format!(" {mark}"));
    let hugs = |mark: char, after: fn(char) -> bool| {
        let mut marks = text.match_indices(mark);
        marks.any(|(at, _)| text[..at].chars().next_back().is_some_and(after))
    };
    match language {
        Language::French => {
            assert!(![':', ';', '?', '»'].into_iter().any(loose), "{name}: {text}");
            // Within an address there is no space before it.
            assert!(
                ![';', '?'].into_iter().any(|mark| hugs(mark, char::is_alphanumeric)),
                "{name}"
            );
            assert!(!text.contains('\''), "{name}: {text}");
        }
        Language::Japanese => {
            let is_kana_or_kanji = |c: char| ('\u{3040}'..'\u{ff00}').contains(&c);
            assert!(!hugs(':', is_kana_or_kanji), "{name}: {text}");
            assert!(!text.contains("ログイン") && !text.contains("第二要素"), "{name}: {text}");
        }
        Language::German => assert!(!text.contains("tokens"), "{name}: {text}"),
        Language::English | Language::Spanish => {}
    }
}

#[test]
fn every_language_says_everything_in_its_own_words_and_as_it_is_written_there() {
    assert_said_in_each(&["labelled"], |language, all| language.words().said("", all));
}

#[test]
fn what_a_value_or_a_link_follows_ends_with_a_space() {
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
    let locked = |language: Language, seconds| {
        let until = Timestamp::from_secs(1_800_000_000);
        language.words().say(Says::Locked { seconds, until })
    };
    for (language, seconds, part) in [
        (Language::English, 45, "in 45 seconds, at 08:00 UTC."),
        (Language::English, 90, "in 2 minutes, at"),
        (Language::German, 1, "in einer Sekunde noch einmal, um 08:00 UTC."),
        (Language::German, 60, "in einer Minute noch"),
        (Language::German, 61, "in 2 Minuten noch"),
        (Language::French, 60, "dans une minute, à"),
        (Language::Spanish, 1800, "dentro de 30 minutos, a las"),
        (Language::Japanese, 59, "59秒後（08:00 UTC）に"),
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
        Denied::ClockOff(180),
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
        let english = Language::English.words().answer(&answer);
        // A program is told of a wrong code alone.
        assert!(english == answer.text || answer.code == "invalid_code", "{english}");
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
