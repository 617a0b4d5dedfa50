use handclasp_wire::seq::SeqNumber;
use proptest::prelude::*;

use super::{Piece, Stream};
use crate::capture::dissect::Segment;
use crate::scene::{CLIENT, SERVER, Scene};

/// What was handed out: bytes as text, gaps in brackets.
#[derive(Default)]
struct Told(String);

impl Told {
    fn piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Bytes(bytes) => self.0.push_str(str::from_utf8(bytes).unwrap()),
            Piece::Missing(bytes) => self.0.push_str(&format!("[{bytes}]")),
            Piece::Beginning => self.0.push_str("[?]"),
        }
    }
}

const TEXT: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

/// The client's bytes from one number to another, where the first is 1.
fn part(scene: &mut Scene, from: u32, to: u32) -> Segment<'static> {
    let mut segment = scene.segment(CLIENT, "P.", from, 1, to - from);
    segment.payload = &TEXT[from as usize - 1..to as usize - 1];
    segment
}

/// What the client's segments tell, the server having acknowledged up to `acked` in the end.
fn told(segments: &[Segment<'_>], acked: u32) -> String {
    let mut told = Told::default();
    let mut stream = Stream::default();
    for segment in segments {
        stream.sent(segment, |piece| told.piece(piece));
    }
    if let Some(last) = segments.last() {
        let ack = SeqNumber(Scene::default().isn[CLIENT]) + acked;
        stream.acknowledged(ack, last.at, |piece| told.piece(piece));
    }
    stream.finish(None, |piece| told.piece(piece));
    told.0
}

#[test]
fn bytes_come_in_their_order_and_once() {
    let mut scene = Scene::default();
    let syn = scene.segment(CLIENT, "S", 0, 0, 0);
    let parts = [(1, 4), (7, 10), (4, 7), (1, 10), (8, 12)];
    let parts = parts.map(|(from, to)| part(&mut scene, from, to));
    let all: Vec<_> = std::iter::once(syn).chain(parts).collect();
    assert_eq!(told(&all, 12), "abcdefghijk");
}

#[test]
fn what_is_not_in_the_capture_is_told_and_not_filled() {
    let mut scene = Scene::default();
    let syn = scene.segment(CLIENT, "S", 0, 0, 0);
    let all = [syn, part(&mut scene, 1, 4), part(&mut scene, 9, 12)];
    assert_eq!(told(&all, 12), "abc[5]ijk");
    assert_eq!(told(&all, 15), "abc[5]ijk[3]");
    assert_eq!(told(&all[1..], 12), "[?]abc[5]ijk");
}

#[test]
fn what_was_cut_off_a_packet_is_missing() {
    let mut scene = Scene::default();
    let syn = scene.segment(CLIENT, "S", 0, 0, 0);
    let mut cut = part(&mut scene, 1, 9);
    cut.payload = &cut.payload[..3];
    assert_eq!(told(&[syn, cut, part(&mut scene, 9, 11)], 11), "abc[5]ij");
}

#[test]
fn a_gap_is_passed_over_soon_after_it_was_acknowledged() {
    let mut scene = Scene::default();
    let mut stream = Stream::default();
    let mut heard = Told::default();
    for segment in [scene.segment(CLIENT, "S", 0, 0, 0), part(&mut scene, 4, 7)] {
        stream.sent(&segment, |piece| heard.piece(piece));
    }
    let ack = scene.segment(SERVER, ".", 1, 7, 0);
    stream.acknowledged(ack.header.ack, ack.at, |piece| heard.piece(piece));
    assert_eq!(heard.0, "");
    stream.sent(&part(scene.wait(300), 7, 9), |piece| heard.piece(piece));
    assert_eq!(heard.0, "[3]defgh");
}

#[test]
fn memory_behind_a_gap_is_bounded() {
    let mut scene = Scene::default();
    let mut stream = Stream::default();
    let (mut bytes, mut missing) = (0, 0);
    for n in 0..200 {
        let seq = if n == 0 { 1 } else { 100 + 65_000 * n };
        let segment = scene.segment(CLIENT, ".", seq, 1, 65_000);
        stream.sent(&segment, |piece| match piece {
            Piece::Bytes(part) => bytes += part.len(),
            Piece::Missing(gap) => missing += gap,
            Piece::Beginning => {}
        });
        assert!(stream.waiting_bytes <= super::MAX_WAITING);
    }
    assert!(bytes > 8_000_000 && missing == 99, "{bytes} {missing}");
}

/// Starts and lengths of pieces.
fn cuts() -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop::collection::vec((1u32..26, 1u32..9), 1..40)
}

proptest! {
    #[test]
    fn pieces_in_any_order_make_the_whole(cuts in cuts()) {
        let mut scene = Scene::default();
        let mut all = vec![scene.segment(CLIENT, "S", 0, 0, 0)];
        let cut = |&(from, len): &(u32, u32)| part(&mut scene, from, (from + len).min(27));
        all.extend(cuts.iter().map(cut));
        let text = told(&all, 1);
        let mut has = [false; 26];
        for (from, len) in cuts {
            for at in from..(from + len).min(27) {
                has[at as usize - 1] = true;
            }
        }
        let mut wanted = String::new();
        let mut gap = 0;
        for (byte, has) in TEXT.iter().zip(has) {
            match (has, gap) {
                (true, 0) => wanted.push(char::from(*byte)),
                (true, _) => {
                    wanted.push_str(&format!("[{gap}]{}", char::from(*byte)));
                    gap = 0;
                }
                (false, _) => gap += 1,
            }
        }
        prop_assert_eq!(text, wanted);
    }
}
