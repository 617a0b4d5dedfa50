//! `handclasp try`: the classic experiments, each in one command.

pub(crate) mod args;
mod experiments;
mod stage;
mod table;
mod talk;
mod voice;

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use handclasp::tcp::State;
use handclasp_craft::text::nearest;
use handclasp_explain::catalogue::Message;
use handclasp_explain::catalogue::experiment::Experiment as What;
use handclasp_explain::track::{Both, Flow};

use crate::Outcome;
use crate::error::Error;
use crate::lab::report::{is_root, kernel_name};
use crate::language::say;
use crate::watch::Sight;
use crate::watch::eye::BACKLOG;
use crate::watch::narrator::Narrator;
use crate::watch::pairing::Pairing;

use args::{Against, Sysctl, TryArgs};
use stage::Stage;
use stage::simulated::Simulated;
use table::{ALL, Experiment};
use talk::{Stop, Talk};
use voice::{Telling, Verdict, Voice};

/// Runs the command.
///
/// # Errors
///
/// When there is no such experiment, its peer cannot be had, or the output cannot be written.
pub(crate) fn run(args: &TryArgs) -> Result<Outcome, Error> {
    if args.list {
        voice::list(args.json)?;
        return Ok(Outcome::Done);
    }
    let chosen = choose(args)?;
    if args.against == Against::Handclasp {
        // There is no real link nor a kernel in virtual time.
        let real = [("--sysctl", !args.sysctl.is_empty()), ("--write", args.write.is_some())];
        if let Some((option, _)) = real.iter().find(|(_, given)| *given) {
            return Err(Error::NotAgainstOurs(option));
        }
    }
    let remote = remote(args)?;
    if args.link.is_none() && args.against == Against::Kernel {
        enter()?;
    }
    let (mut as_said, mut otherwise) = (0, 0);
    for experiment in chosen {
        let well = perform(args, remote, experiment)?;
        *(if well { &mut as_said } else { &mut otherwise }) += 1;
        if args.all && !args.json {
            writeln!(io::stdout())?;
        }
    }
    if args.all {
        voice::tally(args.json, as_said, otherwise)?;
    }
    Ok(if otherwise == 0 { Outcome::Done } else { Outcome::Failed })
}

/// The experiments that were named.
fn choose(args: &TryArgs) -> Result<Vec<&'static Experiment>, Error> {
    if args.all {
        return Ok(ALL.iter().collect());
    }
    let name = args.experiment.clone().unwrap_or_default();
    let options = [
        ("--talking", args.talking),
        ("--syn-first", args.syn_first),
        ("--fast-open", args.fast_open),
    ];
    let named: Vec<_> = ALL.iter().filter(|known| known.name == name).collect();
    if named.is_empty() {
        let near = nearest(&name, ALL.iter().map(|known| known.name));
        let hint = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        return Err(Error::NoExperiment { name, hint });
    }
    let mut option = None;
    for (given, _) in options.into_iter().filter(|(_, given)| *given) {
        if !named.iter().any(|known| known.option == Some(given)) {
            let its = ALL.iter().find(|known| known.option == Some(given));
            let its = its.map_or("", |known| known.name);
            return Err(Error::NotItsOption { option: given, its, name });
        }
        option = Some(given);
    }
    if args.link.is_some() && named.iter().any(|known| known.only_lab) {
        return Err(Error::OnlyInLab(name));
    }
    Ok(named.into_iter().filter(|known| known.option == option).collect())
}

/// The host on a link that was named, if one was.
fn remote(args: &TryArgs) -> Result<Option<SocketAddr>, Error> {
    let (Some(host), Some(port), Some(_)) = (&args.host, args.port, &args.link) else {
        return Ok(None);
    };
    let unknown = |error| Error::Resolve(host.clone(), error);
    let found: Vec<_> = (host.as_str(), port).to_socket_addrs().map_err(unknown)?.collect();
    let fits = |socket: &&SocketAddr| {
        args.address.is_none_or(|own| own.address().is_ipv4() == socket.is_ipv4())
    };
    match (found.iter().find(fits), found.first()) {
        (Some(socket), _) => Ok(Some(*socket)),
        (None, Some(other)) => Err(Error::OtherFamily(other.ip())),
        (None, None) => Err(unknown(io::ErrorKind::AddrNotAvailable.into())),
    }
}

