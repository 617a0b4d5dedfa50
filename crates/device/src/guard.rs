//! Keeping the kernel from resetting connections that are made by hand with its own address.
//!
//! The kernel knows nothing of such a connection and answers the peer's segments with RST
//! (RFC 9293 §3.10.7.1). A [`Guard`] drops those resets, and nothing else: a rule of nftables
//! for each pair of sockets, in a table that the kernel removes with the guard's netlink socket,
//! however the process ends. Packets from packet sockets do not pass such rules.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

use crate::interface::explained;

/// `NFPROTO_INET`: both versions of IP.
const INET: u8 = 1;

/// Messages of nf_tables, with its number among netfilter's subsystems.
mod kind {
    pub(super) const BATCH_BEGIN: u16 = 0x10;
    pub(super) const BATCH_END: u16 = 0x11;
    pub(super) const NEW_TABLE: u16 = SUBSYSTEM << 8;
    pub(super) const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
    pub(super) const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
    pub(super) const GET_RULE: u16 = SUBSYSTEM << 8 | 7;
    pub(super) const SUBSYSTEM: u16 = 10;
}

/// Flags of netlink messages.
mod flag {
    pub(super) const REQUEST: u16 = 0x1;
    pub(super) const ACK: u16 = 0x4;
    pub(super) const DUMP: u16 = 0x300;
    pub(super) const CREATE: u16 = 0x400;
    pub(super) const APPEND: u16 = 0x800;
}

/// `NFT_TABLE_F_OWNER`, since Linux 5.12: the table goes away with the socket that made it.
const OWNER: u32 = 2;

/// `NF_INET_LOCAL_OUT`: what the host itself sends.
const LOCAL_OUT: u32 = 3;

const CHAIN: &str = "output";

/// Holds back the kernel's resets of connections that are not its own, for as long as it lives.
#[derive(Debug)]
pub struct Guard {
    socket: OwnedFd,
    sequence: u32,
    table: String,
}

impl Guard {
    /// A guard of no connection yet, in the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without `CAP_NET_ADMIN`; other errors where the kernel has no nftables
    /// or is older than 5.12.
    pub fn open() -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let family = Some(netlink::NETFILTER);
        let socket =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, family)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        let table = format!("handclasp-{}-{number}", std::process::id());
        let mut guard = Self { socket, sequence: 0, table };
        guard.make_table().map_err(|e| explained(e, "nftables refuses"))?;
        Ok(guard)
    }

    /// Drops the kernel's resets from `local` to `remote` from now on.
    ///
    /// # Errors
    ///
    /// The kernel refuses, or the two are not of one family (`InvalidInput`).
    pub fn cover(&mut self, local: SocketAddr, remote: SocketAddr) -> io::Result<()> {
        let matches = matches(local, remote).ok_or(io::ErrorKind::InvalidInput)?;
        let table = self.table.clone();
        let mut batch = self.batch();
        batch.message(kind::NEW_RULE, flag::CREATE | flag::APPEND | flag::ACK, |rule| {
            rule.text(1, &table).text(2, CHAIN).nest(4, |list| {
                for expression in matches.iter().chain(&[Expression::Counter, Expression::Drop]) {
                    list.nest(1, |element| expression.put(element));
                }
            });
        });
        self.send(batch)
    }

    /// How many resets were held back.
    ///
    /// # Errors
    ///
    /// The kernel does not tell.
    pub fn held_back(&mut self) -> io::Result<u64> {
        self.sequence += 1;
        let mut batch = Batch { bytes: Vec::new(), sequence: self.sequence, asked: 0 };
        let table = self.table.clone();
        batch.message(kind::GET_RULE, flag::DUMP, |rule| {
            rule.text(1, &table);
        });
        self.sequence = batch.sequence;
        self.write(&batch.bytes)?;
        let mut packets = 0;
        self.answers(|kind, body| {
            if kind == kind::NEW_RULE {
                packets += counted(body.get(4..).unwrap_or_default());
            }
            kind == DONE
        })?;
        Ok(packets)
    }

    fn make_table(&mut self) -> io::Result<()> {
        let table = self.table.clone();
        let mut batch = self.batch();
        batch.message(kind::NEW_TABLE, flag::CREATE | flag::ACK, |new| {
            new.text(1, &table).number(2, OWNER);
        });
        batch.message(kind::NEW_CHAIN, flag::CREATE | flag::ACK, |new| {
            new.text(1, &table).text(3, CHAIN).text(7, "filter");
            new.nest(4, |hook| {
                hook.number(1, LOCAL_OUT).number(2, 0);
            });
        });
        self.send(batch)
    }

    fn batch(&self) -> Batch {
        let mut batch = Batch { bytes: Vec::new(), sequence: self.sequence, asked: 0 };
        batch.edge(kind::BATCH_BEGIN);
        batch
    }

    /// Sends a batch, of which the kernel takes all or nothing.
    fn send(&mut self, mut batch: Batch) -> io::Result<()> {
        batch.edge(kind::BATCH_END);
        self.sequence = batch.sequence;
        self.write(&batch.bytes)?;
        let mut left = batch.asked;
        self.answers(|_, _| {
            left -= 1;
            left == 0
        })
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let kernel = SocketAddrNetlink::new(0, 0);
        rustix::net::sendto(&self.socket, bytes, SendFlags::empty(), &kernel)?;
        Ok(())
    }

    /// Reads answers, which the kernel gives before `sendto` returns or one by one as they are
    /// read, until `last` says that it has seen the last one.
    fn answers(&self, mut last: impl FnMut(u16, &[u8]) -> bool) -> io::Result<()> {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let (len, _) = rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::DONTWAIT)?;
            let mut rest = buffer.get(..len).unwrap_or_default();
            while let Some((kind, body, behind)) = message(rest) {
                rest = behind;
                if kind == ERROR {
                    refused(body)?;
                }
                if last(kind, body) {
                    return Ok(());
                }
            }
        }
    }
}

