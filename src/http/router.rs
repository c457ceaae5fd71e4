//! The table of pages and calls.
//!
//! Each is a line in it: method, path, handler, and how it is defended against other sites. There
//! is no way to write a line for a form without the defence of forms.

use crate::types::split_escape;
use http::Method;

/// How a line is defended against requests that other sites make a browser send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Csrf {
    /// It changes nothing that another site could wish for.
    Safe,
    /// No foreign origin, and the form's token.
    Form,
    /// No foreign origin. A body of JSON, which no form of another site can send, stands for the
    /// token.
    Call,
}

/// A line of the table.
#[derive(Debug)]
pub struct Entry<H> {
    method: Method,
    path: String,
    /// Who answers.
    pub handler: H,
    /// How it is defended.
    pub csrf: Csrf,
}

impl<H> Entry<H> {
    /// Something to look at.
    pub fn page(path: impl Into<String>, handler: H) -> Self {
        Self { method: Method::GET, path: path.into(), handler, csrf: Csrf::Safe }
    }

    /// What a form sends.
    pub fn form(path: impl Into<String>, handler: H) -> Self {
        Self { method: Method::POST, path: path.into(), handler, csrf: Csrf::Form }
    }

    /// A call. A segment of its path that is `{word}` stands for any segment that is not empty.
    pub fn call(method: Method, path: impl Into<String>, handler: H) -> Self {
        Self { method, path: path.into(), handler, csrf: Csrf::Call }
    }
}

/// What stood where a path has a `{word}`, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// What stood for this word; empty where the path does not have it.
    pub fn get(&self, word: &str) -> &str {
        self.0.iter().find(|(known, _)| known == word).map_or("", |(_, value)| value)
    }

    /// Reads a path by a pattern. What is fixed is compared byte for byte.
    fn of(pattern: &str, path: &str) -> Option<Self> {
        let (mut wanted, mut sent) = (pattern.split('/'), path.split('/'));
        let mut found = Vec::new();
        loop {
            match (wanted.next(), sent.next()) {
                (None, None) => return Some(Self(found)),
                (Some(wanted), Some(sent)) => match word(wanted) {
                    Some(word) => found.push((word.to_owned(), decode(sent)?)),
                    None => (wanted == sent).then_some(())?,
                },
                _ => return None,
            }
        }
    }
}

/// The word of a segment that is `{word}`.
fn word(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A segment without its escapes: clients write `@` and `+` in either way. One that is empty, not
/// UTF-8, or has escapes that are none, stands for nothing.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match *first {
            b'%' => split_escape(rest)?,
            plain => (plain, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// The table.
#[derive(Debug)]
pub struct Router<H>(Vec<Entry<H>>);

/// What the table says.
#[derive(Debug)]
pub enum Found<'t, H> {
    /// This line, and what stood for its words.
    Entry(&'t Entry<H>, Parameters),
    /// The path is there under other methods: the value of `Allow`.
    OtherMethods(String),
    /// Nothing.
    Nothing,
}

impl<H> Router<H> {
    /// A table of these lines. Of two that fit a path, the first is meant.
    pub const fn new(entries: Vec<Entry<H>>) -> Self {
        Self(entries)
    }

    /// Every line.
    pub fn entries(&self) -> impl Iterator<Item = &Entry<H>> {
        self.0.iter()
    }

    /// Finds a line. HEAD is answered as GET.
    pub fn find(&self, method: &Method, path: &str) -> Found<'_, H> {
        let sought = if method == Method::HEAD { &Method::GET } else { method };
        let mut others: Vec<&str> = Vec::new();
        for entry in &self.0 {
            let Some(parameters) = Parameters::of(&entry.path, path) else { continue };
            if entry.method == *sought {
                return Found::Entry(entry, parameters);
            }
            let both: &[&str] = match entry.method.as_str() {
                "GET" => &["GET", "HEAD"],
                other => &[other],
            };
            others.extend_from_slice(both);
        }
        if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Router<u8> {
        Router::new(vec![
            Entry::page("/login", 1),
            Entry::form("/login", 2),
            Entry::page("/account", 3),
            Entry::call(Method::GET, "/users/{name}", 4),
            Entry::call(Method::DELETE, "/users/{name}", 5),
            Entry::call(Method::POST, "/users/{name}/unlock", 6),
        ])
    }

    fn found(method: &str, path: &str) -> Result<(u8, String), String> {
        match table().find(&method.parse().unwrap(), path) {
            Found::Entry(entry, words) => Ok((entry.handler, words.get("name").to_owned())),
            Found::OtherMethods(allow) => Err(allow),
            Found::Nothing => Err(String::new()),
        }
    }

    fn line(handler: u8) -> Result<(u8, String), String> {
        Ok((handler, String::new()))
    }

    #[test]
    fn a_page_is_found_by_method_and_path_to_the_letter() {
        assert_eq!(found("GET", "/login"), line(1));
        assert_eq!(found("HEAD", "/login"), line(1));
        assert_eq!(found("POST", "/login"), line(2));
        for path in ["/login/", "/Login", "/%6cogin", "//login", "/login/..", ""] {
            assert_eq!(found("GET", path), Err(String::new()), "{path}");
        }
    }

    #[test]
    fn another_method_is_told_which_ones_there_are() {
        let allowed = |methods: &str| Err(methods.to_owned());
        assert_eq!(found("PUT", "/login"), allowed("GET, HEAD, POST"));
        assert_eq!(found("POST", "/account"), allowed("GET, HEAD"));
        assert_eq!(found("PATCH", "/users/ann"), allowed("GET, HEAD, DELETE"));
        assert_eq!(found("HEAD", "/users/ann/unlock"), allowed("POST"));
        assert_eq!(found("BREW", "/nothing"), allowed(""));
    }

    #[test]
    fn a_word_in_a_path_stands_for_one_segment() {
        let ann = |handler| Ok((handler, String::from("ann")));
        assert_eq!(found("GET", "/users/ann"), ann(4));
        assert_eq!(found("DELETE", "/users/ann"), ann(5));
        assert_eq!(found("POST", "/users/%61nn/unlock"), ann(6));
        let address = Ok((4, String::from("a+n@x.test")));
        assert_eq!(found("GET", "/users/a%2Bn%40x.test"), address);
        assert_eq!(found("GET", "/users/a+n@x.test"), address);
        for path in ["/users/", "/users", "/users/a/b", "/users/a%2", "/users/%ff", "/users/%+1"] {
            assert_eq!(found("GET", path), Err(String::new()), "{path}");
        }
        assert_eq!(found("GET", "/users/a%2Fb"), Ok((4, String::from("a/b"))));
    }
}
