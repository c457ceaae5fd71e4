//! What commands print.

use crate::app::Greeting;
use crate::service::{AdminReply, Arrival, Outcome, SessionView, TokenView, UserView};
use crate::types::GroupName;
use serde_json::json;
use std::io::Write as _;

/// Says that the gateway runs, and what to do first. Not a line of log: the link opens the door.
pub(super) fn greeting(greeting: &Greeting) {
    let version = env!("CARGO_PKG_VERSION");
    line(&format!("vestibule {version} listens on {}", greeting.listens.join(", ")));
    line(&format!("  open      {}", greeting.public_url));
    for app in &greeting.protects {
        line(&format!("  protects  {app}"));
    }
    if let Some(link) = &greeting.setup_link {
        line(
            "\nNobody can sign in yet. Become the first administrator with this link, which works once:",
        );
        line(&format!("  {}\n", link.reveal()));
    }
    line("Stop it with Ctrl-C or SIGTERM.");
}

/// Prints a line. Whoever closed the pipe does not want to read it.
pub(super) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a text as it is.
pub(super) fn bytes(text: &[u8]) {
    let _ = std::io::stdout().write_all(text);
}

/// Prints what came back.
pub(super) fn reply(reply: &AdminReply, as_json: bool) {
    if as_json {
        line(&to_json(reply).to_string());
    } else {
        line(to_text(reply).trim_end());
    }
}

/// Prints what becomes of a request, and why.
pub(super) fn explained(
    decision: &str,
    route: Option<&str>,
    rule: Option<usize>,
    reasons: &[String],
    as_json: bool,
) {
    if as_json {
        let all = json!({"decision": decision, "route": route, "rule": rule, "reasons": reasons});
        line(&all.to_string());
        return;
    }
    line(&format!("decision  {decision}"));
    line(&format!("route     {}", route.unwrap_or("none: the gateway itself answers 404")));
    line(&format!("rule      {}", rule.map_or("the default policy".into(), |n| n.to_string())));
    for reason in reasons {
        line(&format!("  {reason}"));
    }
}

/// Prints how the running gateway is, in the word it said.
pub(super) fn health(word: &str, as_json: bool) {
    if as_json {
        println!("{}", json!({"status": word}));
    } else {
        println!("{word}");
    }
}

fn to_json(reply: &AdminReply) -> serde_json::Value {
    match reply {
        AdminReply::Done { message } => json!({"message": message}),
        AdminReply::Added { username, invite_url, totp, recovery_codes } => {
            let mut object = serde_json::Map::new();
            object.insert("username".into(), json!(username));
            let optional = [
                ("invite_url", invite_url.as_ref().map(|url| json!(url))),
                ("totp", totp.as_ref().map(|totp| json!(totp))),
                ("recovery_codes", recovery_codes.as_ref().map(|codes| json!(codes))),
            ];
            for (key, value) in optional {
                if let Some(value) = value {
                    object.insert(key.into(), value);
                }
            }
            object.into()
        }
        AdminReply::Imported { people, dry_run } => json!({"people": people, "dry_run": dry_run}),
        AdminReply::Link { username, url } => json!({"username": username, "url": url}),
        AdminReply::User { user } => json!(user),
        AdminReply::Users { users } => json!(users),
        AdminReply::Sessions { sessions } => json!(sessions),
        AdminReply::TokenAdded { id, username, token } => {
            json!({"id": id, "username": username, "token": token})
        }
        AdminReply::Tokens { tokens } => json!(tokens),
        AdminReply::Audit { lines, .. } => json!(lines),
        AdminReply::Day { hours } => json!(hours),
        AdminReply::Verified { tip } => json!(tip),
        AdminReply::Broken { broken } => json!(broken),
        AdminReply::Explained { decision, rule, reasons, .. } => {
            json!({"decision": decision, "rule": rule, "reasons": reasons})
        }
        AdminReply::Failed { error } => json!({"error": error}),
    }
}

fn to_text(reply: &AdminReply) -> String {
    match reply {
        AdminReply::Done { message } => format!("{message}\n"),
        AdminReply::Added { username, invite_url, totp, recovery_codes } => {
            let mut lines = vec![format!("{username} is added")];
            if let Some(url) = invite_url {
                lines.push(format!("\nHand over this link, which works once:\n  {url}"));
            }
            if let Some(totp) = totp {
                lines.push(format!("\nSecond factor:\n  {}\n  {}", totp.secret, totp.uri));
            }
            if let Some(codes) = recovery_codes {
                lines.push(String::from("\nRecovery codes, each good once:"));
                lines.extend(codes.iter().map(|code| format!("  {code}")));
            }
            lines.join("\n") + "\n"
        }
        AdminReply::Imported { people, dry_run } => arrivals(people, *dry_run),
        AdminReply::Link { username, url } => {
            format!("Hand over this link to {username}; it works once:\n  {url}\n")
        }
        AdminReply::User { user } => person(user),
        AdminReply::Users { users } => people(users),
        AdminReply::Sessions { sessions } => sessions_table(sessions),
        AdminReply::TokenAdded { id, username, token } => format!(
            "Token {id} of {username}. It is shown this once; send it as \"Authorization: Bearer\":\n  \
             {token}\n"
        ),
        AdminReply::Tokens { tokens } => tokens_table(tokens),
        // `audit` prints these itself.
        AdminReply::Audit { .. } | AdminReply::Verified { .. } | AdminReply::Day { .. } => {
            String::new()
        }
        AdminReply::Broken { broken } => format!("{broken}\n"),
        AdminReply::Explained { decision, reasons, .. } => {
            format!("{decision}\n{}\n", reasons.join("\n"))
        }
        AdminReply::Failed { error } => format!("{error}\n"),
    }
}

