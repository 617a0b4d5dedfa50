use core::time::Duration;
use std::vec::Vec;

use super::super::testing::{MSS, Path, start};
use super::*;

const RTT: Duration = Duration::from_millis(100);

/// A controller that had a window of `segments` when a loss was found, and its path.
fn after_loss(segments: u32) -> (Cubic, Path) {
    let mut cubic = Cubic::new(&start());
    cubic.set_windows(segments * MSS, segments * MSS);
    cubic.lost(Instant::ZERO, segments * MSS);
    (cubic, Path::new(RTT))
}

fn near(is: f64, should: f64, by: f64) -> bool {
    (is - should).abs() <= by
}

#[test]
fn the_cube_root_is_that_of_arithmetic() {
    for n in [0.0, 1e-9, 0.001, 1.0, 8.0, 27.0, 1e6, 1.234e15] {
        assert!(near(cube_root(n), f64::cbrt(n), 1e-9 * n.max(1.0)), "{n}: {}", cube_root(n));
    }
}

/// Requirement: RFC9438-R08, RFC9438-R07, RFC9438-R17
#[test]
fn a_loss_leaves_seven_tenths_of_the_window_at_once() {
    let (cubic, _) = after_loss(100);
    assert_eq!((cubic.cwnd(), cubic.ssthresh()), (70 * MSS, 70 * MSS));
}

/// Requirement: RFC9438-P02, RFC9438-R05, RFC9438-R06, RFC9438-R19
#[test]
fn the_window_is_the_cubic_function_of_time_around_the_last_maximum() {
    // Wide enough for the function to outrun Reno's window.
    let (mut cubic, mut path) = after_loss(2000);
    let k = f64::cbrt(600.0 / 0.4);
    let begun = path.now;
    let mut last = cubic.cwnd();
    // Slow start's one acknowledgment more, then the first rounds.
    while (path.now - begun).as_secs_f64() < 2.0 * k {
        let cwnd = path.round(&mut cubic);
        let t = (path.now - begun).as_secs_f64() - k;
        let function = 2000.0 + 0.4 * t * t * t;
        assert!(cwnd >= last, "it never shrinks");
        assert!(near(f64::from(cwnd / MSS), function, 30.0), "{t}: {cwnd} {function}");
        last = cwnd;
    }
}

/// Requirement: RFC9438-P02
#[test]
fn no_round_trip_makes_more_than_half_a_window_of_growth() {
    let (mut cubic, mut path) = after_loss(100);
    path.round(&mut cubic);
    // The function is far above after a long time in use.
    if let Some(epoch) = &mut cubic.epoch {
        epoch.elapsed = 60.0;
    }
    let before = cubic.cwnd();
    let after = path.round(&mut cubic);
    assert!(after > before * 14 / 10 && after <= before * 17 / 10, "{before} {after}");
}

/// Requirement: RFC9438-R03
#[test]
fn on_a_short_path_the_window_is_that_of_reno_as_it_would_grow_with_this_factor() {
    let mut cubic = Cubic::new(&start());
    cubic.set_windows(20 * MSS, 20 * MSS);
    cubic.lost(Instant::ZERO, 20 * MSS);
    let mut path = Path::new(Duration::from_millis(5));
    let windows: Vec<_> = (0..20).map(|_| path.round(&mut cubic)).collect();
    // 3 × 0.3 / 1.7 segments a round trip.
    let growth = f64::from(windows[9] - windows[0]) / f64::from(MSS) / 9.0;
    assert!(near(growth, 0.53, 0.04), "{growth} {windows:?}");
}

/// Requirement: RFC9438-R04
#[test]
fn beyond_the_window_before_the_loss_the_estimate_grows_as_reno_does() {
    let mut cubic = Cubic::new(&start());
    cubic.set_windows(10 * MSS, 10 * MSS);
    cubic.lost(Instant::ZERO, 10 * MSS);
    let mut path = Path::new(Duration::from_millis(1));
    while cubic.cwnd() < 11 * MSS {
        path.round(&mut cubic);
    }
    let before = cubic.cwnd();
    for _ in 0..5 {
        path.round(&mut cubic);
    }
    let growth = f64::from(cubic.cwnd() - before) / 5.0 / f64::from(MSS);
    assert!(near(growth, 1.0, 0.1), "{growth}");
}

/// Requirement: RFC9438-R12
#[test]
fn a_loss_below_the_last_maximum_gives_way_to_others() {
    let (mut cubic, _) = after_loss(100);
    cubic.lost(Instant::ZERO, 70 * MSS);
    assert!(near(cubic.w_max, 70.0 * 0.85 * f64::from(MSS), 1.0), "{}", cubic.w_max);
    assert_eq!(cubic.cwnd(), 49 * MSS);
}

/// Requirement: RFC9438-R01, RFC9438-R09
#[test]
fn time_in_which_the_application_wrote_too_little_does_not_count() {
    let (mut cubic, mut path) = after_loss(1000);
    for _ in 0..3 {
        path.round(&mut cubic);
    }
    let (before, elapsed) = (cubic.cwnd(), cubic.epoch.unwrap().elapsed);
    path.cwnd_limited = false;
    for _ in 0..50 {
        path.round(&mut cubic);
    }
    assert_eq!((cubic.cwnd(), cubic.epoch.unwrap().elapsed), (before, elapsed));
    // Nor does silence.
    path.now += Duration::from_secs(30);
    cubic.sends(path.now, 0, true);
    path.cwnd_limited = true;
    path.round(&mut cubic);
    assert!(cubic.epoch.unwrap().elapsed < elapsed + 0.2);
    assert!(cubic.cwnd() < before + 60 * MSS, "{before} {}", cubic.cwnd());
}

