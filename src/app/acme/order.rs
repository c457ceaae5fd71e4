//! One certificate, from the account to the file.

use super::client::Client;
use super::shelf::Shelf;
use crate::proxy::{Challenges, Fetching};
use crate::types::{Host, Timestamp};
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use std::time::Duration;

/// How long an authority may take to look at what it is shown, and to write a certificate.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// Fetches a certificate for a name and keeps it; when it is to be replaced, or why there is none.
pub(super) async fn fetch(
    challenges: &Challenges,
    fetching: &Fetching,
    shelf: &Shelf<'_>,
    name: &Host,
) -> Result<Timestamp, String> {
    // Nobody is asked for what could not be kept.
    shelf.probe()?;
    let account = account(fetching, shelf).await?;
    let names = [Identifier::Dns(name.to_string())];
    let mut order = account.new_order(&NewOrder::new(&names)).await.map_err(sentence)?;
    prove(challenges, fetching, &mut order, name).await?;
    let key = order.finalize().await.map_err(sentence)?;
    let chain = order.poll_certificate(&PATIENCE).await.map_err(sentence)?;
    shelf.keep(name, &format!("{chain}\n{key}"))
}

/// Our account with the authority; a new one, where there is none yet.
async fn account(fetching: &Fetching, shelf: &Shelf<'_>) -> Result<Account, String> {
    let client = Client::new(fetching.ca_file.as_deref())?;
    let builder = Account::builder_with_http(Box::new(client));
    if let Some(credentials) = shelf.account()? {
        return builder.from_credentials(credentials).await.map_err(sentence);
    }
    let contact = fetching.email.as_ref().map(|email| format!("mailto:{email}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let made = builder.create(&new, fetching.directory.clone(), None).await;
    let (account, credentials) = made.map_err(sentence)?;
    shelf.keep_account(&credentials)?;
    Ok(account)
}

/// Shows the authority what it asks for, and waits until it has seen it.
async fn prove(
    challenges: &Challenges,
    fetching: &Fetching,
    order: &mut Order,
    name: &Host,
) -> Result<(), String> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(sentence)?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let kind = choose(fetching.by_http, &authorization.challenges)?;
        let mut challenge = authorization.challenge(kind.clone()).ok_or("it asks for nothing")?;
        let proof = challenge.key_authorization();
        if kind == ChallengeType::Http01 {
            challenges.show_text(&challenge.token, proof.as_str());
        } else {
            challenges.show_at_handshake(name, proof.digest().as_ref())?;
        }
        challenge.set_ready().await.map_err(sentence)?;
    }
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => Ok(()),
        Ok(_) => Err(reason(order).await),
        Err(error) => Err(sentence(error)),
    }
}

/// Which of what an authority would take it is shown: what can reach us, or else what there is.
fn choose(
    by_http: bool,
    offered: &[instant_acme::Challenge],
) -> Result<ChallengeType, &'static str> {
    let mut ways = [ChallengeType::TlsAlpn01, ChallengeType::Http01];
    if by_http {
        ways.reverse();
    }
    // Nobody would be there to hear it.
    let possible = if by_http { 2 } else { 1 };
    let is_offered = |way: &ChallengeType| offered.iter().any(|offer| offer.r#type == *way);
    let found = ways.into_iter().take(possible).find(is_offered);
    found.ok_or(
        "it takes none of the proofs that can be given here (HTTP-01 where there is http_redirect, \
         TLS-ALPN-01)",
    )
}

/// Why an authority was not convinced.
async fn reason(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        let told = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = told {
            return problem.to_string();
        }
    }
    String::from("it refused without a reason")
}

/// An error with its causes.
fn sentence(error: Error) -> String {
    crate::app::asking::sentence(&error)
}
