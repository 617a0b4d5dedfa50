//! A packet's bytes, as tcpdump prints them.

use std::fmt::Write;

/// Sixteen bytes on a line, in hex; with `text`, also as text.
pub(super) fn hex(out: &mut String, bytes: &[u8], text: bool) {
    for (line, bytes) in bytes.chunks(16).enumerate() {
        let mut hex = String::new();
        for pair in bytes.chunks(2) {
            hex.push(' ');
            for byte in pair {
                let _ = write!(hex, "{byte:02x}");
            }
        }
        let _ = write!(out, "\t{:#06x}: {hex}", line * 16);
        if text {
            let _ = write!(out, "{}  ", " ".repeat(40_usize.saturating_sub(hex.len())));
            out.extend(bytes.iter().map(|&byte| shown(byte)));
        }
        out.push('\n');
    }
}

/// The bytes as text, with line ends as they are.
pub(super) fn ascii(out: &mut String, bytes: &[u8]) {
    let keeps = |byte: u8| matches!(byte, b'\n' | b'\t' | b' ');
    let mut line = |byte: &u8| match *byte {
        b'\r' => {}
        byte if keeps(byte) => out.push(char::from(byte)),
        byte => out.push(shown(byte)),
    };
    bytes.iter().for_each(&mut line);
    out.push('\n');
}

fn shown(byte: u8) -> char {
    if byte.is_ascii_graphic() { char::from(byte) } else { '.' }
}
