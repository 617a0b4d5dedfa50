//! Flows that share one narrow link: what each gets, and what that costs.

mod figures;

use std::time::Duration;

use handclasp_impair::config::Config as LinkConfig;
use handclasp_stack::store::ConnId;
use handclasp_tcp::Config;
use handclasp_tcp::config::Algorithm;
use handclasp_wire::time::Instant;

use crate::apps::bulk::{Drain, Handle, Pump};
use crate::apps::server::Server;
use crate::{CableId, HostId, Network, Settings};

pub use figures::{FlowReport, QueueDelay, Report, Sample, jain};

/// Samples of each flow that are kept for a picture.
const SAMPLES: u32 = 1_000;
/// Looks at the queue, however long the run is.
const QUEUE_SAMPLES: u32 = 100_000;
/// And no more often than this.
const QUEUE_INTERVAL_MIN: Duration = Duration::from_millis(10);

/// What is to happen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// What each flow is to do.
    pub flows: Vec<FlowPlan>,
    /// The link that all data takes.
    pub forth: LinkConfig,
    /// The link that all acknowledgments take.
    pub back: LinkConfig,
    /// How long at most.
    pub time: Duration,
    /// All chance comes from it.
    pub seed: u64,
}

/// What one flow is to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FlowPlan {
    /// The settings of both of its ends.
    pub config: Config,
    /// When it begins.
    pub start: Duration,
    /// Bytes after which it ends.
    pub bytes: u64,
}

impl FlowPlan {
    /// A flow that begins at once and never ends.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let mut config = Config::default();
        config.congestion = algorithm;
        Self { config, start: Duration::ZERO, bytes: u64::MAX }
    }
}

impl Plan {
    /// Flows over a link that `forth` describes; acknowledgments come back as slowly, but
    /// unharmed and without a queue.
    #[must_use]
    pub fn new(flows: Vec<FlowPlan>, forth: LinkConfig, time: Duration, seed: u64) -> Self {
        let back = LinkConfig::with(|back| back.delay = forth.delay);
        Self { flows, forth, back, time, seed }
    }

    /// Runs until the time is over or every flow has ended; `watch` is told now and then how
    /// far it is, and ends the run by saying false.
    pub fn run(&self, mut watch: impl FnMut(Duration) -> bool) -> Report {
        let mut stage = Stage::new(self);
        let (mut now, end) = (Instant::ZERO, Instant::ZERO + self.time);
        let interval = (self.time / QUEUE_SAMPLES).max(QUEUE_INTERVAL_MIN);
        let between = (self.time / SAMPLES).max(interval);
        let mut next_sample = Instant::ZERO;
        while now < end {
            now = (now + interval).min(end);
            stage.network.run_until(now);
            stage.look_at_queue();
            if now < next_sample {
                continue;
            }
            next_sample = now + between;
            stage.sample();
            if stage.all_ended() || !watch(now - Instant::ZERO) {
                break;
            }
        }
        stage.report(self)
    }
}

/// The network in which it happens, and what was seen of it.
struct Stage {
    network: Network,
    cable: CableId,
    sender: HostId,
    flows: Vec<Seen>,
    queue: Vec<Duration>,
}

/// A flow, and what was seen of it.
struct Seen {
    algorithm: Algorithm,
    start: Duration,
    bytes: u64,
    handle: Handle,
    ended: Option<Duration>,
    samples: Vec<Sample>,
}

impl Stage {
    fn new(plan: &Plan) -> Self {
        let mut network = Network::new(plan.seed);
        let mut host = |address: &str| {
            let cidr = address.parse().expect("an address");
            network.add_host(Settings::ip([cidr]))
        };
        let (sender, receiver) = (host("10.0.0.1/24"), host("10.0.0.2/24"));
        let cable =
            network.join_each(&[(sender, plan.forth.clone()), (receiver, plan.back.clone())]);
        let flows = plan.flows.iter().enumerate().map(|(n, flow)| {
            // A port for each, so that each has a listener with its settings.
            let at = std::net::SocketAddr::from(([10, 0, 0, 2], 5001 + n as u16));
            let server = Server::new(at, Drain::new).config(flow.config.clone().into());
            network.run(receiver, server);
            let start = Instant::ZERO + flow.start;
            let (pump, handle) = Pump::new(start, at, flow.config.clone(), flow.bytes);
            network.run(sender, pump);
            Seen {
                algorithm: flow.config.congestion,
                start: flow.start,
                bytes: flow.bytes,
                handle,
                ended: None,
                samples: Vec::new(),
            }
        });
        let flows = flows.collect();
        Self { network, cable, sender, flows, queue: Vec::new() }
    }

    fn look_at_queue(&mut self) {
        if let Some((backlog, _)) = self.network.link(self.cable, self.sender) {
            self.queue.push(backlog);
        }
        let now = self.network.now() - Instant::ZERO;
        let view = self.network.on(self.sender);
        for flow in self.flows.iter_mut().filter(|f| f.ended.is_none()) {
            let acked = |id: ConnId| Some(view.connection(id)?.statistics().bytes_acked);
            if flow.handle.get().and_then(acked).is_some_and(|acked| acked >= flow.bytes) {
                flow.ended = Some(now);
            }
        }
    }

    fn sample(&mut self) {
        let now = self.network.now() - Instant::ZERO;
        let view = self.network.on(self.sender);
        for flow in self.flows.iter_mut().filter(|f| f.ended.is_none()) {
            let connection = flow.handle.get().and_then(|id| view.connection(id));
            flow.samples.extend(connection.map(|c| Sample::new(now, &c.info())));
        }
    }

    fn all_ended(&self) -> bool {
        self.flows.iter().all(|flow| flow.ended.is_some())
    }

    fn report(mut self, plan: &Plan) -> Report {
        let now = self.network.now() - Instant::ZERO;
        let packets = self.network.packets();
        let link = self.network.link(self.cable, self.sender).map(|(_, counters)| counters);
        let view = self.network.on(self.sender);
        let flows = self.flows.into_iter().map(|flow| {
            let connection = flow.handle.get().and_then(|id| view.connection(id));
            let info = connection.map(|c| c.info());
            let until = flow.ended.unwrap_or(now);
            FlowReport {
                algorithm: flow.algorithm,
                time: until.saturating_sub(flow.start),
                finished: flow.ended.is_some(),
                statistics: info.as_ref().map(|info| info.statistics).unwrap_or_default(),
                rtt: info.and_then(|info| info.rtt),
                samples: flow.samples,
            }
        });
        Report {
            time: now,
            packets,
            flows: flows.collect(),
            queue_delay: QueueDelay::of(self.queue),
            link: link.unwrap_or_default(),
            rate: plan.forth.rate.map(|rate| rate.get()),
        }
    }
}
