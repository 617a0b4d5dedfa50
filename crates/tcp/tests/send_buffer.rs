//! How much a write takes, when a writer is woken, and what held the sender back.

mod common;

use common::*;
use handclasp_tcp::Config;
use handclasp_tcp::config::SendAccounting;
use handclasp_tcp::connection::Readiness;

/// A connection whose peer takes segments of 1,000 bytes, in a window of 64,000.
fn linux(limit: usize) -> Bench {
    let mut config = Config::linux();
    (config.send_buffer_start, config.send_buffer_max) = (limit, limit);
    (config.timestamps, config.sack, config.window_scaling) = (false, false, false);
    Bench::open_with(config, mss(1000))
}

/// Writes as much as there is room for.
fn fill(b: &mut Bench) -> usize {
    let mut taken = 0;
    loop {
        let n = b.write(&[0; 100_000]);
        if n == 0 {
            return taken;
        }
        taken += n;
        b.drain();
    }
}

#[test]
fn plain_accounting_counts_bytes() {
    let mut config = plain();
    (config.send_buffer_start, config.send_buffer_max) = (50_000, 50_000);
    let mut b = Bench::open_with(config, mss(1000));
    assert_eq!(fill(&mut b), 50_000);
}

/// Half of the window makes a buffer: 32,000 bytes. Ten segments leave, the buffer is cut there,
/// and what is left of it is filled again, though it is more than the limit by now.
#[test]
fn linux_accounting_fills_the_buffer_that_was_begun() {
    let mut b = linux(30_000);
    assert_eq!(b.conn.config().send_accounting, SendAccounting::Buffers);
    assert_eq!(fill(&mut b), 42_000);
}

/// Every range under way costs 1,280 bytes beside its payload: twelve segments are too many.
#[test]
fn linux_wakes_a_writer_when_a_third_of_the_limit_is_free() {
    let mut b = linux(30_000);
    fill(&mut b);
    for ack in [10_001, 30_001] {
        b.ack(ISS + ack);
        b.drain();
        assert!(!b.ready(Readiness::WRITABLE), "{ack}");
    }
    b.ack(ISS + 36_001);
    assert!(b.ready(Readiness::WRITABLE));
}

#[test]
fn no_more_is_taken_while_so_much_was_never_sent() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 0);
    b.conn.set_notsent_lowat(Some(4000));
    assert_eq!(b.write(&[0; 10_000]), 4000);
    assert!(!b.ready(Readiness::WRITABLE));
    b.ack_with_window(ISS + 1, 3000);
    b.drain();
    assert!(b.ready(Readiness::WRITABLE));
}

#[test]
fn the_time_that_a_closed_window_holds_data_back_is_told() {
    let mut b = Bench::open();
    b.ack_with_window(ISS + 1, 0);
    b.write(&[0; 1000]);
    b.silent();
    b.advance(150 * MS);
    b.ack_with_window(ISS + 1, 5000);
    b.drain();
    b.advance(50 * MS);
    let activity = b.conn.activity(b.now);
    assert_eq!((activity.window_limited, activity.busy), (150 * MS, 200 * MS));
    assert_eq!(activity.since_data_out, 50 * MS);
    b.ack(ISS + 1001);
    b.silent();
    b.advance(70 * MS);
    assert_eq!(b.conn.activity(b.now).busy, 200 * MS);
}

#[test]
fn the_time_that_the_send_buffer_holds_the_application_back_is_told() {
    let mut b = Bench::open();
    b.conn.set_send_buffer(2000);
    fill(&mut b);
    b.silent();
    b.advance(30 * MS);
    assert_eq!(b.conn.activity(b.now).buffer_limited, 30 * MS);
}

#[test]
fn the_time_since_data_came_is_told() {
    let mut b = Bench::open();
    b.advance(20 * MS);
    assert_eq!(b.conn.activity(b.now).since_data_in, 20 * MS);
    b.data(b"new");
    assert_eq!(b.conn.activity(b.now).since_data_in.as_millis(), 0);
}
