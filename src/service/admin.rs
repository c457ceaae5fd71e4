//! What administrators do, as one request and one reply each.
//!
//! The commands send these over the administration socket to a running gateway, or hand them to a
//! [`Service`] of their own where none runs. Either way this is the one place that does the work.

use super::live::Which;
use super::{Denied, Service};
use crate::crypto::{TotpSecret, new_user_id};
use crate::domain::{AuditEvent, LinkPurpose, Session, TotpFactor, User, UserChange};
use crate::observe::Actor;
use crate::store::Added;
use crate::types::{DisplayName, Email, GroupName, Login, SessionId, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Somebody to add.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What they sign in with.
    pub username: Username,
    /// Also good for signing in.
    pub email: Option<Email>,
    /// How they write their name.
    pub display_name: Option<DisplayName>,
    /// Their groups.
    pub groups: Vec<GroupName>,
    /// A password; without one, an invitation is handed out.
    pub password: Option<String>,
    /// Enrol a second factor at once.
    pub totp: bool,
    /// Choose another password at the first sign-in.
    pub must_change_password: bool,
}

/// What an administrator asks for.
#[allow(missing_docs, reason = "the fields are named after what they hold")]
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminRequest {
    /// Adds somebody.
    UserAdd(NewUser),
    /// Everyone.
    UserList,
    /// One person.
    UserShow { name: String },
    /// Replaces what is named. An empty e-mail address or display name takes it away.
    UserSet {
        name: String,
        email: Option<String>,
        display_name: Option<String>,
        groups: Option<Vec<GroupName>>,
    },
    /// Keeps somebody out, and ends their sessions.
    UserDisable { name: String },
    /// Lets them in again.
    UserEnable { name: String },
    /// Removes somebody with everything that is theirs.
    UserRemove { name: String },
    /// Ends a lockout.
    UserUnlock { name: String },
    /// Takes the second factor away and hands out a link for a new one.
    UserResetMfa { name: String },
    /// Voids the password and hands out a link for a new one. The second factor stays.
    UserResetPassword { name: String },
    /// Sessions of one person or of everyone.
    SessionList { user: Option<String> },
    /// Ends one session.
    SessionRevoke { id: SessionId },
    /// Ends a person's sessions, or everyone's.
    SessionRevokeAll { user: Option<String> },
}

/// A person, as administrators see one.
#[allow(clippy::struct_excessive_bools, reason = "a record to be read, not a state machine")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserView {
    /// The record's own name.
    pub id: String,
    /// What they sign in with.
    pub username: Username,
    /// Also good for signing in.
    pub email: Option<Email>,
    /// How they write their name.
    pub display_name: Option<DisplayName>,
    /// Their groups.
    pub groups: Vec<GroupName>,
    /// Whether they are kept out.
    pub disabled: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they must choose another one.
    pub must_change_password: bool,
    /// Whether they have a second factor.
    pub totp: bool,
    /// How many recovery codes are left.
    pub recovery_codes_remaining: usize,
    /// Until when they are locked out.
    pub locked_until: Option<String>,
    /// When the record was made.
    pub created_at: String,
}

/// A session, as administrators see one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionView {
    /// Its name.
    pub id: SessionId,
    /// Whose it is.
    pub username: String,
    /// When it began.
    pub created_at: String,
    /// When it was last used, give or take some seconds.
    pub last_seen_at: String,
    /// When it ends at the latest.
    pub expires_at: String,
    /// Where it began.
    pub ip: String,
    /// What the browser called itself.
    pub user_agent: String,
}

/// A freshly enrolled second factor, to be shown once.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewTotp {
    /// The secret in base32.
    pub secret: String,
    /// The address an authenticator reads.
    pub uri: String,
}

/// What comes back.
#[allow(missing_docs, reason = "the fields are named after what they hold")]
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum AdminReply {
    /// It is done; a sentence says what.
    Done { message: String },
    /// Somebody was added.
    Added {
        username: Username,
        invite_url: Option<String>,
        totp: Option<NewTotp>,
        recovery_codes: Option<Vec<String>>,
    },
    /// A one-time link was made.
    Link { username: Username, url: String },
    /// One person.
    User { user: UserView },
    /// People.
    Users { users: Vec<UserView> },
    /// Sessions.
    Sessions { sessions: Vec<SessionView> },
    /// It is not done; a sentence says why.
    Failed { error: AdminError },
}

