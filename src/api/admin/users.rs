//! `/admin/users`: people, as administrators see and change them.

use super::{ask, have_done, odd};
use crate::api::call::{Administrator, Call, Reply};
use crate::api::records::{Done, Hidden, Nothing};
use crate::api::trouble::Trouble;
use crate::api::visit::Visit;
use crate::http::Answer;
use crate::service::{AdminReply, AdminRequest, NewTotp, NewUser, UserView};
use crate::types::{DisplayName, Email, GroupName, Username};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// A person, as administrators see one.
#[allow(clippy::struct_excessive_bools, reason = "a record to be read, not a state machine")]
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ManagedUser")]
pub(in crate::api) struct UserEntry {
    id: String,
    username: String,
    email: Option<String>,
    display_name: Option<String>,
    groups: Vec<String>,
    /// Whether they are kept out.
    disabled: bool,
    has_password: bool,
    must_change_password: bool,
    /// Whether they have a second factor.
    totp: bool,
    recovery_codes_remaining: usize,
    /// Until when they are locked out: RFC 3339, in UTC.
    locked_until: Option<String>,
    /// RFC 3339, in UTC.
    created_at: String,
}

impl From<UserView> for UserEntry {
    fn from(view: UserView) -> Self {
        Self {
            id: view.id,
            username: view.username.into(),
            email: view.email.map(Into::into),
            display_name: view.display_name.map(Into::into),
            groups: view.groups.into_iter().map(Into::into).collect(),
            disabled: view.disabled,
            has_password: view.has_password,
            must_change_password: view.must_change_password,
            totp: view.totp,
            recovery_codes_remaining: view.recovery_codes_remaining,
            locked_until: view.locked_until,
            created_at: view.created_at,
        }
    }
}

/// Everyone.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::api) struct ListUsers(Nothing);

#[async_trait]
impl Call<Administrator> for ListUsers {
    type Answer = Vec<UserEntry>;

    async fn act(
        self,
        visit: &Visit<'_>,
        by: Administrator,
    ) -> Result<Reply<Vec<UserEntry>>, Trouble> {
        match ask(visit, AdminRequest::UserList, &by).await? {
            AdminReply::Users { users } => {
                Ok(Reply::new(users.into_iter().map(Into::into).collect()))
            }
            _ => Err(odd()),
        }
    }
}

/// Somebody to add. Without a password, an invitation is handed out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AddUser {
    #[schemars(with = "String")]
    username: Username,
    #[schemars(with = "Option<String>")]
    email: Option<Email>,
    #[schemars(with = "Option<String>")]
    display_name: Option<DisplayName>,
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    groups: Vec<GroupName>,
    password: Option<Hidden>,
    /// Enrol a second factor at once.
    #[serde(default)]
    totp: bool,
    /// Have another password chosen at the first sign-in.
    #[serde(default)]
    must_change_password: bool,
}

/// Who was added, and what to hand to them.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct Added {
    username: String,
    /// A link with which they choose a password; works once.
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp: Option<AddedTotp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<String>>,
}

/// A second factor that was enrolled at once.
#[derive(Serialize, JsonSchema)]
struct AddedTotp {
    /// In base32.
    secret: String,
    /// What an authenticator reads.
    uri: String,
}

#[async_trait]
impl Call<Administrator> for AddUser {
    type Answer = Added;

    async fn act(self, visit: &Visit<'_>, by: Administrator) -> Result<Reply<Added>, Trouble> {
        let new = NewUser {
            username: self.username,
            email: self.email,
            display_name: self.display_name,
            groups: self.groups,
            password: self.password.map(|password| password.reveal().to_owned()),
            totp: self.totp,
            must_change_password: self.must_change_password,
        };
        match ask(visit, AdminRequest::UserAdd(new), &by).await? {
            AdminReply::Added { username, invite_url, totp, recovery_codes } => {
                let totp = totp.map(|NewTotp { secret, uri }| AddedTotp { secret, uri });
                let username = username.into();
                Ok(Reply::new(Added { username, invite_url, totp, recovery_codes }))
            }
            _ => Err(odd()),
        }
    }
}

/// One person.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::api) struct ShowUser(Nothing);

#[async_trait]
impl Call<Administrator> for ShowUser {
    type Answer = UserEntry;

    async fn act(self, visit: &Visit<'_>, by: Administrator) -> Result<Reply<UserEntry>, Trouble> {
        let name = visit.word("name").to_owned();
        match ask(visit, AdminRequest::UserShow { name }, &by).await? {
            AdminReply::User { user } => Ok(Reply::new(user.into())),
            _ => Err(odd()),
        }
    }
}

/// Replaces what is named. `null`, or an empty text, takes it away.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SetUser {
    #[serde(default, deserialize_with = "given")]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    display_name: Option<Option<String>>,
    /// The whole list.
    #[schemars(with = "Option<Vec<String>>")]
    groups: Option<Vec<GroupName>>,
}

/// Tells a `null` that was sent from nothing that was.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[async_trait]
impl Call<Administrator> for SetUser {
    type Answer = Done;

    async fn act(self, visit: &Visit<'_>, by: Administrator) -> Result<Reply<Done>, Trouble> {
        let Self { email, display_name, groups } = self;
        if email.is_none() && display_name.is_none() && groups.is_none() {
            let text = "Name at least one of `email`, `display_name` and `groups`.";
            return Err(Answer::invalid(text).into());
        }
        let name = visit.word("name").to_owned();
        let email = email.map(Option::unwrap_or_default);
        let display_name = display_name.map(Option::unwrap_or_default);
        have_done(visit, AdminRequest::UserSet { name, email, display_name, groups }, &by).await
    }
}

/// Declares calls that name one person and take no body.
macro_rules! acts_on_user {
    ($($(#[$doc:meta])* $call:ident => $request:ident, $answer:ident by $how:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub(in crate::api) struct $call(Nothing);

        #[async_trait]
        impl Call<Administrator> for $call {
            type Answer = $answer;

            async fn act(
                self,
                visit: &Visit<'_>,
                by: Administrator,
            ) -> Result<Reply<$answer>, Trouble> {
                let name = visit.word("name").to_owned();
                $how(visit, AdminRequest::$request { name }, &by).await
            }
        }
    )*};
}

acts_on_user! {
    /// Removes somebody with everything that is theirs.
    RemoveUser => UserRemove, Done by have_done;
    /// Keeps somebody out, and ends their sessions.
    DisableUser => UserDisable, Done by have_done;
    /// Lets them in again.
    EnableUser => UserEnable, Done by have_done;
    /// Ends a lockout.
    UnlockUser => UserUnlock, Done by have_done;
    /// Takes the second factor away.
    ResetMfa => UserResetMfa, OneTimeLink by have_link;
    /// Voids the password.
    ResetPassword => UserResetPassword, OneTimeLink by have_link;
}

/// A link to hand to somebody; it works once.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct OneTimeLink {
    username: String,
    url: String,
}

/// Has a link made.
async fn have_link(
    visit: &Visit<'_>,
    request: AdminRequest,
    by: &Administrator,
) -> Result<Reply<OneTimeLink>, Trouble> {
    match ask(visit, request, by).await? {
        AdminReply::Link { username, url } => {
            Ok(Reply::new(OneTimeLink { username: username.into(), url }))
        }
        _ => Err(odd()),
    }
}
