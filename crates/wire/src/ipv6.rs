//! IPv6 and its extension headers (RFC 8200).

use core::net::Ipv6Addr;

use crate::error::{Cause, Layer, ParseError};
use crate::ip::{Ecn, protocol};
use crate::octets::{Put, be16, be32, part, split, truncated};

const FIXED: usize = 40;
/// Extension headers that are walked through: each kind once and the destination options
/// twice (RFC 8200 §4.1) are six, so that this is more than an honest packet has.
pub const MAX_EXTENSIONS: usize = 8;

/// A checked view of an IPv6 packet.
#[derive(Clone, Copy, Debug)]
pub struct Ipv6View<'a> {
    fixed: &'a [u8; FIXED],
    payload: &'a [u8],
    missing: usize,
}

impl<'a> Ipv6View<'a> {
    /// Reads a packet; bytes behind its payload length are the link's padding.
    ///
    /// # Errors
    /// If the version is not 6, or the bytes are fewer than the lengths say.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_truncated(bytes)?.whole()
    }

    /// Reads a packet whose end may be missing, as ICMP errors quote it and short captures
    /// keep it: whole must be the fixed header only.
    ///
    /// # Errors
    /// If the version is not 6, or the bytes end within the fixed header.
    pub fn parse_truncated(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (fixed, behind) = split::<FIXED>(bytes, Layer::Ipv6)?;
        let version = u32::from(fixed[0] >> 4);
        if version != 6 {
            let cause = Cause::Unexpected { field: "version", value: version, expected: 6 };
            return Err(ParseError::new(Layer::Ipv6, 0, cause));
        }
        let claimed = usize::from(be16::<4, _>(fixed));
        let payload = behind.get(..claimed).unwrap_or(behind);
        Ok(Self { fixed, payload, missing: claimed - payload.len() })
    }

    /// The same view if nothing of the packet is missing.
    ///
    /// # Errors
    /// If the payload length is beyond the bytes.
    pub fn whole(self) -> Result<Self, ParseError> {
        if self.missing > 0 {
            let (bytes, available) = (self.payload_len().into(), self.payload.len());
            let cause = Cause::PastEnd { field: "payload length", bytes, available };
            return Err(ParseError::new(Layer::Ipv6, 4, cause));
        }
        Ok(self)
    }

    const fn first_word(&self) -> u32 {
        be32::<0, _>(self.fixed)
    }

    /// Differentiated services code point, 6 bits.
    #[must_use]
    pub const fn dscp(&self) -> u8 {
        (self.first_word() >> 22) as u8 & 0x3f
    }

    /// The ECN field.
    #[must_use]
    pub const fn ecn(&self) -> Ecn {
        Ecn::from_bits((self.first_word() >> 20) as u8)
    }

    /// The flow label, 20 bits.
    #[must_use]
    pub const fn flow_label(&self) -> u32 {
        self.first_word() & 0x000f_ffff
    }

    /// The payload length field: bytes behind the fixed header.
    #[must_use]
    pub const fn payload_len(&self) -> u16 {
        be16::<4, _>(self.fixed)
    }

    /// What stands behind the fixed header: an extension header or the payload's protocol.
    #[must_use]
    pub const fn next_header(&self) -> u8 {
        self.fixed[6]
    }

    /// Hop limit.
    #[must_use]
    pub const fn hop_limit(&self) -> u8 {
        self.fixed[7]
    }

    /// Source.
    #[must_use]
    pub fn src(&self) -> Ipv6Addr {
        part::<8, 16, _>(self.fixed).into()
    }

    /// Destination.
    #[must_use]
    pub fn dst(&self) -> Ipv6Addr {
        part::<24, 16, _>(self.fixed).into()
    }

    /// What stands behind the fixed header, extension headers included, as far as it is there.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// How many bytes the payload length claims that are not there.
    #[must_use]
    pub const fn missing(&self) -> usize {
        self.missing
    }

    /// The extension headers, in the order in which they stand.
    #[must_use]
    pub const fn extensions(&self) -> ExtensionIter<'a> {
        ExtensionIter {
            next: self.next_header(),
            rest: self.payload,
            at: FIXED,
            left: MAX_EXTENSIONS,
            done: false,
        }
    }

    /// What stands behind the extension headers.
    ///
    /// # Errors
    /// If one of them is cut short, or there are more than [`MAX_EXTENSIONS`].
    pub fn upper(&self) -> Result<Upper<'a>, ParseError> {
        let mut extensions = self.extensions();
        let mut fragment = None;
        for extension in &mut extensions {
            fragment = extension?.fragment().or(fragment);
        }
        let ExtensionIter { next, rest, at, .. } = extensions;
        Ok(Upper { protocol: next, offset: at, payload: rest, fragment })
    }

    /// The fixed header's meaning.
    #[must_use]
    pub fn to_repr(&self) -> Ipv6 {
        Ipv6 {
            src: self.src(),
            dst: self.dst(),
            next_header: self.next_header(),
            hop_limit: self.hop_limit(),
            dscp: self.dscp(),
            ecn: self.ecn(),
            flow_label: self.flow_label(),
        }
    }
}

/// What an IPv6 packet carries behind its extension headers.
#[derive(Clone, Copy, Debug)]
pub struct Upper<'a> {
    /// Its protocol (see [`protocol`]).
    pub protocol: u8,
    /// Bytes from the start of the IPv6 header to it.
    pub offset: usize,
    /// It, or a piece of it.
    pub payload: &'a [u8],
    /// The fragment header, if the packet has one.
    pub fragment: Option<Fragment>,
}

