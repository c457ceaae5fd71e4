//! What is done to the store as a whole: copied into a backup, made anew from one, and sealed
//! under another master key.

use super::backup::{Backup, BackupError, BackupSummary, Unread, Writing};
use super::draft::{Draft, Whole};
use super::kv::{Engine as _, Row, Rows, View};
use super::records::{self, Seal, StatementsRecord};
use super::rekey::Rekey;
use super::sled::{Floors, SledEngine};
use super::snapshot::Ending;
use super::tables::Tables as _;
use super::txn::{Txn, unreadable};
use super::verbs::KvStore;
use super::writer::unavailable;
use super::{EarlierStatements, OpenError, Result, StoreError, WholeStore, layout, trail};
use crate::crypto::Keyring;
use crate::domain::{Happening, User};
use crate::types::{Timestamp, UserId};
use async_trait::async_trait;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Rows that are read in one go.
const AT_ONCE: usize = 1000;

/// How long the keys of an earlier master key go on signing statements: apps may have kept for a
/// day what keys there are.
const SIGNS: Duration = Duration::from_secs(24 * 3600);

/// How much longer they are published: longer than a statement is good.
const SHOWN: Duration = Duration::from_secs(24 * 3600);

#[async_trait]
impl WholeStore for KvStore {
    async fn write_backup(&self, made_at: Timestamp, out: Box<dyn Write + Send>) -> Result<u64> {
        let (engine, keys) = (Arc::clone(&self.engine), Arc::clone(&self.keys));
        let snapshot = Arc::clone(&self.snapshot);
        let beginning = Arc::clone(&snapshot);
        if !self.writer.submit(move |_| Ok(beginning.begin())).await? {
            return Err(unavailable("a backup is being made: wait for its end"));
        }
        let copy = move || -> Result<u64> {
            let _ending = Ending(&snapshot);
            let mut writing = Writing::begin(out, &keys, made_at).map_err(unwritten)?;
            while let Some(rows) = snapshot.next(&*engine, AT_ONCE)? {
                for (key, value) in rows.iter().filter(|(key, _)| key != layout::PROGRESS) {
                    writing.row(key, value).map_err(unwritten)?;
                }
            }
            writing.finish().map_err(unwritten)
        };
        let copied = tokio::task::spawn_blocking(copy).await;
        copied.map_err(|_| unavailable("copying failed in the middle"))?
    }

    fn earlier_statements(&self) -> Result<Vec<EarlierStatements>> {
        earlier_statements(&*self.engine, &self.keys)
    }
}

fn unwritten(error: std::io::Error) -> StoreError {
    unavailable(&format!("the backup cannot be written: {error}"))
}

fn earlier_statements(
    rows: &(impl Rows + ?Sized),
    keys: &Keyring,
) -> Result<Vec<EarlierStatements>> {
    let row = layout::STATEMENTS;
    let Some(kept) = rows.get(row)? else { return Ok(Vec::new()) };
    let record: StatementsRecord = records::unpack("earlier signing keys", &kept)?;
    record.open(Seal { keys, row })
}

/// Why one store was not put in the place of another. What was there is as it was.
#[derive(Debug)]
pub enum ReplaceError {
    /// One of the two does not open.
    Open(OpenError),
    /// One of the two does not read or write.
    Store(StoreError),
    /// The backup will not do.
    Backup(BackupError),
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Backup(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReplaceError {}

impl From<OpenError> for ReplaceError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<StoreError> for ReplaceError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<BackupError> for ReplaceError {
    fn from(error: BackupError) -> Self {
        Self::Backup(error)
    }
}

/// What a store is made of anew.
pub struct Restoring<'r, R> {
    /// The backup, to be read twice.
    pub from: R,
    /// What opens the backup.
    pub opens: &'r Keyring,
    /// What the store is sealed with.
    pub seals: &'r Keyring,
    /// How many steps ahead of its clock a person's code is taken.
    pub skew: u8,
    /// That it was restored, for the trail.
    pub happening: Happening,
}

/// What became of a restoring.
#[derive(Debug)]
pub struct Restored {
    /// What the backup held.
    pub held: BackupSummary,
    /// Where the store is now that was there before.
    pub kept: Option<PathBuf>,
    /// Whether that one could be asked what was used up and ended since.
    pub was_asked: bool,
}

/// The store that is there, of which nothing may change meanwhile.
enum Standing {
    Open(Box<SledEngine>),
    /// Damaged, or sealed with a key that is gone.
    Shut(File),
}

impl Standing {
    fn of(path: &Path, keys: &Keyring) -> std::result::Result<Option<Self>, OpenError> {
        if !SledEngine::is_made(path) {
            return Ok(None);
        }
        match SledEngine::open(path, keys, Floors::default()) {
            Ok(engine) => Ok(Some(Self::Open(Box::new(engine)))),
            Err(error @ OpenError::InUse(_)) => Err(error),
            Err(_) => SledEngine::lock(path).map(|lock| Some(Self::Shut(lock))),
        }
    }

