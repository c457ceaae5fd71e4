//! What a call is, and who may make it.

use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::Next;
use crate::service::{AdminCap, Denied, LiveSession, NoLeave};
use async_trait::async_trait;
use http::HeaderValue;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::pin::Pin;
use std::sync::Arc;

/// A call. Its fields are its body.
#[async_trait]
pub(super) trait Call<W: Caller>: DeserializeOwned + JsonSchema + Send {
    /// What it is answered with.
    type Answer: Serialize + JsonSchema + Send;

    /// Does it, for whoever may.
    async fn act(self, visit: &Visit<'_>, who: W) -> Result<Reply<Self::Answer>, Trouble>;
}

/// An answer, and the cookies that go with it.
pub(super) struct Reply<A> {
    answer: A,
    cookies: Vec<HeaderValue>,
}

impl<A> Reply<A> {
    /// An answer.
    pub const fn new(answer: A) -> Self {
        Self { answer, cookies: Vec::new() }
    }

    /// Adds cookies to be set or cleared.
    pub fn with(mut self, cookies: impl IntoIterator<Item = HeaderValue>) -> Self {
        self.cookies.extend(cookies);
        self
    }
}

/// An answer as it is sent.
pub(super) struct Written {
    /// JSON.
    pub body: Vec<u8>,
    /// Cookies to be set or cleared.
    pub cookies: Vec<HeaderValue>,
}

type Served<'a> = Pin<Box<dyn Future<Output = Result<Written, Trouble>> + Send + 'a>>;

/// Whatever answers a call, its types forgotten.
pub(super) type Serve = for<'a> fn(&'a Visit<'a>) -> Served<'a>;

/// Answers a call: who it is comes first, what was sent second.
pub(super) fn serve<'a, W: Caller, C: Call<W>>(visit: &'a Visit<'a>) -> Served<'a> {
    Box::pin(async move {
        let who = W::of(visit).await?;
        let call: C = visit.body()?;
        let acted = call.act(visit, who).await;
        let reply = acted.map_err(|trouble| match W::WHO {
            Who::Anyone | Who::Underway => trouble,
            Who::Person | Who::Owner | Who::Administrator => trouble.of_session(),
        })?;
        // Answers have texts for keys, which always make JSON.
        let body = serde_json::to_vec(&reply.answer).unwrap_or_default();
        Ok(Written { body, cookies: reply.cookies })
    })
}

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Whoever wants to.
    Anyone,
    /// Whoever is signing in, or signed in: the call says which token it goes by.
    Underway,
    /// Whoever is signed in.
    Person,
    /// Whoever is signed in by themselves, and not by an access token that was made for them.
    Owner,
    /// Administrators.
    Administrator,
}

/// Somebody who may make a call of this kind.
#[async_trait]
pub(super) trait Caller: Send + Sized {
    /// Which kind that is.
    const WHO: Who;

    /// Looks who it is.
    async fn of(visit: &Visit<'_>) -> Result<Self, Trouble>;
}

/// Whoever wants to.
pub(super) struct Anyone;

/// Whoever is signing in, or signed in.
pub(super) struct Underway;

/// Whoever is signed in.
pub(super) struct Person(pub Arc<LiveSession>);

/// Whoever is signed in by themselves.
pub(super) struct Owner(pub Arc<LiveSession>);

/// An administrator.
pub(super) struct Administrator(pub AdminCap);

#[async_trait]
impl Caller for Anyone {
    const WHO: Who = Who::Anyone;

    async fn of(_: &Visit<'_>) -> Result<Self, Trouble> {
        Ok(Self)
    }
}

#[async_trait]
impl Caller for Underway {
    const WHO: Who = Who::Underway;

    async fn of(_: &Visit<'_>) -> Result<Self, Trouble> {
        Ok(Self)
    }
}

#[async_trait]
impl Caller for Person {
    const WHO: Who = Who::Person;

    async fn of(visit: &Visit<'_>) -> Result<Self, Trouble> {
        visit.person().await?.map(Self).ok_or_else(Trouble::unauthenticated)
    }
}

#[async_trait]
impl Caller for Owner {
    const WHO: Who = Who::Owner;

    /// An access token is for apps. It says nothing of whether its person wants another password,
    /// another second factor or to be signed out.
    async fn of(visit: &Visit<'_>) -> Result<Self, Trouble> {
        let Person(live) = Person::of(visit).await?;
        if live.is_token() { Err(Trouble::not_by_token()) } else { Ok(Self(live)) }
    }
}

#[async_trait]
impl Caller for Administrator {
    const WHO: Who = Who::Administrator;

    /// Not to what a page's script sent, whichever page it was. The portal is on every protected
    /// host, so an app there is of the same origin as these calls: its scripts send the cookies of
    /// an administrator who looks at it, and nothing they send tells them from scripts of ours.
    /// Browsers mark what scripts send, and no script can take the mark away.
    async fn of(visit: &Visit<'_>) -> Result<Self, Trouble> {
        if visit.is_of_a_script() {
            return Err(Trouble::of_a_script());
        }
        let Person(live) = Person::of(visit).await?;
        let cx = &visit.request.cx;
        // A browser's cookie is worth here what it is worth at our pages.
        if live.session().program().is_none() {
            return AdminCap::freshly(&live, cx).map(Self).map_err(|no| match no {
                NoLeave::ShowFactor if live.session().second_factor().is_some() => {
                    Denied::NeedsBrowser(Next::SecondFactor).into()
                }
                NoLeave::ShowFactor | NoLeave::Never => Trouble::forbidden(),
            });
        }
        AdminCap::of(&live, cx).map(Self).ok_or_else(Trouble::forbidden)
    }
}
