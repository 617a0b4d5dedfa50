//! Two hosts on a cable, and what was seen on it.
#![allow(dead_code, unreachable_pub)]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use handclasp_impair::config::Config as LinkConfig;
use handclasp_sim::check::leftovers;
use handclasp_sim::trace::{Entry, Trace};
use handclasp_sim::{CableId, HostId, Network, Settings};
use handclasp_stack::listen::{Accepted, Backlog, ListenerId};
use handclasp_stack::store::ConnId;
use handclasp_tcp::{Config, State, Tuple};
use handclasp_wire::checksum::{self, pseudo_header};
use handclasp_wire::frame::PartialChecksum;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::view::CHECKSUM_AT;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

pub const MS: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);
pub const CLIENT: HostId = HostId(0);
pub const SERVER: HostId = HostId(1);

pub fn server_at() -> SocketAddr {
    "10.0.0.2:80".parse().unwrap()
}

/// Where clients call from that must be known.
pub fn client_at() -> SocketAddr {
    "10.0.0.1:4000".parse().unwrap()
}

/// The connection between [`client_at`] and [`server_at`] as the client sees it.
pub fn tuple() -> Tuple {
    Tuple::new(client_at(), server_at())
}

/// A link with a delay of 10 ms and nothing else.
pub fn link() -> LinkConfig {
    LinkConfig::with(|link| link.delay = 10 * MS)
}

pub struct Pair {
    pub network: Network,
    pub cable: CableId,
    pub trace: Rc<RefCell<Trace>>,
}

impl Pair {
    /// What the client sends goes through `there`, what the server sends through `back`.
    pub fn new(there: LinkConfig, back: LinkConfig) -> Self {
        let ip = |address: &str| Settings::ip([address.parse().unwrap()]);
        Self::with(ip("10.0.0.1/24"), ip("10.0.0.2/24"), there, back)
    }

    pub fn with(client: Settings, server: Settings, there: LinkConfig, back: LinkConfig) -> Self {
        let mut network = Network::new(7);
        let (client, server) = (network.add_host(client), network.add_host(server));
        let cable = network.join_each(&[(client, there), (server, back)]);
        let trace = Rc::new(RefCell::new(Trace::default()));
        network.tap(trace.clone());
        Self { network, cable, trace }
    }

    pub fn listen(&mut self) -> ListenerId {
        self.listen_with(Backlog::default())
    }

    pub fn listen_with(&mut self, backlog: Backlog) -> ListenerId {
        self.network.on(SERVER).listen(server_at(), backlog, &Arc::default()).unwrap()
    }

    pub fn connect(&mut self) -> ConnId {
        self.connect_with(Config::default())
    }

    pub fn connect_with(&mut self, config: Config) -> ConnId {
        let mut host = self.network.on(CLIENT);
        host.connect(&Arc::new(config), Some(client_at()), server_at()).unwrap()
    }

    pub fn accept(&mut self, listener: ListenerId) -> Accepted {
        self.network.on(SERVER).accept(listener).expect("a connection waits")
    }

    /// An open connection, and its other end.
    pub fn open(&mut self) -> (ConnId, ConnId) {
        self.open_with(Config::default())
    }

    pub fn open_with(&mut self, config: Config) -> (ConnId, ConnId) {
        let listener = self.listen();
        let client = self.connect_with(config);
        self.run_for(SECOND);
        let server = self.accept(listener).id;
        assert_eq!(
            (self.client_state(), self.server_state()),
            (State::Established, State::Established)
        );
        (client, server)
    }

    pub fn run_for(&mut self, time: Duration) {
        let until = self.network.now() + time;
        self.network.run_until(until);
    }

    pub fn client_state(&self) -> State {
        self.network.state(CLIENT, &tuple())
    }

    pub fn server_state(&self) -> State {
        self.network.state(SERVER, &tuple().reversed())
    }

    /// Segments that a host sent, whatever became of them.
    pub fn sent_by(&self, host: HostId) -> Vec<Entry> {
        self.trace.borrow().sent_by(host).cloned().collect()
    }

    /// When a host sent segments with all these flags.
    pub fn times(&self, host: HostId, flags: Flags) -> Vec<Instant> {
        let sent =
            self.sent_by(host).into_iter().filter(|entry| entry.header.flags.contains(flags));
        sent.map(|entry| entry.at).collect()
    }

    /// Everything that is there to be read.
    pub fn read(&mut self, host: HostId, id: ConnId) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(Some(n)) = self.network.on(host).read(id, &mut buffer) {
            if n == 0 {
                break;
            }
            all.extend_from_slice(&buffer[..n]);
        }
        all
    }

    /// Nothing is left of any connection on either host.
    pub fn assert_clean(&mut self) {
        for host in [CLIENT, SERVER] {
            assert_eq!(leftovers(&mut self.network, host), Vec::<String>::new());
        }
    }
}

/// A packet with a SYN from [`client_at`] to [`server_at`].
pub fn syn(seq: SeqNumber) -> Vec<u8> {
    let (SocketAddr::V4(from), SocketAddr::V4(to)) = (client_at(), server_at()) else {
        unreachable!("both are IPv4")
    };
    let header = Header {
        src_port: from.port(),
        dst_port: to.port(),
        seq,
        flags: Flags::SYN,
        window: 1000,
        ..Header::default()
    };
    let mut packet = Vec::new();
    Ipv4::new(*from.ip(), *to.ip(), protocol::TCP).emit(header.emitted_len(), &mut packet);
    let len = header.emitted_len() as u32;
    let sum = pseudo_header((*from.ip()).into(), (*to.ip()).into(), protocol::TCP, len);
    header.emit_with_checksum(sum.partial(), &mut packet);
    let start = Ipv4::HEADER_LEN as u16;
    assert!(checksum::finish(&mut packet, PartialChecksum { start, offset: CHECKSUM_AT as u16 }));
    packet
}
