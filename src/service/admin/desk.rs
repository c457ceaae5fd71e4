//! The one who does what administrators ask for, and says in whose name it is.

use super::{
    AdminError, AdminErrorKind, AdminReply, AdminRequest, NewTotp, NewUser, SessionView, UserView,
};
use crate::crypto::{PasswordHash, TotpSecret, new_user_id};
use crate::domain::{FailureRules, LinkPurpose, Occasion, Session, TotpFactor, User, UserChange};
use crate::service::live::Which;
use crate::service::{AdminCap, Denied, Service};
use crate::store::{Added, Standing};
use crate::types::{DisplayName, Email, GroupName, Login, SessionId, Timestamp, UserId};
use std::collections::HashMap;

pub(super) type Reply = Result<AdminReply, AdminError>;

impl Service {
    /// Does what an administrator asks for.
    pub async fn administer(&self, request: AdminRequest, by: &AdminCap) -> AdminReply {
        let done = Desk { service: self, by }.answer(request).await;
        done.unwrap_or_else(|error| AdminReply::Failed { error })
    }
}

pub(super) struct Desk<'s> {
    pub(super) service: &'s Service,
    by: &'s AdminCap,
}

impl Desk<'_> {
    async fn answer(&self, request: AdminRequest) -> Reply {
        match request {
            AdminRequest::UserAdd(new) => self.add_user(new).await,
            AdminRequest::UserImport { people, dry_run, with_admins } => {
                self.import(people, dry_run, with_admins).await
            }
            AdminRequest::UserList => self.list_users().await,
            AdminRequest::UserShow { name } => self.show_user(&name).await,
            AdminRequest::UserSet { name, email, display_name, groups } => {
                self.set_user(&name, email, display_name, groups).await
            }
            AdminRequest::UserDisable { name } => self.disable(&name, true).await,
            AdminRequest::UserEnable { name } => self.disable(&name, false).await,
            AdminRequest::UserRemove { name } => self.remove_user(&name).await,
            AdminRequest::UserUnlock { name } => self.unlock(&name).await,
            AdminRequest::UserResetMfa { name } => {
                self.reset(&name, UserChange::NoSecondFactor, LinkPurpose::NewSecondFactor).await
            }
            AdminRequest::UserResetPassword { name } => {
                self.reset(&name, UserChange::NoPassword, LinkPurpose::NewPassword).await
            }
            AdminRequest::SessionList { user } => self.list_sessions(user.as_deref()).await,
            AdminRequest::SessionRevoke { id } => self.revoke_one(id).await,
            AdminRequest::SessionRevokeAll { user } => self.revoke_all(user.as_deref()).await,
            AdminRequest::TokenAdd(new) => self.add_token(new).await,
            AdminRequest::TokenList { user } => self.list_tokens(user.as_deref()).await,
            AdminRequest::TokenRevoke { id } => self.revoke_token(id).await,
            AdminRequest::AuditRead(question) => self.read_trail(question).await,
            AdminRequest::AuditDay => self.day().await,
            AdminRequest::AuditVerify => self.verify_trail().await,
            AdminRequest::PolicyExplain(question) => self.explain(question).await,
        }
    }

    async fn add_user(&self, new: NewUser) -> Reply {
        let hash = match &new.password {
            Some(password) => Some(self.service.hash_new(password, new.username.as_str()).await?),
            None => None,
        };
        let now = self.service.clock.now();
        let (mut factor, mut recovery, mut codes) = (None, None, None);
        if new.totp {
            let secret = TotpSecret::generate(self.service.settings.totp)?;
            let (set, plain) = self.service.new_recovery_codes().await?;
            factor = Some(TotpFactor { secret, confirmed_at: now });
            recovery = Some(set);
            codes = Some(plain.iter().map(crate::crypto::RecoveryCode::reveal).collect());
        }
        let mut user = User {
            email: new.email,
            display_name: new.display_name,
            password: hash,
            totp: factor,
            must_change_password: new.must_change_password,
            ..User::new(new_user_id()?, new.username, now)
        };
        user.apply(UserChange::Groups(new.groups));
        let (id, username) = (user.id, user.username.clone());
        let totp = user.totp.as_ref().map(|factor| NewTotp {
            secret: factor.secret.as_text().reveal().replace(' ', ""),
            uri: factor
                .secret
                .provisioning_uri(&self.service.settings.totp_issuer, &username)
                .reveal()
                .clone(),
        });
        if self.service.store.add_user(user, recovery, self.now()).await? == Added::NameTaken {
            return Err(Denied::NameTaken.into());
        }
        let invite_url = match new.password {
            Some(_) => None,
            None => Some(
                self.service.new_link(LinkPurpose::Invitation, Some(id)).await?.reveal().clone(),
            ),
        };
        Ok(AdminReply::Added { username, invite_url, totp, recovery_codes: codes })
    }

    async fn list_users(&self) -> Reply {
        let users = self.service.store.users().await?;
        Ok(AdminReply::Users { users: self.views(users).await? })
    }

    async fn show_user(&self, name: &str) -> Reply {
        let user = self.named(name).await?;
        Ok(AdminReply::User { user: self.view(user).await? })
    }

    async fn set_user(
        &self,
        name: &str,
        email: Option<String>,
        display_name: Option<String>,
        groups: Option<Vec<GroupName>>,
    ) -> Reply {
        let mut changes = Vec::new();
        if let Some(text) = email {
            let email = Some(text).filter(|text| !text.is_empty()).map(|text| Email::parse(&text));
            changes.push(UserChange::Email(email.transpose()?));
        }
        if let Some(text) = display_name {
            let name =
                Some(text).filter(|text| !text.is_empty()).map(|text| DisplayName::parse(&text));
            changes.push(UserChange::DisplayName(name.transpose()?));
        }
        changes.extend(groups.map(UserChange::Groups));
        if changes.is_empty() {
            return Err(AdminError::new(
                AdminErrorKind::Invalid,
                "nothing to set: name --email, --display-name or --group",
            ));
        }
        let user = self.apply(name, changes).await?;
        Ok(AdminReply::Done { message: format!("{} is changed", user.username) })
    }

    async fn disable(&self, name: &str, disabled: bool) -> Reply {
        let user = self.apply(name, vec![UserChange::Disabled(disabled)]).await?;
        let how = if disabled { "disabled" } else { "enabled" };
        Ok(AdminReply::Done { message: format!("{} is {how}", user.username) })
    }

    /// Changes a record.
    async fn apply(&self, name: &str, changes: Vec<UserChange>) -> Result<User, AdminError> {
        let mut user = self.named(name).await?;
        let id = user.id;
        let ends = changes.iter().fold(false, |ends, change| ends | user.apply(change.clone()));
        let change = self.service.store.change_user(id, changes, self.now());
        let outcome = self.service.settling(Which::Of(id), ends, change).await?;
        let outcome = outcome.ok_or_else(|| nobody(name))?.map_err(|_| Denied::NameTaken)?;
        Ok(outcome.user)
    }

    async fn remove_user(&self, name: &str) -> Reply {
        let id = self.named(name).await?.id;
        let counters = self.service.keys.counters_of(id);
        let remove = self.service.store.remove_user(id, counters, self.now());
        let removed = self.service.ending(Which::Of(id), remove).await?;
        let user = removed.ok_or_else(|| nobody(name))?;
        Ok(AdminReply::Done { message: format!("{} is removed", user.username) })
    }

    async fn unlock(&self, name: &str) -> Reply {
        let user = self.named(name).await?;
        let message = if self.service.unlock(user.id, self.now()).await? {
            format!("the failures of {} are forgotten", user.username)
        } else {
            format!("{} had no failures", user.username)
        };
        Ok(AdminReply::Done { message })
    }

    async fn reset(&self, name: &str, change: UserChange, purpose: LinkPurpose) -> Reply {
        let user = self.apply(name, vec![change]).await?;
        let url = self.service.new_link(purpose, Some(user.id)).await?;
        Ok(AdminReply::Link { username: user.username, url: url.reveal().clone() })
    }

    async fn list_sessions(&self, user: Option<&str>) -> Reply {
        let id = match user {
            Some(name) => Some(self.named(name).await?.id),
            None => None,
        };
        self.service.save_uses().await?;
        let (now, people) = (self.service.clock.now(), self.service.store.users().await?);
        let names: HashMap<UserId, &str> =
            people.iter().map(|user| (user.id, user.username.as_str())).collect();
        let stored = self.service.store.sessions(id).await?;
        let live = stored.iter().map(|(_, session)| session);
        let sessions = live
            .filter(|session| session.is_live(now, session.last_seen_at()))
            .map(|session| {
                session_view(session, names.get(&session.user()).copied().unwrap_or_default())
            })
            .collect();
        Ok(AdminReply::Sessions { sessions })
    }

    async fn revoke_one(&self, id: SessionId) -> Reply {
        let revoke = self.service.store.revoke(id, self.now());
        self.service.ending(Which::One(id), revoke).await?.ok_or_else(|| {
            AdminError::new(
                AdminErrorKind::NotFound,
                format!("there is no session {id}: see `vestibule session list`"),
            )
        })?;
        Ok(AdminReply::Done { message: format!("session {id} has ended") })
    }

    async fn revoke_all(&self, user: Option<&str>) -> Reply {
        let id = match user {
            Some(name) => Some(self.named(name).await?.id),
            None => None,
        };
        let which = id.map_or(Which::All, Which::Of);
        let revoke = self.service.store.revoke_all(id, self.now());
        let count = self.service.ending(which, revoke).await?;
        Ok(AdminReply::Done { message: format!("{count} sessions have ended") })
    }

    pub(super) async fn named(&self, name: &str) -> Result<User, AdminError> {
        let login = Login::parse(name)?;
        self.service.store.find_user(&login).await?.ok_or_else(|| nobody(name))
    }

    async fn view(&self, user: User) -> Result<UserView, AdminError> {
        let view = self.views(vec![user]).await?.pop();
        view.ok_or_else(|| AdminError::new(AdminErrorKind::Unavailable, "nobody was looked at"))
    }

    /// Of many at one go: ten thousand looks by themselves would take seconds.
    async fn views(&self, users: Vec<User>) -> Result<Vec<UserView>, AdminError> {
        let (rules, now) = (&self.service.settings.failures, self.service.clock.now());
        let key = |user: &User| (user.id, self.service.keys.counter_key(user.id, None));
        let standings = self.service.store.standings(users.iter().map(key).collect()).await?;
        Ok(users
            .into_iter()
            .zip(standings)
            .map(|(user, standing)| user_view(user, standing, rules, now))
            .collect())
    }

    /// The occasion of what is done now.
    pub(super) fn now(&self) -> Occasion {
        self.by.occasion(self.service.clock.now())
    }
}

