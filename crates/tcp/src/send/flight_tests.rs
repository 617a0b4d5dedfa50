//! The flight list against a model that keeps a record for every octet.

use std::vec::Vec;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::time::Instant;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::*;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Octet {
    sent_at: Instant,
    fate: Fate,
}

impl Octet {
    /// Ranges that the peer holds are joined: when each of them left is forgotten.
    fn told(self) -> Self {
        if !self.fate.contains(Fate::SACKED) {
            return self;
        }
        Self { sent_at: Instant::ZERO, fate: Fate::SACKED }
    }
}

/// Every octet from `una` on.
struct Model {
    una: SeqNumber,
    octets: Vec<Octet>,
}

impl Model {
    fn count(&self, fate: Fate) -> u32 {
        self.octets.iter().filter(|o| o.fate.contains(fate)).count() as u32
    }

    fn check(&self, flight: &Flight) {
        let mut at = self.una;
        let mut spread = Vec::new();
        for sent in flight.ranges() {
            assert_eq!(sent.seq, at, "in order and without gaps");
            assert!(sent.len > 0);
            at = sent.end();
            let octet = Octet { sent_at: sent.sent_at, fate: sent.fate }.told();
            spread.resize(spread.len() + sent.len as usize, octet);
        }
        let octets: Vec<_> = self.octets.iter().map(|octet| octet.told()).collect();
        assert!(spread == octets, "{flight:?}");
        assert_eq!(flight.outstanding(), self.octets.len() as u32);
        assert_eq!(flight.sacked(), self.count(Fate::SACKED));
        assert_eq!(flight.lost(), self.count(Fate::LOST));
        assert_eq!(flight.in_network(), self.octets.len() as u32 - flight.sacked() - flight.lost());
        let first = self.octets.iter().position(|o| o.fate.contains(Fate::LOST));
        assert_eq!(flight.first_lost(), first.map(|n| self.una + n as u32));
    }
}

fn sent(seq: SeqNumber, len: u32, sent_at: Instant, fate: Fate) -> Sent {
    Sent::new(seq, len, sent_at, fate)
}

fn reading(now: Instant) -> Reading {
    Reading { now, min_rtt: Duration::ZERO, echoed_before: Instant::FAR_FUTURE, smss: 10 }
}

fn mark_lost(flight: &mut Flight, model: &mut Model, below: &mut impl FnMut(u32) -> u32) {
    let nxt = model.una + model.octets.len() as u32;
    let before = model.count(Fate::LOST);
    let marked = if below(4) == 0 {
        model.octets.iter_mut().filter(|o| !o.fate.contains(Fate::SACKED)).for_each(|o| {
            o.fate.insert(Fate::LOST);
        });
        flight.mark_lost(nxt, LossSign::Timeout, |_| Verdict::Lost).bytes
    } else {
        let len = 1 + below(20);
        let first = flight.first().map_or(0, |s| s.len.min(len)) as usize;
        for octet in &mut model.octets[..first] {
            if !octet.fate.contains(Fate::SACKED) {
                octet.fate.insert(Fate::LOST);
            }
        }
        flight.mark_first_lost(len, LossSign::Timeout).bytes
    };
    assert_eq!(marked, model.count(Fate::LOST) - before);
}

