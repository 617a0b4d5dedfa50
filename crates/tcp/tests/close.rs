//! Closing: one side first, both at once, half only (RFC 9293 §3.6, §3.10.4).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::State;
use handclasp_tcp::connection::{Error, Phase, Readiness};
use handclasp_wire::tcp::Flags;

fn fin_that_acks(b: &mut Bench, ack: u32) {
    let mut header = b.ack_header(ack);
    header.flags |= Flags::FIN;
    b.arrive(header, &[]);
    b.peer_nxt += 1;
}

/// Requirement: RFC9293-P06, RFC9293-P18, RFC9293-P48, RFC9293-MUST-12
///
/// S3.9: one direction closed, the other still carries data.
#[test]
fn after_our_close_the_peer_may_go_on_sending() {
    let mut b = Bench::open();
    b.shutdown();
    let fin = b.one();
    assert_eq!((flags(&fin).as_str(), fin.header.seq.0), ("F.", ISS + 1));
    assert_eq!(b.state(), State::FinWait1);
    b.ack(ISS + 2);
    assert_eq!(b.state(), State::FinWait2);
    b.data(b"still talking");
    assert_eq!(b.read(100), b"still talking");
    b.drain();
    b.fin();
    assert_eq!(b.state(), State::TimeWait);
    assert_eq!(b.one().header.ack.0, b.peer_nxt);
    assert_eq!(b.with(|c, cx| c.read(cx, &mut [0; 4])), Ok(Some(0)));
    assert_eq!(b.conn.error(), None);
}

/// Requirement: RFC9293-P32, RFC9293-P48, RFC9293-P06
#[test]
fn after_the_peers_close_we_may_go_on_sending() {
    let mut b = Bench::open();
    b.fin();
    assert_eq!(b.state(), State::CloseWait);
    assert_eq!(b.one().header.ack.0, IRS + 2);
    b.write(&[5; 2500]);
    b.shutdown();
    assert_eq!(b.state(), State::LastAck);
    let sent = b.drain();
    assert_eq!(ranges(&sent), [(ISS + 1, 1000), (ISS + 1001, 1000), (ISS + 2001, 500)]);
    assert_eq!(flags(&sent[2]), "FP.");
    b.ack(ISS + 2501);
    assert_eq!(b.state(), State::LastAck);
    b.ack(ISS + 2502);
    assert_eq!((b.state(), b.conn.phase()), (State::Closed, Phase::Closed));
    assert_eq!((b.conn.error(), b.budget.used()), (None, 0));
    assert!(b.ready(Readiness::FLUSHED | Readiness::OVER));
}

/// Requirement: RFC9293-P19, RFC9293-P48
#[test]
fn both_close_at_once() {
    let mut b = Bench::open();
    b.shutdown();
    b.drain();
    fin_that_acks(&mut b, ISS + 1);
    assert_eq!(b.state(), State::Closing);
    let ack = b.one();
    assert_eq!((flags(&ack).as_str(), ack.header.seq.0), (".", ISS + 2));
    b.ack(ISS + 2);
    assert_eq!(b.state(), State::TimeWait);
    assert!(matches!(b.conn.phase(), Phase::TimeWait(_)));
}

/// Requirement: RFC9293-P48
#[test]
fn a_fin_that_acknowledges_ours_leads_straight_to_time_wait() {
    let mut b = Bench::open();
    b.shutdown();
    b.drain();
    fin_that_acks(&mut b, ISS + 2);
    assert_eq!(b.state(), State::TimeWait);
    assert_eq!(b.one().header.ack.0, IRS + 2);
}

/// Requirement: RFC9293-P20, RFC6298-R16
#[test]
fn a_fin_is_sent_again_at_its_own_number_until_it_is_acknowledged() {
    let mut b = Bench::open();
    b.write(b"bye");
    b.shutdown();
    assert_eq!((flags(&b.one()), b.snd_nxt()), ("FP.".to_owned(), ISS + 5));
    b.ack(ISS + 4);
    for _ in 0..5 {
        b.until_deadline();
        let fin = b.one();
        assert_eq!((flags(&fin).as_str(), fin.header.seq.0), ("F.", ISS + 4));
    }
    b.ack(ISS + 5);
    assert_eq!(b.state(), State::FinWait2);
    assert_eq!(b.conn.next_deadline(), None);
}

