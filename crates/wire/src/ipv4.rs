//! IPv4 (RFC 791).

use core::net::Ipv4Addr;

use crate::checksum::sum;
use crate::error::{Cause, Layer, ParseError};
use crate::ip::Ecn;
use crate::octets::{Put, be16, part, split, truncated};

const FIXED: usize = 20;
const MAX_OPTIONS: usize = 40;
const RESERVED: u16 = 0x8000;
const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
/// The fragment offset's bits. It counts in units of eight bytes.
const OFFSET_MASK: u16 = 0x1fff;

/// A checked view of an IPv4 packet. Its checksum is not judged: see
/// [`Ipv4View::checksum_ok`].
#[derive(Clone, Copy, Debug)]
pub struct Ipv4View<'a> {
    fixed: &'a [u8; FIXED],
    options: &'a [u8],
    payload: &'a [u8],
    missing: usize,
}

impl<'a> Ipv4View<'a> {
    /// Reads a packet; bytes behind its total length are the link's padding.
    ///
    /// # Errors
    /// If the version is not 4, or the lengths do not fit each other or the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_truncated(bytes)?.whole()
    }

    /// Reads a packet whose end may be missing, as ICMP errors quote it and short captures
    /// keep it: whole must be the header only.
    ///
    /// A total length that does not even cover the header says nothing (a large-send capture
    /// has zero there); the payload is then what there is.
    ///
    /// # Errors
    /// If the version is not 4, or the header itself is short or impossible.
    pub fn parse_truncated(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (fixed, rest) = split::<FIXED>(bytes, Layer::Ipv4)?;
        let error = |cause| Err(ParseError::new(Layer::Ipv4, 0, cause));
        let (version, words) = (u32::from(fixed[0] >> 4), u32::from(fixed[0] & 0x0f));
        if version != 4 {
            return error(Cause::Unexpected { field: "version", value: version, expected: 4 });
        }
        let Some(option_words) = words.checked_sub(5) else {
            let field = "header length";
            return error(Cause::BelowMinimum { field, value: words, minimum: 5 });
        };
        let Some((options, behind)) = rest.split_at_checked(4 * option_words as usize) else {
            return Err(truncated(Layer::Ipv4, 4 * words as usize, bytes.len()));
        };
        let total = usize::from(be16::<2, _>(fixed));
        let claimed = total.checked_sub(FIXED + options.len()).unwrap_or(behind.len());
        let payload = behind.get(..claimed).unwrap_or(behind);
        Ok(Self { fixed, options, payload, missing: claimed - payload.len() })
    }

    /// The same view if nothing of the packet is missing.
    ///
    /// # Errors
    /// If the total length is below the header's, or beyond the bytes.
    pub fn whole(self) -> Result<Self, ParseError> {
        let (total, field) = (self.total_len(), "total length");
        let error = |cause| Err(ParseError::new(Layer::Ipv4, 2, cause));
        if usize::from(total) < self.header_len() {
            let minimum = self.header_len() as u32;
            error(Cause::BelowMinimum { field, value: total.into(), minimum })
        } else if self.missing > 0 {
            let available = self.header_len() + self.payload.len();
            error(Cause::PastEnd { field, bytes: total.into(), available })
        } else {
            Ok(self)
        }
    }

    /// Differentiated services code point, 6 bits.
    #[must_use]
    pub const fn dscp(&self) -> u8 {
        self.fixed[1] >> 2
    }

    /// The ECN field.
    #[must_use]
    pub const fn ecn(&self) -> Ecn {
        Ecn::from_bits(self.fixed[1])
    }

    /// The total length field: header and payload in bytes.
    #[must_use]
    pub const fn total_len(&self) -> u16 {
        be16::<2, _>(self.fixed)
    }

    /// The identification: which fragments belong together.
    #[must_use]
    pub const fn identification(&self) -> u16 {
        be16::<4, _>(self.fixed)
    }

    const fn fragment_field(&self) -> u16 {
        be16::<6, _>(self.fixed)
    }

    /// The flag that has no meaning and must be zero.
    #[must_use]
    pub const fn reserved_flag(&self) -> bool {
        self.fragment_field() & RESERVED != 0
    }

    /// Whether routers must not fragment it.
    #[must_use]
    pub const fn dont_fragment(&self) -> bool {
        self.fragment_field() & DONT_FRAGMENT != 0
    }

    /// Whether more fragments follow behind this one.
    #[must_use]
    pub const fn more_fragments(&self) -> bool {
        self.fragment_field() & MORE_FRAGMENTS != 0
    }

    /// Where this fragment's payload belongs, in bytes.
    #[must_use]
    pub const fn fragment_offset(&self) -> u16 {
        (self.fragment_field() & OFFSET_MASK) << 3
    }

    /// Whether it is one of several fragments, the first included.
    #[must_use]
    pub const fn is_fragment(&self) -> bool {
        self.fragment_field() & (MORE_FRAGMENTS | OFFSET_MASK) != 0
    }

    /// Time to live.
    #[must_use]
    pub const fn ttl(&self) -> u8 {
        self.fixed[8]
    }

    /// Protocol of the payload (see [`crate::ip::protocol`]).
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        self.fixed[9]
    }

    /// The header checksum as it stands there.
    #[must_use]
    pub const fn checksum(&self) -> u16 {
        be16::<10, _>(self.fixed)
    }

    /// Whether the header checksum fits the header.
    #[must_use]
    pub fn checksum_ok(&self) -> bool {
        (sum(self.fixed) + sum(self.options)).verifies()
    }

    /// Source.
    #[must_use]
    pub fn src(&self) -> Ipv4Addr {
        part::<12, 4, _>(self.fixed).into()
    }

    /// Destination.
    #[must_use]
    pub fn dst(&self) -> Ipv4Addr {
        part::<16, 4, _>(self.fixed).into()
    }

    /// The options as they stand there, padding included; at most 40 bytes.
    #[must_use]
    pub const fn options(&self) -> &'a [u8] {
        self.options
    }

    /// Bytes of header, options included.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        FIXED + self.options.len()
    }

    /// The payload, as far as it is there.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// How many bytes the total length claims that are not there.
    #[must_use]
    pub const fn missing(&self) -> usize {
        self.missing
    }

    /// The header's meaning.
    #[must_use]
    pub fn to_repr(&self) -> Ipv4<'a> {
        Ipv4 {
            src: self.src(),
            dst: self.dst(),
            protocol: self.protocol(),
            ttl: self.ttl(),
            dscp: self.dscp(),
            ecn: self.ecn(),
            identification: self.identification(),
            reserved_flag: self.reserved_flag(),
            dont_fragment: self.dont_fragment(),
            more_fragments: self.more_fragments(),
            fragment_offset: self.fragment_offset(),
            options: self.options,
        }
    }
}

