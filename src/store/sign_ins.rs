//! The verbs for everything that works once.
//!
//! Each judges and uses up in one job of the writer, so that of any number of parallel tries one
//! finds the thing there and all others find it gone. [`Spent`], the proof that a code was used
//! up, is made here and nowhere else, after the writer has said that it is on the disk.

use super::tables::Tables as _;
use super::txn::Txn;
use super::users::{apply, names_are_taken};
use super::verbs::KvStore;
use super::{Awaited, Effect, OneTime, Onward, Result, SignIns, Step, Stepped};
use crate::crypto::{CodeMatched, RecoveryCode, RecoveryDigest, RecoverySet};
use crate::domain::{
    AuditEvent, KnownBrowser, Link, Occasion, PendingSignIn, SecondFactor, Spent, User, UserChange,
};
use crate::types::{Timestamp, TokenDigest, UserId};
use async_trait::async_trait;

/// What a step comes to, found out before anything of it is written.
struct Outcome {
    before: Option<User>,
    after: User,
    is_changed: bool,
    ends_sessions: bool,
    lost_second_factor: bool,
    totp_step: Option<u64>,
    recovery: Option<RecoverySet>,
}

/// Whether what the step uses up is there, in time, and this person's.
fn may_consume(txn: &Txn<'_>, step: &Step) -> Result<bool> {
    Ok(match &step.consumes {
        None => true,
        Some(OneTime::Pending(digest)) => txn.pending(digest)?.is_some_and(|pending| {
            pending.user() == step.user
                && pending.credentials() == step.credentials
                && step.on.at < pending.expires_at()
        }),
        Some(OneTime::Link(digest)) => txn.link(digest)?.is_some_and(|link| {
            // A link for nobody yet is good for making the first person and for nothing else.
            let first = step.effects.iter().any(|effect| matches!(effect, Effect::FirstUser(_)));
            let is_theirs = link.user.map_or(first, |user| user == step.user);
            is_theirs && step.on.at < link.expires_at
        }),
        Some(OneTime::Enrolment(session)) => {
            let is_in_time = txn.awaited(session)?.is_some_and(|awaited| {
                awaited.credentials == step.credentials && step.on.at < awaited.until
            });
            let found = txn.session(session)?;
            is_in_time && found.is_some_and(|session| session.user() == step.user)
        }
    })
}

/// Whether what the step leaves is this person's as well.
fn leads_on_for(txn: &Txn<'_>, user: UserId, onward: &Onward) -> Result<bool> {
    Ok(match onward {
        Onward::Pending(_, pending) => pending.user() == user,
        Onward::Session(_, session, _) => session.user() == user,
        Onward::Same(id) => match txn.session_digest(*id)? {
            Some(digest) => txn.session(&digest)?.is_some_and(|session| session.user() == user),
            None => false,
        },
    })
}

/// Judges a step, and works out what it comes to.
fn judge(txn: &Txn<'_>, step: &mut Step) -> Result<std::result::Result<Outcome, Stepped>> {
    if !may_consume(txn, step)? || !leads_on_for(txn, step.user, &step.onward)? {
        return Ok(Err(Stepped::Void));
    }
    let before = txn.user(step.user)?;
    let mut effects = std::mem::take(&mut step.effects).into_iter().peekable();
    let start = match effects.next_if(|effect| matches!(effect, Effect::FirstUser(_))) {
        Some(Effect::FirstUser(user)) => {
            if txn.has_users()? || user.id != step.user {
                return Ok(Err(Stepped::Refused));
            }
            user
        }
        _ => match &before {
            Some(user) if !user.disabled && user.credentials == step.credentials => user.clone(),
            _ => return Ok(Err(Stepped::Void)),
        },
    };
    let mut changes = Vec::new();
    let (mut totp_step, mut recovery) = (None, None);
    for effect in effects {
        match effect {
            Effect::FirstUser(_) => return Ok(Err(Stepped::Refused)),
            Effect::Change(change) => changes.push(change),
            Effect::Enrol { factor, step, recovery: codes } => {
                changes.push(UserChange::Totp(factor));
                (totp_step, recovery) = (Some(step), Some(codes));
            }
            Effect::Recovery(codes) => recovery = Some(codes),
        }
    }
    let is_changed = before.is_none() || !changes.is_empty();
    let applied = apply(start, changes);
    if names_are_taken(txn, &applied.user)? {
        return Ok(Err(Stepped::Refused));
    }
    Ok(Ok(Outcome {
        before,
        after: applied.user,
        is_changed,
        ends_sessions: applied.ends_sessions,
        lost_second_factor: applied.lost_second_factor,
        totp_step,
        recovery,
    }))
}

