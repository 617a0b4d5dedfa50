//! IP inside of IP.

use handclasp_wire::ip::version;
use handclasp_wire::packet::{Packet, Transport};

/// IPv4 in IP (RFC 2003).
const IPV4: u8 = 4;
/// IPv6 in IP (RFC 4213).
const IPV6: u8 = 41;
/// Generic routing encapsulation (RFC 2784).
const GRE: u8 = 47;
/// The port of the user plane of GTP (3GPP TS 29.281), where phones' packets travel.
const GTP_PORT: u16 = 2152;

/// The IP packet that this one carries, if it is a tunnel's.
pub(super) fn inside<'a>(packet: &Packet<'a>, bytes: &'a [u8]) -> Option<&'a [u8]> {
    match packet.transport {
        Transport::Other { protocol: IPV4 | IPV6 } => bytes.get(packet.layout.payload()),
        Transport::Other { protocol: GRE } => gre(bytes.get(packet.layout.payload())?),
        Transport::Udp(udp) if udp.dst_port() == GTP_PORT || udp.src_port() == GTP_PORT => {
            gtp(udp.payload())
        }
        _ => None,
    }
}

fn gre(bytes: &[u8]) -> Option<&[u8]> {
    let ([flags, 0, 0x08, 0x00, rest @ ..] | [flags, 0, 0x86, 0xdd, rest @ ..]) = bytes else {
        return None;
    };
    // Checksum, key and sequence number, four bytes each (RFC 2890).
    let words = [0x80, 0x20, 0x10].iter().filter(|&bit| flags & bit != 0).count();
    rest.get(4 * words..)
}

fn gtp(bytes: &[u8]) -> Option<&[u8]> {
    const USER_DATA: u8 = 0xff;
    let [flags, USER_DATA, _, _, _, _, _, _, rest @ ..] = bytes else { return None };
    if flags >> 5 != 1 {
        return None;
    }
    let mut rest = rest;
    if flags & 0b111 != 0 {
        let (optional, behind) = rest.split_first_chunk::<4>()?;
        (rest, _) = extensions(optional[3], behind)?;
    }
    matches!(version(rest), Some(4 | 6)).then_some(rest)
}

/// Passes over extension headers, each of which tells its length in words of four bytes and, in
/// its last byte, the type of the next one.
fn extensions(mut kind: u8, mut rest: &[u8]) -> Option<(&[u8], u8)> {
    while kind != 0 {
        let len = 4 * usize::from(*rest.first().filter(|&&words| words > 0)?);
        let (extension, behind) = rest.split_at_checked(len)?;
        (kind, rest) = (*extension.last()?, behind);
    }
    Some((rest, kind))
}
