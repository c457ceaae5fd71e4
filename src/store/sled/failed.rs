//! What goes wrong below, and whether it can pass.

use crate::store::StoreError;
use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static IN_THE_ENGINE: Cell<bool> = const { Cell::new(false) };
}

/// Calls sled, which panics on damaged files in unexpected places. Nothing comes back then, and
/// nothing is printed: whoever called says in words what it means.
pub(super) fn caught<T>(call: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !IN_THE_ENGINE.get() {
                usual(panic);
            }
        }));
    });
    let before = IN_THE_ENGINE.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    IN_THE_ENGINE.set(before);
    outcome.ok()
}

/// A write that failed.
pub(super) struct Failed {
    /// Reopening will help, once there is room.
    pub(super) for_want_of_room: bool,
    pub(super) why: String,
}

impl Failed {
    pub(super) fn for_good(why: String) -> Self {
        Self { for_want_of_room: false, why }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            return Self { for_want_of_room: true, why: String::from("the disk is full") };
        }
        Self::for_good(format!("the disk failed, and vestibule must be restarted: {error}"))
    }
}

impl From<::sled::Error> for Failed {
    fn from(error: ::sled::Error) -> Self {
        match error {
            ::sled::Error::Io(error) => error.into(),
            other => Self::for_good(format!(
                "the engine failed, and vestibule must be restarted: {other}"
            )),
        }
    }
}

/// What a read that failed is to the caller.
pub(super) fn on_reading(error: ::sled::Error) -> StoreError {
    match error {
        ::sled::Error::Corruption { .. } => damaged(),
        other => StoreError::Unavailable(other.to_string()),
    }
}

pub(super) fn damaged() -> StoreError {
    StoreError::Corrupt(String::from("the files of the store are damaged"))
}
