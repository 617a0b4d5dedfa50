//! TIME-WAIT (RFC 9293 §3.6.1) and its early end (RFC 6191).

mod common;

use std::time::Duration;

use common::*;
use handclasp_tcp::time_wait::Verdict;
use handclasp_tcp::{Config, State, TimeWait};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

/// The peer's next number, and ours, after both FINs.
const RCV_NXT: u32 = IRS + 2;
const SND_NXT: u32 = ISS + 2;
/// The peer's last timestamp.
const RECENT: u32 = 100;

/// An entry, and when it began.
fn waiting(config: Config, stamped: bool) -> (TimeWait, Instant) {
    let options = if stamped { modern() } else { mss(1000) };
    let mut b = Bench::open_with(config, options);
    b.shutdown();
    b.drain();
    b.ack(SND_NXT);
    b.fin();
    assert_eq!(b.state(), State::TimeWait);
    b.drain();
    (b.time_wait(), b.now)
}

fn segment(seq: u32, flags: Flags) -> Header {
    Header {
        src_port: 80,
        dst_port: 40_000,
        seq: SeqNumber(seq),
        ack: SeqNumber(SND_NXT),
        flags,
        window: 5000,
        ..Header::default()
    }
}

fn judge(entry: &mut TimeWait, header: &Header, len: usize, now: Instant) -> Verdict {
    entry.segment_arrives(&Config::default(), &tuple(), header, len, &cx_at(now))
}

fn is_ack(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Reply(h) if h.flags == Flags::ACK
        && (h.seq.0, h.ack.0) == (SND_NXT, RCV_NXT))
}

/// Requirement: RFC9293-MUST-13, RFC9293-P54
///
/// S3.10: 2 MSL on the side that closed first.
#[test]
fn the_side_that_closes_first_waits_for_twice_the_msl() {
    for msl in [30, 120] {
        let mut config = plain();
        config.msl = Duration::from_secs(msl);
        let (entry, now) = waiting(config, false);
        assert_eq!(entry.deadline() - now, Duration::from_secs(2 * msl));
    }
}

/// Requirement: RFC9293-MUST-13
#[test]
fn the_side_that_closes_last_does_not_wait() {
    let mut b = Bench::open();
    b.fin();
    b.shutdown();
    b.drain();
    b.ack(ISS + 2);
    assert_eq!(b.state(), State::Closed);
}

/// Requirement: RFC9293-MUST-13, RFC9293-P19
#[test]
fn a_simultaneous_close_waits_as_well() {
    let mut b = Bench::open();
    b.shutdown();
    b.drain();
    let mut header = b.ack_header(ISS + 1);
    header.flags |= Flags::FIN;
    b.arrive(header, &[]);
    b.peer_nxt += 1;
    b.advance(5 * SECOND);
    b.ack(ISS + 2);
    b.drain();
    assert_eq!(b.time_wait().deadline() - b.now, Duration::from_secs(60));
    assert_eq!(b.conn.next_deadline(), None, "the entry is its host's from here on");
}

/// Requirement: RFC9293-P49
#[test]
fn a_repeated_fin_is_acknowledged_and_begins_the_wait_anew() {
    let (mut entry, now) = waiting(plain(), false);
    let later = now + Duration::from_secs(45);
    let verdict = judge(&mut entry, &segment(RCV_NXT - 1, Flags::FIN | Flags::ACK), 0, later);
    assert!(is_ack(&verdict), "{verdict:?}");
    assert_eq!(entry.deadline(), later + Duration::from_secs(60));
}

/// Requirement: RFC9293-P49
#[test]
fn a_fin_again_with_the_text_before_it_counts_as_a_repeated_fin() {
    let (mut entry, now) = waiting(plain(), false);
    let later = now + SECOND;
    let fin = segment(RCV_NXT - 11, Flags::FIN | Flags::ACK);
    assert!(is_ack(&judge(&mut entry, &fin, 10, later)));
    assert_eq!(entry.deadline(), later + Duration::from_secs(60));
}

/// Requirement: RFC9293-P14, RFC9293-P50
#[test]
fn other_segments_are_acknowledged_or_ignored_and_extend_nothing() {
    let (mut entry, now) = waiting(plain(), false);
    let deadline = entry.deadline();
    let later = now + SECOND;
    assert!(is_ack(&judge(&mut entry, &segment(RCV_NXT - 50, Flags::ACK), 10, later)));
    assert!(is_ack(&judge(&mut entry, &segment(RCV_NXT, Flags::ACK), 10, later)));
    let bare = segment(RCV_NXT, Flags::ACK);
    assert_eq!(judge(&mut entry, &bare, 0, later), Verdict::Ignore);
    let beyond = segment(RCV_NXT + 200_000, Flags::FIN | Flags::ACK);
    assert!(is_ack(&judge(&mut entry, &beyond, 0, later)));
    assert_eq!(entry.deadline(), deadline);
}

