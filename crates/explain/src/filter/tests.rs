use handclasp_wire::time::Instant;
use proptest::prelude::*;

use super::{Clock, Filter, FilterError, Packet};
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
        if filter.passes(&Packet { frame: &frame, segment, seen: &seen, clock: Clock::default() }) {
            numbers.push(number);
        }
    }
    numbers
}

/// No frame passes.
const NONE: [u64; 0] = [];

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
    assert_eq!(passing("tcp.payload[0] == 'H'"), [6]);
    assert_eq!(passing("tcp.payload[-2:2] == \"OK\""), [6]);
    assert_eq!(passing("tcp.payload[0,5-7] == \"H1.1\""), [6]);
    assert_eq!(passing("tcp.payload[9999]"), NONE);
    assert_eq!(passing("tcp.payload[0:2] in {48:54, \"xx\"}"), [4, 5, 6]);
}

#[test]
fn patterns_are_matched_whatever_the_case() {
    assert_eq!(passing("tcp.payload matches \"http/1\\.[01]\""), [6]);
    assert_eq!(passing(r#"tcp.payload ~ r"^x{100}$""#), [4, 5]);
    assert_eq!(passing("tcp.payload matches \"\\x48TTP\""), [6]);
}

#[test]
fn fields_are_compared_with_each_other() {
    assert_eq!(passing("tcp.srcport < tcp.dstport"), [2, 6]);
    assert_eq!(passing("tcp.nxtseq == tcp.seq + tcp.len"), [3, 4, 5, 6]);
    assert_eq!(passing("80 == tcp.srcport"), [2, 6]);
}

#[test]
fn bits_are_masked_and_numbers_worked_out() {
    assert_eq!(passing("tcp.flags & 0x12 == 0x12"), [2]);
    assert_eq!(passing("tcp.flags & 0x02"), [1, 2]);
    assert_eq!(passing("tcp.len * 2 - 100 == 100"), [4, 5]);
    assert_eq!(passing("frame.number % 2 == 0 and tcp.len / 0 == 1"), NONE);
    assert_eq!(passing("len(tcp.payload) == 15"), [6]);
    assert_eq!(passing("count(tcp.port) == 2").len(), 6);
    assert_eq!(passing("lower(tcp.payload) contains \"http\""), [6]);
}

#[test]
fn all_any_and_either_are_told_apart() {
    assert_eq!(passing("all tcp.port > 1000"), NONE);
    assert_eq!(passing("any tcp.port > 1000").len(), 6);
    assert_eq!(passing("tcp.port === 80"), NONE);
    assert_eq!(passing("tcp.port !== 80").len(), 6);
    assert_eq!(passing("tcp.flags.syn == 1 xor tcp.flags.ack == 1"), [1, 3, 4, 5, 6]);
    assert_eq!(passing("tcp.port not in {80}"), NONE);
}

#[test]
fn the_articles_filters_work_in_its_spelling() {
    assert_eq!(passing("tcp.flags.reset == 1 && tcp.Seq == 1"), NONE);
    assert_eq!(passing("tcp.flags.syn == 1 && tcp.analysis.retransmission"), NONE);
    let filter = Filter::parse("tcp.Seq==1").unwrap();
    assert_eq!(filter.respelled, [(0..7, "tcp.seq")]);
}

#[test]
fn an_error_is_marked_under_the_filter() {
    let filter = "ip && tcp.flag.syn == 1";
    let text = Filter::parse(filter).unwrap_err().under(filter);
    assert_eq!(text, "ip && tcp.flag.syn == 1\n      ^^^^^^^^^^^^");
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
    let none = "tcp.port has no bytes to search or to cut".to_owned();
    assert_eq!(error("tcp.port[0] == 80").0, none);
    assert_eq!(error("tcp.port matches \"8\"").0, none);
    assert_eq!(error("tcp.port == ip.src").0, "tcp.port never has such a value");
    assert_eq!(error("tcp.payload matches \"(\"").1, 20..23);
    assert_eq!(error("tcp.payload contains \"\\q\"").0, "tcp.payload never has such a value");
}

/// Pieces of filters, and what is none.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "tcp.port",
        "tcp.payload",
        "ip.addr",
        "frame.time",
        "tcp",
        "==",
        "!=",
        "80",
        "(",
        ")",
        "!",
        "{",
        "}",
        "in",
        "\"",
        "\"a\\x4\"",
        "[",
        "]",
        "0:4",
        "-1",
        ":",
        "é",
        "..",
        "&",
        "+",
        "- ",
        "/ ",
        "matches",
        "contains",
        "'a'",
        "r\"(\"",
        "all",
        "not",
        "len(",
        "10.0.0.0/8",
        "1.5",
    ]);
    let other = "[ -~]{0,3}";
    prop::collection::vec(prop_oneof![8 => words.prop_map(str::to_owned), 1 => other], 0..12)
        .prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_text_panics(text in pieces()) {
        match Filter::parse(&text) {
            Ok(_) => drop(passing(&text)),
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{error:?}"),
        }
    }
}

#[test]
fn depth_is_limited_and_length_is_not() {
    assert!(Filter::parse(&"(".repeat(100_000)).is_err());
    assert!(Filter::parse(&"!".repeat(100_000)).is_err());
    assert!(Filter::parse(&"len(".repeat(100_000)).is_err());
    assert!(Filter::parse(&"tcp && ".repeat(100_000)).is_err());
    assert!(Filter::parse(&format!("{}tcp", "tcp or ".repeat(100_000))).is_ok());
}
