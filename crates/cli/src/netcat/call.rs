//! One call: made or waited for, talked over, and summed up.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};

use handclasp_explain::catalogue::Message;
use handclasp_explain::track::Flow;
use handclasp_lab::enter::enter;

use super::args::{ConnectArgs, LinkArgs, ListenArgs};
use super::attach::Attached;
use super::pump;
use crate::Outcome;
use crate::error::Error;
use crate::link::LinkName;
use crate::watch::tell::Drawing;
use crate::watch::totals::totals;

/// How the connection comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// We connect.
    To(SocketAddr),
    /// Somebody connects to this port of ours.
    At(u16),
}

/// Runs `handclasp connect`.
///
/// # Errors
///
/// When the link cannot be had, or the output cannot be written.
pub(crate) fn connect(args: ConnectArgs) -> Result<Outcome, Error> {
    let server = resolve(&args.host, args.port, &args.on)?;
    run(&args.on, Call::To(server))
}

/// The address of a host, of the family that our own address is of.
fn resolve(host: &str, port: u16, on: &LinkArgs) -> Result<SocketAddr, Error> {
    let unknown = |error| Error::Resolve(host.into(), error);
    let fits = |server: &SocketAddr| {
        on.address.is_none_or(|own| own.address().is_ipv4() == server.is_ipv4())
    };
    let found = (host, port).to_socket_addrs().map_err(unknown)?.find(fits);
    found.ok_or_else(|| unknown(io::ErrorKind::AddrNotAvailable.into()))
}

/// Runs `handclasp listen`.
///
/// # Errors
///
/// As [`connect`].
pub(crate) fn listen(args: ListenArgs) -> Result<Outcome, Error> {
    run(&args.on, Call::At(args.port))
}

fn run(on: &LinkArgs, call: Call) -> Result<Outcome, Error> {
    if on.link == LinkName::Lab {
        // An ordinary user can do this only while there is one thread.
        enter()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(perform(on, call));
    // A thread may still wait for the terminal.
    runtime.shutdown_background();
    outcome
}

async fn perform(on: &LinkArgs, call: Call) -> Result<Outcome, Error> {
    let attached = Attached::new(on, call)?;
    let talk = async {
        let mut stream = attached.answer(call).await?;
        pump::pump(&mut stream).await?;
        stream.flushed().await
    };
    let ended = tokio::select! {
        ended = talk => ended,
        _ = tokio::signal::ctrl_c() => Err(io::ErrorKind::Interrupted.into()),
    };
    let (drawing, flows) = attached.end().await?;
    match ended {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(error.into()),
        ended => say(drawing, call, &flows, ended),
    }
}

impl Call {
    pub(super) fn ours_is_server(self) -> bool {
        matches!(self, Self::At(_))
    }
}

/// Says what came of it, where something is to be said.
fn say(
    drawing: Option<Drawing<Box<dyn Write + Send>>>,
    call: Call,
    flows: &[Flow],
    ended: io::Result<()>,
) -> Result<Outcome, Error> {
    let outcome = if ended.is_ok() { Outcome::Done } else { Outcome::Failed };
    let error = ended.err();
    if let Some(mut drawing) = drawing {
        let ladder = drawing.ladder();
        let mut parts = Vec::new();
        match &error {
            Some(e) if e.kind() == io::ErrorKind::Interrupted => {
                parts.push(ladder.say(&Message::Interrupted));
            }
            Some(e) => parts.push(e.to_string()),
            None => {}
        }
        let totals = totals(flows, call.ours_is_server());
        parts.extend(totals.iter().map(|message| ladder.say(message)));
        ladder.outcome(outcome == Outcome::Done, &parts)?;
        ladder.flush()?;
    } else if let Some(error) = error {
        writeln!(io::stderr(), "handclasp: {error}")?;
    }
    Ok(outcome)
}
