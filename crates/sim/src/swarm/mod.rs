//! Runs that chance makes up: from one seed a network, what harms it, settings and programs;
//! and what must hold of every one of them.

mod plan;

use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use handclasp_impair::config::Config as LinkConfig;
use handclasp_stack::listen::{Backlog, CookieMode};
use handclasp_tcp::Config;
use handclasp_tcp::connection::Error;
use handclasp_tcp::event::Log;
use handclasp_wire::time::Instant;

use crate::app::{App, Next, View};
use crate::apps::server::Server;
use crate::apps::talker::{End, Ledger, Manners, Report, Talker};
use crate::check::agreement::{disagreements, other_left};
use crate::check::segments::Segments;
use crate::check::states::States;
use crate::check::{Violations, leftovers};
use crate::dice::Dice;
use crate::network::{CableId, HostId, Network, Outcome};
use crate::node::Settings;
use crate::tap::{Fate, Seen, Tap};
use crate::trace::Story;

/// The one that joins all hosts.
const CABLE: CableId = CableId(0);
/// The port that every host listens at.
const PORT: u16 = 80;
/// By then, in the network's time, everything must have come to rest.
const LATEST: Duration = Duration::from_secs(24 * 3600);

/// What a run is made of.
struct Plan {
    seed: u64,
    hosts: Vec<HostPlan>,
    link: LinkConfig,
    /// A place on the way that carries less, behind a router that says so.
    narrow: Option<u16>,
    /// When the cable is pulled out, and when it is put back in.
    outage: Option<(Instant, Instant)>,
    calls: Vec<Call>,
}

struct HostPlan {
    settings: Settings,
    address: IpAddr,
    tcp: Arc<Config>,
    backlog: Backlog,
    /// Between two connections that are accepted.
    pause: Duration,
    /// How its server's programs behave.
    manners: Manners,
}

/// A connection to be opened.
#[derive(Clone, Debug)]
struct Call {
    at: Instant,
    from: HostId,
    to: HostId,
    /// Both open at once, from and to these ports.
    crossing: Option<(u16, u16)>,
    manners: Manners,
}

/// What came of a run that went well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Packets sent.
    pub packets: u64,
    /// Of these, lost in one way or another.
    pub lost: u64,
    /// Of these, damaged.
    pub damaged: u64,
    /// Conversations that went to their end at both ends.
    pub whole: u64,
    /// Conversations in all.
    pub conversations: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.lost += other.lost;
        self.damaged += other.damaged;
        self.whole += other.whole;
        self.conversations += other.conversations;
        self.bytes += other.bytes;
    }
}

/// What was wrong with a run, and how to see it again.
#[derive(Clone, Debug)]
pub struct Failure {
    seed: u64,
    plan: String,
    violations: Violations,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the swarm's seed {} breaks the rules:", self.seed)?;
        self.violations.iter().take(20).try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "{}", self.plan)
    }
}

impl std::error::Error for Failure {}

/// Runs the network of a seed to its end.
///
/// # Errors
/// A rule was broken.
pub fn run(seed: u64) -> Result<Summary, Failure> {
    Plan::new(seed).run(None)
}

/// Runs it and tells everything that happens.
#[must_use]
pub fn story(seed: u64) -> Vec<String> {
    let story = Rc::new(Story::default());
    // Who asks for the story knows how it ends.
    let _ = Plan::new(seed).run(Some(&story));
    story.lines()
}

impl Plan {
    fn run(self, story: Option<&Rc<Story>>) -> Result<Summary, Failure> {
        let states = Rc::new(States::default());
        let segments = Rc::new(RefCell::new(Segments::default()));
        let totals = Rc::new(RefCell::new(Totals::default()));
        let ledger = Ledger::default();
        let mut logs: Vec<Rc<dyn Log>> = vec![states.clone()];
        logs.extend(story.map(|story| story.clone() as Rc<dyn Log>));
        let mut network = self.build(&logs, &ledger);
        network.tap(segments.clone());
        network.tap(totals.clone());
        if let Some(story) = story {
            network.tap(story.clone());
        }
        network.limit_packets(self.packets_at_most());
        if let Some((begin, end)) = self.outage {
            network.run_until(begin);
            network.plug(CABLE, false);
            network.run_until(end);
            network.plug(CABLE, true);
        }
        let outcome = network.run_idle_until(Instant::ZERO + LATEST);

        let mut violations = states.violations();
        // A late copy of what brought a cookie begins the same conversation once more, and
        // what was said in the first is not known in the second.
        if !self.has_cookies() {
            violations.append(&mut segments.borrow_mut().violations);
        }
        if outcome != Outcome::Idle {
            violations.push(format!("it never comes to rest: {outcome:?}, {:?}", network.now()));
        }
        for host in network.hosts() {
            violations.extend(leftovers(&mut network, host));
            let waiting = network.running(host) - 1;
            if waiting > 0 {
                violations.push(format!("{waiting} programs on {host:?} wait for ever"));
            }
        }
        let reports = ledger.take();
        let excused = |report: &Report, other: Option<&Report>| self.excuses(report, other);
        violations.extend(disagreements(&reports, excused));
        if !violations.is_empty() {
            return Err(Failure { seed: self.seed, plan: self.to_string(), violations });
        }
        let totals = totals.borrow();
        Ok(Summary {
            packets: network.packets(),
            lost: totals.lost,
            damaged: totals.damaged,
            whole: reports.iter().filter(|report| report.end == End::Whole).count() as u64 / 2,
            conversations: self.calls.len() as u64,
            bytes: reports.iter().map(|report| report.read).sum(),
        })
    }

