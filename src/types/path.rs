//! One path, two readings.
//!
//! What the app receives is the raw path, byte for byte. What rules are asked about is the text
//! that the most obliging server might read in it: one text for all spellings, without escapes.
//! Where a path could be read as something else as well, a rule that opens something must not
//! match: [`PathView::is_canonical`] says so. And where a path climbs, servers end up in different
//! places; whichever it is, its names are among those of the path and in their order.

mod letters;

use super::percent::{split_escape, unescaped};
use letters::{decoded, is_plain};
use std::borrow::Cow;
use unicode_normalization::is_nfkc;

/// A request path (without query) and its canonical form.
#[derive(Debug, PartialEq, Eq)]
pub struct PathView<'a> {
    raw: &'a str,
    canonical: Cow<'a, str>,
    /// The canonical form in lower case: some servers know no other.
    folded: Cow<'a, str>,
    is_canonical: bool,
    /// The names in it, if it climbs: every place that it might lead to is made of some of these.
    names: Vec<String>,
}

impl<'a> PathView<'a> {
    /// Reads a path that begins with a slash. Allocates only where it is not plain.
    pub fn of(raw: &'a str) -> Self {
        let is_canonical = is_canonical(raw.as_bytes());
        if is_canonical && !raw.contains('%') && raw.is_ascii() {
            let (canonical, folded) = (Cow::Borrowed(raw), fold(raw));
            return Self { raw, canonical, folded, is_canonical, names: Vec::new() };
        }
        let text = decoded(raw);
        let canonical = canonicalise(&text);
        // Letters that some server takes for others are two readings as well.
        let is_canonical = is_canonical && spells(raw, &canonical);
        let folded = Cow::Owned(fold(&canonical).into_owned());
        let (canonical, names) = (Cow::Owned(canonical), names_passed(&text));
        Self { raw, canonical, folded, is_canonical, names }
    }

    /// As the client sent it.
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    /// As the most obliging server might read it.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// As a server might read it that does not tell upper from lower case.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether there is only one way to read it.
    pub const fn is_canonical(&self) -> bool {
        self.is_canonical
    }

    /// Whether the canonical form is `prefix` or lies below it, on a segment border. Escapes in the
    /// prefix stand for what they stand for in a path.
    pub fn is_below(&self, prefix: &str) -> bool {
        below(&self.canonical, &plain(prefix)).is_some()
    }

    /// Whether it climbs, so that servers may disagree about where it leads.
    pub fn climbs(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether some server might read it as `prefix` or below, whatever the case: some read so.
    pub fn may_be_below(&self, prefix: &str) -> bool {
        let prefix = plain(prefix);
        let prefix = fold(&prefix);
        if below(&self.folded, &prefix).is_some() {
            return true;
        }
        let mut passed = self.names.iter();
        let mut wanted = prefix.split('/').filter(|name| !name.is_empty());
        self.climbs() && wanted.all(|name| passed.any(|other| other == name))
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

/// A path as it was written in a configuration, as rules compare it.
fn plain(path: &str) -> Cow<'_, str> {
    if path.contains('%') { Cow::Owned(canonicalise(&decoded(path))) } else { Cow::Borrowed(path) }
}

/// In lower case; as it is where it is so already.
fn fold(text: &str) -> Cow<'_, str> {
    let is_folded = text.bytes().all(|c| c.is_ascii() && !c.is_ascii_uppercase());
    // Some compare what both are in upper case; and to some, an i is one with and without its dot.
    let folded = || text.replace(['\u{130}', '\u{131}'], "i").to_uppercase().to_lowercase();
    if is_folded { Cow::Borrowed(text) } else { Cow::Owned(folded()) }
}

/// What follows `prefix` in `path`, on a segment border.
fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Whether no server could read the path otherwise: no empty or dot segments, none that ends in
/// dots or spaces, no backslash, parameter, fragment or control byte, and no escape for a byte that
/// could stand for itself or that means something.
fn is_canonical(path: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(b"/") else { return false };
    let mut segments = rest.split(|c| *c == b'/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment.is_empty() && !is_last || segment.ends_with(b".") || segment.ends_with(b"%20") {
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
            b'%' => match split_escape(rest) {
                Some((byte, after)) if !has_meaning(byte) => after,
                _ => return false,
            },
            b'\\' | b';' | b'#' | b'?' | 0..=0x20 | 0x7f => return false,
            _ => after,
        };
    }
    true
}

/// Bytes that stand for themselves in a path or mean something in it: who escapes them hides them.
fn has_meaning(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c < 0x20 || c == 0x7f || b"-._~/\\%;#?!$&'()*+,=:@".contains(&c)
}

/// Whether the text is what the path spells, letter by letter, and has no sign in it that some
/// server might take for another.
fn spells(raw: &str, text: &str) -> bool {
    let is_read_alike = is_nfkc(text) && text.chars().all(is_plain);
    is_read_alike
        && unescaped(raw.as_bytes()) == text.as_bytes()
        && !text.split('/').any(hides_dots)
}

/// Whether a segment is dots to a server that drops the letters its own set lacks.
fn hides_dots(segment: &str) -> bool {
    let mut left = segment.chars().filter(char::is_ascii).peekable();
    left.peek().is_some() && left.all(|c| c == '.')
}

/// Undoes what else some server undoes: backslashes, parameters, empty and dot segments, and what
/// follows a fragment or NUL.
fn canonicalise(text: &str) -> String {
    let text = text.split(['#', '?', '\0']).next().unwrap_or_default();
    let mut segments: Vec<&str> = Vec::new();
    let mut is_directory = true;
    for segment in text.split(['/', '\\']) {
        let segment = segment.split(';').next().unwrap_or_default();
        let name = name_in(segment);
        is_directory = name.is_empty();
        match segment {
            ".." => drop(segments.pop()),
            _ if name.is_empty() => {}
            _ => segments.push(name),
        }
    }
    let mut canonical = String::from("/");
    canonical.push_str(&segments.join("/"));
    if is_directory && !segments.is_empty() {
        canonical.push('/');
    }
    canonical
}

