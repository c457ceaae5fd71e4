//! How many there are of what, and what the last day was like.

use super::frame::State;
use super::{Desk, SESSIONS, Screen, TRAIL, USERS, odd};
use crate::http::{Response, Trouble};
use crate::service::{AdminReply, AdminRequest, HourView, UserView};
use maud::{Markup, html};

/// The measures of a picture, in units of its own.
const BAR: usize = 20;
const HIGH: usize = 100;

pub(super) async fn show(desk: &Desk<'_>) -> Result<Response, Trouble> {
    let users = everyone(desk).await?;
    let AdminReply::Sessions { sessions } =
        desk.ask(AdminRequest::SessionList { user: None }).await?
    else {
        return Err(odd());
    };
    let AdminReply::Day { hours } = desk.ask(AdminRequest::AuditDay).await? else {
        return Err(odd());
    };
    let words = desk.words;
    let body = html! {
        (people(desk, &users))
        p {
            a href=(desk.page(SESSIONS).as_str()) { ((desk.common.frame.labelled)(words.live_sessions, &sessions.len().to_string())) }
        }
        (day(desk, &hours))
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

/// One thing that is counted by the hour.
struct Counted<'c> {
    title: &'static str,
    hours: Vec<(&'c str, usize)>,
}

impl<'c> Counted<'c> {
    fn of(title: &'static str, hours: &'c [HourView], count: fn(&HourView) -> usize) -> Self {
        let hours = hours.iter().map(|hour| (hour.hour.as_str(), count(hour))).collect();
        Self { title, hours }
    }

    fn total(&self) -> usize {
        self.hours.iter().map(|(_, count)| count).sum()
    }
}

/// What the last day was like.
fn day(desk: &Desk<'_>, hours: &[HourView]) -> Markup {
    let words = desk.words;
    let sign_ins = Counted::of(words.sign_ins, hours, |hour| hour.sign_ins);
    let refused = Counted::of(words.refused, hours, |hour| hour.refused);
    let failures = desk.page(TRAIL).with("event", "sign_in_failed").with("period", "1d");
    html! {
        h2 { (words.day) }
        p .hint { (words.times_are_utc) }
        div .pictures {
            @for counted in [&sign_ins, &refused] { (bars(desk, counted)) }
        }
        @if refused.total() > 0 { p { a href=(failures.as_str()) { (words.to_trail) } } }
        details {
            summary { (words.as_table) }
            table .list {
                caption { (words.day) }
                thead {
                    tr {
                        th scope="col" { (words.hour) }
                        @for counted in [&sign_ins, &refused] { th scope="col" { (counted.title) } }
                    }
                }
                tbody {
                    @for hour in hours {
                        tr {
                            th scope="row" { (hour.hour.replace('T', " ")) ":00" }
                            td data-label=(sign_ins.title) { (hour.sign_ins) }
                            td data-label=(refused.title) { (hour.refused) }
                        }
                    }
                }
            }
        }
    }
}

/// A picture of as many bars. What it shows is in the table below it as well.
fn bars(desk: &Desk<'_>, counted: &Counted<'_>) -> Markup {
    let label = (desk.common.frame.labelled)(counted.title, &counted.total().to_string());
    html! {
        figure {
            figcaption { (label) }
            (picture(&label, &counted.hours))
        }
    }
}

fn picture(label: &str, hours: &[(&str, usize)]) -> Markup {
    let most = hours.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
    let wide = hours.len() * BAR;
    let high = |count: usize| count * HIGH / most;
    html! {
        svg .bars viewBox={ "0 0 " (wide) " " (HIGH + 20) } role="img" aria-label=(label) {
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_bar_for_each_hour_and_none_is_higher_than_the_picture() {
        let hours: Vec<_> = (0..24).map(|count| ("2026-11-26T07", count)).collect();
        let picture = picture("l", &hours).into_string();
        assert_eq!(picture.matches("<rect").count(), 24);
        assert!(picture.contains(r#"y="0" width="16" height="100""#), "{picture}");
        assert!(!picture.contains("style"));
    }
}
