//! One-time links: the first administrator, invitations, and resets.
//!
//! Opening a link uses nothing up, since mail scanners and previews open links too. What uses it
//! up is the form behind it, in the same commit as what the form does.

use super::hashing::Place;
use super::sign_in::{Changes, Progress, Visitor};
use super::{Denied, Service};
use crate::crypto::{PasswordHash, PasswordVerified, TokenKind, digest, new_bearer, new_user_id};
use crate::domain::{Link, LinkPurpose, PendingSignIn, User, UserChange};
use crate::store::{Effect, OneTime};
use crate::types::{Bearer, RequestCx, Secret, UserId, Username};
use std::time::Duration;

/// How long a link waits for the person it was handed to.
const LINK_LIFE: Duration = Duration::from_secs(48 * 3600);

/// What the page behind a link needs to know.
#[derive(Clone, Debug)]
pub struct LinkPage {
    /// What the link is good for.
    pub purpose: LinkPurpose,
    /// Whose it is, where it is somebody's.
    pub username: Option<Username>,
}

impl Service {
    /// The link with which the first administrator begins, where there is nobody yet. An earlier
    /// one stops working.
    pub async fn setup_link(&self) -> Result<Option<Secret<String>>, Denied> {
        if !self.store.is_empty().await? {
            return Ok(None);
        }
        self.new_link(LinkPurpose::Setup, None).await.map(Some)
    }

    pub(super) async fn new_link(
        &self,
        purpose: LinkPurpose,
        user: Option<UserId>,
    ) -> Result<Secret<String>, Denied> {
        let token = new_bearer()?;
        let expires_at = self.clock.now().plus(LINK_LIFE);
        self.store
            .add_link(digest(TokenKind::Link, &token), Link { purpose, user, expires_at })
            .await?;
        let page = if purpose == LinkPurpose::Setup { "setup" } else { "invite" };
        Ok(self.link_to(page, &token))
    }

    /// What a link is good for.
    pub async fn link_page(&self, token: &Bearer, cx: &RequestCx) -> Result<LinkPage, Denied> {
        let (link, user) = self.load_link(token, cx).await?;
        Ok(LinkPage { purpose: link.purpose, username: user.map(|user| user.username) })
    }

    async fn load_link(
        &self,
        token: &Bearer,
        cx: &RequestCx,
    ) -> Result<(Link, Option<User>), Denied> {
        let found = self.store.link(digest(TokenKind::Link, token), cx.now).await?;
        let link = found.ok_or(Denied::LinkGone)?;
        let user = match link.user {
            None if self.store.is_empty().await? => None,
            // Somebody was added meanwhile, by command: there is no first administrator to make.
            None => return Err(Denied::LinkGone),
            Some(id) => {
                let user = self.store.user(id).await?.filter(|user| !user.disabled);
                Some(user.ok_or(Denied::LinkGone)?)
            }
        };
        Ok((link, user))
    }

    /// Makes the first administrator, who goes on to enrol.
    pub async fn use_setup_link(
        &self,
        token: &Bearer,
        name: &str,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let cx = visitor.cx;
        let (link, _) = self.load_link(token, cx).await?;
        if link.purpose != LinkPurpose::Setup {
            return Err(Denied::LinkGone);
        }
        let username = Username::parse(name)?;
        let hash = self.hash_new(password, username.as_str()).await?;
        let mut user = User::new(new_user_id()?, username, cx.now);
        user.groups = User::administrators().into_iter().collect();
        user.password = Some(hash.clone());
        let effects = vec![Effect::FirstUser(user.clone())];
        let verified = self.prove(self.hashing.place()?, &user, hash, password).await?;
        self.follow(token, link.purpose, user, verified, effects, visitor).await
    }

    /// Takes the password an invitation or a reset asks for, and goes on: to the second factor
    /// where there is one, which no reset of a password takes away.
    pub async fn use_password_link(
        &self,
        token: &Bearer,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let (link, user) = self.load_link(token, visitor.cx).await?;
        let fits = matches!(link.purpose, LinkPurpose::Invitation | LinkPurpose::NewPassword);
        let user = user.filter(|_| fits).ok_or(Denied::LinkGone)?;
        let hash = self.hash_new(password, user.username.as_str()).await?;
        let effects = vec![Effect::Change(UserChange::Password(hash.clone()))];
        let verified = self.prove(self.hashing.place()?, &user, hash, password).await?;
        self.follow(token, link.purpose, user, verified, effects, visitor).await
    }

    /// Opens enrolment to somebody whose second factor was reset and who knows the password.
    pub async fn use_factor_link(
        &self,
        token: &Bearer,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let cx = visitor.cx;
        let (link, user) = self.load_link(token, cx).await?;
        let fits = link.purpose == LinkPurpose::NewSecondFactor;
        let user = user.filter(|_| fits).ok_or(Denied::LinkGone)?;
        let counter = self.counter_of(&user, visitor).await?;
        let place = self.hashing.place()?;
        let tried = self.charge(counter, Some(&user), cx).await?;
        let hash = self.hash_of(Some(&user), counter.key());
        let verified = self.prove(place, &user, hash, password).await;
        let verified = self.judged(tried, verified, cx).await?;
        self.follow(token, link.purpose, user, verified, Vec::new(), visitor).await
    }

    /// Proves a password against the hash that is, or is about to be, the person's. One that was
    /// just chosen is proven like any other, so that there is one way to a proof.
    async fn prove(
        &self,
        place: Place,
        user: &User,
        hash: PasswordHash,
        password: &str,
    ) -> Result<PasswordVerified, Denied> {
        let verified = self.check_password(place, user.id, hash, password).await?;
        verified.ok_or(Denied::Credentials)
    }

    /// Uses a link up: applies the effects and begins a sign-in.
    async fn follow(
        &self,
        token: &Bearer,
        purpose: LinkPurpose,
        user: User,
        verified: PasswordVerified,
        effects: Vec<Effect>,
        visitor: Visitor<'_>,
    ) -> Result<Progress, Denied> {
        let cx = visitor.cx;
        let patience = self.settings.session.pending;
        let begun = PendingSignIn::begin(verified, &user, cx.now, patience);
        let pending = begun.ok_or(Denied::Credentials)?.with_link(purpose);
        let consumes = Some(OneTime::Link(digest(TokenKind::Link, token)));
        let changes = Changes { consumes, effects, ..Changes::default() };
        match self.go_on(pending, user, changes, visitor).await {
            // Only making the first person can find a name taken.
            Err(Denied::Expired | Denied::NameTaken) => Err(Denied::LinkGone),
            other => other,
        }
    }
}
