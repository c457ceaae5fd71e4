//! One path, two readings.
//!
//! What the app receives is the raw path, byte for byte. What rules are asked about is the form in
//! which the most obliging server might read it. Where the two differ in more than spelling, a
//! rule that opens something must not match: [`PathView::is_canonical`] says so.

use std::borrow::Cow;

/// A request path (without query) and its canonical form.
#[derive(Debug, PartialEq, Eq)]
pub struct PathView<'a> {
    raw: &'a str,
    canonical: Cow<'a, str>,
    is_canonical: bool,
}

impl<'a> PathView<'a> {
    /// Reads a path that begins with a slash. Allocates only where it is not canonical.
    pub fn of(raw: &'a str) -> Self {
        if is_canonical(raw.as_bytes()) {
            return Self { raw, canonical: Cow::Borrowed(raw), is_canonical: true };
        }
        Self { raw, canonical: Cow::Owned(canonicalise(raw)), is_canonical: false }
    }

    /// As the client sent it.
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    /// As the most obliging server might read it.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Whether there is only one way to read it.
    pub const fn is_canonical(&self) -> bool {
        self.is_canonical
    }

    /// Whether the canonical form is `prefix` or lies below it, on a segment border.
    pub fn is_below(&self, prefix: &str) -> bool {
        below(&self.canonical, prefix).is_some()
    }

    /// As [`PathView::is_below`], whatever the case: some servers read paths so.
    pub fn is_below_in_any_case(&self, prefix: &str) -> bool {
        let prefix = prefix.trim_end_matches('/');
        self.canonical.split_at_checked(prefix.len()).is_some_and(|(start, rest)| {
            start.eq_ignore_ascii_case(prefix) && (rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// What follows `prefix` in the raw path: empty, or beginning with a slash.
    pub fn raw_below(&self, prefix: &str) -> Option<&'a str> {
        below(self.raw, prefix)
    }

    /// The raw path for an app that knows nothing of `prefix`. None where the raw path does not
    /// begin with it, and where what is left could be read as something else than what was judged:
    /// `/app/../app/x` lies below `/app`, and without it would be `/app/x` again.
    pub fn without(&self, prefix: &str) -> Option<&'a str> {
        let rest = self.raw_below(prefix)?;
        let rest = if rest.is_empty() { "/" } else { rest };
        // To many servers and browsers, what begins so names a host.
        if rest.starts_with("//") || rest.starts_with("/\\") {
            return None;
        }
        if self.is_canonical {
            return Some(rest);
        }
        let judged = below(&self.canonical, prefix)?;
        let judged = if judged.is_empty() { "/" } else { judged };
        (PathView::of(rest).canonical() == judged).then_some(rest)
    }
}

/// What follows `prefix` in `path`, on a segment border.
fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Whether no server could read the path otherwise: no empty or dot segments, no backslash,
/// parameter, fragment or control byte, and no escape for a byte that could stand for itself.
fn is_canonical(path: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(b"/") else { return false };
    let mut segments = rest.split(|c| *c == b'/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment.is_empty() && !is_last || segment == b"." || segment == b".." {
            return false;
        }
        if !segment_is_canonical(segment) {
            return false;
        }
    }
    true
}

fn segment_is_canonical(segment: &[u8]) -> bool {
    let mut rest = segment;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'%' => match after.split_at_checked(2) {
                Some((hex, after)) if unhex(hex).is_some_and(|c| !has_meaning(c)) => after,
                _ => return false,
            },
            b'\\' | b';' | b'#' | 0..=0x20 | 0x7f => return false,
            _ => after,
        };
    }
    true
}

/// Bytes whose escape some server undoes before it looks at the path.
fn has_meaning(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c < 0x20 || c == 0x7f || b"-._~/\\%;#".contains(&c)
}

