//! Netlink messages and the sockets they go through.
//!
//! A lab needs half a dozen of the kernel's messages. Their encoding is three integers in a row
//! and attributes behind them, which this file is; a crate for all of them would bring more code
//! to build than the rest of the lab.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto,
};

/// `NLM_F_REQUEST`.
const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: answer even if all went well.
pub(crate) const ACK: u16 = 0x4;
/// `NLM_F_DUMP`: all there are.
pub(crate) const DUMP: u16 = 0x300;
/// `NLM_F_CREATE`.
pub(crate) const CREATE: u16 = 0x400;
/// `NLM_F_EXCL`: fail if it is there already.
pub(crate) const EXCLUSIVE: u16 = 0x200;

/// `NLMSG_ERROR`: an error number, which may be zero.
const ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump.
const DONE: u16 = 3;

/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;

/// Bytes of the largest answer that is understood. The kernel sends dumps in pages.
const ANSWER: usize = 32 * 1024;

/// A message in the making.
#[derive(Debug)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(REQUEST | flags).to_ne_bytes());
        Self(bytes)
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.nest(kind, |message| {
            message.put(value);
        })
    }

    /// A text, which the kernel wants to end with a zero.
    pub(crate) fn text(&mut self, kind: u16, value: &str) -> &mut Self {
        self.nest(kind, |message| {
            message.put(value.as_bytes()).put(&[0]);
        })
    }

    pub(crate) fn nest(&mut self, kind: u16, inside: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.0.len();
        self.put(&[0; 2]).put(&kind.to_ne_bytes());
        inside(self);
        let len = (self.0.len() - start) as u16;
        self.0[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        // What follows stands at a multiple of four bytes.
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn finish(mut self, sequence: u32) -> Vec<u8> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.0
    }
}

/// A socket to one of the kernel's netlink families, in the namespace it was opened in.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    answer: Vec<u8>,
}

impl Socket {
    /// Opens a socket to a family; none is `NETLINK_ROUTE`.
    pub(crate) fn open(family: Option<Protocol>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let fd = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, family)?;
        rustix::net::bind(&fd, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self { fd, sequence: 0, answer: vec![0; ANSWER] })
    }

    /// Sends a message that has [`ACK`] or [`DUMP`] among its flags, or that is always answered
    /// by one message, and hands each message of the answer to `each`: its kind and its body.
    pub(crate) fn request(
        &mut self,
        message: Message,
        mut each: impl FnMut(u16, &[u8]),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let dump = message.0[7] & (DUMP >> 8) as u8 != 0;
        let acknowledged = message.0[6] & ACK as u8 != 0;
        let bytes = message.finish(self.sequence);
        sendto(&self.fd, &bytes, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        loop {
            let (len, _) = recv(&self.fd, &mut self.answer[..], RecvFlags::empty())?;
            for (kind, sequence, body) in messages(&self.answer[..len]) {
                if sequence != self.sequence {
                    continue;
                }
                match kind {
                    DONE => return Ok(()),
                    ERROR => return error(body),
                    kind => each(kind, body),
                }
                if !dump && !acknowledged {
                    return Ok(());
                }
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn error(body: &[u8]) -> io::Result<()> {
    match body.first_chunk().map(|number| i32::from_ne_bytes(*number)) {
        Some(0) => Ok(()),
        Some(negative) => Err(io::Error::from_raw_os_error(-negative)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Kind, sequence number and body of each message in `bytes`.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, u32, &[u8])> {
    std::iter::from_fn(move || {
        let header: &[u8; HEADER] = bytes.first_chunk()?;
        let [a, b, c, d, kind_low, kind_high, _, _, e, f, g, h, ..] = *header;
        let len = u32::from_ne_bytes([a, b, c, d]) as usize;
        let body = bytes.get(HEADER..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([kind_low, kind_high]), u32::from_ne_bytes([e, f, g, h]), body))
    })
}

/// Kind and value of each attribute in `bytes`.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [a, b, c, d] = *bytes.first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let value = bytes.get(4..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]), value))
    })
}

#[cfg(test)]
#[path = "netlink_tests.rs"]
mod tests;
