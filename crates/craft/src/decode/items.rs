//! Every field with its place, its value and its meaning.

use std::ops::Range;

use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::ip::protocol;
use handclasp_wire::notation::Base;
use handclasp_wire::tcp::{Flags, TcpOption, TcpView};

use super::sums::Checksum;
use super::{Item, Value};
use crate::dissect::Layout;
use crate::field::{Family, Field, Kind, Layer};
use crate::text::Hex;
use crate::text::value::ValueText;

pub(super) fn items(bytes: &[u8], layout: &Layout, checksum: Option<Checksum>) -> Vec<Item> {
    let mut items = Vec::new();
    for (layer, header) in &layout.headers {
        let fields = Field::all().filter(|field| field.layer() == *layer);
        let mut read: Vec<_> =
            fields.filter_map(|field| item(bytes, layout, field, checksum)).collect();
        // Not every family has its fields in the order of the table.
        read.sort_by_key(|item| (item.bytes.start, item.bits.as_ref().map(|bits| bits.start)));
        let end = read.last().map_or(header.start, |item| item.bytes.end);
        items.extend(read);
        let fixed = header.start + layer.fixed_len(layout.family);
        if fixed > header.end {
            // The last field is there in part.
            items.extend(rest(bytes, layer.name(), "cut short", end..header.end));
            continue;
        }
        match layer {
            Layer::Tcp => options(bytes, layout, &mut items),
            _ => items.extend(rest(bytes, layer.name(), "ip-options", fixed..header.end)),
        }
    }
    items.extend(rest(bytes, "data", "data", layout.payload.clone()));
    items.extend(rest(bytes, "trailer", "trailer", layout.payload.end..bytes.len()));
    items
}

fn item(bytes: &[u8], layout: &Layout, field: Field, checksum: Option<Checksum>) -> Option<Item> {
    let place = field.place(layout.family)?;
    let (value, start) = (layout.get(bytes, field)?, layout.header(place.layer)?.start);
    let touched = place.bytes();
    let from = place.at - 8 * touched.start as u16;
    let whole = place.bits == 8 * touched.len() as u16;
    let text = ValueText { field, family: layout.family, value }.to_string();
    Some(Item {
        layer: place.layer.name(),
        name: field.name().to_owned(),
        key: Some(place.key),
        bytes: start + touched.start..start + touched.end,
        bits: (!whole).then_some(from..from + place.bits),
        raw: format!("0x{value:0digits$x}", digits = usize::from(place.bits.div_ceil(4))),
        value: match field.kind() {
            Kind::Decimal | Kind::Hex => Value::Number(value as u64),
            Kind::Flags | Kind::Address | Kind::Hardware => Value::Text(text),
        },
        meaning: meaning(bytes, layout, field, value, checksum),
    })
}

/// What a field's value means, where it does not say that itself.
fn meaning(
    bytes: &[u8],
    layout: &Layout,
    field: Field,
    value: u128,
    checksum: Option<Checksum>,
) -> String {
    // Of a header that is cut short nobody knows its flags.
    let known = layout.get(bytes, Field::Flags);
    let flags = known.map_or(Flags::all(), |bits| Flags::from_bits_truncate(bits as u16));
    let without = |flag: Flags, name| {
        if flags.contains(flag) { "" } else { name }
    };
    match field {
        Field::EthDst | Field::EthSrc => {
            let [.., a, b, c, d, e, f] = value.to_be_bytes();
            match MacAddr([a, b, c, d, e, f]) {
                MacAddr::BROADCAST => "everyone on the link",
                mac if mac.is_multicast() => "a group",
                _ => "",
            }
        }
        Field::EthType | Field::VlanType | Field::InnerVlanType => match value {
            0x0800 => "IPv4",
            0x0806 => "ARP",
            0x8100 => "a VLAN tag",
            0x86dd => "IPv6",
            0x88a8 => "a provider's VLAN tag",
            _ => "",
        },
        Field::HeaderLen | Field::DataOffset => return format!("{} bytes", 4 * value),
        Field::Ecn => ["not ECN-capable", "ECT(1)", "ECT(0)", "congestion experienced"]
            .get(value as usize)
            .copied()
            .unwrap_or_default(),
        Field::FragmentOffset if value > 0 => return format!("byte {}", 8 * value),
        Field::Protocol => match value as u8 {
            protocol::TCP => "TCP",
            protocol::UDP => "UDP",
            protocol::ICMPV4 => "ICMP",
            protocol::ICMPV6 => "ICMPv6",
            protocol::HOP_BY_HOP if layout.family == Family::V6 => "hop-by-hop options",
            protocol::FRAGMENT => "a fragment header",
            protocol::ROUTING => "a routing header",
            protocol::DESTINATION_OPTIONS => "destination options",
            _ => "",
        },
        Field::IpChecksum => match layout.fit(bytes, field) {
            Some(right) if right == value => "right",
            Some(right) => return format!("wrong: it should be {right:#06x}"),
            None => "",
        },
        Field::Flags => return names(value as u16),
        Field::Ack => without(Flags::ACK, "without meaning, as ACK is not set"),
        Field::Urgent => without(Flags::URG, "without meaning, as URG is not set"),
        Field::Window if flags.contains(Flags::SYN) => {
            return format!("{value} bytes: the window of a SYN is not scaled");
        }
        Field::Window => return format!("{value} bytes, if it is not scaled"),
        Field::Checksum => return checksum.map(|sum| sum.to_string()).unwrap_or_default(),
        _ => "",
    }
    .to_owned()
}

