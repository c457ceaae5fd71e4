//! Every way a request can be refused before anybody asked who sent it.

/// Why a request is refused before it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Refusal {
    /// Two statements about the length of the body, or one nobody can be sure of.
    AmbiguousFraming,
    /// A `Content-Length` that is not one plain number.
    BadContentLength,
    /// A `Transfer-Encoding` other than one `chunked`.
    BadTransferEncoding,
    /// The request line is not `method SP target SP version`.
    BadRequestLine,
    /// A version other than HTTP/1.0 and HTTP/1.1.
    BadVersion,
    /// A method that is not registered, or that a gateway has no business forwarding.
    MethodNotAllowed,
    /// A target that is not a path, or that carries bytes no path has.
    BadTarget,
    /// A target beyond the limit.
    TargetTooLong,
    /// No host, several, or something that is not one.
    BadHost,
    /// HTTP/2: `:authority` and `host` disagree.
    HostMismatch,
    /// A line end other than CR LF, or a lone CR.
    BadLineEnding,
    /// A field line without a proper name: folded, empty, or with a space before the colon.
    BadFieldName,
    /// A control byte in a value, or a non-ASCII byte where none belongs.
    BadFieldValue,
    /// A head beyond the limit.
    HeadTooLarge,
    /// More fields than the limit.
    TooManyFields,
    /// An expectation other than `100-continue`.
    BadExpectation,
    /// A field some server would take for one of the gateway's own.
    AliasOfIdentityHeader,
    /// `Connection` names a field that must not be removed on a client's word.
    ConnectionNamesProtected,
    /// A chunk that is not one.
    BadChunk,
    /// Trailer fields that are malformed.
    BadTrailer,
    /// The head did not arrive in time.
    HeadTimeout,
    /// The body stopped arriving.
    BodyTimeout,
}

impl Refusal {
    /// The status, the stable code and the sentence: one row for each refusal.
    #[allow(clippy::enum_glob_use, reason = "a table reads better without a prefix on every row")]
    const fn row(self) -> (u16, &'static str, &'static str) {
        use Refusal::*;
        match self {
            AmbiguousFraming => {
                (400, "ambiguous_framing", "The length of the request body is ambiguous.")
            }
            BadContentLength => {
                (400, "bad_content_length", "Content-Length must be one plain number.")
            }
            BadTransferEncoding => (
                400,
                "bad_transfer_encoding",
                "The only transfer coding accepted is chunked, once.",
            ),
            BadRequestLine => (400, "bad_request_line", "The request line is malformed."),
            BadVersion => {
                (505, "bad_version", "Only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here.")
            }
            MethodNotAllowed => (405, "method_not_allowed", "This method is not accepted."),
            BadTarget => (
                400,
                "bad_target",
                "The request target must be a path of printable ASCII that starts with a slash.",
            ),
            TargetTooLong => (414, "target_too_long", "The request target is too long."),
            BadHost => (400, "bad_host", "The request must name exactly one valid host."),
            HostMismatch => {
                (400, "host_mismatch", "The host and the authority of the request differ.")
            }
            BadLineEnding => (400, "bad_line_ending", "Lines must end in CR LF."),
            BadFieldName => (400, "bad_field_name", "A header line is malformed."),
            BadFieldValue => (
                400,
                "bad_field_value",
                "A header value contains a byte that is not allowed there.",
            ),
            HeadTooLarge => (431, "head_too_large", "The request head is too large."),
            TooManyFields => (431, "too_many_fields", "The request has too many header fields."),
            BadExpectation => {
                (417, "bad_expectation", "The only expectation understood is 100-continue.")
            }
            AliasOfIdentityHeader => (
                400,
                "alias_of_identity_header",
                "A header name could be mistaken for one of the gateway's own.",
            ),
            ConnectionNamesProtected => (
                400,
                "connection_names_protected_header",
                "Connection names a header that is not the client's to remove.",
            ),
            BadChunk => (400, "bad_chunk", "The chunked body is malformed."),
            BadTrailer => (400, "bad_trailer", "The trailer section is malformed."),
            HeadTimeout => (408, "head_timeout", "The request head did not arrive in time."),
            BodyTimeout => (408, "body_timeout", "The request body did not arrive in time."),
        }
    }

    /// The HTTP status that tells the client.
    pub(crate) const fn status(self) -> u16 {
        self.row().0
    }

    /// The stable code for logs and metrics.
    pub(crate) const fn reason(self) -> &'static str {
        self.row().1
    }

    /// One plain sentence for people; it never repeats anything of the request.
    pub(crate) const fn sentence(self) -> &'static str {
        self.row().2
    }

    /// The reason phrase of the status line.
    pub(crate) const fn phrase(self) -> &'static str {
        match self.status() {
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            413 => "Content Too Large",
            414 => "URI Too Long",
            417 => "Expectation Failed",
            431 => "Request Header Fields Too Large",
            505 => "HTTP Version Not Supported",
            _ => "Bad Request",
        }
    }
}
