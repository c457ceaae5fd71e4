//! How rows are written: a version byte, then JSON.
//!
//! A row that may expire has eight bytes more between the two: its place in the expiry index.
//! People and sign-ins under way have record types of their own here, apart from the domain's:
//! their secrets are sealed, each for its own field of its own row, so that a value that is moved
//! to another row does not open. Whoever changes the shape of a record raises [`VERSION`] and
//! teaches [`body`] the older one; a newer one is refused, never guessed at.

use super::{Awaited, EarlierStatements, Result, StoreError};
use crate::crypto::{
    Keyring, PasswordHash, RecoveryCode, Sealed, StatementRoot, TotpParams, TotpSecret,
};
use crate::domain::{PendingSignIn, SecondFactor, TotpFactor, User};
use crate::types::{DisplayName, Email, GroupName, Secret, Timestamp, UserId, Username};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The shape of every record written by this version. 2: sessions may be a program's. 3: password
/// hashes may be another program's.
const VERSION: u8 = 3;

/// The oldest shape that is still read; what it lacks has a default.
const OLDEST: u8 = 1;

/// Writes a record.
pub(super) fn pack(body: &impl Serialize) -> Result<Vec<u8>> {
    let mut row = vec![VERSION];
    append(&mut row, body)?;
    Ok(row)
}

/// Writes a record that stands in the expiry index under `due`.
pub(super) fn pack_until(due: Timestamp, body: &impl Serialize) -> Result<Vec<u8>> {
    let mut row = vec![VERSION];
    row.extend(due.as_secs().to_be_bytes());
    append(&mut row, body)?;
    Ok(row)
}

fn append(row: &mut Vec<u8>, body: &impl Serialize) -> Result<()> {
    serde_json::to_writer(row, body)
        .map_err(|error| StoreError::Corrupt(format!("a record cannot be written: {error}")))
}

/// Reads what [`pack`] wrote.
pub(super) fn unpack<T: DeserializeOwned>(what: &str, row: &[u8]) -> Result<T> {
    parse(what, body(what, row)?)
}

/// The text of a record: for lines that are hashed as they stand.
pub(super) fn text<'r>(what: &str, row: &'r [u8]) -> Result<&'r [u8]> {
    body(what, row)
}

/// Reads what [`pack_until`] wrote.
pub(super) fn unpack_until<T: DeserializeOwned>(what: &str, row: &[u8]) -> Result<T> {
    let (_, json) = split_due(body(what, row)?)?;
    parse(what, json)
}

/// Where a row written by [`pack_until`] stands in the expiry index.
pub(super) fn due(row: &[u8]) -> Result<Timestamp> {
    split_due(body("a row that expires", row)?).map(|(due, _)| due)
}

/// The same row under another place in the expiry index.
pub(super) fn with_due(row: &[u8], due: Timestamp) -> Result<Vec<u8>> {
    let (_, json) = split_due(body("a row that expires", row)?)?;
    Ok([&[VERSION], due.as_secs().to_be_bytes().as_slice(), json].concat())
}

fn split_due(body: &[u8]) -> Result<(Timestamp, &[u8])> {
    let (second, json) = body
        .split_first_chunk::<8>()
        .ok_or_else(|| StoreError::Corrupt(String::from("a row that expires is cut short")))?;
    Ok((Timestamp::from_secs(u64::from_be_bytes(*second)), json))
}

fn body<'r>(what: &str, row: &'r [u8]) -> Result<&'r [u8]> {
    match row.split_first() {
        Some((OLDEST..=VERSION, body)) => Ok(body),
        Some((version, _)) if *version > VERSION => Err(StoreError::Corrupt(format!(
            "{what} was written by a newer version of vestibule (record version {version}; \
             this one knows {VERSION} and older)"
        ))),
        _ => Err(StoreError::Corrupt(format!("{what} has no known record version"))),
    }
}

/// The parser's own words are left out: they may quote what the row says.
fn parse<T: DeserializeOwned>(what: &str, json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| {
        StoreError::Corrupt(format!("{what} does not parse, at byte {}", error.column()))
    })
}

/// The keys, and the row they seal for.
#[derive(Clone, Copy)]
pub(super) struct Seal<'s> {
    pub(super) keys: &'s Keyring,
    pub(super) row: &'s [u8],
}

