//! One pass over the fields of a head, and what they say together about the body.

use super::{HeadLimits, ProtectedNames, Refusal, check_host};

/// The fields whose meaning decides something before the request is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Nothing special.
    Plain,
    /// `Cookie`, `Authorization`, `Proxy-Authorization`: ASCII only.
    Credential,
    /// `Host`.
    Host,
    /// `Content-Length`.
    ContentLength,
    /// `Transfer-Encoding`.
    TransferEncoding,
    /// `Expect`.
    Expect,
    /// `Connection`.
    Connection,
    /// `Upgrade`.
    Upgrade,
    /// `Keep-Alive`, `Proxy-Connection`, `HTTP2-Settings`: words between neighbours.
    HopByHop,
}

impl Field {
    /// Which field a name means.
    pub(crate) fn of(name: &[u8]) -> Self {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is(b"host") => Self::Host,
            6 if is(b"cookie") => Self::Credential,
            6 if is(b"expect") => Self::Expect,
            7 if is(b"upgrade") => Self::Upgrade,
            10 if is(b"connection") => Self::Connection,
            10 if is(b"keep-alive") => Self::HopByHop,
            13 if is(b"authorization") => Self::Credential,
            14 if is(b"content-length") => Self::ContentLength,
            14 if is(b"http2-settings") => Self::HopByHop,
            16 if is(b"proxy-connection") => Self::HopByHop,
            17 if is(b"transfer-encoding") => Self::TransferEncoding,
            19 if is(b"proxy-authorization") => Self::Credential,
            _ => Self::Plain,
        }
    }
}

/// How the body of a request is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFraming {
    /// There is none.
    None,
    /// By a count.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// What the fields seen so far amount to.
#[allow(clippy::struct_excessive_bools, reason = "what was seen so far, each by itself")]
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldScan {
    count: usize,
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
    upgrades: usize,
    websocket: bool,
    connection_upgrade: bool,
    hop_by_hop: bool,
}

impl FieldScan {
    /// Takes the next field; `value` may carry white space around it.
    pub(crate) fn field(
        &mut self,
        protected: &ProtectedNames,
        limits: &HeadLimits,
        name: &[u8],
        value: &[u8],
    ) -> Result<(), Refusal> {
        self.count += 1;
        if self.count > limits.fields {
            return Err(Refusal::TooManyFields);
        }
        let is_odd = look_at_name(name)?;
        let field = Field::of(name);
        check_value(value, field != Field::Plain)?;
        // Nearly every name in the world is letters, digits and hyphens.
        if (is_odd || protected.any_odd())
            && (protected.is_alias(name) || is_alias_of_framing(name))
        {
            return Err(Refusal::AliasOfIdentityHeader);
        }
        self.meaning(protected, field, trim(value))
    }

    fn meaning(
        &mut self,
        protected: &ProtectedNames,
        field: Field,
        value: &[u8],
    ) -> Result<(), Refusal> {
        match field {
            Field::Plain | Field::Credential => {}
            Field::HopByHop => self.hop_by_hop = true,
            Field::Host => {
                self.hosts += 1;
                check_host(value)?;
            }
            Field::ContentLength => {
                let length = parse_length(value).ok_or(Refusal::BadContentLength)?;
                if self.length.replace(length).is_some() {
                    return Err(Refusal::AmbiguousFraming);
                }
            }
            Field::TransferEncoding => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::BadTransferEncoding);
                }
                self.chunked = true;
            }
            Field::Expect => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Refusal::BadExpectation);
                }
            }
            Field::Connection => {
                for token in tokens(value) {
                    self.connection_upgrade |= token.eq_ignore_ascii_case(b"upgrade");
                    if protected.folds(token) || must_stay(token) {
                        return Err(Refusal::ConnectionNamesProtected);
                    }
                }
            }
            Field::Upgrade => {
                self.upgrades += 1;
                self.websocket = value.eq_ignore_ascii_case(b"websocket");
            }
        }
        Ok(())
    }

    /// The head is complete: what do the fields say together?
    pub(crate) fn finish(
        &self,
        http_10: bool,
        has_authority: bool,
    ) -> Result<BodyFraming, Refusal> {
        if self.hosts > 1 || (self.hosts == 0 && !has_authority) {
            return Err(Refusal::BadHost);
        }
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(Refusal::AmbiguousFraming),
            (true, None) if http_10 => Err(Refusal::BadTransferEncoding),
            (true, None) => Ok(BodyFraming::Chunked),
            (false, Some(0) | None) => Ok(BodyFraming::None),
            (false, Some(length)) => Ok(BodyFraming::Length(length)),
        }
    }

    /// Whether the fields ask for a WebSocket, and for nothing else; `get_11`: GET in HTTP/1.1.
    pub(crate) fn is_websocket(&self, get_11: bool, body: BodyFraming) -> bool {
        get_11
            && self.upgrades == 1
            && self.websocket
            && self.connection_upgrade
            && body == BodyFraming::None
    }

    /// Whether the head has lines between neighbours that must not go on.
    pub(crate) fn needs_rewriting(&self, websocket: bool) -> bool {
        self.hop_by_hop || ((self.upgrades > 0 || self.connection_upgrade) && !websocket)
    }
}

