//! The table of pages.
//!
//! A page is a line in it: method, path, handler, and how it is defended against other sites.
//! There is no way to write a line for a form without the defence of forms.

use http::Method;

/// How a page is defended against requests that other sites make a browser send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Csrf {
    /// It changes nothing that another site could wish for.
    Safe,
    /// No foreign origin, and the form's token.
    Form,
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
}

/// The table.
#[derive(Debug)]
pub struct Router<H>(Vec<Entry<H>>);

/// What the table says.
#[derive(Debug)]
pub enum Found<'t, H> {
    /// This line.
    Entry(&'t Entry<H>),
    /// The path is there under other methods: the value of `Allow`.
    OtherMethods(&'static str),
    /// Nothing.
    Nothing,
}

impl<H> Router<H> {
    /// A table of these lines.
    pub const fn new(entries: Vec<Entry<H>>) -> Self {
        Self(entries)
    }

    /// Finds a line. HEAD is answered as GET; paths are compared byte for byte.
    pub fn find(&self, method: &Method, path: &str) -> Found<'_, H> {
        let sought = if method == Method::HEAD { &Method::GET } else { method };
        let under = |method: &Method| {
            self.0.iter().find(|entry| entry.path == path && entry.method == *method)
        };
        match (under(sought), under(&Method::GET), under(&Method::POST)) {
            (Some(entry), _, _) => Found::Entry(entry),
            (None, Some(_), Some(_)) => Found::OtherMethods("GET, HEAD, POST"),
            (None, Some(_), None) => Found::OtherMethods("GET, HEAD"),
            (None, None, Some(_)) => Found::OtherMethods("POST"),
            (None, None, None) => Found::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Result<(u8, Csrf), &'static str> {
        let table = Router::new(vec![
            Entry::page("/login", 1),
            Entry::form("/login", 2),
            Entry::page("/account", 3),
        ]);
        match table.find(&method.parse().unwrap(), path) {
            Found::Entry(entry) => Ok((entry.handler, entry.csrf)),
            Found::OtherMethods(allow) => Err(allow),
            Found::Nothing => Err(""),
        }
    }

    #[test]
    fn a_page_is_found_by_method_and_path_to_the_letter() {
        assert_eq!(found("GET", "/login"), Ok((1, Csrf::Safe)));
        assert_eq!(found("HEAD", "/login"), Ok((1, Csrf::Safe)));
        assert_eq!(found("POST", "/login"), Ok((2, Csrf::Form)));
        for path in ["/login/", "/Login", "/%6cogin", "//login", "/login/..", ""] {
            assert_eq!(found("GET", path), Err(""), "{path}");
        }
    }

    #[test]
    fn another_method_is_told_which_ones_there_are() {
        assert_eq!(found("PUT", "/login"), Err("GET, HEAD, POST"));
        assert_eq!(found("POST", "/account"), Err("GET, HEAD"));
        assert_eq!(found("BREW", "/nothing"), Err(""));
    }
}
