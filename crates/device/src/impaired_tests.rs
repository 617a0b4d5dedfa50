use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use handclasp_impair::config::Config;
use handclasp_wire::arp::Arp;
use handclasp_wire::checksum::pseudo_header;
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp_wire::frame::{Inbound, Medium, Outbound, PartialChecksum, RxChecksum};
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::packet::Packet;
use handclasp_wire::tcp::header::{Flags, Header};
use smallvec::SmallVec;

use super::Impaired;
use crate::channel::{ChannelDevice, pair};
use crate::device::Device;
use crate::tap::{Direction, Tap};

/// A packet of IPv4 in whose last byte this number stands.
fn numbered(number: u8) -> Outbound {
    let mut header = SmallVec::new();
    Ipv4::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), 253).emit(1, &mut header);
    Outbound { header, payload: SmallVec::from_iter([vec![number].into()]), ..Outbound::default() }
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

/// An impaired end and the plain end of a link.
fn link(outgoing: Config, incoming: Config) -> (Impaired<ChannelDevice>, ChannelDevice) {
    let (near, far) = pair(1000, 1500, Medium::Ip);
    (Impaired::new(near, outgoing, incoming, 7).expect("a link"), far)
}

fn send(device: &mut impl Device, packets: impl IntoIterator<Item = Outbound>) {
    let mut batch: VecDeque<_> = packets.into_iter().collect();
    let sent = device.poll_transmit(&mut Context::from_waker(Waker::noop()), &mut batch);
    assert!(sent.is_ready() && batch.is_empty());
}

/// What is there to be received.
fn received(device: &mut impl Device) -> Vec<Inbound> {
    let mut batch = Vec::new();
    let _ = device.poll_receive(&mut Context::from_waker(Waker::noop()), &mut batch, 1000);
    batch
}

async fn receive(device: &mut impl Device) -> Vec<Inbound> {
    let mut batch = Vec::new();
    poll_fn(|cx| device.poll_receive(cx, &mut batch, 1000)).await.expect("a link");
    batch
}

fn numbers(packets: &[Inbound]) -> Vec<u8> {
    packets.iter().filter_map(|packet| packet.data.last().copied()).collect()
}

#[tokio::test]
async fn packets_are_lost_by_their_number_in_each_direction() {
    let out = Config::with(|c| c.drop_nth = vec![2]);
    let back = Config::with(|c| c.drop_nth = vec![1, 3]);
    let (mut near, mut far) = link(out, back);
    send(&mut near, (1..=4).map(numbered));
    assert_eq!(numbers(&received(&mut far)), [1, 3, 4]);
    send(&mut far, (1..=4).map(numbered));
    assert_eq!(numbers(&received(&mut near)), [2, 4]);
    let (out, back) = near.counters();
    assert_eq!((out.lost, back.lost), (1, 2));
}

#[tokio::test]
async fn large_segments_are_cut_before_the_link_in_both_directions() {
    let (mut near, mut far) = link(Config::default(), Config::with(|c| c.drop_nth = vec![2]));
    let capabilities = near.capabilities();
    assert!(capabilities.tso_v4 && capabilities.tx_checksum && !capabilities.rx_coalesced);
    send(&mut near, [large(2500)]);
    let lens: Vec<_> = received(&mut far).iter().map(|packet| packet.data.len()).collect();
    assert_eq!(lens, [1040, 1040, 540]);
    send(&mut far, [large(2500)]);
    let got = received(&mut near);
    let lens: Vec<_> = got.iter().map(|packet| packet.data.len()).collect();
    assert_eq!(lens, [1040, 540]);
    for packet in got {
        assert_eq!((packet.checksum, packet.segment_size), (RxChecksum::Unknown, None));
        let parsed = Packet::parse(Medium::Ip, &packet.data).expect("a packet");
        assert_eq!(parsed.checksum_ok(), Some(true));
    }
}

#[tokio::test]
async fn a_delay_finer_than_a_millisecond_is_kept_in_both_directions() {
    let delay = Duration::from_micros(300);
    let late = || Config::with(|c| c.delay = delay);
    let (mut near, mut far) = link(late(), late());
    let start = Instant::now();
    send(&mut near, [numbered(1)]);
    assert!(received(&mut far).is_empty());
    // Whoever drives the device polls its receiving side, which moves the packet out.
    let got = tokio::select! {
        _ = receive(&mut near) => panic!("nothing was sent here"),
        got = receive(&mut far) => got,
    };
    assert_eq!(numbers(&got), [1]);
    assert!(start.elapsed() >= delay);
    let start = Instant::now();
    send(&mut far, [numbered(2)]);
    assert_eq!(numbers(&receive(&mut near).await), [2]);
    assert!(start.elapsed() >= delay);
}

