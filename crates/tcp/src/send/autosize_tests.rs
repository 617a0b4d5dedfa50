use super::*;

fn segments(cwnd: u32, rtt: Duration) -> u32 {
    let path = Path {
        smss: 1000,
        cwnd: cwnd * 1000,
        ssthresh: u32::MAX,
        srtt: Some(rtt),
        rtt_min: Some(rtt),
        least: 2,
    };
    autosized(65_535, &path) / 1000
}

#[test]
fn a_slow_connection_sends_two_segments_at_a_time() {
    assert_eq!(segments(10, Duration::from_millis(100)), 2);
}

#[test]
fn a_near_peer_gets_large_bursts_but_half_of_the_window_at_most() {
    assert_eq!(segments(10, Duration::from_micros(200)), 5);
    assert_eq!(segments(1000, Duration::from_micros(200)), 65);
}

#[test]
fn a_fast_connection_sends_what_comes_in_a_millisecond() {
    // 1,000 segments in 20 ms, and twice as fast in slow start.
    assert_eq!(segments(1000, Duration::from_millis(20)), 65);
    assert_eq!(segments(100, Duration::from_millis(20)), 9);
}

#[test]
fn nothing_is_cut_before_the_path_is_known() {
    let path = Path { smss: 1000, cwnd: 10_000, ssthresh: 1, srtt: None, rtt_min: None, least: 2 };
    assert_eq!(autosized(65_535, &path), 65_535);
}
