//! The wounds of others, tried on us: how gateways of this kind were broken, at every door.
//!
//! One module for each section of the page `wounds` of the crate's documentation, which names these
//! tests and those that were there before. Each test says which advisories it is about; a number
//! there means the weakness that was published under it, not that ours was ever the same program.

mod browser;
mod client;
mod codes;
mod forward;
mod frames;
mod framing;
mod host;
mod http2;
mod http2_floods;
mod identity;
mod operation;
mod passwords;
mod paths;
mod reset;
mod returns;
mod sessions;

use crate::forward::{DIALECTS, Kept};
use crate::harness::{House, Reply};

/// What comes of a request at the proxy of our own, and then in each dialect.
fn at_every_door(house: &House, kept: &Kept<'_>) -> [Reply; 4] {
    let Kept { method, host, target, fields } = kept;
    let own = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}");
    let [one, two, three] = DIALECTS.map(|dialect| crate::forward::ask(house, dialect, kept));
    [house.ask(&format!("{own}Connection: close\r\n\r\n")), one, two, three]
}

/// The statuses alone.
fn statuses(house: &House, kept: &Kept<'_>) -> [u16; 4] {
    at_every_door(house, kept).map(|reply| reply.status)
}
