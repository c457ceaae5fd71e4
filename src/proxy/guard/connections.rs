//! The connections that are open, and who has a place among them.
//!
//! No client may have more than a part of the room, and the last quarter of it is for those who
//! have little, so that a few cannot fill the house; the last sixteenth, for those who have next to
//! nothing. Where many do, connections on which nothing is under way give the last quarter back,
//! first those of the clients that have most.
//!
//! A request takes memory and a connection to its app, so each that is under way beside another on
//! its connection, as over HTTP/2, takes a place too.

use super::control::{ConnControl, lock};
use crate::proxy::hygiene::ProtectedNames;
use crate::types::ClientAddr;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// One client may have this part of all the room, however many others come.
const SHARE: usize = 8;

/// This part of the room is kept for those who have little.
const KEPT: usize = 4;

/// What one client may have in any case: a browser has no more to one host.
const LEAST: usize = 16;

/// This part of it, for those who have next to nothing.
const SPARED: usize = 16;

/// That is so many places.
const NEXT_TO_NOTHING: usize = 2;

/// What one connection may ask for at once, if there is room for that.
const STREAMS: u32 = 100;

/// As long as no more than so many places are taken, there is room for everybody.
const fn ample(max: usize) -> usize {
    max - max / KEPT
}

/// What one client may have of so much room.
fn share(max: usize) -> usize {
    LEAST.max(max / SHARE)
}

/// The same where so many places are taken.
fn share_beside(taken: usize, max: usize) -> usize {
    if taken < ample(max) {
        share(max)
    } else if taken < max - max / SPARED {
        LEAST
    } else {
        NEXT_TO_NOTHING
    }
}

/// Why somebody was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnedAway {
    /// There was no place left.
    Full,
    /// The client had its share of them.
    Share,
    /// No file was left to accept with.
    Files,
}

impl TurnedAway {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Full, Self::Share, Self::Files];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Share => "share",
            Self::Files => "files",
        }
    }
}

/// All connections that are open now.
#[derive(Debug)]
pub struct Connections {
    max: usize,
    next: AtomicU64,
    /// How many places are taken, to be looked at by anybody.
    taken: AtomicUsize,
    closing: AtomicBool,
    turned_away: [AtomicU64; TurnedAway::ALL.len()],
    open: Mutex<Open>,
}

/// The connections, and how many of them each client has.
#[derive(Debug, Default)]
struct Open {
    all: HashMap<u64, Arc<ConnControl>>,
    /// Requests beside others on their connection.
    further: usize,
    of: HashMap<ClientAddr, usize>,
}