/// Runs one experiment, and says whether it came out as the RFC says.
fn perform(
    args: &TryArgs,
    remote: Option<SocketAddr>,
    experiment: &Experiment,
) -> Result<bool, Error> {
    let (sights, heard) = sync_channel(BACKLOG);
    let seed = args.seed.unwrap_or_else(crate::lab::seed);
    let mut stage = stage(args, remote, experiment, seed, &sights)?;
    let telling = telling(args, remote, experiment, &*stage);
    let voice = Voice::new(&telling)?;
    let bar = voice.bar();
    let pairing = match remote {
        Some(_) => Pairing::one_sided(),
        None => Pairing::two_sided(Duration::from_millis(20)),
    };
    let before = Both { client: Some(State::Closed), server: listens(experiment) };
    let before = if remote.is_some() { Both { server: None, ..before } } else { before };
    let narrator = Narrator::new(voice, pairing, before).by_hand();
    let narrator = thread::spawn(move || narrator.run(&heard));
    let began = stage.now();
    let mut talk = Talk::new(&mut *stage, seed, bar.clone());
    let ran = (experiment.run)(&mut talk);
    talk.give_up();
    let took = stage.now() - began;
    stage.finish()?;
    bar.finish_and_clear();
    // A narrator that failed tells why itself.
    let _ = sights.send(Sight::End);
    let (mut voice, flows): (Voice, Vec<Flow>) = match narrator.join() {
        Ok(told) => told?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let (happened, as_said) = match ran {
        Ok(happened) => (happened, true),
        Err(Stop::Unlike(happened)) => (happened, false),
        Err(Stop::Trouble(error)) => return Err(error),
    };
    voice.finish(&telling, &Verdict { happened: &happened, as_said, took }, &flows)?;
    Ok(as_said)
}

/// The state of the port that the first packet goes to.
fn listens(experiment: &Experiment) -> Option<State> {
    let closed = experiment.what == What::ClosedPort;
    Some(if closed { State::Closed } else { State::Listen })
}

fn stage(
    args: &TryArgs,
    remote: Option<SocketAddr>,
    experiment: &Experiment,
    seed: u64,
    sights: &SyncSender<Sight>,
) -> Result<Box<dyn Stage>, Error> {
    match (remote, args.against) {
        (None, Against::Handclasp) => {
            Ok(Box::new(Simulated::new(experiment.service, seed, sights)))
        }
        _ => live(args, remote, experiment, sights),
    }
}

#[cfg(target_os = "linux")]
fn live(
    args: &TryArgs,
    remote: Option<SocketAddr>,
    experiment: &Experiment,
    sights: &SyncSender<Sight>,
) -> Result<Box<dyn Stage>, Error> {
    use stage::live::{Live, Remote, Seen};
    let seen = Seen { sights, write: args.write.as_deref() };
    if let (Some(socket), Some(link)) = (remote, &args.link) {
        let (address, gateway) = (args.address, args.gateway);
        let remote = Remote { link, address, gateway, socket };
        return Ok(Box::new(Live::remote(&remote, &seen)?));
    }
    Ok(Box::new(Live::kernel(experiment.service, &sysctls(args, experiment), &seen)?))
}

#[cfg(not(target_os = "linux"))]
fn live(
    _args: &TryArgs,
    _remote: Option<SocketAddr>,
    _experiment: &Experiment,
    _sights: &SyncSender<Sight>,
) -> Result<Box<dyn Stage>, Error> {
    Err(Error::NeedsLinux("handclasp try --against handclasp"))
}

/// Enters a network of one's own. An ordinary user can do this only while there is one thread.
#[cfg(target_os = "linux")]
fn enter() -> Result<(), Error> {
    Ok(handclasp_lab::enter::enter()?)
}

#[cfg(not(target_os = "linux"))]
fn enter() -> Result<(), Error> {
    Ok(())
}

/// What the kernel's end is told: the experiment's own, then what the user says.
fn sysctls(args: &TryArgs, experiment: &Experiment) -> Vec<Sysctl> {
    let own = experiment.sysctls.iter().map(|(name, value)| Sysctl::new(name, value));
    let mut all: Vec<Sysctl> = own.collect();
    for given in &args.sysctl {
        all.retain(|sysctl| sysctl.name != given.name);
        all.push(given.clone());
    }
    all
}

fn telling<'a>(
    args: &TryArgs,
    remote: Option<SocketAddr>,
    experiment: &'a Experiment,
    stage: &dyn Stage,
) -> Telling<'a> {
    let (ours, server) = (stage.ours(), stage.server());
    let by_hand = format!("{ours} {}", say(&Message::HandHeading));
    let mut title = Vec::new();
    let (peer, against) = match (remote, args.against) {
        (Some(_), _) => {
            title.push(format!("{by_hand} ⇄ {server}"));
            ((say(&Message::PeerHeading), false), "peer")
        }
        (None, Against::Kernel) => {
            title.push(say(&Message::Network { root: is_root() }));
            title.push(format!("{by_hand} ⇄ {server} {}", kernel_name()));
            let set = sysctls(args, experiment);
            title.extend(set.iter().map(|Sysctl { name, value }| {
                format!("{}={value}", name.trim_start_matches("net.ipv4."))
            }));
            ((say(&Message::KernelHeading), true), "kernel")
        }
        (None, Against::Handclasp) => {
            title.push(format!("{by_hand} ⇄ {server} handclasp"));
            title.push(say(&Message::Virtual));
            (("handclasp".into(), true), "handclasp")
        }
    };
    Telling { experiment, title, peer, against, absolute: args.absolute, json: args.json }
}
