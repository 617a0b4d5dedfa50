use handclasp_wire::time::Instant;

use super::{Filter, FilterError, Packet};
use crate::capture::Frame;
use crate::capture::link::LinkType;
use crate::flow::table::{Limits, Table};
use crate::scene::{CLIENT, SERVER, Scene};

/// The numbers of the frames that pass, of a handshake, a request, its repetition, an answer.
fn passing(filter: &str) -> Vec<u64> {
    let filter = Filter::parse(filter).unwrap();
    let mut scene = Scene::default();
    let mut segments = scene.handshake().to_vec();
    segments.push(scene.segment(CLIENT, "P.", 1, 1, 100));
    segments.push(scene.wait(300).segment(CLIENT, "P.", 1, 1, 100));
    segments.push(scene.segment(SERVER, "P.", 1, 101, 50));
    segments[5].payload = b"HTTP/1.1 200 OK";
    let mut table = Table::new(Limits::default());
    let mut numbers = Vec::new();
    for segment in &segments {
        let seen = table.see(segment);
        let (number, at, link) = (segment.number, Instant::ZERO, LinkType::RAW);
        let frame = Frame { number, at, link, interface: 0, len: 60, bytes: &[] };
        if filter.passes(&Packet { frame: &frame, segment, seen: &seen }) {
            numbers.push(number);
        }
    }
    numbers
}

fn error(filter: &str) -> (String, std::ops::Range<usize>) {
    let error: FilterError = Filter::parse(filter).unwrap_err();
    (error.to_string(), error.span)
}

#[test]
fn flags_ports_and_marks_are_asked_for() {
    assert_eq!(passing("tcp.flags.syn == 1"), [1, 2]);
    assert_eq!(passing("tcp.flags.syn==1 && tcp.flags.ack==0"), [1]);
    assert_eq!(passing("tcp.analysis.retransmission"), [5]);
    assert_eq!(passing("tcp.srcport eq 80 and tcp.len > 0"), [6]);
    assert_eq!(passing("tcp.flags & 0x02"), [1, 2]);
    assert_eq!(passing(""), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn and_binds_more_tightly_than_or() {
    assert_eq!(passing("frame.number == 1 || frame.number == 2 && tcp.srcport == 9"), [1]);
    assert_eq!(passing("(frame.number == 1 or frame.number == 2) and tcp.srcport == 80"), [2]);
    assert_eq!(passing("not tcp.len == 0"), [4, 5, 6]);
}

#[test]
fn sets_take_values_and_ranges() {
    assert_eq!(passing("frame.number in {1, 3..5}"), [1, 3, 4, 5]);
    assert_eq!(passing("tcp.port in {80 443}").len(), 6);
}

#[test]
fn a_field_with_two_values_equals_if_one_does_and_differs_if_none_does() {
    assert_eq!(passing("ip.addr == 10.0.0.2").len(), 6);
    assert_eq!(passing("ip.addr != 10.0.0.2").len(), 0);
    assert_eq!(passing("ip.src == 10.0.0.2/31"), [2, 6]);
    assert_eq!(passing("ip.src == 10.0.0.0/8").len(), 6);
}

#[test]
fn bytes_are_cut_and_searched() {
    assert_eq!(passing("tcp.payload[0:4] == 48:54:54:50"), [6]);
    assert_eq!(passing("tcp.payload contains \"200 OK\""), [6]);
    assert_eq!(passing("tcp.payload[0] == 48"), [6]);
}

#[test]
fn times_are_in_seconds() {
    assert_eq!(passing("tcp.analysis.rto > 0.3"), [5]);
    assert_eq!(passing("tcp.analysis.initial_rtt == 0.002"), [3, 4, 5, 6]);
}

#[test]
fn names_in_capitals_are_taken_and_told_of() {
    let filter = Filter::parse("TCP.Flags.SYN == 1").unwrap();
    assert_eq!(filter.respelled, [(0..13, "tcp.flags.syn")]);
}

#[test]
fn errors_say_where_they_are() {
    let nearest = "there is no field tcp.flag.syn; is it tcp.flags.syn?".to_owned();
    assert_eq!(error("tcp && tcp.flag.syn == 1"), (nearest, 7..19));
    assert_eq!(error("tcp.port == banana"), ("tcp.port never has such a value".into(), 12..18));
    assert_eq!(error("tcp.port == "), ("a value is expected here".into(), 12..12));
    assert_eq!(error("(tcp"), ("\")\" is expected here".into(), 4..4));
    assert_eq!(error("tcp tcp"), ("&&, || or the end is expected here".into(), 4..7));
    assert_eq!(error("ip.src == 10.0.0.0/33").1, 10..21);
}

#[test]
fn no_text_panics() {
    let words = ["tcp.port", "==", "80", "(", ")", "!", "{", "}", "in", "\"", "[", ":", "é", ".."];
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(words[(state >> 33) as usize % words.len()]);
        }
        let _ = Filter::parse(&text);
    }
    assert!(Filter::parse(&"(".repeat(100_000)).is_err());
    assert!(Filter::parse(&"tcp && ".repeat(100_000)).is_err());
    assert!(Filter::parse(&format!("{}tcp", "tcp or ".repeat(100_000))).is_ok());
}
