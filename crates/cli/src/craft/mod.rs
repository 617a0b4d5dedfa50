//! `handclasp craft`: packets made by hand, printed and sent.

pub(crate) mod args;
pub(crate) mod fields;
mod plan;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod send;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use handclasp::wire::time::Instant;
use handclasp_craft::conversation::Exchange;
use handclasp_craft::dissect::Start;
use handclasp_craft::format::Form;
use handclasp_craft::template::Template;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;

use crate::Outcome;
use crate::error::Error;

use args::CraftArgs;

/// A packet with its time since 1970 and what it starts with.
pub(crate) type Timed = (Duration, Vec<u8>, Start);

/// Runs the command.
///
/// # Errors
///
/// When what was typed is not understood, the link cannot be had, or the output cannot be
/// written.
pub(crate) fn run(args: &CraftArgs) -> Result<Outcome, Error> {
    let templates = plan::templates(args)?;
    if args.output.is_none() {
        refuse_terminal(args.format)?;
    }
    let mut rng = rng(args.seed);
    if args.send.send {
        return send(args, templates, &mut rng);
    }
    let mut exchange = Exchange::default();
    let now = since_1970();
    let mut packets: Vec<Timed> = Vec::new();
    for template in templates {
        let start = template.start();
        // A capture has an order of time.
        let at = now + Duration::from_micros(packets.len() as u64);
        packets.push((at, exchange.build(template, Instant::ZERO, &mut rng), start));
    }
    let shown = show(args.format, &packets)?;
    match &args.output {
        Some(path) => fs::write(path, shown).map_err(|e| Error::Write(path.clone(), e))?,
        None => print(&shown)?,
    }
    Ok(Outcome::Done)
}

#[cfg(target_os = "linux")]
fn send(args: &CraftArgs, templates: Vec<Template>, rng: &mut Pcg64) -> Result<Outcome, Error> {
    send::run(args, templates, rng)
}

#[cfg(not(target_os = "linux"))]
fn send(_: &CraftArgs, _: Vec<Template>, _: &mut Pcg64) -> Result<Outcome, Error> {
    Err(Error::NeedsLinux("handclasp craft, without --send"))
}

/// Fails if what cannot be printed would go to a terminal.
pub(crate) fn refuse_terminal(form: Form) -> Result<(), Error> {
    let binary = matches!(form, Form::Bytes | Form::Pcapng);
    match binary && io::stdout().is_terminal() {
        true => Err(Error::NotForTerminals(form.name())),
        false => Ok(()),
    }
}

pub(crate) fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Packets in one form.
///
/// # Errors
///
/// A capture cannot have all of them.
pub(crate) fn show(form: Form, packets: &[Timed]) -> Result<Vec<u8>, Error> {
    let Some((_, _, start)) = packets.first() else { return Ok(Vec::new()) };
    if packets.iter().all(|packet| packet.2 == *start) {
        let all: Vec<_> = packets.iter().map(|(at, bytes, _)| (*at, bytes.clone())).collect();
        return form.show(&all, *start).ok_or(Error::NoCapture);
    }
    if form == Form::Pcapng {
        return Err(Error::MixedCapture);
    }
    let mut shown = Vec::new();
    for (at, bytes, start) in packets {
        let one = form.show(&[(*at, bytes.clone())], *start);
        shown.extend(one.ok_or(Error::NoCapture)?);
    }
    Ok(shown)
}

/// Random numbers: those of a seed, or others in each run.
fn rng(seed: Option<u64>) -> Pcg64 {
    use std::hash::{BuildHasher, Hasher};
    let some = || std::hash::RandomState::new().build_hasher().finish();
    match seed {
        Some(seed) => Pcg64::seed_from_u64(seed),
        None => Pcg64::new(
            u128::from(some()) << 64 | u128::from(some()),
            u128::from(some()) << 64 | u128::from(some()),
        ),
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// What to say instead of clap about a flag of `craft` that does not exist.
pub(crate) fn unknown_flag(
    error: &clap::Error,
    mut words: impl Iterator<Item = String>,
) -> Option<Error> {
    if error.kind() != ErrorKind::UnknownArgument || words.nth(1)? != "craft" {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let others = [
        "format", "output", "seed", "send", "reply", "link", "address", "gateway", "write",
        "leave", "ipv4", "ipv6", "help",
    ];
    flag.starts_with("--").then(|| plan::unknown(flag, fields::flags().chain(others)))
}
