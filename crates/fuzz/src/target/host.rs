//! A whole host under any packets, calls and time.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_stack::listen::{Backlog, CookieMode, ListenerId};
use handclasp_stack::store::Datagram;
use handclasp_stack::{Cidr, ConnId, Host, HostConfig, Interface, Secret, SlabStore, UdpId};
use handclasp_tcp::{Budget, Config, Connection, Context};
use handclasp_wire::checksum;
use handclasp_wire::frame::Inbound;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;

use crate::input::Input;

const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const STEPS: usize = 400;
/// Connections that the backlog and the SYN queue hold.
const FEW: usize = 3;

struct Trial {
    host: Host,
    store: SlabStore,
    budget: Budget,
    now: Instant,
    config: Arc<Config>,
    listener: Option<ListenerId>,
    udp: Option<UdpId>,
    held: Vec<ConnId>,
    /// What the host sent last: answers are made of it.
    last: Option<Header>,
}

/// A host that listens, connects and talks UDP, and everything that may come.
pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut trial = Trial::new(&mut input);
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        trial.step(&mut input);
        trial.transmit();
        trial.check();
    }
    trial.end();
}

impl Trial {
    fn new(input: &mut Input<'_>) -> Self {
        let now = Instant::from_millis(10_000);
        let mut host = Host::new(HostConfig::default(), Interface::ip(1500), &Secret::new([7; 32]));
        for address in ["10.0.0.1/24", "fd00::1/64"] {
            host.add_address(address.parse::<Cidr>().expect("an address"), now);
        }
        let mut config = Config::default();
        config.timestamps = input.byte() & 1 != 0;
        let config = Arc::new(config);
        let cookies = match input.below(3) {
            0 => CookieMode::Always,
            1 => CookieMode::Auto,
            _ => CookieMode::Off,
        };
        let fast_open = usize::from(input.below(3));
        let backlog = Backlog { accept: FEW, syn: FEW, cookies, fast_open };
        let at = |port| SocketAddr::from((OWN, port));
        let listener = host.listen(at(80), backlog, config.clone()).ok();
        let mut store = SlabStore::new();
        let udp = host.bind_udp(&mut store, at(53)).ok();
        let budget = Budget::new(1 << 20);
        Self { host, store, budget, now, config, listener, udp, held: Vec::new(), last: None }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0..=6 => {
                let packet = self.segment(input);
                self.receive(packet);
            }
            7 => {
                let len = usize::from(input.byte());
                self.receive(input.take(len).to_vec());
            }
            8 => self.wait(Duration::from_millis(u64::from(input.short()))),
            9 => {
                if let Some(at) = self.host.next_deadline() {
                    self.wait(at.saturating_since(self.now));
                }
            }
            10 => {
                let peer = SocketAddr::from(([10, 0, 0, 2 + input.below(3)], 7));
                let cx = Context::new(self.now, &self.budget);
                let config = self.config.clone();
                let opened = self.host.connect(&mut self.store, &cx, config, None, peer);
                self.held.extend(opened);
            }
            11 => {
                let accepted = self.listener.and_then(|listener| self.host.accept(listener));
                self.held.extend(accepted.map(|accepted| accepted.id));
            }
            12 => self.datagram(input),
            _ => self.call(input),
        }
        // More than a few programs would only slow this down.
        if self.held.len() > 8 {
            self.close(0, true);
        }
    }

    fn call(&mut self, input: &mut Input<'_>) {
        if self.held.is_empty() {
            return;
        }
        let at = usize::from(input.byte()) % self.held.len();
        let id = self.held[at];
        let cx = Context::new(self.now, &self.budget);
        let Some(connection) = self.store.get_mut(id) else { return };
        match input.below(8) {
            0..=2 => drop(connection.write(&cx, &vec![b'w'; usize::from(input.short()) % 5000])),
            3..=5 => drop(connection.read(&cx, &mut vec![0; usize::from(input.short())])),
            6 => connection.shutdown(&cx),
            _ => return self.close(at, input.one_in(2)),
        }
        self.host.touched(id);
    }

    fn close(&mut self, at: usize, abort: bool) {
        let id = self.held.swap_remove(at);
        let cx = Context::new(self.now, &self.budget);
        if let Some(connection) = self.store.get_mut(id) {
            if abort { connection.abort(&cx) } else { connection.close(&cx) }
        }
        self.host.touched(id);
        self.store.release(id);
    }

    fn datagram(&mut self, input: &mut Input<'_>) {
        let Some(id) = self.udp else { return };
        let remote = SocketAddr::from(([10, 0, 0, 2], 53));
        let local = SocketAddr::from((OWN, 0));
        let payload = Bytes::from(vec![b'u'; usize::from(input.short()) % 4000]);
        self.store.send(id, Datagram { local, remote, payload });
        self.host.touched_udp(id);
        let _ = self.store.receive(id);
    }

    fn receive(&mut self, packet: Vec<u8>) {
        let cx = Context::new(self.now, &self.budget);
        self.host.receive(&mut self.store, &cx, Inbound::new(packet.into()));
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        let cx = Context::new(self.now, &self.budget);
        self.host.deadline_passed(&mut self.store, &cx);
    }

    /// A TCP packet with a right checksum: often an answer to what the host said last.
    fn segment(&self, input: &mut Input<'_>) -> Vec<u8> {
        let last = self.last.clone().unwrap_or_default();
        let bits = input.byte();
        let answers = bits & 1 != 0 && self.last.is_some();
        let peer = Ipv4Addr::new(10, 0, 0, 2 + (bits >> 1 & 1));
        let (src_port, dst_port) = if answers {
            (last.dst_port, last.src_port)
        } else {
            (5000 + u16::from(bits >> 2 & 7), if bits & 32 == 0 { 80 } else { 81 })
        };
        let flags = input.byte();
        let syn = if answers { last.flags.contains(Flags::SYN) && flags & 3 != 0 } else { true };
        let mut all = Flags::empty();
        all.set(Flags::SYN, syn && flags & 0x40 == 0);
        all.set(Flags::ACK, answers && flags & 0x30 != 0x30);
        all.set(Flags::FIN, flags & 0x0e == 0x0e);
        all.set(Flags::RST, flags == 0x55);
        let clock = SeqNumber(self.now.as_millis() as u32);
        let timestamps = (flags & 0x80 != 0)
            .then(|| Timestamps { value: input.near(clock).0, echo: input.near(clock).0 });
        let header = Header {
            src_port,
            dst_port,
            seq: input.near(last.ack),
            ack: input.near(last.seq + 1),
            flags: all,
            window: input.short(),
            urgent: 0,
            options: Options { timestamps, mss: Some(1460), ..Options::default() },
        };
        let len = usize::from(input.byte());
        tcp_packet(peer, &header, input.take(len))
    }

    fn transmit(&mut self) {
        let mut out = VecDeque::new();
        for _ in 0..10_000 {
            let cx = Context::new(self.now, &self.budget);
            self.host.poll_transmit(&mut self.store, &cx, &mut out, 64);
            if out.is_empty() {
                return;
            }
            for packet in out.drain(..) {
                let parts = packet.payload.iter().map(|part| &part[..]);
                let all: Vec<_> = std::iter::once(&packet.header[..]).chain(parts).collect();
                let bytes = all.concat();
                let parsed = Packet::parse_ip(&bytes).expect("what a host sends can be read");
                if let Transport::Tcp(tcp) = parsed.transport {
                    let (src, dst) = parsed.addresses().expect("an IP packet");
                    assert!(tcp.checksum_ok(src, dst), "a wrong checksum");
                    self.last = Some(tcp.to_header());
                }
            }
        }
        panic!("it never stops sending");
    }

    fn check(&self) {
        let sizes = self.host.table_sizes();
        assert!(sizes.half_open <= FEW, "{sizes:?}");
        let waiting = self.listener.map_or(0, |listener| self.host.acceptable(listener));
        assert!(waiting <= FEW, "{waiting} wait to be accepted");
        assert_eq!(sizes.tuples, sizes.connections + sizes.half_open + sizes.time_wait);
    }

    /// When all programs are gone and time has passed, nothing is left.
    fn end(mut self) {
        while let Some(accepted) = self.listener.and_then(|listener| self.host.accept(listener)) {
            self.held.push(accepted.id);
        }
        while !self.held.is_empty() {
            self.close(0, true);
            self.transmit();
        }
        let left = |connection: &Connection| connection.state();
        for _ in 0..1000 {
            let Some(at) = self.host.next_deadline() else { break };
            self.wait(at.saturating_since(self.now));
            self.transmit();
        }
        let sizes = self.host.table_sizes();
        let states: Vec<_> =
            self.held.iter().filter_map(|id| self.store.get(*id).map(left)).collect();
        assert_eq!(sizes.tuples, 0, "{sizes:?} {states:?}");
        assert_eq!(self.budget.used(), 0, "memory is left over");
        assert!(self.store.is_empty(), "{} connections are left over", self.store.len());
    }
}

fn tcp_packet(src: Ipv4Addr, header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    header.emit(&mut segment);
    segment.extend_from_slice(payload);
    let sum = checksum::pseudo_header(src.into(), OWN.into(), protocol::TCP, segment.len() as u32)
        + checksum::sum(&segment);
    segment[16..18].copy_from_slice(&sum.finish().to_be_bytes());
    let mut packet = Vec::new();
    Ipv4::new(src, OWN, protocol::TCP).emit(segment.len(), &mut packet);
    packet.extend_from_slice(&segment);
    packet
}
