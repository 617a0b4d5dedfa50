//! Hosts, cables, and the time they share.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use handclasp_impair::config::Config;
use handclasp_impair::link::Counters;
use handclasp_stack::Host;
use handclasp_stack::host::Holder;
use handclasp_tcp::{State, Tuple};
use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::frame::{Inbound, Medium};
use handclasp_wire::gso::split;
use handclasp_wire::time::Instant;

use crate::app::{App, View};
use crate::cable::Cable;
use crate::dice::Dice;
use crate::frame::Frame;
use crate::narrow::{Narrow, link_len};
use crate::node::{Node, Settings};
use crate::tap::{Fate, Seen, Tap};

/// A host of a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(pub usize);

/// A cable of a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CableId(pub usize);

/// Why a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing will ever happen unless somebody does something.
    Idle,
    /// The time is over.
    TimeUp,
    /// More packets were sent than [`Network::limit_packets`] allows.
    TooManyPackets,
}

/// Hosts and cables in virtual time.
///
/// Its verbs panic where they are given the id of another network's host or cable.
pub struct Network {
    now: Instant,
    dice: Dice,
    nodes: Vec<Node>,
    cables: Vec<Cable>,
    wires: Wires,
}

/// What sending a packet needs beside the cable.
struct Wires {
    taps: Vec<Box<dyn Tap>>,
    packets: u64,
    limit: u64,
    /// Packets that come from nowhere, by their time and number.
    injected: BTreeMap<(Instant, u64), (HostId, Bytes)>,
}

