//! Hosts in virtual time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_stack::listen::{Backlog, ListenerId};
use handclasp_stack::open::ConnectError;
use handclasp_stack::{ConnId, Host, HostConfig, Interface, Link, Secret, SlabStore};
use handclasp_tcp::connection::Error;
use handclasp_tcp::event::{Event, Log};
use handclasp_tcp::{Budget, Config, Connection, Context, State, Tuple};
use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::frame::{Inbound, Medium, RxChecksum};
use handclasp_wire::time::Instant;

use super::packets::{Segment, segment};
use super::{at, ip, read, sock};

/// A host with its store, under hand-made packets.
pub struct Node {
    pub host: Host,
    pub store: SlabStore,
    pub budget: Budget,
    pub now: Instant,
    pub journal: Journal,
}

/// The states that connections went through, and how many segments they sent and received.
#[derive(Debug, Default)]
pub struct Journal {
    pub states: RefCell<Vec<State>>,
    pub sent: Cell<usize>,
    pub received: Cell<usize>,
}

impl Journal {
    fn context<'a>(&'a self, now: Instant, budget: &'a Budget) -> Context<'a> {
        Context { log: Some(self), ..Context::new(now, budget) }
    }
}

impl Log for Journal {
    fn record(&self, _at: Instant, _tuple: &Tuple, event: &Event<'_>) {
        match *event {
            Event::State { from, to, cause } => {
                assert_eq!(from.after(cause), Some(to), "{cause:?} does not lead from {from}");
                let mut states = self.states.borrow_mut();
                let known = states.last().copied().unwrap_or(State::Closed);
                if known == State::Closed {
                    states.push(from);
                }
                states.push(to);
            }
            Event::Sent { .. } => self.sent.set(self.sent.get() + 1),
            Event::Received { .. } => self.received.set(self.received.get() + 1),
            _ => {}
        }
    }
}

impl Node {
    pub fn new(config: HostConfig, interface: Interface, seed: u8) -> Self {
        let host = Host::new(config, interface, &Secret::new([seed; 32]));
        // Long enough after the origin for everything to lie in some past.
        Self {
            host,
            store: SlabStore::new(),
            budget: Budget::default(),
            now: at(1_000_000),
            journal: Journal::default(),
        }
    }

    /// 10.0.0.1/24 and fd00::1/64 on a link without link header, with default routes.
    pub fn on_ip(config: HostConfig) -> Self {
        let mut node = Self::new(config, Interface::ip(1500), 1);
        node.add("10.0.0.1/24");
        node.add("fd00::1/64");
        node.via("10.0.0.254");
        node.via("fd00::fe");
        node
    }

    pub fn add(&mut self, address: &str) {
        self.host.add_address(read(address), self.now);
    }

    pub fn via(&mut self, gateway: &str) {
        self.host.add_route(handclasp_stack::Route::default_via(ip(gateway)));
    }

    pub fn medium(&self) -> Medium {
        self.host.interface().medium()
    }

    pub fn receive(&mut self, packet: impl Into<Bytes>) {
        let cx = self.journal.context(self.now, &self.budget);
        self.host.receive(&mut self.store, &cx, Inbound::new(packet.into()));
    }

    /// Everything that it wants to send, as it stands on the wire.
    pub fn transmit(&mut self) -> Vec<Bytes> {
        self.poll(usize::MAX).into_iter().map(|inbound| inbound.data).collect()
    }

    /// At most so many packets, as a link that does the offloads hands them to the other end.
    pub fn poll(&mut self, max_packets: usize) -> Vec<Inbound> {
        let cx = self.journal.context(self.now, &self.budget);
        let mut out = VecDeque::new();
        self.host.poll_transmit(&mut self.store, &cx, &mut out, max_packets);
        out.into_iter()
            .map(|packet| {
                let mut data = packet.header.to_vec();
                packet.payload.iter().for_each(|part| data.extend_from_slice(part));
                Inbound {
                    data: data.into(),
                    checksum: match packet.checksum {
                        Some(_) => RxChecksum::Trusted,
                        None => RxChecksum::Unknown,
                    },
                    segment_size: packet.segment_size,
                }
            })
            .collect()
    }

    /// The TCP segments that it wants to send.
    pub fn segments(&mut self) -> Vec<Segment> {
        let medium = self.medium();
        self.transmit().iter().filter_map(|packet| segment(medium, packet)).collect()
    }

