//! Names a client must not come near: the headers the gateway speaks in.

/// The header names only the gateway may set, and the spellings some server folds into them.
///
/// CGI and its heirs turn every byte of a name that is neither letter nor digit into `_`, so
/// `Remote_User`, `Remote.User` and `Remote-User` are one name to the app. The exact name is
/// stripped later; any other spelling is refused, because stripping would need the same folding in
/// every place that strips.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ProtectedNames {
    names: Box<[Box<[u8]>]>,
    /// A protected name itself has an odd byte, so that a plain name can be its alias.
    any_odd: bool,
}

impl ProtectedNames {
    /// Built once a configuration; empty names (headers left out) are passed over.
    pub(crate) fn new<I, S>(names: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let names: Box<[Box<[u8]>]> = names
            .into_iter()
            .map(|name| name.as_ref().trim().to_ascii_lowercase().into_bytes())
            .filter(|name| !name.is_empty())
            .map(Vec::into_boxed_slice)
            .collect();
        let any_odd = names.iter().any(|name| is_odd(name));
        Self { names, any_odd }
    }

    /// Whether a name of letters, digits and hyphens alone can be an alias.
    pub(super) const fn any_odd(&self) -> bool {
        self.any_odd
    }

    /// Whether `name` folds to a protected name without being it.
    pub(crate) fn is_alias(&self, name: &[u8]) -> bool {
        self.folds(name) && !self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether `name` is a protected name in any spelling.
    pub(crate) fn folds(&self, name: &[u8]) -> bool {
        self.names.iter().any(|own| {
            own.len() == name.len() && own.iter().zip(name).all(|(a, b)| fold(*a) == fold(*b))
        })
    }
}

/// Whether the name has a byte other than letters, digits and hyphens.
fn is_odd(name: &[u8]) -> bool {
    name.iter().any(|b| !b.is_ascii_alphanumeric() && *b != b'-')
}

/// Letters without case, digits, and one byte for all the rest.
const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}
