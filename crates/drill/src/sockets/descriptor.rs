//! What descriptors stand for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use handclasp_stack::ConnId;
use handclasp_stack::listen::ListenerId;
use handclasp_tcp::Config;
use handclasp_wire::time::Instant;

use super::ready::Epoll;

pub(super) enum Descriptor {
    Socket(Box<Socket>),
    Epoll(Epoll),
}

/// How far a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Neither connected nor listening.
    Idle,
    Listening(ListenerId),
    Connecting(ConnId),
    Connected(ConnId),
}

/// A TCP socket.
pub(super) struct Socket {
    pub(super) state: State,
    pub(super) local: Option<SocketAddr>,
    pub(super) nonblocking: bool,
    pub(super) config: Config,
    /// How long `close` waits; zero resets the connection.
    pub(super) linger: Option<Duration>,
    /// Until when a `close` that began waits.
    pub(super) closing: Option<Instant>,
    /// Options that were set, for whoever asks for them again.
    pub(super) options: BTreeMap<(i64, i64), i64>,
    /// Why the connection failed was told.
    pub(super) error_told: bool,
    pub(super) read_shut: bool,
    pub(super) write_shut: bool,
}

impl Socket {
    pub(super) const fn new(config: Config, nonblocking: bool) -> Self {
        Self {
            state: State::Idle,
            local: None,
            nonblocking,
            config,
            linger: None,
            closing: None,
            options: BTreeMap::new(),
            error_told: false,
            read_shut: false,
            write_shut: false,
        }
    }

    /// The connection, once it was begun.
    pub(super) const fn connection(&self) -> Option<ConnId> {
        match self.state {
            State::Connecting(id) | State::Connected(id) => Some(id),
            State::Idle | State::Listening(_) => None,
        }
    }
}
