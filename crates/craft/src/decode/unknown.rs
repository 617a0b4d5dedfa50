//! What a packet alone does not tell.

use std::fmt;

use handclasp_wire::ip::protocol;
use handclasp_wire::tcp::{Flags, TcpView};

use super::sums::{Checksum, Doubt};
use super::together::{Flow, Window};
use super::{Decoded, Finding, Item};
use crate::dissect::Layout;
use crate::field::{Field, Layer};

/// What a packet alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unknown {
    /// Whether the checksum fits: the addresses that it covers are not there.
    Checksum,
    /// What a window amounts to: the SYNs that settled its scale are not there.
    Scale,
    /// How far into their streams the numbers are: the SYNs are not there.
    Stream,
    /// What was cut off.
    Missing {
        /// How many bytes, by the lengths that the headers claim.
        bytes: usize,
    },
    /// What a protocol other than TCP says.
    Protocol(u8),
    /// What a fragment without the beginning of its packet belongs to.
    Fragment,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum => {
                f.write_str("whether the checksum fits: the addresses that it covers are not there")
            }
            Self::Scale => f.write_str(
                "how many bytes the window is: the SYNs that settled its scale are not there",
            ),
            Self::Stream => {
                f.write_str("how far into their streams the numbers are: the SYNs are not there")
            }
            Self::Missing { bytes: 1 } => f.write_str("the byte that is cut off"),
            Self::Missing { bytes } => write!(f, "the {bytes} bytes that are cut off"),
            Self::Protocol(number) => {
                write!(f, "what protocol {number}{} says", name(*number))
            }
            Self::Fragment => {
                f.write_str("which ports and numbers: they are in the packet's first fragment")
            }
        }
    }
}

const fn name(number: u8) -> &'static str {
    match number {
        protocol::UDP => " (UDP)",
        protocol::ICMPV4 => " (ICMP)",
        protocol::ICMPV6 => " (ICMPv6)",
        _ => "",
    }
}

/// What the bytes leave open.
pub(super) fn unknowns(bytes: &[u8], layout: &Layout, checksum: Option<Checksum>) -> Vec<Unknown> {
    let mut unknown = Vec::new();
    let get = |field| layout.get(bytes, field);
    if layout.missing > 0 {
        unknown.push(Unknown::Missing { bytes: layout.missing });
    }
    if layout.header(Layer::Tcp).is_none() {
        let number = get(Field::Protocol).map(|number| number as u8);
        match number {
            Some(protocol::TCP) if get(Field::FragmentOffset).is_some_and(|at| at > 0) => {
                unknown.push(Unknown::Fragment);
            }
            Some(number) if number != protocol::TCP && layout.has(Layer::Ip) => {
                unknown.push(Unknown::Protocol(number));
            }
            _ => {}
        }
        return unknown;
    }
    if checksum == Some(Checksum::Unknown(Doubt::NoAddresses)) {
        unknown.push(Unknown::Checksum);
    }
    let Some(Ok(tcp)) = layout.segment(bytes).map(TcpView::parse) else { return unknown };
    if !tcp.flags().contains(Flags::SYN) {
        if tcp.window() > 0 && !tcp.flags().contains(Flags::RST) {
            unknown.push(Unknown::Scale);
        }
        unknown.push(Unknown::Stream);
    }
    unknown
}

/// Has packets tell what they tell only together: windows in bytes, numbers counted from the
/// SYNs, and checksums whose addresses follow from one another.
pub fn inform(packets: &mut [Decoded], flows: &[Flow]) {
    for flow in flows {
        let several = flow.segments.len() > 1;
        for segment in &flow.segments {
            let Some(packet) = packets.get_mut(segment.packet) else { continue };
            let syn = segment.flags.contains(Flags::SYN);
            if let (Window::Bytes(bytes), false) = (segment.window, syn) {
                let field = packet.get(Field::Window).unwrap_or_default();
                let shift = bytes.checked_div(field as u32).unwrap_or(1).trailing_zeros();
                let scaled =
                    if shift > 0 { format!(": {field} << {shift}") } else { String::new() };
                mean(packet, Field::Window, format!("{bytes} bytes{scaled}"));
                packet.unknown.retain(|unknown| *unknown != Unknown::Scale);
            }
            let [own, other] = flow.isns_of(segment.from);
            if let (Some(isn), true) = (own, several) {
                mean(packet, Field::Seq, counted(segment.seq, isn.certain));
            }
            if let (Some(isn), Some(ack), true) = (other, segment.ack, several) {
                mean(packet, Field::Ack, counted(ack, isn.certain));
            }
            let known = |isn: Option<super::Isn>| isn.is_some_and(|isn| isn.certain);
            if known(own) && (known(other) || segment.ack.is_none()) {
                packet.unknown.retain(|unknown| *unknown != Unknown::Stream);
            }
            if packet.checksum != Some(segment.checksum) {
                learn_sum(packet, segment.checksum);
            }
        }
    }
}

fn counted(number: u32, certain: bool) -> String {
    match certain {
        true => format!("{number} counted from the SYN"),
        false => format!("{number} counted from the first one here"),
    }
}

/// What the checksum is, now that others have told the sum of the addresses.
fn learn_sum(packet: &mut Decoded, checksum: Checksum) {
    let found = packet.get(Field::Checksum).unwrap_or_default() as u16;
    packet.checksum = Some(checksum);
    packet.unknown.retain(|unknown| *unknown != Unknown::Checksum);
    packet.findings.extend(match checksum {
        Checksum::Wrong { right } => Some(Finding::Checksum { found, right }),
        Checksum::Unfinished { right } => Some(Finding::Unfinished { found, right }),
        Checksum::Right | Checksum::Unknown(_) => None,
    });
    mean(packet, Field::Checksum, checksum.to_string());
}

fn mean(packet: &mut Decoded, field: Field, meaning: String) {
    let of_field = |item: &&mut Item| item.name == field.name() && item.layer == "tcp";
    if let Some(item) = packet.items.iter_mut().find(of_field) {
        item.meaning = meaning;
    }
}
