//! A connection under the hands of a test: hand-made segments in, transmits out, in virtual
//! time.
#![allow(dead_code, unreachable_pub)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_tcp::config::Algorithm;
use handclasp_tcp::connection::{Connection, Phase, Readiness};
use handclasp_tcp::half_open::{HalfOpen, Verdict};
use handclasp_tcp::opening::Opening;
use handclasp_tcp::{Budget, Config, Context, State, TimeWait, Transmit, Tuple};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{SackBlock, SackBlocks, Timestamps};
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;

pub mod pair;

pub const MS: Duration = Duration::from_millis(1);
pub const SECOND: Duration = Duration::from_secs(1);

/// Our ISN and the peer's in every hand-made test.
pub const ISS: u32 = 1000;
pub const IRS: u32 = 5000;

pub fn tuple() -> Tuple {
    Tuple::new("10.77.0.1:40000".parse().unwrap(), "10.77.0.2:80".parse().unwrap())
}

/// The same over IPv6.
pub fn tuple_v6() -> Tuple {
    Tuple::new("[fd00::1]:40000".parse().unwrap(), "[fd00::2]:80".parse().unwrap())
}

pub fn opening() -> Opening {
    Opening { iss: SeqNumber(ISS), timestamp_offset: 7000, path_mtu: 1500, link_mtu: 1500 }
}

/// Settings with no option but MSS, so that hand-made segments stay short, and the controller
/// whose window is easiest to foretell, all of which leaves at once.
pub fn plain() -> Config {
    let mut config = Config::default();
    config.timestamps = false;
    config.window_scaling = false;
    config.sack = false;
    config.congestion = Algorithm::Reno;
    config.pacing = false;
    config
}

/// A connection under test, and what is known of its peer.
pub struct Bench {
    pub conn: Connection,
    pub now: Instant,
    pub budget: Budget,
    /// The next number of the peer's own stream.
    pub peer_nxt: u32,
    /// The window the peer announces.
    pub peer_wnd: u16,
    /// The TSval on the peer's segments, where it stamps them.
    pub peer_ts: Option<u32>,
    /// Payload bytes that a transmit may hold; 0 for no bursts.
    pub burst: usize,
}

impl Bench {
    /// A connection in SYN-SENT whose SYN was not taken yet.
    pub fn connecting(config: Config) -> Self {
        Self::connecting_on(tuple(), config)
    }

    /// As [`Bench::connecting`], on other sockets.
    pub fn connecting_on(tuple: Tuple, config: Config) -> Self {
        let now = Instant::from_millis(1000);
        let budget = Budget::default();
        let cx = Context::new(now, &budget);
        let conn = Connection::connect(Arc::new(config), tuple, opening(), &cx);
        Self { conn, now, budget, peer_nxt: IRS, peer_wnd: 65_535, peer_ts: None, burst: 0 }
    }

    /// An open connection that began with the peer's SYN, which carried `options`.
    pub fn accepted_with(config: Config, options: Options) -> Self {
        let mut bench = Self::connecting(config.clone());
        bench.peer_ts = options.timestamps.map(|t| t.value);
        let half_open = half_open(&config, options, bench.now);
        bench.peer_nxt = IRS + 1;
        let ack = bench.ack_header(ISS + 1);
        assert_eq!(
            half_open.segment_arrives(&config, &tuple(), &ack, 0, &cx_at(bench.now)),
            Verdict::Complete
        );
        bench.conn = bench.with(|_, cx| half_open.complete(Arc::new(config.clone()), tuple(), cx));
        bench.arrive(ack, &[]);
        assert_eq!(bench.conn.state(), State::Established);
        bench.silent();
        bench
    }

