use std::time::Duration;

use handclasp_tcp::State;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use super::note::{Note, Resent};
use super::summary::Ending;
use super::{Fate, Flow, Packet, Side};
use crate::talk::{CLIENT_ISN, Talk};

const SYN_SENT: Option<State> = Some(State::SynSent);
const SYN_RECEIVED: Option<State> = Some(State::SynReceived);
const ESTABLISHED: Option<State> = Some(State::Established);
const CLOSED: Option<State> = Some(State::Closed);
const TIME_WAIT: Option<State> = Some(State::TimeWait);

#[test]
fn the_client_is_open_after_two_packets_and_the_server_after_three() {
    let mut talk = Talk::new();
    talk.flow.read(Side::Server, State::Listen);
    talk.syn();
    assert_eq!(talk.states(), (SYN_SENT, SYN_RECEIVED));
    assert_eq!(talk.last().notes, [Note::First { isn: CLIENT_ISN }]);
    talk.syn_ack();
    assert_eq!(talk.states(), (ESTABLISHED, SYN_RECEIVED));
    assert_eq!(talk.last().notes, [Note::Second]);
    talk.client(".", 1, 1, "");
    assert_eq!(talk.states(), (ESTABLISHED, ESTABLISHED));
    assert_eq!(talk.last().notes, [Note::Third { data: false }]);
}

#[test]
fn a_server_nobody_knows_of_has_no_state_until_it_answers() {
    let mut talk = Talk::new();
    assert_eq!(talk.syn().states(), (SYN_SENT, None));
    assert_eq!(talk.syn_ack().states(), (ESTABLISHED, SYN_RECEIVED));
}

#[test]
fn numbers_are_relative_also_across_the_wrap() {
    let mut talk = Talk::open();
    talk.server("P.", 1, 1, &"x".repeat(300)).server("P.", 301, 1, "y");
    let segment = &talk.last().segment;
    assert_eq!(segment.seq.relative, 301);
    assert!(segment.seq.raw < 300, "the server's numbers have wrapped");
}

#[test]
fn windows_are_scaled_but_not_those_of_syns() {
    let talk = Talk::open();
    assert_eq!(talk.rows[0].segment.window(), 64_240);
    assert_eq!(talk.rows[2].segment.window(), 502 << 7);
}

#[test]
fn the_client_is_known_from_the_syn_ack_alone() {
    let header = Header { flags: Flags::SYN | Flags::ACK, ..Header::default() };
    let packet = Packet {
        at: Instant::ZERO,
        src: "10.0.0.2:60000".parse().unwrap(),
        dst: "10.0.0.1:80".parse().unwrap(),
        header: &header,
        len: 0,
        payload: &[],
        fate: Fate::Arrived,
    };
    assert_eq!(Flow::new(&packet).side_of(packet.src), Some(Side::Server));
}

#[test]
fn the_third_packet_may_carry_data() {
    let mut talk = Talk::new();
    talk.syn().syn_ack().client("P.", 1, 1, "GET /");
    assert_eq!(talk.last().notes, [Note::Third { data: true }]);
    assert_eq!(talk.states(), (ESTABLISHED, ESTABLISHED));
}

#[test]
fn data_completes_the_handshake_when_the_third_packet_was_lost() {
    let mut talk = Talk::new();
    talk.syn().syn_ack().packet(Side::Client, ".", 1, 1, "", Fate::Lost);
    assert_eq!(talk.states(), (ESTABLISHED, SYN_RECEIVED));
    assert_eq!(talk.last().notes, [Note::Third { data: false }, Note::ThirdLost]);
    talk.client("P.", 1, 1, "GET /");
    assert_eq!(talk.states(), (ESTABLISHED, ESTABLISHED));
    assert_eq!(talk.last().notes, [Note::InPlaceOfThird]);
}

#[test]
fn a_syn_ack_is_sent_again_while_the_third_packet_is_missing() {
    let mut talk = Talk::new();
    talk.syn().syn_ack().packet(Side::Client, ".", 1, 1, "", Fate::Lost);
    talk.wait(Duration::from_secs(1)).syn_ack();
    let after = Some(Duration::from_micros(1_000_020));
    assert_eq!(talk.last().notes, [Note::Again { what: Resent::SynAck, after }]);
    assert_eq!(talk.states(), (ESTABLISHED, SYN_RECEIVED));
}

