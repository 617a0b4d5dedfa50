//! Opening, actively and passively (RFC 9293 §3.5, §3.10.7.2 to §3.10.7.4).

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use handclasp_tcp::connection::{Error, Readiness};
use handclasp_tcp::half_open::{Expiry, HalfOpen, Verdict};
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;

const NOW: Instant = Instant::from_millis(1000);

fn judge(config: &Config, half_open: &HalfOpen, header: &Header, len: usize) -> Verdict {
    half_open.segment_arrives(config, &tuple(), header, len, &cx_at(NOW))
}

fn third() -> Header {
    Header { seq: SeqNumber(IRS + 1), ack: SeqNumber(ISS + 1), flags: Flags::ACK, ..syn_ports() }
}

fn syn_ports() -> Header {
    Header { window: 65_535, ..Header { options: Options::default(), ..syn(Options::default()) } }
}

/// Requirement: RFC9293-P06, RFC9293-P08, RFC9293-MUST-14, RFC9293-SHLD-5
#[test]
fn an_active_open_takes_three_segments() {
    let mut b = Bench::connecting(plain());
    let syn = b.one();
    assert_eq!((flags(&syn).as_str(), syn.header.seq.0, syn.header.ack.0), ("S", ISS, 0));
    assert_eq!(syn.header.options.mss, Some(1460));
    assert_eq!(b.state(), State::SynSent);
    b.syn_ack(mss(1000));
    let ack = b.one();
    assert_eq!((flags(&ack).as_str(), ack.header.seq.0, ack.header.ack.0), (".", ISS + 1, IRS + 1));
    assert_eq!(b.state(), State::Established);
    assert!(b.ready(Readiness::CONNECTED | Readiness::WRITABLE));
    assert_eq!(b.conn.next_deadline(), None);
}

/// Requirement: RFC9293-P06, RFC9293-P08, RFC9293-MUST-14, RFC9293-SHLD-5, RFC7323-R05
#[test]
fn a_passive_open_answers_with_the_options_that_were_offered_only() {
    let config = Config::default();
    let h = half_open(&config, mss(1000), NOW);
    let reply = h.syn_ack(&config, &tuple(), &cx_at(NOW));
    assert_eq!(reply.flags, Flags::SYN | Flags::ACK);
    assert_eq!((reply.seq.0, reply.ack.0), (ISS, IRS + 1));
    assert_eq!(reply.options, mss(1460));
    let h = half_open(&config, modern(), NOW);
    let reply = h.syn_ack(&config, &tuple(), &cx_at(NOW));
    assert_eq!(reply.options.window_scale, Some(config.window_scale()));
    assert!(reply.options.sack_permitted);
    assert_eq!(reply.options.timestamps, Some(Timestamps { value: 8000, echo: 100 }));
    assert_eq!(
        judge(&plain(), &half_open(&plain(), mss(1000), NOW), &third(), 0),
        Verdict::Complete
    );
}

/// S0.3, S1.8: the request may ride in the third packet itself.
#[test]
fn data_in_the_third_packet_is_delivered() {
    let mut b = Bench::connecting(plain());
    let h = half_open(&plain(), mss(1000), b.now);
    assert_eq!(judge(&plain(), &h, &third(), 3), Verdict::Complete);
    b.conn = b.with(|_, cx| h.complete(Arc::new(plain()), tuple(), cx));
    b.arrive(Header { flags: Flags::ACK | Flags::PSH, ..third() }, b"GET");
    assert_eq!(b.state(), State::Established);
    assert_eq!(b.read(10), b"GET");
    assert_eq!(b.one().header.ack.0, IRS + 4);
}

/// S0.4, S0.5: the bare ACK never came, or comes after the data that completed the handshake.
#[test]
fn data_instead_of_the_third_packet_completes_the_handshake_and_the_late_ack_does_no_harm() {
    let mut b = Bench::connecting(plain());
    let h = half_open(&plain(), mss(1000), b.now);
    b.conn = b.with(|_, cx| h.complete(Arc::new(plain()), tuple(), cx));
    b.arrive(Header { flags: Flags::ACK | Flags::PSH, ..third() }, b"GET");
    b.peer_nxt = IRS + 4;
    b.drain();
    b.arrive(third(), &[]);
    assert_eq!(b.state(), State::Established);
    assert_eq!(b.read(10), b"GET");
    assert!(b.drain().iter().all(|t| flags(t) == "." && t.header.ack.0 == IRS + 4));
    b.write(b"200 OK");
    assert_eq!(text(&b.one()), b"200 OK");
}

