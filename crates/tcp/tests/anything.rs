//! One connection under anything a peer, an application and time may do: no panic, and what
//! must always hold holds after every step. A failure prints its seed.

mod common;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::*;
use handclasp_tcp::config::{Config, KeepAlive};
use handclasp_tcp::connection::{PathError, Phase};
use handclasp_tcp::event::{Event, Log};
use handclasp_tcp::{Budget, Connection, Context, State, Transmit, Tuple};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Checks that states change along the table only.
struct Watcher {
    state: Cell<State>,
    trouble: RefCell<Option<String>>,
}

impl Log for Watcher {
    fn record(&self, _at: Instant, _tuple: &Tuple, event: &Event<'_>) {
        let Event::State { from, to, cause } = event else { return };
        if *from != self.state.replace(*to) || from.after(*cause) != Some(*to) {
            *self.trouble.borrow_mut() = Some(format!("{from} to {to} by {cause:?}"));
        }
    }
}

struct Trial {
    rng: Pcg64Mcg,
    conn: Connection,
    now: Instant,
    budget: Budget,
    watcher: Watcher,
    iss: SeqNumber,
    irs: SeqNumber,
    /// The furthest right edge announced.
    edge: Option<SeqNumber>,
    /// The largest number sent.
    sent: SeqNumber,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let now = Instant::from_millis(1000 + u64::from(rng.next_u32() % 5000));
        let budget = Budget::new([1 << 30, 20_000][usize::from(rng.next_u32().is_multiple_of(8))]);
        let watcher = Watcher { state: Cell::new(State::Closed), trouble: RefCell::default() };
        let iss = SeqNumber([1000, u32::MAX - 50, i32::MAX as u32][rng.next_u32() as usize % 3]);
        let irs = SeqNumber([5000, u32::MAX - 50, i32::MAX as u32][rng.next_u32() as usize % 3]);
        let opening = handclasp_tcp::opening::Opening { iss, ..opening() };
        let cx = Context { now, budget: &budget, log: Some(&watcher) };
        let conn = Connection::connect(Arc::new(config(&mut rng)), tuple(), opening, &cx);
        Self { rng, conn, now, budget, watcher, iss, irs, edge: None, sent: iss }
    }

    fn below(&mut self, n: u32) -> u32 {
        self.rng.next_u32() % n
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    fn with<R>(&mut self, f: impl FnOnce(&mut Connection, &Context<'_>) -> R) -> R {
        let cx = Context { now: self.now, budget: &self.budget, log: Some(&self.watcher) };
        f(&mut self.conn, &cx)
    }

    /// A number at `base`, mostly, or near it, or anywhere.
    fn near(&mut self, base: SeqNumber, reach: u32) -> SeqNumber {
        match self.below(16) {
            0 => base - self.below(reach),
            1 | 2 => base + self.below(reach),
            3 if self.one_in(4) => SeqNumber(self.rng.next_u32()),
            _ => base,
        }
    }

    fn header(&mut self) -> Header {
        let opening = matches!(self.conn.state(), State::SynSent | State::SynReceived);
        let expected = if opening { self.irs } else { self.conn.rcv_nxt() };
        let reach = 1 + self.conn.info().rcv_wnd.max(2000) * 2;
        let in_flight = self.conn.info().in_flight;
        let una = self.conn.snd_nxt() - in_flight;
        let ack = una + self.below(in_flight + 1);
        let all = [
            (Flags::SYN, if opening { 2 } else { 60 }),
            (Flags::RST, 400),
            (Flags::FIN, 60),
            (Flags::URG, 30),
            (Flags::PSH, 2),
        ];
        let mut flags = Flags::empty();
        for (flag, chance) in all {
            flags.set(flag, self.one_in(chance));
        }
        flags.set(Flags::ACK, !self.one_in(20));
        let window = if self.one_in(6) { self.below(3) * 300 } else { self.rng.next_u32() };
        Header {
            src_port: 80,
            dst_port: 40_000,
            seq: self.near(expected, reach),
            ack: if opening { self.near(self.iss + 1, 3) } else { self.near(ack, 3000) },
            flags,
            window: window as u16,
            urgent: self.below(3000) as u16,
            options: self.options(flags),
        }
    }

    fn options(&mut self, flags: Flags) -> Options {
        let clock = self.now.as_millis() as u32;
        let mut options = Options::default();
        if !self.one_in(20) {
            let value = self.near(SeqNumber(clock), 100).0;
            let echo = self.near(SeqNumber(clock + 7000), 100).0;
            options.timestamps = Some(Timestamps { value, echo });
        }
        if flags.contains(Flags::SYN) || self.one_in(40) {
            options.mss = (!self.one_in(4)).then(|| self.rng.next_u32() as u16 % 3000);
            options.window_scale = (!self.one_in(3)).then(|| self.below(16) as u8);
            options.sack_permitted = !self.one_in(3);
        }
        for _ in 0..self.below(5) {
            let una = self.conn.snd_nxt() - self.conn.info().in_flight;
            let left = self.near(una, 5000) + self.below(3000);
            let right = left + self.below(2000);
            options.sack.push(handclasp_wire::tcp::options::SackBlock { left, right });
        }
        options
    }

    fn step(&mut self) {
        match self.below(12) {
            0..=5 => {
                let header = self.header();
                let most = if self.one_in(10) { 70_000 } else { 1500 };
                let len = if self.one_in(2) { 0 } else { self.below(most) };
                let text = Bytes::from(vec![7; len as usize]);
                self.with(|c, cx| c.segment_arrives(cx, &header, text));
            }
            6 => {
                let text = vec![1; self.below(20_000) as usize];
                let urgent = self.one_in(20);
                let _ =
                    self.with(
                        |c, cx| {
                            if urgent { c.write_urgent(cx, &text) } else { c.write(cx, &text) }
                        },
                    );
            }
            7 => {
                let mut into = vec![0; self.below(100_000) as usize];
                let _ = self.with(|c, cx| c.read(cx, &mut into));
            }
            8 => self.app(),
            9 => {
                self.now += Duration::from_micros(u64::from(self.rng.next_u32() % 300_000));
                self.expire();
            }
            10 if self.one_in(3) => {
                if let Some(deadline) = self.conn.next_deadline() {
                    self.now = self.now.max(deadline);
                }
                self.expire();
            }
            _ => self.transmit(),
        }
    }

    fn app(&mut self) {
        let mtu = self.below(2000) as u16;
        let seq = self.conn.snd_nxt() - 1;
        let which = self.below(40);
        self.with(|c, cx| match which {
            0 => c.shutdown(cx),
            1 => c.close(cx),
            2 => c.abort(cx),
            3..=8 => c.set_path_mtu(cx, mtu),
            9 | 10 => {
                c.path_error(cx, PathError::PacketTooBig { mtu }, seq);
            }
            11 | 12 => {
                c.path_error(cx, PathError::HostUnreachable, seq);
            }
            13 => c.set_nodelay(true),
            14 => c.set_nodelay(false),
            15 => c.set_user_timeout(Some(10 * SECOND)),
            16 => c.set_keep_alive(cx, Some(KeepAlive::default())),
            17 => *c = c.clone(),
            _ => {}
        });
    }

    fn expire(&mut self) {
        for _ in 0..100 {
            if self.conn.next_deadline().is_none_or(|d| d > self.now) {
                return;
            }
            self.with(|c, cx| c.deadline_passed(cx));
            // A timer that waits for its segment to leave is due until it left.
            self.transmit();
        }
        panic!("timers that fire without end: {:?}", self.conn);
    }

    fn transmit(&mut self) {
        let burst = [0, 1, 5000, 60_000][self.below(4) as usize];
        for _ in 0..10_000 {
            let (wants, deadline) = (self.conn.wants_to_send(), self.conn.next_deadline());
            let before = self.conn.info();
            let Some(t) = self.with(|c, cx| c.poll_transmit(cx, burst)) else {
                if !wants {
                    assert_eq!(self.conn.next_deadline(), deadline, "nothing was to be done");
                }
                assert!(!self.conn.wants_to_send(), "it would be asked for ever");
                return;
            };
            assert!(wants, "{t:?}");
            self.check_sent(&t, &before, burst);
        }
        panic!("it sends without end: {:?}", self.conn);
    }

    fn check_sent(&mut self, t: &Transmit, before: &handclasp_tcp::connection::Info, burst: usize) {
        let (h, len) = (&t.header, t.payload_len());
        let info = self.conn.info();
        let piece = t.segment_size.map_or(len, usize::from);
        assert!(len <= burst.max(usize::from(info.mss)), "{len} bytes");
        let sack = match h.options.sack.len() {
            0 => 0,
            n => 4 + 8 * n,
        };
        assert!(piece + if len > 0 { sack } else { 0 } <= usize::from(info.mss));
        assert_eq!(t.segment_size.is_some(), len > usize::from(info.mss));
        if h.flags.contains(Flags::RST) {
            return;
        }
        assert!(h.flags.intersects(Flags::ACK | Flags::SYN));
        let end = h.seq + h.seg_len(len);
        if end.gt(self.sent) && !h.flags.contains(Flags::SYN) {
            // New data stays within both windows.
            let room = before.snd_wnd.saturating_sub(before.in_flight);
            assert!(end - self.sent <= room, "{} beyond the window", end - self.sent);
        }
        self.sent = self.sent.max(end);
        assert_eq!(self.sent, self.conn.snd_nxt());
        if h.flags.contains(Flags::ACK) && !h.flags.contains(Flags::SYN) {
            let scale = info.negotiated.rcv_scale;
            let right = h.ack + (u32::from(h.window) << scale);
            if let Some(edge) = self.edge {
                assert!(right.distance(edge) > -(1 << scale), "the edge went back");
            }
            self.edge = Some(self.edge.map_or(right, |e| e.max(right)));
        }
    }

    fn check(&mut self) {
        let info = self.conn.info();
        assert_eq!(*self.watcher.trouble.borrow(), None);
        assert_eq!(self.watcher.state.get(), info.state);
        assert!(info.mss > 0 && info.cwnd >= u32::from(info.mss));
        assert!(info.rtt_min.is_some() == info.rtt.is_some());
        let unacked = self.budget.used() - info.unread - info.beyond_gap;
        assert!(unacked <= self.conn.config().send_buffer_max);
        assert!(info.unread + info.beyond_gap <= self.conn.config().receive_buffer_max + 65_535);
        if info.state == State::Closed {
            assert_eq!(self.conn.next_deadline(), None);
            assert_eq!(self.budget.used(), info.unread);
            assert_eq!((info.in_flight, info.beyond_gap), (0, 0));
        }
    }

    /// Whatever state it is in, letting go of it gives everything back.
    fn end(&mut self) {
        if self.one_in(2) {
            self.with(Connection::close);
            for _ in 0..3000 {
                self.transmit();
                let Some(deadline) = self.conn.next_deadline() else { break };
                self.now = self.now.max(deadline);
                self.expire();
            }
        } else {
            self.with(|c, cx| c.abort(cx));
        }
        self.transmit();
        assert!(self.conn.phase() != Phase::Open, "{:?}", self.conn.info());
        assert_eq!(self.budget.used(), 0);
        assert_eq!(self.conn.next_deadline(), None);
        self.check();
    }
}

fn config(rng: &mut Pcg64Mcg) -> Config {
    let mut config = Config::default();
    let mut one_in = |n: u32| rng.next_u32().is_multiple_of(n);
    config.timestamps = one_in(2);
    config.window_scaling = one_in(2);
    config.sack = one_in(2);
    config.nodelay = one_in(3);
    if one_in(3) {
        config.receive_buffer_max = 3000;
    }
    if one_in(3) {
        config.send_buffer_max = 5000;
    }
    if one_in(3) {
        config.reassembly_ranges = 3;
    }
    if one_in(3) {
        config.quick_acks = 0;
    }
    if one_in(4) {
        config.keep_alive = Some(KeepAlive { idle: SECOND, interval: SECOND, count: 5 });
    }
    if one_in(4) {
        config.user_timeout = Some(20 * SECOND);
    }
    config
}

#[test]
fn nothing_that_a_peer_an_application_or_time_can_do_breaks_a_connection() {
    let seeds = std::env::var("HANDCLASP_SEEDS").map_or(1000, |s| s.parse().unwrap());
    for seed in 0..seeds {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut trial = Trial::new(seed);
            trial.transmit();
            for _ in 0..150 {
                trial.step();
                trial.check();
            }
            trial.end();
        }));
        if let Err(panic) = result {
            eprintln!("failed with seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
