//! UDP (RFC 768).

use core::net::IpAddr;

use crate::checksum::verify;
use crate::error::{Cause, Layer, ParseError};
use crate::ip::protocol;
use crate::octets::{Put, be16, split};

const HEADER_LEN: usize = 8;
/// Byte offset of the checksum field.
pub const CHECKSUM_AT: usize = 6;

/// A checked view of a UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct UdpView<'a> {
    fixed: &'a [u8; HEADER_LEN],
    datagram: &'a [u8],
    payload: &'a [u8],
}

impl<'a> UdpView<'a> {
    /// Reads a datagram; bytes behind its length do not belong to it.
    ///
    /// # Errors
    /// If the bytes end within the header, or fit the length field not.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_truncated(bytes)?.whole()
    }

    /// Reads a datagram whose end may be missing; whole must be the header only.
    ///
    /// # Errors
    /// If the bytes end within the header.
    pub fn parse_truncated(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (fixed, behind) = split::<HEADER_LEN>(bytes, Layer::Udp)?;
        let len = usize::from(be16::<4, _>(fixed));
        let payload = len.checked_sub(HEADER_LEN).and_then(|n| behind.get(..n)).unwrap_or(behind);
        let datagram = bytes.get(..HEADER_LEN + payload.len()).unwrap_or(bytes);
        Ok(Self { fixed, datagram, payload })
    }

    /// The same view if nothing of the datagram is missing.
    ///
    /// # Errors
    /// If the length is below the header's, or beyond the bytes.
    pub fn whole(self) -> Result<Self, ParseError> {
        let (len, available) = (usize::from(self.len_field()), self.datagram.len());
        let error = |cause| Err(ParseError::new(Layer::Udp, 4, cause));
        if len < HEADER_LEN {
            let (value, minimum) = (len as u32, HEADER_LEN as u32);
            error(Cause::BelowMinimum { field: "length", value, minimum })
        } else if len > available {
            error(Cause::PastEnd { field: "length", bytes: len, available })
        } else {
            Ok(self)
        }
    }

    /// Source port.
    #[must_use]
    pub const fn src_port(&self) -> u16 {
        be16::<0, _>(self.fixed)
    }

    /// Destination port.
    #[must_use]
    pub const fn dst_port(&self) -> u16 {
        be16::<2, _>(self.fixed)
    }

    /// The length field: header and payload in bytes.
    #[must_use]
    pub const fn len_field(&self) -> u16 {
        be16::<4, _>(self.fixed)
    }

    /// The checksum as it stands there; zero says that there is none.
    #[must_use]
    pub const fn checksum(&self) -> u16 {
        be16::<CHECKSUM_AT, _>(self.fixed)
    }

    /// Whether the checksum fits. Over IPv4 it may be absent, over IPv6 it must be there
    /// (RFC 768, RFC 8200 §8.1).
    #[must_use]
    pub fn checksum_ok(&self, src: IpAddr, dst: IpAddr) -> bool {
        match self.checksum() {
            0 => src.is_ipv4(),
            _ => verify(src, dst, protocol::UDP, self.datagram),
        }
    }

    /// What stands behind the header, as far as it is there.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The header's meaning.
    #[must_use]
    pub const fn to_repr(&self) -> Udp {
        Udp { src_port: self.src_port(), dst_port: self.dst_port() }
    }
}

/// The meaning of a UDP header. The length is worked out when it is emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Udp {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
}

impl Udp {
    /// Bytes of the header.
    pub const HEADER_LEN: usize = HEADER_LEN;

    /// Writes the header of a datagram with `payload_len` bytes behind it, at most 65,527; the
    /// length field stays at 65,535 for more. `checksum` goes in as given: a finished one, or
    /// the pseudo header's [`partial`](crate::checksum::Sum::partial) sum.
    pub fn emit(&self, payload_len: usize, checksum: u16, out: &mut impl Put) {
        let len = HEADER_LEN.saturating_add(payload_len).min(0xffff) as u16;
        for field in [self.src_port, self.dst_port, len, checksum] {
            out.put(&field.to_be_bytes());
        }
    }
}

#[cfg(test)]
#[path = "udp_tests.rs"]
mod tests;
