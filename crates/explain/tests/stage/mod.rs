//! Two of our stacks in virtual time, and a capture of what they say.

// Not every test uses all of it.
#![allow(dead_code)]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use handclasp_explain::capture::Frame;
use handclasp_explain::capture::link::LinkType;
use handclasp_explain::capture::writer::Writer;
use handclasp_explain::finding::{Finding, find};
use handclasp_explain::flow::table::Limits;
use handclasp_explain::trace::Trace;
use handclasp_impair::config::Config as LinkConfig;
use handclasp_sim::tap::{Fate, Seen, Tap};
use handclasp_sim::{CableId, HostId, Network, Settings};
use handclasp_stack::listen::{Backlog, ListenerId};
use handclasp_stack::store::ConnId;
use handclasp_tcp::Config;
use handclasp_wire::checksum::{self, pseudo_header};
use handclasp_wire::frame::PartialChecksum;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::view::CHECKSUM_AT;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const CLIENT: HostId = HostId(0);
pub(crate) const SERVER: HostId = HostId(1);

pub(crate) fn server_at() -> SocketAddr {
    "10.0.0.2:80".parse().unwrap()
}

pub(crate) fn client_at() -> SocketAddr {
    "10.0.0.1:4000".parse().unwrap()
}

/// A link with a delay of 10 ms, and what else is wanted.
pub(crate) fn link(change: impl FnOnce(&mut LinkConfig)) -> LinkConfig {
    LinkConfig::with(|link| {
        link.delay = 10 * MS;
        change(link);
    })
}

/// What stands in a capture.
#[derive(Default)]
pub(crate) struct Film(Vec<(Instant, HostId, Fate, Vec<u8>)>);

impl Tap for Film {
    fn seen(&mut self, packet: &Seen<'_>) {
        self.0.push((packet.at, packet.from, packet.fate, packet.bytes.to_vec()));
    }
}

pub(crate) struct Stage {
    pub(crate) network: Network,
    pub(crate) cable: CableId,
    film: Rc<RefCell<Film>>,
}

impl Stage {
    /// Two hosts; what the client sends goes through `there`, what the server sends through
    /// `back`.
    pub(crate) fn new(there: LinkConfig, back: LinkConfig) -> Self {
        let mut network = Network::new(11);
        for address in ["10.0.0.1/24", "10.0.0.2/24"] {
            network.add_host(Settings::ip([address.parse().unwrap()]));
        }
        let cable = network.join_each(&[(CLIENT, there), (SERVER, back)]);
        let film = Rc::new(RefCell::new(Film::default()));
        network.tap(film.clone());
        Self { network, cable, film }
    }

    /// A network in which all goes well.
    pub(crate) fn plain() -> Self {
        Self::new(link(|_| {}), link(|_| {}))
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let until = self.network.now() + time;
        self.network.run_until(until);
    }

    pub(crate) fn listen(&mut self, config: Config) -> ListenerId {
        let mut server = self.network.on(SERVER);
        server.listen(server_at(), Backlog::default(), &Arc::new(config)).unwrap()
    }

    pub(crate) fn connect(&mut self, config: Config) -> ConnId {
        let mut client = self.network.on(CLIENT);
        client.connect(&Arc::new(config), Some(client_at()), server_at()).unwrap()
    }

    /// Opens a connection.
    pub(crate) fn open_with(&mut self, client: Config, server: Config) -> (ConnId, ConnId) {
        let listener = self.listen(server);
        let client = self.connect(client);
        let mut accepted = None;
        for _ in 0..100 {
            self.run_for(100 * MS);
            accepted = accepted.or_else(|| self.network.on(SERVER).accept(listener));
            if let Some(accepted) = &accepted {
                return (client, accepted.id);
            }
        }
        panic!("nobody came");
    }

    pub(crate) fn open(&mut self) -> (ConnId, ConnId) {
        self.open_with(Config::default(), Config::default())
    }

    /// Writes up to so many bytes at one end and reads what comes at the other.
    pub(crate) fn send(&mut self, from: (HostId, ConnId), to: (HostId, ConnId), bytes: usize) {
        let mut left = bytes;
        let mut buffer = vec![0; 1 << 16];
        for _ in 0..1000 {
            left -= self.network.on(from.0).write(from.1, &buffer[..left.min(1 << 16)]).unwrap();
            self.run_for(10 * MS);
            while let Ok(Some(1..)) = self.network.on(to.0).read(to.1, &mut buffer) {}
        }
        assert_eq!(left, 0, "all of it was written");
    }

