//! A TCP header as it stands on the wire.

use core::net::IpAddr;

use smallvec::SmallVec;

use crate::checksum::verify;
use crate::error::{Cause, Layer, ParseError};
use crate::ip::protocol;
use crate::octets::{Put, be16, be32, split};
use crate::seq::SeqNumber;
use crate::tcp::emit::Fixed;
use crate::tcp::header::{Flags, Header};
use crate::tcp::options::{Options, Timestamps};
use crate::tcp::raw::{OptionIter, TcpOption, kind};

const FIXED: usize = 20;
/// What errors call the field that tells the header's length.
const OFFSET: &str = "data offset";
/// Byte offset of the checksum field.
pub const CHECKSUM_AT: usize = 16;

/// A checked view of a TCP segment: its header fits into its bytes, no more is judged.
#[derive(Clone, Copy, Debug)]
pub struct TcpView<'a> {
    fixed: &'a [u8; FIXED],
    options: &'a [u8],
    payload: &'a [u8],
    segment: &'a [u8],
}

impl<'a> TcpView<'a> {
    /// Reads a segment: everything behind IP's headers.
    ///
    /// # Errors
    /// If the bytes end within the header, or the data offset is below 5 words.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_truncated(bytes)?.whole()
    }

    /// Reads a segment of which even some options may be missing; whole must be the 20 bytes in
    /// front of them.
    ///
    /// # Errors
    /// If the bytes are fewer, or the data offset is below 5 words.
    pub fn parse_truncated(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let (fixed, behind) = split::<FIXED>(bytes, Layer::Tcp)?;
        let words = fixed[12] >> 4;
        let option_words = words.checked_sub(5).ok_or_else(|| {
            let cause = Cause::BelowMinimum { field: OFFSET, value: words.into(), minimum: 5 };
            ParseError::new(Layer::Tcp, 12, cause)
        })?;
        let (options, payload) =
            behind.split_at_checked(4 * usize::from(option_words)).unwrap_or((behind, &[]));
        Ok(Self { fixed, options, payload, segment: bytes })
    }

    /// The same view if nothing of the header is missing.
    ///
    /// # Errors
    /// If the data offset is beyond the bytes.
    pub fn whole(self) -> Result<Self, ParseError> {
        let (bytes, available) = (4 * usize::from(self.data_offset()), self.header_len());
        if bytes > available {
            let cause = Cause::PastEnd { field: OFFSET, bytes, available };
            return Err(ParseError::new(Layer::Tcp, 12, cause));
        }
        Ok(self)
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

    /// `seg.seq`.
    #[must_use]
    pub const fn seq(&self) -> SeqNumber {
        SeqNumber(be32::<4, _>(self.fixed))
    }

    /// The acknowledgment field, which has a meaning only with [`Flags::ACK`].
    #[must_use]
    pub const fn ack(&self) -> SeqNumber {
        SeqNumber(be32::<8, _>(self.fixed))
    }

    /// The data offset field: words of four bytes in the header, 5 to 15.
    #[must_use]
    pub const fn data_offset(&self) -> u8 {
        self.fixed[12] >> 4
    }

    /// The three bits between data offset and flags, which have no meaning.
    #[must_use]
    pub const fn reserved(&self) -> u8 {
        (self.fixed[12] >> 1) & 0b111
    }

    /// The control bits.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        Flags::from_bits_truncate(be16::<12, _>(self.fixed) & 0x1ff)
    }

    /// The window field, not scaled.
    #[must_use]
    pub const fn window(&self) -> u16 {
        be16::<14, _>(self.fixed)
    }

    /// The checksum as it stands there.
    #[must_use]
    pub const fn checksum(&self) -> u16 {
        be16::<CHECKSUM_AT, _>(self.fixed)
    }

    /// Whether the checksum fits the segment between these addresses.
    #[must_use]
    pub fn checksum_ok(&self, src: IpAddr, dst: IpAddr) -> bool {
        verify(src, dst, protocol::TCP, self.segment)
    }

    /// The urgent pointer, which has a meaning only with [`Flags::URG`].
    #[must_use]
    pub const fn urgent(&self) -> u16 {
        be16::<18, _>(self.fixed)
    }

    /// Bytes of header, options included, as far as they are there: 20 to 60.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        FIXED + self.options.len()
    }

    /// The options one by one; errors count bytes from the start of the TCP header.
    #[must_use]
    pub const fn options(&self) -> OptionIter<'a> {
        OptionIter::new(self.options, FIXED)
    }

    /// The options' bytes, padding included.
    #[must_use]
    pub const fn option_bytes(&self) -> &'a [u8] {
        self.options
    }

    /// What is wrong with the list of options, if something is. The options in front of it
    /// count nevertheless, and the segment too.
    #[must_use]
    pub fn option_error(&self) -> Option<ParseError> {
        self.options().find_map(Result::err)
    }

    /// What stands behind the header.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The header's meaning, with the options that stand in front of a malformed one, if there
    /// is one. Of an option that comes twice the last one counts.
    #[must_use]
    pub fn to_header(&self) -> Header {
        Header {
            src_port: self.src_port(),
            dst_port: self.dst_port(),
            seq: self.seq(),
            ack: self.ack(),
            flags: self.flags(),
            window: self.window(),
            urgent: self.urgent(),
            options: self.meant_options(),
        }
    }

    fn meant_options(&self) -> Options {
        // Nearly every segment has the layout of RFC 7323 appendix A, which is told at a glance.
        if let [kind::NOP, kind::NOP, kind::TIMESTAMPS, 10, fields @ ..] = self.options
            && let Some(timestamps) = Timestamps::read(fields)
        {
            return Options { timestamps: Some(timestamps), ..Options::default() };
        }
        self.options().map_while(Result::ok).collect()
    }

    /// The header as it stands there, to be emitted byte for byte.
    ///
    /// # Errors
    /// If some of the header is missing, or the list of options is malformed.
    pub fn to_raw(&self) -> Result<RawHeader<'a>, ParseError> {
        self.whole()?;
        Ok(RawHeader {
            src_port: self.src_port(),
            dst_port: self.dst_port(),
            seq: self.seq(),
            ack: self.ack(),
            reserved: self.reserved(),
            flags: self.flags(),
            window: self.window(),
            checksum: self.checksum(),
            urgent: self.urgent(),
            options: self.options().collect::<Result<_, _>>()?,
        })
    }
}

