//! What every page of the console has around it, and the small things that several have in them.

use super::{Desk, HOME, SESSIONS, Screen, TRAIL, USERS};
use crate::http::{Answer, Location, Response};
use crate::service::UserView;
use maud::{Markup, html};

/// How it stands with somebody; of several that apply, what matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Enrolled,
    NoFactor,
    Disabled,
    Locked,
    Invited,
}

impl State {
    pub const ALL: [Self; 5] =
        [Self::Enrolled, Self::NoFactor, Self::Invited, Self::Locked, Self::Disabled];

    pub const fn of(user: &UserView) -> Self {
        match user {
            UserView { disabled: true, .. } => Self::Disabled,
            UserView { locked_until: Some(_), .. } => Self::Locked,
            UserView { has_password: false, .. } => Self::Invited,
            UserView { totp: false, .. } => Self::NoFactor,
            _ => Self::Enrolled,
        }
    }

    /// Its word in queries, and in classes.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::NoFactor => "no-factor",
            Self::Disabled => "disabled",
            Self::Locked => "locked",
            Self::Invited => "invited",
        }
    }

    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }
}

impl Desk<'_> {
    /// A page of the console.
    pub fn shown(
        &self,
        screen: Screen,
        title: &str,
        answer: Option<&Answer>,
        body: &Markup,
    ) -> Response {
        let framed = html! {
            div .console {
                (self.sections(screen))
                @if let Some(done) = self.done().filter(|_| answer.is_none()) {
                    p .notice.good role="status" { (done) }
                }
                (body)
            }
        };
        self.visit.form_page(title, answer, &framed)
    }

    fn sections(&self, screen: Screen) -> Markup {
        let words = self.words;
        let here = match screen {
            Screen::Overview => HOME,
            Screen::Sessions => SESSIONS,
            Screen::Trail => TRAIL,
            Screen::Users | Screen::NewUser | Screen::User | Screen::Removal => USERS,
        };
        let sections = [
            (HOME, words.overview),
            (USERS, words.users),
            (SESSIONS, words.sessions),
            (TRAIL, words.trail),
        ];
        html! {
            nav .sections aria-label=(words.title) {
                @for (page, name) in sections {
                    a href=(self.page(page).as_str())
                        aria-current=[(page == here).then_some("true")] { (name) } " "
                }
                a href=(self.page("/account").as_str()) { (self.common.inputs.your_account) }
            }
        }
    }

    /// The sentence about what was just done. The query has a word for it, and never the sentence:
    /// whoever makes a link must not put words into our mouth.
    fn done(&self) -> Option<&'static str> {
        let words = self.words;
        match self.visit.fields.get("done") {
            "saved" => Some(words.done_saved),
            "disabled" => Some(words.done_disabled),
            "enabled" => Some(words.done_enabled),
            "unlocked" => Some(words.done_unlocked),
            "removed" => Some(words.done_removed),
            "revoked" => Some(words.done_revoked),
            "all-revoked" => Some(words.done_revoked_all),
            "token-revoked" => Some(words.done_token_revoked),
            _ => None,
        }
    }

    /// A state, in words.
    pub const fn state(&self, state: State) -> &'static str {
        match state {
            State::Enrolled => self.words.enrolled,
            State::NoFactor => self.words.no_factor,
            State::Disabled => self.words.disabled,
            State::Locked => self.words.locked,
            State::Invited => self.words.invited,
        }
    }

    /// The same, to be styled.
    pub fn state_mark(&self, state: State) -> Markup {
        html! { span .state .(state.key()) { (self.state(state)) } }
    }

    /// Somebody's name, which leads to their page.
    pub fn link_to(&self, username: &str) -> Markup {
        html! { a href=(self.page_of(username).as_str()) { (username) } }
    }

    /// A form with one button.
    pub fn button(
        &self,
        to: &Location,
        hidden: &[(&'static str, &str)],
        text: &str,
        about: Option<&str>,
    ) -> Markup {
        let label = about.map(|about| (self.common.frame.labelled)(text, about));
        self.visit.form_to(to, hidden, &html! { button aria-label=[label] { (text) } })
    }
}

/// A field of a search, with what was searched for.
pub(super) fn search_field(name: &str, label: &str, value: &str) -> Markup {
    html! {
        label for=(name) { (label) }
        input id=(name) name=(name) type="search" value=(value) autocomplete="off"
            autocapitalize="none" spellcheck="false";
    }
}

/// Names, as people write and read lists of them.
pub(super) fn listed<T: ToString>(names: &[T]) -> String {
    names.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// Reads what was typed as a list; none where one of them is something else.
pub(super) fn read_list<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty()).map(parse).collect()
}