impl Seal<'_> {
    fn close(self, field: &str, secret: &[u8]) -> Result<Sealed> {
        Ok(self.keys.seal(self.row, field, secret)?)
    }

    fn open<T>(
        self,
        field: &str,
        sealed: &Sealed,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<T> {
        let secret = self
            .keys
            .open(self.row, field, sealed)
            .map_err(|error| StoreError::Corrupt(format!("a {field}: {error}")))?;
        read(secret.reveal())
            .ok_or_else(|| StoreError::Corrupt(format!("a {field} opens to something else")))
    }
}

const PASSWORD: &str = "password hash";
const TOTP: &str = "TOTP secret";
const ENROLMENT: &str = "TOTP secret to be enrolled";
const HANDOVER: &str = "list of recovery codes";
const RETURN_TO: &str = "return address";
const STATEMENTS: &str = "signing key";

/// A [`TotpSecret`], sealed.
#[derive(Serialize, Deserialize)]
struct TotpRecord {
    secret: Sealed,
    params: TotpParams,
}

impl TotpRecord {
    fn of(secret: &TotpSecret, field: &str, seal: Seal<'_>) -> Result<Self> {
        Ok(Self { secret: seal.close(field, secret.bytes())?, params: secret.params() })
    }

    fn open(self, field: &str, seal: Seal<'_>) -> Result<TotpSecret> {
        seal.open(field, &self.secret, |bytes| TotpSecret::from_parts(bytes.to_vec(), self.params))
    }
}

/// A [`User`]. The id is in the key.
#[derive(Serialize, Deserialize)]
pub(super) struct UserRecord {
    username: Username,
    email: Option<Email>,
    display_name: Option<DisplayName>,
    groups: Vec<GroupName>,
    password: Option<Sealed>,
    totp: Option<(TotpRecord, Timestamp)>,
    disabled: bool,
    must_change_password: bool,
    enrol_by_link: bool,
    credentials: u64,
    created_at: Timestamp,
}

impl UserRecord {
    pub(super) fn username(self) -> Username {
        self.username
    }

    pub(super) fn of(user: &User, seal: Seal<'_>) -> Result<Self> {
        let password = user.password.as_ref();
        let password = password
            .map(|hash| seal.close(PASSWORD, hash.to_phc().reveal().as_bytes()))
            .transpose()?;
        let totp = user.totp.as_ref();
        let totp = totp
            .map(|factor| {
                TotpRecord::of(&factor.secret, TOTP, seal)
                    .map(|record| (record, factor.confirmed_at))
            })
            .transpose()?;
        Ok(Self {
            username: user.username.clone(),
            email: user.email.clone(),
            display_name: user.display_name.clone(),
            groups: user.groups.clone(),
            password,
            totp,
            disabled: user.disabled,
            must_change_password: user.must_change_password,
            enrol_by_link: user.enrol_by_link,
            credentials: user.credentials,
            created_at: user.created_at,
        })
    }

    pub(super) fn open(self, id: UserId, seal: Seal<'_>) -> Result<User> {
        let hash = |phc: &[u8]| PasswordHash::from_phc(std::str::from_utf8(phc).ok()?);
        let password =
            self.password.map(|sealed| seal.open(PASSWORD, &sealed, hash)).transpose()?;
        let factor = |(record, confirmed_at): (TotpRecord, _)| {
            record.open(TOTP, seal).map(|secret| TotpFactor { secret, confirmed_at })
        };
        Ok(User {
            id,
            username: self.username,
            email: self.email,
            display_name: self.display_name,
            groups: self.groups,
            password,
            totp: self.totp.map(factor).transpose()?,
            disabled: self.disabled,
            must_change_password: self.must_change_password,
            enrol_by_link: self.enrol_by_link,
            credentials: self.credentials,
            created_at: self.created_at,
        })
    }
}

/// A [`PendingSignIn`].
#[derive(Serialize, Deserialize)]
pub(super) struct PendingRecord {
    user: UserId,
    credentials: u64,
    password_at: Timestamp,
    second_factor: Option<(SecondFactor, Timestamp)>,
    may_enrol: bool,
    expires_at: Timestamp,
    remember: bool,
    /// Sealed: its query belongs to the app, and may hold what opens something there.
    return_to: Option<Sealed>,
    enrolment: Option<TotpRecord>,
}