/// S3.7: the FIN of a server that closes last is resent as configured, then a RST ends it.
#[test]
fn a_last_ack_that_never_comes_is_waited_for_and_then_given_up_with_a_rst() {
    let mut config = plain();
    config.orphan_retries = 10;
    let mut b = Bench::open_with(config, mss(1000));
    b.fin();
    b.drain();
    b.close();
    let seen = b.watch(Duration::from_secs(3600));
    let shown: String = seen.iter().map(|(_, t)| flags(t) + " ").collect();
    assert_eq!(shown, "F. ".repeat(11) + "R. ");
    assert!(seen[..11].iter().all(|(_, t)| t.header.seq.0 == ISS + 1));
    assert_eq!(seen[11].1.header.seq.0, ISS + 2);
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::TimedOut)));
}

/// Requirement: RFC9293-P27, RFC9293-P33
#[test]
fn everything_written_is_sent_before_the_fin_and_a_second_close_adds_none() {
    let mut b = Bench::open();
    assert_eq!(b.write(&[8; 60_000]), 60_000);
    b.shutdown();
    b.shutdown();
    let mut got = 0;
    let mut fins = 0;
    while b.state() == State::FinWait1 {
        for t in b.drain() {
            assert_eq!(t.header.seq.0, ISS + 1 + got);
            got += t.payload_len() as u32 + u32::from(t.header.flags.contains(Flags::FIN));
            fins += u32::from(t.header.flags.contains(Flags::FIN));
        }
        b.ack(ISS + 1 + got);
    }
    assert_eq!((got, fins), (60_001, 1));
    b.shutdown();
    b.close();
    assert_eq!(b.with(|c, cx| c.write(cx, b"x")), Err(Error::Closed));
    b.silent();
}

/// Requirement: RFC9293-P51
#[test]
fn a_fin_beyond_a_gap_waits_for_what_comes_before_it() {
    let mut b = Bench::open();
    let mut header = b.ack_header(ISS + 1);
    header.seq += 3;
    header.flags |= Flags::FIN;
    b.arrive(header, b"def");
    assert_eq!(b.state(), State::Established);
    assert_eq!(b.one().header.ack.0, IRS + 1, "one ACK for one segment");
    b.data(b"abc");
    assert_eq!(b.state(), State::CloseWait);
    assert_eq!(b.one().header.ack.0, IRS + 8);
    assert_eq!(b.read(10), b"abcdef");
    assert_eq!(b.with(|c, cx| c.read(cx, &mut [0; 4])), Ok(Some(0)));
}

/// Requirement: RFC9293-P51, RFC5681-R27
#[test]
fn a_bare_fin_beyond_a_gap_is_acknowledged_once_and_kept() {
    let mut b = Bench::open();
    let mut header = b.ack_header(ISS + 1);
    header.seq += 3;
    header.flags |= Flags::FIN;
    b.arrive(header, &[]);
    assert_eq!(b.one().header.ack.0, IRS + 1);
    b.data(b"abc");
    assert_eq!(b.state(), State::CloseWait);
}

/// Requirement: RFC9293-P50
#[test]
fn what_comes_after_the_peers_fin_is_ignored() {
    let mut b = Bench::open();
    b.fin();
    b.drain();
    let mut header = b.ack_header(ISS + 1);
    header.flags |= Flags::URG;
    header.urgent = 3;
    b.arrive(header, b"more");
    assert_eq!((b.state(), b.conn.info().unread), (State::CloseWait, 0));
    assert!(!b.ready(Readiness::URGENT));
    assert_eq!(b.conn.rcv_nxt().0, IRS + 2);
}

