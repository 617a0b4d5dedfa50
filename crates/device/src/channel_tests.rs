use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use handclasp_wire::frame::{Inbound, Medium, Outbound, PartialChecksum, RxChecksum};
use smallvec::smallvec;

use super::{ChannelDevice, pair, port};
use crate::device::Device;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn packet(byte: u8) -> Outbound {
    Outbound {
        header: smallvec![byte; 4],
        payload: smallvec![Bytes::from(vec![byte; 3]), Bytes::from(vec![byte; 2])],
        ..Outbound::default()
    }
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn send(device: &mut ChannelDevice, packets: &[Outbound]) -> (Poll<()>, usize) {
    let mut batch = VecDeque::from(packets.to_vec());
    let sent = device.poll_transmit(&mut noop(), &mut batch).map(|r| r.expect("a link"));
    (sent, batch.len())
}

fn receive(device: &mut ChannelDevice, max: usize) -> Vec<Inbound> {
    let mut batch = Vec::new();
    match device.poll_receive(&mut noop(), &mut batch, max) {
        Poll::Ready(count) => assert_eq!(count.expect("a link"), batch.len()),
        Poll::Pending => assert!(batch.is_empty()),
    }
    batch
}

#[test]
fn what_one_end_sends_the_other_receives_in_order_and_whole() {
    let (mut a, mut b) = pair(8, 1500, Medium::Ip);
    assert_eq!(send(&mut a, &[packet(1), packet(2), packet(3)]), (Poll::Ready(()), 0));
    let got = receive(&mut b, 2);
    assert_eq!(got.iter().map(|p| p.data[0]).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(got[0].data, vec![1; 9]);
    assert_eq!(receive(&mut b, 2).len(), 1);
    assert_eq!(receive(&mut a, 2).len(), 0);
}

#[test]
fn a_full_link_takes_what_fits_and_the_sender_keeps_the_rest() {
    let (mut a, mut b) = pair(2, 1500, Medium::Ip);
    let five = [1, 2, 3, 4, 5].map(packet);
    assert_eq!(send(&mut a, &five), (Poll::Pending, 3));
    assert_eq!(receive(&mut b, 10).len(), 2);
    assert_eq!(send(&mut a, &five[2..4]), (Poll::Ready(()), 0));
}

#[test]
fn a_sender_that_waits_is_woken_when_there_is_room() {
    let (mut a, mut b) = pair(1, 1500, Medium::Ip);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut batch = VecDeque::from([packet(1), packet(2)]);
    assert!(a.poll_transmit(&mut Context::from_waker(&waker), &mut batch).is_pending());
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    receive(&mut b, 1);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
}

#[test]
fn a_receiver_that_waits_is_woken_by_a_packet() {
    let (mut a, mut b) = pair(1, 1500, Medium::Ip);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    assert!(b.poll_receive(&mut Context::from_waker(&waker), &mut Vec::new(), 1).is_pending());
    let _ = send(&mut a, &[packet(1)]);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
}

#[test]
fn packets_under_way_arrive_before_the_end_of_the_link() {
    let (mut a, mut b) = pair(4, 1500, Medium::Ip);
    let _ = send(&mut a, &[packet(1)]);
    drop(a);
    assert_eq!(receive(&mut b, 4).len(), 1);
    let end = b.poll_receive(&mut noop(), &mut Vec::new(), 4).map(|r| r.expect("an end"));
    assert_eq!(end, Poll::Ready(0));
}

#[test]
fn a_link_whose_receiver_is_gone_is_broken_for_its_sender() {
    let (mut a, b) = pair(4, 1500, Medium::Ip);
    drop(b);
    let mut batch = VecDeque::from([packet(1)]);
    match a.poll_transmit(&mut noop(), &mut batch) {
        Poll::Ready(Err(e)) => assert_eq!(e.kind(), ErrorKind::BrokenPipe),
        other => panic!("{other:?}"),
    }
}

#[test]
fn offloads_cross_the_link_undone() {
    let (mut a, mut b) = pair(4, 1500, Medium::Ip);
    let large = Outbound {
        checksum: Some(PartialChecksum { start: 0, offset: 0 }),
        segment_size: Some(3),
        ..packet(1)
    };
    let _ = send(&mut a, &[large]);
    let got = receive(&mut b, 1).remove(0);
    assert_eq!((got.checksum, got.segment_size), (RxChecksum::Trusted, Some(3)));
}

#[test]
fn a_plain_end_offers_no_offload() {
    let (a, _b) = pair(4, 9000, Medium::Ethernet);
    assert!(a.capabilities().tso_v4);
    let plain = a.plain().capabilities();
    assert!(!plain.tso_v4 && !plain.tso_v6 && !plain.tx_checksum && !plain.rx_coalesced);
    assert_eq!(plain.mtu, 9000);
    assert!(plain.hardware_address.is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn a_program_feeds_a_device_and_takes_from_it() {
    let (mut device, mut port) = port(2, 1420, Medium::Ip);
    port.send(Bytes::from_static(b"in")).await.expect("a device");
    assert_eq!(receive(&mut device, 1)[0], Inbound::new(Bytes::from_static(b"in")));
    let _ = send(&mut device, &[packet(9)]);
    assert_eq!(port.recv().await.expect("a packet"), vec![9; 9]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_program_that_sends_too_fast_waits() {
    let (mut device, port) = port(1, 1420, Medium::Ip);
    let (mut sender, mut receiver) = port.split();
    sender.send(Bytes::from_static(b"1")).await.expect("a device");
    let full = sender.try_send(Bytes::from_static(b"2")).expect_err("it is full");
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    assert_eq!(receiver.try_recv().expect_err("nothing").kind(), ErrorKind::WouldBlock);
    let (sent, ()) = tokio::join!(sender.send(Bytes::from_static(b"2")), async {
        assert_eq!(receive(&mut device, 5).len(), 1);
    });
    sent.expect("a device");
    assert_eq!(receive(&mut device, 5)[0].data, "2");
}

#[tokio::test(flavor = "current_thread")]
async fn a_program_hears_that_its_device_is_gone() {
    let (device, mut port) = port(1, 1420, Medium::Ip);
    drop(device);
    assert_eq!(port.recv().await, None);
    let error = port.send(Bytes::new()).await.expect_err("no device");
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn an_mtu_that_changes_wakes_the_receiver_and_is_seen() {
    let (mut device, port) = port(1, 1420, Medium::Ip);
    let (mut sender, _receiver) = port.split();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut batch = Vec::new();
    assert!(device.poll_receive(&mut Context::from_waker(&waker), &mut batch, 1).is_pending());
    sender.set_mtu(1280);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(device.capabilities().mtu, 1280);
}