/// Requirement: RFC9293-P16, RFC9293-P17, RFC5961-R01, RFC5961-R02, RFC5961-R03
#[test]
fn only_a_rst_at_the_next_number_ends_the_wait() {
    let (mut entry, now) = waiting(plain(), false);
    assert_eq!(judge(&mut entry, &segment(RCV_NXT - 1, Flags::RST), 0, now), Verdict::Ignore);
    assert!(is_ack(&judge(&mut entry, &segment(RCV_NXT + 1, Flags::RST), 0, now)));
    assert_eq!(judge(&mut entry, &segment(RCV_NXT, Flags::RST), 0, now), Verdict::Forget);
}

/// What a SYN at `seq`, stamped or not, is taken for.
fn reopens(stamped: bool, seq: u32, value: Option<u32>) -> bool {
    let config = if stamped { Config::default() } else { plain() };
    let (mut entry, now) = waiting(config, stamped);
    let mut header = segment(seq, Flags::SYN);
    header.options.timestamps = value.map(|value| Timestamps { value, echo: 0 });
    match judge(&mut entry, &header, 0, now) {
        // RFC9293-MAY-2, RFC6191-P07: the new number lies beyond the old.
        Verdict::Reopen { after } => {
            assert_eq!(after.0, SND_NXT);
            true
        }
        other => {
            assert!(is_ack(&other), "{other:?}");
            false
        }
    }
}

/// Requirement: RFC6191-R01, RFC9293-SHLD-4, RFC9293-MAY-2, RFC6191-P07
#[test]
fn a_syn_with_a_later_timestamp_reopens_whatever_its_number() {
    assert!(reopens(true, RCV_NXT + 100, Some(RECENT + 1)));
    assert!(reopens(true, RCV_NXT - 100, Some(RECENT + 1)));
}

/// Requirement: RFC6191-R02
#[test]
fn with_the_same_timestamp_the_sequence_number_decides() {
    assert!(reopens(true, RCV_NXT + 1, Some(RECENT)));
    assert!(!reopens(true, RCV_NXT - 1, Some(RECENT)));
}

/// Requirement: RFC6191-R03
#[test]
fn a_syn_without_the_old_connections_timestamps_needs_a_larger_number() {
    assert!(reopens(true, RCV_NXT + 1, None));
    assert!(!reopens(true, RCV_NXT - 1, None));
}

/// RFC 6191 would drop it in silence; RFC 5961 §4.2 and RFC 9293 answer it, which lets a
/// genuine peer undo us.
/// Requirement: RFC5961-R05
#[test]
fn a_syn_with_an_older_timestamp_reopens_nothing() {
    assert!(!reopens(true, RCV_NXT + 100, Some(RECENT - 1)));
}

/// Requirement: RFC6191-R05
#[test]
fn a_stamped_syn_reopens_where_the_old_connection_had_no_timestamps() {
    assert!(reopens(false, RCV_NXT + 1, Some(5)));
    assert!(reopens(false, RCV_NXT - 100, Some(5)));
}

/// Requirement: RFC6191-R06, RFC9293-MAY-2
#[test]
fn without_timestamps_on_either_side_the_sequence_number_decides() {
    assert!(reopens(false, RCV_NXT + 1, None));
    assert!(!reopens(false, RCV_NXT - 1, None));
    assert!(!reopens(false, RCV_NXT.wrapping_add((1 << 31) + 1), None));
}

/// Requirement: RFC7323-R17
#[test]
fn the_answers_carry_the_agreed_timestamps() {
    let (mut entry, now) = waiting(Config::default(), true);
    let fin = segment(RCV_NXT - 1, Flags::FIN | Flags::ACK);
    let Verdict::Reply(ack) = judge(&mut entry, &fin, 0, now) else { panic!("an ACK is due") };
    assert_eq!(ack.options.timestamps.map(|t| t.echo), Some(RECENT));
}

/// Two entries of one connection never chase each other with ACKs.
#[test]
fn a_bare_ack_from_the_other_side_in_time_wait_is_not_answered() {
    let (mut entry, now) = waiting(plain(), false);
    for _ in 0..3 {
        assert_eq!(judge(&mut entry, &segment(RCV_NXT, Flags::ACK), 0, now), Verdict::Ignore);
    }
}
