//! The forwarder: takes in whatever anybody wants to reach, and asks before answering.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;

use handclasp_tcp::{Config, Tuple};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Header;
use handclasp_wire::time::Instant;

use crate::listen::{Accepted, CookieMode, SynQueue};
use crate::slots::{Slots, key};
use crate::timers::Timers;

key!(
    /// The name of a connection that waits for a decision.
    PendingId
);

/// Settings of a host's forwarder. With one, packets for any address are taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwardConfig {
    /// Forward TCP.
    pub tcp: bool,
    /// Forward UDP.
    pub udp: bool,
    /// Connections that wait for a decision or are half-open, in all. SYNs beyond them are
    /// dropped, or answered with a cookie where a [`Policy`] allows.
    pub pending: usize,
    /// How long a decision may take; then the attempt is forgotten.
    pub pending_timeout: Duration,
    /// How long a silent rejection is remembered, so that the peer's next SYNs get no answer
    /// either without anyone being asked again.
    pub silence: Duration,
    /// Whether cookies may be used for connections that a [`Policy`] accepts.
    pub cookies: CookieMode,
    /// Connections accepted by a [`Policy`] that may wait for the application.
    pub backlog: usize,
    /// UDP flows at a time; the one idle for longest makes room.
    pub flows: usize,
    /// How long a UDP flow lives without a datagram either way.
    pub flow_idle: Duration,
}

impl Default for ForwardConfig {
    fn default() -> Self {
        Self {
            tcp: true,
            udp: true,
            pending: 1024,
            pending_timeout: Duration::from_secs(75),
            silence: Duration::from_secs(75),
            cookies: CookieMode::Auto,
            backlog: 1024,
            flows: 4096,
            flow_idle: Duration::from_secs(60),
        }
    }
}

/// A connection that a peer wants to somewhere, for which nothing was answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingTcp {
    /// Its name.
    pub id: PendingId,
    /// Who wants it.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
    /// When the first SYN came.
    pub since: Instant,
}

/// A UDP flow that a peer began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its socket.
    pub id: crate::store::UdpId,
    /// Who sends.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
}

/// How to refuse a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// With a RST: connection refused.
    Reset,
    /// With an ICMP error.
    Unreachable(Unreachable),
    /// Not at all.
    Silent,
}

/// What cannot be reached, for the code of an ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The network: there is no route to it.
    Network,
    /// The host.
    Host,
    /// The port.
    Port,
    /// Some administrator forbids it.
    Prohibited,
}

/// A policy's answer.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Shake hands, with these settings.
    Accept(Arc<Config>),
    /// Refuse.
    Reject(Rejection),
    /// Ask the application: [`Host::next_pending`](crate::Host::next_pending).
    Ask,
}

/// Decides on connections at once.
///
/// Under pressure an accepted SYN is answered with a cookie and forgotten; the policy is then
/// asked again when the last ACK comes, and should answer as before.
pub trait Policy: Send + Sync {
    /// What is to become of a connection from `tuple.remote()` to `tuple.local()`.
    fn decide(&mut self, tuple: &Tuple) -> Decision;
}

/// A connection that waits for a decision, or was refused in silence.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) tuple: Tuple,
    /// The latest of its SYNs.
    pub(crate) syn: Header,
    /// Beyond which number we must start, if the four-tuple had a life before.
    pub(crate) after: Option<SeqNumber>,
    pub(crate) since: Instant,
    /// Refused in silence, and only remembered.
    pub(crate) silent: bool,
    /// When to forget it.
    deadline: Instant,
}

/// Whether there is a forwarder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There never was.
    Unused,
    Active,
    /// There was: what it took in lives on.
    Stopped,
}

/// The forwarder's state, which is there before the forwarder and stays behind it, so that
/// names are never given twice.
pub(crate) struct Forward {
    stage: Stage,
    pub(crate) config: ForwardConfig,
    policy: Option<Box<dyn Policy>>,
    pub(crate) syn_queue: SynQueue,
    pending: Slots<Pending>,
    timers: Timers,
    /// Those of which the application was not told yet.
    untold: VecDeque<PendingId>,
    accepted: VecDeque<Accepted>,
    /// UDP flows of which the application was not told yet.
    pub(crate) new_flows: VecDeque<Flow>,
}

impl Forward {
    pub(crate) fn new() -> Self {
        let config = ForwardConfig::default();
        Self {
            stage: Stage::Unused,
            config,
            policy: None,
            syn_queue: SynQueue::new(config.pending, config.cookies),
            pending: Slots::new(),
            timers: Timers::new(),
            untold: VecDeque::new(),
            accepted: VecDeque::new(),
            new_flows: VecDeque::new(),
        }
    }