fn step(flight: &mut Flight, model: &mut Model, below: &mut impl FnMut(u32) -> u32, now: Instant) {
    let n = model.octets.len() as u32;
    let nxt = model.una + n;
    match below(6) {
        0 | 1 => {
            let len = 1 + below(40);
            flight.push(sent(nxt, len, now, Fate::empty()));
            let octet = Octet { sent_at: now, fate: Fate::empty() };
            model.octets.resize((n + len) as usize, octet);
        }
        2 if n > 0 => {
            let len = 1 + below(n.min(50));
            let gone: Vec<_> = model.octets.drain(..len as usize).collect();
            model.una += len;
            let delivery = flight.acknowledge(model.una, &reading(now));
            let news = gone.iter().filter(|o| !o.fate.contains(Fate::SACKED));
            assert_eq!(delivery.bytes, news.clone().count() as u32);
            assert_eq!(delivery.newest.map(|s| s.sent_at), news.map(|o| o.sent_at).max());
            let resent = gone.iter().any(|o| o.fate.contains(Fate::RESENT));
            assert!(!(resent && delivery.rtt.is_some()), "Karn's rule");
        }
        3 if n > 0 => {
            let left = below(n);
            let right = left + 1 + below(n - left);
            let block = SackBlock { left: model.una + left, right: model.una + right };
            let delivery = flight.selectively_acknowledge(block, &reading(now));
            let mut bytes = 0;
            for octet in &mut model.octets[left as usize..right as usize] {
                bytes += u32::from(!octet.fate.contains(Fate::SACKED));
                octet.fate = (octet.fate | Fate::SACKED) - Fate::LOST;
            }
            assert_eq!(delivery.bytes, bytes);
        }
        4 => mark_lost(flight, model, below),
        _ => {
            let (max, edge) = (1 + below(30), below(n + 20));
            let mark = sent(model.una, 0, now, Fate::RESENT);
            let took = flight.resend_lost(max, model.una + edge, mark);
            let first = model.octets.iter().position(|o| o.fate.contains(Fate::LOST));
            let Some(first) = first.filter(|f| (*f as u32) < edge) else {
                assert_eq!(took, None);
                return;
            };
            let (seq, len, _) = took.expect("something lost lies before the edge");
            assert_eq!(seq, model.una + first as u32);
            assert!(len >= 1 && len <= max && first as u32 + len <= edge);
            for octet in &mut model.octets[first..first + len as usize] {
                assert!(octet.fate.contains(Fate::LOST));
                *octet = Octet { sent_at: now, fate: Fate::RESENT };
            }
        }
    }
}

#[test]
fn whatever_happens_the_list_says_what_happened_to_every_octet() {
    for seed in 0..400 {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut below = |n: u32| rng.next_u32() % n;
        let mut flight = Flight::default();
        let mut model = Model { una: SeqNumber(u32::MAX - 100), octets: Vec::new() };
        for i in 0..90 {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                step(&mut flight, &mut model, &mut below, Instant::from_millis(i));
                model.check(&flight);
            }));
            assert!(result.is_ok(), "seed {seed}, step {i}");
        }
    }
}

#[test]
fn reneging_forgets_every_selective_acknowledgment() {
    let mut flight = Flight::default();
    flight.push(sent(SeqNumber(0), 100, Instant::ZERO, Fate::empty()));
    let block = SackBlock { left: SeqNumber(10), right: SeqNumber(50) };
    flight.selectively_acknowledge(block, &reading(Instant::ZERO));
    assert_eq!((flight.sacked(), flight.in_network()), (40, 60));
    flight.forget_sacks();
    assert_eq!((flight.sacked(), flight.in_network()), (0, 100));
}

#[test]
fn blocks_that_cut_crumbs_make_no_more_ranges_than_the_flight_deserves() {
    let mut flight = Flight::default();
    for i in 0..100 {
        flight.push(sent(SeqNumber(i * 1000), 1000, Instant::ZERO, Fate::empty()));
    }
    for i in 0..50_000 {
        let left = SeqNumber(1 + 2 * i);
        flight
            .selectively_acknowledge(SackBlock { left, right: left + 1 }, &reading(Instant::ZERO));
    }
    assert!(flight.ranges().count() < 600, "{}", flight.ranges().count());
    // Whole ranges are still believed.
    let block = SackBlock { left: SeqNumber(90_000), right: SeqNumber(100_000) };
    flight.selectively_acknowledge(block, &reading(Instant::ZERO));
    assert!(flight.sacked() >= 10_000);
    flight.acknowledge(SeqNumber(100_000), &reading(Instant::ZERO));
    assert!(flight.is_empty());
    assert_eq!((flight.outstanding(), flight.sacked(), flight.lost()), (0, 0, 0));
}
