//! TCP options one by one, in the order in which they stand, none left out.

use crate::error::{Cause, Layer, ParseError};
use crate::octets::{Put, truncated};
use crate::seq::SeqNumber;
use crate::tcp::options::{
    AccEcn, AccEcnOrder, FastOpen, Options, SackBlock, SackBlocks, Timestamps,
};

/// Option kinds.
pub mod kind {
    /// End of option list (RFC 9293 §3.2).
    pub const END_OF_LIST: u8 = 0;
    /// No operation (RFC 9293 §3.2).
    pub const NOP: u8 = 1;
    /// Maximum segment size (RFC 9293 §3.2).
    pub const MSS: u8 = 2;
    /// Window scale (RFC 7323 §2.2).
    pub const WINDOW_SCALE: u8 = 3;
    /// SACK permitted (RFC 2018 §2).
    pub const SACK_PERMITTED: u8 = 4;
    /// SACK (RFC 2018 §3).
    pub const SACK: u8 = 5;
    /// Timestamps (RFC 7323 §3.2).
    pub const TIMESTAMPS: u8 = 8;
    /// MD5 signature (RFC 2385).
    pub const MD5: u8 = 19;
    /// User timeout (RFC 5482).
    pub const USER_TIMEOUT: u8 = 28;
    /// Authentication (RFC 5925).
    pub const AO: u8 = 29;
    /// Multipath TCP (RFC 8684).
    pub const MPTCP: u8 = 30;
    /// Fast Open (RFC 7413).
    pub const FAST_OPEN: u8 = 34;
    /// Accurate ECN, counters in order 0 (RFC 9768 §3.2.3).
    pub const ACC_ECN_0: u8 = 172;
    /// Accurate ECN, counters in order 1 (RFC 9768 §3.2.3).
    pub const ACC_ECN_1: u8 = 174;
    /// Shared by experiments, which a magic number tells apart (RFC 6994).
    pub const EXPERIMENT: u8 = 254;
}

/// The magic number of Fast Open's experimental option (RFC 7413 §4.1.1's forerunner).
const FAST_OPEN_MAGIC: [u8; 2] = [0xf9, 0x89];