/// The third packet and the data are lost both: the data's retransmission opens.
#[test]
fn a_retransmitted_request_completes_a_handshake_whose_ack_was_lost() {
    let config = plain();
    let mut h = half_open(&config, mss(1000), NOW);
    let at = NOW + SECOND;
    assert_eq!(h.deadline_passed(&config, &tuple(), &cx_at(at)), Expiry::Resend);
    assert_eq!(h.syn_ack(&config, &tuple(), &cx_at(at)).seq.0, ISS);
    assert_eq!(judge(&config, &h, &third(), 100), Verdict::Complete);
}

/// Requirement: RFC1122-R11, RFC6298-R02, RFC6298-R16
///
/// S2.3: 1, 2, 4, 8, 16 and 32 s, 63 s in all.
#[test]
fn a_syn_ack_without_an_answer_is_resent_five_times_and_forgotten_after_63_seconds() {
    let config = Config::default();
    let mut h = half_open(&config, mss(1000), NOW);
    let mut at = NOW;
    for wait in [1, 2, 4, 8, 16, 32] {
        assert_eq!(h.deadline(), at + wait * SECOND);
        assert_eq!(h.deadline_passed(&config, &tuple(), &cx_at(h.deadline() - MS)), Expiry::Wait);
        at = h.deadline();
        let expected = if wait == 32 { Expiry::GiveUp } else { Expiry::Resend };
        assert_eq!(h.deadline_passed(&config, &tuple(), &cx_at(at)), expected);
    }
    assert_eq!(at - NOW, 63 * SECOND);
    assert_eq!(h.retransmits(), 5);
}

fn syn_times(linear: u8) -> (Vec<u64>, Duration) {
    let mut config = plain();
    config.syn_linear_timeouts = linear;
    let mut b = Bench::connecting(config);
    let seen = b.watch(Duration::from_secs(1000));
    assert!(seen.iter().all(|(_, t)| flags(t) == "S" && t.header.seq.0 == ISS));
    assert_eq!(b.state(), State::Closed);
    assert_eq!(b.conn.error(), Some(Error::HandshakeTimedOut));
    assert!(b.ready(Readiness::CONNECTED | Readiness::OVER));
    let times: Vec<_> = seen.iter().map(|(at, _)| *at).collect();
    let waits = times.windows(2).map(|w| (w[1] - w[0]).as_secs()).collect();
    (waits, *times.last().unwrap())
}

/// Requirement: RFC9293-MUST-22, RFC9293-MUST-23, RFC1122-R11, RFC6298-R02, RFC6298-R16
#[test]
fn an_unanswered_syn_waits_four_seconds_more_before_its_waits_double() {
    let (waits, last) = syn_times(4);
    assert_eq!(waits, [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]);
    assert_eq!(last.as_secs(), 131);
}

/// Requirement: RFC9293-MUST-22, RFC9293-MUST-23, RFC6298-R16
#[test]
fn without_linear_timeouts_the_waits_of_a_syn_double_from_the_first() {
    assert_eq!(syn_times(0).0, [1, 2, 4, 8, 16, 32, 64]);
}

/// Requirement: RFC9293-MUST-23
#[test]
fn a_silent_peer_is_not_given_up_in_the_first_three_minutes() {
    for linear in [0, 4] {
        let mut config = plain();
        config.syn_linear_timeouts = linear;
        let mut b = Bench::connecting(config);
        b.watch(Duration::from_secs(180));
        assert_eq!(b.state(), State::SynSent);
    }
}

/// Requirement: RFC9293-MUST-22
#[test]
fn the_application_learns_that_an_open_is_in_doubt_and_that_the_doubt_is_over() {
    let mut b = Bench::connecting(plain());
    b.watch(Duration::from_millis(3500));
    assert!(b.ready(Readiness::DOUBTFUL));
    b.syn_ack(mss(1000));
    assert!(!b.ready(Readiness::DOUBTFUL));
}

