//! A connection under the hands of a test: hand-made segments in, transmits out, in virtual
//! time.
#![allow(dead_code, unreachable_pub)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_tcp::connection::{Connection, Readiness};
use handclasp_tcp::opening::Opening;
use handclasp_tcp::{Budget, Config, Context, State, Transmit, Tuple};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;

pub mod pair;

/// Our ISN and the peer's in every hand-made test.
pub const ISS: u32 = 1000;
pub const IRS: u32 = 5000;

pub fn tuple() -> Tuple {
    Tuple::new("10.77.0.1:40000".parse().unwrap(), "10.77.0.2:80".parse().unwrap())
}

pub fn opening() -> Opening {
    Opening { iss: SeqNumber(ISS), timestamp_offset: 7000, path_mtu: 1500, link_mtu: 1500 }
}

/// Settings with no option but MSS, so that hand-made segments stay short.
pub fn plain() -> Config {
    let mut config = Config::default();
    config.timestamps = false;
    config.window_scaling = false;
    config.sack = false;
    config
}

pub struct Bench {
    pub conn: Connection,
    pub now: Instant,
    pub budget: Budget,
    /// The next number of the peer's own stream.
    pub peer_nxt: u32,
    /// The window the peer announces.
    pub peer_wnd: u16,
    /// Payload bytes that a transmit may hold; 0 for no bursts.
    pub burst: usize,
}

impl Bench {
    /// A connection in SYN-SENT whose SYN was not taken yet.
    pub fn connecting(config: Config) -> Self {
        let now = Instant::from_millis(1000);
        let budget = Budget::default();
        let cx = Context::new(now, &budget);
        let conn = Connection::connect(Arc::new(config), tuple(), opening(), &cx);
        Self { conn, now, budget, peer_nxt: IRS, peer_wnd: 65_535, burst: 0 }
    }

    /// An open connection, its handshake taken off; `options` are the peer's SYN-ACK's.
    pub fn open_with(config: Config, options: Options) -> Self {
        let mut bench = Self::connecting(config);
        bench.drain();
        bench.syn_ack(options);
        assert_eq!(bench.conn.state(), State::Established);
        let acks = bench.drain();
        assert_eq!(acks.len(), 1, "one ACK ends the handshake");
        bench
    }

    /// An open connection without options but an MSS of 1,000.
    pub fn open() -> Self {
        Self::open_with(plain(), mss(1000))
    }

    pub fn syn_ack(&mut self, options: Options) {
        let header = Header {
            seq: SeqNumber(IRS),
            ack: SeqNumber(ISS + 1),
            flags: Flags::SYN | Flags::ACK,
            options,
            ..self.blank()
        };
        self.peer_nxt = IRS + 1;
        self.arrive(header, &[]);
    }

    /// A header from the peer with ports and window filled in.
    pub fn blank(&self) -> Header {
        Header { src_port: 80, dst_port: 40_000, window: self.peer_wnd, ..Header::default() }
    }

    /// An ACK from the peer at its next number, for our number `ack`.
    pub fn ack_header(&self, ack: u32) -> Header {
        Header {
            seq: SeqNumber(self.peer_nxt),
            ack: SeqNumber(ack),
            flags: Flags::ACK,
            ..self.blank()
        }
    }

    pub fn arrive(&mut self, header: Header, payload: &[u8]) {
        let cx = Context::new(self.now, &self.budget);
        self.conn.segment_arrives(&cx, &header, Bytes::copy_from_slice(payload));
    }

    /// The peer acknowledges up to `ack`.
    pub fn ack(&mut self, ack: u32) {
        self.arrive(self.ack_header(ack), &[]);
    }

    /// The peer acknowledges with an echo of our timestamp and its own.
    pub fn ack_stamped(&mut self, ack: u32, value: u32, echo: u32) {
        let mut header = self.ack_header(ack);
        header.options.timestamps = Some(Timestamps { value, echo });
        self.arrive(header, &[]);
    }

