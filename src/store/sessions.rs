//! The verbs for sessions. Ending one takes all its rows with it, and it is gone for every reader
//! when the verb returns.

use super::kv::View;
use super::tables::Tables as _;
use super::txn::Txn;
use super::verbs::KvStore;
use super::{Result, Rotated, Sessions, StoredSession};
use crate::domain::{AuditEvent, Occasion, Program, Session, Spent, User};
use crate::types::{SessionId, Timestamp, TokenDigest, UserId};
use async_trait::async_trait;

/// Sessions that one job ends where everyone's are to end: a batch that fits into memory.
const AT_ONCE: usize = 1000;

fn with_person(view: &View<'_>, digest: &TokenDigest) -> Result<Option<(Session, User)>> {
    let Some(session) = view.session(digest)? else { return Ok(None) };
    let user = view.user(session.user())?.filter(|user| !user.disabled);
    Ok(user.map(|user| (session, user)))
}

/// Ends a session, of which this is told.
fn end(
    txn: &mut Txn<'_>,
    id: SessionId,
    event: fn(&Session) -> AuditEvent,
    on: Occasion,
) -> Result<Option<StoredSession>> {
    let Some(digest) = txn.session_digest(id)? else { return Ok(None) };
    let Some(session) = txn.session(&digest)? else { return Ok(None) };
    txn.end_session(&digest, &session)?;
    txn.tell(event(&session), on)?;
    Ok(Some((digest, session)))
}

fn revoke_some(txn: &mut Txn<'_>, user: Option<UserId>, on: Occasion) -> Result<usize> {
    let ending = match user {
        Some(user) => txn.sessions_of(user)?,
        None => txn.all_sessions(AT_ONCE)?,
    };
    for (digest, session) in &ending {
        txn.end_session(digest, session)?;
    }
    let count = ending.len();
    if count > 0 {
        txn.tell(AuditEvent::SessionsRevoked { user, count }, on)?;
    }
    Ok(count)
}

fn rotate(
    txn: &mut Txn<'_>,
    shown: TokenDigest,
    access: &TokenDigest,
    next: Program,
    on: Occasion,
) -> Result<Rotated> {
    let Some(digest) = txn.family(&next.family)? else { return Ok(Rotated::Gone) };
    let Some(session) = txn.session(&digest)? else { return Ok(Rotated::Gone) };
    let is_unused = session.program().is_some_and(|program| program.refresh == shown);
    let user = txn.user(session.user())?.filter(|user| !user.disabled);
    if user.is_none() || !session.is_live(on.at, session.last_seen_at()) {
        return Ok(Rotated::Gone);
    }
    txn.end_session(&digest, &session)?;
    if !is_unused {
        let (user, session) = (session.user(), session.id());
        txn.tell(AuditEvent::RefreshReused { user, session }, on)?;
        return Ok(Rotated::Reused(session));
    }
    let mut session = session.of_program(next);
    session.seen(on.at);
    txn.put_session(access, &session)?;
    Ok(Rotated::Done)
}

fn renew(
    txn: &mut Txn<'_>,
    digest: &TokenDigest,
    next: &TokenDigest,
    spent: Spent,
    on: Occasion,
) -> Result<Option<Session>> {
    let Some(session) = txn.session(digest)? else { return Ok(None) };
    if !session.admits(on.at, session.last_seen_at()) || session.program().is_some() {
        return Ok(None);
    }
    let Some(renewed) = session.clone().with_factor(spent, on.at) else { return Ok(None) };
    txn.end_session(digest, &session)?;
    txn.put_session(next, &renewed)?;
    let (user, session) = (session.user(), session.id());
    txn.tell(AuditEvent::FactorShown { user, session }, on)?;
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
            None => view.all_sessions(usize::MAX),
        })
        .await
    }

    async fn sign_out(&self, id: SessionId, on: Occasion) -> Result<Option<StoredSession>> {
        let event = |session: &Session| {
            let (user, session) = (session.user(), session.id());
            AuditEvent::SignedOut { user, session }
        };
        self.writer.submit(move |txn| end(txn, id, event, on)).await
    }

    async fn revoke(&self, id: SessionId, on: Occasion) -> Result<Option<StoredSession>> {
        let event = |session: &Session| {
            let user = Some(session.user());
            AuditEvent::SessionsRevoked { user, count: 1 }
        };
        self.writer.submit(move |txn| end(txn, id, event, on)).await
    }

    /// A person's sessions end together; everyone's end by the thousand, each told by itself.
    async fn revoke_all(&self, user: Option<UserId>, on: Occasion) -> Result<usize> {
        let mut ended = 0;
        loop {
            let some = self.writer.submit(move |txn| revoke_some(txn, user, on)).await?;
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
        on: Occasion,
    ) -> Result<Option<Session>> {
        self.writer.submit(move |txn| renew(txn, &session, &next, spent, on)).await
    }

    async fn rotate(
        &self,
        shown: TokenDigest,
        access: TokenDigest,
        next: Program,
        on: Occasion,
    ) -> Result<Rotated> {
        self.writer.submit(move |txn| rotate(txn, shown, &access, next, on)).await
    }

    async fn touch(&self, seen: Vec<(TokenDigest, Timestamp)>) -> Result<()> {
        self.writer.submit_lazily(move |txn| touch(txn, &seen)).await
    }
}
