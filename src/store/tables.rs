//! Rows as what they mean: people, sessions, sign-ins under way, links, and what belongs to them.
//!
//! [`Tables`] reads, from the engine or from a round under way; [`Txn`] writes, and keeps each
//! row together with its index rows. The verbs use these and never a key of their own.

use super::kv::{Rows as _, Sealing};
use super::layout;
use super::records::{self, AwaitedRecord, HandoverRecord, PendingRecord, Seal, UserRecord};
use super::txn::{Txn, unreadable};
use super::{Awaited, Recognised, Result, StoredSession};
use crate::crypto::{RecoveryCode, RecoverySet};
use crate::domain::{
    AccessToken, Failures, KnownBrowser, Link, LinkPurpose, PendingSignIn, Session, User,
};
use crate::types::{SessionId, Timestamp, TokenDigest, TokenId, UserId};

/// Reading.
pub(super) trait Tables: Sealing {
    fn user(&self, id: UserId) -> Result<Option<User>> {
        let key = layout::user(id);
        let Some(row) = self.get(&key)? else { return Ok(None) };
        let record: UserRecord = records::unpack("a person's record", &row)?;
        record.open(id, Seal { keys: self.keys(), row: &key }).map(Some)
    }

    /// What somebody is called at the moment.
    fn username_of(&self, id: UserId) -> Result<Option<String>> {
        let Some(row) = self.get(&layout::user(id))? else { return Ok(None) };
        let record: UserRecord = records::unpack("a person's record", &row)?;
        Ok(Some(record.username().to_string()))
    }

    /// Usernames and e-mail addresses are one namespace: a text names one person at most.
    fn named(&self, name: &str) -> Result<Option<UserId>> {
        for key in [layout::username(name), layout::email(name)] {
            if let Some(row) = self.get(&key)? {
                let bytes = row.as_slice().try_into().map_err(|_| unreadable("a name's row"))?;
                return Ok(Some(UserId::from_bytes(bytes)));
            }
        }
        Ok(None)
    }

    /// Whether this name is somebody else's.
    fn is_taken(&self, name: &str, by: UserId) -> Result<bool> {
        Ok(self.named(name)?.is_some_and(|holder| holder != by))
    }

    fn has_users(&self) -> Result<bool> {
        let mut found = false;
        self.scan(&[layout::USER], &mut |_, _| {
            found = true;
            Ok(false)
        })?;
        Ok(found)
    }

    fn totp_step(&self, id: UserId) -> Result<Option<u64>> {
        let row = self.get(&layout::totp_step(id))?;
        row.map(|row| records::unpack("a used TOTP step", &row)).transpose()
    }

    fn recovery(&self, id: UserId) -> Result<Option<RecoverySet>> {
        let row = self.get(&layout::recovery(id))?;
        row.map(|row| records::unpack("a set of recovery codes", &row)).transpose()
    }

    fn failures(&self, key: &[u8; 32]) -> Result<Option<Failures>> {
        let row = self.get(&layout::failures(key))?;
        row.map(|row| records::unpack_until("a failure counter", &row)).transpose()
    }

    fn session(&self, digest: &TokenDigest) -> Result<Option<Session>> {
        let row = self.get(&layout::session(digest))?;
        row.map(|row| records::unpack_until("a session", &row)).transpose()
    }

    fn session_digest(&self, id: SessionId) -> Result<Option<TokenDigest>> {
        let row = self.get(&layout::session_id(id))?;
        row.map(|row| layout::last_digest(&row).ok_or_else(|| unreadable("a session id's row")))
            .transpose()
    }

    fn sessions_of(&self, user: UserId) -> Result<Vec<StoredSession>> {
        let mut sessions = Vec::new();
        for digest in self.owned(user, layout::SESSION)? {
            if let Some(session) = self.session(&digest)? {
                sessions.push((digest, session));
            }
        }
        Ok(sessions)
    }

    /// Everyone's sessions, `most` at the most.
    fn all_sessions(&self, most: usize) -> Result<Vec<StoredSession>> {
        let mut sessions = Vec::new();
        self.scan(&[layout::SESSION], &mut |key, row| {
            let digest = layout::last_digest(key).ok_or_else(|| unreadable("a session's key"))?;
            sessions.push((digest, records::unpack_until("a session", row)?));
            Ok(sessions.len() < most)
        })?;
        Ok(sessions)
    }

