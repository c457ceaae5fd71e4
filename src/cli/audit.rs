//! `vestibule audit`: reading, following, checking and exporting the trail.

use super::{Failure, ask, print};
use crate::config::Config;
use crate::domain::{Broken, Line, Start, Tip, check_export};
use crate::service::{AdminReply, AdminRequest, AuditQuestion};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many entries `list` shows where nobody says since when.
const LATEST: usize = 50;

/// Entries that are asked for at a time.
const PAGE: usize = 1000;

/// Many times what the longest line of a file has, in bytes.
const LONGEST: u64 = 64 << 10;

/// How often somebody who follows is told.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Show what happened, the newest last
    #[command(
        after_help = "Examples:\n  vestibule audit list --user ann --since 7d\n  vestibule audit list --follow"
    )]
    List(ListArgs),
    /// Check that no entry was changed, removed or slipped in
    #[command(
        after_help = "Examples:\n  vestibule audit verify\n  vestibule audit verify audit.jsonl"
    )]
    Verify {
        /// A file that `audit export` or `audit.file` wrote, instead of the trail itself
        file: Option<PathBuf>,
    },
    /// Print the trail as lines of JSON, the oldest first
    #[command(after_help = "Example:\n  vestibule audit export --since 2026-11-01 > audit.jsonl")]
    Export {
        /// Not what is older: 2026-11-01, 2026-11-01T07:30:00Z, or how long ago: 30d
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
    },
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// About this person, or done by them
    #[arg(long)]
    user: Option<String>,
    /// Of this kind, like `signed_in` or `sign_in_failed`
    #[arg(long)]
    event: Option<String>,
    /// From addresses that begin so
    #[arg(long, value_name = "IP")]
    from: Option<String>,
    /// Not what is older: 2026-11-01, 2026-11-01T07:30:00Z, or how long ago: 12h; without, the
    /// last 50
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Go on with what happens from now on
    #[arg(long)]
    follow: bool,
}

pub(super) fn run(command: AuditCommand, config: &Config, json: bool) -> Result<(), Failure> {
    match command {
        AuditCommand::List(list) => show(list, config, json),
        AuditCommand::Verify { file: None } => match ask(config, &AdminRequest::AuditVerify)? {
            AdminReply::Verified { tip } => {
                whole(tip, json);
                Ok(())
            }
            AdminReply::Broken { broken } => Err(not_whole(&broken)),
            _ => Err(odd()),
        },
        AuditCommand::Verify { file: Some(path) } => verify_file(&path, json),
        AuditCommand::Export { since } => {
            let question = AuditQuestion { since, start: Start::After(0), ..question() };
            each(config, question, |line| print::line(&exported(line))).map(drop)
        }
    }
}

fn question() -> AuditQuestion {
    AuditQuestion { most: PAGE, ..AuditQuestion::default() }
}

fn show(list: ListArgs, config: &Config, json: bool) -> Result<(), Failure> {
    let say = |line: &Line| print::line(&if json { exported(line) } else { in_words(line) });
    let ListArgs { user, event, from, since, follow } = list;
    let question = AuditQuestion { user, event, from, since, ..question() };
    // Where the trail ends, before anything of it is shown: what comes later is followed.
    let newest = AuditQuestion { most: 1, ..self::question() };
    let mut end = page(config, newest)?.0.first().map_or(0, |line| line.entry.seq);
    if question.since.is_some() {
        let all = AuditQuestion { start: Start::After(0), ..question.clone() };
        end = end.max(each(config, all, say)?);
    } else {
        latest(config, &question)?.iter().rev().for_each(say);
    }
    if !follow {
        return Ok(());
    }
    loop {
        std::thread::sleep(PAUSE);
        // What is not wanted is looked at once, and not each time.
        let newest = page(config, AuditQuestion { most: 1, ..self::question() })?.0;
        let newest = newest.first().map_or(end, |line| line.entry.seq);
        // What was seen may be old by now; what comes after it is not.
        let on = AuditQuestion { start: Start::After(end), since: None, ..question.clone() };
        end = newest.max(each(config, on, say)?);
    }
}