    fn engine(&self) -> Option<&SledEngine> {
        match self {
            Self::Open(engine) => Some(engine),
            Self::Shut(_) => None,
        }
    }

    /// Closes it, and keeps others out still.
    fn shut(self) -> std::result::Result<File, OpenError> {
        match self {
            Self::Open(engine) => engine.close(),
            Self::Shut(lock) => Ok(lock),
        }
    }
}

impl KvStore {
    /// Whether there is a store in this folder with anybody in it.
    pub fn is_used(path: &Path, keys: &Keyring) -> std::result::Result<bool, ReplaceError> {
        if !Self::is_made(path) {
            return Ok(false);
        }
        let engine = SledEngine::open(path, keys, Floors::default())?;
        Ok(View { engine: &engine, keys }.has_users()?)
    }

    /// Makes the store in this folder anew from a backup. What works once and was handed out before
    /// is void afterwards: sessions, sign-ins under way, links, and codes of this moment.
    pub fn restore<R: Read + Seek>(
        path: &Path,
        mut with: Restoring<'_, R>,
    ) -> std::result::Result<Restored, ReplaceError> {
        let mut rekey = Rekey::new(with.opens, with.seals);
        let learn = &mut |key: &[u8], _: &[u8]| {
            rekey.learn(key);
            Ok(())
        };
        let held = Backup::begin(&mut with.from)?.each(with.opens, learn)?;
        let standing = Standing::of(path, with.seals)?;
        let engine = standing.as_ref().and_then(Standing::engine);
        let was_asked = engine.is_some();
        let copied = copy(path, &mut with, &rekey, engine);
        let lock = standing.map(Standing::shut).transpose();
        let placed = copied.and_then(|whole| {
            // Held until the other one is in its place.
            let lock = lock?;
            if lock.is_none() {
                return Ok(whole.replace().map(|()| None)?);
            }
            let when = with.happening.on.at.rfc3339().replace([':', '-'], "");
            Ok(whole.replace_keeping(&format!(".before-restore-{when}")).map(Some)?)
        });
        let kept = placed.inspect_err(|_| abandon(path))?;
        Ok(Restored { held, kept, was_asked })
    }

