//! A connection with the Linux kernel, in a network made of namespaces.

mod bulk;
mod command;
mod course;
mod kernel;
pub(crate) mod network;
mod page;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use handclasp::tcp::{Config, State};
use handclasp_explain::track::{Both, Flow, Side};
use handclasp_lab::enter::enter;

use crate::Outcome;
use crate::error::Error;
use crate::lab::args::{LabLink, Role};
use crate::lab::picture;
use crate::lab::plan::{Plan, SERVER_PORT, Task};
use crate::lab::report::{Report, Voice};
use crate::lab::round_trip;
use crate::watch::Sight;
use crate::watch::eye::{AskPeer, BACKLOG};
use crate::watch::narrator::Narrator;
use crate::watch::pairing::Pairing;

use kernel::Kernel;
use network::{Network, Wanted};

/// For how long what is still under way is watched when all is done.
const STRAGGLERS: Duration = Duration::from_millis(5);

/// How long connections may take to close.
const CLOSING: Duration = Duration::from_secs(1);

/// Runs the command.
///
/// # Errors
///
/// When the network cannot be made, or the output cannot be written.
pub(crate) fn run(plan: &Plan) -> Result<Outcome, Error> {
    // An ordinary user can do this only while there is one thread.
    enter()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(perform(plan))
}

async fn perform(plan: &Plan) -> Result<Outcome, Error> {
    let (sights, heard) = sync_channel(BACKLOG);
    let ours_is_server = plan.role == Role::Server;
    let wanted = Wanted {
        link: plan.link.unwrap_or(LabLink::Packet),
        ours_is_server,
        whims: plan.whims.as_ref(),
        seed: plan.seed,
        write: plan.write.as_deref(),
        tcp: settings(plan),
    };
    let mut network = Network::new(&wanted, &sights)?;
    let stage = Stage::new(plan, &network)?;
    let voice = Voice::new(plan, &stage.ends)?;
    let bar = voice.bar();
    let narrator = Narrator::new(voice, Pairing::two_sided(round_trip(plan)), stage.before);
    let narrator = thread::spawn(move || narrator.run(&heard));
    let report = tokio::select! {
        report = stage.play(plan, &network, &bar) => report?,
        _ = tokio::signal::ctrl_c() => Report::Interrupted,
    };
    bar.finish_and_clear();
    end(plan, &mut network, &sights).await?;
    let (mut voice, flows) = told(narrator)?;
    let outcome = report.outcome();
    draw(plan, &report)?;
    voice.finish(plan, &report, &flows)?;
    Ok(outcome)
}

/// What our end's connections start from.
fn settings(plan: &Plan) -> Config {
    let mut config = Config::default();
    config.congestion = plan.cc;
    config
}

/// Draws the course of what was sent, if it was.
fn draw(plan: &Plan, report: &Report) -> Result<(), Error> {
    if let (Some(path), Report::Bulk(Ok(moved))) = (&plan.plot, report) {
        let svg = picture::figure(moved).svg();
        std::fs::write(path, svg).map_err(|error| Error::Write(path.clone(), error))?;
    }
    Ok(())
}

/// Closes what is open, and waits for what is still under way.
async fn end(plan: &Plan, network: &mut Network, sights: &SyncSender<Sight>) -> Result<(), Error> {
    tokio::time::sleep(STRAGGLERS + round_trip(plan)).await;
    network.stack.clone().shutdown(CLOSING).await;
    network.finish_recording()?;
    // A narrator that failed tells why itself.
    let _ = sights.send(Sight::End);
    Ok(())
}

type Told = std::io::Result<(Voice, Vec<Flow>)>;

fn told(narrator: JoinHandle<Told>) -> Result<(Voice, Vec<Flow>), Error> {
    match narrator.join() {
        Ok(told) => Ok(told?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Who is there before the first packet.
struct Stage {
    /// Both ends, as the title tells them.
    ends: Both<std::net::SocketAddr>,
    /// Their states.
    before: Both<Option<State>>,
    kernel: Kernel,
}

impl Stage {
    fn new(plan: &Plan, network: &Network) -> Result<Self, Error> {
        let ours_is_server = plan.role == Role::Server;
        let server = network.server(ours_is_server, plan.ipv6, plan.port);
        let client = network.server(!ours_is_server, plan.ipv6, 0);
        let kernel = Kernel::new(plan, network)?;
        let server_state = match plan.role {
            Role::Client => network.ask()?.state(server, client),
            Role::Server if plan.port == SERVER_PORT => Some(State::Listen),
            Role::Server => Some(State::Closed),
        };
        let before = Both { client: Some(State::Closed), server: server_state };
        Ok(Self { ends: Both { client, server }, before, kernel })
    }

    async fn play(
        &self,
        plan: &Plan,
        network: &Network,
        bar: &indicatif::ProgressBar,
    ) -> Result<Report, Error> {
        let server = self.ends[Side::Server];
        let stack = &network.stack;
        match (&plan.task, plan.role) {
            (Task::Page, Role::Client) => Ok(Report::Page(page::fetch(stack, server).await)),
            (Task::Page, Role::Server) => page::serve_kernel(network, server).await,
            (Task::Bulk(bytes), Role::Client) => {
                Ok(Report::Bulk(bulk::connect(stack, server, *bytes, &self.kernel, bar).await))
            }
            (Task::Bulk(bytes), Role::Server) => bulk::accept(network, server, *bytes, bar).await,
            (Task::Command(command), _) => command::run(plan, network, command).await,
        }
    }
}
