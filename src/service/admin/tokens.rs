//! Access tokens: making, listing and revoking them.

use super::desk::{Desk, Reply};
use super::{AdminError, AdminErrorKind, AdminReply, NewToken, TokenView};
use crate::crypto::{TokenKind, digest, new_bearer, new_token_id};
use crate::domain::{AccessToken, TokenLimits, User};
use crate::types::{Prefix, Timestamp, TokenId};
use std::time::Duration;

/// Where nothing was said, a token ends with time.
const NEVER: Timestamp = Timestamp::from_secs(u64::MAX);

impl Desk<'_> {
    pub(super) async fn add_token(&self, new: NewToken) -> Reply {
        let user = self.named(&new.user).await?;
        let now = self.service.clock.now();
        let (bearer, id) = (new_bearer()?, new_token_id()?);
        let token = AccessToken {
            id,
            name: new.name,
            user: user.id,
            created_at: now,
            expires_at: new.expires_in.map_or(NEVER, |secs| now.plus(Duration::from_secs(secs))),
            one_factor: new.one_factor,
            limits: TokenLimits { groups: new.groups, networks: new.networks, hosts: new.hosts },
        };
        let digest = digest(TokenKind::Token, &bearer);
        if !self.service.store.add_token(digest, token, self.now()).await? {
            let message = format!("{} was removed meanwhile", user.username);
            return Err(AdminError::new(AdminErrorKind::NotFound, message));
        }
        let token = bearer.reveal_as(Prefix::Token);
        Ok(AdminReply::TokenAdded { id, username: user.username, token })
    }

    pub(super) async fn list_tokens(&self, user: Option<&str>) -> Reply {
        let id = match user {
            Some(name) => Some(self.named(name).await?.id),
            None => None,
        };
        let (now, people) = (self.service.clock.now(), self.service.store.users().await?);
        let mut tokens = self.service.store.tokens(id).await?;
        tokens.retain(|token| now < token.expires_at);
        tokens.sort_by_key(|token| std::cmp::Reverse(token.created_at));
        let tokens = tokens.into_iter().map(|token| view(token, &people)).collect();
        Ok(AdminReply::Tokens { tokens })
    }

    pub(super) async fn revoke_token(&self, id: TokenId) -> Reply {
        let token = self.service.revoke_token(id, self.now()).await?.ok_or_else(|| {
            let message = format!("there is no access token {id}: see `vestibule token list`");
            AdminError::new(AdminErrorKind::NotFound, message)
        })?;
        Ok(AdminReply::Done { message: format!("access token {id} ({}) is revoked", token.name) })
    }
}

fn view(token: AccessToken, people: &[User]) -> TokenView {
    let user = people.iter().find(|user| user.id == token.user);
    let TokenLimits { groups, networks, hosts } = token.limits;
    TokenView {
        id: token.id,
        name: token.name,
        username: user.map_or_else(String::new, |user| user.username.to_string()),
        created_at: token.created_at.rfc3339(),
        expires_at: (token.expires_at != NEVER).then(|| token.expires_at.rfc3339()),
        groups,
        networks,
        hosts,
        one_factor: token.one_factor,
    }
}