fn arrivals(people: &[Arrival], dry_run: bool) -> String {
    let added = if dry_run { "would be added" } else { "added" };
    let mut counts = [0; 3];
    let mut lines = Vec::new();
    for Arrival { name, outcome, administrator } in people {
        // A name that is refused may hold anything.
        let name = name.escape_debug();
        let (kind, line) = match (outcome, administrator) {
            (Outcome::Added, None) => (0, format!("{name}: {added}")),
            (Outcome::Added, Some(true)) => (0, format!("{name}: {added}, as an administrator")),
            (Outcome::Added, Some(false)) => (0, format!("{name}: {added}, but not to admins")),
            (Outcome::Exists, _) => (1, format!("{name}: is there already, and stays as it is")),
            (Outcome::Skipped { reason }, _) => (2, format!("{name}: left out: {reason}")),
        };
        if let Some(count) = counts.get_mut(kind) {
            *count += 1;
        }
        lines.push(line);
    }
    let [new, old, left_out] = counts;
    lines.push(format!("{new} {added}, {old} there already, {left_out} left out"));
    lines.extend(administrators(people, dry_run));
    lines.join("\n") + "\n"
}

/// Who administers the gateway from now on, and who does not although the list would have it so.
fn administrators(people: &[Arrival], dry_run: bool) -> Vec<String> {
    let list = |is_one| {
        let some = people.iter().filter(|person| person.administrator == Some(is_one));
        let names: Vec<_> = some.map(|person| person.name.escape_debug().to_string()).collect();
        Some(names.join(", ")).filter(|names| !names.is_empty())
    };
    let how = if dry_run {
        "--with-admins takes that over"
    } else {
        "`vestibule user set NAME --group admins`, with their other groups, makes them one"
    };
    let administer = if dry_run { "would administer" } else { "administer" };
    let are = list(true).map(|names| format!("{administer} the gateway: {names}"));
    let are_not = list(false).map(|names| {
        format!("administrators in the file, and no more than others here: {names}; {how}")
    });
    are.into_iter().chain(are_not).collect()
}

fn person(user: &UserView) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| String::from("none"));
    let rows = [
        ("username", user.username.to_string()),
        ("id", user.id.clone()),
        ("e-mail", or_none(user.email.as_ref().map(ToString::to_string))),
        ("display name", or_none(user.display_name.as_ref().map(ToString::to_string))),
        ("groups", groups(user)),
        ("state", state(user)),
        ("password", String::from(password(user))),
        ("second factor", String::from(if user.totp { "TOTP" } else { "none" })),
        ("recovery codes", user.recovery_codes_remaining.to_string()),
        ("added", user.created_at.clone()),
    ];
    rows.map(|(name, value)| format!("{name:<15} {value}\n")).concat()
}

const fn password(user: &UserView) -> &'static str {
    match (user.has_password, user.password_imported) {
        (false, _) => "none",
        (true, false) => "set",
        (true, true) => "imported, until the next sign-in",
    }
}

fn groups(user: &UserView) -> String {
    let names: Vec<&str> = user.groups.iter().map(GroupName::as_str).collect();
    if names.is_empty() { String::from("none") } else { names.join(", ") }
}

fn state(user: &UserView) -> String {
    match (&user.locked_until, user.disabled, user.must_change_password) {
        (_, true, _) => String::from("disabled"),
        (Some(until), _, _) => format!("locked until {until}"),
        (_, _, true) => String::from("must choose a new password"),
        _ => String::from("active"),
    }
}

fn people(users: &[UserView]) -> String {
    let row = |user: &UserView| {
        let factor = if user.totp { "TOTP" } else { "-" };
        let email = user.email.as_ref().map_or("-", |email| email.as_str());
        [user.username.to_string(), email.to_owned(), factor.to_owned(), state(user), groups(user)]
    };
    table(
        ["USERNAME", "E-MAIL", "SECOND FACTOR", "STATE", "GROUPS"],
        users.iter().map(row).collect(),
    )
}

fn sessions_table(sessions: &[SessionView]) -> String {
    let row = |s: &SessionView| {
        [
            s.id.to_string(),
            s.username.clone(),
            s.ip.clone(),
            s.last_seen_at.clone(),
            s.user_agent.clone(),
        ]
    };
    table(["ID", "USERNAME", "FROM", "LAST SEEN", "BROWSER"], sessions.iter().map(row).collect())
}

fn tokens_table(tokens: &[TokenView]) -> String {
    let any = |texts: Vec<String>| match texts.as_slice() {
        [] => String::from("any"),
        texts => texts.join(", "),
    };
    let row = |token: &TokenView| {
        [
            token.id.to_string(),
            token.name.to_string(),
            token.username.clone(),
            token.expires_at.clone().unwrap_or_else(|| String::from("never")),
            any(token.hosts.iter().map(ToString::to_string).collect()),
            any(token.networks.iter().map(ToString::to_string).collect()),
        ]
    };
    let head = ["ID", "NAME", "USERNAME", "EXPIRES", "HOSTS", "NETWORKS"];
    table(head, tokens.iter().map(row).collect())
}

fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut widths = head.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let joined = padded.collect::<Vec<_>>().join("  ");
        format!("{}\n", joined.trim_end())
    };
    let lines: Vec<String> = rows.iter().map(line).collect();
    line(&head.map(String::from)) + &lines.concat()
}