/// Every field of a TCP header as it stands on the wire, options in their order, for those who
/// build packets by hand. The data offset follows from the options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawHeader<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// `seg.seq`.
    pub seq: SeqNumber,
    /// The acknowledgment field.
    pub ack: SeqNumber,
    /// The three bits without meaning.
    pub reserved: u8,
    /// The control bits.
    pub flags: Flags,
    /// The window field.
    pub window: u16,
    /// The checksum.
    pub checksum: u16,
    /// The urgent pointer.
    pub urgent: u16,
    /// The options. Up to 40 bytes of them fit a header.
    pub options: SmallVec<[TcpOption<'a>; 8]>,
}

impl RawHeader<'_> {
    /// Writes the header, padded with zeros to a multiple of four bytes. Options that do not
    /// fit into 40 bytes are written nevertheless, but the data offset stays at 15.
    pub fn emit(&self, out: &mut impl Put) {
        let len: usize = self.options.iter().map(TcpOption::emitted_len).sum();
        let fixed = Fixed {
            ports: [self.src_port, self.dst_port],
            seq: self.seq,
            ack: self.ack,
            options_len: len.next_multiple_of(4),
            bits: u16::from(self.reserved & 0b111) << 9 | self.flags.bits() & 0x1ff,
            window: self.window,
            checksum: self.checksum,
            urgent: self.urgent,
        };
        fixed.emit(out);
        for option in &self.options {
            option.emit(out);
        }
        let padding = len.next_multiple_of(4) - len;
        out.put([0; 4].get(..padding).unwrap_or_default());
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