    /// The peer sends text in order, acknowledging everything we sent.
    pub fn data(&mut self, text: &[u8]) {
        let header = self.ack_header(self.snd_nxt());
        self.arrive(header, text);
        self.peer_nxt += text.len() as u32;
    }

    /// The peer sends text at `seq`.
    pub fn data_at(&mut self, seq: u32, text: &[u8]) {
        let mut header = self.ack_header(self.snd_nxt());
        header.seq = SeqNumber(seq);
        self.arrive(header, text);
    }

    /// The peer's FIN, in order.
    pub fn fin(&mut self) {
        let mut header = self.ack_header(self.snd_nxt());
        header.flags |= Flags::FIN;
        self.arrive(header, &[]);
        self.peer_nxt += 1;
    }

    pub fn rst(&mut self, seq: u32) {
        let header = Header { seq: SeqNumber(seq), flags: Flags::RST, ..self.blank() };
        self.arrive(header, &[]);
    }

    /// `snd.nxt`, from what is in flight.
    pub fn snd_nxt(&self) -> u32 {
        self.conn.snd_nxt().0
    }

    pub fn write(&mut self, data: &[u8]) -> usize {
        let cx = Context::new(self.now, &self.budget);
        self.conn.write(&cx, data).unwrap()
    }

    pub fn read(&mut self, max: usize) -> Vec<u8> {
        let mut buffer = vec![0; max];
        let cx = Context::new(self.now, &self.budget);
        let n = self.conn.read(&cx, &mut buffer).unwrap().unwrap_or(0);
        buffer.truncate(n);
        buffer
    }

    /// Does something with the connection and its context.
    pub fn with<R>(&mut self, f: impl FnOnce(&mut Connection, &Context<'_>) -> R) -> R {
        let cx = Context::new(self.now, &self.budget);
        f(&mut self.conn, &cx)
    }

    pub fn next(&mut self) -> Option<Transmit> {
        let cx = Context::new(self.now, &self.budget);
        self.conn.poll_transmit(&cx, self.burst)
    }

    /// Everything the connection wants to send now.
    pub fn drain(&mut self) -> Vec<Transmit> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// The one segment the connection wants to send now.
    pub fn one(&mut self) -> Transmit {
        let mut all = self.drain();
        assert_eq!(all.len(), 1, "exactly one segment expected, not {all:#?}");
        all.remove(0)
    }

    /// Asserts that nothing leaves now.
    pub fn silent(&mut self) {
        let all = self.drain();
        assert!(all.is_empty(), "silence expected, not {all:#?}");
    }

    pub fn advance(&mut self, by: Duration) {
        self.now += by;
        if self.conn.next_deadline().is_some_and(|d| d <= self.now) {
            self.with(|c, cx| c.deadline_passed(cx));
        }
    }

    /// Moves on to the next deadline and lets it fire; returns how long that took.
    pub fn to_deadline(&mut self) -> Duration {
        let deadline = self.conn.next_deadline().expect("a timer is set");
        let waited = deadline - self.now;
        self.now = self.now.max(deadline);
        self.with(|c, cx| c.deadline_passed(cx));
        waited
    }

    pub fn ready(&self, bits: Readiness) -> bool {
        self.conn.readiness().contains(bits)
    }
}

pub fn mss(mss: u16) -> Options {
    Options { mss: Some(mss), ..Options::default() }
}

/// The payload of a transmit as one piece.
pub fn text(transmit: &Transmit) -> Vec<u8> {
    transmit.payload.concat()
}

/// The segment's flags, `S`, `F`, `R`, `P`, `.` (ACK) and `U` in tcpdump's order.
pub fn flags(transmit: &Transmit) -> String {
    let all = [
        (Flags::FIN, 'F'),
        (Flags::SYN, 'S'),
        (Flags::RST, 'R'),
        (Flags::PSH, 'P'),
        (Flags::URG, 'U'),
        (Flags::ACK, '.'),
    ];
    all.iter().filter(|(f, _)| transmit.header.flags.contains(*f)).map(|(_, c)| c).collect()
}