    /// Seals everything in the store anew. At one moment the new key is the one that opens it, and
    /// whatever the old one sealed is removed.
    pub fn rotate(
        path: &Path,
        old: &Keyring,
        new: &Keyring,
        happening: &Happening,
    ) -> std::result::Result<(), ReplaceError> {
        let from = SledEngine::open(path, old, Floors::default())?;
        let rotated = seal_anew(path, &from, (old, new), happening);
        let lock: std::result::Result<File, OpenError> = from.close();
        let placed = rotated.and_then(|whole| {
            let _lock = lock?;
            Ok(whole.replace()?)
        });
        placed.inspect_err(|_| abandon(path))
    }
}

/// What cannot be removed now is removed when the store opens.
fn abandon(path: &Path) {
    let _ = super::draft::clear(path);
}

fn copy<R: Read + Seek>(
    path: &Path,
    with: &mut Restoring<'_, R>,
    rekey: &Rekey<'_>,
    standing: Option<&SledEngine>,
) -> std::result::Result<Whole, ReplaceError> {
    let mut draft = Draft::begin(path, with.seals)?;
    with.from.rewind().map_err(BackupError::Io)?;
    let keep = &mut |key: &[u8], value: &[u8]| {
        if layout::is_fleeting(key) {
            return Ok(());
        }
        match rekey.row(key, value)? {
            Some((key, value)) => draft.put(key, value),
            None => Ok(()),
        }
    };
    Backup::begin(&mut with.from)?.each(with.opens, keep)?;
    draft.finish(|txn| {
        for id in people(txn)? {
            pass_step(txn, id, with.happening.on.at, with.skew)?;
            if let Some(engine) = standing {
                heed(txn, id, &View { engine, keys: with.seals })?;
            }
        }
        trail::append(txn, &with.happening)
    })
}

fn people(rows: &impl Rows) -> Result<Vec<UserId>> {
    let mut ids = Vec::new();
    rows.scan(&[layout::USER], &mut |key, _| {
        let id = key.get(1..).and_then(|id| id.try_into().ok());
        ids.push(UserId::from_bytes(id.ok_or_else(|| unreadable("a person's key"))?));
        Ok(true)
    })?;
    Ok(ids)
}

/// Uses up every code that somebody could have shown until now.
fn pass_step(txn: &mut Txn<'_>, id: UserId, now: Timestamp, skew: u8) -> Result<()> {
    let Some(factor) = txn.user(id)?.and_then(|user| user.totp) else { return Ok(()) };
    let passed = factor.secret.last_in_reach(now, skew);
    txn.put_totp_step(id, passed.max(txn.totp_step(id)?.unwrap_or(0)))
}

/// What somebody used up, or what was ended for them, in the store that is there stays so.
fn heed(txn: &mut Txn<'_>, id: UserId, standing: &View<'_>) -> Result<()> {
    let (Some(then), Some(now)) = (txn.user(id)?, standing.user(id)?) else { return Ok(()) };
    if now.disabled && !then.disabled {
        txn.put_user(&User { disabled: true, ..then.clone() }, Some(&then))?;
    }
    if let Some(mut set) = txn.recovery(id)? {
        let left = standing.recovery(id)?.map(|set| set.digests).unwrap_or_default();
        set.digests.retain(|digest| left.contains(digest));
        txn.put_recovery(id, &set)?;
    }
    for digest in txn.owned(id, layout::TOKEN)? {
        if standing.token(&digest)?.is_none() {
            txn.remove_token(&digest)?;
        }
    }
    Ok(())
}

fn seal_anew(
    path: &Path,
    from: &SledEngine,
    (old, new): (&Keyring, &Keyring),
    happening: &Happening,
) -> std::result::Result<Whole, ReplaceError> {
    let mut rekey = Rekey::new(old, new);
    rekey.learn_all(from)?;
    let mut draft = Draft::begin(path, new)?;
    let mut passed = Vec::new();
    loop {
        let rows: Vec<Row> = from.rows_after(&passed, AT_ONCE)?;
        let Some((last, _)) = rows.last() else { break };
        passed.clone_from(last);
        for (key, value) in &rows {
            if let Some((key, value)) = rekey.row(key, value)? {
                draft.put(key, value)?;
            }
        }
    }
    let mut earlier = earlier_statements(from, old)?;
    earlier.retain(|one| happening.on.at < one.shown_until);
    let signs_until = happening.on.at.plus(SIGNS);
    let shown_until = signs_until.plus(SHOWN);
    let root = old.statements().clone();
    earlier.push(EarlierStatements { root, signs_until, shown_until });
    let row = layout::STATEMENTS;
    let record = StatementsRecord::of(&earlier, Seal { keys: new, row })?;
    draft.put(row.to_vec(), records::pack(&record)?)?;
    draft.finish(|txn| trail::append(txn, happening))
}

impl From<Unread> for ReplaceError {
    fn from(error: Unread) -> Self {
        match error {
            Unread::Backup(error) => Self::Backup(error),
            Unread::Store(error) => Self::Store(error),
        }
    }
}