/// RFC 9110 token.
pub(crate) fn check_name(name: &[u8]) -> Result<(), Refusal> {
    look_at_name(name).map(drop)
}

/// As [`check_name`]; says whether the name is odd: whether it has bytes other than letters, digits
/// and hyphens. By a table, since every byte of every name is looked at.
fn look_at_name(name: &[u8]) -> Result<bool, Refusal> {
    let kind = |byte: &u8| BYTES.get(usize::from(*byte)).copied().unwrap_or(NO_TOKEN);
    let kinds = name.iter().fold(0, |kinds, byte| kinds | kind(byte));
    if name.is_empty() || kinds & NO_TOKEN != 0 {
        return Err(Refusal::BadFieldName);
    }
    Ok(kinds & ODD != 0)
}

/// A byte that no token has.
const NO_TOKEN: u8 = 1;
/// A byte of tokens that some server takes for another.
const ODD: u8 = 2;

/// What each byte is in a name.
static BYTES: [u8; 256] = {
    let mut kinds = [NO_TOKEN; 256];
    let mut rest: &mut [u8] = &mut kinds;
    let mut byte = 0_u8;
    while let Some((kind, after)) = rest.split_first_mut() {
        *kind = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => 0,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'.' | b'^'..=b'`' | b'|' | b'~' => ODD,
            _ => NO_TOKEN,
        };
        rest = after;
        byte = byte.wrapping_add(1);
    }
    kinds
};

/// No control byte but HTAB; no byte above ASCII where `ascii` is asked for.
pub(crate) fn check_value(value: &[u8], ascii: bool) -> Result<(), Refusal> {
    // All bytes together: which of them it was does not matter.
    let (mut control, mut all) = (false, 0);
    for byte in value {
        control |= ((*byte < 0x20) & (*byte != b'\t')) | (*byte == 0x7f);
        all |= *byte;
    }
    if control || ascii && all >= 0x80 { Err(Refusal::BadFieldValue) } else { Ok(()) }
}

/// Digits only, and none in front that says nothing: some would count by eights then. No more than
/// fit where others count with a sign.
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 || matches!(value, [b'0', _, ..]) {
        return None;
    }
    let length = value.iter().try_fold(0_i64, |sum, b| {
        if !b.is_ascii_digit() {
            return None;
        }
        sum.checked_mul(10)?.checked_add(i64::from(*b - b'0'))
    });
    length.and_then(|length| u64::try_from(length).ok())
}

/// `Content_Length` and `Transfer.Encoding` are framing to a CGI app.
fn is_alias_of_framing(name: &[u8]) -> bool {
    let like = |known: &[u8], at: usize| {
        name.len() == known.len()
            && name.get(at).is_some_and(|b| *b != b'-' && !b.is_ascii_alphanumeric())
            && name
                .iter()
                .zip(known)
                .enumerate()
                .all(|(i, (a, b))| i == at || a.eq_ignore_ascii_case(b))
    };
    like(b"content-length", 7) || like(b"transfer-encoding", 8)
}

/// Fields that are end to end whatever `Connection` says, or that frame the message.
fn must_stay(token: &[u8]) -> bool {
    matches!(
        Field::of(token),
        Field::Host | Field::Credential | Field::ContentLength | Field::TransferEncoding
    )
}

/// The value without white space around it.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The members of a comma-separated list, empty ones passed over.
pub(crate) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|b| *b == b',').map(trim).filter(|token| !token.is_empty())
}
