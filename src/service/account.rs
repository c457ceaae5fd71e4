//! What somebody who is signed in does about their own account.

use super::live::Which;
use super::{Denied, LiveSession, Service, Visitor};
use crate::crypto::{Password, TokenKind, digest};
use crate::domain::{AccessToken, Occasion, PasswordWeakness, Session, User, UserChange};
use crate::store::{Effect, OneTime, Onward, Recognised, Step};
use crate::types::{RequestCx, SessionId, TokenId};

impl Service {
    /// The record of whoever is signed in.
    pub async fn whoami(&self, live: &LiveSession) -> Result<User, Denied> {
        self.store.user(live.session().user()).await?.ok_or(Denied::SessionRevoked)
    }

    /// Where they are signed in; the newest first.
    pub async fn own_sessions(
        &self,
        live: &LiveSession,
        cx: &RequestCx,
    ) -> Result<Vec<Session>, Denied> {
        self.save_uses().await?;
        let stored = self.store.sessions(Some(live.session().user())).await?;
        let mut sessions: Vec<Session> = stored.into_iter().map(|(_, session)| session).collect();
        sessions.retain(|session| session.is_live(cx.now, session.last_seen_at()));
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at()));
        Ok(sessions)
    }

    /// Ends one of their sessions, perhaps this very one.
    pub async fn end_own_session(
        &self,
        live: &LiveSession,
        id: SessionId,
        cx: &RequestCx,
    ) -> Result<(), Denied> {
        let user = live.session().user();
        let own = self.store.sessions(Some(user)).await?;
        if !own.iter().any(|(_, session)| session.id() == id) {
            return Err(Denied::NoSuchSession);
        }
        let ended = self.ending(Which::One(id), self.store.revoke(id, cx.into())).await?;
        ended.map(drop).ok_or(Denied::NoSuchSession)
    }

    /// Ends all of their sessions, this one as well; how many.
    pub async fn sign_out_everywhere(
        &self,
        live: &LiveSession,
        cx: &RequestCx,
    ) -> Result<usize, Denied> {
        let user = live.session().user();
        let revoke = self.store.revoke_all(Some(user), cx.into());
        Ok(self.ending(Which::Of(user), revoke).await?)
    }

    /// The access tokens that speak in their name; the newest first.
    pub async fn own_tokens(
        &self,
        live: &LiveSession,
        cx: &RequestCx,
    ) -> Result<Vec<AccessToken>, Denied> {
        let mut tokens = self.store.tokens(Some(live.session().user())).await?;
        tokens.retain(|token| cx.now < token.expires_at);
        tokens.sort_by_key(|token| std::cmp::Reverse(token.created_at));
        Ok(tokens)
    }

    /// Ends one of the access tokens that speak in their name.
    pub async fn end_own_token(
        &self,
        live: &LiveSession,
        id: TokenId,
        cx: &RequestCx,
    ) -> Result<(), Denied> {
        let user = live.session().user();
        if !self.store.tokens(Some(user)).await?.iter().any(|token| token.id == id) {
            return Err(Denied::NoSuchSession);
        }
        self.revoke_token(id, cx.into()).await.map(drop)
    }

    /// Ends an access token; the token as it was.
    pub(super) async fn revoke_token(
        &self,
        id: TokenId,
        on: Occasion,
    ) -> Result<Option<AccessToken>, Denied> {
        // The session of its requests goes by the same name.
        let session = SessionId::from_bytes(*id.as_bytes());
        Ok(self.ending(Which::One(session), self.store.revoke_token(id, on)).await?)
    }

    /// Changes their password, and ends their other sessions.
    pub async fn change_password(
        &self,
        live: &LiveSession,
        current: &str,
        new: &str,
        visitor: Visitor<'_>,
    ) -> Result<(), Denied> {
        let user = self.whoami(live).await?;
        self.confirm_password(&user, current, visitor).await?;
        if Password::new(current).zip(Password::new(new)).is_some_and(|(old, new)| old.is(&new)) {
            return Err(Denied::Weak(PasswordWeakness::Unchanged));
        }
        let hash = self.hash_new(new, user.username.as_str()).await?;
        let effect = Effect::Change(UserChange::Password(hash));
        self.change_here(live, &user, None, effect, visitor).await
    }

    /// Proves once more that it is the person who is at the keyboard, and not whoever found it.
    pub(super) async fn confirm_password(
        &self,
        user: &User,
        password: &str,
        visitor: Visitor<'_>,
    ) -> Result<(), Denied> {
        let counter = self.counter_of(user, visitor).await?;
        let place = self.hashing.place()?;
        let tried = self.charge(counter, Some(user), visitor.cx).await?;
        let hash = self.hash_of(Some(user), counter.key());
        let verified = self.verify(place, Some(user.clone()), hash, password).await;
        self.judged(tried, verified, visitor.cx).await.map(drop)
    }

    /// Changes the record of whoever is signed in, who stays signed in. It must be the record
    /// that was judged.
    pub(super) async fn change_here(
        &self,
        live: &LiveSession,
        user: &User,
        consumes: Option<OneTime>,
        effect: Effect,
        visitor: Visitor<'_>,
    ) -> Result<(), Denied> {
        // What the account knows this browser by it knows under the new credentials as well.
        let is_own = self.counter_of(user, visitor).await?.is_own();
        let browser = visitor.browser.filter(|_| is_own);
        let step = Step {
            user: user.id,
            credentials: user.credentials,
            consumes,
            effects: vec![effect],
            onward: Onward::Same(live.session().id()),
            clears: None,
            browser: browser.map(|token| {
                let known = digest(TokenKind::Browser, token);
                Recognised { before: Some(known), after: known }
            }),
            on: visitor.cx.into(),
        };
        self.commit(step).await.map_err(|denied| match denied {
            Denied::Expired => Denied::SessionRevoked,
            other => other,
        })
    }
}
