//! Why the gateway does not run, in one sentence each.

use std::fmt;
use std::io;
use std::path::Path;

/// Why the gateway does not run: a sentence that names what is at fault and what to do.
#[derive(Debug)]
pub struct RunError(String);

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RunError {}

impl RunError {
    pub(super) const fn sentence(text: String) -> Self {
        Self(text)
    }

    pub(super) const fn store(sentence: String) -> Self {
        Self(sentence)
    }

    pub(super) fn thread(error: io::Error) -> Self {
        Self(format!("the operating system gives no thread or socket: {error}"))
    }

    pub(super) fn file(what: &str, path: &Path, error: &io::Error) -> Self {
        Self(format!("cannot {what} {}: {error}", path.display()))
    }

    pub(super) fn listen(address: &str, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                ": something else listens there; stop it, or choose another address with --listen"
            }
            io::ErrorKind::PermissionDenied => {
                ": this user may not listen there; choose a port above 1023 with --listen"
            }
            _ => "",
        };
        Self(format!("cannot listen on {address}: {error}{advice}"))
    }
}