impl Connections {
    /// Room for so many; one more is closed at once.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            next: AtomicU64::new(0),
            taken: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            turned_away: Default::default(),
            open: Mutex::default(),
        })
    }

    /// How many there may be.
    pub const fn max(&self) -> usize {
        self.max
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        lock(&self.open).all.len()
    }

    /// How many requests one connection may have under way: a client that keeps to it is not turned
    /// away as long as there is room for everybody.
    pub(crate) fn streams(&self) -> u32 {
        u32::try_from(share(self.max)).unwrap_or(u32::MAX).min(STREAMS)
    }

    /// Whether there is room left only for those who have little.
    pub(crate) fn is_crowded(&self) -> bool {
        self.taken.load(Ordering::Relaxed) >= ample(self.max)
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were turned away for this reason.
    pub fn turned_away(&self, why: TurnedAway) -> u64 {
        self.turned_away.get(why as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Whether something still has to be answered or decided.
    pub(crate) fn is_anybody_undecided(&self) -> bool {
        lock(&self.open).all.values().any(|control| control.is_undecided())
    }

    /// Each answer is the last one on its connection, or not any more.
    pub(crate) fn leave(&self, leaves: bool) {
        self.each(|control| control.leave(leaves));
    }

    /// Drain: idle connections end now, busy ones after their answer, new ones likewise.
    pub(crate) fn close_idle(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.each(ConnControl::close_when_idle);
    }

    /// Ends every connection at once.
    pub(crate) fn close_all(&self) {
        self.each(ConnControl::kill);
    }

    fn each(&self, act: impl Fn(&ConnControl)) {
        // Copied out, so that no task is woken under the lock it needs in order to leave.
        let all: Vec<_> = lock(&self.open).all.values().map(Arc::clone).collect();
        for control in &all {
            act(control);
        }
    }

    /// Frees the last quarter of the places, as far as those who have them are at rest. To be
    /// called several times a second: whoever comes meanwhile has that quarter.
    pub fn make_room(&self) {
        let leaving = lock(&self.open).in_the_way(ample(self.max));
        for control in leaving {
            control.give_way();
        }
    }

    /// A place for one more, unless the house is full or this client has its share. Nobody is
    /// counted where the peer speaks for many.
    pub(super) fn admit(
        self: &Arc<Self>,
        client: Option<ClientAddr>,
        protected: Arc<ProtectedNames>,
    ) -> Option<Slot> {
        let client = client.map(ClientAddr::site);
        let control = ConnControl::new(self, client, protected);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let theirs = Arc::clone(&control);
        self.take(|open| open.take(client, self.max).map(|()| drop(open.all.insert(id, theirs))))?;
        // Looked at after the insertion: whoever closes later finds this connection in the map.
        if self.closing.load(Ordering::SeqCst) {
            control.close_when_idle();
        }
        Some(Slot { house: self.clone(), id, control })
    }

    /// A place for a request beside others on its connection.
    pub(super) fn admit_further(self: &Arc<Self>, client: Option<ClientAddr>) -> Option<Further> {
        self.take(|open| open.take(client, self.max).map(|()| open.further += 1))?;
        Some(Further { house: Arc::clone(self), client })
    }

    /// Notes that somebody could not be accepted.
    pub(crate) fn turn_away(&self, why: TurnedAway) {
        if let Some(count) = self.turned_away.get(why as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&self, take: impl FnOnce(&mut Open) -> Result<(), TurnedAway>) -> Option<()> {
        let mut open = lock(&self.open);
        let outcome = take(&mut open);
        self.taken.store(open.taken(), Ordering::Relaxed);
        outcome.map_err(|why| self.turn_away(why)).ok()
    }

    fn free(&self, free: impl FnOnce(&mut Open)) {
        let mut open = lock(&self.open);
        free(&mut open);
        self.taken.store(open.taken(), Ordering::Relaxed);
    }
}

impl Open {
    /// How many places are taken.
    fn taken(&self) -> usize {
        self.all.len() + self.further
    }

    /// Counts one more place for a client, if there is one for it.
    fn take(&mut self, client: Option<ClientAddr>, max: usize) -> Result<(), TurnedAway> {
        let taken = self.taken();
        if taken >= max {
            return Err(TurnedAway::Full);
        }
        let Some(client) = client else { return Ok(()) };
        let theirs = self.of.entry(client).or_default();
        if *theirs >= share_beside(taken, max) {
            return Err(TurnedAway::Share);
        }
        *theirs += 1;
        Ok(())
    }

    fn give_back(&mut self, client: Option<ClientAddr>) {
        let Some(client) = client else { return };
        if let Entry::Occupied(mut theirs) = self.of.entry(client) {
            *theirs.get_mut() -= 1;
            if *theirs.get() == 0 {
                theirs.remove();
            }
        }
    }

    /// Those that are to give way, so that no more than so many are left. Whoever speaks for many
    /// is left alone.
    fn in_the_way(&self, limit: usize) -> Vec<Arc<ConnControl>> {
        if self.taken() <= limit {
            return Vec::new();
        }
        let (mut at_rest, mut leaving) = (Vec::new(), 0);
        // Whoever was told to and is served again stays for as long as that takes.
        for (id, control) in self.all.iter().filter(|(_, control)| control.is_at_rest()) {
            if control.gives_way() {
                leaving += 1;
            } else if let Some(client) = control.client() {
                let theirs = self.of.get(&client).copied().unwrap_or_default();
                // Of those with equally many, who came first.
                at_rest.push((Reverse(theirs), *id, control));
            }
        }
        let surplus = self.taken().saturating_sub(limit + leaving);
        at_rest.sort_unstable_by_key(|(theirs, id, _)| (*theirs, *id));
        at_rest.into_iter().take(surplus).map(|(.., control)| Arc::clone(control)).collect()
    }
}

/// A place in the register, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    house: Arc<Connections>,
    id: u64,
    pub(super) control: Arc<ConnControl>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.house.free(|open| {
            open.all.remove(&self.id);
            open.give_back(self.control.client());
        });
    }
}

/// The place of a request beside others on its connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Further {
    house: Arc<Connections>,
    client: Option<ClientAddr>,
}