/// The meaning of an IPv4 header. Lengths and checksum are worked out when it is emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ipv4<'a> {
    /// Source.
    pub src: Ipv4Addr,
    /// Destination.
    pub dst: Ipv4Addr,
    /// Protocol of the payload (see [`crate::ip::protocol`]).
    pub protocol: u8,
    /// Time to live.
    pub ttl: u8,
    /// Differentiated services code point: 6 bits, others are ignored.
    pub dscp: u8,
    /// The ECN field.
    pub ecn: Ecn,
    /// The identification: which fragments belong together.
    pub identification: u16,
    /// The flag that has no meaning and must be zero.
    pub reserved_flag: bool,
    /// Whether routers must not fragment it.
    pub dont_fragment: bool,
    /// Whether more fragments follow behind this one.
    pub more_fragments: bool,
    /// Where this fragment's payload belongs, in bytes: a multiple of eight.
    pub fragment_offset: u16,
    /// Options: padded with zeros to a multiple of four, and cut at 40 bytes.
    pub options: &'a [u8],
}

impl Ipv4<'_> {
    /// Bytes of a header without options.
    pub const HEADER_LEN: usize = FIXED;

    /// A whole packet with TTL 64 that routers must not fragment, so that the path's MTU can
    /// be discovered (RFC 1191).
    #[must_use]
    pub const fn new(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8) -> Self {
        Self {
            src,
            dst,
            protocol,
            ttl: 64,
            dscp: 0,
            ecn: Ecn::NotEct,
            identification: 0,
            reserved_flag: false,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            options: &[],
        }
    }

    /// Bytes that [`Ipv4::emit`] writes.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        FIXED + self.options.len().min(MAX_OPTIONS).next_multiple_of(4)
    }

    /// Writes the header of a packet with `payload_len` bytes behind it. Together they may have
    /// 65,535 bytes; the total length field stays at that for more.
    pub fn emit(&self, payload_len: usize, out: &mut impl Put) {
        let header_len = self.emitted_len();
        let total = header_len.saturating_add(payload_len).min(0xffff) as u16;
        let fragment = (self.fragment_offset >> 3)
            | if self.reserved_flag { RESERVED } else { 0 }
            | if self.dont_fragment { DONT_FRAGMENT } else { 0 }
            | if self.more_fragments { MORE_FRAGMENTS } else { 0 };
        let mut fixed = [0; FIXED];
        fixed[0] = 0x40 | (header_len / 4) as u8;
        fixed[1] = self.dscp << 2 | self.ecn as u8;
        [fixed[2], fixed[3]] = total.to_be_bytes();
        [fixed[4], fixed[5]] = self.identification.to_be_bytes();
        [fixed[6], fixed[7]] = fragment.to_be_bytes();
        fixed[8] = self.ttl;
        fixed[9] = self.protocol;
        [fixed[12], fixed[13], fixed[14], fixed[15]] = self.src.octets();
        [fixed[16], fixed[17], fixed[18], fixed[19]] = self.dst.octets();
        let options = self.options.get(..MAX_OPTIONS).unwrap_or(self.options);
        let checksum = (sum(&fixed) + sum(options)).finish();
        [fixed[10], fixed[11]] = checksum.to_be_bytes();
        out.put(&fixed);
        out.put(options);
        let padding = header_len - FIXED - options.len();
        out.put([0; 4].get(..padding).unwrap_or_default());
    }
}

#[cfg(test)]
#[path = "ipv4_tests.rs"]
mod tests;