/// One option. What its length octet or its contents make impossible for its kind is
/// [`TcpOption::Unknown`], so that nothing on the wire is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpOption<'a> {
    /// The list ends here, the header later.
    EndOfList {
        /// The bytes behind it, which should be zeros.
        padding: &'a [u8],
    },
    /// A byte of alignment.
    Nop,
    /// Maximum segment size, in bytes.
    Mss(u16),
    /// By how many bits windows are to be shifted.
    WindowScale(u8),
    /// SACK may be sent.
    SackPermitted,
    /// Blocks that have arrived.
    Sack(SackBlocks),
    /// Timestamps.
    Timestamps(Timestamps),
    /// Fast Open cookie or request, of kind 34 or experimental.
    FastOpen(FastOpen),
    /// User timeout, the raw field: granularity bit and 15 bits.
    UserTimeout(u16),
    /// Accurate ECN's byte counters.
    AccEcn(AccEcn),
    /// MD5 signature, as bytes.
    Md5(&'a [u8]),
    /// Authentication: key identifiers and code, as bytes.
    Ao(&'a [u8]),
    /// Multipath TCP's subtype and what follows, as bytes.
    Mptcp(&'a [u8]),
    /// Another kind, or a known one of a shape that it does not have.
    Unknown {
        /// Its kind.
        kind: u8,
        /// What stands behind its length octet.
        data: &'a [u8],
    },
}

impl<'a> TcpOption<'a> {
    /// The option of this kind that has this behind its length octet.
    #[inline]
    fn read(kind: u8, data: &'a [u8]) -> Self {
        let typed = match kind {
            kind::MSS => array(data).map(|d| Self::Mss(u16::from_be_bytes(d))),
            kind::WINDOW_SCALE => array(data).map(|[shift]| Self::WindowScale(shift)),
            kind::SACK_PERMITTED => array(data).map(|[]| Self::SackPermitted),
            kind::SACK => sack(data).map(Self::Sack),
            kind::TIMESTAMPS => Timestamps::read(data).map(Self::Timestamps),
            kind::FAST_OPEN => FastOpen::new(data, false).map(Self::FastOpen),
            kind::EXPERIMENT => data
                .strip_prefix(&FAST_OPEN_MAGIC)
                .and_then(|cookie| FastOpen::new(cookie, true))
                .map(Self::FastOpen),
            kind::USER_TIMEOUT => array(data).map(|d| Self::UserTimeout(u16::from_be_bytes(d))),
            kind::ACC_ECN_0 => acc_ecn(data, AccEcnOrder::Ect0First).map(Self::AccEcn),
            kind::ACC_ECN_1 => acc_ecn(data, AccEcnOrder::Ect1First).map(Self::AccEcn),
            kind::MD5 => Some(Self::Md5(data)),
            kind::AO => Some(Self::Ao(data)),
            kind::MPTCP => Some(Self::Mptcp(data)),
            _ => None,
        };
        typed.unwrap_or(Self::Unknown { kind, data })
    }

    /// Its kind on the wire.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::EndOfList { .. } => kind::END_OF_LIST,
            Self::Nop => kind::NOP,
            Self::Mss(_) => kind::MSS,
            Self::WindowScale(_) => kind::WINDOW_SCALE,
            Self::SackPermitted => kind::SACK_PERMITTED,
            Self::Sack(_) => kind::SACK,
            Self::Timestamps(_) => kind::TIMESTAMPS,
            Self::FastOpen(FastOpen { experimental: true, .. }) => kind::EXPERIMENT,
            Self::FastOpen(_) => kind::FAST_OPEN,
            Self::UserTimeout(_) => kind::USER_TIMEOUT,
            Self::AccEcn(AccEcn { order: AccEcnOrder::Ect0First, .. }) => kind::ACC_ECN_0,
            Self::AccEcn(_) => kind::ACC_ECN_1,
            Self::Md5(_) => kind::MD5,
            Self::Ao(_) => kind::AO,
            Self::Mptcp(_) => kind::MPTCP,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    /// Bytes that [`TcpOption::emit`] writes.
    #[must_use]
    #[inline]
    pub fn emitted_len(&self) -> usize {
        let data = match self {
            Self::EndOfList { padding } => return 1 + padding.len(),
            Self::Nop => return 1,
            Self::SackPermitted => 0,
            Self::WindowScale(_) => 1,
            Self::Mss(_) | Self::UserTimeout(_) => 2,
            Self::Timestamps(_) => 8,
            Self::Sack(blocks) => 8 * blocks.len(),
            Self::FastOpen(fast_open) => {
                2 * usize::from(fast_open.experimental) + fast_open.as_slice().len()
            }
            Self::AccEcn(accurate) => 3 * accurate.counters().count(),
            Self::Md5(data) | Self::Ao(data) | Self::Mptcp(data) => data.len(),
            Self::Unknown { data, .. } => data.len(),
        };
        2 + data
    }

    /// Writes the option without alignment. An option with more than 253 bytes of data cannot
    /// say so in its length octet, and no header could hold it: the octet stays at 255.
    #[inline]
    pub fn emit(&self, out: &mut impl Put) {
        match self {
            Self::Nop => return out.put(&[kind::NOP]),
            Self::EndOfList { padding } => {
                out.put(&[kind::END_OF_LIST]);
                return out.put(padding);
            }
            _ => out.put(&[self.kind(), self.emitted_len().min(0xff) as u8]),
        }
        match self {
            Self::EndOfList { .. } | Self::Nop | Self::SackPermitted => {}
            Self::WindowScale(shift) => out.put(&[*shift]),
            Self::Mss(value) | Self::UserTimeout(value) => out.put(&value.to_be_bytes()),
            Self::Timestamps(Timestamps { value, echo }) => {
                out.put(&value.to_be_bytes());
                out.put(&echo.to_be_bytes());
            }
            Self::Sack(blocks) => {
                for SackBlock { left, right } in blocks.as_slice() {
                    out.put(&left.0.to_be_bytes());
                    out.put(&right.0.to_be_bytes());
                }
            }
            Self::FastOpen(fast_open) => {
                if fast_open.experimental {
                    out.put(&FAST_OPEN_MAGIC);
                }
                out.put(fast_open.as_slice());
            }
            Self::AccEcn(accurate) => {
                for counter in accurate.counters() {
                    let [_, a, b, c] = counter.to_be_bytes();
                    out.put(&[a, b, c]);
                }
            }
            Self::Md5(data) | Self::Ao(data) | Self::Mptcp(data) => out.put(data),
            Self::Unknown { data, .. } => out.put(data),
        }
    }
}

/// Takes out what the stack acts upon. Of an option that comes twice the last one counts.
impl<'a> FromIterator<TcpOption<'a>> for Options {
    #[inline]
    fn from_iter<I: IntoIterator<Item = TcpOption<'a>>>(list: I) -> Self {
        let mut options = Self::default();
        for option in list {
            match option {
                TcpOption::Mss(mss) => options.mss = Some(mss),
                TcpOption::WindowScale(shift) => options.window_scale = Some(shift),
                TcpOption::SackPermitted => options.sack_permitted = true,
                TcpOption::Sack(blocks) => options.sack = blocks,
                TcpOption::Timestamps(timestamps) => options.timestamps = Some(timestamps),
                TcpOption::FastOpen(fast_open) => options.fast_open = Some(fast_open),
                TcpOption::UserTimeout(raw) => options.user_timeout = Some(raw),
                TcpOption::AccEcn(accurate) => options.acc_ecn = Some(accurate),
                _ => {}
            }
        }
        options
    }
}

impl Timestamps {
    /// From the eight bytes behind the option's length.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h] = array(data)?;
        let (value, echo) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        Some(Self { value, echo })
    }
}

