//! A packet in the forms that people and programs want.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use crate::decode::decode;
use crate::dissect::Start;
pub use crate::text::Hex;
use crate::text::SpecError;

mod boxes;
mod pcapng;
mod scapy;
mod tcpdump;

pub use boxes::boxes;
pub use pcapng::pcapng;
pub use scapy::scapy;
pub use tcpdump::tcpdump;

/// A form that packets can be printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Headers as boxes, as netwox has them.
    Boxes,
    /// Hex digits, a line each.
    Hex,
    /// Offset, bytes and text, as `xxd` has them.
    Dump,
    /// The bytes themselves.
    Bytes,
    /// The line that reads back as a template.
    Line,
    /// The line that tcpdump would print.
    Tcpdump,
    /// Every field as an object, a line each.
    Json,
    /// A capture file.
    Pcapng,
    /// A constant for a Rust program.
    Rust,
    /// An expression for scapy.
    Scapy,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 10] = [
        Self::Boxes,
        Self::Hex,
        Self::Dump,
        Self::Bytes,
        Self::Line,
        Self::Tcpdump,
        Self::Json,
        Self::Pcapng,
        Self::Rust,
        Self::Scapy,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boxes => "boxes",
            Self::Hex => "hex",
            Self::Dump => "dump",
            Self::Bytes => "bytes",
            Self::Line => "line",
            Self::Tcpdump => "tcpdump",
            Self::Json => "json",
            Self::Pcapng => "pcapng",
            Self::Rust => "rust",
            Self::Scapy => "scapy",
        }
    }

    /// Packets that begin with `start`, each with its time since 1970, in this form. `None` if
    /// the form has no place for them: a capture of segments without addresses.
    #[must_use]
    pub fn show(self, packets: &[(Duration, Vec<u8>)], start: Start) -> Option<Vec<u8>> {
        let each = |show: &dyn Fn(&[u8]) -> String| {
            let texts = packets.iter().map(|(_, packet)| show(packet));
            Some(texts.collect::<String>().into_bytes())
        };
        match self {
            Self::Boxes => {
                let all: Vec<_> = packets.iter().map(|(_, packet)| boxes(packet, start)).collect();
                Some(all.join("\n").into_bytes())
            }
            Self::Hex => each(&|packet| format!("{}\n", Hex(packet))),
            Self::Dump => each(&dump),
            Self::Bytes => Some(packets.iter().flat_map(|(_, packet)| packet).copied().collect()),
            Self::Line => {
                let line = |packet: &_| crate::template::Template::of(packet, start);
                each(&|packet| format!("{}\n", line(packet)))
            }
            Self::Tcpdump => each(&|packet| format!("{}\n", tcpdump(packet, start))),
            Self::Json => each(&|packet| format!("{}\n", decode(packet, start).json())),
            Self::Pcapng => pcapng(packets, start),
            Self::Rust => Some(rust_constants(packets).into_bytes()),
            Self::Scapy => each(&|packet| format!("{}\n", scapy(packet, start))),
        }
    }
}

impl FromStr for Form {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let named = Self::ALL.into_iter().find(|form| form.name() == text);
        let names = Self::ALL.into_iter().map(Self::name);
        named.ok_or_else(|| SpecError::unknown(0..text.len(), "format", text, names))
    }
}

/// Offset, bytes and text, 16 bytes a line, as `xxd` has them.
#[must_use]
pub fn dump(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (i, row) in bytes.chunks(16).enumerate() {
        let pairs: Vec<_> = row.chunks(2).map(|pair| Hex(pair).to_string()).collect();
        let _ = writeln!(out, "{:08x}: {:<39}  {}", 16 * i, pairs.join(" "), printable(row));
    }
    out
}

/// Bytes and text, 16 bytes a line in groups of four, as netwox has them.
fn commented(bytes: &[u8]) -> String {
    let mut out = String::new();
    for row in bytes.chunks(16) {
        let group = |four: &[u8]| {
            four.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
        };
        let groups: Vec<_> = row.chunks(4).map(group).collect();
        let _ = writeln!(out, "{:<50}  # {}", groups.join("  "), printable(row));
    }
    out
}

/// A constant for each packet, numbered if there are several.
fn rust_constants(packets: &[(Duration, Vec<u8>)]) -> String {
    let constants: Vec<_> = match packets {
        [(_, packet)] => vec![rust("PACKET", packet)],
        several => {
            let numbered = several.iter().enumerate();
            numbered.map(|(i, (_, packet))| rust(&format!("PACKET_{}", i + 1), packet)).collect()
        }
    };
    constants.join("\n")
}

/// A constant for a Rust program.
fn rust(name: &str, bytes: &[u8]) -> String {
    let mut out = format!("const {name}: [u8; {}] = [\n", bytes.len());
    for row in bytes.chunks(12) {
        let row: Vec<_> = row.iter().map(|byte| format!("{byte:#04x},")).collect();
        let _ = writeln!(out, "    {}", row.join(" "));
    }
    out + "];\n"
}

/// What can be printed of the bytes, and points.
fn printable(bytes: &[u8]) -> String {
    let letter = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' };
    bytes.iter().map(letter).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
