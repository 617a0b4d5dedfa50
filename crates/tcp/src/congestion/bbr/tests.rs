use core::time::Duration;

use super::super::testing::start;
use super::super::{Controller, LossSample, RateSample};
use super::*;

const MSS: u32 = 1000;

/// A link of `rate` bytes per second with a round trip of `rtt` and a queue, and a sender that
/// follows its controller and always has something to send.
struct Link {
    bbr: Bbr,
    now: Instant,
    rate: u64,
    rtt: Duration,
    delivered: u64,
    in_flight: u64,
    lost: u64,
}

impl Link {
    fn new(rate: u64, rtt: Duration) -> Self {
        let mut begin = start();
        begin.srtt = Some(rtt);
        Self {
            bbr: Bbr::new(&begin),
            now: Instant::ZERO,
            rate,
            rtt,
            delivered: 0,
            in_flight: 0,
            lost: 0,
        }
    }

    fn bdp(&self) -> u64 {
        self.rate * self.rtt.as_micros() as u64 / 1_000_000
    }

    /// One round trip, as a fluid: what was in flight is delivered as fast as the link is, in
    /// `parts`, and the sender fills its window at its pace.
    fn round(&mut self) {
        let since = self.delivered;
        let flight = self.in_flight.max(u64::from(MSS));
        let time = Duration::from_nanos(flight * 1_000_000_000 / self.rate).max(self.rtt);
        let parts = 10;
        for _ in 0..parts {
            self.now += time / parts;
            let acked = flight / u64::from(parts);
            self.delivered += acked;
            let paced = self.bbr.pacing_rate * (time / parts).as_micros() as u64 / 1_000_000;
            self.in_flight = (self.in_flight.saturating_sub(acked) + paced).min(self.bbr.cwnd);
            let sample = self.sample(acked, since, flight, time);
            self.bbr.acked(&sample);
        }
    }

    fn sample(&self, acked: u64, since: u64, flight: u64, time: Duration) -> RateSample {
        RateSample {
            now: self.now,
            newly_acked: acked as u32,
            newly_delivered: acked as u32,
            newly_lost: 0,
            delivered: self.delivered,
            prior_delivered: since,
            interval: time * ((self.delivered - since) as u32) / flight as u32,
            tx_in_flight: flight as u32,
            lost: self.lost,
            rtt: Some(time),
            srtt: Some(time),
            prior_in_flight: flight as u32,
            in_flight: self.in_flight as u32,
            app_limited: false,
            cwnd_limited: self.in_flight >= self.bbr.cwnd,
            in_recovery: false,
        }
    }

    fn until(&mut self, state: State) {
        let found = (0..500).any(|_| {
            self.round();
            self.bbr.state == state
        });
        assert!(found, "{state:?} was never reached; {:?}", self.bbr.state);
    }
}

fn link() -> Link {
    Link::new(1_000_000, Duration::from_millis(50))
}

#[test]
fn startup_doubles_the_rate_until_the_pipe_is_full_and_drain_empties_the_queue() {
    let mut link = link();
    assert_eq!(link.bbr.state, State::Startup);
    let initial = link.bbr.pacing_rate;
    assert_eq!(initial, 27_700 * 20, "2.77 initial windows in a round trip");
    link.until(State::Drain);
    assert!(link.bbr.model.full_bw_reached);
    let bw = link.bbr.model.max_bw.max();
    assert!((950_000..=1_050_000).contains(&bw), "{bw}");
    link.until(State::Down);
    assert!(link.bbr.cwnd <= 3 * link.bdp(), "{}", link.bbr.cwnd);
}

#[test]
fn the_bandwidth_is_probed_every_two_to_three_seconds_or_so() {
    let mut link = link();
    link.until(State::Cruise);
    let begun = link.now;
    link.until(State::Refill);
    assert_eq!(link.bbr.state.pacing_gain(), 100);
    link.until(State::Up);
    let waited = link.now - begun;
    assert!(waited < Duration::from_millis(3500), "{waited:?}");
    let rate = link.bbr.pacing_rate;
    assert_eq!(rate, percent(percent(link.bbr.model.bw, 125), 99));
}

#[test]
fn every_five_seconds_the_window_is_halved_to_measure_the_round_trip() {
    let mut link = link();
    link.until(State::Cruise);
    link.until(State::ProbeRtt);
    let window = link.bbr.cwnd;
    assert!(window <= link.bdp() / 2 + u64::from(2 * MSS), "{window}");
    link.until(State::Cruise);
    assert!(link.bbr.cwnd > window);
}

#[test]
fn losses_above_two_percent_while_probing_bound_what_is_in_flight() {
    let mut link = link();
    link.until(State::Up);
    let (flight, now) = (60 * MSS, link.now);
    let lost = |percent: u32| LossSample {
        bytes: MSS,
        tx_in_flight: flight,
        lost: u64::from(flight * percent / 100),
        app_limited: false,
    };
    link.bbr.range_lost(now, &lost(1));
    assert_eq!((link.bbr.state, link.bbr.model.inflight_longterm), (State::Up, None));
    link.bbr.range_lost(now, &lost(3));
    assert_eq!(link.bbr.state, State::Down);
    let bound = link.bbr.model.inflight_longterm.unwrap();
    assert!(bound <= u64::from(flight) && bound > u64::from(flight) / 2, "{bound}");
    // Some of it is left to others while it cruises.
    link.until(State::Cruise);
    let bound = link.bbr.model.inflight_longterm.unwrap();
    assert!(link.bbr.cwnd <= bound - percent(bound, 15), "{} {bound}", link.bbr.cwnd);
}

#[test]
fn a_round_with_losses_lowers_the_short_term_bounds_until_the_next_probe() {
    let mut link = link();
    link.until(State::Cruise);
    link.bbr.range_lost(
        link.now,
        &LossSample { bytes: MSS, tx_in_flight: 50 * MSS, lost: 1000, app_limited: false },
    );
    link.round();
    link.round();
    let bound = link.bbr.model.bw_shortterm.unwrap();
    assert!(bound <= link.bbr.model.max_bw.max(), "{bound}");
    link.until(State::Refill);
    assert_eq!(link.bbr.model.bw_shortterm, None);
}

#[test]
fn losses_that_were_none_leave_the_bounds_as_they_were() {
    let mut link = link();
    link.until(State::Cruise);
    let (cwnd, now) = (link.bbr.cwnd, link.now);
    link.bbr.lost(now, link.in_flight as u32 / 2);
    assert!(link.bbr.cwnd < cwnd);
    link.bbr.undo(now);
    link.bbr.recovered(now);
    assert_eq!((link.bbr.cwnd, link.bbr.model.bw_shortterm), (cwnd, None));
}

#[test]
fn a_timeout_leaves_one_segment_and_recovery_brings_the_window_back() {
    let mut link = link();
    link.until(State::Cruise);
    let (cwnd, now) = (link.bbr.cwnd, link.now);
    link.bbr.timed_out(now, 0, true);
    assert_eq!(link.bbr.cwnd, u64::from(MSS));
    link.bbr.recovered(now);
    assert_eq!(link.bbr.cwnd, cwnd);
}

#[test]
fn after_silence_data_leaves_at_the_bandwidth_that_was_known() {
    let mut link = link();
    link.until(State::Up);
    link.bbr.sends(link.now, 0, true);
    assert_eq!(link.bbr.pacing_rate, percent(link.bbr.model.bw, 99));
    assert!(link.bbr.idle_restart);
}
