//! Making an access token for a program that acts in somebody's name.

use super::frame::read_list;
use super::newcomer::{groups, secret};
use super::{Acted, Desk, Screen, odd};
use crate::http::html::{Input, sentence};
use crate::http::{Answer, Location};
use crate::service::{AdminReply, AdminRequest, NewToken, UserView};
use crate::types::{DisplayName, HostPattern, Network};
use maud::{Markup, html};

/// Ten years: whoever wants longer leaves it open.
const MOST_DAYS: u64 = 3650;

pub(super) fn form(desk: &Desk<'_>, answer: Option<&Answer>, to: &Location) -> Markup {
    let words = desk.words;
    let was_sent = answer.is_some() && desk.visit.fields.get("do") == "token";
    let typed = |name| if was_sent { desk.visit.fields.get(name) } else { "" };
    let fields = [
        ("token_name", words.token_name, None, None),
        ("days", words.days, Some(words.days_hint), Some("numeric")),
        ("hosts", words.hosts, Some(words.hosts_hint), None),
        ("networks", words.networks, Some(words.networks_hint), None),
        ("token_groups", words.token_groups, Some(words.token_groups_hint), None),
    ];
    let inputs = html! {
        fieldset {
            legend { (words.make_token) }
            (sentence(words.make_token_hint))
            @for (name, label, hint, inputmode) in fields {
                @let input = Input {
                    name,
                    label,
                    autocomplete: "off",
                    inputmode,
                    value: Some(typed(name)),
                    hint,
                    optional: name != "token_name",
                    ..Input::default()
                };
                (input.show(answer.filter(|_| was_sent)))
            }
            label .check {
                input type="checkbox" name="one_factor" value="yes"
                    checked[typed("one_factor") == "yes"];
                " " (words.one_factor)
            }
            button { (words.make) }
        }
    };
    desk.visit.form_to(to, &[("do", "token")], &inputs)
}

pub(super) async fn act(desk: &Desk<'_>, user: &UserView) -> Acted {
    let (fields, words) = (&desk.visit.fields, desk.words);
    let name = DisplayName::parse(fields.get("token_name"));
    let hosts = read_list(fields.get("hosts"), |text| HostPattern::parse(text).ok());
    let networks = read_list(fields.get("networks"), Network::parse);
    let new = NewToken {
        name: name.map_err(|_| Desk::wrong("token_name", words.bad_token_name))?,
        user: user.username.to_string(),
        expires_in: seconds(fields.get("days").trim())
            .ok_or_else(|| Desk::wrong("days", words.bad_days))?,
        hosts: hosts.ok_or_else(|| Desk::wrong("hosts", words.bad_host))?,
        networks: networks.ok_or_else(|| Desk::wrong("networks", words.bad_network))?,
        groups: groups(desk, "token_groups")?,
        one_factor: fields.get("one_factor") == "yes",
    };
    match desk.ask(AdminRequest::TokenAdd(new)).await? {
        AdminReply::TokenAdded { username, token, .. } => {
            let to = desk.page_of(username.as_str());
            let body = html! {
                (secret(desk, "token", words.token_value, &token))
                (sentence(words.token_once))
                (sentence(words.token_use))
                ul .actions { li { a href=(to.as_str()) { (words.to_user) } } }
            };
            let title = (words.token_title)(username.as_str());
            Ok(desk.shown(Screen::User, &title, None, &body))
        }
        _ => Err(odd()),
    }
}

/// How long that many days are; nothing said is for ever.
fn seconds(days: &str) -> Option<Option<u64>> {
    if days.is_empty() {
        return Some(None);
    }
    let days: u64 = days.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days))?;
    Some(Some(days * 24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_a_number_within_reason_or_nothing() {
        assert_eq!(seconds(""), Some(None));
        assert_eq!(seconds("7"), Some(Some(604_800)));
        for bad in ["0", "-1", "1.5", "3651", "x", "99999999999999999999"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
