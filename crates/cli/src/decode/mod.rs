//! `handclasp decode`: bytes taken apart.

pub(crate) mod args;
mod input;

use std::io::{self, Write};

use handclasp_craft::decode::{Decoded, decode, guess, inform, read_together};
use handclasp_craft::dissect::Start;

use crate::Outcome;
use crate::craft::{Timed, print, refuse_terminal, show};
use crate::error::Error;

use args::DecodeArgs;
use input::{Found, Input};

/// Runs the command.
///
/// # Errors
///
/// When there are no packets in the input, or the output cannot be written.
pub(crate) fn run(args: &DecodeArgs) -> Result<Outcome, Error> {
    if let Some(form) = args.format {
        refuse_terminal(form)?;
    }
    let most = usize::try_from(args.most).unwrap_or(usize::MAX);
    let mut read = input::read(&args.inputs, most)?;
    let mut packets: Vec<(Timed, bool)> = Vec::new();
    let found = std::mem::take(&mut read.packets);
    for (number, found) in found.into_iter().enumerate() {
        let guessed = found.start.is_none() && args.from.is_none();
        let start = start(&found, args).ok_or(Error::NoStart(number + 1))?;
        packets.push(((found.at, found.bytes, start), guessed));
    }
    if packets.is_empty() && read.broken.is_none() {
        return Err(Error::NothingRead("the input".into()));
    }
    match args.format {
        Some(form) => {
            let packets: Vec<_> = packets.into_iter().map(|(packet, _)| packet).collect();
            print(&show(form, &packets)?)?;
        }
        None => tell(&packets, args.json)?,
    }
    remark(&read, args.most)?;
    Ok(if read.broken.is_some() { Outcome::Failed } else { Outcome::Done })
}

/// What a packet begins with: what was told, else what its file says, else what it looks like.
fn start(found: &Found, args: &DecodeArgs) -> Option<Start> {
    let told = args.from.map(args::From::start).or(found.start);
    told.or_else(|| guess(&found.bytes))
}

/// Prints every packet, then every conversation if there are several packets.
fn tell(packets: &[(Timed, bool)], json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let mut decoded: Vec<Decoded> =
        packets.iter().map(|((_, bytes, start), _)| decode(bytes, *start)).collect();
    let flows = read_together(&decoded);
    inform(&mut decoded, &flows);
    let several = decoded.len() > 1;
    for (number, (packet, (_, guessed))) in decoded.iter().zip(packets).enumerate() {
        if json {
            writeln!(out, "{}", packet.json())?;
            continue;
        }
        if number > 0 {
            writeln!(out)?;
        }
        if several {
            write!(out, "packet {} · ", number + 1)?;
        }
        writeln!(out, "{}", heading(packet, *guessed))?;
        write!(out, "{packet}")?;
    }
    for flow in flows.iter().filter(|_| several) {
        if json {
            writeln!(out, "{}", flow.json())?;
        } else {
            write!(out, "\n{flow}")?;
        }
    }
    out.flush()
}

fn heading(packet: &Decoded, guessed: bool) -> String {
    let header = match packet.start {
        Start::Ethernet => "Ethernet",
        Start::Ip => "IP",
        Start::Tcp => "TCP",
    };
    let len = packet.bytes.len();
    let bytes = if len == 1 { "byte" } else { "bytes" };
    let guess = if guessed { " (guessed; --from tells)" } else { "" };
    format!("{len} {bytes} from the {header} header on{guess}")
}

/// Says on standard error what was not taken apart.
fn remark(read: &Input, most: u32) -> io::Result<()> {
    let mut err = io::stderr();
    if read.more {
        writeln!(
            err,
            "handclasp: only the first {most} packets were taken: --most tells how many"
        )?;
    }
    if read.foreign > 0 {
        writeln!(err, "handclasp: {} packets without IP were left out", read.foreign)?;
    }
    if let Some(broken) = &read.broken {
        writeln!(err, "handclasp: the capture is broken {broken}")?;
    }
    Ok(())
}