fn nobody(name: &str) -> AdminError {
    let message = format!("nobody is called {name:?}: see `vestibule user list`");
    AdminError::new(AdminErrorKind::NotFound, message)
}

fn user_view(user: User, standing: Standing, rules: &FailureRules, now: Timestamp) -> UserView {
    let Standing { codes_left, failures } = standing;
    UserView {
        id: user.id.to_string(),
        disabled: user.disabled,
        has_password: user.password.is_some(),
        password_imported: user.password.as_ref().is_some_and(PasswordHash::is_foreign),
        must_change_password: user.must_change_password,
        totp: user.totp.is_some(),
        recovery_codes_remaining: codes_left,
        locked_until: failures.and_then(|f| f.locked_until(rules, now)).map(Timestamp::rfc3339),
        created_at: user.created_at.rfc3339(),
        username: user.username,
        email: user.email,
        display_name: user.display_name,
        groups: user.groups,
    }
}

fn session_view(session: &Session, username: &str) -> SessionView {
    SessionView {
        id: session.id(),
        username: username.to_owned(),
        created_at: session.created_at().rfc3339(),
        last_seen_at: session.last_seen_at().rfc3339(),
        expires_at: session.ends_at().rfc3339(),
        ip: session.client().to_string(),
        user_agent: session.user_agent().to_owned(),
    }
}
