use std::time::Duration;

use super::{Analyser, Analysis, Completeness, Marks, Scale};
use crate::capture::dissect::Segment;
use crate::scene::{CLIENT, SERVER, Scene, sacking, stamped};

/// A scene whose segments are judged as they are made.
#[derive(Default)]
struct Judged {
    scene: Scene,
    analyser: Analyser,
}

impl Judged {
    fn open() -> Self {
        let mut judged = Self::default();
        for segment in judged.scene.handshake() {
            judged.see(&segment);
        }
        judged
    }

    fn see(&mut self, segment: &Segment<'_>) -> Analysis {
        let from = usize::from(segment.src != self.scene.sockets[CLIENT]);
        self.analyser.see(from, segment)
    }

    fn client(&mut self, letters: &str, seq: u32, ack: u32, len: u32) -> Analysis {
        let segment = self.scene.segment(CLIENT, letters, seq, ack, len);
        self.see(&segment)
    }

    fn server(&mut self, letters: &str, seq: u32, ack: u32, len: u32) -> Analysis {
        let segment = self.scene.segment(SERVER, letters, seq, ack, len);
        self.see(&segment)
    }
}

#[test]
fn plain_talk_has_no_marks() {
    let mut judged = Judged::open();
    for (client, server) in [(1, 1), (101, 301)] {
        assert_eq!(judged.client("P.", client, server, 100).marks, Marks::empty());
        assert_eq!(judged.server("P.", server, client + 100, 300).marks, Marks::empty());
    }
}

#[test]
fn what_was_sent_before_is_a_retransmission_and_tells_since_when() {
    let mut judged = Judged::open();
    judged.client("P.", 1, 1, 100);
    judged.scene.wait(299);
    let again = judged.client("P.", 1, 1, 100);
    assert_eq!(again.marks, Marks::RETRANSMISSION);
    let rto = again.rto.unwrap();
    assert_eq!((rto.frame, rto.time), (4, Duration::from_millis(300)));
}

#[test]
fn what_was_acknowledged_before_is_a_spurious_one() {
    let mut judged = Judged::open();
    judged.client("P.", 1, 1, 100);
    judged.server(".", 1, 101, 0);
    let marks = judged.client("P.", 1, 1, 100).marks;
    assert_eq!(marks, Marks::SPURIOUS_RETRANSMISSION | Marks::RETRANSMISSION);
}

#[test]
fn two_duplicate_acks_make_a_fast_retransmission() {
    let mut judged = Judged::open();
    judged.client("P.", 1, 1, 100);
    judged.client("P.", 101, 1, 100);
    judged.client("P.", 201, 1, 100);
    judged.client("P.", 301, 1, 100);
    judged.server(".", 1, 101, 0);
    for count in 1..=2 {
        let duplicate = judged.server(".", 1, 101, 0);
        assert_eq!(duplicate.marks, Marks::DUPLICATE_ACK);
        let of = duplicate.duplicate_ack.unwrap();
        assert_eq!((of.count, of.of), (count, 8));
    }
    let marks = judged.client("P.", 101, 1, 100).marks;
    assert_eq!(marks, Marks::FAST_RETRANSMISSION | Marks::RETRANSMISSION);
}

#[test]
fn a_gap_is_seen_and_what_fills_it_soon_is_out_of_order() {
    let mut judged = Judged::open();
    assert_eq!(judged.client("P.", 101, 1, 100).marks, Marks::LOST_SEGMENT);
    assert_eq!(judged.client("P.", 1, 1, 100).marks, Marks::OUT_OF_ORDER);
}

#[test]
fn a_later_timestamp_tells_that_it_was_sent_again() {
    let mut judged = Judged::open();
    let ahead = stamped(judged.scene.segment(CLIENT, "P.", 101, 1, 100), 70);
    judged.see(&ahead);
    let filler = stamped(judged.scene.segment(CLIENT, "P.", 1, 1, 100), 71);
    assert_eq!(judged.see(&filler).marks, Marks::RETRANSMISSION);
}

#[test]
fn a_later_ip_identification_tells_it_too() {
    let mut judged = Judged::open();
    let mut id = 500;
    let mut numbered = |scene: &mut Scene, seq| {
        let mut segment = scene.segment(CLIENT, "P.", seq, 1, 100);
        id += 1;
        segment.ip.id = Some(id);
        segment
    };
    for seq in [1, 101, 201, 301, 401, 601] {
        let segment = numbered(&mut judged.scene, seq);
        judged.see(&segment);
    }
    let filler = numbered(&mut judged.scene, 501);
    assert_eq!(judged.see(&filler).marks, Marks::RETRANSMISSION);
}

