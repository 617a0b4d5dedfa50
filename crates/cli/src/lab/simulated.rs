//! A connection between two stacks of ours in virtual time: nothing of it is real but the code.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use handclasp::Cidr;
use handclasp::tcp::event::{Event, Log};
use handclasp::tcp::{State, Tuple};
use handclasp::wire::time::Instant;
use handclasp_explain::track::{Both, Fate, Flow};
use handclasp_impair::config::Config;
use handclasp_sim::apps::http::{Answer, Failure, Get, Page};
use handclasp_sim::apps::server::Server;
use handclasp_sim::tap::{self, Tap};
use handclasp_sim::{HostId, Network, Settings};

use crate::Outcome;
use crate::error::Error;
use crate::watch::eye::{BACKLOG, look};
use crate::watch::narrator::Narrator;
use crate::watch::pairing::Pairing;
use crate::watch::{self, SeenPacket, Sight, Step};

use super::plan::{Plan, SERVER_PORT, Whims};
use super::report::{Report, Voice, no_http, status};
use super::{PAGE, round_trip};

/// Bits per second of a link of which no rate is asked for. Packets that leave together arrive
/// one after the other, as over any real link.
const RATE: u64 = 1_000_000_000;

/// How long packets travel if nothing else is asked for: what takes no time shows none.
const DELAY: Duration = Duration::from_millis(10);

/// Bits of both networks' prefixes.
const PREFIX: u8 = 24;

/// Runs the lab.
///
/// # Errors
///
/// When the output cannot be written.
pub(super) fn run(plan: &Plan) -> Result<Outcome, Error> {
    let (sights, heard) = sync_channel(BACKLOG);
    let stage = Stage::new(plan);
    let voice = Voice::new(plan, &stage.ends)?;
    let listens = if plan.port == SERVER_PORT { State::Listen } else { State::Closed };
    let before = Both { client: Some(State::Closed), server: Some(listens) };
    let narrator = Narrator::new(voice, Pairing::two_sided(round_trip(plan) + DELAY), before);
    let narrator = thread::spawn(move || narrator.run(&heard));
    let report = Report::Page(stage.play(&sights));
    // A narrator that failed tells why itself.
    let _ = sights.send(Sight::End);
    let (mut voice, flows): (Voice, Vec<Flow>) = match narrator.join() {
        Ok(told) => told?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    voice.finish(plan, &report, &flows)?;
    Ok(report.outcome())
}

/// Two hosts, one of which asks the other for a page.
struct Stage {
    ends: Both<SocketAddr>,
    network: Network,
    server: HostId,
    answer: Answer,
    seen: Seen,
}

impl Stage {
    fn new(plan: &Plan) -> Self {
        let seen = Seen::default();
        let mut network = Network::new(plan.seed);
        let [near, far] = addresses(plan.ipv6);
        let mut client = Settings::ip(Cidr::new(near, PREFIX));
        client.logs.push(Rc::new(seen.clone()));
        let client = network.add_host(client);
        let server = network.add_host(Settings::ip(Cidr::new(far, PREFIX)));
        let Whims { outgoing, incoming } = plan.whims.clone().unwrap_or_default();
        network.join_each(&[(client, real(outgoing)), (server, real(incoming))]);
        network.tap(Eyes { client, seen: seen.clone() });
        let listening = SocketAddr::new(far, SERVER_PORT);
        network.run(server, Server::new(listening, |id| Page::new(id, PAGE)));
        let ends =
            Both { client: SocketAddr::new(near, 0), server: SocketAddr::new(far, plan.port) };
        let (get, answer) = Get::new(ends.server, "/");
        network.run(client, get);
        Self { ends, network, server, answer, seen }
    }

    /// Runs until nothing happens any more.
    fn play(mut self, sights: &SyncSender<Sight>) -> io::Result<String> {
        loop {
            // Both hosts do what they can, then time moves on and packets arrive: after each,
            // the server is asked.
            self.network.settle();
            self.tell(sights);
            let over = self.network.step(Instant::FAR_FUTURE).is_some();
            self.tell(sights);
            if over {
                break;
            }
        }
        match self.answer.take() {
            Some(Ok(response)) => status(response.head.as_bytes()),
            Some(Err(Failure::Connect(error))) => Err(io::Error::other(error)),
            Some(Err(Failure::Connection(error))) => Err(io::Error::other(error)),
            Some(Err(Failure::NoResponse)) | None => Err(no_http()),
        }
    }

    fn tell(&self, sights: &SyncSender<Sight>) {
        for mut sight in self.seen.0.take() {
            if let Sight::Far(packet) | Sight::Lost(packet) = &mut sight {
                let tuple = packet.tuple().reversed();
                let state = self.network.state(self.server, &tuple);
                packet.peer = Some(watch::Answer { at: packet.at, state });
            }
            // A narrator that is gone has no reader any more.
            let _ = sights.send(sight);
        }
    }
}

fn addresses(ipv6: bool) -> [IpAddr; 2] {
    match ipv6 {
        false => [[10, 77, 0, 1].into(), [10, 77, 0, 2].into()],
        true => [[0xfd77, 0, 0, 0, 0, 0, 0, 1].into(), [0xfd77, 0, 0, 0, 0, 0, 0, 2].into()],
    }
}

/// With what every real link has.
fn real(mut config: Config) -> Config {
    config.rate = config.rate.or(NonZeroU64::new(RATE));
    if config.delay.is_zero() {
        config.delay = DELAY;
    }
    config
}

/// What was seen and is not told yet.
#[derive(Clone, Default)]
struct Seen(Rc<RefCell<Vec<Sight>>>);

impl Log for Seen {
    fn record(&self, _at: Instant, tuple: &Tuple, event: &Event<'_>) {
        self.0.borrow_mut().extend(Step::of(event).map(|step| Sight::Step(*tuple, step)));
    }
}

/// Sees packets where the client is, and where the server is.
struct Eyes {
    client: HostId,
    seen: Seen,
}

impl Tap for Eyes {
    fn seen(&mut self, seen: &handclasp_sim::Seen<'_>) {
        let ours = seen.from == self.client;
        let Some(packet) = look(seen.medium, seen.at, ours, seen.bytes) else { return };
        let mut sights = self.seen.0.borrow_mut();
        let arrives = seen.fate == tap::Fate::Delivered;
        if matches!(seen.fate, tap::Fate::Lost | tap::Fate::QueueDropped | tap::Fate::TooBig) {
            if !ours {
                sights.push(Sight::Far(Box::new(packet.clone())));
            }
            let lost = SeenPacket { fate: Fate::Lost, ..packet.clone() };
            sights.push(Sight::Lost(Box::new(lost)));
            if ours {
                sights.push(Sight::Near(Box::new(packet)));
            }
        } else if arrives == ours {
            sights.push(Sight::Far(Box::new(packet)));
        } else {
            sights.push(Sight::Near(Box::new(packet)));
        }
    }
}
