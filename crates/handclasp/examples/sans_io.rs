//! The stack without tokio, and without any I/O at all: two hosts in one thread, whose packets
//! are handed over by a loop, in a time that the loop makes up.
//!
//! ```text
//! cargo run --example sans_io
//! ```
//!
//! A program with an event loop of its own does the same with packets from wherever it has
//! them, and its own clock.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use handclasp::tcp::{Budget, Context, State};
use handclasp::wire::frame::{Inbound, Medium, Outbound};
use handclasp::wire::gso::split;
use handclasp::wire::notation::{Base, Segment};
use handclasp::wire::packet::{Packet, Transport};
use handclasp::wire::time::Instant;
use handclasp_stack::listen::Backlog;
use handclasp_stack::{ConnId, Host, HostConfig, Interface, Secret, SlabStore};

/// How long a packet is on its way.
const TRAVEL: Duration = Duration::from_millis(10);

/// A host, and where its connections live.
struct Node {
    host: Host,
    store: SlabStore,
    budget: Budget,
}

impl Node {
    fn new(address: &str, secret: u8) -> Result<Self, Box<dyn Error>> {
        // A real host's secret is random: its sequence numbers and ports come from it.
        let secret = Secret::new([secret; 32]);
        let mut host = Host::new(HostConfig::default(), Interface::ip(1500), &secret);
        host.add_address(address.parse()?, Instant::ZERO);
        Ok(Self { host, store: SlabStore::new(), budget: Budget::default() })
    }

    /// Takes a packet in.
    fn receive(&mut self, now: Instant, packet: Vec<u8>) {
        let cx = Context::new(now, &self.budget);
        self.host.receive(&mut self.store, &cx, Inbound::new(packet.into()));
    }

    /// What it wants to send now, as the bytes of IP packets.
    fn transmit(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let (cx, mut out) = (Context::new(now, &self.budget), VecDeque::<Outbound>::new());
        if self.host.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.host.deadline_passed(&mut self.store, &cx);
        }
        self.host.poll_transmit(&mut self.store, &cx, &mut out, 64);
        out.iter().flat_map(|packet| split(packet, Medium::Ip)).collect()
    }

    /// Writes, and tells the host of it.
    fn write(&mut self, now: Instant, id: ConnId, data: &[u8]) -> Result<usize, Box<dyn Error>> {
        let cx = Context::new(now, &self.budget);
        let written = self.store.get_mut(id).ok_or("it is gone")?.write(&cx, data)?;
        self.host.touched(id);
        Ok(written)
    }

    /// What came and was not read; empty if nothing did.
    fn read(&mut self, now: Instant, id: ConnId) -> Result<Vec<u8>, Box<dyn Error>> {
        let cx = Context::new(now, &self.budget);
        let read = self.store.get_mut(id).ok_or("it is gone")?.read_bytes(&cx, usize::MAX)?;
        self.host.touched(id);
        Ok(read.unwrap_or_default().to_vec())
    }

    fn close(&mut self, now: Instant, id: ConnId) {
        let cx = Context::new(now, &self.budget);
        if let Some(connection) = self.store.get_mut(id) {
            connection.close(&cx);
        }
        self.host.touched(id);
        self.store.release(id);
    }
}

/// Two hosts and the packets between them.
struct World {
    now: Instant,
    nodes: [Node; 2],
    flying: VecDeque<(Instant, usize, Vec<u8>)>,
}

impl World {
    /// Goes on until nothing happens any more before `end`.
    fn run_until(&mut self, end: Instant) {
        loop {
            for from in 0..2 {
                for packet in self.nodes[from].transmit(self.now) {
                    let at = (self.now - Instant::ZERO).as_millis();
                    println!("{at:>6} ms  host {from}  {}", describe(&packet));
                    self.flying.push_back((self.now + TRAVEL, 1 - from, packet));
                }
            }
            // The next thing to happen: a packet arrives, or a deadline passes.
            let deadlines = self.nodes.iter().filter_map(|node| node.host.next_deadline());
            let arrival = self.flying.front().map(|(at, ..)| *at);
            let Some(next) = deadlines.chain(arrival).min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(next);
            while self.flying.front().is_some_and(|(at, ..)| *at <= self.now) {
                if let Some((_, to, packet)) = self.flying.pop_front() {
                    self.nodes[to].receive(self.now, packet);
                }
            }
        }
        self.now = end;
    }

    fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }
}

/// A packet's segment as a line of text.
fn describe(packet: &[u8]) -> String {
    match Packet::parse(Medium::Ip, packet).map(|packet| packet.transport) {
        Ok(Transport::Tcp(tcp)) => Segment::of(&tcp).display(Base::ABSOLUTE).to_string(),
        _ => "no TCP".into(),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let nodes = [Node::new("10.0.0.1/24", 1)?, Node::new("10.0.0.2/24", 2)?];
    let mut world = World { now: Instant::ZERO, nodes, flying: VecDeque::new() };

    let http = "10.0.0.2:80".parse()?;
    let listener = world.nodes[1].host.listen(http, Backlog::default(), Arc::default())?;
    let Node { host, store, budget } = &mut world.nodes[0];
    let client =
        host.connect(store, &Context::new(world.now, budget), Arc::default(), None, http)?;
    world.run_for(Duration::from_millis(100));
    let server = world.nodes[1].host.accept(listener).ok_or("nobody connected")?.id;

    world.nodes[0].write(world.now, client, b"hello, host 1")?;
    world.run_for(Duration::from_millis(100));
    let heard = world.nodes[1].read(world.now, server)?;
    println!("host 1 heard {:?}", String::from_utf8_lossy(&heard));

    world.nodes[0].close(world.now, client);
    world.run_for(Duration::from_millis(100));
    world.nodes[1].close(world.now, server);
    world.run_for(Duration::from_millis(100));
    let tables = world.nodes[0].host.table_sizes();
    println!("host 0 has {} connection in {}", tables.time_wait, State::TimeWait);

    // Nobody has to wait for a minute to pass.
    world.run_for(Duration::from_secs(60));
    println!("a minute later it has {}", world.nodes[0].host.table_sizes().tuples);
    Ok(())
}