#[test]
fn an_acknowledgment_of_what_was_not_seen_is_told_once() {
    let mut judged = Judged::open();
    assert_eq!(judged.server(".", 1, 501, 0).marks, Marks::ACK_LOST_SEGMENT);
    assert_eq!(judged.server(".", 1, 501, 0).marks, Marks::DUPLICATE_ACK);
}

#[test]
fn a_keep_alive_and_its_answer_are_known() {
    let mut judged = Judged::open();
    judged.client("P.", 1, 1, 100);
    judged.server(".", 1, 101, 0);
    judged.scene.wait(60_000);
    assert_eq!(judged.client(".", 100, 1, 0).marks, Marks::KEEP_ALIVE);
    assert_eq!(judged.server(".", 1, 101, 0).marks, Marks::KEEP_ALIVE_ACK);
}

#[test]
fn a_closed_window_is_probed_answered_and_opened() {
    let mut judged = Judged::open();
    judged.client("P.", 1, 1, 100);
    judged.scene.window[SERVER] = 0;
    assert_eq!(judged.server(".", 1, 101, 0).marks, Marks::ZERO_WINDOW);
    assert_eq!(judged.client(".", 101, 1, 1).marks, Marks::ZERO_WINDOW_PROBE);
    let answer = Marks::ZERO_WINDOW_PROBE_ACK | Marks::ZERO_WINDOW;
    assert_eq!(judged.server(".", 1, 101, 0).marks, answer);
    judged.scene.window[SERVER] = 100;
    assert_eq!(judged.server(".", 1, 101, 0).marks, Marks::WINDOW_UPDATE);
}

#[test]
fn a_window_filled_to_the_byte_is_full() {
    let mut judged = Judged::open();
    judged.scene.window[SERVER] = 2;
    judged.server(".", 1, 1, 0);
    assert_eq!(judged.client("P.", 1, 1, 255).marks, Marks::empty());
    assert_eq!(judged.client("P.", 256, 1, 1).marks, Marks::WINDOW_FULL);
}

#[test]
fn bytes_in_flight_leave_out_what_was_selectively_acknowledged() {
    let mut judged = Judged::open();
    assert_eq!(judged.client("P.", 1, 1, 100).bytes_in_flight, Some(100));
    assert_eq!(judged.client("P.", 101, 1, 100).bytes_in_flight, Some(200));
    let scene = judged.scene.clone();
    let ack = sacking(judged.scene.segment(SERVER, ".", 1, 1, 0), &scene, [101, 201]);
    judged.see(&ack);
    assert_eq!(judged.client("P.", 201, 1, 50).bytes_in_flight, Some(150));
}

#[test]
fn an_ack_is_timed_against_the_first_copy_of_what_it_ends() {
    let mut judged = Judged::open();
    judged.client("P.", 1, 1, 100);
    judged.scene.wait(100);
    judged.client("P.", 1, 1, 100);
    let acks = judged.server(".", 1, 101, 0).acks.unwrap();
    assert_eq!((acks.frame, acks.time), (4, Duration::from_millis(102)));
}

#[test]
fn numbers_windows_and_round_trip_come_out_of_the_handshake() {
    let mut judged = Judged::open();
    let first = judged.client("P.", 1, 1, 100);
    assert_eq!((first.seq, first.ack, first.window), (1, 1, 500 << 7));
    assert_eq!(first.scale, Some(Scale::Shift(7)));
    assert_eq!(first.initial_rtt, Some(Duration::from_millis(2)));
}

#[test]
fn a_refused_connection_is_complete_as_such() {
    let mut judged = Judged::default();
    judged.client("S", 0, 0, 0);
    let completeness = judged.server("R.", 0, 1, 0).completeness;
    assert_eq!(completeness, Completeness::SYN | Completeness::ACK | Completeness::RST);
}

#[test]
fn an_option_for_scaling_counts_on_a_syn_only() {
    let mut judged = Judged::default();
    let mut segment = judged.scene.segment(CLIENT, ".", 1, 1, 0);
    segment.header.options.window_scale = Some(10);
    assert_eq!(judged.see(&segment).window, 500);
}
