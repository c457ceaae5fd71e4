//! One message through the guard, for the targets in tests/fuzz: without a socket, and cut into
//! pieces wherever they like.

use super::framing::{Framing, Phase};
use super::head::rewrite;
use crate::proxy::hygiene::{HeadLimits, ProtectedNames, Refusal};
use std::sync::Arc;

/// A message that the guard let through.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Its head as the engine receives it.
    pub head: Vec<u8>,
    /// How many of the bytes it took in all.
    pub taken: usize,
    /// Whether it is there to its end.
    pub is_whole: bool,
    /// Whether it asks for a WebSocket.
    pub is_handshake: bool,
}

/// Reads a message whose bytes arrive in pieces that end at `cuts`; none where the head is not
/// there to its end, or why it is refused.
pub fn message(
    bytes: &[u8],
    cuts: &[usize],
    protected: &[&str],
) -> Result<Option<Message>, &'static str> {
    let protected = Arc::new(ProtectedNames::new(protected));
    let mut framing = Framing::new(protected, HeadLimits::default(), false);
    let (mut head, mut taken) = (None, 0);
    let began = framing.begin();
    debug_assert!(began, "a connection begins with a message");
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let arrived = bytes.get(..end).unwrap_or(bytes);
        if head.is_none() {
            head = framing.head(arrived).map_err(Refusal::reason)?;
            taken = head.as_ref().map_or(0, |head| head.end);
        }
        if head.is_some() {
            let fresh = arrived.get(taken..).unwrap_or_default();
            taken += framing.body(fresh).map_err(Refusal::reason)?;
        }
    }
    Ok(head.map(|found| {
        let head = bytes.get(found.skip..found.end).unwrap_or_default();
        let head = if found.rewrite { rewrite(head, found.websocket) } else { head.to_vec() };
        let is_whole = matches!(framing.phase(), Phase::Held { .. });
        Message { head, taken, is_whole, is_handshake: found.websocket }
    }))
}
