//! Headers as boxes, 65 columns wide: two columns a bit, 32 bits a row, as netwox has them.

use std::fmt::Write;

use handclasp_wire::notation::Base;
use handclasp_wire::tcp::{TcpOption, TcpView};

use crate::dissect::{Layout, Start, dissect};
use crate::field::{Family, Field, Layer};
use crate::text::value::ValueText;

/// Columns between the two edges.
const WIDTH: usize = 63;

/// A cell: its heading, its bits, and how its value is written.
type Cell = (&'static str, u16, Style);

#[derive(Clone, Copy)]
enum Style {
    /// As a decimal number.
    Plain,
    /// As hex and decimal: `0x0028=40`.
    Both,
    /// As hex.
    Hex,
    /// As the field's own text.
    Own(Field),
}

use Style::{Both, Hex, Own, Plain};

const VLAN: [Cell; 4] = [("pri", 3, Plain), ("d", 1, Plain), ("id", 12, Both), ("type", 16, Hex)];

const IPV4: [Cell; 14] = [
    ("version", 4, Plain),
    ("ihl", 4, Plain),
    ("tos", 8, Both),
    ("totlen", 16, Both),
    ("id", 16, Both),
    ("r", 1, Plain),
    ("D", 1, Plain),
    ("M", 1, Plain),
    ("offsetfrag", 13, Both),
    ("ttl", 8, Both),
    ("protocol", 8, Both),
    ("checksum", 16, Hex),
    ("source", 32, Own(Field::Src)),
    ("destination", 32, Own(Field::Dst)),
];

const IPV6: [Cell; 8] = [
    ("version", 4, Plain),
    ("traffic class", 8, Both),
    ("flow label", 20, Both),
    ("payload length", 16, Both),
    ("next header", 8, Both),
    ("hop limit", 8, Both),
    ("source", 128, Own(Field::Src)),
    ("destination", 128, Own(Field::Dst)),
];

const TCP: [Cell; 20] = [
    ("source port", 16, Both),
    ("destination port", 16, Both),
    ("seqnum", 32, Both),
    ("acknum", 32, Both),
    ("doff", 4, Plain),
    ("r", 1, Plain),
    ("r", 1, Plain),
    ("r", 1, Plain),
    ("r", 1, Plain),
    ("C", 1, Plain),
    ("E", 1, Plain),
    ("U", 1, Plain),
    ("A", 1, Plain),
    ("P", 1, Plain),
    ("R", 1, Plain),
    ("S", 1, Plain),
    ("F", 1, Plain),
    ("window", 16, Both),
    ("checksum", 16, Both),
    ("urgptr", 16, Both),
];

/// The packet as boxes, a header each, then what they do not show as bytes with their text.
#[must_use]
pub fn boxes(bytes: &[u8], start: Start) -> String {
    let (layout, _) = dissect(bytes, start);
    let mut out = String::new();
    let mut shown = 0;
    for (layer, range) in layout.headers.iter().filter(|(layer, _)| layout.has(*layer)) {
        shown = range.end;
        let header = bytes.get(range.clone()).unwrap_or_default();
        let (title, cells): (_, &[Cell]) = match (layer, layout.family) {
            (Layer::Ethernet, _) => {
                ethernet(&mut out, bytes, &layout);
                continue;
            }
            (Layer::Vlan | Layer::InnerVlan, _) => ("VLAN", &VLAN),
            (Layer::Ip, Family::V4) => ("IP", &IPV4),
            (Layer::Ip, Family::V6) => ("IP", &IPV6),
            (Layer::Tcp, _) => ("TCP", &TCP),
        };
        head(&mut out, title);
        rows(&mut out, header, cells, layout.family);
        let options = header.get(layer.fixed_len(layout.family)..).unwrap_or_default();
        match (layer, TcpView::parse(header)) {
            _ if options.is_empty() => {}
            (Layer::Tcp, Ok(tcp)) => tcp_options(&mut out, &tcp),
            _ => {
                head(&mut out, "IPOPTS");
                lines(&mut out, options.chunks(16).map(|chunk| super::Hex(chunk).to_string()));
            }
        }
    }
    out + &super::commented(bytes.get(shown..).unwrap_or_default())
}

fn ethernet(out: &mut String, bytes: &[u8], layout: &Layout) {
    let text = |field| {
        let value = layout.get(bytes, field).unwrap_or_default();
        ValueText { field, family: layout.family, value }.to_string().to_uppercase()
    };
    let [src, dst, kind] = [Field::EthSrc, Field::EthDst, Field::EthType].map(text);
    head(out, "Ethernet");
    lines(out, [format!("{src}->{dst} type:{}", kind.replace('X', "x"))].into_iter());
}

fn head(out: &mut String, title: &str) {
    let _ = writeln!(out, "{title:_<64}.");
}

fn rows(out: &mut String, header: &[u8], cells: &[Cell], family: Family) {
    let (mut at, mut names, mut values) = (0, String::from("|"), String::from("|"));
    for (name, bits, style) in cells {
        let width = WIDTH.min(usize::from(2 * bits - 1));
        let value = value(header, at, *bits, *style, family);
        let _ = write!(names, "{}|", centred(name, ' ', width));
        let _ = write!(values, "{}|", centred(&value, '_', width));
        at += bits;
        // Also a cell that is wider than a row has one of its own.
        if names.len() > WIDTH || *bits > 32 {
            let _ = writeln!(out, "{names}\n{values}");
            (names, values) = (String::from("|"), String::from("|"));
        }
    }
    if names.len() > 1 {
        let _ = writeln!(out, "{names}\n{values}");
    }
}

fn value(header: &[u8], at: u16, bits: u16, style: Style, family: Family) -> String {
    let place = crate::field::Place { layer: Layer::Ip, at, bits, key: "" };
    let value = place.get(header).unwrap_or_default();
    let digits = 2 * usize::from(bits.div_ceil(8));
    match style {
        Plain => value.to_string(),
        Both => format!("0x{value:0digits$X}={value}"),
        Hex => format!("0x{value:0digits$X}"),
        Own(field) => ValueText { field, family, value }.to_string(),
    }
}

fn centred(text: &str, fill: char, width: usize) -> String {
    let spare = width.saturating_sub(text.len());
    let side = |n| fill.to_string().repeat(n);
    format!("{}{text}{}", side(spare / 2), side(spare - spare / 2))
}

fn tcp_options(out: &mut String, tcp: &TcpView<'_>) {
    head(out, "TCPOPTS");
    let mut read = 0;
    let options = tcp.options().map(|option| match option {
        Ok(option) => {
            read += option.emitted_len();
            let text = option.display(Base::ABSOLUTE).to_string();
            match option {
                // One number, which netwox sets behind a sign.
                TcpOption::Mss(_) | TcpOption::WindowScale(_) | TcpOption::UserTimeout(_) => {
                    text.replacen(' ', "=", 1)
                }
                _ => text,
            }
        }
        Err(_) => {
            format!("bad {}", super::Hex(tcp.option_bytes().get(read..).unwrap_or_default()))
        }
    });
    lines(out, options);
}

/// Lines of text in a box; what is too long goes on in the next.
fn lines(out: &mut String, lines: impl Iterator<Item = String>) {
    for line in lines {
        let letters: Vec<char> = line.chars().collect();
        for part in letters.chunks(WIDTH - 2) {
            let _ = writeln!(out, "| {:<62}|", part.iter().collect::<String>());
        }
    }
    let _ = writeln!(out, "|{}|", "_".repeat(WIDTH));
}
