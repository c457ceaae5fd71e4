//! What whoever supervises the process is told: that it is ready, and that it is stopping.
//!
//! systemd names a datagram socket in `NOTIFY_SOCKET`: a path, or a name without a file, written
//! with an `@`. Where nobody wants to know, nothing is said; what cannot be said stops nothing.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Requests are taken. After a hand-over it is this process that counts.
pub(super) fn ready(status: &str, has_taken_over: bool) {
    let pid = std::process::id();
    let main = if has_taken_over { format!("MAINPID={pid}\n") } else { String::new() };
    tell(&format!("{main}READY=1\nSTATUS={status}"));
}

/// No more requests are taken, and those in flight are finished.
pub(super) fn stopping() {
    tell("STOPPING=1\nSTATUS=finishing what is in flight");
}

fn tell(message: &str) {
    if let Some(socket) = std::env::var_os("NOTIFY_SOCKET") {
        let _ = send(&socket, message);
    }
}

fn send(socket: &OsStr, message: &str) -> io::Result<usize> {
    let to = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &to)
}
