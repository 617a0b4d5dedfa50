//! From what people paste to bytes, and what those start with.

use std::fmt;

use handclasp_wire::frame::Medium;
use handclasp_wire::packet::{Net, Packet};
use handclasp_wire::tcp::TcpView;

use super::program::{decimals, has_swapped_words, literals, without_comments};
use crate::dissect::{Start, dissect};

/// Why no packet could be read from an input, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputError {
    /// The line, from 1 on.
    pub line: usize,
    /// The column, from 1 on.
    pub column: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}: {}", self.line, self.column, self.problem)
    }
}

impl std::error::Error for InputError {}

/// Reads packets in any of the spellings in which bytes are passed around:
///
/// - hex digits, with `0x`, `\x`, colons, commas, brackets and space where they like, and
///   comments as C has them;
/// - string literals with escapes, as C and Python have them, and lists of decimal numbers;
/// - dumps with offsets, as `xxd`, `hexdump -C`, `tcpdump -x` and Wireshark print them: where
///   an offset is not behind the one before, another packet starts;
/// - base64, a packet a line;
/// - the bytes themselves, if they are no text.
///
/// Of hex digits an empty line ends a packet. So does every line's end if each line is a whole
/// packet by itself; else the lines are one packet's. What stands behind a `#` is left out.
///
/// # Errors
/// If it is text in none of these spellings; told is where hex digits end.
pub fn read_bytes(input: &[u8]) -> Result<Vec<Vec<u8>>, InputError> {
    let printable = |b: &u8| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n') || *b >= 0x80;
    let Some(text) = str::from_utf8(input).ok().filter(|_| input.iter().all(printable)) else {
        return Ok(vec![input.to_vec()]);
    };
    let without_remark = |line| str::split(line, '#').next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(without_remark).collect();
    // First, as in a dump's text anything may stand.
    if let Some(packets) = dump(&lines) {
        return Ok(packets);
    }
    if has_swapped_words(&lines) {
        let problem = "words of two bytes, whose order is the machine's: type hexdump -C or xxd";
        return Err(InputError { line: 1, column: 1, problem });
    }
    let text = without_comments(text);
    // In a literal, a `#` is a byte.
    if let Some(group) = literals(&text.lines().collect::<Vec<_>>()) {
        return Ok(packets_of(group));
    }
    if let Some(bytes) = decimals(&text) {
        return Ok(vec![bytes]);
    }
    let lines: Vec<&str> = text.lines().map(without_remark).collect();
    match hex(&lines) {
        Ok(packets) => Ok(packets),
        Err(error) => base64(&lines).filter(|packets| is_base64(&lines, packets)).ok_or(error),
    }
}

/// Whether text was meant as base64. Where nearly all is hex digits, it was more likely meant as
/// those, unless what comes out is a packet.
fn is_base64(lines: &[&str], packets: &[Vec<u8>]) -> bool {
    let letters = || lines.iter().flat_map(|line| line.chars()).filter(|c| c.is_alphanumeric());
    let digits = letters().filter(char::is_ascii_hexdigit).count();
    4 * digits < 3 * letters().count() || packets.iter().all(|packet| is_whole(packet))
}

/// Dumps with an offset in front of each line; `None` if the lines are something else.
fn dump(lines: &[&str]) -> Option<Vec<Vec<u8>>> {
    let mut packets: Vec<Vec<u8>> = Vec::new();
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        match (dump_line(line), packets.last_mut()) {
            (Some((offset, bytes)), Some(packet)) if offset == packet.len() => packet.extend(bytes),
            (Some((0, bytes)), _) => packets.push(bytes),
            // What follows a gap would not stand where it says.
            (Some(_), _) => return None,
            (None, _) if is_hex(line) => return None,
            // Most tools set a line of text in front of each dump.
            (None, _) => {}
        }
    }
    packets.retain(|packet| !packet.is_empty());
    (!packets.is_empty()).then_some(packets)
}

fn is_hex(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.all(|word| word.chars().all(|c| c.is_ascii_hexdigit() || c == ':'))
}

/// Offset and bytes of one line. Behind the offset is a colon or a gap, and a gap in front of
/// the text; some tools set one in the middle of 16 bytes, too.
fn dump_line(line: &str) -> Option<(usize, Vec<u8>)> {
    let line = line.trim();
    let end = line.find([' ', '\t', ':']).unwrap_or(line.len());
    let (offset, rest) = line.split_at_checked(end)?;
    let offset = offset.trim_start_matches("0x");
    let apart = rest.is_empty() || [": ", "  ", "\t"].iter().any(|gap| rest.starts_with(gap));
    if !(4..=8).contains(&offset.len()) || !apart {
        return None;
    }
    let offset = usize::from_str_radix(offset, 16).ok()?;
    let mut bytes = Vec::new();
    let mut gap = 0;
    for word in rest.trim_start_matches([':', ' ', '\t']).split(' ') {
        if word.is_empty() {
            gap += 1;
            continue;
        }
        let halves = gap == 1 && bytes.len() == 8;
        let Some(group) = pairs(word).filter(|_| gap == 0 || halves) else { break };
        bytes.extend(group);
        gap = 0;
    }
    Some((offset, bytes))
}

