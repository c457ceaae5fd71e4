//! A strict reading of a request head, line by line as it arrives.

use crate::proxy::hygiene::{
    BodyFraming, Field, FieldScan, HeadLimits, ProtectedNames, Refusal, check_method, check_name,
    check_target, tokens,
};

/// Room in the request line for everything but the target.
const LINE_SLACK: usize = 64;

/// What a complete head amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Empty lines before it, which are not handed on.
    pub(super) skip: usize,
    /// Where it ends, counted from the first unread byte.
    pub(super) end: usize,
    /// How its body is delimited.
    pub(super) body: BodyFraming,
    /// Whether it asks for a WebSocket.
    pub(super) websocket: bool,
    /// Whether lines between neighbours must be taken out.
    pub(super) rewrite: bool,
}

/// The progress through one head.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    /// Start of the line that is not complete yet.
    line: usize,
    /// Bytes of that line already searched for its end.
    searched: usize,
    /// Bytes of the empty line before the request.
    skip: usize,
    has_request_line: bool,
    http_10: bool,
    get_11: bool,
    fields: FieldScan,
}

impl HeadScan {
    /// Looks at what has arrived since last time; `unread` starts with the head's first byte.
    ///
    /// Every verdict depends on the bytes up to the offending line's end alone, so that the way
    /// the network cut them cannot change it.
    pub(super) fn advance(
        &mut self,
        unread: &[u8],
        protected: &ProtectedNames,
        limits: &HeadLimits,
    ) -> Result<Option<Head>, Refusal> {
        loop {
            let rest = unread.get(self.line..).unwrap_or_default();
            let fresh = rest.get(self.searched..).unwrap_or_default();
            let found = memchr::memchr(b'\n', fresh);
            let length = found.map_or(rest.len(), |at| self.searched + at);
            if !self.has_request_line && length > limits.target + LINE_SLACK {
                return Err(Refusal::TargetTooLong);
            }
            // Its line feed counts, whether it is there yet or not.
            if self.line + length >= limits.head {
                return Err(Refusal::HeadTooLarge);
            }
            if found.is_none() {
                self.searched = length;
                return Ok(None);
            }
            self.line += length + 1;
            self.searched = 0;
            let line = rest.get(..length).unwrap_or_default();
            let Some((b'\r', line)) = line.split_last() else {
                return Err(Refusal::BadLineEnding);
            };
            if let Some(head) = self.take_line(line, protected, limits)? {
                return Ok(Some(head));
            }
        }
    }

    fn take_line(
        &mut self,
        line: &[u8],
        protected: &ProtectedNames,
        limits: &HeadLimits,
    ) -> Result<Option<Head>, Refusal> {
        match (self.has_request_line, line.is_empty()) {
            // Some clients send one line end too many after a body.
            (false, true) if self.skip == 0 => self.skip = 2,
            (false, true) => return Err(Refusal::BadRequestLine),
            (false, false) => self.request_line(line, limits)?,
            (true, false) => self.field_line(line, protected, limits)?,
            (true, true) => {
                let body = self.fields.finish(self.http_10, false)?;
                let websocket = self.fields.is_websocket(self.get_11, body);
                return Ok(Some(Head {
                    skip: self.skip,
                    end: self.line,
                    body,
                    websocket,
                    rewrite: self.fields.needs_rewriting(websocket),
                }));
            }
        }
        Ok(None)
    }

    fn request_line(&mut self, line: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
        let mut parts = line.split(|b| *b == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::BadRequestLine);
        };
        check_name(method).map_err(|_| Refusal::BadRequestLine)?;
        check_method(method)?;
        check_target(target, limits.target)?;
        self.http_10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ if version.starts_with(b"HTTP/") => return Err(Refusal::BadVersion),
            _ => return Err(Refusal::BadRequestLine),
        };
        self.get_11 = method == b"GET" && !self.http_10;
        self.has_request_line = true;
        Ok(())
    }

    fn field_line(
        &mut self,
        line: &[u8],
        protected: &ProtectedNames,
        limits: &HeadLimits,
    ) -> Result<(), Refusal> {
        // A folded line starts with white space and fails here as a name that is no token.
        let colon = memchr::memchr(b':', line).ok_or(Refusal::BadFieldName)?;
        let (name, value) = line.split_at(colon);
        self.fields.field(protected, limits, name, value.get(1..).unwrap_or_default())
    }
}

/// The validated head without the lines that concern only the two neighbours.
pub(super) fn rewrite(head: &[u8], websocket: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len());
    for line in head.split_inclusive(|b| *b == b'\n') {
        let mut parts = line.splitn(2, |b| *b == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next());
        match (Field::of(name), value) {
            (Field::HopByHop, Some(_)) => {}
            (Field::Upgrade, Some(_)) if !websocket => {}
            (Field::Connection, Some(value)) => {
                rewrite_connection(&mut out, name, value, websocket);
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}

fn rewrite_connection(out: &mut Vec<u8>, name: &[u8], value: &[u8], websocket: bool) {
    let value = value.strip_suffix(b"\r\n").unwrap_or(value);
    let mut first = true;
    for token in tokens(value) {
        let upgrade = token.eq_ignore_ascii_case(b"upgrade");
        if token.eq_ignore_ascii_case(b"http2-settings") || (upgrade && !websocket) {
            continue;
        }
        if first {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
        } else {
            out.extend_from_slice(b", ");
        }
        first = false;
        out.extend_from_slice(token);
    }
    if !first {
        out.extend_from_slice(b"\r\n");
    }
}