/// What a segment names: some servers do not see dots and spaces at its end, nor, to patterns that
/// end with it, a line feed or the like.
fn name_in(segment: &str) -> &str {
    segment.trim_end_matches(|c: char| c == '.' || c.is_whitespace() || c.is_control())
}

/// All names in a path that climbs somewhere, in lower case; none if it does not.
fn names_passed(text: &str) -> Vec<String> {
    let segments = || {
        let segments = text.split(['/', '\\']);
        segments.map(|segment| segment.split([';', '#', '?', '\0']).next().unwrap_or_default())
    };
    let climbs = |segment: &str| name_in(segment).is_empty() && segment.matches('.').count() > 1;
    if !segments().any(climbs) {
        return Vec::new();
    }
    segments()
        .map(name_in)
        .filter(|name| !name.is_empty())
        .map(|name| fold(name).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_one_reading_is_read_as_what_it_spells() {
        for (path, text) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("/a%20b", "/a b"),
            ("/caf%C3%A9", "/caf\u{e9}"),
            ("/caf%c3%a9/x", "/caf\u{e9}/x"),
            ("/.well-known/x", "/.well-known/x"),
            ("/a..b/c.d", "/a..b/c.d"),
            ("/Special:Export", "/Special:Export"),
            ("/%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80", "/हिन्दी"),
            ("/%E6%9D%8E", "/李"),
            ("/a%5Bb%5D", "/a[b]"),
        ] {
            let view = PathView::of(path);
            assert!(view.is_canonical(), "{path}");
            assert_eq!(view.canonical(), text);
        }
    }

    #[test]
    fn signs_that_some_server_does_not_see_hide_no_name_and_open_nothing() {
        for path in [
            "/admin%0a",
            "/admin%0D",
            "/admin%09/x",
            "/admin%1f",
            "/admin%c2%85",
            "/admin%20%0a.",
            "/adm%C4%B1n",
            "/ADM%C4%B0N",
            "/adm%CD%8Fin",
            "/admin%EF%B8%8F",
            "/ad%C2%ADmin",
            "/a%E2%80%8Bdmin",
            "/ad%81min",
            "/admin%ff",
            "/ADMIN%0A/x",
        ] {
            let view = PathView::of(path);
            // Those with a letter of another language are plain names of something else, too.
            assert!(view.is_canonical() == path.contains("%C4"), "{path}: {view:?}");
            assert!(view.may_be_below("/admin"), "{path}: {view:?}");
        }
        for path in [
            "/open/..%CD%8F/secret",
            "/open/..%EF%B8%8F",
            "/open/..%E6%9D%8E/x",
            "/open/.%E6%9D%8E",
            "/open/..%E1%85%9F",
            "/open/..%F3%A0%84%80/x",
        ] {
            assert!(!PathView::of(path).is_canonical(), "{path}");
        }
    }

    #[test]
    fn escapes_in_a_prefix_stand_for_what_they_stand_for_in_a_path() {
        for path in ["/caf%C3%A9", "//caf%C3%A9", "/%63af%c3%a9;x", "/x/../caf%C3%A9/y"] {
            assert!(PathView::of(path).is_below("/caf%C3%A9"), "{path}");
        }
        assert!(PathView::of("/CAF%C3%89").may_be_below("/caf%C3%A9"));
        assert!(!PathView::of("/cafe").is_below("/caf%C3%A9"));
    }

    #[test]
    fn a_path_that_climbs_may_lead_to_whatever_its_names_spell_in_order() {
        for path in [
            "/x/../a/b",
            "/a/../b",
            "/a//../b",
            "/a/;/../b",
            "/A/%252e%252e/b",
            "/a%3f/../b",
            "/x%3f/../a/b",
            "/x/..%20/a/b",
            "/x/.../a/y/b/z",
        ] {
            let view = PathView::of(path);
            assert!(view.climbs() && view.may_be_below("/a/b"), "{path}");
            assert!(view.may_be_below("/B"), "{path}");
            assert!(!view.may_be_below("/b/a") && !view.may_be_below("/ab"), "{path}");
        }
        for path in ["/x/a/b", "/a/x/b", "/a../b", "/a;..;/b", "/./x/b"] {
            let view = PathView::of(path);
            assert!(!view.climbs() && !view.may_be_below("/b"), "{path}");
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
            ("/a?b", "/a"),
            ("/a%23b", "/a"),
            ("/a%00b", "/a"),
            ("/Special%3AExport", "/Special:Export"),
            ("/%40private", "/@private"),
            ("/admin%3fx", "/admin"),
            ("/x/%c0%ae%c0%ae/admin", "/admin"),
            ("/%c1%a1dmin", "/admin"),
            ("/admin.", "/admin"),
            ("/admin%20", "/admin"),
            ("/admin.%20/x", "/admin/x"),
            ("/%EF%BD%81dmin", "/admin"),
            ("/a/.../b", "/a/b"),
            ("/x/%e0%80%ae%e0%80%ae/admin", "/admin"),
            ("/%f0%80%81%a1dmin", "/admin"),
            ("/%u0061dmin", "/admin"),
            ("/x%u2215..%U005cadmin", "/admin"),
            ("/x/..%e2%88%95admin", "/admin"),
            ("/x/..%c2%a5admin", "/admin"),
            ("/x/..%ef%bf%a5admin", "/admin"),
            ("/a%e2%80%93b", "/a–b"),
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