/// The bytes of a word that is pairs of hex digits.
fn pairs(word: &str) -> Option<Vec<u8>> {
    let digits = word.len().is_multiple_of(2) && word.bytes().all(|b| b.is_ascii_hexdigit());
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    word.as_bytes().chunks(2).map(pair).collect::<Option<_>>().filter(|_| digits)
}

/// What may stand between hex digits.
const BETWEEN: &str = " \t\r:,;-\"'[]{}()\\";

fn hex(lines: &[&str]) -> Result<Vec<Vec<u8>>, InputError> {
    let mut packets = Vec::new();
    let mut group: Vec<Vec<u8>> = Vec::new();
    let mut flush = |group: &mut Vec<Vec<u8>>| packets.extend(packets_of(std::mem::take(group)));
    let mut high = None;
    for (number, line) in lines.iter().enumerate() {
        let bytes = hex_line(line, number + 1, &mut high)?;
        match bytes.is_empty() {
            true => flush(&mut group),
            false => group.push(bytes),
        }
    }
    flush(&mut group);
    let (line, column) = (lines.len(), lines.last().map_or(0, |line| line.chars().count()));
    match high {
        Some(_) => Err(InputError { line, column, problem: "half a byte is missing" }),
        None if packets.is_empty() => {
            Err(InputError { line: 1, column: 1, problem: "there are no bytes" })
        }
        None => Ok(packets),
    }
}

/// The packets of lines that follow one another: each its own if all are whole, else one.
fn packets_of(lines: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if lines.iter().all(|line| is_whole(line)) { lines } else { vec![lines.concat()] }
}

/// The bytes of a line; a digit that waits for its other half comes and goes in `high`.
fn hex_line(line: &str, number: usize, high: &mut Option<u8>) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    let letters: Vec<char> = line.chars().collect();
    // Behind a sign are the elements of a program's array.
    let mut at = letters.iter().rposition(|letter| *letter == '=').map_or(0, |at| at + 1);
    while let Some(letter) = letters.get(at) {
        let next = letters.get(at + 1);
        match (letter.to_digit(16), *high) {
            (Some(0), None) if matches!(next, Some('x' | 'X')) => at += 1,
            (Some(digit), None) => *high = Some(digit as u8),
            (Some(digit), Some(first)) => {
                bytes.push(first << 4 | digit as u8);
                *high = None;
            }
            (None, None) if *letter == '\\' && next == Some(&'x') => at += 1,
            (None, Some(_)) if BETWEEN.contains(*letter) && letters.len() > at + 1 => {
                let problem = "half a byte is missing in front of this";
                return Err(InputError { line: number, column: at + 1, problem });
            }
            (None, _) if BETWEEN.contains(*letter) => {}
            _ => {
                let problem = "neither a hex digit nor anything that stands between them";
                return Err(InputError { line: number, column: at + 1, problem });
            }
        }
        at += 1;
    }
    Ok(bytes)
}

/// Base64, of either alphabet; lines are joined unless each is a packet by itself.
fn base64(lines: &[&str]) -> Option<Vec<Vec<u8>>> {
    let lines: Vec<&str> = lines.iter().map(|l| l.trim()).filter(|l| !l.is_empty()).collect();
    let each: Option<Vec<Vec<u8>>> = lines.iter().map(|line| base64_text(line)).collect();
    match each {
        Some(packets) if packets.iter().all(|packet| is_whole(packet)) => {
            (!packets.is_empty()).then_some(packets)
        }
        _ => base64_text(&lines.concat()).map(|packet| vec![packet]),
    }
}

fn base64_text(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (word, bits) = (word << 6 | u32::from(value), bits + 6);
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// What bytes seem to start with; `None` if they look like nothing that is known here.
///
/// The surest sign counts: IPv4's checksum, then an Ethernet type with a header of that
/// version behind it, then lengths that fit, then a data offset and options as TCP has them.
#[must_use]
pub fn guess(bytes: &[u8]) -> Option<Start> {
    let (ip, error) = Packet::dissect(Medium::Ip, bytes);
    let (frame, _) = Packet::dissect(Medium::Ethernet, bytes);
    if matches!(ip.net, Net::Ipv4(ip) if ip.checksum_ok()) {
        return Some(Start::Ip);
    }
    if !matches!(frame.net, Net::None) {
        return Some(Start::Ethernet);
    }
    if error.is_none() {
        return Some(Start::Ip);
    }
    let tcp = TcpView::parse(bytes).ok();
    if tcp.is_some_and(|tcp| tcp.reserved() == 0 && tcp.option_error().is_none()) {
        return Some(Start::Tcp);
    }
    // Of a header that is cut short, what nearly all of them begin with.
    let begins = matches!(bytes, [0x45 | 0x60, 0, ..] | [0x45 | 0x60]);
    (begins || !matches!(ip.net, Net::None)).then_some(Start::Ip)
}

/// Whether bytes are a packet from its first to its last.
fn is_whole(bytes: &[u8]) -> bool {
    guess(bytes).is_some_and(|start| dissect(bytes, start).1.is_empty())
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
