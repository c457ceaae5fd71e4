//! The audit trail: searched, the newest first.

use super::frame::search_field;
use super::{Desk, Screen, TRAIL, odd};
use crate::domain::{AuditEvent, Entry, Line, Start};
use crate::http::html::moment;
use crate::http::{Location, Response, Trouble};
use crate::service::{AdminReply, AdminRequest, AuditQuestion};
use maud::{Markup, html};

/// Entries on a page.
const A_PAGE: usize = 50;

/// The fields of the search.
const FIELDS: [&str; 4] = ["user", "event", "from", "period"];

pub(super) async fn show(desk: &Desk<'_>) -> Result<Response, Trouble> {
    let words = desk.words;
    let (lines, next) = read(desk).await?;
    let body = html! {
        p .hint { (words.trail_hint) }
        (search(desk))
        @if !lines.is_empty() {
            (entries(desk, &lines))
        } @else if next.is_some() {
            p { (words.looked) }
        } @else {
            p { (words.trail_empty) }
        }
        (links(desk, next))
    };
    Ok(desk.shown(Screen::Trail, words.trail, None, &body))
}

/// A field of the search, where there is something in it.
fn field(desk: &Desk<'_>, name: &str) -> Option<String> {
    Some(desk.visit.fields.get(name).trim().to_owned()).filter(|text| !text.is_empty())
}

async fn read(desk: &Desk<'_>) -> Result<(Vec<Line>, Option<u64>), Trouble> {
    let before = desk.visit.fields.get("before").parse().ok();
    let question = AuditQuestion {
        user: field(desk, "user").map(|name| name.to_lowercase()),
        event: field(desk, "event"),
        from: field(desk, "from"),
        // A word of ours; whatever else somebody writes there means any time.
        since: field(desk, "period").filter(|period| PERIODS.contains(&period.as_str())),
        until: None,
        start: before.map_or(Start::Newest, Start::Before),
        most: A_PAGE,
    };
    match desk.ask(AdminRequest::AuditRead(question)).await? {
        AdminReply::Audit { lines, next: Some(Start::Before(seq)) } => Ok((lines, Some(seq))),
        AdminReply::Audit { lines, .. } => Ok((lines, None)),
        _ => Err(odd()),
    }
}

/// How long ago somebody may want to begin.
const PERIODS: [&str; 4] = ["1h", "1d", "7d", "30d"];

fn search(desk: &Desk<'_>) -> Markup {
    let (fields, words) = (&desk.visit.fields, desk.words);
    let spans = [words.last_hour, words.last_day, words.last_week, words.last_month];
    let (kind, period) = (fields.get("event"), fields.get("period"));
    html! {
        form .search.wide role="search" method="get" action=(desk.page(TRAIL).as_str()) {
            (search_field("user", desk.common.inputs.username, fields.get("user")))
            label for="event" { (words.what) }
            select id="event" name="event" {
                option value="" { (words.any_event) }
                @for name in AuditEvent::NAMES {
                    option value=(name) selected[name == kind] { (event(desk, name)) }
                }
            }
            label for="period" { (words.period) }
            select id="period" name="period" {
                option value="" { (words.any_time) }
                @for (key, span) in PERIODS.into_iter().zip(spans) {
                    option value=(key) selected[key == period] { (span) }
                }
            }
            (search_field("from", words.address, fields.get("from")))
            button { (words.search) }
        }
    }
}

fn entries(desk: &Desk<'_>, lines: &[Line]) -> Markup {
    let words = desk.words;
    html! {
        table .list {
            caption { ((words.entries_shown)(lines.len())) }
            thead {
                tr {
                    th scope="col" { (words.when) }
                    th scope="col" { (words.what) }
                    th scope="col" { (words.whom) }
                    th scope="col" { (words.by_whom) }
                    th scope="col" { (words.address) }
                    th scope="col" { (words.more) }
                }
            }
            tbody { @for line in lines { (row(desk, &line.entry)) } }
        }
    }
}

fn row(desk: &Desk<'_>, entry: &Entry) -> Markup {
    let words = desk.words;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    html! {
        tr {
            th scope="row" { (moment(&entry.at)) }
            td data-label=(words.what) { (event(desk, &entry.event)) }
            // Whoever was removed has no page; what they were called is still told.
            td data-label=(words.whom) { @if let Some(user) = &entry.user { (desk.link_to(user)) } }
            td data-label=(words.by_whom) { (by(desk, entry)) }
            td data-label=(words.address) { (text(&entry.from)) }
            td data-label=(words.more) { (detail(desk, entry)) }
        }
    }
}

/// What an event is called; its stable name, where an earlier or later version wrote it.
fn event<'n>(desk: &Desk<'_>, name: &'n str) -> &'n str {
    desk.words.event(name).unwrap_or(name)
}

fn by<'e>(desk: &Desk<'_>, entry: &'e Entry) -> &'e str {
    match (entry.administrator.as_deref(), entry.by.as_str()) {
        (Some(administrator), _) => administrator,
        (None, "command_line") => desk.words.by_command,
        (None, "gateway") => desk.words.by_gateway,
        (None, "person") if entry.user.is_some() => desk.words.by_person,
        (None, _) => "",
    }
}

fn detail(desk: &Desk<'_>, entry: &Entry) -> String {
    let words = desk.words;
    let Some(detail) = &entry.detail else { return String::new() };
    let said = match detail.as_str() {
        "credentials" => words.de_credentials,
        "code" => words.de_code,
        "code_reused" => words.de_code_reused,
        "locked" => words.de_locked,
        "address_rate" => words.de_address_rate,
        "account_rate" => words.de_account_rate,
        "set" => words.de_set,
        "disabled" => words.de_disabled,
        "enabled" => words.de_enabled,
        "unlocked" => words.de_unlocked,
        "second factor reset" => words.de_factor_reset,
        "password reset" => words.de_password_reset,
        // What is said in another column already.
        name if entry.user.as_deref() == Some(name) => "",
        other => other,
    };
    said.to_owned()
}

fn links(desk: &Desk<'_>, next: Option<u64>) -> Markup {
    let words = desk.words;
    let list: Location = FIELDS.into_iter().fold(desk.page(TRAIL), |list, name| {
        let value = desk.visit.fields.get(name);
        if value.is_empty() { list } else { list.with(name, value) }
    });
    let is_further = !desk.visit.fields.get("before").is_empty();
    html! {
        @if is_further || next.is_some() {
            nav .pages aria-label=((desk.common.frame.labelled)(desk.common.paging.label, words.trail)) {
                @if is_further { a href=(list.as_str()) { (words.newest) } " " }
                @if let Some(seq) = next {
                    a rel="next" href=(list.clone().with("before", &seq.to_string()).as_str()) {
                        (words.older)
                    }
                }
            }
        }
    }
}