impl Step {
    /// What the trail has of it once it is taken: what it used up, what it changed, where it led.
    fn tells(&self) -> Vec<AuditEvent> {
        let user = self.user;
        let link = match self.consumes {
            Some(OneTime::Link(_)) => Some(AuditEvent::LinkUsed { user }),
            Some(OneTime::Pending(_) | OneTime::Enrolment(_)) | None => None,
        };
        let changed = self.effects.iter().filter_map(|effect| match effect {
            Effect::FirstUser(first) => {
                Some(AuditEvent::UserAdded { user, name: first.username.clone() })
            }
            Effect::Recovery(_) => Some(AuditEvent::RecoveryCodesRenewed { user }),
            Effect::Change(change) => AuditEvent::changed(user, change),
            Effect::Enrol { .. } => Some(AuditEvent::Enrolled { user }),
        });
        let led_to = match &self.onward {
            Onward::Session(_, session, _) => Some(AuditEvent::began(session)),
            Onward::Pending(..) | Onward::Same(_) => None,
        };
        link.into_iter().chain(changed).chain(led_to).collect()
    }
}

/// Takes a step as a whole, or not at all.
fn commit(txn: &mut Txn<'_>, mut step: Step) -> Result<Stepped> {
    let told = step.tells();
    let outcome = match judge(txn, &mut step)? {
        Ok(outcome) => outcome,
        Err(not_taken) => return Ok(not_taken),
    };
    match &step.consumes {
        Some(OneTime::Pending(digest)) => txn.remove_pending(digest)?,
        Some(OneTime::Link(digest)) => txn.remove_link(digest)?,
        Some(OneTime::Enrolment(session)) => txn.remove_awaited(session),
        None => {}
    }
    if outcome.ends_sessions {
        let stays = if let Onward::Same(id) = step.onward { Some(id) } else { None };
        txn.end_sessions(step.user, stays)?;
    }
    if outcome.lost_second_factor {
        txn.forget_second_factor(step.user);
    }
    if outcome.is_changed {
        txn.put_user(&outcome.after, outcome.before.as_ref())?;
    }
    if let Some(totp_step) = outcome.totp_step {
        txn.put_totp_step(step.user, totp_step)?;
    }
    if let Some(recovery) = &outcome.recovery {
        txn.put_recovery(step.user, recovery)?;
    }
    match step.onward {
        Onward::Pending(digest, mut pending) => {
            pending.renew(&outcome.after);
            txn.put_pending(&digest, &pending)?;
        }
        Onward::Session(digest, session, codes) => {
            txn.put_session(&digest, &session)?;
            txn.put_handover(&digest, &codes)?;
        }
        Onward::Same(_) => {}
    }
    if let Some(browser) = step.browser {
        txn.put_browser(browser, &outcome.after, step.on.at)?;
    }
    if let Some(key) = &step.clears {
        txn.remove_failures(key)?;
    }
    told.into_iter().try_for_each(|event| txn.tell(event, step.on))?;
    Ok(Stepped::Done)
}

fn update_pending(
    txn: &mut Txn<'_>,
    digest: &TokenDigest,
    pending: &PendingSignIn,
) -> Result<bool> {
    let stands = txn.pending(digest)?.is_some_and(|stored| {
        stored.user() == pending.user() && stored.credentials() == pending.credentials()
    });
    if stands {
        txn.put_pending(digest, pending)?;
    }
    Ok(stands)
}

/// Uses up a TOTP step, and with it every earlier one.
fn spend_step(txn: &mut Txn<'_>, user: UserId, step: u64) -> Result<bool> {
    let is_new = txn.totp_step(user)?.is_none_or(|last| last < step);
    if !is_new || txn.user(user)?.is_none() {
        return Ok(false);
    }
    txn.put_totp_step(user, step)?;
    Ok(true)
}

