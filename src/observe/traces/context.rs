//! The trace that a request belongs to, as it is told from one to the next: `traceparent` of W3C's
//! Trace Context.

use std::fmt;

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub trace: u128,
    pub span: u64,
    pub flags: u8,
}

/// The trace is kept by whoever sent this.
pub(super) const SAMPLED: u8 = 0b01;
/// The trace is called by chance.
const RANDOM: u8 = 0b10;

impl Context {
    /// Reads a field. One that is wrong in any way says nothing; what versions to come may write
    /// behind the four parts is passed over.
    pub(super) fn parse(field: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(field).ok()?.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = hex(version, 2)?;
        if version == 0xff || version == 0 && parts.next().is_some() {
            return None;
        }
        let (trace, span) = (hex(trace, 32)?, u64::try_from(hex(span, 16)?).ok()?);
        let flags = u8::try_from(hex(flags, 2)?).ok()? & (SAMPLED | RANDOM);
        (trace != 0 && span != 0).then_some(Self { trace, span, flags })
    }

    pub(super) const fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

/// So many digits, in lower case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == digits && text.bytes().all(is_digit))
        .then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_place_reads_back_as_it_was_written() {
        for flags in ["00", "01", "02", "03"] {
            let field = format!("00-{TRACE}-{SPAN}-{flags}");
            let context = Context::parse(field.as_bytes()).unwrap();
            assert_eq!(context.to_string(), field);
            assert_eq!(context.is_sampled(), flags.ends_with(['1', '3']));
        }
        // What is not known of flags is not passed on, and of later versions the four parts are.
        let later = format!("cc-{TRACE}-{SPAN}-ff-what-else");
        let context = Context::parse(later.as_bytes()).unwrap();
        assert_eq!(context.to_string(), format!("00-{TRACE}-{SPAN}-03"));
    }

    #[test]
    fn what_is_wrong_in_any_way_says_nothing() {
        let upper = TRACE.to_uppercase();
        let (no_trace, no_span) = ("0".repeat(32), "0".repeat(16));
        for field in [
            "",
            "00",
            "garbage",
            &format!("ff-{TRACE}-{SPAN}-01"),
            &format!("0-{TRACE}-{SPAN}-01"),
            &format!("00-{upper}-{SPAN}-01"),
            &format!("00-{no_trace}-{SPAN}-01"),
            &format!("00-{TRACE}-{no_span}-01"),
            &format!("00-{TRACE}-{SPAN}"),
            &format!("00-{TRACE}-{SPAN}-1"),
            &format!("00-{TRACE}-{SPAN}-01-more"),
            &format!("00-{TRACE}0-{SPAN}-01"),
            &format!("00-+{}-{SPAN}-01", &TRACE[1..]),
            &format!(" 00-{TRACE}-{SPAN}-01"),
            &format!("00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(Context::parse(field.as_bytes()), None, "{field:?}");
        }
        assert_eq!(Context::parse(b"\xff"), None);
    }
}