/// `NLMSG_ERROR`: an error number, which may be zero.
const ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump.
const DONE: u16 = 3;

fn refused(body: &[u8]) -> io::Result<()> {
    match body.first_chunk().map(|number| i32::from_ne_bytes(*number)) {
        Some(0) => Ok(()),
        Some(negative) => Err(io::Error::from_raw_os_error(-negative)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Kind and body of a message, and what is behind it.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let [a, b, c, d, e, f, ..] = *bytes else { return None };
    let len = u32::from_ne_bytes([a, b, c, d]) as usize;
    let body = bytes.get(16..len)?;
    let behind = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    Some((u16::from_ne_bytes([e, f]), body, behind))
}

/// Attributes, one behind the other: their kinds and values.
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [a, b, c, d] = *bytes.first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let value = bytes.get(4..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]) & !NESTED, value))
    })
}

fn attribute(bytes: &[u8], kind: u16) -> &[u8] {
    let found = attributes(bytes).find(|(found, _)| *found == kind);
    found.map(|(_, value)| value).unwrap_or_default()
}

/// What the counter of a rule says.
fn counted(rule: &[u8]) -> u64 {
    let counters = attributes(attribute(rule, 4))
        .filter(|(_, expression)| attribute(expression, 1).starts_with(b"counter"));
    let packets = counters.filter_map(|(_, expression)| {
        attribute(attribute(expression, 2), 2).first_chunk().map(|n| u64::from_be_bytes(*n))
    });
    packets.sum()
}

/// `NFT_REG_1`: where what is loaded stands until it is compared.
const REGISTER: u32 = 1;
/// `NFT_REG_VERDICT`: what becomes of the packet.
const VERDICT: u32 = 0;

/// A part of a rule.
enum Expression {
    /// What the kernel knows of a packet (`NFT_META_`).
    Meta(u32),
    /// Bytes of a header: `NFT_PAYLOAD_`, offset and length.
    Payload(u32, u32, u32),
    /// Of the byte that was loaded, these bits.
    Bits(u8),
    /// What was loaded is this (`NFT_CMP_EQ`).
    Is(Vec<u8>),
    /// What was loaded is not this (`NFT_CMP_NEQ`).
    IsNot(Vec<u8>),
    Counter,
    Drop,
}

/// What a reset from one socket to another looks like; `None` if they are of two families.
fn matches(local: SocketAddr, remote: SocketAddr) -> Option<[Expression; 13]> {
    use Expression::{Bits, Is, IsNot, Meta, Payload};
    const NFPROTO: u32 = 15;
    const L4PROTO: u32 = 16;
    const NETWORK: u32 = 1;
    const TRANSPORT: u32 = 2;
    const RST: u8 = 4;
    let (family, len, [src_at, dst_at], src, dst) = match (local.ip(), remote.ip()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            (libc::AF_INET, 4, [12, 16], src.octets().to_vec(), dst.octets().to_vec())
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            (libc::AF_INET6, 16, [8, 24], src.octets().to_vec(), dst.octets().to_vec())
        }
        _ => return None,
    };
    let ports = [local.port().to_be_bytes(), remote.port().to_be_bytes()].concat();
    Some([
        Meta(NFPROTO),
        Is(vec![family as u8]),
        Meta(L4PROTO),
        Is(vec![libc::IPPROTO_TCP as u8]),
        Payload(NETWORK, src_at, len),
        Is(src),
        Payload(NETWORK, dst_at, len),
        Is(dst),
        Payload(TRANSPORT, 0, 4),
        Is(ports),
        Payload(TRANSPORT, 13, 1),
        Bits(RST),
        IsNot(vec![0]),
    ])
}