    /// The same again; `None` where a policy decides, of which there is but one.
    pub(crate) fn fork(&self) -> Option<Self> {
        if self.policy.is_some() {
            return None;
        }
        Some(Self {
            stage: self.stage,
            config: self.config,
            policy: None,
            syn_queue: self.syn_queue.clone(),
            pending: self.pending.clone(),
            timers: self.timers.clone(),
            untold: self.untold.clone(),
            accepted: self.accepted.clone(),
            new_flows: self.new_flows.clone(),
        })
    }

    pub(crate) fn start(&mut self, config: ForwardConfig, policy: Option<Box<dyn Policy>>) {
        self.stage = Stage::Active;
        self.syn_queue.configure(config.pending, config.cookies);
        self.config = config;
        self.policy = policy;
    }

    pub(crate) fn stop(&mut self) {
        self.stage = Stage::Stopped;
        self.policy = None;
    }

    /// Whether what belongs to nobody is taken in.
    pub(crate) fn is_active(&self) -> bool {
        self.stage == Stage::Active
    }

    /// Whether there may be connections of addresses that are not ours.
    pub(crate) fn was_used(&self) -> bool {
        self.stage != Stage::Unused
    }

    pub(crate) fn decide(&mut self, tuple: &Tuple) -> Decision {
        self.policy.as_mut().map_or(Decision::Ask, |policy| policy.decide(tuple))
    }

    /// Keeps a SYN until the application decides; `None` if too many wait.
    pub(crate) fn ask(
        &mut self,
        tuple: Tuple,
        syn: Header,
        after: Option<SeqNumber>,
        now: Instant,
    ) -> Option<PendingId> {
        if self.pending.len() + self.syn_queue.len() >= self.config.pending {
            return None;
        }
        let deadline = now + self.config.pending_timeout;
        let pending = Pending { tuple, syn, after, since: now, silent: false, deadline };
        let id = PendingId(self.pending.insert(pending));
        self.timers.schedule(id.index(), deadline);
        if self.untold.len() >= self.config.pending {
            // An application that never looks must not let them pile up.
            self.untold.retain(|id| self.pending.get(id.0).is_some());
        }
        self.untold.push_back(id);
        Some(id)
    }

    /// Remembers one for whose repetitions there is to be no answer either.
    /// False if it is gone.
    pub(crate) fn silence(&mut self, id: PendingId, now: Instant) -> bool {
        let Some(pending) = self.pending.get_mut(id.0) else { return false };
        pending.silent = true;
        pending.deadline = now + self.config.silence;
        self.timers.schedule(id.index(), pending.deadline);
        true
    }

    pub(crate) fn get_mut(&mut self, id: PendingId) -> Option<&mut Pending> {
        self.pending.get_mut(id.0)
    }

    pub(crate) fn next_pending(&mut self) -> Option<PendingTcp> {
        loop {
            let id = self.untold.pop_front()?;
            if let Some(pending) = self.pending.get(id.0).filter(|pending| !pending.silent) {
                return Some(PendingTcp {
                    id,
                    source: pending.tuple.remote(),
                    destination: pending.tuple.local(),
                    since: pending.since,
                });
            }
        }
    }

    pub(crate) fn take(&mut self, id: PendingId) -> Option<Pending> {
        let pending = self.pending.remove(id.0)?;
        self.timers.cancel(id.index());
        Some(pending)
    }

    /// Forgets one whose time is over.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Pending> {
        while let Some(slot) = self.timers.pop_due(now) {
            let Some(key) = self.pending.key_at(slot) else { continue };
            let deadline = self.pending.get(key).map_or(now, |pending| pending.deadline);
            if deadline <= now {
                return self.pending.remove(key);
            }
            self.timers.schedule(slot, deadline);
        }
        None
    }

    /// Forgets one, whatever its time.
    pub(crate) fn pop_pending(&mut self) -> Option<Pending> {
        let (key, _) = self.pending.iter().next()?;
        self.take(PendingId(key))
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.accepted.len() >= self.config.backlog
    }

    pub(crate) fn push(&mut self, accepted: Accepted) {
        self.accepted.push_back(accepted);
    }

    pub(crate) fn pop(&mut self) -> Option<Accepted> {
        self.accepted.pop_front()
    }
}

#[cfg(test)]
#[path = "forward_tests.rs"]
mod tests;
