//! The verbs for the audit trail.
//!
//! The writer is alone, so an entry, the new tip and what the entry tells of are one batch, and no
//! two entries follow the same one. Reading takes entries by their numbers and looks at a bounded
//! number of them at a time: whoever wants more asks again from where it stopped.

use super::kv::{Rows, View};
use super::tables::Tables as _;
use super::txn::{Txn, unreadable};
use super::verbs::KvStore;
use super::{Excerpt, Result, StoreError, Trail, layout, records};
use crate::crypto::ChainHash;
use crate::domain::{AuditEvent, Broken, Entry, Filter, Happening, Line, Occasion, Start, Tip};
use crate::types::{Timestamp, UserId};
use async_trait::async_trait;
use serde::de::DeserializeOwned;

/// Entries that are looked at for one answer: a fraction of a second's work.
const LOOKS: usize = 20_000;

/// Entries that are checked, or forgotten, in one go.
const AT_ONCE: u64 = 2_000;

const ENTRY: &str = "an entry of the audit trail";

fn tip(rows: &(impl Rows + ?Sized)) -> Result<Tip> {
    let row = rows.get(layout::TIP)?;
    row.map_or(Ok(Tip::default()), |row| records::unpack("the tip of the audit trail", &row))
}

/// The line of an entry: what is hashed.
fn line(rows: &(impl Rows + ?Sized), seq: u64) -> Result<Option<Vec<u8>>> {
    let row = rows.get(&layout::trail(seq))?;
    row.map(|row| records::text(ENTRY, &row).map(<[u8]>::to_vec)).transpose()
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T> {
    serde_json::from_slice(line).map_err(|_| unreadable(ENTRY))
}

pub(super) fn append(txn: &mut Txn<'_>, happening: &Happening) -> Result<()> {
    let tip = tip(txn)?;
    let row = records::pack(&entry(txn, tip, happening)?)?;
    let after = tip.after(records::text(ENTRY, &row)?);
    txn.put(layout::trail(tip.next), row);
    txn.put(layout::TIP.to_vec(), records::pack(&after)?);
    Ok(())
}

fn entry(txn: &Txn<'_>, tip: Tip, happening: &Happening) -> Result<Entry> {
    let Happening { event, on: Occasion { by, from, request, at } } = happening;
    let name = |id: Option<UserId>| id.map_or(Ok(None), |id| txn.username_of(id));
    let detail = event.detail();
    Ok(Entry {
        seq: tip.next,
        at: at.rfc3339(),
        event: event.name().to_owned(),
        by: by.name().to_owned(),
        administrator: name(by.administrator())?,
        user: name(event.user())?.or_else(|| event.username().map(ToString::to_string)),
        user_id: event.user().map(|id| id.to_string()),
        from: from.map(|client| client.to_string()),
        detail: (!detail.is_empty()).then_some(detail),
        request: request.map(|id| id.to_string()),
        prev: tip.hash,
    })
}

/// The number to look at first, and whether it goes on from there or back.
fn begin(start: Start, tip: Tip) -> (u64, bool) {
    match start {
        Start::Newest => (tip.next.saturating_sub(1), false),
        Start::Before(seq) => (seq.min(tip.next).saturating_sub(1), false),
        Start::After(seq) => (seq.saturating_add(1).max(tip.first), true),
    }
}

fn excerpt(rows: &View<'_>, start: Start, wanted: &Filter, most: usize) -> Result<Excerpt> {
    let tip = tip(rows)?;
    let (mut seq, onward) = begin(start, tip);
    let mut lines = Vec::new();
    for _ in 0..LOOKS {
        let is_within = (tip.first..tip.next).contains(&seq);
        let found = if is_within { line(rows, seq)? } else { None };
        let Some(text) = found else {
            // Its oldest entries may be forgotten while it is read; any other must be there.
            if is_within && seq >= self::tip(rows)?.first {
                return Err(Broken::at(seq, "it is gone").into());
            }
            return Ok(Excerpt { lines, next: None });
        };
        let entry: Entry = parse(&text)?;
        if wanted.takes(&entry) {
            lines.push(Line { entry, hash: ChainHash::of(&text) });
        } else if !onward && wanted.is_past(&entry) {
            return Ok(Excerpt { lines, next: None });
        }
        let next = if onward { Start::After(seq) } else { Start::Before(seq) };
        if lines.len() >= most {
            return Ok(Excerpt { lines, next: Some(next) });
        }
        seq = if onward { seq.saturating_add(1) } else { seq.saturating_sub(1) };
    }
    let next = if onward { Start::After(seq.saturating_sub(1)) } else { Start::Before(seq + 1) };
    Ok(Excerpt { lines, next: Some(next) })
}

/// How far a check has come: the next entry, and what it must follow.
#[derive(Clone, Copy)]
struct Checked {
    next: u64,
    hash: ChainHash,
}

/// Checks the next entries. `Ok(None)` where those before them were forgotten meanwhile.
fn check(
    rows: &View<'_>,
    mut done: Checked,
    end: u64,
) -> Result<Option<std::result::Result<Checked, Broken>>> {
    while done.next < end {
        let Some(text) = line(rows, done.next)? else {
            let is_forgotten = done.next < tip(rows)?.first;
            let gone = Broken::at(done.next, "it is gone");
            return Ok(if is_forgotten { None } else { Some(Err(gone)) });
        };
        let entry = serde_json::from_slice::<Entry>(&text);
        let follows = |entry: &Entry| entry.seq == done.next && entry.prev == done.hash;
        if !entry.as_ref().is_ok_and(follows) {
            let why = "it does not follow the one before it: one of them was changed";
            return Ok(Some(Err(Broken::at(done.next, why))));
        }
        done = Checked { next: done.next.saturating_add(1), hash: ChainHash::of(&text) };
    }
    Ok(Some(Ok(done)))
}

fn prune(txn: &mut Txn<'_>, older_than: Timestamp, most: u64, on: Occasion) -> Result<usize> {
    let (begun, older_than) = (tip(txn)?, older_than.rfc3339());
    let (mut tip, mut too_many) = (begun, false);
    // With room for the entry that tells of this.
    let is_excess = |tip: &Tip| begun.len() > most && tip.len() >= most;
    while !tip.is_empty() && tip.first < begun.first.saturating_add(AT_ONCE) {
        // Nothing can be said to follow one that is gone.
        let text = line(txn, tip.first)?;
        let text = text.ok_or_else(|| StoreError::from(Broken::at(tip.first, "it is gone")))?;
        if is_excess(&tip) {
            too_many = true;
        } else if parse::<Entry>(&text)?.at >= older_than {
            break;
        }
        txn.remove(layout::trail(tip.first));
        tip = tip.without(&text);
    }
    let count = usize::try_from(tip.first.saturating_sub(begun.first));
    let count = count.map_err(|_| unreadable(ENTRY))?;
    if count > 0 {
        txn.put(layout::TIP.to_vec(), records::pack(&tip)?);
        txn.tell(AuditEvent::TrailPruned { count, too_many }, on)?;
    }
    Ok(count)
}

#[async_trait]
impl Trail for KvStore {
    async fn append(&self, events: Vec<AuditEvent>, on: Occasion) -> Result<()> {
        let tell =
            move |txn: &mut Txn<'_>| events.into_iter().try_for_each(|event| txn.tell(event, on));
        self.writer.submit(tell).await
    }

    async fn excerpt(&self, start: Start, wanted: Filter, most: usize) -> Result<Excerpt> {
        self.read(move |rows| excerpt(rows, start, &wanted, most)).await
    }

    async fn tip(&self) -> Result<Tip> {
        self.read(|rows| tip(rows)).await
    }

    async fn verify_trail(&self) -> Result<std::result::Result<Tip, Broken>> {
        let mut begun = self.tip().await?;
        let mut done = Checked { next: begun.first, hash: begun.anchor };
        while done.next < begun.next {
            let end = begun.next.min(done.next.saturating_add(AT_ONCE));
            match self.read(move |rows| check(rows, done, end)).await? {
                Some(Ok(checked)) => done = checked,
                Some(Err(broken)) => return Ok(Err(broken)),
                None => {
                    begun = self.tip().await?;
                    done = Checked { next: begun.first, hash: begun.anchor };
                }
            }
        }
        if done.hash == begun.hash {
            return Ok(Ok(begun));
        }
        Ok(Err(Broken::at(done.next.saturating_sub(1), "it was changed, or what followed is gone")))
    }

    async fn prune_trail(&self, older_than: Timestamp, most: u64, on: Occasion) -> Result<usize> {
        self.writer.submit(move |txn| prune(txn, older_than, most, on)).await
    }
}

impl From<Broken> for StoreError {
    fn from(broken: Broken) -> Self {
        Self::Corrupt(format!("the audit trail is broken at {broken}"))
    }
}
