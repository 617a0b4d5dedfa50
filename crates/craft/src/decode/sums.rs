//! What a TCP checksum says: right, wrong, or left for a network card to finish.

use std::fmt;

use handclasp_wire::checksum::{pseudo_header, sum};
use handclasp_wire::ip::protocol;
use handclasp_wire::tcp::view::CHECKSUM_AT;

use crate::dissect::Layout;
use crate::field::{Field, Layer};

/// What is to be said of a TCP checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// It fits.
    Right,
    /// It is the pseudo header's sum only: captured before the network card finished it.
    Unfinished {
        /// What it will be.
        right: u16,
    },
    /// It does not fit.
    Wrong {
        /// What would.
        right: u16,
    },
    /// It cannot be verified.
    Unknown(Doubt),
}

/// Why a checksum cannot be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The addresses that it covers are not there.
    NoAddresses,
    /// Bytes that it covers are not there.
    CutShort,
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right => f.write_str("right"),
            Self::Unfinished { right } => {
                write!(f, "unfinished, for the network card to make it {right:#06x}")
            }
            Self::Wrong { right } => write!(f, "wrong: it should be {right:#06x}"),
            Self::Unknown(Doubt::NoAddresses) => {
                f.write_str("cannot be verified without the addresses")
            }
            Self::Unknown(Doubt::CutShort) => {
                f.write_str("cannot be verified, as bytes are missing")
            }
        }
    }
}

/// Judges a packet's TCP checksum; `None` if it has none.
pub(super) fn checksum(bytes: &[u8], layout: &Layout) -> Option<Checksum> {
    let found = layout.get(bytes, Field::Checksum)?;
    if layout.missing > 0 || !layout.has(Layer::Tcp) {
        return Some(Checksum::Unknown(Doubt::CutShort));
    }
    let Some((src, dst)) = layout.addresses(bytes) else {
        return Some(Checksum::Unknown(Doubt::NoAddresses));
    };
    let len = layout.segment(bytes)?.len() as u32;
    let right = layout.fit(bytes, Field::Checksum)? as u16;
    // Where a card cuts large segments, some systems leave the length out.
    let partial = |len| pseudo_header(src, dst, protocol::TCP, len).partial();
    Some(judge(found as u16, right, [partial(len), partial(0)]))
}

fn judge(found: u16, right: u16, unfinished: [u16; 2]) -> Checksum {
    // In ones' complement there are two zeros.
    if found == right || (found, right) == (0xffff, 0) {
        Checksum::Right
    } else if unfinished.contains(&found) {
        Checksum::Unfinished { right }
    } else {
        Checksum::Wrong { right }
    }
}

/// What two addresses that nobody told may add up to, going by the segments between them.
///
/// Each segment offers two sums: one that makes its checksum right, and one that makes it
/// unfinished. The true one is offered by all of them, but for those that are wrong.
///
/// Returns the sum and what follows for each segment. `None` if no sum explains two segments
/// of different bytes, or two sums explain as many.
pub(super) fn infer(segments: &[&[u8]]) -> Option<(u16, Vec<Checksum>)> {
    let offers: Vec<_> = segments.iter().map(|segment| offers(segment)).collect();
    // Copies of a segment say nothing that it did not say.
    let mut seen: Vec<(&[u8], [u16; 2])> = Vec::new();
    for (segment, offer) in segments.iter().zip(offers.iter().copied()) {
        if let Some(offer) = offer.filter(|_| !seen.iter().any(|(same, _)| same == segment)) {
            seen.push((segment, offer));
        }
    }
    let explained = |sum: u16| seen.iter().filter(|(_, offer)| offer.contains(&sum)).count();
    let mut best = (1, None);
    for sum in seen.iter().flat_map(|(_, offer)| *offer) {
        best = match (explained(sum), best) {
            (count, (most, _)) if count > most => (count, Some(sum)),
            (count, (most, Some(other))) if count == most && other != sum => (most, None),
            (_, best) => best,
        };
    }
    let addresses = best.1?;
    let judged = segments.iter().zip(&offers).map(|(segment, offer)| {
        let Some([finished, unfinished]) = *offer else {
            return Checksum::Unknown(Doubt::CutShort);
        };
        let right = right(segment, addresses);
        match addresses {
            sum if sum == finished => Checksum::Right,
            sum if sum == unfinished => Checksum::Unfinished { right },
            _ => Checksum::Wrong { right },
        }
    });
    Some((addresses, judged.collect()))
}

/// The sums of addresses that make a segment's checksum right, and unfinished.
fn offers(segment: &[u8]) -> Option<[u16; 2]> {
    let found = segment.get(CHECKSUM_AT..)?.first_chunk()?;
    let constant = fold(u32::from(protocol::TCP) + segment.len() as u32);
    let all = fold(u32::from(constant) + u32::from(sum(segment).partial()));
    Some([fold((!all).into()), minus(u16::from_be_bytes(*found), constant)])
}

/// The checksum that fits a segment between addresses with this sum.
fn right(segment: &[u8], addresses: u16) -> u16 {
    let (front, behind) = segment.split_at_checked(CHECKSUM_AT).unwrap_or((segment, &[]));
    let covered = sum(front) + sum(behind.get(2..).unwrap_or_default());
    let constant = u32::from(protocol::TCP) + segment.len() as u32 + u32::from(addresses);
    !fold(u32::from(fold(constant)) + u32::from(covered.partial()))
}

/// `a − b` in ones' complement, with the one zero that a sum of something has.
const fn minus(a: u16, b: u16) -> u16 {
    fold(a as u32 + !b as u32)
}

const fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = ((sum & 0xffff) + (sum >> 16)) as u16;
    if sum == 0 { 0xffff } else { sum }
}
