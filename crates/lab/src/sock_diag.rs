//! What the kernel says of its TCP sockets.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rustix::net::netlink::SOCK_DIAG;

use crate::error::{Error, Result};
use crate::netlink::{DUMP, Message, Socket, attributes};

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `IPPROTO_TCP`.
const TCP: u8 = 6;
/// `INET_DIAG_INFO`, as an attribute of an answer.
const INFO: u16 = 2;
/// `INET_DIAG_INFO`, as a bit of a question.
const WANT_INFO: u8 = 1 << (INFO - 1);

/// Bytes of `struct inet_diag_msg`.
const ANSWER: usize = 72;

/// A state of RFC 9293 §3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are the RFC's")]
pub enum State {
    Closed,
    Listen,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

impl State {
    /// From the kernel's number of it (`TCP_ESTABLISHED` is 1).
    fn from_kernel(number: u8) -> Self {
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            // 12 is a request, which the kernel keeps apart from a simultaneous open.
            3 | 12 => Self::SynReceived,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            _ => Self::Closed,
        }
    }

    /// The RFC's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the kernel says of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketInfo {
    /// Its state.
    pub state: State,
    /// Its address in the kernel.
    pub local: SocketAddr,
    /// Whom it is connected to; a listener has an unspecified address and port 0 here.
    pub remote: SocketAddr,
    /// Bytes that arrived and were not read; of a listener, connections that wait to be
    /// accepted.
    pub receive_queue: u32,
    /// Bytes that were not acknowledged; of a listener, how many connections may wait.
    pub send_queue: u32,
    /// What it measured, unless it is only half open or in TIME-WAIT.
    pub measured: Option<Measured>,
}

/// Some of the kernel's `struct tcp_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Smoothed round-trip time, in whole microseconds.
    pub rtt: Duration,
    /// Mean deviation of it, in whole microseconds.
    pub rtt_variation: Duration,
    /// Congestion window, in segments.
    pub congestion_window: u32,
    /// Segments that were sent again, in all.
    pub retransmitted: u32,
    /// Segments that are counted as lost now.
    pub lost: u32,
}

/// Asks the kernel for its TCP sockets, in the namespace this was opened in.
///
/// A question takes some microseconds, so that it can be asked at every packet.
#[derive(Debug)]
pub struct SockDiag {
    socket: Socket,
}

impl SockDiag {
    /// For the namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// The kernel was built without it.
    pub fn open() -> Result<Self> {
        let socket =
            Socket::open(Some(SOCK_DIAG)).map_err(Error::os("ask the kernel for sockets"))?;
        Ok(Self { socket })
    }

    /// The socket that a packet from `remote` to `local` would go to: the connection between
    /// the two, or else a listener; nothing where the kernel would answer with a reset.
    ///
    /// # Errors
    ///
    /// The addresses are of different families, or the kernel does not answer.
    pub fn socket(&mut self, local: SocketAddr, remote: SocketAddr) -> Result<Option<SocketInfo>> {
        let doing = "ask the kernel for a socket";
        if local.is_ipv4() != remote.is_ipv4() {
            return Err(Error::os(doing)(io::Error::from(io::ErrorKind::InvalidInput)));
        }
        let mut found = None;
        let question = question(local, remote, 0);
        match self.socket.request(question, |_, body| found = parse(body)) {
            Ok(()) => Ok(found),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::os(doing)(e)),
        }
    }

    /// The state of the connection between `local`, in the kernel, and `remote`, or of its
    /// listener; [`State::Closed`] if there is neither.
    ///
    /// # Errors
    ///
    /// As [`socket`](Self::socket).
    pub fn state(&mut self, local: SocketAddr, remote: SocketAddr) -> Result<State> {
        Ok(self.socket(local, remote)?.map_or(State::Closed, |socket| socket.state))
    }

    /// All TCP sockets.
    ///
    /// # Errors
    ///
    /// The kernel does not answer.
    pub fn sockets(&mut self) -> Result<Vec<SocketInfo>> {
        let mut found = Vec::new();
        for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            let any = SocketAddr::new(any, 0);
            let asked =
                self.socket.request(question(any, any, DUMP), |_, body| found.extend(parse(body)));
            match asked {
                Ok(()) => {}
                // A kernel without one of the two families says so here.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(Error::os("ask the kernel for its sockets")(e)),
            }
        }
        Ok(found)
    }
}

/// `struct inet_diag_req_v2`.
fn question(local: SocketAddr, remote: SocketAddr, flags: u16) -> Message {
    let mut message = Message::new(BY_FAMILY, flags);
    let family = if local.is_ipv4() { 2 } else { 10 };
    message.put(&[family, TCP, WANT_INFO, 0]);
    // In any state.
    message.put(&u32::MAX.to_ne_bytes());
    message.put(&local.port().to_be_bytes()).put(&remote.port().to_be_bytes());
    message.put(&address_bytes(local)).put(&address_bytes(remote));
    // On any interface, whatever its cookie.
    message.put(&[0; 4]).put(&[0xff; 8]);
    message
}

fn address_bytes(address: SocketAddr) -> [u8; 16] {
    match address.ip() {
        IpAddr::V4(ip) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&ip.octets());
            bytes
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// `struct inet_diag_msg` and the attributes behind it.
fn parse(body: &[u8]) -> Option<SocketInfo> {
    let (fixed, rest) = body.split_first_chunk::<ANSWER>()?;
    let port = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
    let address = |at: usize, port| {
        let (four, all) = (fixed[at..].first_chunk::<4>()?, fixed[at..].first_chunk::<16>()?);
        let ip = if fixed[0] == 2 { IpAddr::from(*four) } else { IpAddr::from(*all) };
        Some(SocketAddr::new(ip, port))
    };
    let info = attributes(rest).find(|(kind, _)| *kind == INFO);
    let state = State::from_kernel(fixed[1]);
    let synchronised = !matches!(state, State::Listen | State::SynReceived | State::TimeWait);
    Some(SocketInfo {
        state,
        local: address(8, port(4))?,
        remote: address(24, port(6))?,
        receive_queue: number(fixed, 56)?,
        send_queue: number(fixed, 60)?,
        measured: info.filter(|_| synchronised).and_then(|(_, info)| measured(info)),
    })
}

/// `struct tcp_info`.
fn measured(info: &[u8]) -> Option<Measured> {
    let micros = |at| number(info, at).map(|n| Duration::from_micros(n.into()));
    Some(Measured {
        rtt: micros(68)?,
        rtt_variation: micros(72)?,
        congestion_window: number(info, 80)?,
        retransmitted: number(info, 100)?,
        lost: number(info, 32)?,
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|n| u32::from_ne_bytes(*n))
}

#[cfg(test)]
#[path = "sock_diag_tests.rs"]
mod tests;