#[test]
fn a_refused_syn_leaves_nothing() {
    let mut talk = Talk::new();
    talk.flow.read(Side::Server, State::Closed);
    talk.syn();
    assert_eq!(talk.states(), (SYN_SENT, CLOSED));
    talk.server("R.", 0, 1, "");
    assert_eq!(talk.states(), (CLOSED, CLOSED));
    assert_eq!(talk.last().notes, [Note::Refused { port: 80 }]);
    assert_eq!(talk.flow.summary().ending, Ending::Refused);
}

#[test]
fn a_syn_without_an_answer_is_told_as_such() {
    let mut talk = Talk::new();
    talk.syn().wait(Duration::from_secs(1)).syn();
    let after = Some(Duration::from_micros(1_000_010));
    assert_eq!(talk.last().notes, [Note::Again { what: Resent::Syn, after }]);
    assert_eq!(talk.flow.summary().ending, Ending::Unanswered);
}

#[test]
fn a_close_goes_through_the_states_of_both_ends() {
    let mut talk = Talk::open();
    talk.server("F.", 1, 1, "");
    assert_eq!(talk.states(), (Some(State::CloseWait), Some(State::FinWait1)));
    assert_eq!(talk.last().notes, [Note::FirstFin]);
    talk.client(".", 1, 2, "");
    assert_eq!(talk.states(), (Some(State::CloseWait), Some(State::FinWait2)));
    assert_eq!(talk.last().notes, [Note::FinAcknowledged { state: State::FinWait2 }]);
    talk.client("F.", 1, 2, "");
    assert_eq!(talk.states(), (Some(State::LastAck), TIME_WAIT));
    assert_eq!(talk.last().notes, [Note::SecondFin]);
    talk.server(".", 2, 2, "");
    assert_eq!(talk.states(), (CLOSED, TIME_WAIT));
    assert_eq!(talk.last().notes, [Note::FinAcknowledged { state: State::Closed }]);
    assert_eq!(talk.flow.summary().ending, Ending::Closed(Side::Server));
}

#[test]
fn a_fin_that_acknowledges_the_first_saves_a_packet() {
    let mut talk = Talk::open();
    talk.client("F.", 1, 1, "").server("F.", 1, 2, "");
    assert_eq!(talk.states(), (TIME_WAIT, Some(State::LastAck)));
    assert_eq!(talk.client(".", 2, 2, "").states(), (TIME_WAIT, CLOSED));
}

#[test]
fn fins_that_cross_meet_in_closing() {
    let mut talk = Talk::open();
    talk.packet(Side::Client, "F.", 1, 1, "", Fate::Lost);
    talk.server("F.", 1, 1, "");
    assert_eq!(talk.states(), (Some(State::Closing), Some(State::FinWait1)));
}

#[test]
fn syns_that_cross_open_both_ends() {
    let mut talk = Talk::new();
    talk.flow.read(Side::Server, State::SynSent);
    talk.packet(Side::Client, "S", 0, 0, "", Fate::Lost);
    talk.server("S", 0, 0, "");
    assert_eq!(talk.last().notes, [Note::CrossingSyn]);
    assert_eq!(talk.states().0, SYN_RECEIVED);
}

#[test]
fn a_reset_closes_the_end_that_has_to_believe_it() {
    let mut talk = Talk::open();
    talk.server("R.", 1, 1, "");
    assert_eq!(talk.states(), (CLOSED, CLOSED));
    assert_eq!(talk.last().notes, [Note::Reset]);
    assert_eq!(talk.flow.summary().ending, Ending::Reset(Side::Server));
}

#[test]
fn a_reset_out_of_place_closes_nothing_at_the_receiver() {
    let mut talk = Talk::open();
    talk.server("R", 77, 0, "");
    assert_eq!(talk.states().0, ESTABLISHED);
    assert_eq!(talk.last().notes, [Note::StrayReset]);
}

