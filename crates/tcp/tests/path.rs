//! What the path says: ICMP errors and packet sizes (RFC 9293 §3.9.2.2, RFC 5927, RFC 1191).

mod common;

use common::*;
use handclasp_tcp::connection::{Error, PathError};
use handclasp_tcp::{State, Transmit};
use handclasp_wire::seq::SeqNumber;

const SOFT: [PathError; 4] = [
    PathError::NoRoute,
    PathError::HostUnreachable,
    PathError::TimeExceeded,
    PathError::ParameterProblem,
];
const HARD: [PathError; 3] =
    [PathError::ProtocolUnreachable, PathError::PortUnreachable, PathError::Prohibited];

fn report(b: &mut Bench, error: PathError, seq: u32) {
    b.with(|c, cx| c.path_error(cx, error, SeqNumber(seq)));
}

/// Requirement: RFC9293-MUST-56, RFC9293-MUST-47, RFC9293-SHLD-25
#[test]
fn soft_errors_end_nothing_and_are_told_when_asked() {
    for error in SOFT {
        let mut b = Bench::connecting(plain());
        b.drain();
        report(&mut b, error, ISS);
        assert_eq!(b.state(), State::SynSent);
        assert_eq!(b.conn.info().soft_error, Some(error));
        b.syn_ack(mss(1000));
        b.write(b"x");
        b.drain();
        report(&mut b, error, ISS + 1);
        assert_eq!((b.state(), b.conn.error()), (State::Established, None));
    }
}

/// Requirement: RFC9293-SHLD-26, RFC1122-R08
#[test]
fn hard_errors_end_an_attempt_to_open() {
    for error in HARD {
        let mut b = Bench::connecting(plain());
        b.drain();
        report(&mut b, error, ISS);
        assert_eq!(b.state(), State::Closed);
        let refused = !matches!(error, PathError::Prohibited);
        let expected = if refused { Error::Refused } else { Error::Unreachable(error) };
        assert_eq!(b.conn.error(), Some(expected));
        b.silent();
    }
}

/// Requirement: RFC5927-P02, RFC9293-SHLD-26
#[test]
fn hard_errors_do_not_end_an_open_connection() {
    for error in HARD {
        let mut b = Bench::open();
        b.write(b"x");
        b.drain();
        report(&mut b, error, ISS + 1);
        assert_eq!((b.state(), b.conn.error()), (State::Established, None));
        assert_eq!(b.conn.info().soft_error, Some(error));
        b.ack(ISS + 2);
        assert_eq!(b.conn.info().in_flight, 0);
    }
}

/// Requirement: RFC5927-P01, RFC9293-MUST-54
#[test]
fn an_error_about_what_is_not_in_flight_is_not_believed() {
    let mut b = Bench::connecting(plain());
    b.drain();
    for seq in [ISS - 1, ISS + 1, ISS + 5000] {
        report(&mut b, PathError::PortUnreachable, seq);
        assert_eq!((b.state(), b.conn.info().soft_error), (State::SynSent, None));
    }
    let mut b = Bench::open();
    b.write(&[0; 1000]);
    b.drain();
    for seq in [ISS, ISS + 1001] {
        report(&mut b, PathError::PacketTooBig { mtu: 600 }, seq);
        assert_eq!(b.conn.info().path_mtu, 1500);
    }
}

/// Requirement: RFC9293-MUST-47
#[test]
fn a_connection_that_times_out_says_what_the_path_said() {
    let mut b = Bench::open();
    b.write(b"x");
    b.drain();
    report(&mut b, PathError::HostUnreachable, ISS + 1);
    b.watch(5000 * SECOND);
    let expected = Error::Unreachable(PathError::HostUnreachable);
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(expected)));
}

/// Requirement: RFC9293-P22, RFC5681-R06, RFC9293-MUST-16, RFC1191-P08, RFC7323-R34
#[test]
fn a_smaller_path_cuts_what_is_in_flight_anew_at_once_and_is_no_congestion() {
    let mut b = Bench::open_with(plain(), mss(1460));
    b.write(&[0; 50_000]);
    let flight = b.drain().len() * 1460;
    let cwnd = b.conn.info().cwnd;
    report(&mut b, PathError::PacketTooBig { mtu: 1000 }, ISS + 1);
    let info = b.conn.info();
    assert_eq!((info.path_mtu, info.mss, info.cwnd), (1000, 960, cwnd));
    let mut end = ISS + 1;
    let mut una = ISS + 1;
    for _ in 0..200 {
        for t in b.drain() {
            assert!(t.payload_len() <= 960);
            assert!(t.header.seq.0 <= end);
            end = end.max(t.header.seq.0 + t.payload_len() as u32);
        }
        if end as usize >= ISS as usize + 1 + flight {
            break;
        }
        una = end.max(una);
        b.ack(una);
    }
    assert!(b.conn.info().in_flight as usize <= flight.max(b.conn.info().cwnd as usize));
    assert_eq!(b.conn.info().statistics.timeouts, 0);
}

/// Requirement: RFC5927-P05
#[test]
fn a_report_of_a_larger_path_changes_nothing() {
    let mut b = Bench::open_with(plain(), mss(1460));
    b.write(b"x");
    b.drain();
    report(&mut b, PathError::PacketTooBig { mtu: 9000 }, ISS + 1);
    assert_eq!((b.conn.info().path_mtu, b.conn.info().mss), (1500, 1460));
    b.silent();
}