/// Uses up a recovery code; how many are left.
fn spend_code(
    txn: &mut Txn<'_>,
    user: UserId,
    code: &RecoveryDigest,
    on: Occasion,
) -> Result<Option<usize>> {
    let Some(mut set) = txn.recovery(user)? else { return Ok(None) };
    let before = set.digests.len();
    set.digests.retain(|digest| digest != code);
    if set.digests.len() == before {
        return Ok(None);
    }
    txn.put_recovery(user, &set)?;
    let left = set.digests.len();
    txn.tell(AuditEvent::RecoveryCodeUsed { user, left }, on)?;
    Ok(Some(left))
}

fn take_codes(
    txn: &mut Txn<'_>,
    session: &TokenDigest,
    now: Timestamp,
) -> Result<Vec<RecoveryCode>> {
    let live = txn.session(session)?.is_some_and(|found| found.is_live(now, found.last_seen_at()));
    if !live {
        return Ok(Vec::new());
    }
    match txn.take_handover(session)? {
        Some(sealed) => txn.open_handover(session, &sealed),
        None => Ok(Vec::new()),
    }
}

#[async_trait]
impl SignIns for KvStore {
    async fn pending(&self, digest: TokenDigest, now: Timestamp) -> Result<Option<PendingSignIn>> {
        let found = self.read(move |view| view.pending(&digest)).await?;
        Ok(found.filter(|pending| now < pending.expires_at()))
    }

    async fn update_pending(&self, digest: TokenDigest, pending: PendingSignIn) -> Result<bool> {
        self.writer.submit(move |txn| update_pending(txn, &digest, &pending)).await
    }

    async fn commit(&self, step: Step) -> Result<Stepped> {
        self.writer.submit(move |txn| commit(txn, step)).await
    }

    async fn spend_totp_step(&self, matched: CodeMatched) -> Result<Option<Spent>> {
        let (user, step) = (matched.user(), matched.step());
        let spent = self.writer.submit(move |txn| spend_step(txn, user, step)).await?;
        Ok(spent.then(|| Spent::durably(user, SecondFactor::Totp)))
    }

    async fn spend_recovery_code(
        &self,
        user: UserId,
        digest: RecoveryDigest,
        on: Occasion,
    ) -> Result<Option<(Spent, usize)>> {
        let left = self.writer.submit(move |txn| spend_code(txn, user, &digest, on)).await?;
        Ok(left.map(|left| (Spent::durably(user, SecondFactor::Recovery), left)))
    }

    async fn take_recovery_codes(
        &self,
        session: TokenDigest,
        now: Timestamp,
    ) -> Result<Vec<RecoveryCode>> {
        self.writer.submit(move |txn| take_codes(txn, &session, now)).await
    }

    /// A link for somebody who has been removed meanwhile is not kept: it could open nothing.
    async fn add_link(&self, digest: TokenDigest, link: Link) -> Result<()> {
        self.writer
            .submit(move |txn| {
                let is_for_someone = match link.user {
                    Some(user) => txn.user(user)?.is_some(),
                    None => true,
                };
                if is_for_someone { txn.put_link(&digest, &link) } else { Ok(()) }
            })
            .await
    }

    async fn browser(&self, digest: TokenDigest, now: Timestamp) -> Result<Option<KnownBrowser>> {
        let found = self.read(move |view| view.browser(&digest)).await?;
        Ok(found.filter(|known| now < known.expires_at()))
    }

    async fn await_enrolment(&self, session: TokenDigest, awaited: Awaited) -> Result<()> {
        self.writer
            .submit(move |txn| match txn.session(&session)? {
                Some(_) => txn.put_awaited(&session, &awaited),
                // It would be nobody's, and stay for ever.
                None => Ok(()),
            })
            .await
    }

    async fn awaited_enrolment(
        &self,
        session: TokenDigest,
        now: Timestamp,
    ) -> Result<Option<Awaited>> {
        let found = self.read(move |view| view.awaited(&session)).await?;
        Ok(found.filter(|awaited| now < awaited.until))
    }

    async fn link(&self, digest: TokenDigest, now: Timestamp) -> Result<Option<Link>> {
        let found = self.read(move |view| view.link(&digest)).await?;
        Ok(found.filter(|link| now < link.expires_at))
    }
}
