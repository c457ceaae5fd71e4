//! Copies the audit trail to where the configuration says.
//!
//! A file says itself how far it has come: its last line has a number. For a syslog that is noted
//! in a file of our own, so that it gets what happened while nothing ran as well.

use crate::domain::{Filter, Line, Start};
use crate::observe::{Copies, Level, Syslog, add_lines, last_line};
use crate::proxy::Gateway;
use crate::service::Service;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_blocking};

/// How soon an entry is copied.
const PAUSE: Duration = Duration::from_millis(500);

/// How long after a failure it is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Entries that are copied in one go.
const AT_ONCE: usize = 500;

/// One place that copies go to.
#[derive(Clone)]
enum Place {
    File(PathBuf),
    Syslog {
        to: Syslog,
        /// How far it has come.
        mark: PathBuf,
    },
}

/// Starts to copy.
pub(super) fn start(gateway: &Arc<Gateway>, copies: &Copies, data: &Path) -> Vec<JoinHandle<()>> {
    let file = copies.file.clone().map(Place::File);
    let mark = data.join("audit.syslog");
    let syslog = copies.syslog.clone().map(|to| Place::Syslog { to, mark });
    file.into_iter()
        .chain(syslog)
        .map(|place| tokio::spawn(follow(Arc::clone(gateway), place)))
        .collect()
}

async fn follow(gateway: Arc<Gateway>, place: Place) {
    let mut reached = None;
    let mut is_well = true;
    loop {
        let outcome = advance(&gateway.service(), &place, reached).await;
        let pause = if outcome.is_ok() { PAUSE } else { AFTER_FAILURE };
        match outcome {
            Ok(now) => {
                is_well = true;
                // All at once where there is more.
                if reached.replace(now).is_some_and(|before| before < now) {
                    continue;
                }
            }
            // Some of it may be there: the place says itself how far it has come. Told once, and not
            // every ten seconds.
            Err(why) if is_well => {
                (is_well, reached) = (false, None);
                let message = format!("the audit trail is not copied: {why}");
                gateway.say(Level::Error, &message);
            }
            Err(_) => reached = None,
        }
        tokio::time::sleep(pause).await;
    }
}

/// Copies what comes after this number; how far it has come.
async fn advance(service: &Service, place: &Place, reached: Option<u64>) -> Result<u64, String> {
    let reached = match reached {
        Some(reached) => reached,
        None => begin(service, place).await?,
    };
    let all = Filter::default();
    let excerpt = service.excerpt(Start::After(reached), all, AT_ONCE).await;
    let lines = excerpt.map_err(|error| error.to_string())?.lines;
    let Some(last) = lines.last().map(|line| line.entry.seq) else { return Ok(reached) };
    let place = place.clone();
    let copied = spawn_blocking(move || copy(&place, &lines)).await;
    copied.map_err(|error| error.to_string())?.map(|()| last)
}

/// Where to begin.
async fn begin(service: &Service, place: &Place) -> Result<u64, String> {
    let tip = service.trail_tip().await.map_err(|error| error.to_string())?;
    let end = tip.next.saturating_sub(1);
    match place {
        // One that is new begins with what happens from now on.
        Place::Syslog { mark, .. } => Ok(std::fs::read_to_string(mark)
            .ok()
            .and_then(|number| number.trim().parse().ok())
            .filter(|number| *number <= end)
            .unwrap_or(end)),
        Place::File(path) => match number_of_last(path)? {
            Some(seq) if seq > end => Err(format!(
                "{} ends with entry {seq}, and the trail with entry {end}: it is of another \
                 trail; move it away",
                path.display()
            )),
            seq => Ok(seq.unwrap_or(0)),
        },
    }
}

fn number_of_last(path: &Path) -> Result<Option<u64>, String> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    let fault = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let Some(line) = last_line(path).map_err(|error| fault(&error))? else { return Ok(None) };
    let numbered: Result<Numbered, _> = serde_json::from_slice(&line);
    let numbered = numbered.map_err(|_| fault(&"its last line is no entry; move it away"))?;
    Ok(Some(numbered.seq))
}

fn copy(place: &Place, lines: &[Line]) -> Result<(), String> {
    let text = |line: &Line| serde_json::to_string(line).map_err(|error| error.to_string());
    match place {
        Place::File(path) => {
            let texts = lines.iter().map(text).collect::<Result<Vec<_>, _>>()?;
            add_lines(path, &texts).map_err(|error| format!("{}: {error}", path.display()))
        }
        Place::Syslog { to, mark } => {
            let message = |line: &Line| Ok((line.entry.at.clone(), text(line)?));
            let messages = lines.iter().map(message).collect::<Result<Vec<_>, String>>()?;
            to.send(&messages).map_err(|error| format!("syslog: {error}"))?;
            let last = lines.last().map_or(0, |line| line.entry.seq);
            std::fs::write(mark, last.to_string())
                .map_err(|error| format!("{}: {error}", mark.display()))
        }
    }
}