/// Requirement: RFC9293-P22
#[test]
fn no_report_makes_segments_smaller_than_any_path_needs() {
    let mut b = Bench::open_with(plain(), mss(1460));
    b.write(&[0; 5000]);
    b.drain();
    for mtu in [0, 1, 68] {
        report(&mut b, PathError::PacketTooBig { mtu }, ISS + 1);
        assert_eq!(b.conn.info().path_mtu, 552);
    }
}

/// Requirement: RFC9293-MUST-16
#[test]
fn a_path_that_grows_again_is_used() {
    let mut b = Bench::open_with(plain(), mss(1460));
    b.with(|c, cx| c.set_path_mtu(cx, 1000));
    b.write(&[0; 3000]);
    assert_eq!(b.drain()[0].payload_len(), 960);
    b.with(|c, cx| c.set_path_mtu(cx, 1500));
    b.ack(b.snd_nxt());
    b.write(&[0; 3000]);
    assert_eq!(b.drain()[0].payload_len(), 1460);
}

#[test]
fn a_smaller_path_is_known_before_the_first_segment() {
    let mut b = Bench::connecting(plain());
    b.drain();
    report(&mut b, PathError::PacketTooBig { mtu: 700 }, ISS);
    b.syn_ack(mss(1460));
    b.write(&[0; 3000]);
    assert!(b.drain().iter().all(|t| t.payload_len() <= 660));
}

#[test]
fn a_lost_neighbour_ends_an_attempt_and_not_a_connection() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.with(|c, cx| c.host_unreachable(cx));
    let expected = Error::Unreachable(PathError::HostUnreachable);
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(expected)));
    let mut b = Bench::open();
    b.with(|c, cx| c.host_unreachable(cx));
    assert_eq!((b.state(), b.conn.error()), (State::Established, None));
}

/// Requirement: RFC5681-R24
#[test]
fn after_idling_the_window_is_counted_in_the_segments_of_today() {
    let mut config = plain();
    config.initial_window = 1;
    let mut b = Bench::connecting(config);
    b.drain();
    b.with(|c, cx| c.set_path_mtu(cx, 600));
    b.syn_ack(mss(1460));
    b.write(&[0; 560]);
    b.drain();
    b.ack(b.snd_nxt());
    b.with(|c, cx| c.set_path_mtu(cx, 1500));
    b.advance(10 * SECOND);
    b.write(&[0; 1460]);
    assert_eq!(b.one().payload_len(), 1460);
}

/// Requirement: RFC1191-R01, RFC1191-R02, RFC1191-P07, RFC1191-R06, RFC8201-P04
#[test]
fn of_a_burst_of_reports_the_first_resends_and_none_raises_the_estimate() {
    let mut b = Bench::open_with(plain(), mss(1460));
    b.write(&[0; 14_600]);
    assert_eq!(b.drain().len(), 10);
    for mtu in [1000, 1000, 1400, 9000, 1000] {
        report(&mut b, PathError::PacketTooBig { mtu }, ISS + 1);
    }
    assert_eq!(b.conn.info().path_mtu, 1000);
    let resent: usize = b.drain().iter().map(Transmit::payload_len).sum();
    assert!(resent <= 14_600, "each byte once: {resent}");
    report(&mut b, PathError::PacketTooBig { mtu: 1000 }, ISS + 1);
    b.silent();
}

/// Requirement: RFC1191-R04, RFC1191-R05
#[test]
fn a_report_without_a_size_leaves_a_size_that_every_path_carries() {
    let mut b = Bench::open_with(plain(), mss(1460));
    b.write(&[0; 3000]);
    b.drain();
    report(&mut b, PathError::PacketTooBig { mtu: 0 }, ISS + 1);
    assert!((68..=576).contains(&b.conn.info().path_mtu));
    assert!(!b.drain().is_empty());
}

/// Requirement: RFC8201-P01, RFC8201-P02, RFC8201-P03, RFC8201-P06, RFC8201-P07
#[test]
fn an_ipv6_path_never_carries_less_than_1280_bytes() {
    let mut b = Bench::connecting_on(tuple_v6(), plain());
    b.drain();
    b.syn_ack(mss(1400));
    b.write(&[0; 9000]);
    assert!(b.drain().iter().all(|t| t.payload_len() <= 1400));
    report(&mut b, PathError::PacketTooBig { mtu: 600 }, ISS + 1);
    report(&mut b, PathError::PacketTooBig { mtu: 1300 }, ISS - 1);
    assert_eq!(b.conn.info().path_mtu, 1500);
    b.silent();
    report(&mut b, PathError::PacketTooBig { mtu: 1300 }, ISS + 1);
    assert_eq!(b.conn.info().path_mtu, 1300);
    let resent = b.drain();
    assert!(!resent.is_empty() && resent.iter().all(|t| t.payload_len() <= 1240));
}

/// Requirement: RFC1191-P09
#[test]
fn what_the_path_carries_does_not_alter_the_mss_we_announce() {
    let mut b = Bench::connecting(plain());
    assert_eq!(b.one().header.options.mss, Some(1460));
    report(&mut b, PathError::PacketTooBig { mtu: 1000 }, ISS);
    b.until_deadline();
    assert_eq!(b.one().header.options.mss, Some(1460));
}
