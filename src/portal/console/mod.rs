//! The console: what administrators do, as pages.
//!
//! Whoever comes here is let in by [`AdminCap::freshly`] and by nothing else, for every page and
//! every form anew. What they ask for is asked of the service, as one [`AdminRequest`] that the
//! commands and the calls send as well: nothing here decides what may be done to whom, except that
//! nobody shuts themselves out by accident.
//!
//! Every form leads to the address of a page, so that whoever has to prove first who they are
//! comes back to where they were. What was done is told by a fixed word in the query of the page
//! that follows; what must be seen once is the answer to the form itself, and in no address.

mod frame;
mod newcomer;
mod overview;
mod person;
mod person_acts;
mod person_lists;
mod removal;
mod sessions;
mod token;
mod trail;
mod users;
mod words;

use super::{Acted, Visit};
use crate::http::html::answer_page;
use crate::http::{
    Answer, Challenge, Entry, Location, Response, Trouble, Words, challenge, refusal,
};
use crate::service::{
    AdminCap, AdminError, AdminErrorKind, AdminReply, AdminRequest, Denied, LiveSession, NoLeave,
    UserView,
};
use crate::types::NameError;
use http::StatusCode;
use std::sync::Arc;
use words::ConsoleWords;

const HOME: &str = "/admin";
const USERS: &str = "/admin/users";
const NEW: &str = "/admin/users/new";
const SESSIONS: &str = "/admin/sessions";
const TRAIL: &str = "/admin/audit";
const USER: &str = "/admin/users/{name}";
const REMOVAL: &str = "/admin/users/{name}/remove";

/// The pages of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screen {
    Overview,
    Users,
    NewUser,
    User,
    Removal,
    Sessions,
    Trail,
}

/// The lines of the console in the table of pages.
pub(super) fn table<P>(page: impl Fn(Screen) -> P) -> Vec<Entry<P>> {
    vec![
        Entry::page(HOME, page(Screen::Overview)),
        Entry::page("/admin/", page(Screen::Overview)),
        Entry::page(USERS, page(Screen::Users)),
        Entry::page(NEW, page(Screen::NewUser)),
        Entry::form(NEW, page(Screen::NewUser)),
        Entry::page(USER, page(Screen::User)),
        Entry::form(USER, page(Screen::User)),
        Entry::page(REMOVAL, page(Screen::Removal)),
        Entry::form(REMOVAL, page(Screen::Removal)),
        Entry::page(SESSIONS, page(Screen::Sessions)),
        Entry::form(SESSIONS, page(Screen::Sessions)),
        Entry::page(TRAIL, page(Screen::Trail)),
    ]
}

/// What the console is called.
pub(super) fn title(visit: &Visit<'_>) -> &'static str {
    ConsoleWords::of(visit.language()).title
}

/// Shows a page.
pub(super) async fn show(visit: &Visit<'_>, screen: Screen, answer: Option<&Answer>) -> Response {
    let desk = match Desk::open(visit).await {
        Ok(desk) => desk,
        Err(response) => return response,
    };
    let shown = match screen {
        Screen::Overview => overview::show(&desk).await,
        Screen::Users => users::show(&desk).await,
        Screen::NewUser => Ok(newcomer::show(&desk, answer)),
        Screen::User => person::show(&desk, answer).await,
        Screen::Removal => removal::show(&desk, answer).await,
        Screen::Sessions => sessions::show(&desk, answer).await,
        Screen::Trail => trail::show(&desk).await,
    };
    shown.unwrap_or_else(|trouble| desk.stopped(trouble))
}

/// Does what a form asks for.
pub(super) async fn act(visit: &Visit<'_>, screen: Screen) -> Acted {
    let desk = match Desk::open(visit).await {
        Ok(desk) => desk,
        Err(response) => return Ok(response),
    };
    match screen {
        Screen::NewUser => newcomer::act(&desk).await,
        Screen::User => person_acts::act(&desk).await,
        Screen::Removal => removal::act(&desk).await,
        Screen::Sessions => sessions::act(&desk).await,
        // These have no form; the table has no line that leads here.
        Screen::Overview | Screen::Users | Screen::Trail => {
            Ok(refusal(visit.site(), visit.language(), true, StatusCode::METHOD_NOT_ALLOWED))
        }
    }
}

/// An administrator at one of the pages.
struct Desk<'v> {
    visit: &'v Visit<'v>,
    live: Arc<LiveSession>,
    cap: AdminCap,
    /// What other pages say as well.
    common: &'static Words,
    words: &'static ConsoleWords,
}

