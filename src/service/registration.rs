//! People who add themselves, where the configuration lets them.

use super::{Denied, Service};
use crate::crypto::new_user_id;
use crate::domain::User;
use crate::store::Added;
use crate::types::{DisplayName, Email, Login, NameError, RequestCx, Username};

/// Somebody who wants to be added.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// The username.
    pub username: &'a str,
    /// The e-mail address; empty for none.
    pub email: &'a str,
    /// The display name; empty for none.
    pub display_name: &'a str,
    /// The password.
    pub password: &'a str,
}

impl Service {
    /// Whether people may add themselves.
    pub const fn registration_is_open(&self) -> bool {
        self.settings.registration
    }

    /// Adds somebody, who has yet to sign in.
    pub async fn register(&self, new: Registration<'_>, cx: &RequestCx) -> Result<User, Denied> {
        if !self.registration_is_open() {
            return Err(Denied::RegistrationDisabled);
        }
        self.admit_address(cx).await?;
        let given = |text: &'static str, value: &str| (!value.is_empty()).then_some(text);
        let username = Username::parse(new.username)?;
        // Apps are told the name, and would take it for an address that nobody has checked.
        if username.as_str().contains('@') {
            return Err(Denied::Name(NameError::UsernameIsAddress));
        }
        let mut user = User::new(new_user_id()?, username, cx.now);
        user.email = given("email", new.email).map(|_| Email::parse(new.email)).transpose()?;
        let display_name = given("display_name", new.display_name);
        user.display_name =
            display_name.map(|_| DisplayName::parse(new.display_name)).transpose()?;
        // Looked at first, so that a name that is taken costs no hash; the store looks again.
        let names = [Some(user.username.as_str()), user.email.as_ref().map(Email::as_str)];
        for name in names.into_iter().flatten() {
            if self.store.find_user(&Login::parse(name)?).await?.is_some() {
                return Err(Denied::NameTaken);
            }
        }
        user.password = Some(self.hash_new(new.password, user.username.as_str()).await?);
        match self.store.add_user(user.clone(), None, cx.into()).await? {
            Added::Done => Ok(user),
            Added::NameTaken => Err(Denied::NameTaken),
        }
    }
}