impl PendingRecord {
    pub(super) fn of(pending: &PendingSignIn, seal: Seal<'_>) -> Result<Self> {
        let (return_to, enrolment) = (pending.return_to.as_ref(), pending.enrolment.as_ref());
        Ok(Self {
            user: pending.user(),
            credentials: pending.credentials(),
            password_at: pending.password_at(),
            second_factor: pending.second_factor(),
            may_enrol: pending.may_enrol(),
            expires_at: pending.expires_at(),
            remember: pending.remember,
            return_to: return_to.map(|to| seal.close(RETURN_TO, to.as_bytes())).transpose()?,
            enrolment: enrolment
                .map(|secret| TotpRecord::of(secret, ENROLMENT, seal))
                .transpose()?,
        })
    }

    pub(super) fn open(self, seal: Seal<'_>) -> Result<PendingSignIn> {
        let mut pending = PendingSignIn::restore(
            self.user,
            self.credentials,
            self.password_at,
            self.second_factor,
            self.may_enrol,
            self.expires_at,
        );
        pending.remember = self.remember;
        let text = |plain: &[u8]| std::str::from_utf8(plain).ok().map(str::to_owned);
        let return_to = self.return_to.map(|sealed| seal.open(RETURN_TO, &sealed, text));
        pending.return_to = return_to.transpose()?;
        pending.enrolment =
            self.enrolment.map(|record| record.open(ENROLMENT, seal)).transpose()?;
        Ok(pending)
    }
}

/// An [`Awaited`].
#[derive(Serialize, Deserialize)]
pub(super) struct AwaitedRecord {
    secret: TotpRecord,
    credentials: u64,
    until: Timestamp,
}

impl AwaitedRecord {
    pub(super) fn of(awaited: &Awaited, seal: Seal<'_>) -> Result<Self> {
        let Awaited { secret, credentials, until } = awaited;
        let secret = TotpRecord::of(secret, ENROLMENT, seal)?;
        Ok(Self { secret, credentials: *credentials, until: *until })
    }

    pub(super) fn open(self, seal: Seal<'_>) -> Result<Awaited> {
        let Self { secret, credentials, until } = self;
        Ok(Awaited { secret: secret.open(ENROLMENT, seal)?, credentials, until })
    }
}

/// Recovery codes on their way to the page that shows them.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct HandoverRecord(Sealed);

impl HandoverRecord {
    pub(super) fn of(codes: &[RecoveryCode], seal: Seal<'_>) -> Result<Self> {
        let texts: Vec<String> = codes.iter().map(RecoveryCode::reveal).collect();
        let list = Secret::new(texts.join(" "));
        seal.close(HANDOVER, list.reveal().as_bytes()).map(Self)
    }

    pub(super) fn open(&self, seal: Seal<'_>) -> Result<Vec<RecoveryCode>> {
        seal.open(HANDOVER, &self.0, |list| {
            let list = std::str::from_utf8(list).ok()?;
            list.split(' ').map(RecoveryCode::parse).collect()
        })
    }
}

/// What signed statements under earlier master keys.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct StatementsRecord(Vec<(Sealed, Timestamp, Timestamp)>);

impl StatementsRecord {
    pub(super) fn of(earlier: &[EarlierStatements], seal: Seal<'_>) -> Result<Self> {
        let sealed = |one: &EarlierStatements| {
            let root = seal.close(STATEMENTS, one.root.bytes())?;
            Ok((root, one.signs_until, one.shown_until))
        };
        earlier.iter().map(sealed).collect::<Result<_>>().map(Self)
    }

    pub(super) fn open(self, seal: Seal<'_>) -> Result<Vec<EarlierStatements>> {
        let root = |bytes: &[u8]| bytes.try_into().ok().map(Secret::new).map(StatementRoot::of);
        let open = |(sealed, signs_until, shown_until)| {
            let root = seal.open(STATEMENTS, &sealed, root)?;
            Ok(EarlierStatements { root, signs_until, shown_until })
        };
        self.0.into_iter().map(open).collect()
    }
}
