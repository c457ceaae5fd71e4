//! The verbs for sessions. Ending one takes all its rows with it, and it is gone for every reader
//! when the verb returns.

use super::kv::View;
use super::tables::Tables as _;
use super::txn::Txn;
use super::verbs::KvStore;
use super::{Result, Rotated, Sessions, StoredSession};
use crate::domain::{Program, Session, Spent, User};
use crate::types::{SessionId, Timestamp, TokenDigest, UserId};
use async_trait::async_trait;

/// Sessions that one job ends where everyone's are to end: a batch that fits into memory.
const AT_ONCE: usize = 1000;

fn with_person(view: &View<'_>, digest: &TokenDigest) -> Result<Option<(Session, User)>> {
    let Some(session) = view.session(digest)? else { return Ok(None) };
    let user = view.user(session.user())?.filter(|user| !user.disabled);
    Ok(user.map(|user| (session, user)))
}

fn revoke(txn: &mut Txn<'_>, id: SessionId) -> Result<Option<StoredSession>> {
    let Some(digest) = txn.session_digest(id)? else { return Ok(None) };
    let Some(session) = txn.session(&digest)? else { return Ok(None) };
    txn.end_session(&digest, &session)?;
    Ok(Some((digest, session)))
}

fn revoke_some(txn: &mut Txn<'_>, user: Option<UserId>, but: Option<SessionId>) -> Result<usize> {
    let mut ending = match user {
        Some(user) => txn.sessions_of(user)?,
        None => txn.all_sessions(but, AT_ONCE)?,
    };
    ending.retain(|(_, session)| Some(session.id()) != but);
    for (digest, session) in &ending {
        txn.end_session(digest, session)?;
    }
    Ok(ending.len())
}

fn rotate(
    txn: &mut Txn<'_>,
    shown: TokenDigest,
    access: &TokenDigest,
    next: Program,
    now: Timestamp,
) -> Result<Rotated> {
    let Some(digest) = txn.family(&next.family)? else { return Ok(Rotated::Gone) };
    let Some(session) = txn.session(&digest)? else { return Ok(Rotated::Gone) };
    let is_unused = session.program().is_some_and(|program| program.refresh == shown);
    let user = txn.user(session.user())?.filter(|user| !user.disabled);
    if user.is_none() || !session.is_live(now, session.last_seen_at()) {
        return Ok(Rotated::Gone);
    }
    txn.end_session(&digest, &session)?;
    if !is_unused {
        return Ok(Rotated::Reused(session.user(), session.id()));
    }
    let mut session = session.of_program(next);
    session.seen(now);
    txn.put_session(access, &session)?;
    Ok(Rotated::Done)
}

fn renew(
    txn: &mut Txn<'_>,
    digest: &TokenDigest,
    next: &TokenDigest,
    spent: Spent,
    now: Timestamp,
) -> Result<Option<Session>> {
    let Some(session) = txn.session(digest)? else { return Ok(None) };
    if !session.admits(now, session.last_seen_at()) || session.program().is_some() {
        return Ok(None);
    }
    let Some(renewed) = session.clone().with_factor(spent, now) else { return Ok(None) };
    txn.end_session(digest, &session)?;
    txn.put_session(next, &renewed)?;
    Ok(Some(renewed))
}

fn touch(txn: &mut Txn<'_>, seen: &[(TokenDigest, Timestamp)]) -> Result<()> {
    for (digest, at) in seen {
        if let Some(mut session) = txn.session(digest)? {
            session.seen(*at);
            txn.rewrite_session(digest, &session)?;
        }
    }
    Ok(())
}

#[async_trait]
impl Sessions for KvStore {
    async fn session(&self, digest: TokenDigest) -> Result<Option<(Session, User)>> {
        self.read(move |view| with_person(view, &digest)).await
    }

    async fn session_named(&self, id: SessionId) -> Result<Option<(Session, User)>> {
        self.read(move |view| match view.session_digest(id)? {
            Some(digest) => with_person(view, &digest),
            None => Ok(None),
        })
        .await
    }

    async fn family(&self, family: TokenDigest) -> Result<Option<SessionId>> {
        self.read(move |view| {
            let Some(digest) = view.family(&family)? else { return Ok(None) };
            Ok(view.session(&digest)?.map(|session| session.id()))
        })
        .await
    }

    async fn sessions(&self, user: Option<UserId>) -> Result<Vec<StoredSession>> {
        self.read(move |view| match user {
            Some(user) => view.sessions_of(user),
            None => view.all_sessions(None, usize::MAX),
        })
        .await
    }

    async fn revoke(&self, id: SessionId) -> Result<Option<StoredSession>> {
        self.writer.submit(move |txn| revoke(txn, id)).await
    }

    /// A person's sessions end together; everyone's end by the thousand.
    async fn revoke_all(&self, user: Option<UserId>, but: Option<SessionId>) -> Result<usize> {
        let mut ended = 0;
        loop {
            let some = self.writer.submit(move |txn| revoke_some(txn, user, but)).await?;
            ended += some;
            if user.is_some() || some == 0 {
                return Ok(ended);
            }
        }
    }

    async fn renew(
        &self,
        session: TokenDigest,
        next: TokenDigest,
        spent: Spent,
        now: Timestamp,
    ) -> Result<Option<Session>> {
        self.writer.submit(move |txn| renew(txn, &session, &next, spent, now)).await
    }

    async fn rotate(
        &self,
        shown: TokenDigest,
        access: TokenDigest,
        next: Program,
        now: Timestamp,
    ) -> Result<Rotated> {
        self.writer.submit(move |txn| rotate(txn, shown, &access, next, now)).await
    }

    async fn touch(&self, seen: Vec<(TokenDigest, Timestamp)>) -> Result<()> {
        self.writer.submit_lazily(move |txn| touch(txn, &seen)).await
    }
}