/// An extension header as it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its own number (see [`protocol`]).
    pub kind: u8,
    /// Bytes from the start of the IPv6 header to it.
    pub offset: usize,
    /// All of it, its next header and length octets included.
    pub bytes: &'a [u8],
}

impl Extension<'_> {
    /// Its meaning, if it is a fragment header.
    #[must_use]
    pub fn fragment(&self) -> Option<Fragment> {
        let fixed: &[u8; Fragment::LEN] = self.bytes.first_chunk()?;
        let field = be16::<2, _>(fixed);
        (self.kind == protocol::FRAGMENT).then(|| Fragment {
            next_header: fixed[0],
            offset: field & !7,
            more: field & 1 == 1,
            identification: be32::<4, _>(fixed),
        })
    }
}

/// The extension headers of one packet. Stops at the first header that is none, behind the
/// fragment header of any but a first fragment, whose bytes are data, and behind an error.
#[derive(Clone, Debug)]
pub struct ExtensionIter<'a> {
    next: u8,
    rest: &'a [u8],
    at: usize,
    left: usize,
    done: bool,
}

impl<'a> ExtensionIter<'a> {
    fn read(&mut self) -> Result<Extension<'a>, ParseError> {
        let left = self.left.checked_sub(1).ok_or_else(|| {
            let cause = Cause::TooMany { what: "extension headers", limit: MAX_EXTENSIONS };
            ParseError::new(Layer::Ipv6Extension, self.at, cause)
        })?;
        let short = |error: ParseError| error.behind(self.at);
        let ([next, length], _) = split(self.rest, Layer::Ipv6Extension).map_err(short)?;
        let len = match self.next {
            protocol::FRAGMENT => Fragment::LEN,
            // The authentication header alone counts in units of four bytes (RFC 4302 §2.2).
            protocol::AH => (usize::from(*length) + 2) * 4,
            _ => (usize::from(*length) + 1) * 8,
        };
        let (bytes, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| short(truncated(Layer::Ipv6Extension, len, self.rest.len())))?;
        let extension = Extension { kind: self.next, offset: self.at, bytes };
        (self.next, self.rest, self.at, self.left) = (*next, rest, self.at + len, left);
        Ok(extension)
    }
}

impl<'a> Iterator for ExtensionIter<'a> {
    type Item = Result<Extension<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        use protocol::{AH, DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, ROUTING};
        let known = [HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION_OPTIONS];
        if self.done || !known.contains(&self.next) {
            return None;
        }
        let extension = self.read();
        self.done = match &extension {
            Ok(extension) => extension.fragment().is_some_and(|fragment| fragment.offset > 0),
            Err(_) => true,
        };
        Some(extension)
    }
}

/// A fragment header (RFC 8200 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// What the whole packet carries behind this header.
    pub next_header: u8,
    /// Where this fragment's data belongs, in bytes: a multiple of eight.
    pub offset: u16,
    /// Whether more fragments follow behind this one.
    pub more: bool,
    /// Which fragments belong together.
    pub identification: u32,
}

impl Fragment {
    /// Bytes of the header.
    pub const LEN: usize = 8;

    /// Writes the header.
    pub fn emit(&self, out: &mut impl Put) {
        out.put(&[self.next_header, 0]);
        out.put(&(self.offset & !7 | u16::from(self.more)).to_be_bytes());
        out.put(&self.identification.to_be_bytes());
    }
}

/// The meaning of an IPv6 header. The length is worked out when it is emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ipv6 {
    /// Source.
    pub src: Ipv6Addr,
    /// Destination.
    pub dst: Ipv6Addr,
    /// What stands behind this header: an extension header or the payload's protocol.
    pub next_header: u8,
    /// Hop limit.
    pub hop_limit: u8,
    /// Differentiated services code point: 6 bits, others are ignored.
    pub dscp: u8,
    /// The ECN field.
    pub ecn: Ecn,
    /// The flow label: 20 bits, others are ignored.
    pub flow_label: u32,
}

impl Ipv6 {
    /// Bytes of the header.
    pub const HEADER_LEN: usize = FIXED;

    /// A packet with hop limit 64 and no marks.
    #[must_use]
    pub const fn new(src: Ipv6Addr, dst: Ipv6Addr, next_header: u8) -> Self {
        let (hop_limit, dscp, ecn, flow_label) = (64, 0, Ecn::NotEct, 0);
        Self { src, dst, next_header, hop_limit, dscp, ecn, flow_label }
    }

    /// Writes the header of a packet with `payload_len` bytes behind it, extension headers
    /// included: at most 65,535; the length field stays at that for more.
    pub fn emit(&self, payload_len: usize, out: &mut impl Put) {
        let first_word = 6 << 28
            | u32::from(self.dscp & 0x3f) << 22
            | u32::from(self.ecn as u8) << 20
            | self.flow_label & 0x000f_ffff;
        out.put(&first_word.to_be_bytes());
        out.put(&(payload_len.min(0xffff) as u16).to_be_bytes());
        out.put(&[self.next_header, self.hop_limit]);
        out.put(&self.src.octets());
        out.put(&self.dst.octets());
    }
}

#[cfg(test)]
#[path = "ipv6_tests.rs"]
mod tests;