/// Why it is not done, as a sentence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AdminError(pub String);

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: Into<Denied>> From<E> for AdminError {
    fn from(error: E) -> Self {
        Self(match error.into() {
            Denied::NameTaken => "somebody has that username or e-mail address already".into(),
            Denied::Weak(weakness) => format!("the password is not taken: {weakness}"),
            Denied::PasswordUnusable => "the password is empty or longer than 1024 bytes".into(),
            Denied::Name(why) => why.to_string(),
            Denied::Busy => "too many password hashes are waiting; try again in a moment".into(),
            Denied::Unavailable(why) => why,
            // No administrative act signs anybody in.
            Denied::Credentials
            | Denied::Code
            | Denied::CodeUsed
            | Denied::Locked(_)
            | Denied::Expired
            | Denied::WrongStep
            | Denied::LinkGone => "it was refused".into(),
        })
    }
}

type Reply = Result<AdminReply, AdminError>;

impl Service {
    /// Does what an administrator asks for.
    pub async fn administer(&self, request: AdminRequest) -> AdminReply {
        let reply = match request {
            AdminRequest::UserAdd(new) => self.add_user(new).await,
            AdminRequest::UserList => self.list_users().await,
            AdminRequest::UserShow { name } => self.show_user(&name).await,
            AdminRequest::UserSet { name, email, display_name, groups } => {
                self.set_user(&name, email, display_name, groups).await
            }
            AdminRequest::UserDisable { name } => {
                self.change(&name, UserChange::Disabled(true), "disabled").await
            }
            AdminRequest::UserEnable { name } => {
                self.change(&name, UserChange::Disabled(false), "enabled").await
            }
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
        };
        reply.unwrap_or_else(|error| AdminReply::Failed { error })
    }

    async fn add_user(&self, new: NewUser) -> Reply {
        let hash = match &new.password {
            Some(password) => Some(self.hash_new(password, new.username.as_str()).await?),
            None => None,
        };
        let now = self.clock.now();
        let (mut factor, mut recovery, mut codes) = (None, None, None);
        if new.totp {
            let secret = TotpSecret::generate(self.settings.totp)?;
            let (set, plain) = self.new_recovery_codes().await?;
            factor = Some(TotpFactor { secret, confirmed_at: now });
            recovery = Some(set);
            codes = Some(plain.iter().map(crate::crypto::RecoveryCode::reveal).collect());
        }
        let mut user = User {
            id: new_user_id()?,
            username: new.username,
            email: new.email,
            display_name: new.display_name,
            groups: Vec::new(),
            password: hash,
            totp: factor,
            disabled: false,
            must_change_password: new.must_change_password,
            enrol_by_link: false,
            credentials: 0,
            created_at: now,
        };
        user.apply(UserChange::Groups(new.groups));
        let (id, username) = (user.id, user.username.clone());
        let totp = user.totp.as_ref().map(|factor| NewTotp {
            secret: factor.secret.as_text().reveal().replace(' ', ""),
            uri: factor
                .secret
                .provisioning_uri(&self.settings.totp_issuer, &username)
                .reveal()
                .clone(),
        });
        if self.store.add_user(user, recovery).await? == Added::NameTaken {
            return Err(Denied::NameTaken.into());
        }
        self.act(&AuditEvent::UserAdded { user: id, name: username.clone() });
        let invite_url = match new.password {
            Some(_) => None,
            None => Some(self.new_link(LinkPurpose::Invitation, Some(id)).await?.reveal().clone()),
        };
        Ok(AdminReply::Added { username, invite_url, totp, recovery_codes: codes })
    }

