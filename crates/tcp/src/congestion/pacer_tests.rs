use core::time::Duration;

use super::*;

const MSS: u32 = 1000;

/// Sends segments as soon as they may leave, for so long; says in which bursts.
fn bursts(rate: u64, millis: u64) -> std::vec::Vec<(u64, u32)> {
    let (mut pacer, mut now) = (Pacer::default(), Instant::from_millis(1000));
    let end = now + Duration::from_millis(millis);
    let mut bursts = std::vec![(0, 0)];
    while now < end {
        let wait = pacer.sent(now, MSS, rate, MSS);
        if let Some(last) = bursts.last_mut() {
            last.1 += MSS;
        }
        if let Some(at) = wait {
            now = at;
            bursts.push(((at - Instant::from_millis(1000)).as_micros() as u64, 0));
        }
    }
    bursts
}

/// Requirement: RFC9937-R14, RFC7661-R09
#[test]
fn data_leaves_at_its_rate_in_bursts_of_a_millisecond() {
    let bursts = bursts(10_000_000, 100);
    let sent: u32 = bursts.iter().map(|(_, bytes)| bytes).sum();
    assert!((990_000..=1_040_000).contains(&sent), "{sent}");
    assert!(bursts[1..].iter().all(|(_, bytes)| *bytes <= 10_000), "{bursts:?}");
}

#[test]
fn on_a_slow_path_two_segments_leave_together() {
    let bursts = bursts(100_000, 1000);
    assert!(bursts[2..bursts.len() - 1].iter().all(|(_, bytes)| *bytes == 2 * MSS), "{bursts:?}");
    assert_eq!(quantum(100_000, MSS), 2 * MSS);
    assert_eq!(quantum(100_000_000, MSS), 100_000);
}

#[test]
fn a_timer_that_fires_late_is_made_up_for_by_one_burst_and_no_more() {
    let mut pacer = Pacer::default();
    let rate = 10_000_000;
    let mut now = Instant::from_millis(5);
    while pacer.sent(now, MSS, rate, MSS).is_none() {}
    now += Duration::from_millis(500);
    let segments = (1..).find(|_| pacer.sent(now, MSS, rate, MSS).is_some()).unwrap();
    assert_eq!(segments, 20);
}

#[test]
fn a_window_is_paced_at_twice_its_rate_in_slow_start_and_at_a_fifth_more_beyond() {
    let rtt = Duration::from_millis(100);
    assert_eq!(rate_of(100_000, u32::MAX, rtt), 2_000_000);
    assert_eq!(rate_of(100_000, 150_000, rtt), 1_200_000);
    assert!(rate_of(u32::MAX, 0, Duration::ZERO) > 0);
}