#[test]
fn data_sent_twice_counts_once_and_is_told_with_its_wait() {
    let mut talk = Talk::open();
    talk.packet(Side::Client, "P.", 1, 1, "hello", Fate::Lost);
    assert_eq!(talk.last().notes, [Note::Lost]);
    talk.wait(Duration::from_millis(200)).client("P.", 1, 1, "hello");
    let after = Some(Duration::from_micros(200_010));
    assert_eq!(talk.last().notes, [Note::Again { what: Resent::Data, after }]);
    let sent = talk.flow.summary().sent.client;
    assert_eq!((sent.bytes, sent.retransmitted, sent.lost), (5, 1, 1));
}

#[test]
fn data_behind_a_gap_brings_duplicate_acks() {
    let mut talk = Talk::open();
    talk.client("P.", 1, 1, "aaaaa").server(".", 1, 6, "");
    talk.packet(Side::Client, "P.", 6, 1, "bbbbb", Fate::Lost);
    talk.client("P.", 11, 1, "ccccc").server(".", 1, 6, "");
    let count_and_missing = talk.last().notes.first().copied();
    let Some(Note::DuplicateAck { count: 1, missing }) = count_and_missing else {
        panic!("{count_and_missing:?}")
    };
    assert_eq!(missing.relative, 6);
    talk.server(".", 1, 6, "");
    assert!(matches!(talk.last().notes[..], [Note::DuplicateAck { count: 2, .. }]));
}

#[test]
fn three_duplicate_acks_ask_for_data_to_be_sent_again() {
    let mut talk = Talk::open();
    talk.client("P.", 1, 1, "aaaaa").server(".", 1, 6, "");
    talk.packet(Side::Client, "P.", 6, 1, "bbbbb", Fate::Lost);
    for seq in [11, 16, 21] {
        talk.client("P.", seq, 1, "ccccc").server(".", 1, 6, "");
    }
    talk.client("P.", 6, 1, "bbbbb");
    let what = Resent::Wanted { duplicates: 3 };
    assert!(matches!(talk.last().notes[..], [Note::Again { what: w, .. }] if w == what));
}

#[test]
fn data_whose_beginning_was_never_seen_is_ahead_of_its_turn() {
    let mut talk = Talk::open();
    talk.client("P.", 11, 1, "ccccc");
    assert!(
        matches!(talk.last().notes[..], [Note::BeyondGap { missing }] if missing.relative == 1)
    );
    talk.client("P.", 1, 1, "aaaaabbbbb");
    assert_eq!(talk.last().notes, [Note::FillsGap]);
    assert_eq!(talk.flow.summary().sent.client.retransmitted, 0);
}

#[test]
fn a_closed_window_is_probed_until_it_opens() {
    let mut talk = Talk::open();
    talk.client("P.", 1, 1, "aaaaa").window(0).server(".", 1, 6, "");
    assert_eq!(talk.last().notes, [Note::WindowClosed]);
    talk.window(502).client(".", 5, 1, "");
    assert_eq!(talk.last().notes, [Note::WindowProbe]);
    talk.server(".", 1, 6, "");
    assert_eq!(talk.last().notes, [Note::WindowOpened { bytes: 64_256 }]);
}

#[test]
fn an_idle_connection_is_kept_alive() {
    let mut talk = Talk::open();
    talk.client("P.", 1, 1, "aaaaa").server(".", 1, 6, "");
    talk.wait(Duration::from_secs(7200)).client(".", 5, 1, "");
    assert_eq!(talk.last().notes, [Note::KeepAlive]);
}

#[test]
fn one_byte_sent_again_is_no_keep_alive() {
    let mut talk = Talk::open();
    talk.client("P.", 1, 1, "a").wait(Duration::from_millis(200)).client("P.", 1, 1, "a");
    assert!(matches!(talk.last().notes[..], [Note::Again { what: Resent::Data, .. }]));
}

#[test]
fn a_copy_of_the_link_counts_for_nobody() {
    let mut talk = Talk::open();
    talk.client("P.", 1, 1, "aaaaa").packet(Side::Client, "P.", 1, 1, "aaaaa", Fate::Copied);
    assert_eq!(talk.last().notes, [Note::Copied]);
    let sent = talk.flow.summary().sent.client;
    assert_eq!((sent.packets, sent.bytes, sent.retransmitted), (3, 5, 0));
}