/// A peer that lies about where its stream ends must not confuse us.
/// Requirement: RFC9293-P50, RFC9293-P51
#[test]
fn a_fin_in_the_midst_of_what_was_sent_already_ends_nothing() {
    let mut b = Bench::open();
    b.data_at(IRS + 11, b"0123456789");
    let mut header = b.ack_header(ISS + 1);
    header.flags |= Flags::FIN;
    b.arrive(header, b"abc");
    b.peer_nxt += 3;
    assert_eq!(b.state(), State::Established);
    b.data(b"defghij");
    assert_eq!(b.read(100), b"abcdefghij0123456789");
    assert!(!b.ready(Readiness::READABLE));
    b.peer_nxt = IRS + 21;
    b.fin();
    assert_eq!(b.state(), State::CloseWait);
}

/// Requirement: RFC9293-P50
#[test]
fn text_behind_a_fin_that_waits_is_cut_off() {
    let mut b = Bench::open();
    let mut header = b.ack_header(ISS + 1);
    header.seq += 3;
    header.flags |= Flags::FIN;
    b.arrive(header, &[]);
    b.data(b"abcdef");
    assert_eq!(b.read(10), b"abc");
    assert_eq!(b.state(), State::CloseWait);
}

/// Requirement: RFC9293-P14
#[test]
fn a_repeated_fin_is_acknowledged_again() {
    let mut b = Bench::open();
    b.fin();
    b.drain();
    b.peer_nxt -= 1;
    b.fin();
    assert_eq!(b.one().header.ack.0, IRS + 2);
    assert_eq!(b.state(), State::CloseWait);
}

/// Requirement: RFC9293-MUST-12, RFC9293-P51
#[test]
fn data_in_front_of_a_fin_is_read_before_the_end_of_the_stream() {
    let mut b = Bench::open();
    let mut header = b.ack_header(ISS + 1);
    header.flags |= Flags::FIN;
    b.arrive(header, b"last");
    assert_eq!(b.state(), State::CloseWait);
    assert_eq!(b.read(2), b"la");
    assert_eq!(b.read(9), b"st");
    assert_eq!(b.with(|c, cx| c.read(cx, &mut [0; 4])), Ok(Some(0)));
    assert_eq!(b.with(|c, cx| c.read_bytes(cx, 9)), Ok(Some(bytes::Bytes::new())));
}

/// Requirement: RFC9293-P27
#[test]
fn a_full_close_delivers_what_was_written_and_leaves_fin_wait_2_in_the_end() {
    let mut b = Bench::open();
    b.write(b"goodbye");
    b.close();
    assert_eq!(flags(&b.one()), "FP.");
    b.ack(ISS + 9);
    assert_eq!(b.state(), State::FinWait2);
    assert_eq!(b.until_deadline(), Duration::from_secs(60));
    assert_eq!((b.state(), b.conn.error()), (State::Closed, None));
    b.silent();
}

/// Requirement: RFC9293-P18
#[test]
fn a_half_closed_connection_waits_for_its_peer_without_end() {
    let mut b = Bench::open();
    b.shutdown();
    b.drain();
    b.ack(ISS + 2);
    assert!(b.watch(Duration::from_secs(1_000_000)).is_empty());
    assert_eq!(b.state(), State::FinWait2);
}

/// Requirement: RFC9293-P20
#[test]
fn a_lost_last_segment_and_its_fin_come_again_together() {
    let mut b = Bench::open();
    b.write(&[1; 1000]);
    b.shutdown();
    assert_eq!(flags(&b.one()), "FP.");
    b.until_deadline();
    let again = b.drain();
    let numbers: u32 = again.iter().map(|t| t.header.seg_len(t.payload_len())).sum();
    assert_eq!((again[0].header.seq.0, numbers <= 1001), (ISS + 1, true));
    b.ack(ISS + 1001);
    let fin = b.watch(SECOND);
    assert_eq!((flags(&fin[0].1).as_str(), fin[0].1.header.seq.0), ("F.", ISS + 1001));
    b.ack(ISS + 1002);
    assert_eq!(b.state(), State::FinWait2);
}
