use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use handclasp_wire::checksum::pseudo_header;
use handclasp_wire::frame::{Medium, Outbound, PartialChecksum};
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::packet::Packet;
use handclasp_wire::tcp::header::{Flags, Header};
use smallvec::SmallVec;

use super::{Direction, Tap, Tapped};
use crate::channel::pair;
use crate::device::Device;

type Seen = Arc<Mutex<Vec<(Direction, Vec<u8>)>>>;

struct Notes(Seen);

impl Tap for Notes {
    fn packet(&mut self, _at: Instant, direction: Direction, bytes: &[u8]) {
        self.0.lock().expect("unpoisoned").push((direction, bytes.to_vec()));
    }
}

/// A TCP segment that is to be cut into pieces of 1,000 bytes.
fn large(payload: usize) -> Outbound {
    let (src, dst) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let tcp = Header { flags: Flags::ACK, ..Header::default() };
    let len = tcp.emitted_len() + payload;
    let mut header = SmallVec::new();
    Ipv4::new(src, dst, protocol::TCP).emit(len, &mut header);
    let seed = pseudo_header(src.into(), dst.into(), protocol::TCP, len as u32).partial();
    tcp.emit_with_checksum(seed, &mut header);
    Outbound {
        header,
        payload: SmallVec::from_iter([Bytes::from(vec![7; payload])]),
        checksum: Some(PartialChecksum { start: 20, offset: 16 }),
        segment_size: Some(1000),
    }
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn pieces_are_seen_with_finished_checksums_while_large_ones_pass() {
    let (near, far) = pair(4, 1500, Medium::Ip);
    let (sent, received) = (Seen::default(), Seen::default());
    let mut near = Tapped::new(near, Notes(sent.clone()));
    let mut far = Tapped::new(far, Notes(received.clone()));
    let mut batch = VecDeque::from([large(2500)]);
    assert!(near.poll_transmit(&mut noop(), &mut batch).is_ready());
    let mut got = Vec::new();
    assert!(far.poll_receive(&mut noop(), &mut got, 8).is_ready());
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].data.len(), 2540);
    for (seen, expected) in [(sent, Direction::Out), (received, Direction::In)] {
        let seen = seen.lock().expect("unpoisoned");
        let lens: Vec<_> = seen.iter().map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(lens, [1040, 1040, 540]);
        for (direction, bytes) in seen.iter() {
            assert_eq!(*direction, expected);
            let packet = Packet::parse(Medium::Ip, bytes).expect("a packet");
            assert_eq!(packet.checksum_ok(), Some(true));
        }
    }
}

#[test]
fn what_the_link_did_not_take_is_not_seen_until_it_does() {
    let (near, mut far) = pair(1, 1500, Medium::Ip);
    let seen = Seen::default();
    let mut near = Tapped::new(near, Notes(seen.clone()));
    let mut batch = VecDeque::from([large(10), large(20), large(30)]);
    assert!(near.poll_transmit(&mut noop(), &mut batch).is_pending());
    assert_eq!((batch.len(), seen.lock().expect("unpoisoned").len()), (2, 1));
    assert_eq!(batch[0], large(20));
    let mut got = Vec::new();
    assert!(far.poll_receive(&mut noop(), &mut got, 8).is_ready());
    assert!(near.poll_transmit(&mut noop(), &mut batch).is_pending());
    assert_eq!((batch.len(), seen.lock().expect("unpoisoned").len()), (1, 2));
}

#[test]
fn a_broken_link_keeps_the_packet_and_passes_its_error_on() {
    let (near, far) = pair(1, 1500, Medium::Ip);
    let seen = Seen::default();
    let mut near = Tapped::new(near, Notes(seen.clone()));
    drop(far);
    let mut batch = VecDeque::from([large(10)]);
    let sent = near.poll_transmit(&mut noop(), &mut batch);
    assert!(matches!(sent, Poll::Ready(Err(_))));
    assert_eq!((batch.len(), seen.lock().expect("unpoisoned").len()), (1, 0));
}

#[test]
fn several_see_the_same_packet() {
    let seen = Seen::default();
    let notes = || Notes(seen.clone());
    let shared: Arc<Mutex<dyn Tap>> = Arc::new(Mutex::new(notes()));
    let boxed: Box<dyn Tap> = Box::new(notes());
    let mut all = ((notes(), Some(shared)), (boxed, None::<Notes>));
    all.packet(Instant::now(), Direction::In, b"x");
    assert_eq!(seen.lock().expect("unpoisoned").len(), 3);
}
