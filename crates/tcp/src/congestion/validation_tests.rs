use core::time::Duration;

use super::super::testing::{MSS, start};
use super::super::{Controller, reno::Reno};
use super::*;

const RTT: Duration = Duration::from_millis(100);
const INITIAL: u32 = 10 * MSS;

/// A sender with a window of 100 segments that so many bytes a round trip are acknowledged of.
struct Bench {
    validation: Validation,
    reno: Reno,
    now: Instant,
    una: SeqNumber,
}

impl Bench {
    fn new() -> Self {
        let mut reno = Reno::new(&start());
        reno.set_windows(100 * MSS, 100 * MSS);
        Self { validation: Validation::new(), reno, now: Instant::ZERO, una: SeqNumber(0) }
    }

    fn round(&mut self, bytes: u32) {
        self.now += RTT;
        self.una += bytes;
        self.validation.acked(self.now, bytes, self.una, self.una + bytes, RTT);
        self.validation.judge(self.now, INITIAL, &mut self.reno);
    }

    fn rounds(&mut self, count: u32, bytes: u32) {
        (0..count).for_each(|_| self.round(bytes));
    }

    fn is_non_validated(&self) -> bool {
        self.validation.unused_since != NEVER
    }

    fn lose(&mut self, in_flight: u32, resent: u64) {
        self.reno.lost(self.now, in_flight);
        self.validation.lost(in_flight, resent, MSS, &mut self.reno);
    }
}

/// Requirement: RFC7661-R01
#[test]
fn what_is_acknowledged_is_measured_each_round_trip() {
    let mut b = Bench::new();
    b.round(60 * MSS);
    assert_eq!(b.validation.pipe_ack(), None, "no whole round yet");
    b.round(60 * MSS);
    assert_eq!(b.validation.pipe_ack(), Some(60 * MSS));
    b.rounds(5, 20 * MSS);
    assert_eq!(b.validation.pipe_ack(), Some(60 * MSS), "the greatest of late");
    b.rounds(30, 20 * MSS);
    assert_eq!(b.validation.pipe_ack(), Some(20 * MSS));
}

/// Requirement: RFC7661-R03
#[test]
fn a_window_of_which_less_than_half_is_used_is_not_validated() {
    let mut b = Bench::new();
    b.rounds(30, 50 * MSS);
    assert!(!b.is_non_validated());
    b.rounds(30, 49 * MSS);
    assert!(b.is_non_validated());
    b.rounds(2, 50 * MSS);
    assert!(!b.is_non_validated(), "it is in use again");
    assert_eq!(b.reno.cwnd(), 100 * MSS);
}

/// Requirement: RFC7661-R04, RFC7661-R10
#[test]
fn after_five_minutes_half_of_an_unused_window_is_given_up() {
    let mut b = Bench::new();
    b.reno.set_windows(100 * MSS, 30 * MSS);
    b.rounds(2990, 5 * MSS);
    assert_eq!(b.reno.cwnd(), 100 * MSS);
    b.rounds(30, 5 * MSS);
    assert_eq!((b.reno.cwnd(), b.reno.ssthresh()), (50 * MSS, 75 * MSS));
    b.rounds(3000, 5 * MSS);
    assert_eq!((b.reno.cwnd(), b.reno.ssthresh()), (25 * MSS, 75 * MSS));
    b.rounds(12_000, MSS);
    assert_eq!(b.reno.cwnd(), INITIAL, "never less than the initial window");
}

/// Requirement: RFC7661-R06, RFC7661-R07
#[test]
fn a_loss_leaves_half_of_what_an_unused_window_was_used_for() {
    let mut b = Bench::new();
    b.rounds(30, 20 * MSS);
    b.lose(12 * MSS, 5000);
    assert!(!b.is_non_validated());
    assert_eq!(b.reno.cwnd(), 6 * MSS, "Reno's half of the flight is less still");

    let mut b = Bench::new();
    b.rounds(30, 20 * MSS);
    b.lose(30 * MSS, 5000);
    assert_eq!(b.reno.cwnd(), 15 * MSS);
    b.validation.recovered(5000 + u64::from(4 * MSS), MSS, &mut b.reno);
    assert_eq!(b.reno.cwnd(), 13 * MSS, "less half of what had to be sent again");
}

/// Requirement: RFC7661-R08, RFC7661-R02
#[test]
fn after_recovery_what_is_acknowledged_is_measured_anew() {
    let mut b = Bench::new();
    b.rounds(30, 20 * MSS);
    b.lose(20 * MSS, 0);
    let before = b.validation.pipe_ack();
    b.validation.recovered(0, MSS, &mut b.reno);
    assert!(before.is_some() && b.validation.pipe_ack().is_none());
}

#[test]
fn a_validated_window_is_reduced_by_its_controller_alone() {
    let mut b = Bench::new();
    b.rounds(30, 90 * MSS);
    b.lose(100 * MSS, 0);
    b.validation.recovered(50_000, MSS, &mut b.reno);
    assert_eq!(b.reno.cwnd(), 50 * MSS);
}

/// Requirement: RFC7661-R06
#[test]
fn a_timeout_ends_it_too() {
    let mut b = Bench::new();
    b.rounds(30, 20 * MSS);
    b.validation.timed_out();
    assert!(!b.is_non_validated() && b.validation.pipe_ack().is_none());
}
