use super::*;

fn allowed(rate: &mut Rate, tries: usize, now: Instant) -> usize {
    (0..tries).filter(|_| rate.allows(now)).count()
}

#[test]
fn a_second_s_worth_goes_at_once_and_then_it_trickles() {
    let mut rate = Rate::new(100);
    assert_eq!(allowed(&mut rate, 1000, Instant::ZERO), 100);
    assert_eq!(allowed(&mut rate, 1000, Instant::from_millis(50)), 5);
    assert_eq!(allowed(&mut rate, 1000, Instant::from_millis(60_000)), 100);
}

#[test]
fn a_rate_of_zero_forbids_all() {
    assert_eq!(allowed(&mut Rate::new(0), 10, Instant::from_millis(5000)), 0);
}
