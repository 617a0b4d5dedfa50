//! Small segments: Nagle's rule, PSH, and how the text is cut (RFC 9293 §3.7.4, §3.9.1.2).

mod common;

use common::*;
use handclasp_tcp::State;
use handclasp_wire::tcp::{Flags, Options};

/// Requirement: RFC9293-SHLD-7, RFC9293-MUST-60
#[test]
fn one_small_segment_is_in_flight_at_a_time_and_the_rest_is_merged() {
    let mut b = Bench::open();
    for _ in 0..10 {
        b.write(b"x");
        b.drain();
    }
    assert_eq!(b.snd_nxt(), ISS + 2);
    b.ack(ISS + 2);
    assert_eq!(ranges(&b.drain()), [(ISS + 2, 9)]);
}

/// Requirement: RFC9293-SHLD-7, RFC9293-SHLD-28
#[test]
fn a_full_segment_does_not_wait_for_a_small_one() {
    let mut b = Bench::open();
    b.write(b"x");
    b.drain();
    b.write(&[1; 1500]);
    assert_eq!(ranges(&b.drain()), [(ISS + 2, 1000)]);
}

/// Minshall's form: the tail of a large write need not wait for its full segments.
/// Requirement: RFC9293-SHLD-7, RFC9293-SHLD-28
#[test]
fn the_tail_of_a_large_write_leaves_with_it() {
    let mut b = Bench::open();
    b.write(&[1; 2500]);
    assert_eq!(ranges(&b.drain()), [(ISS + 1, 1000), (ISS + 1001, 1000), (ISS + 2001, 500)]);
}

/// Requirement: RFC9293-MUST-17
#[test]
fn with_nodelay_small_writes_leave_at_once() {
    let mut b = Bench::open();
    b.conn.set_nodelay(true);
    for _ in 0..5 {
        b.write(b"x");
        assert_eq!(b.one().payload_len(), 1);
    }
    b.conn.set_nodelay(false);
    b.write(b"x");
    b.silent();
}

/// Requirement: RFC9293-MUST-60, RFC9293-MUST-40
#[test]
fn a_write_write_read_ends_with_the_peers_delayed_ack_at_worst() {
    let mut b = Bench::open();
    b.write(b"first");
    b.drain();
    b.write(b"second");
    b.silent();
    // The peer delays its ACK; nothing of ours may have timed out by then.
    b.advance(199 * MS);
    b.silent();
    b.ack(ISS + 6);
    assert_eq!(text(&b.one()), b"second");
}

/// Requirement: RFC9293-MUST-61, RFC9293-SHLD-27
#[test]
fn the_segment_that_empties_the_queue_is_pushed_and_no_other() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 0);
    for _ in 0..25 {
        b.write(&[2; 100]);
    }
    b.silent();
    b.ack_with_window(ISS + 1, 20_000);
    let all = b.drain();
    let pushed: Vec<_> = all.iter().map(|t| t.header.flags.contains(Flags::PSH)).collect();
    assert_eq!(pushed, [false, false, true]);
}

/// Requirement: RFC9293-MUST-16, RFC9293-P21, RFC9293-SHLD-28
#[test]
fn options_that_every_segment_has_are_taken_off_the_segment_size() {
    let mut b = Bench::open_modern();
    b.write(&[1; 5000]);
    let all = b.drain();
    assert!(all[..5].iter().all(|t| t.payload_len() == 988), "{:?}", ranges(&all));
}

/// Requirement: RFC9293-MUST-16, RFC9293-MUST-14
#[test]
fn segments_fit_the_lesser_of_the_peers_mss_and_the_path() {
    for (peer, expected) in [(600, 600), (1460, 1460), (9000, 1460)] {
        let mut b = Bench::open_with(plain(), mss(peer));
        b.write(&[1; 20_000]);
        assert!(b.drain().iter().all(|t| t.payload_len() <= expected));
        assert_eq!(usize::from(b.conn.info().mss), expected);
    }
}