fn unhex(pair: &[u8]) -> Option<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// Undoes everything that some server undoes: escapes (also of escapes), backslashes, parameters,
/// empty and dot segments, and what follows a fragment or NUL.
fn canonicalise(raw: &str) -> String {
    let mut path = raw.as_bytes().to_vec();
    // No server undoes more layers of escapes than this; a bound keeps the work linear.
    for _ in 0..8 {
        let Some(decoded) = decode_once(&path) else { break };
        path = decoded;
    }
    if let Some(end) = path.iter().position(|c| *c == b'#' || *c == 0) {
        path.truncate(end);
    }
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut is_directory = true;
    for segment in path.split(|c| *c == b'/' || *c == b'\\') {
        let segment = segment.split(|c| *c == b';').next().unwrap_or_default();
        is_directory = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    let mut canonical = String::from("/");
    canonical.push_str(&String::from_utf8_lossy(&segments.join(&b'/')));
    if is_directory && !segments.is_empty() {
        canonical.push('/');
    }
    canonical
}

/// One layer of escapes undone, or nothing where there is none left.
fn decode_once(path: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        let escape = after.split_at_checked(2).filter(|_| *first == b'%');
        match escape.and_then(|(hex, after)| Some((unhex(hex)?, after))) {
            Some((byte, after)) => {
                decoded.push(byte);
                rest = after;
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    (decoded.len() < path.len()).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_one_reading_is_kept_as_it_is() {
        for path in ["/", "/a/b", "/a/b/", "/a%20b", "/caf%C3%A9", "/.well-known/x", "/a..b/c.d"] {
            let view = PathView::of(path);
            assert!(view.is_canonical(), "{path}");
            assert_eq!(view.canonical(), path);
        }
    }

    #[test]
    fn a_path_with_two_readings_is_known_and_read_the_obliging_way() {
        for (path, canonical) in [
            ("//a", "/a"),
            ("/a//b", "/a/b"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/..", "/"),
            ("/../../b", "/b"),
            ("/a/%2e%2e/b", "/b"),
            ("/a/%252e%252e/b", "/b"),
            ("/a/%25252e./b", "/b"),
            ("/a%2fb", "/a/b"),
            ("/a%5Cb", "/a/b"),
            ("/a\\b", "/a/b"),
            ("/a;x=1/b", "/a/b"),
            ("/a/..;/b", "/b"),
            ("/%61dmin", "/admin"),
            ("/a#b", "/a"),
            ("/a%23b", "/a"),
            ("/a%00b", "/a"),
            ("/a%zz", "/a%zz"),
            ("/a%2", "/a%2"),
        ] {
            let view = PathView::of(path);
            assert!(!view.is_canonical(), "{path}");
            assert_eq!(view.canonical(), canonical, "{path}");
            assert_eq!(view.raw(), path);
        }
    }

    #[test]
    fn reading_a_canonical_form_again_changes_nothing() {
        for path in ["/a/%2e%2e/b", "//x//y/", "/a;b/../c", "/%61%2f..%5c"] {
            let once = PathView::of(path).canonical().to_owned();
            assert_eq!(PathView::of(&once).canonical(), once);
        }
    }

    #[test]
    fn a_prefix_ends_on_a_segment_border() {
        assert!(PathView::of("/api").is_below("/api"));
        assert!(PathView::of("/api/x").is_below("/api/"));
        assert!(PathView::of("/x/../api/y").is_below("/api"));
        assert!(!PathView::of("/apis").is_below("/api"));
        assert!(PathView::of("/anything").is_below("/"));
        assert_eq!(PathView::of("/api/x").raw_below("/api"), Some("/x"));
        assert_eq!(PathView::of("/x/../api").raw_below("/api"), None);
    }

    #[test]
    fn without_its_prefix_a_path_means_what_it_meant_with_it() {
        for (path, left) in [
            ("/app", "/"),
            ("/app/", "/"),
            ("/app/x//y%2f?", "/x//y%2f?"),
            ("/app/x/../y;z", "/x/../y;z"),
            ("/app/%2e%2e/app", ""),
            ("/app/../app/x", ""),
            ("/app/x/../../app/y", ""),
            ("/app/..;/app/y", ""),
            ("/app//x", ""),
            ("/app/\\x", ""),
            ("/%61pp/x", ""),
            ("//app/x", ""),
            ("/./app/x", ""),
            ("/app%2fx", ""),
            ("/apps", ""),
        ] {
            let left = (!left.is_empty()).then_some(left);
            assert_eq!(PathView::of(path).without("/app"), left, "{path}");
            assert_eq!(PathView::of(path).without("/app/"), left, "{path}");
        }
    }
}
