//! One connection under any segments, calls and time.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_tcp::connection::PathError;
use handclasp_tcp::event::{Event, Log};
use handclasp_tcp::opening::Opening;
use handclasp_tcp::{Budget, Config, Connection, Context, State, Tuple};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{Options, SackBlock, Timestamps};
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use crate::input::Input;

/// Steps of one run: what comes after them is ignored.
const STEPS: usize = 400;

/// Sees to it that states change along the table only.
struct Watcher(Cell<State>);

impl Log for Watcher {
    fn record(&self, _: Instant, _: &Tuple, event: &Event<'_>) {
        if let Event::State { from, to, cause } = event {
            assert_eq!(self.0.replace(*to), *from, "the state changed behind the log's back");
            assert_eq!(from.after(*cause), Some(*to), "{from} by {cause:?}");
        }
    }
}

struct Trial {
    connection: Connection,
    budget: Budget,
    watcher: Watcher,
    now: Instant,
    iss: SeqNumber,
    irs: SeqNumber,
}

/// A connection that connects, and everything that can happen to it.
pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut trial = Trial::new(&mut input);
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        trial.step(&mut input);
        trial.transmit();
    }
    trial.end();
}

impl Trial {
    fn new(input: &mut Input<'_>) -> Self {
        let choices = input.byte();
        let mut config = Config::default();
        config.timestamps = choices & 1 != 0;
        config.sack = choices & 2 != 0;
        config.window_scaling = choices & 4 != 0;
        config.nodelay = choices & 8 != 0;
        if choices & 16 != 0 {
            config.receive_buffer_start = 1000;
            config.receive_buffer_max = 5000;
        }
        config.user_timeout = (choices & 32 != 0).then_some(Duration::from_secs(20));
        let numbers = [1000, u32::MAX - 50, i32::MAX as u32, 0];
        let iss = SeqNumber(numbers[usize::from(choices >> 6)]);
        let budget = Budget::new(if input.one_in(8) { 20_000 } else { 1 << 30 });
        let opening = Opening { iss, timestamp_offset: 7000, path_mtu: 1500, link_mtu: 1500 };
        let now = Instant::from_millis(5000);
        let watcher = Watcher(Cell::new(State::Closed));
        let local: SocketAddr = ([10, 0, 0, 1], 40_000).into();
        let tuple = Tuple::new(local, ([10, 0, 0, 2], 80).into());
        let cx = Context { now, budget: &budget, log: Some(&watcher) };
        let connection = Connection::connect(Arc::new(config), tuple, opening, &cx);
        let irs = SeqNumber(numbers[usize::from(input.below(4))]);
        let mut trial = Self { connection, budget, watcher, now, iss, irs };
        trial.transmit();
        trial
    }

    fn with<R>(&mut self, work: impl FnOnce(&mut Connection, &Context<'_>) -> R) -> R {
        let cx = Context { now: self.now, budget: &self.budget, log: Some(&self.watcher) };
        work(&mut self.connection, &cx)
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0..=6 => {
                let header = self.header(input);
                let len = usize::from(input.byte()) * usize::from(input.below(8));
                let payload = Bytes::from(vec![b'x'; len]);
                self.with(|connection, cx| connection.segment_arrives(cx, &header, payload));
            }
            7 | 8 => self.wait(Duration::from_millis(u64::from(input.byte()))),
            9 => {
                if let Some(at) = self.connection.next_deadline() {
                    self.wait(at.saturating_since(self.now));
                }
            }
            10 | 11 => {
                let data = vec![b'w'; usize::from(input.short()) % 9000];
                let _ = self.with(|connection, cx| connection.write(cx, &data));
            }
            12 => {
                let mut into = vec![0; usize::from(input.short()) % 9000];
                let _ = self.with(|connection, cx| connection.read(cx, &mut into));
            }
            13 => self.path(input),
            14 => match input.below(6) {
                0 => self.with(Connection::close),
                1 => self.with(Connection::abort),
                _ => self.with(Connection::shutdown),
            },
            _ => drop(self.with(|connection, cx| connection.write_urgent(cx, b"!"))),
        }
    }

    fn path(&mut self, input: &mut Input<'_>) {
        let seq = input.near(self.connection.snd_nxt() - 1);
        let mtu = input.short();
        let error = match input.below(4) {
            0 => PathError::NoRoute,
            1 => PathError::PortUnreachable,
            2 => PathError::TimeExceeded,
            _ => PathError::PacketTooBig { mtu },
        };
        self.with(|connection, cx| connection.path_error(cx, error, seq));
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        let due = self.connection.next_deadline().is_some_and(|at| at <= self.now);
        if due {
            self.with(Connection::deadline_passed);
        }
    }

    /// A segment of the peer's: mostly one that fits.
    fn header(&self, input: &mut Input<'_>) -> Header {
        let opening = matches!(self.connection.state(), State::SynSent | State::SynReceived);
        let seq = if opening { self.irs } else { self.connection.rcv_nxt() };
        let ack = if opening { self.iss + 1 } else { self.connection.snd_nxt() };
        let bits = input.byte();
        let mut flags = Flags::empty();
        flags.set(Flags::ACK, bits & 0x0f != 0);
        flags.set(Flags::SYN, opening == (bits & 0x10 == 0) && bits & 0x60 != 0x60);
        flags.set(Flags::FIN, bits & 0xe0 == 0xe0);
        flags.set(Flags::RST, bits == 0xd3);
        flags.set(Flags::URG, bits == 0xb7);
        Header {
            src_port: 80,
            dst_port: 40_000,
            seq: input.near(seq),
            ack: input.near(ack),
            flags,
            window: input.short(),
            urgent: u16::from(input.byte()),
            options: self.options(input),
        }
    }

    fn options(&self, input: &mut Input<'_>) -> Options {
        let mut options = Options::default();
        let which = input.byte();
        if which & 1 != 0 {
            let clock = SeqNumber(self.now.as_millis() as u32);
            let (value, echo) = (input.near(clock).0, input.near(clock + 7000).0);
            options.timestamps = Some(Timestamps { value, echo });
        }
        if which & 2 != 0 {
            options.mss = Some(input.short());
            options.window_scale = Some(input.byte());
            options.sack_permitted = which & 4 != 0;
        }
        for _ in 0..which >> 6 {
            let before = self.connection.snd_nxt() - u32::from(input.short());
            let left = input.near(before);
            options.sack.push(SackBlock { left, right: left + u32::from(input.short()) });
        }
        options
    }

    fn transmit(&mut self) {
        // A connection says all that it has to say in a bounded number of segments.
        for _ in 0..100_000 {
            match self.with(|connection, cx| connection.poll_transmit(cx, 65_000)) {
                Some(transmit) => assert!(transmit.header.emitted_len() <= 60),
                None => return self.check(),
            }
        }
        panic!("it never stops sending");
    }

    fn check(&self) {
        let connection = &self.connection;
        assert!(!connection.wants_to_send(), "it says that it wants to send, and does not");
        let in_flight = connection.info().in_flight;
        assert!(in_flight <= 5 << 20, "{in_flight} bytes in flight");
        let waits = connection.info().unsent > 0 || in_flight > 0;
        if connection.state().is_synchronized() && waits {
            assert!(connection.next_deadline().is_some(), "nothing would ever happen again");
        }
    }

    /// Whatever happened, an abort gives everything back.
    fn end(mut self) {
        self.with(Connection::abort);
        self.transmit();
        let state = self.connection.state();
        assert!(matches!(state, State::Closed | State::TimeWait), "{state}");
        assert_eq!(self.budget.used(), 0, "memory is left over");
    }
}
