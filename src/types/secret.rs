//! A value that must not be seen.

use zeroize::{Zeroize, Zeroizing};

/// Holds a secret: wiped when dropped, impossible to print, compare or serialise by accident.
///
/// ```compile_fail
/// use vestibule::types::Secret;
/// println!("{:?}", Secret::new(String::from("hunter2")).reveal().len());
/// println!("{}", Secret::new(String::from("hunter2"))); // there is no Display
/// ```
///
/// ```compile_fail
/// use vestibule::types::Secret;
/// serde_json::to_string(&Secret::new(String::from("hunter2"))); // there is no Serialize
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into custody.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The one way to the value; a reader can search for every use of it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_an_ellipsis() {
        assert_eq!(format!("{:?}", Secret::new(String::from("hunter2"))), "Secret(…)");
    }
}
