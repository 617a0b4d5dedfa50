use handclasp_wire::seq::SeqNumber;

use super::{Course, Entry, Kind};
use crate::capture::dissect::Segment;
use crate::catalogue::English;
use crate::flow::table::{Limits, Table};
use crate::picture::graph::{self, Graph};
use crate::picture::ladder::{self, Place};
use crate::scene::{CLIENT, SERVER, Scene, sacking};
use crate::track::Side;

fn course<'a>(limit: usize, segments: impl IntoIterator<Item = Segment<'a>>) -> Course {
    let mut table = Table::new(Limits::endless());
    let mut course = Course::new(limit);
    for segment in segments {
        let seen = table.see(&segment);
        course.see(&segment, &seen);
    }
    course
}

/// A handshake, and then data of which one segment is lost, asked for and sent again.
fn loss() -> Vec<Segment<'static>> {
    let mut scene = Scene::default();
    let mut segments = scene.handshake().to_vec();
    segments.push(scene.segment(CLIENT, ".", 1, 1, 1000));
    segments.push(scene.segment(CLIENT, ".", 1001, 1, 1000));
    segments.push(scene.segment(SERVER, ".", 1, 1001, 0));
    scene.wait(50);
    segments.push(scene.segment(CLIENT, "P.", 2001, 1, 1000));
    let block = scene.segment(SERVER, ".", 1, 1001, 0);
    segments.push(sacking(block, &scene, [2001, 3001]));
    scene.wait(300);
    segments.push(scene.segment(CLIENT, ".", 1001, 1, 1000));
    segments.push(scene.segment(SERVER, ".", 1, 3001, 0));
    segments.push(scene.segment(CLIENT, "F.", 3001, 1, 0));
    segments
}

#[test]
fn what_was_sent_and_acknowledged_stands_in_numbers_from_the_isn() {
    let course = course(100, loss());
    let kinds: Vec<_> = course.client.segments().iter().map(|run| (run.kind, run.low)).collect();
    assert_eq!(
        kinds,
        [
            (Kind::Syn, 0),
            (Kind::Data, 1),
            (Kind::Data, 1001),
            (Kind::Data, 2001),
            (Kind::Resent, 1001),
            (Kind::Fin, 3001),
        ]
    );
    let acks: Vec<_> = course.client.acks().iter().map(|ack| ack.ack).collect();
    assert_eq!(acks, [1, 1001, 1001, 3001]);
    let sacks = course.client.sacks();
    assert_eq!((sacks.len(), sacks[0].left, sacks[0].right), (1, 2001, 3001));
    assert_eq!(course.client.acks()[1].edge - 1001, 500 << 7);
}

#[test]
fn numbers_do_not_wrap_where_the_headers_do() {
    let mut scene = Scene::default();
    let mut segments = scene.handshake().to_vec();
    // Six gigabytes.
    let step = 60_000;
    for i in 0..100_000_u32 {
        let mut segment = scene.segment(CLIENT, ".", 1, 1, step);
        segment.header.seq = SeqNumber(scene.isn[CLIENT]) + 1 + i.wrapping_mul(step);
        segments.push(segment);
    }
    let course = course(100, segments);
    let last = course.client.segments().last().unwrap();
    assert_eq!(last.high, 1 + 6_000_000_000);
}

#[test]
fn a_long_connection_has_short_series_that_hold_all_of_it() {
    let mut scene = Scene::default();
    let mut segments = scene.handshake().to_vec();
    for i in 0..20_000 {
        segments.push(scene.segment(CLIENT, ".", 1 + 1000 * i, 1, 1000));
        segments.push(scene.segment(SERVER, ".", 1, 1001 + 1000 * i, 0));
    }
    let course = course(300, segments);
    let runs = course.client.segments();
    assert!(runs.len() < 600 && course.client.acks().len() < 600);
    assert_eq!(runs.iter().map(|run| u64::from(run.packets)).sum::<u64>(), 20_001);
    assert_eq!(runs.last().unwrap().high, 20_000_001);
    assert!(course.entries.len() < 200, "{} rows", course.entries.len());
    let folded =
        |entry: &Entry| matches!(entry, Entry::Folded { packets, .. } if *packets > 39_000);
    assert!(course.entries.iter().any(folded));
}

#[test]
fn pictures_are_whole_and_show_what_happened() {
    let course = course(100, loss());
    let ladder = ladder::draw(&course, &English, Place::Alone);
    assert_eq!(ladder.matches("class=\"packet\"").count(), 11);
    for part in ["SYN-SENT", "ESTABLISHED", "[S]", "301 ms", "<style>", "</svg>"] {
        assert!(ladder.contains(part), "{part}");
    }
    assert!(!ladder::draw(&course, &English, Place::Page).contains("<style>"));
    for graph in [Graph::TimeSequence, Graph::Throughput, Graph::RoundTrip, Graph::Window] {
        let picture = graph::draw(&course, Side::Client, graph, Place::Alone);
        assert!(picture.contains("class=\"l ") && picture.ends_with("</svg>\n"), "{graph:?}");
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{graph:?}");
    }
    let sequence = graph::draw(&course, Side::Client, Graph::TimeSequence, Place::Alone);
    for name in ["SACK", "sent again", "receive window", "acknowledged"] {
        assert!(sequence.contains(name), "{name}");
    }
}

#[test]
fn a_picture_of_nothing_is_a_picture() {
    let course = Course::new(100);
    let ladder = ladder::draw(&course, &English, Place::Alone);
    assert!(ladder.ends_with("</svg>\n"));
    for graph in [Graph::TimeSequence, Graph::Throughput, Graph::RoundTrip, Graph::Window] {
        let picture = graph::draw(&course, Side::Server, graph, Place::Alone);
        assert!(!picture.contains("NaN"), "{graph:?}");
    }
}
