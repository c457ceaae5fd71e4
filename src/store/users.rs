//! The verbs for people. Names are one namespace: nobody's username is somebody else's e-mail
//! address, so that what is typed at sign-in names one person at most.

use super::kv::Rows as _;
use super::tables::Tables as _;
use super::txn::{Txn, unreadable};
use super::verbs::KvStore;
use super::{Added, Changed, Result, Standing, Users, layout};
use crate::crypto::RecoverySet;
use crate::domain::{AuditEvent, Occasion, User, UserChange};
use crate::types::{Login, UserId};
use async_trait::async_trait;

/// What a run of changes made of a record.
pub(super) struct Applied {
    pub(super) user: User,
    pub(super) ends_sessions: bool,
    /// The second factor went with the changes, and so must what belongs to it.
    pub(super) lost_second_factor: bool,
}

/// Applies changes to a record, in order.
pub(super) fn apply(mut user: User, changes: impl IntoIterator<Item = UserChange>) -> Applied {
    let (mut ends_sessions, mut lost_second_factor) = (false, false);
    for change in changes {
        lost_second_factor = match change {
            UserChange::NoSecondFactor | UserChange::SecondFactorOff => true,
            UserChange::Totp(_) => false,
            _ => lost_second_factor,
        };
        ends_sessions |= user.apply(change);
    }
    Applied { user, ends_sessions, lost_second_factor }
}

/// Whether one of a record's names is somebody else's.
pub(super) fn names_are_taken(txn: &Txn<'_>, user: &User) -> Result<bool> {
    if txn.is_taken(user.username.as_str(), user.id)? {
        return Ok(true);
    }
    user.email.as_ref().map_or(Ok(false), |email| txn.is_taken(email.as_str(), user.id))
}

fn add(
    txn: &mut Txn<'_>,
    user: &User,
    recovery: Option<&RecoverySet>,
    on: Occasion,
) -> Result<Added> {
    if txn.user(user.id)?.is_some() || names_are_taken(txn, user)? {
        return Ok(Added::NameTaken);
    }
    txn.put_user(user, None)?;
    if let Some(set) = recovery {
        txn.put_recovery(user.id, set)?;
    }
    txn.tell(AuditEvent::added(user, on.by), on)?;
    Ok(Added::Done)
}

type ChangeOutcome = Option<std::result::Result<Changed, Added>>;

fn change(
    txn: &mut Txn<'_>,
    id: UserId,
    changes: Vec<UserChange>,
    on: Occasion,
) -> Result<ChangeOutcome> {
    let Some(before) = txn.user(id)? else { return Ok(None) };
    let mut told: Vec<_> = changes.iter().filter_map(|one| AuditEvent::changed(id, one)).collect();
    told.dedup();
    let after = apply(before.clone(), changes);
    if names_are_taken(txn, &after.user)? {
        return Ok(Some(Err(Added::NameTaken)));
    }
    let sessions_ended = if after.ends_sessions { txn.end_sessions(id, None)? } else { 0 };
    if after.lost_second_factor {
        txn.forget_second_factor(id);
    }
    txn.put_user(&after.user, Some(&before))?;
    told.into_iter().try_for_each(|event| txn.tell(event, on))?;
    Ok(Some(Ok(Changed { user: after.user, sessions_ended })))
}

#[async_trait]
impl Users for KvStore {
    async fn user(&self, id: UserId) -> Result<Option<User>> {
        self.read(move |view| view.user(id)).await
    }

    async fn find_user(&self, login: &Login) -> Result<Option<User>> {
        let login = login.clone();
        self.read(move |view| match view.named(login.as_str())? {
            Some(id) => view.user(id),
            None => Ok(None),
        })
        .await
    }

    async fn users(&self) -> Result<Vec<User>> {
        self.read(|view| {
            let mut ids = Vec::new();
            view.scan(&[layout::USERNAME], &mut |_, id| {
                let bytes = id.try_into().map_err(|_| unreadable("a name's row"))?;
                ids.push(UserId::from_bytes(bytes));
                Ok(true)
            })?;
            ids.into_iter().filter_map(|id| view.user(id).transpose()).collect()
        })
        .await
    }

    async fn is_empty(&self) -> Result<bool> {
        self.read(|view| Ok(!view.has_users()?)).await
    }

    async fn add_user(
        &self,
        user: User,
        recovery: Option<RecoverySet>,
        on: Occasion,
    ) -> Result<Added> {
        self.writer.submit(move |txn| add(txn, &user, recovery.as_ref(), on)).await
    }

    async fn change_user(
        &self,
        id: UserId,
        changes: Vec<UserChange>,
        on: Occasion,
    ) -> Result<ChangeOutcome> {
        self.writer.submit(move |txn| change(txn, id, changes, on)).await
    }

    async fn remove_user(
        &self,
        id: UserId,
        counters: [u8; 16],
        on: Occasion,
    ) -> Result<Option<User>> {
        self.writer
            .submit(move |txn| {
                let Some(user) = txn.user(id)? else { return Ok(None) };
                txn.remove_user(&user)?;
                txn.forget_failures(&counters)?;
                let name = user.username.clone();
                txn.tell(AuditEvent::UserRemoved { user: id, name }, on)?;
                Ok(Some(user))
            })
            .await
    }

    async fn standings(&self, of: Vec<(UserId, [u8; 32])>) -> Result<Vec<Standing>> {
        self.read(move |view| {
            let standing = |(id, key): &(UserId, [u8; 32])| {
                let codes_left = view.recovery(*id)?.map_or(0, |set| set.digests.len());
                Ok(Standing { codes_left, failures: view.failures(key)? })
            };
            of.iter().map(standing).collect()
        })
        .await
    }

    async fn recovery_set(&self, id: UserId) -> Result<Option<RecoverySet>> {
        self.read(move |view| view.recovery(id)).await
    }

    async fn last_totp_step(&self, id: UserId) -> Result<Option<u64>> {
        self.read(move |view| view.totp_step(id)).await
    }
}
