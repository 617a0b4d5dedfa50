//! The least round trip.

use super::*;

const MS: Duration = Duration::from_millis(1);

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

/// Requirement: RFC8985-R11
#[test]
fn the_least_round_trip_is_that_of_the_last_minutes() {
    let config = Config::default();
    let mut rtt = RttEstimator::new(&config);
    assert_eq!(rtt.min(), None);
    rtt.sample(&config, at(10), 30 * MS, 1);
    for second in 11..160 {
        rtt.sample(&config, at(second), 80 * MS, 1);
        assert_eq!(rtt.min(), Some(30 * MS), "after {second} s");
    }
    for second in 160..460 {
        rtt.sample(&config, at(second), 80 * MS, 1);
    }
    assert_eq!(rtt.min(), Some(80 * MS), "the path became longer");
    rtt.sample(&config, at(460), 50 * MS, 1);
    assert_eq!(rtt.min(), Some(50 * MS), "and shorter");
}

#[test]
fn what_was_measured_before_a_long_silence_says_nothing() {
    let config = Config::default();
    let mut rtt = RttEstimator::new(&config);
    rtt.sample(&config, at(10), 30 * MS, 1);
    rtt.sample(&config, at(10_000), 80 * MS, 1);
    assert_eq!(rtt.min(), Some(80 * MS));
}