    /// Lets both ends close.
    pub(crate) fn close(&mut self, client: ConnId, server: ConnId) {
        self.network.on(CLIENT).shutdown(client);
        self.run_for(100 * MS);
        self.network.on(SERVER).close(server);
        self.run_for(100 * MS);
        self.network.on(CLIENT).close(client);
        self.run_for(300 * SECOND);
    }

    /// Frames as a capture at this host shows them: what it sends, and what reaches it.
    pub(crate) fn seen_at(&self, host: HostId) -> Vec<(Instant, Vec<u8>)> {
        let here = |from: HostId, fate: Fate| (from == host) != (fate == Fate::Delivered);
        let film = self.film.borrow();
        let frames = film.0.iter().filter(|(_, from, fate, _)| here(*from, *fate));
        frames.map(|(at, _, _, bytes)| (*at, bytes.clone())).collect()
    }

    /// The rules that have something to say of what a capture at the client shows.
    pub(crate) fn told(&self) -> Vec<String> {
        told(&self.seen_at(CLIENT))
    }

    /// The same of a capture at the server.
    pub(crate) fn told_at_server(&self) -> Vec<String> {
        told(&self.seen_at(SERVER))
    }

    /// A packet in one end's name that it did not send.
    pub(crate) fn forge(
        [src, dst]: [SocketAddr; 2],
        flags: Flags,
        [seq, ack]: [u32; 2],
        ttl: u8,
    ) -> Vec<u8> {
        let header = Header {
            src_port: src.port(),
            dst_port: dst.port(),
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            flags,
            window: 64_000,
            ..Header::default()
        };
        packet([src, dst], &header, ttl)
    }

    /// Lets a forged packet arrive right now, and puts it into both captures.
    pub(crate) fn inject(&mut self, at: HostId, bytes: Vec<u8>) {
        let now = self.network.now();
        self.network.inject(at, now, bytes.clone());
        let mut film = self.film.borrow_mut();
        let from = HostId(1 - at.0);
        film.0.push((now, from, Fate::Carried, bytes.clone()));
        film.0.push((now, from, Fate::Delivered, bytes));
    }

    /// The numbers in the last packet that a host sent with these flags, seq and ack.
    pub(crate) fn last_of(&self, host: HostId, flags: Flags) -> [u32; 2] {
        let film = self.film.borrow();
        let tcp = film.0.iter().rev().filter(|(_, from, ..)| *from == host).map(|(.., b)| &b[20..]);
        let with = tcp.into_iter().find(|tcp| tcp[13] == flags.bits() as u8).expect("there is one");
        [4, 8].map(|at| u32::from_be_bytes(with[at..at + 4].try_into().unwrap()))
    }
}

fn packet([src, dst]: [SocketAddr; 2], header: &Header, ttl: u8) -> Vec<u8> {
    let (SocketAddr::V4(from), SocketAddr::V4(to)) = (src, dst) else { panic!("IPv4 only") };
    let mut ip = Ipv4::new(*from.ip(), *to.ip(), protocol::TCP);
    ip.ttl = ttl;
    let mut packet = Vec::new();
    ip.emit(header.emitted_len(), &mut packet);
    let len = header.emitted_len() as u32;
    let sum = pseudo_header((*from.ip()).into(), (*to.ip()).into(), protocol::TCP, len);
    header.emit_with_checksum(sum.partial(), &mut packet);
    let start = Ipv4::HEADER_LEN as u16;
    assert!(checksum::finish(&mut packet, PartialChecksum { start, offset: CHECKSUM_AT as u16 }));
    packet
}

/// A capture file of these frames.
pub(crate) fn file(frames: &[(Instant, Vec<u8>)]) -> Vec<u8> {
    const NOON: Duration = Duration::from_secs(1_700_000_000);
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file).unwrap();
    for (at, bytes) in frames {
        let (at, link, len) = (*at + NOON, LinkType::RAW, bytes.len() as u32);
        writer.frame(&Frame { number: 0, at, link, interface: 0, len, bytes }).unwrap();
    }
    file
}

/// What is found in a capture file of these frames.
pub(crate) fn findings(frames: &[(Instant, Vec<u8>)]) -> Vec<Finding> {
    let file = file(frames);
    let mut trace = Trace::new(&file[..], Limits::default()).unwrap();
    while trace.next().unwrap().is_some() {}
    find(&trace.finish())
}

/// The rules that have something to say.
pub(crate) fn told(frames: &[(Instant, Vec<u8>)]) -> Vec<String> {
    let rule = |finding: &Finding| {
        let says = serde_json::to_value(&finding.says).unwrap();
        says["rule"].as_str().unwrap().to_owned()
    };
    findings(frames).iter().map(rule).collect()
}
