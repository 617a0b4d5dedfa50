use handclasp_tcp::State;

use super::{Ladder, View};
use crate::catalogue::{Cast, English, Message};
use crate::talk::Talk;
use crate::track::{Fate, Side};

fn view(left: Side) -> View {
    View {
        left,
        names: ["handclasp".into(), "kernel".into()],
        marked: [false, true],
        absolute: false,
        width: 100,
        fold_after: None,
        cast: Cast { ours: Some(left) },
        numbered: false,
    }
}

/// What a terminal without colours shows.
fn draw(view: View, talk: &Talk) -> String {
    let mut text = Vec::new();
    let mut ladder = Ladder::new(&mut text, &English, view);
    ladder.headings().unwrap();
    for row in &talk.rows {
        if !ladder.folds(row) {
            ladder.row(row).unwrap();
        }
    }
    let summary = talk.flow.summary();
    let parts = [
        ladder.say(&Message::Ending(summary.ending)),
        ladder.say(&Message::Packets(summary.packets())),
    ];
    ladder.outcome(true, &parts).unwrap();
    anstream::adapter::strip_bytes(&text).into_vec().try_into().unwrap()
}

fn page() -> Talk {
    let mut talk = Talk::open();
    talk.client("P.", 1, 1, "GET / HTTP/1.1\r\nHost: 10.77.0.2\r\n\r\n");
    talk.server(".", 1, 36, "").server("P.", 1, 36, "HTTP/1.1 200 OK\r\n\r\nhello");
    talk.server("F.", 25, 36, "").client(".", 36, 26, "").client("F.", 36, 26, "");
    talk.server(".", 26, 37, "");
    talk
}

#[test]
fn a_page_is_fetched() {
    insta::assert_snapshot!(draw(view(Side::Client), &page()));
}

#[test]
fn a_narrow_screen_breaks_lines_and_keeps_the_columns() {
    insta::assert_snapshot!(draw(View { width: 80, ..view(Side::Client) }, &page()));
}

#[test]
fn numbers_are_absolute_if_asked_for() {
    insta::assert_snapshot!(draw(View { absolute: true, ..view(Side::Client) }, &page()));
}

#[test]
fn our_server_stands_on_the_left_and_a_lost_packet_stops_halfway() {
    let mut talk = Talk::new();
    talk.flow.read(Side::Server, State::Listen);
    talk.syn().packet(Side::Server, "S.", 0, 1, "", Fate::Lost);
    talk.now = 1_000_020;
    talk.syn_ack().client(".", 1, 1, "");
    insta::assert_snapshot!(draw(view(Side::Server), &talk));
}

#[test]
fn a_capture_has_no_us_and_no_marks() {
    let mut talk = page();
    talk.rows.truncate(6);
    let names = ["10.77.0.1:50000".into(), "10.77.0.2:80".into()];
    let cast = Cast { ours: None };
    let view = View { names, marked: [false; 2], cast, numbered: true, ..view(Side::Client) };
    insta::assert_snapshot!(draw(view, &talk));
}

#[test]
fn long_runs_of_data_are_folded() {
    let mut talk = Talk::open();
    for n in 0..1000 {
        talk.client(".", 1 + 100 * n, 1, &"x".repeat(100));
    }
    talk.client("F.", 100_001, 1, "");
    insta::assert_snapshot!(draw(View { fold_after: Some(40), ..view(Side::Client) }, &talk));
}
