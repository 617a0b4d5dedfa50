use core::time::Duration;

use super::super::testing::{MSS, Path};
use super::*;

const FULL: Growth = Growth::Divided(1);
const SLOW: Growth = Growth::Divided(CSS_GROWTH_DIVISOR);

/// A round of `acks` acknowledgments, each after `millis`; what the last of them allowed.
fn round(hystart: &mut HyStart, path: &mut Path, acks: u32, millis: u64) -> Growth {
    path.rtt = Duration::from_millis(millis);
    let since = path.delivered;
    let mut growth = FULL;
    for _ in 0..acks {
        let sample = path.sample(MSS, since);
        growth = hystart.acked(&sample);
    }
    growth
}

fn begun() -> (HyStart, Path) {
    let (mut hystart, mut path) = (HyStart::new(), Path::new(Duration::from_millis(40)));
    assert_eq!(round(&mut hystart, &mut path, 10, 40), FULL);
    (hystart, path)
}

#[test]
fn a_round_trip_that_grows_by_an_eighth_slows_growth_down() {
    let (mut hystart, mut path) = begun();
    assert_eq!(round(&mut hystart, &mut path, 10, 44), FULL);
    // 44 ms and an eighth are 49.5 ms.
    assert_eq!(round(&mut hystart, &mut path, 10, 49), FULL);
    assert_eq!(round(&mut hystart, &mut path, 10, 56), SLOW);
}

#[test]
fn less_than_eight_measurements_say_nothing() {
    let (mut hystart, mut path) = begun();
    assert_eq!(round(&mut hystart, &mut path, 7, 90), FULL);
}

#[test]
fn the_threshold_is_4_ms_at_least_and_16_at_most() {
    for (base, below, above) in [(1, 4, 5), (1000, 1015, 1016)] {
        let (mut hystart, mut path) = (HyStart::new(), Path::new(Duration::from_millis(base)));
        round(&mut hystart, &mut path, 10, base);
        assert_eq!(round(&mut hystart.clone(), &mut path, 10, below), FULL);
        assert_eq!(round(&mut hystart, &mut path, 10, above), SLOW);
    }
}

#[test]
fn a_round_trip_that_shrinks_again_brings_growth_back() {
    let (mut hystart, mut path) = begun();
    assert_eq!(round(&mut hystart, &mut path, 10, 60), SLOW);
    assert_eq!(round(&mut hystart, &mut path, 10, 41), FULL);
}

#[test]
fn five_slow_rounds_end_slow_start() {
    let (mut hystart, mut path) = begun();
    for _ in 0..5 {
        assert_eq!(round(&mut hystart, &mut path, 10, 60), SLOW);
    }
    assert_eq!(round(&mut hystart, &mut path, 1, 60), Growth::Over);
}