/// Requirement: RFC9293-P37, RFC9293-P12
#[test]
fn in_syn_sent_a_wrong_acknowledgment_is_answered_with_rst_and_the_attempt_goes_on() {
    for (wrong, flag) in [(ISS, Flags::SYN), (ISS + 2, Flags::SYN), (ISS, Flags::empty())] {
        let mut b = Bench::connecting(plain());
        b.drain();
        let mut header = b.ack_header(wrong);
        header.flags |= flag;
        b.arrive(header, &[]);
        let rst = b.one();
        assert_eq!((flags(&rst).as_str(), rst.header.seq.0), ("R", wrong));
        assert_eq!(b.state(), State::SynSent);
        b.syn_ack(mss(1000));
        assert_eq!(b.state(), State::Established);
    }
}

/// Requirement: RFC9293-P38, RFC9293-P16, RFC5961-R04
#[test]
fn in_syn_sent_only_a_rst_that_acknowledges_the_syn_refuses() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.rst(0);
    for wrong in [ISS, ISS + 2] {
        let mut header = b.ack_header(wrong);
        header.flags |= Flags::RST;
        b.arrive(header, &[]);
    }
    b.silent();
    assert_eq!(b.state(), State::SynSent);
    let mut header = b.ack_header(ISS + 1);
    header.flags |= Flags::RST;
    b.arrive(header, &[]);
    b.silent();
    assert_eq!(b.state(), State::Closed);
    assert_eq!(b.conn.error(), Some(Error::Refused));
}

/// Requirement: RFC9293-P40, RFC9293-P51
#[test]
fn in_syn_sent_a_segment_without_syn_is_dropped() {
    let mut b = Bench::connecting(plain());
    b.drain();
    let mut header = b.ack_header(ISS + 1);
    b.arrive(header.clone(), b"data");
    header.flags |= Flags::FIN;
    b.arrive(header.clone(), &[]);
    header.flags = Flags::FIN;
    b.arrive(header, b"data");
    b.silent();
    assert_eq!(b.state(), State::SynSent);
}

/// Requirement: RFC9293-P30
#[test]
fn closing_in_syn_sent_says_nothing_and_answers_a_late_syn_ack_with_rst() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.write(b"never sent");
    b.shutdown();
    b.silent();
    assert_eq!(b.state(), State::Closed);
    assert_eq!(b.conn.error(), Some(Error::Closed));
    assert_eq!(b.conn.next_deadline(), None);
    assert_eq!(b.budget.used(), 0);
    b.syn_ack(mss(1000));
    let rst = b.one();
    assert_eq!((flags(&rst).as_str(), rst.header.seq.0), ("R", ISS + 1));
}

#[test]
fn what_was_written_before_the_handshake_leaves_when_it_is_over() {
    let mut b = Bench::connecting(plain());
    b.write(b"GET");
    assert_eq!(flags(&b.one()), "S");
    b.syn_ack(mss(1000));
    let first = b.one();
    assert_eq!((flags(&first).as_str(), text(&first).as_slice()), ("P.", b"GET".as_slice()));
    assert_eq!(first.header.ack.0, IRS + 1);
}

/// Requirement: RFC9293-P36
///
/// S1.8: text in the second packet is allowed.
#[test]
fn text_and_fin_in_a_syn_ack_are_taken() {
    let mut b = Bench::connecting(plain());
    b.drain();
    let header = Header {
        seq: SeqNumber(IRS),
        ack: SeqNumber(ISS + 1),
        flags: Flags::SYN | Flags::ACK | Flags::FIN,
        options: mss(1000),
        ..b.blank()
    };
    b.arrive(header, b"early");
    assert_eq!(b.state(), State::CloseWait);
    assert_eq!(b.read(10), b"early");
    assert_eq!(b.one().header.ack.0, IRS + 7);
}

/// Requirement: RFC9293-P36
///
/// S1.8: text in a SYN is not taken, so that floods of it cost nothing; it comes again.
#[test]
fn text_in_a_syn_is_not_acknowledged() {
    let config = plain();
    let h = HalfOpen::new(&config, &tuple(), &syn(mss(1000)), opening(), &cx_at(NOW));
    assert_eq!(h.syn_ack(&config, &tuple(), &cx_at(NOW)).ack.0, IRS + 1);
    assert_eq!(judge(&config, &h, &third(), 10), Verdict::Complete);
}

