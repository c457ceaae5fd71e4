//! Somebody's own account, sessions and password.

use super::call::{Anyone, Call, Owner, Person, Reply, Underway};
use super::records::{Done, Hidden, Nothing, SessionRecord, SignIn, UserRecord};
use super::trouble::Trouble;
use super::visit::{Visit, Whose};
use crate::domain::User;
use crate::http::Answer;
use crate::types::SessionId;
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is signed in.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Me(Nothing);

#[async_trait]
impl Call<Person> for Me {
    type Answer = UserRecord;

    async fn act(self, visit: &Visit<'_>, who: Person) -> Result<Reply<UserRecord>, Trouble> {
        let user = visit.service().whoami(&who.0).await?;
        // An access token may have fewer groups than its person.
        let groups = who.0.groups().to_vec();
        Ok(Reply::new(User { groups, ..user }.into()))
    }
}

/// Where they are signed in.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Sessions(Nothing);

#[async_trait]
impl Call<Owner> for Sessions {
    type Answer = Vec<SessionRecord>;

    async fn act(
        self,
        visit: &Visit<'_>,
        Owner(live): Owner,
    ) -> Result<Reply<Vec<SessionRecord>>, Trouble> {
        let sessions = visit.service().own_sessions(&live, visit.cx()).await?;
        let records = sessions.iter().map(|session| SessionRecord::of(session, &live));
        Ok(Reply::new(records.collect()))
    }
}

/// Ends one of their sessions.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct EndSession(Nothing);

#[async_trait]
impl Call<Owner> for EndSession {
    type Answer = Done;

    async fn act(self, visit: &Visit<'_>, Owner(live): Owner) -> Result<Reply<Done>, Trouble> {
        // What is no id is nobody's, like an id that is somebody else's.
        let text = "There is no such session among yours.";
        let id = SessionId::parse(visit.word("id")).ok_or_else(|| Trouble::not_found(text))?;
        visit.service().end_own_session(&live, id, visit.cx()).await?;
        let is_this = id == live.session().id();
        let cleared = is_this.then(|| visit.cookies().clear_session(&visit.request.host));
        Ok(Reply::new(Done::new()).with(cleared))
    }
}

/// Signs out, where anybody is signed in.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Logout(Nothing);

#[async_trait]
impl Call<Anyone> for Logout {
    type Answer = Done;

    /// Where the session could not be ended the cookie stays, so that nobody believes it was.
    async fn act(self, visit: &Visit<'_>, _: Anyone) -> Result<Reply<Done>, Trouble> {
        // A program whose token is not good has not ended the session it may still belong to.
        let live = visit.person().await?;
        if live.is_some_and(|live| live.is_token()) {
            return Err(Trouble::not_by_token());
        }
        if let Some(shown) = visit.credential() {
            visit.service().sign_out(&shown, &visit.request.host, visit.cx()).await?;
        }
        Ok(signed_out(visit, Done::new()))
    }
}

fn signed_out<A>(visit: &Visit<'_>, answer: A) -> Reply<A> {
    let cookies = visit.cookies();
    Reply::new(answer).with([cookies.clear_session(&visit.request.host), cookies.clear_step()])
}

/// Signs out everywhere.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct LogoutAll(Nothing);

/// How many sessions have ended.
#[derive(Serialize, JsonSchema)]
pub(super) struct Ended {
    sessions_ended: usize,
}

#[async_trait]
impl Call<Owner> for LogoutAll {
    type Answer = Ended;

    async fn act(self, visit: &Visit<'_>, who: Owner) -> Result<Reply<Ended>, Trouble> {
        let sessions_ended = visit.service().sign_out_everywhere(&who.0, visit.cx()).await?;
        Ok(signed_out(visit, Ended { sessions_ended }))
    }
}

/// A new password: in place of the current one, or where one must be chosen while signing in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePassword {
    /// Of the step; without it, the session's token or that of the step's cookie.
    mfa_token: Option<Hidden>,
    /// Needed by whoever is signed in.
    current_password: Option<Hidden>,
    new_password: Hidden,
}

#[async_trait]
impl Call<Underway> for ChangePassword {
    type Answer = SignIn;

    async fn act(self, visit: &Visit<'_>, _: Underway) -> Result<Reply<SignIn>, Trouble> {
        let (service, visitor) = (visit.service(), visit.visitor());
        let new = self.new_password.reveal();
        let live = match visit.whose(self.mfa_token.as_ref()).await? {
            Whose::Person(live) => live,
            Whose::Pending(token) => {
                let progress = service.new_password(&token, new, visitor).await?;
                return Ok(visit.onward(progress));
            }
        };
        let current = self.current_password.as_ref();
        let current = current.ok_or_else(|| Answer::invalid("`current_password` is missing."))?;
        let ended = |denied| Trouble::from(denied).of_session();
        let user = service.whoami(&live).await.map_err(ended)?;
        let changed = service.change_password(&live, current.reveal(), new, visitor).await;
        changed.map_err(ended)?;
        Ok(Reply::new(SignIn::authenticated(user, live.session().expires_at(), None)))
    }
}