#[tokio::test]
async fn packets_on_their_way_arrive_before_the_end_of_the_link() {
    let (mut near, mut far) =
        link(Config::default(), Config::with(|c| c.delay = Duration::from_millis(5)));
    send(&mut far, [numbered(1)]);
    drop(far);
    assert_eq!(numbers(&receive(&mut near).await), [1]);
    assert_eq!(receive(&mut near).await.len(), 0);
}

#[tokio::test]
async fn a_device_that_takes_no_more_pushes_back_through_the_link() {
    let (near, mut far) = pair(2, 1500, Medium::Ip);
    let mut near = Impaired::new(near, Config::default(), Config::default(), 7).expect("a link");
    send(&mut near, (1..=5).map(numbered));
    let mut more = VecDeque::from([numbered(6)]);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(near.poll_transmit(cx, &mut more).is_pending());
    assert_eq!(more.len(), 1);
    let mut got = Vec::new();
    while got.len() < 5 {
        got.extend(numbers(&received(&mut far)));
        let _ = received(&mut near);
    }
    assert_eq!(got, [1, 2, 3, 4, 5]);
    assert!(near.poll_transmit(cx, &mut more).is_ready());
}

#[tokio::test]
async fn what_finds_neighbours_is_neither_counted_nor_lost() {
    let (near, mut far) = pair(100, 1500, Medium::Ethernet);
    let lossy = || Config::with(|c| c.loss = 1.0);
    let mut near = Impaired::new(near, lossy(), lossy(), 7).expect("a link");
    let mac = MacAddr([2, 0, 0, 0, 0, 1]);
    let mut header = SmallVec::new();
    Ethernet::new(MacAddr::BROADCAST, mac, EtherType::ARP).emit(&mut header);
    Arp::request(mac, [10, 0, 0, 1].into(), [10, 0, 0, 2].into()).emit(&mut header);
    let request = Outbound { header, ..Outbound::default() };
    send(&mut near, [request.clone()]);
    assert_eq!(received(&mut far).len(), 1);
    send(&mut far, [request]);
    assert_eq!(received(&mut near).len(), 1);
    assert_eq!(near.counters().0.offered, 0);
}

#[tokio::test]
async fn what_tells_of_groups_is_neither_counted_nor_lost() {
    let lossy = || Config::with(|c| c.loss = 1.0);
    let (mut near, mut far) = link(lossy(), lossy());
    let mut listener_report = [0; 48];
    // IPv6, 8 bytes of payload, ICMPv6, then the type of the report.
    listener_report[0] = 0x60;
    listener_report[5] = 8;
    listener_report[6] = 58;
    listener_report[40] = 143;
    let report = Outbound { header: SmallVec::from_slice(&listener_report), ..Outbound::default() };
    send(&mut near, [report]);
    assert_eq!(received(&mut far).len(), 1);
    assert_eq!(near.counters().0.offered, 0);
}

struct Lost(Arc<Mutex<Vec<(Direction, u8)>>>);

impl Tap for Lost {
    fn packet(&mut self, _at: Instant, direction: Direction, bytes: &[u8]) {
        let last = bytes.last().copied().unwrap_or_default();
        self.0.lock().expect("unpoisoned").push((direction, last));
    }
}

#[tokio::test]
async fn what_is_lost_is_shown() {
    let out = Config::with(|c| c.drop_nth = vec![2]);
    let back = Config::with(|c| c.drop_nth = vec![1]);
    let (near, mut far) = link(out, back);
    let lost = Arc::default();
    let mut near = near.show_lost(Lost(Arc::clone(&lost)));
    send(&mut near, (1..=3).map(numbered));
    send(&mut far, (4..=5).map(numbered));
    assert_eq!(numbers(&received(&mut near)), [5]);
    assert_eq!(*lost.lock().expect("unpoisoned"), [(Direction::Out, 2), (Direction::In, 4)]);
}