    fn pending(&self, digest: &TokenDigest) -> Result<Option<PendingSignIn>> {
        let key = layout::pending(digest);
        let Some(row) = self.get(&key)? else { return Ok(None) };
        let record: PendingRecord = records::unpack_until("a sign-in under way", &row)?;
        record.open(Seal { keys: self.keys(), row: &key }).map(Some)
    }

    fn link(&self, digest: &TokenDigest) -> Result<Option<Link>> {
        let row = self.get(&layout::link(digest))?;
        row.map(|row| records::unpack_until("a link", &row)).transpose()
    }

    fn token(&self, digest: &TokenDigest) -> Result<Option<AccessToken>> {
        let row = self.get(&layout::token(digest))?;
        row.map(|row| records::unpack_until("an access token", &row)).transpose()
    }

    fn token_digest(&self, id: TokenId) -> Result<Option<TokenDigest>> {
        let row = self.get(&layout::token_id(id))?;
        row.map(|row| layout::last_digest(&row).ok_or_else(|| unreadable("a token id's row")))
            .transpose()
    }

    /// A person's access tokens, or everyone's.
    fn tokens(&self, user: Option<UserId>) -> Result<Vec<AccessToken>> {
        let mut tokens = Vec::new();
        if let Some(user) = user {
            for digest in self.owned(user, layout::TOKEN)? {
                tokens.extend(self.token(&digest)?);
            }
            return Ok(tokens);
        }
        self.scan(&[layout::TOKEN], &mut |_, row| {
            tokens.push(records::unpack_until("an access token", row)?);
            Ok(true)
        })?;
        Ok(tokens)
    }

    fn browser(&self, digest: &TokenDigest) -> Result<Option<KnownBrowser>> {
        let row = self.get(&layout::browser(digest))?;
        row.map(|row| records::unpack_until("a known browser", &row)).transpose()
    }

    /// The secret a session waits to confirm.
    fn awaited(&self, session: &TokenDigest) -> Result<Option<Awaited>> {
        let key = layout::enrolment(session);
        let Some(row) = self.get(&key)? else { return Ok(None) };
        let record: AwaitedRecord = records::unpack("a secret to be confirmed", &row)?;
        record.open(Seal { keys: self.keys(), row: &key }).map(Some)
    }

    /// Under which digest a family's session is.
    fn family(&self, family: &TokenDigest) -> Result<Option<TokenDigest>> {
        let row = self.get(&layout::family(family))?;
        row.map(|row| layout::last_digest(&row).ok_or_else(|| unreadable("a token family's row")))
            .transpose()
    }

    /// The digests of what a person owns of one kind.
    fn owned(&self, user: UserId, kind: u8) -> Result<Vec<TokenDigest>> {
        let mut digests = Vec::new();
        self.scan(&layout::owned(user, kind), &mut |key, row| {
            // A link's digest is the value, since the kind is the key.
            let digest = if kind == layout::LINK {
                layout::last_digest(row)
            } else {
                layout::last_digest(key)
            };
            digests.push(digest.ok_or_else(|| unreadable("a row of what somebody owns"))?);
            Ok(true)
        })?;
        Ok(digests)
    }
}

impl<S: Sealing + ?Sized> Tables for S {}

