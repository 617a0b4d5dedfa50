use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use handclasp_wire::frame::{Inbound, Medium, Outbound, PartialChecksum, RxChecksum};
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::udp::Udp;
use rustix::io::Errno;
use smallvec::smallvec;

use super::{Framed, MAX_SLICES, Outcome, outcome};
use crate::vnet;

/// A descriptor as a TUN interface's, and who plays the kernel.
fn framed(vnet_header: bool) -> (Framed, UnixDatagram) {
    let (ours, theirs) = UnixDatagram::pair().expect("a pair of sockets");
    ours.set_nonblocking(true).expect("nonblocking");
    let framed = Framed::new(ours.into(), Medium::Ip, vnet_header).expect("watched");
    (framed, theirs)
}

async fn receive(framed: &mut Framed, max: usize) -> Vec<Inbound> {
    let mut batch = Vec::new();
    let count = poll_fn(|cx| framed.poll_receive(cx, &mut batch, max)).await.expect("a read");
    assert_eq!(count, batch.len());
    batch
}

async fn send(framed: &mut Framed, packet: Outbound) -> std::io::Result<()> {
    let mut batch = VecDeque::from([packet]);
    poll_fn(|cx| framed.poll_transmit(cx, &mut batch)).await?;
    assert!(batch.is_empty());
    Ok(())
}

fn slices(count: usize) -> Outbound {
    Outbound {
        header: smallvec![0x45; 20],
        payload: (0..count).map(|i| Bytes::from(vec![i as u8; 2])).collect(),
        ..Outbound::default()
    }
}

#[tokio::test]
async fn a_packet_is_gathered_behind_its_vnet_header() {
    let (mut framed, kernel) = framed(true);
    send(&mut framed, slices(3)).await.expect("sent");
    let mut buffer = [0; 100];
    let len = kernel.recv(&mut buffer).expect("received");
    assert_eq!(len, vnet::LEN + 26);
    assert_eq!(buffer[..vnet::LEN], vnet::Header::PLAIN.emit());
    assert_eq!(buffer[vnet::LEN + 20..len], [0, 0, 1, 1, 2, 2]);
}

#[tokio::test]
async fn a_packet_of_very_many_slices_is_sent_whole() {
    let (mut framed, kernel) = framed(false);
    send(&mut framed, slices(MAX_SLICES + 1)).await.expect("sent");
    let mut buffer = [0; 2000];
    let len = kernel.recv(&mut buffer).expect("received");
    assert_eq!(len, 20 + 2 * (MAX_SLICES + 1));
    assert_eq!(buffer[len - 4..len], [255, 255, 0, 0]);
}

#[tokio::test]
async fn what_the_vnet_header_says_of_a_packet_comes_with_it() {
    let (mut framed, kernel) = framed(true);
    let header = vnet::Header {
        needs_checksum: true,
        gso: vnet::Gso::TcpV4,
        gso_size: 1448,
        ..vnet::Header::PLAIN
    };
    kernel.send(&[&header.emit()[..], &[7; 3000]].concat()).expect("sent");
    let packet = receive(&mut framed, 8).await.remove(0);
    assert_eq!(packet.data, [7; 3000][..]);
    assert_eq!(packet.checksum, RxChecksum::Trusted);
    assert_eq!(packet.segment_size, Some(1448));
}

#[tokio::test]
async fn packets_that_wait_are_read_as_one_batch_of_at_most_the_size_asked_for() {
    let (mut framed, kernel) = framed(false);
    for byte in 0..5 {
        kernel.send(&[byte; 60]).expect("sent");
    }
    assert_eq!(receive(&mut framed, 3).await.len(), 3);
    assert_eq!(receive(&mut framed, 3).await.len(), 2);
    let mut batch = Vec::new();
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(framed.poll_receive(cx, &mut batch, 3).is_pending());
}

