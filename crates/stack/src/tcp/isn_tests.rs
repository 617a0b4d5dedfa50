use core::time::Duration;

use super::*;

fn tuple(port: u16) -> Tuple {
    Tuple::new(([10, 0, 0, 1], port).into(), ([10, 0, 0, 2], 80).into())
}

fn starts(seed: u8) -> Starts {
    Starts::new(&Secret::new([seed; 32]))
}

/// Requirement: RFC6528-R01
/// Requirement: RFC9293-MUST-8
/// Requirement: RFC9293-SHLD-1
#[test]
fn for_one_tuple_the_number_follows_a_clock_of_four_microseconds() {
    let starts = starts(1);
    let at = |now| starts.sequence(&tuple(1), now);
    assert_eq!(at(Instant::from_micros(4)) - at(Instant::ZERO), 1);
    assert_eq!(at(Instant::from_millis(1000)) - at(Instant::ZERO), 250_000);
}

/// Requirement: RFC6528-P05
#[test]
fn for_one_tuple_the_number_grows_over_time() {
    let starts = starts(1);
    let mut now = Instant::ZERO;
    for _ in 0..100 {
        let before = starts.sequence(&tuple(1), now);
        now += Duration::from_secs(61);
        assert!(starts.sequence(&tuple(1), now).gt(before));
    }
}

/// Requirement: RFC6528-R02
/// Requirement: RFC9293-MUST-9
#[test]
fn another_tuple_or_another_secret_gives_an_unrelated_number() {
    let number = |seed, port| starts(seed).sequence(&tuple(port), Instant::ZERO).0;
    assert_ne!(number(1, 1), number(2, 1));
    let steps: alloc::vec::Vec<u32> =
        (0..64).map(|port| number(1, port + 1).wrapping_sub(number(1, port))).collect();
    let bits: u32 = steps.iter().map(|step| step.count_ones()).sum();
    assert!((896..1152).contains(&bits), "half of 2048 bits should be set, not {bits}");
}

#[test]
fn both_ends_of_a_connection_choose_apart() {
    let starts = starts(1);
    let (here, there) = (tuple(1), tuple(1).reversed());
    assert_ne!(starts.sequence(&here, Instant::ZERO), starts.sequence(&there, Instant::ZERO));
}

/// Requirement: RFC6191-P07
#[test]
fn a_reopened_tuple_starts_beyond_what_its_last_incarnation_sent() {
    let starts = starts(1);
    let usual = starts.sequence(&tuple(1), Instant::ZERO);
    let slow = starts.sequence_after(&tuple(1), usual - 1_000_000, Instant::ZERO);
    assert_eq!(slow, usual);
    let fast = starts.sequence_after(&tuple(1), usual + 1_000_000, Instant::ZERO);
    assert!(fast.gt(usual + 1_000_000));
}

#[test]
fn the_timestamp_offset_belongs_to_the_tuple_and_is_not_its_sequence_number() {
    let starts = starts(1);
    let offset = starts.timestamp_offset(&tuple(1));
    assert_eq!(offset, starts.timestamp_offset(&tuple(1)));
    assert_ne!(offset, starts.timestamp_offset(&tuple(2)));
    assert_ne!(offset, starts.sequence(&tuple(1), Instant::ZERO).0);
}

/// Requirement: RFC6528-P03
#[test]
fn every_one_of_the_secret_s_256_bits_counts() {
    let number = |secret| Starts::new(&Secret::new(secret)).sequence(&tuple(1), Instant::ZERO);
    let mut numbers = alloc::vec![number([0; 32])];
    for bit in 0..256 {
        let mut secret = [0; 32];
        secret[bit / 8] = 1 << (bit % 8);
        numbers.push(number(secret));
    }
    numbers.sort_unstable_by_key(|number| number.0);
    numbers.dedup();
    assert_eq!(numbers.len(), 257);
}
