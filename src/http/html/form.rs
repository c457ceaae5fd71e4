//! Forms and their inputs.
//!
//! A notice stands above the form it is about and is announced; the input it is about points to
//! it, is marked as wrong, and has the focus. What somebody typed as a password or a code is never
//! written back: an [`Input`] for one has no value.

use super::moment::with_clock;
use crate::http::{Answer, Location, Says, Words};
use maud::{Markup, html};

/// The notice's name in its page.
const NOTICE: &str = "notice";

/// One labelled input.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Input<'a> {
    /// Its name, also in the page.
    pub name: &'static str,
    /// What its name in the page begins with, where another form asks for the same.
    pub within: &'static str,
    /// What it is for.
    pub label: &'static str,
    /// `password` or nothing, which is plain text.
    pub kind: Option<&'static str>,
    /// What password managers and phones fill in.
    pub autocomplete: &'static str,
    /// Which keys a phone shows.
    pub inputmode: Option<&'static str>,
    /// What it says already.
    pub value: Option<&'a str>,
    /// A sentence more.
    pub hint: Option<&'static str>,
    /// What the button says that shows a password: in few words, and in full.
    pub reveal: (&'static str, &'static str),
    /// What happens at its last digit, said where the script sees to it.
    pub announces: &'static str,
    /// How many digits it takes, if it takes digits alone.
    pub digits: Option<u8>,
    /// Whether it has the focus when no notice is about another.
    pub first: bool,
    /// Whether it may be left empty.
    pub optional: bool,
    /// Whether it only says whose password this is, for password managers.
    pub readonly: bool,
}

impl Input<'_> {
    /// Writes it, next to the notice of its page.
    pub fn show(&self, answer: Option<&Answer>) -> Markup {
        let about = answer.and_then(|answer| answer.about);
        let is_wrong = about == Some(self.name);
        let focus = is_wrong || self.first && about.is_none();
        let id = format!("{}{}", self.within, self.name);
        let hint = format!("{id}-hint");
        let described = match (is_wrong, self.hint.is_some()) {
            (true, true) => Some(format!("{NOTICE} {hint}")),
            (true, false) => Some(NOTICE.to_owned()),
            (false, true) => Some(hint.clone()),
            (false, false) => None,
        };
        // Names are typed as they are, without a phone's help.
        let as_typed = (self.kind.is_none()).then_some("none");
        let input = html! {
            input id=(id) name=(self.name) type=(self.kind.unwrap_or("text"))
                autocomplete=(self.autocomplete) inputmode=[self.inputmode] value=[self.value]
                autocapitalize=[as_typed] spellcheck=[as_typed.map(|_| "false")]
                data-digits=[self.digits]
                aria-invalid=[is_wrong.then_some("true")] aria-describedby=[described]
                required[!self.optional] readonly[self.readonly] autofocus[focus];
        };
        html! {
            label for=(id) { (self.label) }
            @if let Some(text) = self.hint { p .hint id=(hint) { (text) } }
            @if self.digits.is_some() {
                p .hint hidden id={ (id) "-announced" } data-announces=(id) { (self.announces) }
            }
            @if !self.reveal.0.is_empty() {
                div .reveal {
                    (input)
                    // For the script to bring out: without it there is nothing to press for.
                    button type="button" hidden data-reveals=(id) aria-pressed="false"
                        aria-label=(self.reveal.1) { (self.reveal.0) }
                }
            } @else {
                (input)
            }
        }
    }
}

/// What went wrong, above the form.
pub(crate) fn notice(words: &Words, answer: Option<&Answer>) -> Markup {
    html! {
        @if let Some(answer) = answer {
            p .notice id=(NOTICE) role="alert" {
                strong { (words.frame.not_done) }
                @match answer.says {
                    Some(Says::Locked { until, .. }) => {
                        (with_clock(&words.answer(answer), until))
                    }
                    _ => (words.answer(answer)),
                }
            }
        }
    }
}

/// A form that is sent to one of our pages, with what it carries unseen.
pub(crate) fn form(action: &Location, hidden: &[(&'static str, &str)], inputs: &Markup) -> Markup {
    html! {
        form method="post" action=(action.as_str()) {
            @for (name, value) in hidden.iter().filter(|(_, value)| !value.is_empty()) {
                input type="hidden" name=(name) value=(value);
            }
            (inputs)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Language;
    use crate::service::Denied;
    use crate::types::Timestamp;

    #[test]
    fn the_input_at_fault_points_to_the_notice_and_has_the_focus() {
        let answer = Answer::to(&Denied::Credentials, Timestamp::from_secs(0));
        let name = Input { name: "username", first: true, ..Input::default() };
        let password = Input { name: "password", kind: Some("password"), ..Input::default() };
        let shown = password.show(Some(&answer)).into_string();
        assert!(shown.contains(r#"aria-invalid="true" aria-describedby="notice""#), "{shown}");
        assert!(shown.contains("autofocus"));
        assert!(!name.show(Some(&answer)).into_string().contains("autofocus"));
        assert!(name.show(None).into_string().contains("autofocus"));
        let words = Language::English.words();
        assert!(notice(words, Some(&answer)).into_string().contains(r#"role="alert""#));
    }

    #[test]
    fn what_somebody_typed_is_text_in_the_page() {
        let input = Input { name: "username", value: Some("\"><script>"), ..Input::default() };
        assert!(input.show(None).into_string().contains("&quot;&gt;&lt;script&gt;"));
    }
}
