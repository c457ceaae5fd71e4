//! How many there are of what, and when the sessions began that go on.

use super::frame::State;
use super::{Desk, SESSIONS, Screen, USERS, odd};
use crate::http::{Response, Trouble};
use crate::service::{AdminReply, AdminRequest, SessionView, UserView};
use crate::types::Timestamp;
use maud::{Markup, html};

/// How many hours the picture shows.
const HOURS: u64 = 24;
/// Its measures, in units of its own.
const BAR: usize = 20;
const HIGH: usize = 100;

pub(super) async fn show(desk: &Desk<'_>) -> Result<Response, Trouble> {
    let users = everyone(desk).await?;
    let AdminReply::Sessions { sessions } =
        desk.ask(AdminRequest::SessionList { user: None }).await?
    else {
        return Err(odd());
    };
    let words = desk.words;
    let body = html! {
        (people(desk, &users))
        p {
            a href=(desk.page(SESSIONS).as_str()) { ((desk.common.frame.labelled)(words.live_sessions, &sessions.len().to_string())) }
        }
        (beginnings(desk, &sessions))
    };
    Ok(desk.shown(Screen::Overview, words.title, None, &body))
}

pub(super) async fn everyone(desk: &Desk<'_>) -> Result<Vec<UserView>, Trouble> {
    match desk.ask(AdminRequest::UserList).await? {
        AdminReply::Users { users } => Ok(users),
        _ => Err(odd()),
    }
}

fn people(desk: &Desk<'_>, users: &[UserView]) -> Markup {
    let words = desk.words;
    html! {
        table .list {
            caption { (words.by_state) }
            thead { tr { th scope="col" { (words.state) } th scope="col" { (words.count) } } }
            tbody {
                @for state in State::ALL {
                    @let to = desk.page(USERS).with("state", state.key());
                    @let count = users.iter().filter(|user| State::of(user) == state).count();
                    tr {
                        th scope="row" { a href=(to.as_str()) { (desk.state_mark(state)) } }
                        td { (count) }
                    }
                }
            }
            tfoot {
                tr {
                    th scope="row" { a href=(desk.page(USERS).as_str()) { (words.total) } }
                    td { (users.len()) }
                }
            }
        }
    }
}

/// Day and hour of a moment, as texts of moments begin.
fn hour_of(moment: &str) -> &str {
    moment.get(.."2026-11-21T13".len()).unwrap_or_default()
}

/// How many sessions began in each of the last hours; the oldest first.
fn by_hour(sessions: &[SessionView], now: Timestamp) -> Vec<(String, usize)> {
    let hours = (0..HOURS)
        .rev()
        .map(|ago| Timestamp::from_secs(now.as_secs().saturating_sub(ago * 3600)).rfc3339());
    let counted = hours.map(|moment| {
        let hour = hour_of(&moment);
        let count = sessions.iter().filter(|session| hour_of(&session.created_at) == hour).count();
        (hour.to_owned(), count)
    });
    counted.collect()
}

fn beginnings(desk: &Desk<'_>, sessions: &[SessionView]) -> Markup {
    let words = desk.words;
    let hours = by_hour(sessions, desk.visit.request.cx.now);
    let total: usize = hours.iter().map(|(_, count)| count).sum();
    html! {
        h2 { (words.starts_title) }
        p .hint { (words.starts_hint) " " (words.times_are_utc) }
        (bars(words.starts_title, &(words.sessions_started)(total), &hours))
        details {
            summary { (words.as_table) }
            table .list {
                caption { (words.starts_title) }
                thead { tr { th scope="col" { (words.hour) } th scope="col" { (words.starts) } } }
                tbody {
                    @for (hour, count) in &hours {
                        tr {
                            th scope="row" { (hour.replace('T', " ")) ":00" }
                            td { (count) }
                        }
                    }
                }
            }
        }
    }
}

/// A picture of as many bars. What it shows is in the table below it as well.
fn bars(title: &str, label: &str, hours: &[(String, usize)]) -> Markup {
    let most = hours.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
    let wide = hours.len() * BAR;
    let high = |count: usize| count * HIGH / most;
    html! {
        svg .bars viewBox={ "0 0 " (wide) " " (HIGH + 20) } role="img" aria-label={ (title) ". " (label) } {
            @for (at, (hour, count)) in hours.iter().enumerate() {
                @let shown = hour.get(11..).unwrap_or_default();
                rect x=(at * BAR + 2) y=(HIGH - high(*count)) width=(BAR - 4) height=(high(*count)) {
                    title { (shown) ":00 · " (count) }
                }
                @if at % 4 == 3 {
                    text x=(at * BAR + BAR / 2) y=(HIGH + 16) text-anchor="middle"
                        font-size="12" { (shown) }
                }
            }
            line x1="0" y1=(HIGH) x2=(wide) y2=(HIGH) stroke="currentColor";
        }
        p .legend { (label) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::SessionId;

    fn begun(at: u64) -> SessionView {
        SessionView {
            id: SessionId::from_bytes([1; 16]),
            username: "ann".into(),
            created_at: Timestamp::from_secs(at).rfc3339(),
            last_seen_at: String::new(),
            expires_at: String::new(),
            ip: String::new(),
            user_agent: String::new(),
        }
    }

    #[test]
    fn sessions_are_counted_in_the_hour_they_began_and_not_after_a_day() {
        let now = 1_800_000_015;
        let sessions: Vec<_> =
            [now, now - 1, now - 3600, now - 23 * 3600, now - 24 * 3600, 0].map(begun).into();
        let hours = by_hour(&sessions, Timestamp::from_secs(now));
        let counts: Vec<usize> = hours.iter().map(|(_, count)| *count).collect();
        assert_eq!((counts.len(), counts[0], counts[22] + counts[23]), (24, 1, 3));
        assert_eq!(counts.iter().sum::<usize>(), 4);
        let picture = bars("t", "l", &hours).into_string();
        assert_eq!(picture.matches("<rect").count(), 24);
        assert!(!picture.contains("style"));
    }
}