    async fn list_users(&self) -> Reply {
        let mut users = Vec::new();
        for user in self.store.users().await? {
            users.push(self.view(user).await?);
        }
        Ok(AdminReply::Users { users })
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
            return Err(AdminError(
                "nothing to set: name --email, --display-name or --group".into(),
            ));
        }
        let user = self.apply(name, changes, "set").await?;
        Ok(AdminReply::Done { message: format!("{} is changed", user.username) })
    }

    async fn change(&self, name: &str, change: UserChange, how: &'static str) -> Reply {
        let user = self.apply(name, vec![change], how).await?;
        Ok(AdminReply::Done { message: format!("{} is {how}", user.username) })
    }

    /// Changes a record.
    async fn apply(
        &self,
        name: &str,
        changes: Vec<UserChange>,
        how: &'static str,
    ) -> Result<User, AdminError> {
        let mut user = self.named(name).await?;
        let id = user.id;
        let ends = changes.iter().fold(false, |ends, change| ends | user.apply(change.clone()));
        let change = self.store.change_user(id, changes);
        let outcome = self.settling(Which::Of(id), ends, change).await?;
        let outcome = outcome.ok_or_else(|| nobody(name))?.map_err(|_| Denied::NameTaken)?;
        self.act(&AuditEvent::UserChanged { user: id, how });
        Ok(outcome.user)
    }

    async fn remove_user(&self, name: &str) -> Reply {
        let id = self.named(name).await?.id;
        let removed = self.ending(Which::Of(id), self.store.remove_user(id)).await?;
        let user = removed.ok_or_else(|| nobody(name))?;
        self.store.clear(self.counter_of(&user)).await?;
        let message = format!("{} is removed", user.username);
        self.act(&AuditEvent::UserRemoved { user: id, name: user.username });
        Ok(AdminReply::Done { message })
    }

    async fn unlock(&self, name: &str) -> Reply {
        let user = self.named(name).await?;
        let message = if self.store.clear(self.counter_of(&user)).await? {
            format!("the failures of {} are forgotten", user.username)
        } else {
            format!("{} had no failures", user.username)
        };
        self.act(&AuditEvent::UserChanged { user: user.id, how: "unlocked" });
        Ok(AdminReply::Done { message })
    }

    async fn reset(&self, name: &str, change: UserChange, purpose: LinkPurpose) -> Reply {
        let how = match purpose {
            LinkPurpose::NewSecondFactor => "second factor reset",
            _ => "password reset",
        };
        let user = self.apply(name, vec![change], how).await?;
        let url = self.new_link(purpose, Some(user.id)).await?;
        Ok(AdminReply::Link { username: user.username, url: url.reveal().clone() })
    }

    async fn list_sessions(&self, user: Option<&str>) -> Reply {
        let id = match user {
            Some(name) => Some(self.named(name).await?.id),
            None => None,
        };
        self.save_uses().await?;
        let (now, people) = (self.clock.now(), self.store.users().await?);
        let stored = self.store.sessions(id).await?;
        let live = stored.iter().map(|(_, session)| session);
        let sessions = live
            .filter(|session| session.is_live(now, session.last_seen_at()))
            .map(|session| {
                let user = people.iter().find(|user| user.id == session.user());
                session_view(session, user.map_or("", |user| user.username.as_str()))
            })
            .collect();
        Ok(AdminReply::Sessions { sessions })
    }

    async fn revoke_one(&self, id: SessionId) -> Reply {
        let ended = self.ending(Which::One(id), self.store.revoke(id)).await?;
        let (_, session) = ended.ok_or_else(|| {
            AdminError(format!("there is no session {id}: see `vestibule session list`"))
        })?;
        self.act(&AuditEvent::SessionsRevoked { user: Some(session.user()), count: 1 });
        Ok(AdminReply::Done { message: format!("session {id} has ended") })
    }

    async fn revoke_all(&self, user: Option<&str>) -> Reply {
        let id = match user {
            Some(name) => Some(self.named(name).await?.id),
            None => None,
        };
        let which = id.map_or(Which::All, Which::Of);
        let count = self.ending(which, self.store.revoke_all(id, None)).await?;
        self.act(&AuditEvent::SessionsRevoked { user: id, count });
        Ok(AdminReply::Done { message: format!("{count} sessions have ended") })
    }

    async fn named(&self, name: &str) -> Result<User, AdminError> {
        let login = Login::parse(name)?;
        self.store.find_user(&login).await?.ok_or_else(|| nobody(name))
    }

    async fn view(&self, user: User) -> Result<UserView, AdminError> {
        let now = self.clock.now();
        let recovery = self.store.recovery_set(user.id).await?;
        let failures = self.store.failures(self.counter_of(&user)).await?;
        Ok(UserView {
            id: user.id.to_string(),
            disabled: user.disabled,
            has_password: user.password.is_some(),
            must_change_password: user.must_change_password,
            totp: user.totp.is_some(),
            recovery_codes_remaining: recovery.map_or(0, |set| set.digests.len()),
            locked_until: failures.and_then(|f| f.locked_until(now)).map(Timestamp::rfc3339),
            created_at: user.created_at.rfc3339(),
            username: user.username,
            email: user.email,
            display_name: user.display_name,
            groups: user.groups,
        })
    }

    fn act(&self, event: &AuditEvent) {
        self.log.audit(event, Actor::CommandLine, None, self.clock.now());
    }
}

fn nobody(name: &str) -> AdminError {
    AdminError(format!("nobody is called {name:?}: see `vestibule user list`"))
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
