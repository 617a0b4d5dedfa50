//! An expression that scapy builds to the same bytes.

use std::fmt::Write;

use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{TcpOption, TcpView};

use crate::dissect::{Layout, Start, dissect};
use crate::field::{Family, Field, Layer};
use crate::text::value::ValueText;

/// Where an argument's value comes from.
enum From {
    /// One field, as a number.
    Number(Field),
    /// One field, as text.
    Text(Field),
    /// Several fields that scapy has as one, each with the bits behind it.
    Joined(&'static [(Field, u8)]),
}

use From::{Joined, Number, Text};

type Arguments = &'static [(&'static str, From)];

const ETHERNET: Arguments =
    &[("dst", Text(Field::EthDst)), ("src", Text(Field::EthSrc)), ("type", Number(Field::EthType))];

/// What versions before 2.6 have for DEI, and later ones understand.
const DEI: &str = "id";

const VLAN: Arguments = &[
    ("prio", Number(Field::VlanPriority)),
    (DEI, Number(Field::VlanDropEligible)),
    ("vlan", Number(Field::VlanId)),
    ("type", Number(Field::VlanType)),
];

const INNER_VLAN: Arguments = &[
    ("prio", Number(Field::InnerVlanPriority)),
    (DEI, Number(Field::InnerVlanDropEligible)),
    ("vlan", Number(Field::InnerVlanId)),
    ("type", Number(Field::InnerVlanType)),
];

const IPV4: Arguments = &[
    ("version", Number(Field::Version)),
    ("ihl", Number(Field::HeaderLen)),
    ("tos", Joined(&[(Field::Dscp, 2), (Field::Ecn, 0)])),
    ("len", Number(Field::TotalLen)),
    ("id", Number(Field::Identification)),
    (
        "flags",
        Joined(&[(Field::ReservedFlag, 2), (Field::DontFragment, 1), (Field::MoreFragments, 0)]),
    ),
    ("frag", Number(Field::FragmentOffset)),
    ("ttl", Number(Field::Ttl)),
    ("proto", Number(Field::Protocol)),
    ("chksum", Number(Field::IpChecksum)),
    ("src", Text(Field::Src)),
    ("dst", Text(Field::Dst)),
];

const IPV6: Arguments = &[
    ("version", Number(Field::Version)),
    ("tc", Joined(&[(Field::Dscp, 2), (Field::Ecn, 0)])),
    ("fl", Number(Field::FlowLabel)),
    ("plen", Number(Field::PayloadLen)),
    ("nh", Number(Field::Protocol)),
    ("hlim", Number(Field::Ttl)),
    ("src", Text(Field::Src)),
    ("dst", Text(Field::Dst)),
];

const TCP: Arguments = &[
    ("sport", Number(Field::SrcPort)),
    ("dport", Number(Field::DstPort)),
    ("seq", Number(Field::Seq)),
    ("ack", Number(Field::Ack)),
    ("dataofs", Number(Field::DataOffset)),
    ("reserved", Number(Field::Reserved)),
    ("flags", Number(Field::Flags)),
    ("window", Number(Field::Window)),
    ("chksum", Number(Field::Checksum)),
    ("urgptr", Number(Field::Urgent)),
];

/// An expression that scapy builds to the same bytes, every field given. What scapy would not
/// give back byte for byte, as extension headers and malformed options, is in it as `Raw`.
#[must_use]
pub fn scapy(bytes: &[u8], start: Start) -> String {
    let (layout, _) = dissect(bytes, start);
    let mut parts = Vec::new();
    let mut end = 0;
    for (layer, range) in &layout.headers {
        let header = bytes.get(range.clone()).unwrap_or_default();
        let Some(part) = part(bytes, &layout, *layer, header) else { break };
        parts.push(part);
        end = range.end;
        // Extension headers are left to what is raw, with all behind them.
        let fixed = range.start + layer.fixed_len(layout.family);
        if (*layer, layout.family) == (Layer::Ip, Family::V6) && fixed < end {
            end = fixed;
            break;
        }
    }
    let rest = bytes.get(end..).unwrap_or_default();
    if !rest.is_empty() || parts.is_empty() {
        parts.push(raw(rest));
    }
    parts.join("/")
}

/// One header; nothing if it needs to be raw.
fn part(bytes: &[u8], layout: &Layout, layer: Layer, header: &[u8]) -> Option<String> {
    let (name, arguments) = match (layer, layout.family) {
        _ if !layout.has(layer) => return None,
        (Layer::Ethernet, _) => ("Ether", ETHERNET),
        (Layer::Vlan, _) => ("Dot1Q", VLAN),
        (Layer::InnerVlan, _) => ("Dot1Q", INNER_VLAN),
        (Layer::Ip, Family::V4) => ("IP", IPV4),
        (Layer::Ip, Family::V6) => ("IPv6", IPV6),
        (Layer::Tcp, _) => ("TCP", TCP),
    };
    let get = |field| layout.get(bytes, field);
    let mut words = Vec::new();
    for (name, from) in arguments {
        let value = match from {
            Number(field) => get(*field)?.to_string(),
            Text(field) => {
                let (field, family, value) = (*field, layout.family, get(*field)?);
                format!("'{}'", ValueText { field, family, value })
            }
            Joined(fields) => {
                let joined = fields.iter().map(|(field, behind)| Some(get(*field)? << behind));
                joined.sum::<Option<u128>>()?.to_string()
            }
        };
        // What it is by default, under either name.
        let left_out =
            matches!(from, Number(Field::VlanDropEligible | Field::InnerVlanDropEligible));
        if !left_out || value != "0" {
            words.push(format!("{name}={value}"));
        }
    }
    match (layer, header.get(20..)) {
        (Layer::Tcp, _) => words.push(format!("options=[{}]", options(header)?)),
        (Layer::Ip, Some(options)) if layout.family == Family::V4 && !options.is_empty() => {
            words.push(format!("options=[{}]", raw(options)));
        }
        _ => {}
    }
    Some(format!("{name}({})", words.join(", ")))
}

/// The options as scapy's pairs; nothing if they need to be raw.
fn options(header: &[u8]) -> Option<String> {
    let tcp = TcpView::parse(header).ok()?;
    let mut list = Vec::new();
    for option in tcp.options() {
        list.push(match option.ok()? {
            TcpOption::Nop => "('NOP', None)".to_owned(),
            TcpOption::EndOfList { padding } if padding.len() < 4 && is_zero(padding) => {
                "('EOL', None)".to_owned()
            }
            TcpOption::Mss(mss) => format!("('MSS', {mss})"),
            TcpOption::WindowScale(shift) => format!("('WScale', {shift})"),
            TcpOption::SackPermitted => "('SAckOK', b'')".to_owned(),
            TcpOption::Timestamps(Timestamps { value, echo }) => {
                format!("('Timestamp', ({value}, {echo}))")
            }
            TcpOption::Sack(blocks) if !blocks.is_empty() => {
                let mut edges = String::new();
                for block in blocks.as_slice() {
                    let _ = write!(edges, "{}, {}, ", block.left, block.right);
                }
                format!("('SAck', ({edges}))")
            }
            // Scapy has shapes of its own for some of the other kinds.
            _ => return None,
        });
    }
    Some(list.join(", "))
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Bytes as scapy takes them unread.
fn raw(bytes: &[u8]) -> String {
    format!("Raw(load=b'{}')", bytes.escape_ascii())
}