#[tokio::test]
async fn datagrams_that_come_as_one_are_received_one_by_one() {
    let (mut framed, kernel) = framed(true);
    let mut joined = vnet::Header {
        needs_checksum: true,
        gso: vnet::Gso::Udp,
        gso_size: 100,
        csum_start: 20,
        csum_offset: 6,
        ..vnet::Header::PLAIN
    }
    .emit()
    .to_vec();
    let ip = Ipv4::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), protocol::UDP);
    ip.emit(Udp::HEADER_LEN + 250, &mut joined);
    Udp { src_port: 1, dst_port: 2 }.emit(250, 0x1234, &mut joined);
    joined.extend_from_slice(&[7; 250]);
    kernel.send(&joined).expect("sent");
    kernel.send(&[vnet::Header::PLAIN.emit().as_slice(), &[0x45; 40]].concat()).expect("sent");
    let mut lens = Vec::new();
    for expected in [2, 2] {
        let batch = receive(&mut framed, 2).await;
        assert_eq!(batch.len(), expected);
        assert!(batch.iter().all(|packet| packet.segment_size.is_none()));
        lens.extend(batch.iter().map(|packet| packet.data.len()));
    }
    assert_eq!(lens, [128, 128, 78, 40]);
}

#[tokio::test]
async fn a_read_that_is_too_short_or_of_an_unknown_form_is_counted_and_passed_over() {
    let (mut framed, kernel) = framed(true);
    let unknown = vnet::Header { gso: vnet::Gso::Other(3), ..vnet::Header::PLAIN };
    kernel.send(&[0; 4]).expect("sent");
    kernel.send(&unknown.emit()).expect("sent");
    kernel.send(&[0; 50]).expect("sent");
    assert_eq!(receive(&mut framed, 8).await.len(), 1);
    assert_eq!(framed.discarded(), 2);
}

#[tokio::test]
async fn a_full_queue_keeps_the_packet_and_wakes_the_sender_when_it_empties() {
    let (mut framed, kernel) = framed(false);
    let mut batch: VecDeque<_> = (0..2000).map(|_| slices(3)).collect();
    let filling = poll_fn(|cx| framed.poll_transmit(cx, &mut batch));
    tokio::time::timeout(Duration::from_millis(50), filling).await.expect_err("the queue fills");
    let taken = 2000 - batch.len();
    assert!(taken > 0);
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 100];
        (0..2000).map(|_| kernel.recv(&mut buffer).expect("received")).all(|len| len == 26)
    });
    poll_fn(|cx| framed.poll_transmit(cx, &mut batch)).await.expect("sent");
    assert!(batch.is_empty());
    assert!(reader.join().expect("a reader"));
}

#[tokio::test]
async fn an_offload_without_a_vnet_header_is_refused() {
    let (mut framed, _kernel) = framed(false);
    let partial = Some(PartialChecksum { start: 20, offset: 16 });
    let error = send(&mut framed, Outbound { checksum: partial, ..slices(1) }).await;
    assert_eq!(error.expect_err("no offload").kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_closed_socket_is_the_end_of_the_link() {
    let (ours, theirs) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::SEQPACKET,
        rustix::net::SocketFlags::NONBLOCK,
        None,
    )
    .expect("a pair of sockets");
    let mut framed = Framed::new(ours, Medium::Ip, false).expect("watched");
    rustix::io::write(&theirs, b"last").expect("written");
    drop(theirs);
    assert_eq!(receive(&mut framed, 8).await.len(), 1);
    assert_eq!(receive(&mut framed, 8).await.len(), 0);
}

#[test]
fn what_passes_by_itself_is_not_the_end_of_a_device() {
    for (errno, meaning) in [
        (Errno::AGAIN, Outcome::Wait),
        (Errno::NOBUFS, Outcome::Full),
        (Errno::IO, Outcome::Down),
        (Errno::NETDOWN, Outcome::Down),
        (Errno::MSGSIZE, Outcome::Discard),
        (Errno::BADFD, Outcome::Fatal(Errno::BADFD)),
    ] {
        assert_eq!(outcome(Err(errno)), meaning, "{errno}");
    }
}