impl<'v> Desk<'v> {
    /// Lets an administrator in, or gives the response for somebody else.
    async fn open(visit: &'v Visit<'v>) -> Result<Self, Response> {
        let (site, cx) = (visit.site(), &visit.request.cx);
        // At the portal's own host alone: on any other, an app that was allowed to keep a worker in
        // its visitors' browsers could come between administrators and these pages.
        if visit.request.host != *site.public_url.host() {
            let there = Location::page_at(site, &site.origins.portal(), HOME);
            return Err(Response::see_other(site, &there));
        }
        let live = match visit.live().await {
            Ok(Some(live)) => live,
            Ok(None) => return Err(sent_away(visit, Challenge::SignIn)),
            Err(error) => return Err(visit.stopped(&error.into())),
        };
        match AdminCap::freshly(&live, cx) {
            Ok(cap) => {
                let words = ConsoleWords::of(visit.language());
                Ok(Self { visit, live, cap, common: visit.words(), words })
            }
            Err(NoLeave::Never) => {
                Err(refusal(visit.site(), visit.language(), true, StatusCode::FORBIDDEN))
            }
            Err(NoLeave::ShowFactor) => match visit.service().totp_status(&live).await {
                Ok(status) if status.enabled => Err(sent_away(visit, Challenge::ShowFactor)),
                // Whoever has none to show enrols one.
                Ok(_) => {
                    let enrol = Location::page(visit.site(), "/enroll");
                    let back = enrol.with("rd", &visit.request.path);
                    Err(Response::see_other(visit.site(), &back))
                }
                Err(denied) => Err(visit.stopped(&denied)),
            },
        }
    }

    /// Asks the service.
    async fn ask(&self, request: AdminRequest) -> Result<AdminReply, Trouble> {
        match self.visit.service().administer(request, &self.cap).await {
            AdminReply::Failed { error } => Err(self.trouble(error)),
            reply => Ok(reply),
        }
    }

    /// Has something done, and goes to a page that says so.
    async fn have_done(&self, request: AdminRequest, to: Location, done: &'static str) -> Acted {
        self.ask(request).await?;
        Ok(Response::see_other(self.visit.site(), &to.with("done", done)))
    }

    /// A no of the service's, in the words of this page where it has some.
    fn trouble(&self, AdminError { kind, message }: AdminError) -> Trouble {
        match kind {
            AdminErrorKind::NotFound => self.gone().into(),
            AdminErrorKind::AlreadyExists => {
                let taken = Answer::new(StatusCode::CONFLICT, "already_exists", self.words.taken);
                taken.into()
            }
            // Every field is read here before it is sent, and says itself what is wrong with it.
            AdminErrorKind::Invalid => Answer::invalid(self.words.invalid).into(),
            AdminErrorKind::WeakPassword => Denied::PasswordUnusable.into(),
            AdminErrorKind::BreachedPassword => Denied::Breached.into(),
            AdminErrorKind::Busy => Denied::Busy.into(),
            AdminErrorKind::Unavailable => Denied::Unavailable(message).into(),
        }
    }

    /// What is not there, or not any more.
    fn gone(&self) -> Answer {
        Answer::new(StatusCode::NOT_FOUND, "not_found", self.words.no_such)
    }

    /// The answer to a field that was filled in with something else.
    fn wrong(field: &'static str, text: &'static str) -> Answer {
        Answer { about: Some(field), ..Answer::invalid(text) }
    }

    /// The same, where it is a name that cannot be one.
    fn wrong_name(&self, field: &'static str, error: NameError) -> Answer {
        Answer { about: Some(field), ..self.visit.answer(&error.into()) }
    }

    /// The page in place of one that cannot be shown.
    fn stopped(&self, trouble: Trouble) -> Response {
        match trouble {
            Trouble::Answer(answer) if answer.status == StatusCode::NOT_FOUND => {
                refusal(self.visit.site(), self.visit.language(), true, StatusCode::NOT_FOUND)
            }
            Trouble::Answer(answer) => answer_page(
                self.visit.site(),
                self.visit.language(),
                self.common.frame.not_possible,
                &answer,
            ),
            Trouble::Denied(denied) => self.visit.stopped(&denied),
        }
    }

    /// The person whom the page is about.
    async fn person(&self) -> Result<UserView, Trouble> {
        let name = self.visit.named.get("name").to_owned();
        match self.ask(AdminRequest::UserShow { name }).await {
            Ok(AdminReply::User { user }) => Ok(user),
            Ok(_) => Err(odd()),
            // What is no name at all is the name of nobody.
            Err(Trouble::Answer(_)) => Err(self.gone().into()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether it is the administrator's own account.
    fn is_own(&self, user: &UserView) -> bool {
        user.id == self.live.session().user().to_string()
    }

    fn page(&self, page: &'static str) -> Location {
        Location::page(self.visit.site(), page)
    }

    /// The page about somebody. Whoever is called like the page for adding people is told from it
    /// by an escape, which the table reads as the letter it stands for.
    fn page_of(&self, username: &str) -> Location {
        match username {
            "new" => self.page("/admin/users/%6Eew"),
            name => self.page(USERS).below(name),
        }
    }
}

/// A reply of another kind than was asked for, which there is none of.
fn odd() -> Trouble {
    Denied::Unavailable("an administrative act was answered as if it were another".into()).into()
}

/// Asks to prove something first, and to come back. A form is not sent again: its page, which has
/// the same address, says that it did not arrive.
fn sent_away(visit: &Visit<'_>, first: Challenge) -> Response {
    let request = visit.request;
    if request.method == http::Method::POST {
        let proof = Location::page(visit.site(), first.page());
        let proof = proof.with("rd", &request.path).with("why", "unsent");
        return Response::see_other(visit.site(), &proof);
    }
    let target = match request.query.as_str() {
        "" => request.path.clone(),
        query => format!("{}?{query}", request.path),
    };
    challenge(visit.site(), first, &request.method, &request.headers, &target)
}
