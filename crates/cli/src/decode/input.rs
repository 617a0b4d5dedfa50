//! From what was typed, piped or kept in files to packets.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

use handclasp::wire::time::Instant;
use handclasp_craft::decode::{InputError, read_bytes};
use handclasp_craft::dissect::Start;
use handclasp_explain::capture::Reader;
use handclasp_explain::capture::link::{LinkType, strip};

use crate::error::Error;

/// Bytes of text that are read: it is kept in memory.
const MOST_TEXT: u64 = 64 << 20;

/// A packet as it was read.
pub(super) struct Found {
    /// When it passed, since 1970; zero if nothing tells.
    pub(super) at: Duration,
    pub(super) bytes: Vec<u8>,
    /// What it begins with, if its file tells.
    pub(super) start: Option<Start>,
}

/// What was read.
#[derive(Default)]
pub(super) struct Input {
    pub(super) packets: Vec<Found>,
    /// Whether there are more than were wanted.
    pub(super) more: bool,
    /// Packets on links that are not known here.
    pub(super) foreign: u64,
    /// Where a capture broke, and why.
    pub(super) broken: Option<String>,
}

/// Reads up to `most` packets.
///
/// # Errors
///
/// The place in a text that is in no spelling known here, or a file that cannot be read.
pub(super) fn read(inputs: &[String], most: usize) -> Result<Input, Error> {
    let mut found = Input::default();
    if inputs.is_empty() {
        if io::stdin().is_terminal() {
            eprintln!("handclasp: reading from the terminal; end the input with Ctrl-D");
        }
        read_from(io::stdin().lock(), "-", most, &mut found)?;
    }
    let mut text = Vec::new();
    for input in inputs {
        // Also what a shell makes of `<(command)`.
        let is_file = input == "-" || Path::new(input).exists();
        if !is_file {
            // Words that were not quoted belong together.
            text.push(input.as_str());
            continue;
        }
        take_text(&mut text, &mut found)?;
        match input.as_str() {
            "-" => read_from(io::stdin().lock(), "-", most, &mut found)?,
            path => {
                let file = fs::File::open(path).map_err(|e| Error::Read(path.into(), e))?;
                read_from(io::BufReader::new(file), path, most, &mut found)?;
            }
        }
    }
    take_text(&mut text, &mut found)?;
    if found.packets.len() > most {
        found.packets.truncate(most);
        found.more = true;
    }
    Ok(found)
}

/// Takes in the words that were typed since the last file.
fn take_text(words: &mut Vec<&str>, found: &mut Input) -> Result<(), Error> {
    if words.is_empty() {
        return Ok(());
    }
    let text = std::mem::take(words).join("\n");
    let packets = read_bytes(text.as_bytes());
    let packets = packets.map_err(|error| not_bytes(&text, error, true))?;
    found.packets.extend(packets.into_iter().map(of_unknown_start));
    Ok(())
}

fn of_unknown_start(bytes: Vec<u8>) -> Found {
    Found { at: Duration::ZERO, bytes, start: None }
}

/// The error with the line that it is in.
fn not_bytes(text: &str, error: InputError, typed: bool) -> Error {
    let line = text.lines().nth(error.line - 1).unwrap_or_default();
    let mut problem = error.problem.to_owned();
    if typed {
        problem += ", and no file has this name";
    } else if text.lines().count() > 1 {
        problem = format!("line {}: {problem}", error.line);
    }
    Error::Bytes { line: line.to_owned(), column: error.column.saturating_sub(1), problem }
}

/// Reads a file or a pipe, whatever is in it.
fn read_from(mut from: impl Read, name: &str, most: usize, found: &mut Input) -> Result<(), Error> {
    let failed =
        |error| Error::Read(if name == "-" { "standard input" } else { name }.into(), error);
    let mut magic = Vec::new();
    from.by_ref().take(4).read_to_end(&mut magic).map_err(failed)?;
    let whole = io::Cursor::new(magic.clone()).chain(from);
    if is_capture(&magic) {
        read_capture(whole, most, found);
        return Ok(());
    }
    let mut bytes = Vec::new();
    whole.take(MOST_TEXT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_TEXT {
        return Err(failed(io::ErrorKind::FileTooLarge.into()));
    }
    let packets = read_bytes(&bytes).map_err(|error| {
        let text = String::from_utf8_lossy(&bytes);
        not_bytes(&text, error, false)
    })?;
    found.packets.extend(packets.into_iter().map(of_unknown_start));
    Ok(())
}

/// Whether these are a capture's first bytes: pcap's in either order and resolution, pcapng's,
/// or gzip's.
fn is_capture(magic: &[u8]) -> bool {
    let Some(four) = magic.first_chunk() else { return false };
    let pcap = [0xa1b2_c3d4, 0xa1b2_3c4d];
    let either = [u32::from_be_bytes(*four), u32::from_le_bytes(*four)];
    *four == [0x0a, 0x0d, 0x0d, 0x0a]
        || four.starts_with(&[0x1f, 0x8b])
        || pcap.iter().any(|magic| either.contains(magic))
}

fn read_capture(from: impl Read, most: usize, found: &mut Input) {
    let mut reader = match Reader::new(from) {
        Ok(reader) => reader,
        Err(broken) => return found.broken = Some(broken.to_string()),
    };
    loop {
        match reader.next() {
            Ok(Some(_)) if found.packets.len() >= most => return found.more = true,
            Ok(Some(frame)) => {
                let at = frame.at - Instant::ZERO;
                match begin(frame.link, frame.bytes) {
                    Some((start, bytes)) => {
                        let bytes = bytes.to_vec();
                        found.packets.push(Found { at, bytes, start: Some(start) });
                    }
                    None => found.foreign += 1,
                }
            }
            Ok(None) => return,
            Err(broken) => return found.broken = Some(broken.to_string()),
        }
    }
}

/// What is taken apart of a frame: of links other than Ethernet, what is behind their header.
fn begin(link: LinkType, bytes: &[u8]) -> Option<(Start, &[u8])> {
    match link {
        LinkType::ETHERNET => Some((Start::Ethernet, bytes)),
        _ => strip(link, bytes).map(|stripped| (Start::Ip, stripped.ip)),
    }
}