#[test]
fn what_is_damaged_does_not_move_the_receiver() {
    let mut talk = Talk::new();
    talk.flow.read(Side::Server, State::Listen);
    talk.packet(Side::Client, "S", 0, 0, "", Fate::Damaged);
    assert_eq!(talk.states(), (SYN_SENT, Some(State::Listen)));
    assert_eq!(talk.last().notes, [Note::First { isn: CLIENT_ISN }, Note::Damaged]);
}

#[test]
fn a_connection_joined_in_the_middle_counts_from_one() {
    let mut talk = Talk::new();
    talk.client("P.", 1000, 2000, "hello");
    let segment = &talk.last().segment;
    assert_eq!((segment.seq.relative, segment.ack.unwrap().relative), (1, 1));
    assert_eq!(talk.states(), (ESTABLISHED, None));
    assert_eq!(talk.server(".", 2000, 1005, "").states(), (ESTABLISHED, ESTABLISHED));
}

#[test]
fn the_round_trip_is_told_only_if_no_syn_was_repeated() {
    let mut talk = Talk::open();
    assert_eq!(talk.flow.summary().handshake_rtt, Some(Duration::from_micros(10)));
    talk = Talk::new();
    talk.syn().syn().syn_ack();
    assert_eq!(talk.flow.summary().handshake_rtt, None);
}

#[test]
fn a_state_that_was_read_counts_until_a_packet_moves_it() {
    let mut talk = Talk::new();
    talk.flow.read(Side::Server, State::Listen);
    assert!(talk.flow.states().server.read);
    talk.syn();
    assert!(!talk.flow.states().server.read);
}

#[test]
fn a_packet_of_another_connection_is_not_taken() {
    let mut talk = Talk::open();
    let header = Header::default();
    let packet = Packet {
        at: Instant::ZERO,
        src: "10.0.0.9:1".parse().unwrap(),
        dst: "10.0.0.8:2".parse().unwrap(),
        header: &header,
        len: 0,
        payload: &[],
        fate: Fate::Arrived,
    };
    assert!(talk.flow.see(&packet).is_none());
}

#[test]
fn two_syns_that_cross_make_one_connection() {
    let mut talk = Talk::new();
    talk.syn().server("S", 0, 0, "");
    assert_eq!(talk.last().notes, [Note::CrossingSyn]);
    assert_eq!(talk.client("S.", 0, 1, "").last().notes, [Note::CrossingSynAck]);
    assert_eq!(talk.server("S.", 0, 1, "").last().notes, [Note::CrossingSynAck]);
    assert_eq!(talk.states(), (ESTABLISHED, ESTABLISHED));
}

#[test]
fn a_syn_ack_that_nobody_asked_for_answers_nothing() {
    let mut talk = Talk::new();
    talk.flow.read(Side::Client, State::Listen);
    assert_eq!(talk.syn_ack().last().notes, [Note::UnaskedSynAck]);
    let mut talk = Talk::new();
    talk.syn().server("S.", 0, 1001, "");
    assert_eq!(talk.last().notes, [Note::UnaskedSynAck]);
    assert_eq!(talk.states().0, SYN_SENT);
}

#[test]
fn a_syn_with_another_number_begins_anew_where_the_last_connection_is_over() {
    let mut talk = Talk::open();
    talk.client("R", 1, 0, "");
    assert_eq!(talk.states(), (CLOSED, CLOSED));
    talk.client("S", 5000, 0, "");
    assert_eq!(talk.last().notes, [Note::First { isn: CLIENT_ISN + 5000 }]);
    assert_eq!(talk.last().segment.seq.relative, 0);
    assert_eq!(talk.states(), (SYN_SENT, SYN_RECEIVED));
    assert_eq!(talk.flow.summary().sent.client.packets, 4);
}

#[test]
fn a_syn_with_another_number_than_the_answered_one_is_told() {
    let mut talk = Talk::new();
    talk.flow.read(Side::Server, State::Listen);
    talk.syn().syn_ack().client("S", 10, 0, "");
    assert_eq!(talk.last().notes, [Note::AnotherSyn]);
}
