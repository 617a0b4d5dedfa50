//! What the path says: ICMP errors and packet sizes (RFC 9293 §3.9.2.2, RFC 5927, RFC 1191).

mod common;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::connection::{Error, PathError};
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

/// Requirement: RFC9293-P22, RFC5681-R06, RFC9293-MUST-16
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