    fn build(&self, logs: &[Rc<dyn Log>], ledger: &Ledger) -> Network {
        let mut network = Network::new(self.seed);
        let mut dice = Dice::new(self.seed ^ 1);
        let hosts: Vec<HostId> = self
            .hosts
            .iter()
            .map(|plan| {
                let logs = logs.to_vec();
                network.add_host(Settings { logs, ..plan.settings.clone() })
            })
            .collect();
        network.join(&hosts, &self.link);
        if let Some(mtu) = self.narrow {
            let router = match self.hosts[0].address {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(10, 0, 0, 254)),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 254)),
            };
            network.narrow(CABLE, mtu, Some(router));
        }
        for (host, plan) in hosts.iter().zip(&self.hosts) {
            let (manners, ledger) = (plan.manners.clone(), ledger.clone());
            let mut dice = Dice::new(dice.seed());
            let talker =
                move |id| Talker::new(id, manners.clone(), Dice::new(dice.seed()), ledger.clone());
            let server = Server::new(SocketAddr::new(plan.address, PORT), talker)
                .config(plan.tcp.clone())
                .backlog(plan.backlog)
                .pause(plan.pause);
            network.run(*host, server);
        }
        for call in &self.calls {
            for caller in self.callers(call, &mut dice, ledger) {
                network.run(caller.host, caller);
            }
        }
        network
    }

    /// The one that opens a connection, or both.
    fn callers(&self, call: &Call, dice: &mut Dice, ledger: &Ledger) -> Vec<Caller> {
        let Call { from, to, .. } = *call;
        let ends = match call.crossing {
            None => vec![(from, 0, to, PORT)],
            Some((own, other)) => vec![(from, own, to, other), (to, other, from, own)],
        };
        let caller = |(host, local, peer, remote): (HostId, u16, HostId, u16)| Caller {
            host,
            at: call.at,
            config: self.hosts[host.0].tcp.clone(),
            local: SocketAddr::new(self.hosts[host.0].address, local),
            remote: SocketAddr::new(self.hosts[peer.0].address, remote),
            manners: call.manners.clone(),
            dice: Dice::new(dice.seed()),
            ledger: ledger.clone(),
            talker: None,
        };
        ends.into_iter().map(caller).collect()
    }

    /// Far more than a connection needs that makes progress, far less than one that does not.
    fn packets_at_most(&self) -> u64 {
        let bytes: u64 = self.calls.iter().map(|call| call.manners.to_write).sum::<u64>()
            + self.hosts.iter().map(|host| host.manners.to_write).sum::<u64>()
                * self.calls.len() as u64;
        let conversations = 2 * self.calls.len() as u64;
        10 * bytes / self.smallest_segment() + 3000 * conversations
    }

    fn smallest_segment(&self) -> u64 {
        let mss = |host: &HostPlan| host.tcp.max_segment_size.unwrap_or(536);
        // Beside the options that it shares its segment with.
        u64::from(self.hosts.iter().map(mss).min().unwrap_or(536)).saturating_sub(40).max(8)
    }

    /// Failures that are nobody's fault.
    fn excuses(&self, report: &Report, other: Option<&Report>) -> bool {
        let End::Failed(error) = report.end else { return false };
        // Who answers with a cookie knows nothing of the connection until the last ACK, or the
        // first data, is there: what overtakes them is refused, and what is silent is forgotten.
        let cookie = matches!(error, Error::Reset | Error::KeepAliveTimedOut) && self.has_cookies();
        // A neighbour that does not answer three times cannot be opened to.
        let gave_up = |report: &Report| {
            report.read == 0 && matches!(report.end, End::Failed(Error::Unreachable(_)))
        };
        let neighbour = gave_up(report) || other.is_some_and(gave_up);
        other_left(report, other) || cookie || neighbour
    }

    fn has_cookies(&self) -> bool {
        self.hosts.iter().any(|host| host.backlog.cookies != CookieMode::Off)
    }
}

/// Opens a connection at its time, and talks.
struct Caller {
    host: HostId,
    at: Instant,
    config: Arc<Config>,
    local: SocketAddr,
    remote: SocketAddr,
    manners: Manners,
    dice: Dice,
    ledger: Ledger,
    talker: Option<Talker>,
}

impl App for Caller {
    /// # Panics
    /// The connection cannot be begun.
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        if host.now() < self.at {
            return Next::WaitUntil(self.at);
        }
        let talker = self.talker.get_or_insert_with(|| {
            let id = host.connect(&self.config, Some(self.local), self.remote);
            let (manners, dice) = (self.manners.clone(), self.dice.clone());
            Talker::new(id.expect("a free port"), manners, dice, self.ledger.clone())
        });
        talker.poll(host)
    }
}

/// What becomes of packets, counted.
#[derive(Debug, Default)]
struct Totals {
    lost: u64,
    damaged: u64,
}

impl Tap for Totals {
    fn seen(&mut self, packet: &Seen<'_>) {
        match packet.fate {
            Fate::Lost | Fate::QueueDropped | Fate::TooBig => self.lost += 1,
            Fate::Damaged => self.damaged += 1,
            Fate::Carried | Fate::Duplicated | Fate::Delivered => {}
        }
    }
}
