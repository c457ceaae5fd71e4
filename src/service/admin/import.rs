//! People who move in from another program, each with the hash of a password that we do not know.

use super::desk::{Desk, Reply};
use super::{AdminError, AdminReply, Arrival, Newcomer, Outcome};
use crate::crypto::{PasswordHash, new_user_id};
use crate::domain::{User, UserChange};
use crate::store::Added;
use crate::types::{DisplayName, Email, GroupName, Login, Timestamp, UserId, Username};
use std::collections::HashSet;

/// Names and addresses that newcomers have taken, where nothing is written.
type Taken = HashSet<String>;

impl Desk<'_> {
    /// Adds those who are not there yet. What somebody would lose is no reason to let them in with
    /// less: whoever cannot be taken over whole is left out, with the reason. But what another
    /// program's list says makes nobody an administrator here, unless somebody says so.
    pub(super) async fn import(
        &self,
        people: Vec<Newcomer>,
        dry_run: bool,
        with_admins: bool,
    ) -> Reply {
        let (mut arrivals, mut taken) = (Vec::new(), Taken::new());
        for newcomer in people {
            let name = newcomer.name.clone();
            let record = record(newcomer, new_user_id()?, self.service.clock.now());
            let was_named = record.as_ref().is_ok_and(User::is_administrator);
            let outcome = match record {
                Ok(mut user) => {
                    if !with_admins {
                        user.leave_administrators();
                    }
                    self.take_in(user, &mut taken, dry_run).await?
                }
                Err(reason) => Outcome::Skipped { reason },
            };
            let is_in = was_named && outcome == Outcome::Added;
            arrivals.push(Arrival { name, outcome, administrator: is_in.then_some(with_admins) });
        }
        if !dry_run {
            self.service.look_at_people().await?;
        }
        Ok(AdminReply::Imported { people: arrivals, dry_run })
    }

    async fn take_in(
        &self,
        user: User,
        taken: &mut Taken,
        dry_run: bool,
    ) -> Result<Outcome, AdminError> {
        let username = user.username.clone();
        if taken.contains(username.as_str()) || self.is_there(username.as_str()).await? {
            return Ok(Outcome::Exists);
        }
        if let Some(email) = &user.email {
            if taken.contains(email.as_str()) || self.is_there(email.as_str()).await? {
                return Ok(Outcome::Skipped { reason: format!("{email} is somebody else's") });
            }
            taken.insert(email.to_string());
        }
        taken.insert(username.to_string());
        if dry_run {
            return Ok(Outcome::Added);
        }
        Ok(match self.service.store.add_user(user, None, self.now()).await? {
            Added::Done => Outcome::Added,
            Added::NameTaken => Outcome::Exists,
        })
    }

    async fn is_there(&self, name: &str) -> Result<bool, AdminError> {
        Ok(self.service.store.find_user(&Login::parse(name)?).await?.is_some())
    }
}

/// The record of a newcomer, or why there is none.
pub(in crate::service) fn record(
    newcomer: Newcomer,
    id: UserId,
    now: Timestamp,
) -> Result<User, String> {
    let Newcomer { name, email, display_name, groups, disabled, password_hash } = newcomer;
    let username = Username::parse(&name).map_err(|why| why.to_string())?;
    let hash = password_hash.ok_or("there is no password hash")?;
    let hash = PasswordHash::foreign(&hash).map_err(|why| why.to_string())?;
    let email = given(email).map(|text| Email::parse(&text)).transpose();
    let display_name = given(display_name).map(|text| DisplayName::parse(&text)).transpose();
    let group =
        |name: String| GroupName::parse(&name).map_err(|why| format!("the group {name:?}: {why}"));
    let mut user = User {
        email: email.map_err(|why| format!("the e-mail address: {why}"))?,
        display_name: display_name.map_err(|why| format!("the display name: {why}"))?,
        password: Some(hash),
        disabled,
        ..User::new(id, username, now)
    };
    let groups: Result<Vec<GroupName>, String> = groups.into_iter().map(group).collect();
    user.apply(UserChange::Groups(groups?));
    Ok(user)
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
