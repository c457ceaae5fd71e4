//! Where each row lies. This table is the whole of it:
//!
//! | key | value | kept in the inventory |
//! |---|---|---|
//! | `u` user id | the record | yes |
//! | `n` username | user id | yes |
//! | `e` e-mail address | user id | yes |
//! | `t` user id | the last TOTP step used | yes |
//! | `r` user id | the recovery set | yes |
//! | `f` image of an account, or of a name that is nobody's | the failure counter | yes |
//! | `s` digest | a session | |
//! | `i` session id | the session's digest | |
//! | `h` session's digest | recovery codes to be shown once, sealed | |
//! | `p` digest | a sign-in under way | |
//! | `l` digest | a link | |
//! | `w` session's digest | the TOTP secret that waits to be confirmed, sealed | |
//! | `g` digest of a family | the digest of the program's session | |
//! | `a` digest | an access token | |
//! | `j` token id | the access token's digest | |
//! | `k` digest | who has signed in with a browser | |
//! | `o` user id `s` digest | nothing: whose session it is | |
//! | `o` user id `p` digest | nothing: whose sign-in it is | |
//! | `o` user id `a` digest | nothing: whose access token it is | |
//! | `o` user id `l` kind | digest of the one link of that kind | |
//! | `x` second, big-endian, and the key of an `s`, `p`, `l`, `a`, `k` or `f` row | nothing: when to look at it | |
//! | `d` number, big-endian | an entry of the audit trail | by the tip |
//! | `T` | the tip of the audit trail | yes |
//! | `S` | what signed statements under earlier master keys, sealed | |
//! | `I` | the inventory | |
//! | `#` | the number of the last batch, for the engine on disk | |
//!
//! A person's rows are all found from their id (in a browser's row, an id that is nobody's any more
//! means nothing), and what expires is found without a walk through
//! what does not. Keys hold ids, digests and names, never a secret.

use crate::domain::LinkPurpose;
use crate::types::{SessionId, Timestamp, TokenDigest, TokenId, UserId};

pub(super) const USER: u8 = b'u';
pub(super) const USERNAME: u8 = b'n';
pub(super) const EMAIL: u8 = b'e';
pub(super) const TOTP_STEP: u8 = b't';
pub(super) const RECOVERY: u8 = b'r';
pub(super) const FAILURES: u8 = b'f';
pub(super) const SESSION: u8 = b's';
const SESSION_ID: u8 = b'i';
pub(super) const HANDOVER: u8 = b'h';
pub(super) const PENDING: u8 = b'p';
pub(super) const LINK: u8 = b'l';
pub(super) const BROWSER: u8 = b'k';
pub(super) const TOKEN: u8 = b'a';
const TOKEN_ID: u8 = b'j';
pub(super) const ENROLMENT: u8 = b'w';
const FAMILY: u8 = b'g';
const OWNED: u8 = b'o';
pub(super) const EXPIRY: u8 = b'x';
pub(super) const TRAIL: u8 = b'd';
const TRAIL_TIP: u8 = b'T';

/// The tip of the audit trail.
pub(super) const TIP: &[u8] = &[TRAIL_TIP];

/// What signed statements under earlier master keys.
pub(super) const STATEMENTS: &[u8] = b"S";

/// The inventory's own row.
pub(super) const INVENTORY: &[u8] = b"I";

/// The engine on disk's own row.
pub(super) const PROGRESS: &[u8] = b"#";

/// The tables whose rows must never vanish unnoticed.
pub(super) const INVENTORIED: [u8; 7] =
    [USER, USERNAME, EMAIL, TOTP_STEP, RECOVERY, FAILURES, TRAIL_TIP];

pub(super) fn is_inventoried(key: &[u8]) -> bool {
    key.first().is_some_and(|table| INVENTORIED.contains(table))
}

/// Whether a row speaks of the others, and is made anew in another store.
pub(super) fn is_the_stores_own(key: &[u8]) -> bool {
    key == INVENTORY || key == PROGRESS
}

/// Whether a row is of a kind that must not come to life again once it was used up or ended:
/// sessions, sign-ins under way, links, and what belongs to them.
pub(super) fn is_fleeting(key: &[u8]) -> bool {
    let kind = match key {
        [OWNED, rest @ ..] => rest.get(16),
        [EXPIRY, rest @ ..] => rest.get(8),
        key => key.first(),
    };
    let fleeting = [SESSION, SESSION_ID, HANDOVER, PENDING, LINK, ENROLMENT, FAMILY];
    kind.is_some_and(|kind| fleeting.contains(kind))
}

