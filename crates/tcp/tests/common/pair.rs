//! Two connections joined by a lossy wire in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_tcp::connection::Connection;
use handclasp_tcp::half_open::{HalfOpen, Verdict};
use handclasp_tcp::opening::Opening;
use handclasp_tcp::{Budget, Config, Context, State, Transmit};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What the wire does to segments, in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wire {
    pub delay: Duration,
    pub loss: u32,
    pub duplicate: u32,
    pub reorder: u32,
}

pub struct Pair {
    pub client: Connection,
    pub server: Option<Connection>,
    half_open: Option<HalfOpen>,
    server_config: Arc<Config>,
    pub now: Instant,
    pub budget: Budget,
    wire: Wire,
    rng: Pcg64Mcg,
    in_transit: BTreeMap<(Instant, u64), (bool, Header, Bytes)>,
    sent: u64,
    pub burst: usize,
}

impl Pair {
    pub fn new(client: Config, server: Config, wire: Wire, seed: u64) -> Self {
        let now = Instant::from_millis(5);
        let budget = Budget::default();
        let opening = Opening {
            iss: SeqNumber(u32::MAX - 3000),
            timestamp_offset: u32::MAX - 50,
            path_mtu: 1500,
            link_mtu: 1500,
        };
        let cx = Context::new(now, &budget);
        Self {
            client: Connection::connect(Arc::new(client), super::tuple(), opening, &cx),
            server: None,
            half_open: None,
            server_config: Arc::new(server),
            now,
            budget,
            wire,
            rng: Pcg64Mcg::seed_from_u64(seed),
            in_transit: BTreeMap::new(),
            sent: 0,
            burst: 0,
        }
    }

    fn chance(&mut self, thousandths: u32) -> bool {
        self.rng.next_u32() % 1000 < thousandths
    }

    fn launch(&mut self, to_server: bool, t: &Transmit) {
        let all = Bytes::from(t.payload.concat());
        let size = t.segment_size.map_or(all.len().max(1), usize::from);
        let mut at = 0;
        loop {
            let end = (at + size).min(all.len());
            let last = end == all.len();
            let mut header = t.header.clone();
            header.seq += at as u32;
            if !last {
                header.flags.remove(Flags::FIN | Flags::PSH);
            }
            self.put(to_server, header, all.slice(at..end));
            at = end;
            if last {
                return;
            }
        }
    }

    fn put(&mut self, to_server: bool, header: Header, text: Bytes) {
        let copies = 1 + u32::from(self.chance(self.wire.duplicate));
        for _ in 0..copies {
            if self.chance(self.wire.loss) {
                continue;
            }
            let mut arrival = self.now + self.wire.delay;
            if self.chance(self.wire.reorder) {
                arrival += self.wire.delay / 2 + Duration::from_micros(300);
            }
            self.sent += 1;
            self.in_transit.insert((arrival, self.sent), (to_server, header.clone(), text.clone()));
        }
    }

    fn deliver(&mut self, to_server: bool, header: &Header, text: Bytes) {
        let Self { client, server, half_open, budget, now, server_config, .. } = self;
        let cx = Context::new(*now, budget);
        if !to_server {
            client.segment_arrives(&cx, header, text);
            return;
        }
        if let Some(server) = server {
            server.segment_arrives(&cx, header, text);
            return;
        }
        let tuple = super::tuple().reversed();
        if half_open.is_none() && header.flags == Flags::SYN {
            let opening = Opening {
                iss: SeqNumber(0x7fff_ff00),
                timestamp_offset: 99,
                path_mtu: 1500,
                link_mtu: 1500,
            };
            let new = HalfOpen::new(server_config, &tuple, header, opening, &cx);
            let reply = new.syn_ack(server_config, &tuple, &cx);
            *half_open = Some(new);
            self.put(false, reply, Bytes::new());
            return;
        }
        let Some(waiting) = half_open else { return };
        match waiting.segment_arrives(server_config, &tuple, header, text.len(), &cx) {
            Verdict::Complete => {
                let waiting = half_open.take().unwrap();
                let mut new = waiting.complete(server_config.clone(), tuple, &cx);
                new.segment_arrives(&cx, header, text);
                *server = Some(new);
            }
            Verdict::Reply(reply) => self.put(false, reply, Bytes::new()),
            Verdict::Ignore => {}
            Verdict::Forget => *half_open = None,
        }
    }

