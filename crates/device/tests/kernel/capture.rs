//! Watching interfaces.

use std::io::{Read, Write};
use std::time::Instant;

use handclasp_device::capture::{Capture, Captured};
use handclasp_device::tap::Direction;
use handclasp_lab::isolated::in_namespace;
use handclasp_lab::lab::{Lab, OUR_INTERFACE, PEER_INTERFACE};
use handclasp_lab::namespace::Namespace;
use handclasp_wire::frame::RxChecksum;
use handclasp_wire::gso::split_inbound;
use handclasp_wire::packet::{Packet, Transport};

use crate::host::{PATIENCE, block_on, inside, veth};

async fn next(capture: &mut Capture) -> Captured {
    let next = tokio::time::timeout(PATIENCE, capture.next()).await;
    next.expect("seen in time").expect("an interface")
}

/// The next TCP segment with data, and how much.
async fn next_data(capture: &mut Capture) -> (Captured, usize) {
    loop {
        let captured = next(capture).await;
        let packet = Packet::parse(capture.medium(), &captured.packet.data).expect("a packet");
        if let Transport::Tcp(tcp) = packet.transport
            && !tcp.payload().is_empty()
        {
            let len = tcp.payload().len();
            return (captured, len);
        }
    }
}

#[test]
fn both_directions_of_a_cable_are_seen_in_the_order_in_which_they_happened() {
    in_namespace(|| {
        block_on(async {
            let (lab, mut host) = veth();
            let peer = inside(&lab, || Capture::open(PEER_INTERFACE)).expect("a capture");
            let ours = Capture::open(OUR_INTERFACE).expect("a capture");
            let before = Instant::now();
            host.accept(&lab).await;
            for (mut capture, first) in [(peer, Direction::Out), (ours, Direction::In)] {
                let (mut seen, mut last) = (Vec::new(), before);
                while seen.len() < 3 {
                    let captured = next(&mut capture).await;
                    let packet = Packet::parse(capture.medium(), &captured.packet.data);
                    if let Transport::Tcp(_) = packet.expect("a packet").transport {
                        assert!(captured.at >= last && captured.at <= Instant::now());
                        last = captured.at;
                        seen.push(captured.direction == first);
                    }
                }
                assert_eq!(seen, [true, false, true]);
            }
        });
    });
}

#[test]
fn a_large_segment_is_seen_whole_and_can_be_cut() {
    in_namespace(|| {
        block_on(async {
            let (lab, mut host) = veth();
            let mut capture = inside(&lab, || Capture::open(PEER_INTERFACE)).expect("a capture");
            let (mut stream, _) = host.accept(&lab).await;
            stream.write_all(&[7; 5000]).expect("written");
            let (captured, len) = next_data(&mut capture).await;
            assert!(len > 1460, "{len} bytes");
            assert_eq!(captured.packet.segment_size, Some(1460));
            assert_eq!(captured.packet.checksum, RxChecksum::Trusted);
            for piece in split_inbound(&captured.packet, capture.medium()) {
                let packet = Packet::parse(capture.medium(), &piece).expect("a packet");
                assert_eq!(packet.checksum_ok(), Some(true));
            }
        });
    });
}

#[test]
fn loopback_shows_each_packet_out_and_in() {
    in_namespace(|| {
        block_on(async {
            let mut capture = Capture::open("lo").expect("a capture");
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
            let address = listener.local_addr().expect("an address");
            let mut client = std::net::TcpStream::connect(address).expect("connected");
            client.write_all(b"over lo").expect("written");
            let mut got = [0; 7];
            listener.accept().expect("accepted").0.read_exact(&mut got).expect("read");
            let (out, _) = next_data(&mut capture).await;
            let (back, _) = next_data(&mut capture).await;
            assert_eq!((out.direction, back.direction), (Direction::Out, Direction::In));
            assert_eq!(out.packet.data, back.packet.data);
        });
    });
}

#[test]
fn a_capture_ends_with_its_interface() {
    in_namespace(|| {
        block_on(async {
            let (lab, _host): (Lab, _) = veth();
            let mut capture = Capture::open(OUR_INTERFACE).expect("a capture");
            let own = Namespace::current().expect("a namespace");
            own.links().expect("links").remove(OUR_INTERFACE).expect("removed");
            let ended = async { while capture.next().await.is_ok() {} };
            tokio::time::timeout(PATIENCE, ended).await.expect("it ends");
            drop(lab);
        });
    });
}
