//! The verbs for access tokens.

use super::tables::Tables as _;
use super::verbs::KvStore;
use super::{AccessTokens, Result};
use crate::domain::{AccessToken, User};
use crate::types::{TokenDigest, TokenId, UserId};
use async_trait::async_trait;

#[async_trait]
impl AccessTokens for KvStore {
    async fn add_token(&self, digest: TokenDigest, token: AccessToken) -> Result<bool> {
        self.writer
            .submit(move |txn| {
                let is_somebodys = txn.user(token.user)?.is_some();
                if is_somebodys {
                    txn.put_token(&digest, &token)?;
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

    async fn revoke_token(&self, id: TokenId) -> Result<Option<AccessToken>> {
        self.writer
            .submit(move |txn| {
                let Some(digest) = txn.token_digest(id)? else { return Ok(None) };
                let token = txn.token(&digest)?;
                txn.remove_token(&digest)?;
                Ok(token)
            })
            .await
    }
}