    /// Lets time pass, and does what is due on the way. Returns what was sent when.
    pub fn pass(&mut self, time: Duration) -> Vec<(Instant, Bytes)> {
        let end = self.now + time;
        let mut sent = Vec::new();
        while let Some(next) = self.host.next_deadline().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.expire();
            sent.extend(self.transmit().into_iter().map(|packet| (self.now, packet)));
        }
        self.now = end;
        sent
    }

    pub fn expire(&mut self) {
        let cx = self.journal.context(self.now, &self.budget);
        self.host.deadline_passed(&mut self.store, &cx);
    }

    pub fn listen(&mut self, local: &str, backlog: Backlog) -> ListenerId {
        self.host.listen(sock(local), backlog, Arc::default()).unwrap()
    }

    pub fn connect(&mut self, remote: &str) -> ConnId {
        self.connect_from(None, remote, Config::default()).unwrap()
    }

    pub fn connect_from(
        &mut self,
        local: Option<SocketAddr>,
        remote: &str,
        config: Config,
    ) -> Result<ConnId, ConnectError> {
        let cx = self.journal.context(self.now, &self.budget);
        self.host.connect(&mut self.store, &cx, Arc::new(config), local, sock(remote))
    }

    /// Works on a connection as its application.
    pub fn with<R>(
        &mut self,
        id: ConnId,
        work: impl FnOnce(&mut Connection, &Context<'_>) -> R,
    ) -> R {
        let cx = self.journal.context(self.now, &self.budget);
        let result = work(self.store.get_mut(id).expect("the store has it"), &cx);
        self.host.touched(id);
        result
    }

    pub fn state(&self, id: ConnId) -> State {
        self.store.get(id).map_or(State::Closed, Connection::state)
    }

    pub fn error(&self, id: ConnId) -> Option<Error> {
        self.store.get(id).and_then(Connection::error)
    }

    pub fn write(&mut self, id: ConnId, data: &[u8]) -> usize {
        self.with(id, |connection, cx| connection.write(cx, data).unwrap())
    }

    /// All that can be read now.
    pub fn read(&mut self, id: ConnId) -> Vec<u8> {
        self.with(id, |connection, cx| {
            let mut data = Vec::new();
            while let Ok(Some(piece)) = connection.read_bytes(cx, usize::MAX) {
                if piece.is_empty() {
                    break;
                }
                data.extend_from_slice(&piece);
            }
            data
        })
    }

    pub fn close(&mut self, id: ConnId) {
        self.with(id, Connection::close);
        self.store.release(id);
    }
}

/// A packet that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Instant,
    /// The node that sent it: 0 or 1.
    pub from: usize,
    pub data: Bytes,
}

/// Whether a packet of this node gets through.
pub type Filter = Box<dyn FnMut(usize, &[u8]) -> bool>;

/// Two hosts, 10.0.0.1 and 10.0.0.2 (fd00::1 and fd00::2), joined back to back.
pub struct Net {
    pub nodes: [Node; 2],
    pub now: Instant,
    pub latency: Duration,
    pub filter: Filter,
    pub sent: Vec<Sent>,
    flying: VecDeque<(Instant, usize, Inbound)>,
}

impl Net {
    pub fn new(link: [Link; 2]) -> Self {
        let nodes = [0, 1].map(|i| {
            let interface = Interface { link: link[i], ..Interface::ip(1500) };
            let mut node = Node::new(HostConfig::default(), interface, i as u8 + 1);
            node.add(["10.0.0.1/24", "10.0.0.2/24"][i]);
            node.add(["fd00::1/64", "fd00::2/64"][i]);
            node
        });
        Self {
            now: nodes[0].now,
            nodes,
            latency: Duration::from_millis(1),
            filter: Box::new(|_, _| true),
            sent: Vec::new(),
            flying: VecDeque::new(),
        }
    }

    pub fn ip() -> Self {
        Self::new([Link::Ip; 2])
    }

    pub fn ethernet() -> Self {
        Self::new([1, 2].map(|n| Link::Ethernet(MacAddr([2, 0, 0, 0, 0, n]))))
    }

    /// Runs for so long.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.transmit();
            let deadlines = self.nodes.iter().filter_map(|node| node.host.next_deadline());
            let arrival = self.flying.front().map(|(arrival, ..)| *arrival);
            let next = deadlines.chain(arrival).min().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.set_time(self.now.max(next));
            while self.flying.front().is_some_and(|(arrival, ..)| *arrival <= self.now) {
                let (_, to, packet) = self.flying.pop_front().unwrap();
                let node = &mut self.nodes[to];
                let cx = node.journal.context(node.now, &node.budget);
                node.host.receive(&mut node.store, &cx, packet);
            }
            self.nodes.iter_mut().for_each(Node::expire);
        }
        self.set_time(end);
    }

    fn set_time(&mut self, now: Instant) {
        self.now = now;
        self.nodes.iter_mut().for_each(|node| node.now = now);
    }

    fn transmit(&mut self) {
        for from in 0..2 {
            for packet in self.nodes[from].poll(usize::MAX) {
                self.sent.push(Sent { at: self.now, from, data: packet.data.clone() });
                if (self.filter)(from, &packet.data) {
                    self.flying.push_back((self.now + self.latency, 1 - from, packet));
                }
            }
        }
    }

    /// The TCP segments that were sent, and by whom.
    pub fn segments(&self) -> Vec<(usize, Segment)> {
        let medium = self.nodes[0].medium();
        let segment = |sent: &Sent| Some((sent.from, segment(medium, &sent.data)?));
        self.sent.iter().filter_map(segment).collect()
    }

    /// An open connection from the first to a listener of the second, as each of them names it.
    pub fn open(&mut self) -> (ConnId, ConnId) {
        let listener = self.nodes[1].listen("0.0.0.0:80", Backlog::default());
        let client = self.nodes[0].connect("10.0.0.2:80");
        self.run(Duration::from_millis(10));
        let server = self.nodes[1].host.accept(listener).expect("it was accepted").id;
        assert_eq!(self.nodes[0].state(client), State::Established);
        (client, server)
    }
}
