//! From what was typed to templates: nothing is sent before all of it is understood.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use handclasp_craft::field::Family;
use handclasp_craft::template::{Payload, Template};
use handclasp_craft::text::{Pair, Problem, SpecError, is_row};

use super::args::CraftArgs;
use crate::error::Error;

/// Bytes that are read of a payload or of lines: more fits no packet, or is a mistake.
const MOST: u64 = 16 << 20;

/// The packets that are wanted, in their order.
///
/// # Errors
///
/// The place in a line or a flag that is not understood, or a file that cannot be read.
pub(super) fn templates(args: &CraftArgs) -> Result<Vec<Template>, Error> {
    let pairs = pairs(args)?;
    let mut templates = Vec::new();
    for line in lines(&args.packets)? {
        let mut template: Template =
            line.parse().map_err(|error| Error::Spec(line.clone(), error))?;
        for (text, pair) in &pairs {
            pair.clone().apply(&mut template).map_err(|problem| {
                let error = SpecError { span: 0..text.len(), problem, nearest: None };
                Error::Spec(text.clone(), error)
            })?;
        }
        templates.push(template);
    }
    Ok(templates)
}

/// What the flags say, each with how it was typed.
fn pairs(args: &CraftArgs) -> Result<Vec<(String, Pair)>, Error> {
    let families = [(args.ipv4, "--ipv4", Family::V4), (args.ipv6, "--ipv6", Family::V6)];
    let families = families.into_iter().filter(|family| family.0);
    let mut pairs: Vec<_> =
        families.map(|(_, text, family)| (text.to_owned(), Pair::Family(family))).collect();
    for (name, value) in &args.fields.0 {
        let text = format!("--{name} {value}");
        let pair = match (*name, value.strip_prefix('@')) {
            ("data", Some(file)) => Pair::Payload(Payload::Bytes(read(file)?)),
            _ => Pair::read(name, value).map_err(|error| {
                let span = error.span.start + 2..error.span.end + 2;
                Error::Spec(text.clone(), SpecError { span, ..error })
            })?,
        };
        pairs.push((text, pair));
    }
    Ok(pairs)
}

/// The lines of the packets. Without any there is one that says nothing.
fn lines(packets: &[String]) -> Result<Vec<String>, Error> {
    if packets.is_empty() {
        return Ok(vec![String::new()]);
    }
    let mut lines = Vec::new();
    for packet in packets {
        if packet != "-" {
            // What was pasted may stand on two lines, as with tcpdump's -v.
            lines.push(packet.replace(['\n', '\r', '\t'], " "));
            continue;
        }
        read_lines(&String::from_utf8_lossy(&read("-")?), &mut lines);
    }
    match lines.is_empty() {
        true => Err(Error::NothingRead("standard input".into())),
        false => Ok(lines),
    }
}

/// Takes the lines that are packets. Of a ladder those are its rows; with `-v`, tcpdump sets one
/// packet on two lines.
fn read_lines(input: &str, lines: &mut Vec<String>) {
    let ladder = input.lines().any(is_row);
    for line in input.lines().filter(|line| !ladder || is_row(line)) {
        match lines.last_mut() {
            // Behind a tab, tcpdump prints what is in a packet.
            _ if line.trim().is_empty() || line.starts_with(['#', '\t']) => {}
            Some(last) if line.starts_with(' ') && last.ends_with(')') => last.push_str(line),
            _ => lines.push(line.replace('\t', " ")),
        }
    }
}

/// A file's bytes, or those of standard input.
fn read(file: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let result = match file {
        "-" => io::stdin().take(MOST + 1).read_to_end(&mut bytes),
        _ => fs::File::open(file).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)),
    };
    let path = Path::new(file);
    result.map_err(|error| Error::Read(path.into(), error))?;
    match bytes.len() as u64 > MOST {
        true => Err(Error::Read(path.into(), io::ErrorKind::FileTooLarge.into())),
        false => Ok(bytes),
    }
}

/// What is said of a flag that does not exist, with the nearest that does.
pub(super) fn unknown(flag: &str, known: impl Iterator<Item = &'static str>) -> Error {
    let name = flag.trim_start_matches('-');
    let name = name.split('=').next().unwrap_or_default();
    let nearest = handclasp_craft::text::nearest(name, known);
    let dashes = flag.len() - flag.trim_start_matches('-').len();
    let span = dashes..dashes + name.len();
    let error = SpecError { span, problem: Problem::Unknown("field"), nearest };
    Error::Spec(flag.to_owned(), error)
}