impl Network {
    /// An empty network whose chance comes from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            dice: Dice::new(seed),
            nodes: Vec::new(),
            cables: Vec::new(),
            wires: Wires {
                taps: Vec::new(),
                packets: 0,
                limit: u64::MAX,
                injected: BTreeMap::new(),
            },
        }
    }

    /// Adds a host. On Ethernet its hardware address is `02:00:00:00:00:01` for the first one,
    /// and so on.
    pub fn add_host(&mut self, settings: Settings) -> HostId {
        let id = HostId(self.nodes.len());
        let mac = MacAddr([2, 0, 0, 0, 0, id.0 as u8 + 1]);
        self.nodes.push(Node::new(settings, mac, self.dice.bytes(), self.now));
        id
    }

    /// Lays a cable between hosts that have none yet. What one of them sends goes through a
    /// link of its own, which `config` describes, and is heard by all others.
    pub fn join(&mut self, hosts: &[HostId], config: &Config) -> CableId {
        let ends: Vec<_> = hosts.iter().map(|host| (*host, config.clone())).collect();
        self.join_each(&ends)
    }

    /// The same, where not everyone's link is alike.
    pub fn join_each(&mut self, ends: &[(HostId, Config)]) -> CableId {
        self.cables.push(Cable::new(ends, &mut self.dice));
        CableId(self.cables.len() - 1)
    }

    /// How long what `host` sends now waits for its link, and what became of what it sent.
    #[must_use]
    pub fn link(&self, cable: CableId, host: HostId) -> Option<(Duration, Counters)> {
        let link = self.cables[cable.0].link(host)?;
        Some((link.backlog(self.now), link.counters()))
    }

    /// Pulls a cable out, or puts it back in. What is on its way arrives all the same.
    pub fn plug(&mut self, cable: CableId, plugged: bool) {
        self.cables[cable.0].plugged = plugged;
    }

    /// Makes a place on the cable carry only IP packets of up to `mtu` bytes from now on.
    /// Without a `router` nobody is told of those that do not fit.
    pub fn narrow(&mut self, cable: CableId, mtu: u16, router: Option<IpAddr>) {
        self.cables[cable.0].narrow = Some(Narrow { mtu, router });
    }

    /// Lets a packet arrive at a host that none of the others sent.
    pub fn inject(&mut self, host: HostId, at: Instant, packet: impl Into<Bytes>) {
        self.wires.inject(host, at.max(self.now), packet.into());
    }

    /// Shows every packet to `tap` from now on.
    pub fn tap(&mut self, tap: impl Tap + 'static) {
        self.wires.taps.push(Box::new(tap));
    }

    /// Ends runs once so many packets were sent: what never comes to rest is noticed.
    pub const fn limit_packets(&mut self, limit: u64) {
        self.wires.limit = limit;
    }

    /// Packets sent so far, lost ones included.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.wires.packets
    }

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// All hosts.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.nodes.len()).map(HostId)
    }

    /// A host.
    #[must_use]
    pub fn host(&self, host: HostId) -> &Host {
        &self.nodes[host.0].host
    }

    /// Acts on a host in the place of a program.
    pub fn on(&mut self, host: HostId) -> View<'_> {
        View { node: &mut self.nodes[host.0], now: self.now, app: None }
    }

    /// Starts a program on a host.
    pub fn run(&mut self, host: HostId, app: impl App + 'static) {
        self.nodes[host.0].start(Box::new(app));
    }

    /// Programs on a host that are not over.
    #[must_use]
    pub fn running(&self, host: HostId) -> usize {
        self.nodes[host.0].running()
    }

    /// The state in which a host has a connection; [`State::Closed`] if it knows none such.
    /// It looks through all its connections.
    #[must_use]
    pub fn state(&self, host: HostId, tuple: &Tuple) -> State {
        let node = &self.nodes[host.0];
        let found = node.host.connections().find(|(other, _)| other == tuple);
        match found.map(|(_, holder)| holder) {
            Some(Holder::Connection(id)) => {
                node.store.slab.get(id).map_or(State::Closed, |connection| connection.state())
            }
            Some(Holder::HalfOpen) => State::SynReceived,
            Some(Holder::TimeWait) => State::TimeWait,
            Some(Holder::Pending) => State::Listen,
            None => State::Closed,
        }
    }

    /// Does what can be done now; time stands still.
    pub fn settle(&mut self) {
        let Self { now, nodes, cables, wires, .. } = self;
        for (index, node) in nodes.iter_mut().enumerate() {
            let (host, medium) = (HostId(index), node.medium());
            let mut cable = cables.iter_mut().enumerate().find(|(_, cable)| cable.joins(host));
            node.work(*now, |packet| {
                for piece in split(packet, medium) {
                    if let Some((id, cable)) = &mut cable {
                        wires.send(CableId(*id), cable, host, medium, *now, piece.into());
                    }
                }
                wires.packets <= wires.limit
            });
        }
    }

    /// Does what can be done now and moves on to the next moment at which something happens,
    /// unless that is later than `until`. Says why it did not.
    pub fn step(&mut self, until: Instant) -> Option<Outcome> {
        self.settle();
        if self.wires.packets > self.wires.limit {
            return Some(Outcome::TooManyPackets);
        }
        let Some(next) = self.next_deadline() else { return Some(Outcome::Idle) };
        if next > until {
            return Some(Outcome::TimeUp);
        }
        self.now = self.now.max(next);
        self.deliver();
        for node in &mut self.nodes {
            node.deadline_passed(self.now);
        }
        None
    }

    /// Runs until the time is `until`, then everything is done that can be done by then.
    pub fn run_until(&mut self, until: Instant) -> Outcome {
        let outcome = self.run_idle_until(until);
        self.now = self.now.max(until);
        outcome
    }

    /// Runs until nothing happens any more.
    pub fn run_until_idle(&mut self) -> Outcome {
        self.run_idle_until(Instant::FAR_FUTURE)
    }

    /// Runs until nothing happens any more or the next thing happens after `until`; the time
    /// stays where something happened last.
    pub fn run_idle_until(&mut self, until: Instant) -> Outcome {
        loop {
            if let Some(outcome) = self.step(until) {
                return outcome;
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let nodes = self.nodes.iter().filter_map(Node::next_deadline);
        let cables = self.cables.iter().filter_map(Cable::next_deadline);
        let injected = self.wires.injected.first_key_value().map(|((at, _), _)| *at);
        nodes.chain(cables).chain(injected).min()
    }

    /// Hands over what has come out of the cables by now.
    fn deliver(&mut self) {
        let Self { now, nodes, cables, wires, .. } = self;
        while let Some(first) = wires.injected.first_entry().filter(|e| e.key().0 <= *now) {
            let (host, packet) = first.remove();
            nodes[host.0].inbox.push_back(Inbound::new(packet));
        }
        for (index, cable) in cables.iter_mut().enumerate() {
            while let Some((from, frame)) = cable.pop(*now) {
                let medium = nodes[from.0].medium();
                wires.show(CableId(index), from, medium, *now, &frame, Fate::Delivered);
                for host in cable.others(from) {
                    nodes[host.0].inbox.push_back(Inbound::new(frame.data.clone()));
                }
            }
        }
        nodes.iter_mut().for_each(|node| node.receive(*now));
    }
}

impl Wires {
    fn inject(&mut self, host: HostId, at: Instant, packet: Bytes) {
        self.packets += 1;
        self.injected.insert((at, self.packets), (host, packet));
    }

    fn send(
        &mut self,
        id: CableId,
        cable: &mut Cable,
        from: HostId,
        medium: Medium,
        now: Instant,
        data: Bytes,
    ) {
        self.packets += 1;
        let frame = Frame { number: self.packets, data };
        let ip_len = frame.data.len() - link_len(medium);
        let fate = cable.push(from, now, frame.clone(), ip_len);
        self.show(id, from, medium, now, &frame, fate);
        if fate == Fate::TooBig
            && let Some(narrow) = cable.narrow
            && let Some(answer) = narrow.complaint(&frame.data, medium)
        {
            self.inject(from, now, answer);
        }
    }

    fn show(
        &mut self,
        cable: CableId,
        from: HostId,
        medium: Medium,
        at: Instant,
        frame: &Frame,
        fate: Fate,
    ) {
        let Frame { number, data } = frame;
        let seen = Seen { at, cable, from, number: *number, medium, bytes: data, fate };
        self.taps.iter_mut().for_each(|tap| tap.seen(&seen));
    }
}