impl AccEcn {
    fn counters(&self) -> impl Iterator<Item = u32> {
        self.counters.iter().map_while(|counter| *counter)
    }
}

fn array<const N: usize>(data: &[u8]) -> Option<[u8; N]> {
    data.try_into().ok()
}

fn sack(data: &[u8]) -> Option<SackBlocks> {
    let (blocks, rest) = data.as_chunks::<8>();
    let mut sack = SackBlocks::new();
    for [a, b, c, d, e, f, g, h] in blocks {
        let left = SeqNumber(u32::from_be_bytes([*a, *b, *c, *d]));
        let right = SeqNumber(u32::from_be_bytes([*e, *f, *g, *h]));
        if !sack.push(SackBlock { left, right }) {
            return None;
        }
    }
    rest.is_empty().then_some(sack)
}

fn acc_ecn(data: &[u8], order: AccEcnOrder) -> Option<AccEcn> {
    let (groups, rest) = data.as_chunks::<3>();
    if !rest.is_empty() || groups.len() > 3 {
        return None;
    }
    let mut counters = [None; 3];
    for (counter, [a, b, c]) in counters.iter_mut().zip(groups) {
        *counter = Some(u32::from_be_bytes([0, *a, *b, *c]));
    }
    Some(AccEcn { order, counters })
}

/// The options of a header one by one. Stops behind the end of the list, and behind an error:
/// where one option's length is wrong, nobody knows where the next one starts.
#[derive(Clone, Debug)]
pub struct OptionIter<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> OptionIter<'a> {
    /// Walks through `options`; errors count bytes from `at` before them.
    pub(crate) const fn new(options: &'a [u8], at: usize) -> Self {
        Self { rest: options, at }
    }

    /// Takes the option of `len` bytes, of which two were kind and length.
    #[inline]
    fn take(&mut self, kind: u8, length: u8) -> Result<TcpOption<'a>, ParseError> {
        let (len, available) = (usize::from(length), self.rest.len());
        // The octet at fault is the length, behind the kind.
        let error = |cause| Err(ParseError::new(Layer::Tcp, self.at + 1, cause));
        let field = "option length";
        match self.rest.split_at_checked(len) {
            None => error(Cause::PastEnd { field, bytes: len, available }),
            Some((option, rest)) => match option.get(2..) {
                None => error(Cause::BelowMinimum { field, value: length.into(), minimum: 2 }),
                Some(data) => {
                    (self.rest, self.at) = (rest, self.at + len);
                    Ok(TcpOption::read(kind, data))
                }
            },
        }
    }
}

impl<'a> Iterator for OptionIter<'a> {
    type Item = Result<TcpOption<'a>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let option = match *self.rest {
            [] => return None,
            [kind::END_OF_LIST, ref padding @ ..] => {
                self.rest = &[];
                Ok(TcpOption::EndOfList { padding })
            }
            [kind::NOP, ref rest @ ..] => {
                (self.rest, self.at) = (rest, self.at + 1);
                Ok(TcpOption::Nop)
            }
            [_] => Err(truncated(Layer::Tcp, 2, 1).behind(self.at)),
            [kind, length, ..] => self.take(kind, length),
        };
        if option.is_err() {
            self.rest = &[];
        }
        Some(option)
    }
}

#[cfg(test)]
#[path = "raw_tests.rs"]
mod tests;
