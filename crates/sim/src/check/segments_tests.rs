use handclasp_wire::time::Instant;

use super::*;
use crate::network::HostId;

const CLIENT: &str = "10.0.0.1:1";
const SERVER: &str = "10.0.0.2:2";

fn entry(src: &str, dst: &str, flags: Flags, seq: u32, ack: u32, window: u16, len: usize) -> Entry {
    let header =
        Header { seq: SeqNumber(seq), ack: SeqNumber(ack), flags, window, ..Header::default() };
    let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
    Entry { at: Instant::ZERO, from: HostId(0), src, dst, header, len, fate: Fate::Carried }
}

/// What is wrong with a segment of the client's behind a handshake in which the server said
/// that it takes 1000 bytes; it begins at 101.
fn wrong(seq: u32, ack: u32, window: u16, len: usize) -> Violations {
    let mut segments = Segments::default();
    let ack_flag = Flags::ACK;
    segments.check(&entry(CLIENT, SERVER, Flags::SYN, 100, 0, 500, 0));
    segments.check(&entry(SERVER, CLIENT, Flags::SYN | ack_flag, 900, 101, 1000, 0));
    segments.check(&entry(CLIENT, SERVER, ack_flag, 101, 901, 500, 0));
    assert_eq!(segments.violations, Violations::new());
    segments.check(&entry(CLIENT, SERVER, ack_flag, seq, ack, window, len));
    segments.violations
}

#[track_caller]
fn assert_says(violations: &Violations, what: &str) {
    assert!(violations.len() == 1 && violations[0].starts_with(what), "{violations:?}");
}

#[test]
fn a_segment_that_uses_the_window_up_is_well() {
    assert_eq!(wrong(101 + 500, 901, 500, 500), Violations::new());
}

#[test]
fn text_beyond_the_window_is_noticed() {
    assert_says(&wrong(101 + 501, 901, 500, 500), "it sends beyond the window");
}

#[test]
fn a_window_that_shrinks_is_noticed() {
    assert_says(&wrong(101, 901, 499, 0), "its window's right edge moves left");
}

#[test]
fn an_acknowledgment_of_what_was_not_sent_is_noticed() {
    assert_says(&wrong(101, 902, 500, 0), "it acknowledges what was not sent");
}

#[test]
fn a_segment_larger_than_the_mss_is_noticed() {
    assert_says(&wrong(101, 901, 500, 537), "it exceeds the peer's MSS");
}