/// Writing.
impl Txn<'_> {
    /// Writes a person's record and its names, in place of `before`, the record it replaces.
    pub(super) fn put_user(&mut self, user: &User, before: Option<&User>) -> Result<()> {
        let key = layout::user(user.id);
        let record = UserRecord::of(user, Seal { keys: self.keys(), row: &key })?;
        let row = records::pack(&record)?;
        self.put(key, row);
        if let Some(before) = before {
            self.remove_names(before);
            self.void_links(user, before)?;
        }
        self.put(layout::username(user.username.as_str()), user.id.as_bytes().to_vec());
        if let Some(email) = &user.email {
            self.put(layout::email(email.as_str()), user.id.as_bytes().to_vec());
        }
        Ok(())
    }

    /// Ends the links whose reason has gone with a change: a password was chosen or voided, a
    /// second factor enrolled or taken away, or the person is kept out.
    fn void_links(&mut self, user: &User, before: &User) -> Result<()> {
        let password = user.password != before.password;
        let factor = user.totp.is_some() != before.totp.is_some()
            || user.enrol_by_link != before.enrol_by_link;
        let kinds = [(password, LinkPurpose::NewPassword), (factor, LinkPurpose::NewSecondFactor)];
        for (_, purpose) in kinds.into_iter().filter(|(stale, _)| *stale || user.disabled) {
            let place = layout::owned_link(Some(user.id), purpose);
            if let Some(digest) = self.get(&place)?.as_deref().and_then(layout::last_digest) {
                self.remove_link(&digest)?;
            }
        }
        Ok(())
    }

    fn remove_names(&mut self, user: &User) {
        self.remove(layout::username(user.username.as_str()));
        if let Some(email) = &user.email {
            self.remove(layout::email(email.as_str()));
        }
    }

    /// Removes a person with everything that is theirs.
    pub(super) fn remove_user(&mut self, user: &User) -> Result<()> {
        self.end_sessions(user.id, None)?;
        for digest in self.owned(user.id, layout::PENDING)? {
            self.remove_pending(&digest)?;
        }
        for digest in self.owned(user.id, layout::LINK)? {
            self.remove_link(&digest)?;
        }
        for digest in self.owned(user.id, layout::TOKEN)? {
            self.remove_token(&digest)?;
        }
        self.remove_names(user);
        self.forget_second_factor(user.id);
        self.remove(layout::user(user.id));
        Ok(())
    }

    pub(super) fn put_totp_step(&mut self, id: UserId, step: u64) -> Result<()> {
        self.put(layout::totp_step(id), records::pack(&step)?);
        Ok(())
    }

    pub(super) fn put_recovery(&mut self, id: UserId, set: &RecoverySet) -> Result<()> {
        self.put(layout::recovery(id), records::pack(set)?);
        Ok(())
    }

    /// What goes with a second factor that is no longer one.
    pub(super) fn forget_second_factor(&mut self, id: UserId) {
        self.remove(layout::totp_step(id));
        self.remove(layout::recovery(id));
    }

    pub(super) fn put_failures(&mut self, key: &[u8; 32], failures: &Failures) -> Result<()> {
        self.put_until(layout::failures(key), failures.forgotten_at(), failures)
    }

    pub(super) fn remove_failures(&mut self, key: &[u8; 32]) -> Result<()> {
        self.remove_until(layout::failures(key))
    }

    /// Forgets every counter whose key begins so; whether there was any.
    pub(super) fn forget_failures(&mut self, beginning: &[u8; 16]) -> Result<bool> {
        let mut keys = Vec::new();
        self.scan(&layout::failures_of(beginning), &mut |key, _| {
            keys.push(key.to_vec());
            Ok(true)
        })?;
        let was_any = !keys.is_empty();
        keys.into_iter().try_for_each(|key| self.remove_until(key))?;
        Ok(was_any)
    }

    pub(super) fn put_session(&mut self, digest: &TokenDigest, session: &Session) -> Result<()> {
        self.put(layout::session_id(session.id()), digest.as_bytes().to_vec());
        self.put(layout::owned_one(session.user(), layout::SESSION, digest), Vec::new());
        if let Some(program) = session.program() {
            self.put(layout::family(&program.family), digest.as_bytes().to_vec());
        }
        self.rewrite_session(digest, session)
    }

    /// Writes a session that is there already, and whose names stay.
    pub(super) fn rewrite_session(
        &mut self,
        digest: &TokenDigest,
        session: &Session,
    ) -> Result<()> {
        self.put_until(layout::session(digest), session.ends_at(), session)
    }

    /// Ends a session. Codes that it was to show and did not go with it.
    pub(super) fn end_session(&mut self, digest: &TokenDigest, session: &Session) -> Result<()> {
        self.remove(layout::session_id(session.id()));
        self.remove(layout::owned_one(session.user(), layout::SESSION, digest));
        if let Some(program) = session.program() {
            self.remove(layout::family(&program.family));
        }
        self.take_handover(digest)?;
        self.remove(layout::enrolment(digest));
        self.remove_until(layout::session(digest))
    }

    /// Ends a person's sessions, but perhaps one; how many.
    pub(super) fn end_sessions(&mut self, user: UserId, but: Option<SessionId>) -> Result<usize> {
        let mut sessions = self.sessions_of(user)?;
        sessions.retain(|(_, session)| Some(session.id()) != but);
        for (digest, session) in &sessions {
            self.end_session(digest, session)?;
        }
        Ok(sessions.len())
    }

    pub(super) fn put_handover(&mut self, of: &TokenDigest, codes: &[RecoveryCode]) -> Result<()> {
        if codes.is_empty() {
            return Ok(());
        }
        let key = layout::handover(of);
        let record = HandoverRecord::of(codes, Seal { keys: self.keys(), row: &key })?;
        let row = records::pack(&record)?;
        self.put(key, row);
        Ok(())
    }

    /// Takes away what a session was to show.
    pub(super) fn take_handover(&mut self, of: &TokenDigest) -> Result<Option<HandoverRecord>> {
        let key = layout::handover(of);
        let Some(row) = self.get(&key)? else { return Ok(None) };
        self.remove(key);
        records::unpack("a list of recovery codes", &row).map(Some)
    }

    pub(super) fn open_handover(
        &self,
        of: &TokenDigest,
        record: &HandoverRecord,
    ) -> Result<Vec<RecoveryCode>> {
        record.open(Seal { keys: self.keys(), row: &layout::handover(of) })
    }

    pub(super) fn put_awaited(&mut self, session: &TokenDigest, awaited: &Awaited) -> Result<()> {
        let key = layout::enrolment(session);
        let record = AwaitedRecord::of(awaited, Seal { keys: self.keys(), row: &key })?;
        let row = records::pack(&record)?;
        self.put(key, row);
        Ok(())
    }

    pub(super) fn remove_awaited(&mut self, session: &TokenDigest) {
        self.remove(layout::enrolment(session));
    }

    pub(super) fn put_token(&mut self, digest: &TokenDigest, token: &AccessToken) -> Result<()> {
        self.put(layout::token_id(token.id), digest.as_bytes().to_vec());
        self.put(layout::owned_one(token.user, layout::TOKEN, digest), Vec::new());
        self.put_until(layout::token(digest), token.expires_at, token)
    }

    pub(super) fn remove_token(&mut self, digest: &TokenDigest) -> Result<()> {
        if let Some(token) = self.token(digest)? {
            self.remove(layout::token_id(token.id));
            self.remove(layout::owned_one(token.user, layout::TOKEN, digest));
        }
        self.remove_until(layout::token(digest))
    }

    /// Notes that somebody has signed in with a browser.
    pub(super) fn put_browser(
        &mut self,
        browser: Recognised,
        user: &User,
        now: Timestamp,
    ) -> Result<()> {
        let mut known = None;
        if let Some(before) = browser.before {
            known = self.browser(&before)?.filter(|known| now < known.expires_at());
            self.remove_until(layout::browser(&before))?;
        }
        let known = KnownBrowser::after(known, user.id, user.credentials, now);
        self.put_until(layout::browser(&browser.after), known.expires_at(), &known)
    }

    pub(super) fn put_pending(
        &mut self,
        digest: &TokenDigest,
        pending: &PendingSignIn,
    ) -> Result<()> {
        let key = layout::pending(digest);
        let record = PendingRecord::of(pending, Seal { keys: self.keys(), row: &key })?;
        self.put(layout::owned_one(pending.user(), layout::PENDING, digest), Vec::new());
        self.put_until(key, pending.expires_at(), &record)
    }

    pub(super) fn remove_pending(&mut self, digest: &TokenDigest) -> Result<()> {
        if let Some(pending) = self.pending(digest)? {
            self.remove(layout::owned_one(pending.user(), layout::PENDING, digest));
        }
        self.remove_until(layout::pending(digest))
    }

    /// Keeps a link, in place of an earlier one of the same kind for the same person.
    pub(super) fn put_link(&mut self, digest: &TokenDigest, link: &Link) -> Result<()> {
        let place = layout::owned_link(link.user, link.purpose);
        if let Some(earlier) = self.get(&place)?.as_deref().and_then(layout::last_digest) {
            self.remove_link(&earlier)?;
        }
        self.put(place, digest.as_bytes().to_vec());
        self.put_until(layout::link(digest), link.expires_at, link)
    }

    pub(super) fn remove_link(&mut self, digest: &TokenDigest) -> Result<()> {
        if let Some(link) = self.link(digest)? {
            self.remove(layout::owned_link(link.user, link.purpose));
        }
        self.remove_until(layout::link(digest))
    }

    /// Moves a row to its right place in the expiry index.
    pub(super) fn move_due(&mut self, key: Vec<u8>, from: Timestamp, to: Timestamp) -> Result<()> {
        if let Some(row) = self.get(&key)? {
            let moved = records::with_due(&row, to)?;
            self.remove(layout::expiry(from, &key));
            self.put(layout::expiry(to, &key), Vec::new());
            self.put(key, moved);
        }
        Ok(())
    }
}
