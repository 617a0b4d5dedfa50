use super::*;
use crate::secret::Secret;

fn mtus() -> PathMtus {
    PathMtus::new(Secret::new([1; 32]).table_hash())
}

fn v4(n: u16) -> IpAddr {
    let [a, b] = n.to_be_bytes();
    IpAddr::from([10, 0, a, b])
}

fn v6() -> IpAddr {
    "fd00::1".parse().unwrap()
}

fn minutes(n: u64) -> Instant {
    Instant::from_millis(n * 60_000)
}

/// Requirement: RFC1191-R06
/// Requirement: RFC8201-P04
/// Requirement: RFC1191-R02
#[test]
fn a_discovery_only_ever_lowers_what_is_known() {
    let mut mtus = mtus();
    mtus.learn(v4(1), 1400, minutes(0));
    mtus.learn(v4(1), 9000, minutes(1));
    assert_eq!(mtus.to(v4(1)), Some(1400));
    mtus.learn(v4(1), 1300, minutes(1));
    assert_eq!((mtus.to(v4(1)), mtus.to(v4(2))), (Some(1300), None));
}

/// Requirement: RFC1191-P10
/// Requirement: RFC1191-R03
/// Requirement: RFC8201-P05
#[test]
fn a_discovery_is_forgotten_after_ten_minutes_and_not_before() {
    let mut mtus = mtus();
    mtus.learn(v4(1), 1400, minutes(0));
    mtus.learn(v4(1), 1300, minutes(5));
    assert!(!mtus.deadline_passed(minutes(10)), "the renewed one is five minutes old");
    assert_eq!(mtus.to(v4(1)), Some(1300));
    assert!(mtus.deadline_passed(minutes(15)));
    assert_eq!((mtus.to(v4(1)), mtus.next_deadline()), (None, None));
}

#[test]
fn the_oldest_discovery_makes_room_for_the_newest() {
    let mut mtus = mtus();
    for n in 0..=CAPACITY as u16 {
        mtus.learn(v4(n), 1400, minutes(0));
    }
    assert_eq!((mtus.known.len(), mtus.order.len()), (CAPACITY, CAPACITY));
    assert_eq!((mtus.to(v4(0)), mtus.to(v4(1))), (None, Some(1400)));
}

#[test]
fn one_destination_learnt_of_again_and_again_takes_bounded_room() {
    let mut mtus = mtus();
    for mtu in (600..9000).rev() {
        mtus.learn(v4(1), mtu, minutes(0));
    }
    assert!(mtus.order.len() <= CAPACITY);
    assert_eq!(mtus.to(v4(1)), Some(600));
}

/// Requirement: RFC1191-R04
#[test]
fn a_router_that_does_not_say_how_large_means_the_next_plateau() {
    assert_eq!(believable(v4(1), 0, 1500), Some(1492));
    assert_eq!(believable(v4(1), 0, 1492), Some(1280));
    assert_eq!(believable(v4(1), 0, 65_000), Some(32_000));
    assert_eq!(believable(v4(1), 0, 600), Some(552));
}

/// Requirement: RFC1191-R05
/// Requirement: RFC8201-P01
#[test]
fn absurdly_small_reports_are_raised_to_the_minimum_or_dropped() {
    assert_eq!(believable(v4(1), 10, 1500), Some(552));
    assert_eq!(believable(v6(), 600, 1500), None);
    assert_eq!(believable(v6(), 0, 1500), None);
    assert_eq!(believable(v6(), 1280, 1500), Some(1280));
}

/// Requirement: RFC5927-P05
#[test]
fn a_report_larger_than_the_packet_it_quotes_is_not_believed() {
    assert_eq!(believable(v4(1), 1500, 1500), None);
    assert_eq!(believable(v4(1), 70_000, 1500), None);
    assert_eq!(believable(v6(), 9000, 1500), None);
    assert_eq!(believable(v4(1), 0, 552), None);
}