impl Expression {
    fn put(&self, element: &mut Attributes<'_>) {
        let name = match self {
            Self::Meta(_) => "meta",
            Self::Payload(..) => "payload",
            Self::Bits(_) => "bitwise",
            Self::Is(_) | Self::IsNot(_) => "cmp",
            Self::Counter => "counter",
            Self::Drop => "immediate",
        };
        element.text(1, name).nest(2, |data| self.put_data(data));
    }

    fn put_data(&self, data: &mut Attributes<'_>) {
        match self {
            Self::Meta(key) => {
                data.number(1, REGISTER).number(2, *key);
            }
            Self::Payload(base, offset, len) => {
                data.number(1, REGISTER).number(2, *base).number(3, *offset).number(4, *len);
            }
            Self::Bits(mask) => {
                data.number(1, REGISTER).number(2, REGISTER).number(3, 1);
                data.value(4, &[*mask]).value(5, &[0]);
            }
            Self::Is(value) | Self::IsNot(value) => {
                data.number(1, REGISTER).number(2, matches!(self, Self::IsNot(_)).into());
                data.value(3, value);
            }
            Self::Counter => {}
            Self::Drop => {
                data.number(1, VERDICT).nest(2, |value| {
                    value.nest(2, |verdict| {
                        // `NF_DROP` is zero.
                        verdict.number(1, 0);
                    });
                });
            }
        }
    }
}

/// Messages that the kernel takes together.
struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
    /// How many of them are answered.
    asked: usize,
}

impl Batch {
    fn message(&mut self, kind: u16, flags: u16, body: impl FnOnce(&mut Attributes<'_>)) {
        self.asked += usize::from(flags & flag::ACK != 0);
        self.put(kind, flags, [INET, 0, 0, 0], body);
    }

    /// The beginning or the end, which say whose messages these are.
    fn edge(&mut self, kind: u16) {
        let [high, low] = kind::SUBSYSTEM.to_be_bytes();
        self.put(kind, 0, [0, 0, high, low], |_| {});
    }

    fn put(
        &mut self,
        kind: u16,
        flags: u16,
        family: [u8; 4],
        body: impl FnOnce(&mut Attributes<'_>),
    ) {
        self.sequence += 1;
        let start = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend((flags | flag::REQUEST).to_ne_bytes());
        self.bytes.extend(self.sequence.to_ne_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend(family);
        body(&mut Attributes(&mut self.bytes));
        let len = (self.bytes.len() - start) as u32;
        self.bytes[start..start + 4].copy_from_slice(&len.to_ne_bytes());
    }
}

/// `NLA_F_NESTED`: attributes are inside.
const NESTED: u16 = 0x8000;

/// Attributes in the making. nf_tables has its numbers in network byte order.
struct Attributes<'b>(&'b mut Vec<u8>);

impl Attributes<'_> {
    fn put(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.0.extend((4 + value.len() as u16).to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.pad()
    }

    fn number(&mut self, kind: u16, number: u32) -> &mut Self {
        self.put(kind, &number.to_be_bytes())
    }

    /// A value that is compared.
    fn value(&mut self, kind: u16, bytes: &[u8]) -> &mut Self {
        self.nest(kind, |value| {
            value.put(1, bytes);
        })
    }

    fn text(&mut self, kind: u16, text: &str) -> &mut Self {
        self.put(kind, &[text.as_bytes(), &[0]].concat())
    }

    fn nest(&mut self, kind: u16, inside: impl FnOnce(&mut Attributes<'_>)) -> &mut Self {
        let start = self.0.len();
        self.0.extend([0; 2]);
        self.0.extend((kind | NESTED).to_ne_bytes());
        inside(&mut Attributes(self.0));
        let len = (self.0.len() - start) as u16;
        self.0[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        self.pad()
    }

    fn pad(&mut self) -> &mut Self {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }
}
