//! Which rule decides about a request, and why not those before it: the very rules in force, asked
//! the very way the gate asks them.

use super::desk::{Desk, Reply};
use super::{AdminError, AdminErrorKind, AdminReply, PolicyQuestion};
use crate::domain::{Asked, Known, Verdict};
use crate::types::{Host, PathView};

impl Desk<'_> {
    pub(super) async fn explain(&self, question: PolicyQuestion) -> Reply {
        let (host, path) = split(&question.url)?;
        let (view, now) = (PathView::of(&path), self.service.clock.now());
        let user = match &question.user {
            Some(name) => Some(self.named(name).await?),
            None => None,
        };
        // As somebody who signed in a moment ago, by all they have.
        let known = user.as_ref().map_or(Known::Nobody, |user| Known::Person {
            username: user.username.as_str(),
            groups: &user.groups,
            all_groups: &user.groups,
            has_factor: user.totp.is_some(),
            shown_at: user.totp.is_some().then_some(now),
        });
        let method = question.method.to_ascii_uppercase();
        let asked = Asked { host: &host, path: &view, method: &method, client: question.from };
        let access = &self.service.settings.access;
        let ruling = access.ruling(&asked, known);
        let mut reasons: Vec<String> = access
            .explain(&asked, known)
            .map(|(number, rule, fit)| {
                format!("rule {number} ({}): {}", rule.policy.name(), fit.reason())
            })
            .collect();
        if ruling.rule.is_none() {
            reasons
                .push(format!("no rule is for it: the default policy, {}", ruling.policy.name()));
        }
        let decision = match ruling.verdict(known, now) {
            Verdict::Allow => "allow",
            Verdict::SignIn => "sign_in",
            Verdict::ShowFactor => "second_factor",
            Verdict::Forbid => "forbid",
        };
        let host = host.to_string();
        let path = view.canonical().to_owned();
        let decision = decision.to_owned();
        let (rule, route) = (ruling.rule, None);
        Ok(AdminReply::Explained { decision, route, rule, reasons, host, path })
    }
}

/// Host and path of an address, the path as it is written.
fn split(url: &str) -> Result<(Host, String), AdminError> {
    let wrong = || {
        let message = format!("{url:?} is no address: write https://app.example.com/path");
        AdminError::new(AdminErrorKind::Invalid, message)
    };
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or_else(wrong)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let path = path.split('?').next().unwrap_or_default();
    let (host, _) = Host::parse_authority(authority).map_err(|_| wrong())?;
    Ok((host, if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }))
}