/// Whoever a link is for that is for nobody yet.
const NOBODY: UserId = UserId::from_bytes([0; 16]);

fn key(table: u8, rest: &[u8]) -> Vec<u8> {
    [&[table], rest].concat()
}

pub(super) fn user(id: UserId) -> Vec<u8> {
    key(USER, id.as_bytes())
}

pub(super) fn username(name: &str) -> Vec<u8> {
    key(USERNAME, name.as_bytes())
}

pub(super) fn email(address: &str) -> Vec<u8> {
    key(EMAIL, address.as_bytes())
}

pub(super) fn totp_step(id: UserId) -> Vec<u8> {
    key(TOTP_STEP, id.as_bytes())
}

pub(super) fn recovery(id: UserId) -> Vec<u8> {
    key(RECOVERY, id.as_bytes())
}

pub(super) fn failures(image: &[u8; 32]) -> Vec<u8> {
    key(FAILURES, image)
}

pub(super) fn session(digest: &TokenDigest) -> Vec<u8> {
    key(SESSION, digest.as_bytes())
}

pub(super) fn session_id(id: SessionId) -> Vec<u8> {
    key(SESSION_ID, id.as_bytes())
}

pub(super) fn handover(session: &TokenDigest) -> Vec<u8> {
    key(HANDOVER, session.as_bytes())
}

pub(super) fn pending(digest: &TokenDigest) -> Vec<u8> {
    key(PENDING, digest.as_bytes())
}

pub(super) fn link(digest: &TokenDigest) -> Vec<u8> {
    key(LINK, digest.as_bytes())
}

pub(super) fn browser(digest: &TokenDigest) -> Vec<u8> {
    key(BROWSER, digest.as_bytes())
}

pub(super) fn token(digest: &TokenDigest) -> Vec<u8> {
    key(TOKEN, digest.as_bytes())
}

pub(super) fn token_id(id: TokenId) -> Vec<u8> {
    key(TOKEN_ID, id.as_bytes())
}

pub(super) fn enrolment(session: &TokenDigest) -> Vec<u8> {
    key(ENROLMENT, session.as_bytes())
}

pub(super) fn family(digest: &TokenDigest) -> Vec<u8> {
    key(FAMILY, digest.as_bytes())
}

/// The failure counters whose keys begin so.
pub(super) fn failures_of(beginning: &[u8; 16]) -> Vec<u8> {
    key(FAILURES, beginning)
}

/// All that a person owns of one kind: [`SESSION`], [`PENDING`], [`TOKEN`] or [`LINK`].
pub(super) fn owned(user: UserId, kind: u8) -> Vec<u8> {
    [&[OWNED], user.as_bytes().as_slice(), &[kind]].concat()
}

pub(super) fn owned_one(user: UserId, kind: u8, digest: &TokenDigest) -> Vec<u8> {
    [owned(user, kind).as_slice(), digest.as_bytes()].concat()
}

/// The place of the one link of its kind. Both links that choose a password are of one kind: who
/// holds an old invitation must not overtake whoever was sent a newer link.
pub(super) fn owned_link(user: Option<UserId>, purpose: LinkPurpose) -> Vec<u8> {
    let kind = match purpose {
        LinkPurpose::Setup => b's',
        LinkPurpose::Invitation | LinkPurpose::NewPassword => b'p',
        LinkPurpose::NewSecondFactor => b'f',
    };
    [owned(user.unwrap_or(NOBODY), LINK).as_slice(), &[kind]].concat()
}

pub(super) fn expiry(at: Timestamp, row: &[u8]) -> Vec<u8> {
    [&[EXPIRY], at.as_secs().to_be_bytes().as_slice(), row].concat()
}

/// The second and the row that an expiry row speaks of.
pub(super) fn read_expiry(key: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (second, row) = key.get(1..)?.split_first_chunk::<8>()?;
    Some((Timestamp::from_secs(u64::from_be_bytes(*second)), row))
}

/// An entry of the audit trail.
pub(super) fn trail(seq: u64) -> Vec<u8> {
    key(TRAIL, &seq.to_be_bytes())
}

/// The digest a key ends on.
pub(super) fn last_digest(key: &[u8]) -> Option<TokenDigest> {
    key.last_chunk::<32>().map(|bytes| TokenDigest::from_bytes(*bytes))
}