#[test]
fn the_largest_segment_that_the_application_allows_is_announced_and_sent() {
    let mut config = plain();
    config.max_segment_size = Some(700);
    let mut b = Bench::connecting(config);
    assert_eq!(b.one().header.options.mss, Some(700));
    b.syn_ack(mss(1460));
    b.write(&[1; 5000]);
    assert!(b.drain().iter().all(|t| t.payload_len() <= 700));
}

/// Requirement: RFC9293-MUST-16
#[test]
fn absurd_segment_sizes_are_survived() {
    for peer in [0, 1, 47, 48, 60] {
        let mut b = Bench::open_with(plain(), mss(peer));
        b.write(&[1; 200]);
        let all = b.drain();
        assert!(all.iter().all(|t| t.payload_len() <= 60), "MSS {peer}: {:?}", ranges(&all));
        let mut b = Bench::open_with(
            handclasp_tcp::Config::default(),
            Options { mss: Some(peer), ..modern() },
        );
        b.write(&[1; 200]);
        assert!(!b.drain().is_empty());
    }
}

/// Requirement: RFC9293-MUST-65, RFC2018-R01
#[test]
fn options_of_a_syn_stand_on_no_other_segment() {
    let mut b = Bench::open_modern();
    b.write(&[1; 3000]);
    let mut all = b.drain();
    b.data_at(b.peer_nxt + 5, b"gap");
    all.extend(b.drain());
    b.shutdown();
    all.extend(b.watch(SECOND).into_iter().map(|(_, t)| t));
    b.with(|c, cx| c.abort(cx));
    all.extend(b.drain());
    assert!(all.len() > 5);
    for t in all {
        let o = t.header.options;
        assert_eq!((o.mss, o.window_scale, o.sack_permitted), (None, None, false));
    }
}

#[test]
fn a_write_of_nothing_sends_nothing() {
    let mut b = Bench::open();
    assert_eq!(b.write(b""), 0);
    b.silent();
    assert_eq!(b.conn.next_deadline(), None);
}

/// Requirement: RFC9293-MUST-48, RFC9293-SHLD-21, RFC9293-SHLD-22, RFC9293-MUST-49
#[test]
fn the_differentiated_services_field_and_the_ttl_may_change_on_the_way() {
    let mut config = plain();
    config.dscp = 10;
    config.ttl = 7;
    let mut b = Bench::connecting(config);
    let ip = b.one().ip;
    assert_eq!((ip.traffic_class, ip.ttl), (10 << 2, 7));
    b.syn_ack(mss(1000));
    assert_eq!(b.one().ip, ip);
    b.conn.set_dscp(46);
    b.conn.set_ttl(64);
    b.write(b"x");
    let ip = b.one().ip;
    assert_eq!((ip.traffic_class, ip.ttl), (46 << 2, 64));
    b.with(|c, cx| c.abort(cx));
    assert_eq!(b.one().ip, ip);
}

/// Requirement: RFC1122-R04
#[test]
fn a_packet_never_leaves_with_a_ttl_of_zero() {
    let mut b = Bench::open();
    b.conn.set_ttl(0);
    b.write(b"x");
    assert_eq!(b.one().ip.ttl, 1);
}

/// Where the budget is used up, a writer waits for acknowledgments; it does not spin.
#[test]
fn a_writer_that_got_no_memory_is_not_told_to_write() {
    use handclasp_tcp::Budget;
    use handclasp_tcp::connection::Readiness;
    let mut b = Bench::open();
    b.budget = Budget::new(5000);
    b.peer_wnd = 65_535;
    assert_eq!(b.write(&[0; 9000]), 5000);
    assert_eq!(b.write(&[0; 9000]), 0);
    assert!(!b.ready(Readiness::WRITABLE));
    b.drain();
    b.ack(ISS + 2001);
    assert!(b.ready(Readiness::WRITABLE));
    assert!(b.write(&[0; 9000]) > 0);
    assert_eq!(b.state(), State::Established);
}