/// Requirement: RFC9293-P17, RFC9293-P44, RFC9293-MUST-11
#[test]
fn a_half_open_connection_is_forgotten_on_a_valid_rst_and_nobody_is_told() {
    let config = plain();
    let h = half_open(&config, mss(1000), NOW);
    let rst = |seq| Header { seq: SeqNumber(seq), flags: Flags::RST, ..syn_ports() };
    assert_eq!(judge(&config, &h, &rst(IRS + 1), 0), Verdict::Forget);
    assert_eq!(judge(&config, &h, &rst(IRS), 0), Verdict::Ignore);
    assert!(matches!(judge(&config, &h, &rst(IRS + 2), 0), Verdict::Reply(_)));
}

/// Requirement: RFC9293-P44
#[test]
fn another_syn_inside_the_window_sends_a_half_open_connection_back_to_listen() {
    let config = plain();
    let h = half_open(&config, mss(1000), NOW);
    let other = Header { seq: SeqNumber(IRS + 10), ..syn(mss(1000)) };
    assert_eq!(judge(&config, &h, &other, 0), Verdict::Forget);
}

/// Requirement: RFC9293-P45, RFC9293-P12
#[test]
fn a_half_open_connection_answers_a_wrong_acknowledgment_with_rst() {
    let config = plain();
    let h = half_open(&config, mss(1000), NOW);
    for wrong in [ISS, ISS + 2] {
        let header = Header { ack: SeqNumber(wrong), ..third() };
        let Verdict::Reply(rst) = judge(&config, &h, &header, 0) else { panic!("a RST is due") };
        assert_eq!((rst.flags, rst.seq.0), (Flags::RST, wrong));
    }
}

/// Requirement: RFC9293-P46
#[test]
fn a_half_open_connection_drops_a_segment_without_ack() {
    let config = plain();
    let h = half_open(&config, mss(1000), NOW);
    let header = Header { flags: Flags::PSH, ..third() };
    assert_eq!(judge(&config, &h, &header, 5), Verdict::Ignore);
}

#[test]
fn the_same_syn_again_gets_the_same_syn_ack() {
    let config = plain();
    let h = half_open(&config, mss(1000), NOW);
    let again = judge(&config, &h, &syn(mss(1000)), 0);
    assert_eq!(again, Verdict::Reply(h.syn_ack(&config, &tuple(), &cx_at(NOW))));
}

/// Requirement: RFC9293-P09
///
/// S3.8, figure 9: the old SYN is answered, the answer refused, and the real one succeeds.
#[test]
fn an_old_duplicate_syn_is_undone_by_the_peers_rst() {
    let config = plain();
    let old = Header { seq: SeqNumber(90), ..syn(mss(1000)) };
    let h = HalfOpen::new(&config, &tuple(), &old, opening(), &cx_at(NOW));
    let syn_ack = h.syn_ack(&config, &tuple(), &cx_at(NOW));
    assert_eq!(syn_ack.ack.0, 91);
    let rst = Header { seq: syn_ack.ack, flags: Flags::RST, ..syn_ports() };
    assert_eq!(judge(&config, &h, &rst, 0), Verdict::Forget);
    let real = Header { seq: SeqNumber(100), ..syn(mss(1000)) };
    let h = HalfOpen::new(&config, &tuple(), &real, opening(), &cx_at(NOW));
    assert_eq!(h.syn_ack(&config, &tuple(), &cx_at(NOW)).ack.0, 101);
}

/// Requirement: RFC9293-P09
///
/// S3.8 with the real SYN before the RST: RSTs go both ways, and the peer's next SYN opens.
/// Ours is the peer here: it is in SYN-SENT with its real number.
#[test]
fn an_old_duplicate_syn_before_the_real_one_ends_in_an_open_connection_too() {
    let mut client = Bench::connecting(plain());
    client.drain();
    // The listener took the old SYN, so its SYN-ACK acknowledges another number.
    let stale = Header {
        seq: SeqNumber(IRS),
        ack: SeqNumber(ISS - 9),
        flags: Flags::SYN | Flags::ACK,
        ..client.blank()
    };
    client.arrive(stale, &[]);
    let rst = client.one();
    assert_eq!((flags(&rst).as_str(), rst.header.seq.0), ("R", ISS - 9));
    // The real SYN met the half-open connection, which answered with its own ACK.
    client.arrive(client.ack_header(ISS - 9), &[]);
    assert_eq!(flags(&client.one()), "R");
    client.until_deadline();
    assert_eq!(flags(&client.one()), "S");
    client.syn_ack(mss(1000));
    assert_eq!(client.state(), State::Established);
}

