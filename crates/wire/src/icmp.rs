//! What ICMP's two versions share: the shape of a message, and echoes.

use crate::checksum::{Sum, sum};
use crate::error::{Layer, ParseError};
use crate::octets::{Put, be16, part, split};

const FIXED: usize = 8;

/// A message as it stands on the wire, whatever its type: four bytes whose use depends on the
/// type, and what follows them. The checksum is worked out when it is emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message<'a> {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// The four bytes behind the checksum.
    pub rest: [u8; 4],
    /// Everything behind them.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Bytes in front of the body.
    pub const HEADER_LEN: usize = FIXED;

    /// The message without its checksum, and the checksum as it stands there.
    pub(crate) fn parse(bytes: &'a [u8], layer: Layer) -> Result<(Self, u16), ParseError> {
        let (fixed, body) = split::<FIXED>(bytes, layer)?;
        let rest = part::<4, 4, _>(fixed);
        Ok((Self { kind: fixed[0], code: fixed[1], rest, body }, be16::<2, _>(fixed)))
    }

    /// Writes the message. `pseudo_header` is [`Sum::default`] for IPv4, which has none here.
    pub(crate) fn emit(&self, pseudo_header: Sum, out: &mut impl Put) {
        let kind = [self.kind, self.code];
        let total = pseudo_header + sum(&kind) + sum(&self.rest) + sum(self.body);
        out.put(&kind);
        out.put(&total.finish().to_be_bytes());
        out.put(&self.rest);
        out.put(self.body);
    }

    /// The first two of the four bytes behind the checksum.
    pub(crate) const fn rest_high(&self) -> u16 {
        be16::<0, _>(&self.rest)
    }

    /// The last two of them.
    pub(crate) const fn rest_low(&self) -> u16 {
        be16::<2, _>(&self.rest)
    }
}

/// The contents of an echo request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Echo<'a> {
    /// Tells whose echo it is.
    pub identifier: u16,
    /// Tells one request from the next.
    pub sequence: u16,
    /// Comes back as it was sent.
    pub data: &'a [u8],
}

impl<'a> Echo<'a> {
    pub(crate) const fn read(message: &Message<'a>) -> Self {
        let (identifier, sequence) = (message.rest_high(), message.rest_low());
        Self { identifier, sequence, data: message.body }
    }

    pub(crate) const fn message(&self, kind: u8) -> Message<'a> {
        let ([a, b], [c, d]) = (self.identifier.to_be_bytes(), self.sequence.to_be_bytes());
        Message { kind, code: 0, rest: [a, b, c, d], body: self.data }
    }
}