    /// An open connection with window scale 7 both ways, SACK and timestamps; a full segment
    /// carries 988 bytes.
    pub fn open_modern() -> Self {
        Self::open_with(Config::default(), modern())
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

    /// As [`Bench::open_with`], the handshake having taken `rtt`, on a peer whose segments bear
    /// as many bytes of text as `1000` says, options or not.
    pub fn open_over(rtt: Duration, config: Config, mut options: Options) -> Self {
        let stamps = config.timestamps && options.timestamps.is_some();
        options.mss = Some(if stamps { 1012 } else { 1000 });
        let mut bench = Self::connecting(config);
        bench.drain();
        if let Some(stamps) = &mut options.timestamps {
            stamps.echo = bench.clock();
        }
        bench.advance(rtt);
        bench.syn_ack(options);
        bench.drain();
        bench
    }

    /// An ACK that echoes the timestamp of what left `ago`, and reports blocks beyond it.
    pub fn ack_for(&mut self, ago: Duration, ack: u32, blocks: &[(u32, u32)]) {
        let mut header = self.ack_header(ack);
        if let Some(stamps) = &mut header.options.timestamps {
            stamps.echo -= ago.as_millis() as u32;
        }
        header.options.sack = sack_blocks(blocks);
        self.arrive(header, &[]);
    }

    /// The first number that is not acknowledged.
    pub fn una(&self) -> u32 {
        self.snd_nxt() - self.conn.info().in_flight
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
        self.peer_ts = header.options.timestamps.map(|t| t.value);
        self.arrive(header, &[]);
    }

    /// A header from the peer with ports and window filled in.
    pub fn blank(&self) -> Header {
        Header { src_port: 80, dst_port: 40_000, window: self.peer_wnd, ..Header::default() }
    }

    /// An ACK from the peer at its next number, for our number `ack`.
    pub fn ack_header(&self, ack: u32) -> Header {
        let timestamps = self.peer_ts.map(|value| Timestamps { value, echo: self.clock() });
        Header {
            seq: SeqNumber(self.peer_nxt),
            ack: SeqNumber(ack),
            flags: Flags::ACK,
            options: Options { timestamps, ..Options::default() },
            ..self.blank()
        }
    }

    /// What our TSval is now.
    pub fn clock(&self) -> u32 {
        self.now.as_millis() as u32 + opening().timestamp_offset
    }

    pub fn arrive(&mut self, header: Header, payload: &[u8]) {
        let cx = Context::new(self.now, &self.budget);
        self.conn.segment_arrives(&cx, &header, Bytes::copy_from_slice(payload));
    }

    /// The peer acknowledges up to `ack`.
    pub fn ack(&mut self, ack: u32) {
        self.arrive(self.ack_header(ack), &[]);
    }

    /// The peer acknowledges up to `ack` and announces `window`.
    pub fn ack_with_window(&mut self, ack: u32, window: u16) {
        self.peer_wnd = window;
        self.ack(ack);
    }

    /// The peer acknowledges up to `ack` and reports blocks beyond it.
    pub fn sack(&mut self, ack: u32, blocks: &[(u32, u32)]) {
        let mut header = self.ack_header(ack);
        header.options.sack = sack_blocks(blocks);
        self.arrive(header, &[]);
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
    pub fn until_deadline(&mut self) -> Duration {
        let deadline = self.conn.next_deadline().expect("a timer is set");
        let waited = deadline - self.now;
        self.now = self.now.max(deadline);
        self.with(|c, cx| c.deadline_passed(cx));
        waited
    }

    /// Lets `by` pass, with every deadline on the way; collects what is sent and when, in
    /// time since the start.
    pub fn watch(&mut self, by: Duration) -> Vec<(Duration, Transmit)> {
        let start = self.now;
        let end = start + by;
        let mut seen: Vec<_> = self.drain().into_iter().map(|t| (Duration::ZERO, t)).collect();
        while let Some(deadline) = self.conn.next_deadline().filter(|d| *d <= end) {
            self.now = self.now.max(deadline);
            self.with(|c, cx| c.deadline_passed(cx));
            let at = self.now - start;
            seen.extend(self.drain().into_iter().map(|t| (at, t)));
        }
        self.now = end;
        seen
    }

    pub fn state(&self) -> State {
        self.conn.state()
    }

    pub fn shutdown(&mut self) {
        self.with(|c, cx| c.shutdown(cx));
    }

    pub fn close(&mut self) {
        self.with(|c, cx| c.close(cx));
    }

    /// What is left in TIME-WAIT.
    pub fn time_wait(&self) -> TimeWait {
        match self.conn.phase() {
            Phase::TimeWait(t) => t,
            other => panic!("TIME-WAIT expected, not {other:?}"),
        }
    }

    pub fn ready(&self, bits: Readiness) -> bool {
        self.conn.readiness().contains(bits)
    }
}

pub fn mss(mss: u16) -> Options {
    Options { mss: Some(mss), ..Options::default() }
}

/// Every option this stack speaks, in a peer's SYN.
pub fn modern() -> Options {
    Options {
        mss: Some(1000),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 100, echo: 0 }),
        ..Options::default()
    }
}

/// Settings with SACK and nothing else.
pub fn only_sack() -> (Config, Options) {
    let mut config = plain();
    config.sack = true;
    (config, Options { sack_permitted: true, ..mss(1000) })
}

/// Settings with timestamps and nothing else; a full segment carries 988 bytes.
pub fn only_timestamps() -> (Config, Options) {
    let mut config = plain();
    config.timestamps = true;
    let timestamps = Some(Timestamps { value: 100, echo: 0 });
    (config, Options { timestamps, ..mss(1000) })
}

pub fn sack_blocks(blocks: &[(u32, u32)]) -> SackBlocks {
    let mut all = SackBlocks::new();
    for (left, right) in blocks {
        all.push(SackBlock { left: SeqNumber(*left), right: SeqNumber(*right) });
    }
    all
}

/// The blocks of a segment's SACK option.
pub fn blocks(transmit: &Transmit) -> Vec<(u32, u32)> {
    transmit.header.options.sack.as_slice().iter().map(|b| (b.left.0, b.right.0)).collect()
}

/// The peer's SYN.
pub fn syn(options: Options) -> Header {
    Header {
        src_port: 80,
        dst_port: 40_000,
        seq: SeqNumber(IRS),
        flags: Flags::SYN,
        window: 65_535,
        options,
        ..Header::default()
    }
}

/// What a listener remembers of the peer's SYN.
pub fn half_open(config: &Config, options: Options, now: Instant) -> HalfOpen {
    HalfOpen::new(config, &tuple(), &syn(options), opening(), &cx_at(now))
}

/// A context at this time, of a host whose memory no test uses up.
pub fn cx_at(now: Instant) -> Context<'static> {
    static BUDGET: Budget = Budget::new(1 << 30);
    Context::new(now, &BUDGET)
}

/// Sequence number and payload length of each transmit.
pub fn ranges(all: &[Transmit]) -> Vec<(u32, usize)> {
    all.iter().map(|t| (t.header.seq.0, t.payload_len())).collect()
}

/// The first number of the `n`th segment of 1,000 bytes.
pub const fn nth(n: u32) -> u32 {
    ISS + 1 + 1000 * n
}

/// Which segments of 1,000 bytes these are.
pub fn numbers(all: &[Transmit]) -> Vec<u32> {
    all.iter().map(|t| (t.header.seq.0 - ISS - 1) / 1000).collect()
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