impl Drop for Further {
    fn drop(&mut self) {
        self.house.free(|open| {
            open.further = open.further.saturating_sub(1);
            open.give_back(self.client);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Option<ClientAddr> {
        Some(ClientAddr::from(text.parse::<std::net::IpAddr>().unwrap()))
    }

    /// As many as this client gets.
    fn all_of(house: &Arc<Connections>, who: &str) -> Vec<Slot> {
        std::iter::from_fn(|| house.admit(client(who), Arc::default())).collect()
    }

    #[test]
    fn one_client_has_its_share_of_the_room_and_no_more() {
        let house = Connections::new(SHARE * 20);
        let full = |who: &str| {
            let held = all_of(&house, who);
            assert_eq!(held.len(), 20, "{who}");
            held
        };
        let held = [full("192.0.2.1"), full("2001:db8:0:100::1"), full("2001:db8:0:200::1")];
        for twin in ["::ffff:192.0.2.1", "2001:db8:0:100:ffff::2", "2001:db8:0:1ff::1"] {
            assert!(house.admit(client(twin), Arc::default()).is_none(), "{twin}");
        }
        assert_eq!(house.turned_away(TurnedAway::Share), 6);
        // Whoever speaks for many is held to the room alone.
        let many: Vec<_> = std::iter::from_fn(|| house.admit(None, Arc::default())).collect();
        assert_eq!((many.len(), house.turned_away(TurnedAway::Full)), (SHARE * 20 - 60, 1));
        drop((many, held));
        assert!(house.is_empty() && lock(&house.open).of.is_empty(), "somebody is remembered");
        drop(full("192.0.2.1"));
    }

    #[test]
    fn many_clients_that_take_all_they_get_leave_room_for_those_who_have_little() {
        let house = Connections::new(10_000);
        let crowd = |from: u32, size: u32| {
            let who = |n| format!("2001:db8:{n:x}::1");
            (from..from + size).map(|n| all_of(&house, &who(n))).collect::<Vec<_>>()
        };
        let greedy = crowd(0, 8);
        assert_eq!(greedy.iter().map(Vec::len).max(), Some(1250));
        assert_eq!(house.len(), 7_500 + 2 * LEAST, "they have more than all but the last quarter");
        let _more = crowd(8, 110);
        let late = all_of(&house, "198.51.100.1");
        assert_eq!(late.len(), LEAST);
        let _yet_more = crowd(200, 100);
        assert!(house.len() > 9_375, "there is more room than the last sixteenth");
        let latest = all_of(&house, "198.51.100.2");
        assert_eq!((latest.len(), house.turned_away(TurnedAway::Full)), (NEXT_TO_NOTHING, 0));
    }

    #[test]
    fn a_small_room_still_has_one_browser_in_it() {
        let house = Connections::new(LEAST + 1);
        assert_eq!(all_of(&house, "192.0.2.1").len(), LEAST);
    }

    #[test]
    fn those_at_rest_give_way_the_clients_that_have_most_first_and_nobody_who_is_served() {
        let house = Connections::new(100);
        let few: Vec<_> = all_of(&house, "192.0.2.1").into_iter().take(2).collect();
        let (most, proxy): (Vec<_>, Vec<_>) = (
            (2..5).flat_map(|n| all_of(&house, &format!("192.0.2.{n}"))).collect(),
            (0..30).filter_map(|_| house.admit(None, Arc::default())).collect(),
        );
        assert_eq!((most.len(), proxy.len()), (48, 30));
        most.iter().take(10).for_each(|slot| slot.control.note_asked(true));
        let giving = |slots: &[Slot]| slots.iter().filter(|s| s.control.gives_way()).count();
        house.make_room();
        assert_eq!((giving(&few), giving(&most), giving(&proxy)), (0, 5, 0));
        assert_eq!(giving(most.get(..10).unwrap()), 0, "somebody was in the midst of something");
        house.make_room();
        assert_eq!(giving(&most), 5, "those who leave are waited for");
        let asks = most.iter().find(|slot| slot.control.gives_way()).unwrap();
        asks.control.note_asked(true);
        house.make_room();
        assert_eq!(giving(&most), 6, "nobody is waited for who asked for something meanwhile");
    }
}