fn names(flags: u16) -> String {
    let names: Vec<_> =
        Flags::from_bits_truncate(flags).iter_names().map(|(name, _)| name).collect();
    names.join(", ")
}

fn options(bytes: &[u8], layout: &Layout, items: &mut Vec<Item>) {
    let Some(Ok(tcp)) = layout.segment(bytes).map(TcpView::parse) else { return };
    let Some(header) = layout.header(Layer::Tcp) else { return };
    let mut at = header.start + Layer::Tcp.fixed_len(layout.family);
    for option in tcp.options().map_while(Result::ok) {
        let range = at..at + option.emitted_len();
        at = range.end;
        let text = option.display(Base::ABSOLUTE).to_string();
        let (name, value) = text.split_once(' ').unwrap_or((&text, ""));
        items.push(Item {
            layer: Layer::Tcp.name(),
            name: name.to_owned(),
            key: None,
            raw: format!("0x{}", Hex(bytes.get(range.clone()).unwrap_or_default())),
            bytes: range,
            bits: None,
            value: match value.parse() {
                Ok(number) => Value::Number(number),
                Err(_) => Value::Text(value.to_owned()),
            },
            meaning: option_meaning(&option),
        });
    }
    items.extend(rest(bytes, Layer::Tcp.name(), "bad", at..header.end));
}

fn option_meaning(option: &TcpOption<'_>) -> String {
    match option {
        TcpOption::EndOfList { .. } => "the options end here".to_owned(),
        TcpOption::Nop => "a byte of alignment".to_owned(),
        TcpOption::Mss(mss) => format!("segments with up to {mss} bytes of data are welcome"),
        TcpOption::WindowScale(shift) => {
            format!("windows count in units of {} bytes", 1u32 << (*shift).min(14))
        }
        TcpOption::SackPermitted => "selective acknowledgments are welcome".to_owned(),
        TcpOption::Sack(_) => "these ranges have arrived".to_owned(),
        TcpOption::UserTimeout(raw) => {
            let unit = if raw >> 15 == 1 { "minutes" } else { "seconds" };
            format!("{} {unit}", raw & 0x7fff)
        }
        _ => String::new(),
    }
}

/// Bytes that have no fields; nothing if there are none.
fn rest(
    bytes: &[u8],
    layer: &'static str,
    name: &'static str,
    range: Range<usize>,
) -> Option<Item> {
    let there = bytes.get(range.clone()).filter(|there| !there.is_empty())?;
    Some(Item {
        layer,
        name: name.to_owned(),
        key: None,
        bytes: range,
        bits: None,
        raw: format!("0x{}", Hex(there)),
        value: Value::Text(there.escape_ascii().to_string()),
        meaning: match there.len() {
            1 => "1 byte".to_owned(),
            len => format!("{len} bytes"),
        },
    })
}
