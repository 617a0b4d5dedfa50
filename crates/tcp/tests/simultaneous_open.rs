//! Both sides open at once (RFC 9293 §3.5, figure 7).

mod common;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use common::*;
use handclasp_tcp::connection::Error;
use handclasp_tcp::opening::Opening;
use handclasp_tcp::{Budget, Config, Connection, Context, State, Transmit};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;

fn crossing_syn_ack(b: &Bench, options: Options) -> Header {
    let mut header = b.ack_header(ISS + 1);
    header.seq = SeqNumber(IRS);
    header.flags |= Flags::SYN;
    header.options = options;
    header
}

/// Requirement: RFC9293-MUST-10, RFC9293-P39
#[test]
fn a_crossing_syn_is_answered_with_the_same_number_and_an_ack() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.arrive(syn(mss(1000)), &[]);
    assert_eq!(b.state(), State::SynReceived);
    let reply = b.one();
    assert_eq!((flags(&reply).as_str(), reply.header.seq.0), ("S.", ISS));
    assert_eq!(reply.header.ack.0, IRS + 1);
    let header = crossing_syn_ack(&b, mss(1000));
    b.arrive(header, &[]);
    assert_eq!(b.state(), State::Established);
    b.peer_nxt = IRS + 1;
    b.data(b"hello");
    assert_eq!(b.read(10), b"hello");
}

/// Requirement: RFC9293-MUST-10
#[test]
fn a_plain_ack_completes_a_simultaneous_open_as_well() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.arrive(syn(mss(1000)), &[]);
    b.drain();
    b.peer_nxt = IRS + 1;
    b.ack(ISS + 1);
    assert_eq!(b.state(), State::Established);
}

/// Requirement: RFC9293-MUST-10
#[test]
fn a_crossing_syn_met_before_ours_left_is_answered_once() {
    let mut b = Bench::connecting(plain());
    b.arrive(syn(mss(1000)), &[]);
    assert_eq!(flags(&b.one()), "S.");
    assert_eq!(b.state(), State::SynReceived);
}

/// Both segments came in one batch, so that our SYN-ACK never left.
/// Requirement: RFC9293-MUST-10, RFC9293-P08
#[test]
fn a_crossing_syn_and_the_syn_ack_behind_it_are_acknowledged_at_once() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.arrive(syn(mss(1000)), &[]);
    let header = crossing_syn_ack(&b, mss(1000));
    b.arrive(header, &[]);
    let ack = b.one();
    assert_eq!((flags(&ack).as_str(), ack.header.ack.0), (".", IRS + 1));
    assert_eq!(b.state(), State::Established);
}

/// Requirement: RFC7323-R04
#[test]
fn the_window_of_a_crossing_syn_ack_is_not_scaled() {
    let mut config = plain();
    config.window_scaling = true;
    let options = Options { window_scale: Some(7), ..mss(1000) };
    let mut b = Bench::connecting(config);
    b.drain();
    b.arrive(syn(options.clone()), &[]);
    b.drain();
    b.peer_wnd = 1000;
    let header = crossing_syn_ack(&b, options);
    b.arrive(header, &[]);
    assert_eq!(b.conn.info().snd_wnd, 1000);
}

/// RFC 6298 §5.7 speaks of SYNs that timed out; a SYN-ACK that follows a SYN at once did not.
/// Requirement: RFC6298-R17
#[test]
fn a_simultaneous_open_without_loss_keeps_the_first_timeout() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.arrive(syn(mss(1000)), &[]);
    b.drain();
    let header = crossing_syn_ack(&b, mss(1000));
    b.arrive(header, &[]);
    b.write(b"x");
    b.drain();
    assert_eq!(b.until_deadline(), SECOND);
}

/// Requirement: RFC9293-MUST-11, RFC9293-P17
#[test]
fn a_rst_in_an_active_syn_received_is_reported_as_refused() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.arrive(syn(mss(1000)), &[]);
    b.drain();
    b.rst(IRS + 1);
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::Refused)));
    b.silent();
}

/// Requirement: RFC9293-P45
#[test]
fn a_wrong_acknowledgment_in_syn_received_draws_a_rst_and_changes_nothing() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.arrive(syn(mss(1000)), &[]);
    b.drain();
    b.peer_nxt = IRS + 1;
    b.ack(ISS + 2);
    let rst = b.one();
    assert_eq!((flags(&rst).as_str(), rst.header.seq.0), ("R", ISS + 2));
    assert_eq!(b.state(), State::SynReceived);
}

/// Our SYN-ACK is lost: the peer's SYN-ACK comes again and is acknowledged.
#[test]
fn a_repeated_syn_ack_of_a_peer_that_missed_ours_is_acknowledged() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.arrive(syn(mss(1000)), &[]);
    b.drain();
    let header = crossing_syn_ack(&b, mss(1000));
    b.arrive(header.clone(), &[]);
    b.drain();
    b.arrive(header, &[]);
    let ack = b.one();
    assert_eq!((flags(&ack).as_str(), ack.header.seq.0), (".", ISS + 1));
    assert_eq!(ack.header.ack.0, IRS + 1);
}

/// Two of ours open at each other over a wire that loses the segments with these numbers.
fn cross(config: &Config, lost: u32) -> [Connection; 2] {
    let budget = Budget::default();
    let mut now = Instant::from_millis(10);
    let cx = Context::new(now, &budget);
    let config = Arc::new(config.clone());
    let other = Opening { iss: SeqNumber(u32::MAX), timestamp_offset: 5, ..opening() };
    let mut ends = [
        Connection::connect(config.clone(), tuple(), opening(), &cx),
        Connection::connect(config, tuple().reversed(), other, &cx),
    ];
    let mut count = 0;
    for _ in 0..200 {
        let cx = Context::new(now, &budget);
        let mut wire: VecDeque<(usize, Transmit)> = VecDeque::new();
        for (i, end) in ends.iter_mut().enumerate() {
            while let Some(t) = end.poll_transmit(&cx, 0) {
                if count >= 32 || lost & (1 << count) == 0 {
                    wire.push_back((1 - i, t));
                }
                count += 1;
            }
        }
        now += MS;
        let cx = Context::new(now, &budget);
        if wire.is_empty() {
            let Some(next) = ends.iter().filter_map(Connection::next_deadline).min() else { break };
            now = now.max(next);
            let cx = Context::new(now, &budget);
            for end in &mut ends {
                if end.next_deadline().is_some_and(|d| d <= now) {
                    end.deadline_passed(&cx);
                }
            }
        }
        for (to, t) in wire {
            ends[to].segment_arrives(&cx, &t.header, Bytes::from(text(&t)));
        }
    }
    ends
}

/// Requirement: RFC9293-MUST-10
#[test]
fn two_of_ours_open_at_each_other_whichever_of_the_first_segments_are_lost() {
    for config in [plain(), Config::default()] {
        for lost in 0..64 {
            let ends = cross(&config, lost);
            for end in &ends {
                assert_eq!(end.state(), State::Established, "lost {lost:06b}");
            }
            assert_eq!(ends[0].rcv_nxt(), ends[1].snd_nxt());
            assert_eq!(ends[1].rcv_nxt(), ends[0].snd_nxt());
        }
    }
}
