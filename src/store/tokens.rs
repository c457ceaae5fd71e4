//! The verbs for access tokens.

use super::tables::Tables as _;
use super::verbs::KvStore;
use super::{AccessTokens, Result};
use crate::domain::{AccessToken, AuditEvent, Occasion, User};
use crate::types::{TokenDigest, TokenId, UserId};
use async_trait::async_trait;

#[async_trait]
impl AccessTokens for KvStore {
    async fn add_token(
        &self,
        digest: TokenDigest,
        token: AccessToken,
        on: Occasion,
    ) -> Result<bool> {
        self.writer
            .submit(move |txn| {
                let is_somebodys = txn.user(token.user)?.is_some();
                if is_somebodys {
                    txn.put_token(&digest, &token)?;
                    let event = AuditEvent::TokenAdded { user: token.user, token: token.id };
                    txn.tell(event, on)?;
                }
                Ok(is_somebodys)
            })
            .await
    }

    async fn token(&self, digest: TokenDigest) -> Result<Option<(AccessToken, User)>> {
        self.read(move |view| {
            let Some(token) = view.token(&digest)? else { return Ok(None) };
            let user = view.user(token.user)?.filter(|user| !user.disabled);
            Ok(user.map(|user| (token, user)))
        })
        .await
    }

    async fn tokens(&self, user: Option<UserId>) -> Result<Vec<AccessToken>> {
        self.read(move |view| view.tokens(user)).await
    }

    async fn revoke_token(&self, id: TokenId, on: Occasion) -> Result<Option<AccessToken>> {
        self.writer
            .submit(move |txn| {
                let Some(digest) = txn.token_digest(id)? else { return Ok(None) };
                let Some(token) = txn.token(&digest)? else { return Ok(None) };
                txn.remove_token(&digest)?;
                txn.tell(AuditEvent::TokenRevoked { user: token.user, token: id }, on)?;
                Ok(Some(token))
            })
            .await
    }
}
