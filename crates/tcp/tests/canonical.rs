//! The canonical form: the same for connections that will behave alike, and only for those.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_tcp::canonical::{Form, Origin};
use handclasp_tcp::opening::Opening;
use handclasp_tcp::{Budget, Config, Connection, Context, Tuple};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{Options, Timestamps};
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

const OFFSET: u32 = 7000;

/// Where and when a connection begins.
#[derive(Clone, Copy)]
struct Birth {
    iss: u32,
    irs: u32,
    at: Instant,
}

struct Life {
    birth: Birth,
    connection: Connection,
    budget: Budget,
    now: Instant,
}

impl Life {
    /// A connection that is open, and has sent `text`.
    fn with(birth: Birth, text: &[u8]) -> Self {
        let budget = Budget::default();
        let iss = SeqNumber(birth.iss);
        let opening = Opening { iss, timestamp_offset: OFFSET, path_mtu: 1500, link_mtu: 1500 };
        let local: SocketAddr = ([10, 0, 0, 1], 40_000).into();
        let tuple = Tuple::new(local, ([10, 0, 0, 2], 80).into());
        let cx = Context::new(birth.at, &budget);
        let connection = Connection::connect(Arc::new(Config::default()), tuple, opening, &cx);
        let mut life = Self { birth, connection, budget, now: birth.at };
        life.transmit();
        life.now += Duration::from_millis(30);
        life.arrive(Flags::SYN | Flags::ACK, birth.irs, 1);
        life.transmit();
        let cx = Context::new(life.now, &life.budget);
        life.connection.write(&cx, text).unwrap();
        life.transmit();
        life
    }

    fn transmit(&mut self) {
        let cx = Context::new(self.now, &self.budget);
        while self.connection.poll_transmit(&cx, 0).is_some() {}
    }

    fn arrive(&mut self, flags: Flags, seq: u32, acked: u32) {
        let clock = self.now.as_millis() as u32;
        let header = Header {
            src_port: 80,
            dst_port: 40_000,
            seq: SeqNumber(seq),
            ack: SeqNumber(self.birth.iss) + acked,
            flags,
            window: 60_000,
            urgent: 0,
            options: Options {
                mss: Some(1460),
                timestamps: Some(Timestamps { value: clock + 99, echo: clock + OFFSET }),
                ..Options::default()
            },
        };
        let cx = Context::new(self.now, &self.budget);
        self.connection.segment_arrives(&cx, &header, Bytes::new());
    }

    fn words(&self) -> Vec<u64> {
        let (own, peer) = (self.connection.iss(), self.connection.irs());
        let mut form = Form::new(Origin { now: self.now, own, peer });
        self.connection.canonical(&mut form);
        form.words().to_vec()
    }
}

const EARLY: Birth = Birth { iss: 1000, irs: 5000, at: Instant::from_millis(10_000) };
#[test]
fn in_how_many_pieces_bytes_were_written_does_not_count() {
    let mut pieces = Life::with(EARLY, b"");
    let cx = Context::new(pieces.now, &pieces.budget);
    pieces.connection.write(&cx, b"hel").unwrap();
    pieces.connection.write(&cx, b"lo").unwrap();
    pieces.transmit();
    assert_eq!(pieces.words(), Life::with(EARLY, b"hello").words());
}

#[test]
fn a_copy_is_the_same_and_goes_its_own_way() {
    let first = Life::with(EARLY, b"hello");
    let mut copy = Life {
        connection: first.connection.clone(),
        budget: first.budget.clone(),
        birth: first.birth,
        now: first.now,
    };
    assert_eq!(copy.words(), first.words());
    let before = first.words();
    copy.arrive(Flags::ACK, EARLY.irs + 1, 6);
    assert_ne!(copy.words(), before);
    assert_eq!(first.words(), before);
    assert_eq!(copy.budget.used(), 0, "the copy's memory is its own");
    assert_eq!(first.budget.used(), 5);
}

#[test]
fn what_was_written_counts_by_its_bytes() {
    let hello = Life::with(EARLY, b"hello").words();
    assert_ne!(hello, Life::with(EARLY, b"hallo").words());
    assert_ne!(hello, Life::with(EARLY, b"hello!").words());
}

#[test]
fn how_soon_a_timer_fires_counts() {
    let mut life = Life::with(EARLY, b"hello");
    let before = life.words();
    life.now += Duration::from_millis(1);
    assert_ne!(life.words(), before);
}