/// Requirement: RFC9293-P31, RFC9293-P18
#[test]
fn a_close_before_the_handshake_is_over_sends_its_fin_afterwards() {
    let mut b = Bench::connecting(plain());
    let h = half_open(&plain(), mss(1000), b.now);
    b.conn = b.with(|_, cx| h.complete(Arc::new(plain()), tuple(), cx));
    b.shutdown();
    b.silent();
    assert_eq!(b.state(), State::SynReceived);
    b.arrive(third(), &[]);
    assert_eq!(b.state(), State::FinWait1);
    let fin = b.one();
    assert_eq!((flags(&fin).as_str(), fin.header.seq.0), ("F.", ISS + 1));
}

/// Requirement: RFC9293-P28
#[test]
fn an_abort_in_syn_sent_is_silent_and_in_syn_received_a_rst() {
    let mut b = Bench::connecting(plain());
    b.drain();
    b.with(|c, cx| c.abort(cx));
    b.silent();
    assert_eq!((b.state(), b.conn.error()), (State::Closed, Some(Error::Aborted)));
    let mut b = Bench::connecting(plain());
    let h = half_open(&plain(), mss(1000), b.now);
    b.conn = b.with(|_, cx| h.complete(Arc::new(plain()), tuple(), cx));
    b.with(|c, cx| c.abort(cx));
    let rst = b.one();
    assert!(flags(&rst).starts_with('R'));
    assert_eq!(rst.header.seq.0, ISS + 1);
}

/// Requirement: RFC9293-MUST-15
#[test]
fn without_an_mss_option_segments_carry_536_bytes_over_ipv4() {
    let mut b = Bench::open_with(plain(), Options::default());
    b.write(&[0; 2000]);
    assert!(b.drain().iter().all(|t| t.payload_len() <= 536));
    assert_eq!(b.conn.info().mss, 536);
}

/// Requirement: RFC9293-MUST-15, RFC9293-MUST-67
#[test]
fn without_an_mss_option_segments_carry_1220_bytes_over_ipv6() {
    let mut b = Bench::connecting_on(tuple_v6(), plain());
    assert_eq!(b.one().header.options.mss, Some(1440));
    b.syn_ack(Options::default());
    b.write(&[1; 20_000]);
    assert!(b.drain().iter().all(|t| t.payload_len() <= 1220));
    assert_eq!(b.conn.info().mss, 1220);
}

/// RFC 4987 §3.6: a cookie gives back what it held, and nothing is known of the SYN-ACK.
#[test]
fn a_connection_rebuilt_from_a_cookie_starts_like_any_other() {
    use handclasp_tcp::half_open::Rebuilt;
    let mut b = Bench::connecting(plain());
    let first = half_open(&plain(), mss(1000), b.now);
    let held = Rebuilt {
        opening: opening(),
        irs: SeqNumber(IRS),
        negotiated: *first.negotiated(),
        ts_recent: 0,
    };
    let h = HalfOpen::rebuilt(&plain(), &tuple(), held, b.now);
    assert_eq!(judge(&plain(), &h, &third(), 0), Verdict::Complete);
    b.conn = b.with(|_, cx| h.complete(Arc::new(plain()), tuple(), cx));
    b.arrive(third(), &[]);
    b.write(&[1; 20_000]);
    assert_eq!(b.drain().len(), 10, "the initial window is whole");
    assert_eq!(b.until_deadline(), SECOND, "no SYN-ACK is known to have timed out");
}

/// A third packet that leaves out the timestamps it agreed to opens nothing.
/// Requirement: RFC7323-R19
#[test]
fn a_half_open_connection_drops_segments_without_the_agreed_timestamps() {
    let config = Config::default();
    let h = half_open(&config, modern(), NOW);
    assert_eq!(judge(&config, &h, &third(), 0), Verdict::Ignore);
}

/// Requirement: RFC7323-R30
#[test]
fn a_half_open_connection_answers_an_old_timestamp_and_opens_nothing() {
    let config = Config::default();
    let h = half_open(&config, modern(), NOW);
    let mut header = third();
    header.options.timestamps = Some(Timestamps { value: 99, echo: 8000 });
    let Verdict::Reply(ack) = judge(&config, &h, &header, 5) else { panic!("an ACK is due") };
    assert_eq!((ack.flags, ack.ack.0), (Flags::ACK, IRS + 1));
    header.options.timestamps = Some(Timestamps { value: 100, echo: 8000 });
    assert_eq!(judge(&config, &h, &header, 5), Verdict::Complete);
}
