//! Data that the application holds back, and records that no segment goes over.

mod common;

use common::*;

#[test]
fn a_cork_holds_small_segments_back_until_it_is_taken_out() {
    let mut b = Bench::open();
    b.conn.set_cork(true);
    b.write(&[1; 2300]);
    assert_eq!(ranges(&b.drain()), [(ISS + 1, 1000), (ISS + 1001, 1000)]);
    b.ack(ISS + 2001);
    b.silent();
    b.conn.set_cork(false);
    let last = b.one();
    assert_eq!((last.payload_len(), flags(&last).as_str()), (300, "P."));
}

#[test]
fn a_cork_that_nobody_takes_out_holds_for_two_tenths_of_a_second() {
    let mut b = Bench::open();
    b.conn.set_cork(true);
    b.write(b"held");
    b.silent();
    assert_eq!(b.until_deadline(), 200 * MS);
    assert_eq!(text(&b.one()), b"held");
}

#[test]
fn more_to_follow_holds_a_small_segment_back_until_the_next_write() {
    let mut b = Bench::open();
    b.conn.set_nodelay(true);
    b.write(b"head ");
    b.conn.more_follows();
    b.silent();
    b.write(b"tail");
    assert_eq!(text(&b.one()), b"head tail");
}

#[test]
fn an_ack_lets_out_what_more_was_to_follow_and_does_not_push_it() {
    let mut b = Bench::open();
    b.conn.set_nodelay(true);
    b.write(&[1; 1100]);
    b.conn.more_follows();
    let full = b.one();
    assert_eq!((full.payload_len(), flags(&full).as_str()), (1000, "."));
    b.ack(ISS + 1001);
    let rest = b.one();
    assert_eq!((rest.payload_len(), flags(&rest).as_str()), (100, "."));
}

#[test]
fn nodelay_lets_out_what_a_cork_holds() {
    let mut b = Bench::open();
    b.conn.set_cork(true);
    b.write(b"held");
    b.silent();
    b.conn.set_nodelay(true);
    assert_eq!(text(&b.one()), b"held");
    // The cork is still in.
    b.write(b"held too");
    b.silent();
}

#[test]
fn no_segment_carries_bytes_of_two_records_and_each_record_is_pushed() {
    let mut b = Bench::open();
    b.conn.set_nodelay(true);
    b.write(&[1; 1500]);
    b.conn.end_record();
    b.write(&[2; 1500]);
    let sent = b.drain();
    let lens = [(ISS + 1, 1000), (ISS + 1001, 500), (ISS + 1501, 1000), (ISS + 2501, 500)];
    assert_eq!(ranges(&sent), lens);
    let flags: Vec<_> = sent.iter().map(flags).collect();
    assert_eq!(flags, [".", "P.", ".", "P."]);
}

#[test]
fn a_record_keeps_its_end_when_it_is_sent_again() {
    let mut b = Bench::open();
    b.conn.set_nodelay(true);
    b.write(&[1; 400]);
    b.conn.end_record();
    b.drain();
    b.write(&[2; 400]);
    b.drain();
    b.until_deadline();
    assert_eq!(ranges(&b.drain()), [(ISS + 1, 400)]);
}