    /// One step of virtual time; false when nothing is left to happen.
    pub fn step(&mut self) -> bool {
        loop {
            let cx = Context::new(self.now, &self.budget);
            let t = self.client.poll_transmit(&cx, self.burst);
            let s = self.server.as_mut().and_then(|c| c.poll_transmit(&cx, self.burst));
            if t.is_none() && s.is_none() {
                break;
            }
            t.iter().for_each(|t| self.launch(true, t));
            s.iter().for_each(|t| self.launch(false, t));
        }
        let timers = [
            self.client.next_deadline(),
            self.server.as_ref().and_then(Connection::next_deadline),
            self.half_open.as_ref().map(HalfOpen::deadline),
            self.in_transit.keys().next().map(|k| k.0),
        ];
        let Some(next) = timers.into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        while let Some(entry) = self.in_transit.first_entry().filter(|e| e.key().0 <= self.now) {
            let (to_server, header, text) = entry.remove();
            self.deliver(to_server, &header, text);
        }
        self.expire();
        true
    }

    fn expire(&mut self) {
        let cx = Context::new(self.now, &self.budget);
        for c in [Some(&mut self.client), self.server.as_mut()].into_iter().flatten() {
            if c.next_deadline().is_some_and(|d| d <= self.now) {
                c.deadline_passed(&cx);
            }
        }
        if let Some(waiting) = &mut self.half_open {
            use handclasp_tcp::half_open::Expiry;
            let tuple = super::tuple().reversed();
            if waiting.deadline_passed(&self.server_config, &tuple, &cx) == Expiry::Resend {
                let reply = waiting.syn_ack(&self.server_config, &tuple, &cx);
                self.put(false, reply, Bytes::new());
            }
        }
    }

    /// Sends `len` bytes of a pattern each way, closes both ends, and checks every byte.
    pub fn exchange(&mut self, len: usize) {
        let pattern: Vec<u8> = (0..len).map(|i| (i * 31 % 251) as u8).collect();
        let mut written = [0, 0];
        let mut read = [0, 0];
        let mut buffer = vec![0; 65_536];
        for _ in 0..5_000_000u64 {
            let cx = Context::new(self.now, &self.budget);
            let ends = [Some(&mut self.client), self.server.as_mut()];
            for (i, end) in ends.into_iter().enumerate() {
                let Some(c) = end else { continue };
                if written[i] < len {
                    if c.state() == State::SynSent {
                        continue;
                    }
                    written[i] += c.write(&cx, &pattern[written[i]..]).unwrap();
                    if written[i] == len {
                        c.shutdown(&cx);
                    }
                }
                while let Some(n) = c.read(&cx, &mut buffer).unwrap() {
                    assert_eq!(buffer[..n], pattern[read[i]..read[i] + n]);
                    read[i] += n;
                    if n == 0 {
                        break;
                    }
                }
            }
            if !self.step() {
                break;
            }
            if self.is_over() {
                break;
            }
        }
        assert_eq!(read, [len, len], "all bytes arrive; {:?}", self.client.info());
        assert!(
            self.is_over(),
            "{:?} {:?}",
            self.client.state(),
            self.server.as_ref().map(Connection::state)
        );
    }

    fn is_over(&self) -> bool {
        let over = |s: State| matches!(s, State::Closed | State::TimeWait);
        over(self.client.state()) && self.server.as_ref().is_some_and(|s| over(s.state()))
    }
}