/// The last entries that are wanted, the newest first.
fn latest(config: &Config, question: &AuditQuestion) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    let mut start = Some(Start::Newest);
    while let Some(from) = start.filter(|_| lines.len() < LATEST) {
        let most = LATEST - lines.len();
        let (more, next) = page(config, AuditQuestion { start: from, most, ..question.clone() })?;
        lines.extend(more);
        start = next;
    }
    Ok(lines)
}

/// Asks for all there is, page by page; the number it came to.
fn each(
    config: &Config,
    mut question: AuditQuestion,
    mut say: impl FnMut(&Line),
) -> Result<u64, Failure> {
    let mut reached = match question.start {
        Start::After(seq) => seq,
        Start::Newest | Start::Before(_) => 0,
    };
    loop {
        let (lines, next) = page(config, question.clone())?;
        lines.iter().for_each(&mut say);
        reached = lines.last().map_or(reached, |line| line.entry.seq);
        match next {
            Some(next) => question.start = next,
            None => return Ok(reached),
        }
    }
}

fn page(config: &Config, question: AuditQuestion) -> Result<(Vec<Line>, Option<Start>), Failure> {
    match ask(config, &AdminRequest::AuditRead(question))? {
        AdminReply::Audit { lines, next } => Ok((lines, next)),
        _ => Err(odd()),
    }
}

fn verify_file(path: &Path, json: bool) -> Result<(), Failure> {
    let fault = |why: &str| Failure::Failed(format!("{}{why}", path.display()));
    let file = File::open(path).map_err(|error| fault(&format!(": {error}")))?;
    whole(check(BufReader::new(file)).map_err(|why| fault(&why))?, json);
    Ok(())
}

/// Checks the lines of a file; what is wrong begins with the place, for after the file's name.
pub(super) fn check(mut from: impl BufRead) -> Result<Tip, String> {
    let (mut tip, mut line) = (None, String::new());
    for number in 1.. {
        let at = |why: &str| format!(":{number}: {why}");
        line.clear();
        let read = from.by_ref().take(LONGEST).read_line(&mut line);
        if read.map_err(|error| at(&error.to_string()))? == 0 {
            break;
        }
        if line.len() as u64 == LONGEST {
            return Err(at("it is longer than any entry"));
        }
        let text = line.strip_suffix('\n').unwrap_or(&line);
        let text = text.strip_suffix('\r').unwrap_or(text);
        tip = Some(check_export(text, tip).map_err(at)?);
    }
    tip.ok_or_else(|| String::from(": it has no entry"))
}

fn whole(tip: Tip, json: bool) {
    if json {
        let (first, last) = (tip.first, tip.next.saturating_sub(1));
        let all = json!({"entries": tip.len(), "first": first, "last": last, "hash": tip.hash});
        print::line(&all.to_string());
    } else {
        print::line(&format!(
            "{} entries, all whole; the hash of the last: {}",
            tip.len(),
            tip.hash
        ));
    }
}

fn not_whole(broken: &Broken) -> Failure {
    Failure::Failed(format!("the audit trail is not whole: {broken}"))
}

fn odd() -> Failure {
    Failure::Failed(String::from("the gateway answered something else"))
}

fn exported(line: &Line) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

fn in_words(line: &Line) -> String {
    let entry = &line.entry;
    let who = entry.user.as_deref().or(entry.user_id.as_deref()).unwrap_or("-");
    let by = match (entry.administrator.as_deref(), entry.by.as_str()) {
        (None, "person") => None,
        (name, by) => Some(name.map_or_else(|| by.replace('_', " "), str::to_owned)),
    };
    let parts = [
        Some(entry.detail.clone().unwrap_or_default()).filter(|detail| !detail.is_empty()),
        entry.from.as_ref().map(|from| format!("from {from}")),
        by.map(|by| format!("by {by}")),
    ];
    let rest: Vec<String> = parts.into_iter().flatten().collect();
    let line = format!("{}  {:<22} {who}  {}", entry.at, entry.event, rest.join("  "));
    line.trim_end().to_owned()
}
