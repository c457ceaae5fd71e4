//! Where connections come in: opened here, or taken over from whoever holds it already.
//!
//! A supervisor may hold sockets, so that none is ever closed (`LISTEN_FDS`, as systemd has it),
//! and so does the gateway that hands over to this one. They are told apart by where they listen.

use super::error::RunError;
use super::socket;
use crate::config::Config;
use crate::proxy::{Listen, Listener, Socket};
use listenfd::ListenFd;
use std::env;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

/// Where connections come in.
pub(super) struct Doors {
    pub(super) listeners: Vec<Listener>,
    pub(super) health: Option<Socket>,
    /// The administration socket, where it is open already.
    pub(super) admin: Option<Socket>,
}

impl Doors {
    /// Takes what is there, and opens the rest.
    pub(super) async fn open(config: &Config, mut there: Inherited) -> Result<Self, RunError> {
        let mut listeners = Vec::new();
        let speaks_tls = !config.proxy.tls.is_off();
        let encrypted = config.proxy.listen.iter().map(|at| (at, speaks_tls && at.is_tcp()));
        let plain = config.proxy.http_redirect.iter().map(|at| (at, false));
        for (listen, is_tls) in encrypted.chain(plain) {
            let opened = match there.take(listen) {
                Some(socket) => Ok(Listener::over(socket, is_tls)),
                None => Listener::bind(listen, is_tls).await,
            };
            listeners.push(opened.map_err(|error| RunError::listen(&listen.to_string(), &error))?);
        }
        let health = match config.admin_listen {
            Some(address) => Some(match there.take(&Listen::Tcp(address)) {
                Some(socket) => socket,
                None => socket::bind_health(address).await?,
            }),
            None => None,
        };
        let admin = there.take(&Listen::Unix(config.admin_socket.clone()));
        there.finish()?;
        Ok(Self { listeners, health, admin })
    }

    /// All of them, for whoever is to accept from them next.
    pub(super) fn sockets(&self) -> Vec<BorrowedFd<'_>> {
        let listeners = self.listeners.iter().map(Listener::socket);
        let others = self.health.iter().chain(&self.admin).map(Socket::as_fd);
        listeners.chain(others).collect()
    }
}

/// Sockets that somebody else has opened.
#[derive(Default)]
pub(super) struct Inherited {
    sockets: Vec<Socket>,
    /// Whether one that nothing asks for is a mistake.
    is_exact: bool,
}

impl Inherited {
    /// Those of the gateway that hands over to this one: what is not asked for any more is closed.
    pub(super) fn of_predecessor(sockets: Vec<Socket>) -> io::Result<Self> {
        let all = Self { sockets, is_exact: false };
        all.sockets.iter().try_for_each(unblock)?;
        Ok(all)
    }

    /// Those that a supervisor holds, where they are for this process.
    pub(super) fn of_supervisor() -> Result<Self, RunError> {
        let for_whom = env::var("LISTEN_PID").ok().and_then(|pid| pid.parse().ok());
        if for_whom != Some(std::process::id()) {
            return Ok(Self::default());
        }
        let mut held = ListenFd::from_env();
        let sockets =
            (0..held.len()).map(|number| take(&mut held, number)).collect::<Result<_, _>>()?;
        Ok(Self { sockets, is_exact: true })
    }

    fn take(&mut self, listen: &Listen) -> Option<Socket> {
        let at = self.sockets.iter().position(|socket| socket.is_at(listen))?;
        Some(self.sockets.swap_remove(at))
    }

    fn finish(self) -> Result<(), RunError> {
        match self.sockets.first() {
            Some(socket) if self.is_exact => Err(RunError::sentence(format!(
                "the supervisor hands over a socket for {socket}, where nothing is to listen: \
                 write the same address in server.listen, http_redirect or admin_listen, or take it out of the supervisor's"
            ))),
            _ => Ok(()),
        }
    }
}

/// Accepting from it must wait for nobody.
fn unblock(socket: &Socket) -> io::Result<()> {
    match socket {
        Socket::Tcp(socket) => socket.set_nonblocking(true),
        Socket::Unix(socket) => socket.set_nonblocking(true),
    }
}

fn take(held: &mut ListenFd, number: usize) -> Result<Socket, RunError> {
    let tcp = held.take_tcp_listener(number).map(|socket| socket.map(Socket::Tcp));
    let socket = tcp.or_else(|_| held.take_unix_listener(number).map(|s| s.map(Socket::Unix)));
    let fault = |why: &str| {
        let number = number + 1;
        RunError::sentence(format!(
            "socket {number} of those that the supervisor hands over is of no use ({why}): hand over stream sockets that are listened on"
        ))
    };
    let socket = socket.map_err(|error| fault(&error.to_string()))?;
    let socket = socket.ok_or_else(|| fault("it is not there"))?;
    unblock(&socket).map_err(|error| fault(&error.to_string()))?;
    Ok(socket)
}
