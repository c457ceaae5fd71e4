//! What the first line of a request may say, wherever it is read: from the client itself, or in
//! what a proxy tells of a request that it keeps.

/// Whether a method is one that a gateway lets pass: all that are registered but CONNECT, TRACE
/// and PRI.
pub fn is_method(method: &[u8]) -> bool {
    matches!(
        method,
        b"GET"
            | b"HEAD"
            | b"POST"
            | b"PUT"
            | b"PATCH"
            | b"DELETE"
            | b"OPTIONS"
            | b"QUERY"
            | b"ACL"
            | b"BASELINE-CONTROL"
            | b"BIND"
            | b"CHECKIN"
            | b"CHECKOUT"
            | b"COPY"
            | b"LABEL"
            | b"LINK"
            | b"LOCK"
            | b"MERGE"
            | b"MKACTIVITY"
            | b"MKCALENDAR"
            | b"MKCOL"
            | b"MKREDIRECTREF"
            | b"MKWORKSPACE"
            | b"MOVE"
            | b"ORDERPATCH"
            | b"PROPFIND"
            | b"PROPPATCH"
            | b"REBIND"
            | b"REPORT"
            | b"SEARCH"
            | b"UNBIND"
            | b"UNCHECKOUT"
            | b"UNLINK"
            | b"UNLOCK"
            | b"UPDATE"
            | b"UPDATEREDIRECTREF"
            | b"VERSION-CONTROL"
    )
}

/// Whether a target is a path with an optional query, in printable ASCII. Whether the path is
/// canonical is another question.
///
/// Of the bytes that RFC 3986 leaves out, those are refused that the engine does not take either:
/// it would answer them itself, in its own name and past the log. Browsers escape all of them.
pub fn is_target(target: &[u8]) -> bool {
    if target.first() != Some(&b'/') {
        return false;
    }
    // A fold without early exit, so that the compiler can take sixteen bytes at a time.
    let clean = target.iter().fold(true, |ok, b| {
        ok & (*b > 0x20) & (*b < 0x7f) & (*b != b'#') & (*b != b'"') & (*b != b'<') & (*b != b'>')
    });
    clean && target.iter().take_while(|b| **b != b'?').all(|b| *b != b'`')
}
