//! Hand-over: another binary takes the place of this one, and nobody who connects notices.
//!
//! ```text
//!        old                                   new
//!  SIGQUIT ─► starts it, with its sockets ──► reads the configuration, its files, the key
//!  serves on                            ◄──── prepared
//!  says in each answer that it is the last
//!  on its connection, for a moment
//!  accepts no more; answers what needs the
//!  store; lets go of the store        ────►   yours
//!                                             opens the store, accepts
//!  passes on what is under way        ◄────   serving
//! ```
//!
//! The sockets stay open all the time, so that who connects meanwhile waits and is not refused.
//! They go over a socket pair, which is the new one's standard input; nothing else tells the two
//! from strangers. Until "yours" the old one goes on as if nothing had happened, whatever becomes
//! of the new one. Afterwards it has no store and knows nobody: it passes on what it has let
//! through, for as long as the new one says that their sessions go on. It never opens the store
//! again; should the new one fail that late, it ends with a failure, for a supervisor to restart.

use super::RunError;
use super::doors::{Doors, Inherited};
use crate::proxy::Socket;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, getsockname, recvmsg, sendmsg,
};
use std::env;
use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net as unix_net;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Names the process that hands over: the parent of the one that finds it.
const VARIABLE: &str = "VESTIBULE_HANDOVER";

/// How long the new one may take for each of its steps.
const PATIENCE: Duration = Duration::from_secs(30);

/// As many sockets as one message carries.
const MOST: usize = 250;

/// The configuration and all it names are in order.
const PREPARED: u8 = b'p';
/// The store is free.
const YOURS: u8 = b'y';
/// Connections are accepted.
const SERVING: u8 = b's';

/// The new process, as the old one sees it.
pub(super) struct Successor {
    child: Child,
    talk: UnixStream,
}

impl Successor {
    /// Starts what now lies where this process was started from, with the same arguments.
    pub(super) fn start(doors: &Doors) -> io::Result<Self> {
        let (ours, theirs) = unix_net::UnixStream::pair()?;
        send(&ours, &doors.sockets())?;
        ours.set_nonblocking(true)?;
        let talk = UnixStream::from_std(ours)?;
        let mut command = Command::new(binary()?);
        command.args(env::args_os().skip(1)).env(VARIABLE, process::id().to_string());
        let child = command.stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
        Ok(Self { child, talk })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is prepared.
    pub(super) async fn is_prepared(&mut self) -> Result<(), String> {
        hear(&mut self.talk, PREPARED).await
    }

    /// Waits for as long as this for it to give up, which it should not.
    pub(super) async fn gives_up_within(&mut self, moment: Duration) -> bool {
        timeout(moment, self.talk.read_u8()).await.is_ok()
    }

    /// Tells it that the store is free, and waits until it serves.
    pub(super) async fn takes_over(&mut self) -> Result<(), String> {
        self.talk.write_u8(YOURS).await.map_err(|error| error.to_string())?;
        hear(&mut self.talk, SERVING).await
    }

    /// Ends it.
    pub(super) fn give_up(mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn hear(talk: &mut UnixStream, word: u8) -> Result<(), String> {
    match timeout(PATIENCE, talk.read_u8()).await {
        Ok(Ok(heard)) if heard == word => Ok(()),
        Ok(Ok(_)) => Err(String::from("it says something else than was expected")),
        Ok(Err(_)) => Err(String::from("it ended, and has said why")),
        Err(_) => Err(format!("it has said nothing for {} seconds", PATIENCE.as_secs())),
    }
}

/// Where this process was started from: not the file it was, since another may lie there now.
fn binary() -> io::Result<PathBuf> {
    let name = env::args_os().next().unwrap_or_default();
    if Path::new(&name).components().count() > 1 {
        return Ok(PathBuf::from(name));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(&name)).find(|at| at.is_file());
    found.map_or_else(env::current_exe, Ok)
}

/// The old process, as the new one sees it.
pub(super) struct Predecessor(UnixStream);

/// What this process was started with: sockets, and somebody who hands over, if anybody does. To be
/// called before there is any other thread.
pub(super) fn inherit() -> Result<(Option<unix_net::UnixStream>, Inherited), RunError> {
    if env::var_os(VARIABLE) != Some(OsString::from(parent_id().to_string())) {
        return Ok((None, Inherited::of_supervisor()?));
    }
    let fault = |error: io::Error| {
        RunError::sentence(format!("what the running gateway hands over cannot be read: {error}"))
    };
    let talk = io::stdin().as_fd().try_clone_to_owned().map_err(fault)?;
    let talk = unix_net::UnixStream::from(talk);
    let sockets = receive(&talk).map_err(fault)?;
    talk.set_nonblocking(true).map_err(fault)?;
    Ok((Some(talk), Inherited::of_predecessor(sockets).map_err(fault)?))
}

impl Predecessor {
    pub(super) fn over(talk: unix_net::UnixStream) -> Result<Self, RunError> {
        UnixStream::from_std(talk).map(Self).map_err(RunError::thread)
    }

    /// Says that all is prepared, and waits for the store.
    pub(super) async fn lets_go(&mut self) -> Result<(), RunError> {
        let told = self.0.write_u8(PREPARED).await;
        match told.and(self.0.read_u8().await) {
            Ok(YOURS) => Ok(()),
            _ => Err(RunError::sentence(String::from(
                "the running gateway did not hand over: it goes on, or has ended",
            ))),
        }
    }

    /// Says that connections are accepted.
    pub(super) async fn hears_of_serving(mut self) {
        // Whoever is gone need not know.
        let _ = self.0.write_u8(SERVING).await;
    }
}

/// Sends sockets, with as much else as the system asks for: one byte.
fn send(talk: &unix_net::UnixStream, sockets: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(sockets)) {
        return Err(io::Error::other(format!("there are more than {MOST} sockets")));
    }
    sendmsg(talk, &[IoSlice::new(&[0])], &mut ancillary, SendFlags::empty())?;
    Ok(())
}

/// Receives them; they are there before this process is.
fn receive(talk: &unix_net::UnixStream) -> io::Result<Vec<Socket>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(talk, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let sockets = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
        _ => None,
    });
    sockets.flatten().map(sorted).collect()
}

fn sorted(socket: OwnedFd) -> io::Result<Socket> {
    let is_unix = getsockname(&socket)?.address_family() == AddressFamily::UNIX;
    Ok(if is_unix { Socket::Unix(socket.into()) } else { Socket::Tcp(socket.into()) })
}