/// Requirement: RFC9438-R13
#[test]
fn after_a_timeout_growth_begins_anew_at_the_window_of_then() {
    let mut cubic = Cubic::new(&start());
    cubic.set_windows(100 * MSS, 100 * MSS);
    cubic.timed_out(Instant::ZERO, 100 * MSS, true);
    assert_eq!((cubic.cwnd(), cubic.ssthresh()), (MSS, 70 * MSS));
    cubic.timed_out(Instant::ZERO, MSS, false);
    assert_eq!(cubic.ssthresh(), 70 * MSS, "once for the same data");
    let mut path = Path::new(RTT);
    while cubic.epoch.is_none() {
        path.round(&mut cubic);
    }
    let epoch = cubic.epoch.unwrap();
    assert!(epoch.k == 0.0 && epoch.origin > 70.0 * f64::from(MSS), "{epoch:?}");
}

/// Requirement: RFC9438-R15, RFC9438-R16
#[test]
fn a_loss_that_was_none_is_undone_unless_the_window_has_grown_beyond_it() {
    let (mut cubic, mut path) = after_loss(100);
    let w_max = cubic.w_max;
    cubic.lost(Instant::ZERO, 70 * MSS);
    cubic.undo(Instant::ZERO);
    assert_eq!((cubic.cwnd(), cubic.w_max), (70 * MSS, w_max), "the last one only");

    let (mut cubic, _) = after_loss(10);
    while cubic.cwnd() <= 10 * MSS {
        path.round(&mut cubic);
    }
    let before = cubic.clone();
    cubic.undo(path.now);
    assert_eq!((cubic.cwnd(), cubic.ssthresh()), (before.cwnd(), before.ssthresh()));
}

/// Requirement: RFC9438-R14
#[test]
fn a_timeout_that_was_none_is_undone_with_those_that_followed_it() {
    let (mut cubic, mut path) = after_loss(1000);
    for _ in 0..5 {
        path.round(&mut cubic);
    }
    let before = cubic.clone();
    cubic.timed_out(path.now, 700 * MSS, true);
    cubic.timed_out(path.now, MSS, false);
    cubic.undo(path.now);
    assert_eq!((cubic.cwnd(), cubic.w_max), (before.cwnd(), before.w_max));
    assert_eq!(cubic.epoch.unwrap().k, before.epoch.unwrap().k);
}

/// Requirement: RFC9438-R17
#[test]
fn slow_start_goes_on_while_the_window_is_not_above_the_threshold() {
    let mut cubic = Cubic::new(&start());
    cubic.set_windows(10 * MSS, 40 * MSS);
    cubic.hystart = None;
    let mut path = Path::new(RTT);
    assert_eq!([path.round(&mut cubic), path.round(&mut cubic)], [20 * MSS, 40 * MSS]);
    let next = path.round(&mut cubic);
    assert!(next > 40 * MSS && next < 45 * MSS, "{next}");
}

/// Requirement: RFC9438-R18
#[test]
fn the_first_slow_start_ends_when_the_round_trip_grows_and_no_other_does() {
    let mut cubic = Cubic::new(&start());
    let mut path = Path::new(RTT);
    for _ in 0..3 {
        path.round(&mut cubic);
    }
    assert_eq!((cubic.cwnd(), cubic.ssthresh()), (80 * MSS, u32::MAX));
    for _ in 0..7 {
        path.rtt += Duration::from_millis(20);
        path.round(&mut cubic);
    }
    assert!(cubic.ssthresh() < u32::MAX && cubic.hystart.is_none());

    cubic.timed_out(path.now, 0, true);
    assert!(cubic.hystart.is_none(), "it is for the first slow start");
}

#[test]
fn an_acknowledgment_adds_eight_segments_at_most_unless_what_it_lets_out_is_paced() {
    for (paced, grown) in [(false, 8), (true, 30)] {
        let mut begin = start();
        begin.paced = paced;
        let mut cubic = Cubic::new(&begin);
        let sample = Path::new(RTT).sample(30 * MSS, 0);
        cubic.acked(&sample);
        assert_eq!(cubic.cwnd(), (10 + grown) * MSS);
    }
}

#[test]
fn the_window_stays_within_what_sequence_numbers_allow() {
    let mut cubic = Cubic::new(&start());
    cubic.set_windows(u32::MAX, u32::MAX);
    let sample = Path::new(RTT).sample(MSS, 0);
    cubic.acked(&sample);
    assert_eq!(cubic.cwnd(), CWND_MAX);
}

#[test]
fn a_mark_takes_as_much_as_a_loss_unless_it_may_take_less() {
    for (abe, left) in [(false, 70), (true, 85)] {
        let mut begin = start();
        begin.abe = abe;
        let mut cubic = Cubic::new(&begin);
        cubic.set_windows(100 * MSS, u32::MAX);
        cubic.marked(begin.now, 100 * MSS);
        assert_eq!((cubic.cwnd(), cubic.ssthresh()), (left * MSS, left * MSS));
    }
}
