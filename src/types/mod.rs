//! Floor 0: the words everything else is written in.
//!
//! Each word is parsed once, at the door, and a value that exists is valid: a [`Username`] is
//! normalised, a [`Host`] is lower case and has no port, a [`Secret`] cannot be printed. Nothing
//! here reads a clock, rolls dice, opens a file or knows about any other floor.

mod addr;
mod cx;
mod host;
mod id;
mod line;
mod name;
mod path;
mod percent;
mod secret;
mod time;
mod token;

pub use addr::{ClientAddr, Network};
pub use cx::{RequestCx, RequestId};
pub use host::{Host, HostError, HostPattern, PublicUrl};
pub use id::{SessionId, TokenId, UserId};
pub use line::{is_method, is_target};
pub use name::{DisplayName, Email, GroupName, Login, NameError, Username};
pub use path::PathView;
pub use percent::{split_escape, unescaped};
pub use secret::Secret;
pub use time::{Clock, Timestamp};
pub use token::{Bearer, Prefix, TokenDigest};
