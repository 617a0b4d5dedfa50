use handclasp_wire::seq::SeqNumber;

use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn sent(rate: &RateEstimator, millis: u64) -> Sent {
    rate.stamp(Sent::new(SeqNumber(0), 1000, at(millis), Fate::empty()))
}

fn delivery(newest: Sent) -> Delivery {
    Delivery { bytes: newest.len, newest: Some(newest), ..Delivery::default() }
}

#[test]
fn a_rate_is_what_arrived_since_the_segment_left_over_the_time_it_took() {
    let mut rate = RateEstimator::new(at(0));
    rate.starts(at(0));
    let first = sent(&rate, 0);
    rate.delivered(at(100), &delivery(first), None);
    let second = sent(&rate, 100);
    rate.delivered(at(150), &delivery(sent(&rate, 60)), None);
    let measured = rate.delivered(at(200), &delivery(second), None).unwrap();
    assert_eq!(rate.delivered - measured.prior_delivered, 2000);
    assert_eq!(measured.interval, Duration::from_millis(100));
}

#[test]
fn acknowledgments_that_come_together_do_not_make_a_path_faster_than_it_was_sent_on() {
    let mut rate = RateEstimator::new(at(0));
    rate.starts(at(0));
    // Sent over 80 ms, acknowledged within 1 ms.
    let segments: [Sent; 9] = core::array::from_fn(|n| sent(&rate, 10 * n as u64));
    let mut measured = None;
    for segment in segments {
        measured = rate.delivered(at(101), &delivery(segment), None);
    }
    assert!(measured.unwrap().interval >= Duration::from_millis(80));
}

#[test]
fn what_takes_less_than_any_round_trip_is_no_measurement() {
    let mut rate = RateEstimator::new(at(0));
    rate.starts(at(0));
    let segment = sent(&rate, 0);
    let least = Some(Duration::from_millis(50));
    let measured = rate.delivered(at(20), &delivery(segment), least).unwrap();
    assert_eq!(measured.interval, Duration::ZERO);
}

#[test]
fn a_rate_is_the_applications_until_what_was_in_flight_then_has_arrived() {
    let mut rate = RateEstimator::new(at(0));
    rate.mark_app_limited(1000);
    let segment = sent(&rate, 0);
    assert!(segment.fate.contains(Fate::APP_LIMITED));
    assert!(rate.delivered(at(10), &delivery(segment), None).unwrap().app_limited);
    assert!(rate.is_app_limited());
    rate.delivered(at(10), &delivery(segment), None);
    assert!(!rate.is_app_limited());
}
