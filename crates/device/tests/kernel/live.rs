//! Packets for a capture, from the kernel's own traffic.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};

use handclasp_device::live::{Live, Options};
use handclasp_lab::isolated::in_namespace;
use handclasp_wire::bpf::{self, Instruction};
use handclasp_wire::packet::{Packet, Transport};

use crate::host::{PATIENCE, block_on};

/// The next `count` packets.
async fn packets(live: &mut Live, count: usize) -> Vec<(u32, Vec<u8>)> {
    let mut packets = Vec::new();
    while packets.len() < count {
        let next = live.next(|frame| {
            packets.push((frame.len, frame.bytes.to_vec()));
            Ok(packets.len() < count)
        });
        tokio::time::timeout(PATIENCE, next).await.expect("in time").expect("an interface");
    }
    packets
}

#[test]
fn packets_over_loopback_are_seen_once_with_whole_checksums() {
    in_namespace(|| {
        block_on(async {
            let mut live = Live::open("lo", &Options::default()).expect("a capture");
            let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
            let address = listener.local_addr().expect("an address");
            let mut client = TcpStream::connect(address).expect("connected");
            client.write_all(b"over lo").expect("written");
            let mut got = [0; 7];
            listener.accept().expect("accepted").0.read_exact(&mut got).expect("read");
            let seen = packets(&mut live, 4).await;
            let mut flags = Vec::new();
            for (_, bytes) in &seen {
                let packet = Packet::parse(live.medium(), bytes).expect("a packet");
                assert_eq!(packet.checksum_ok(), Some(true));
                let Transport::Tcp(tcp) = packet.transport else { panic!("TCP") };
                flags.push(tcp.to_header().flags.to_string());
            }
            assert_eq!(flags, ["S", "S.", ".", "P."]);
        });
    });
}

#[test]
fn the_kernel_hands_out_what_the_filter_wants_and_no_more_of_it() {
    in_namespace(|| {
        block_on(async {
            // UDP over IPv4 over Ethernet: 40 bytes of each.
            let filter = vec![
                Instruction::new(bpf::LD | bpf::ABS | bpf::B, 23),
                Instruction { code: bpf::JMP | bpf::JEQ, jt: 0, jf: 1, k: 17 },
                Instruction::new(bpf::RET, 40),
                Instruction::new(bpf::RET, 0),
            ];
            let options = Options { filter, ..Options::default() };
            let mut live = Live::open("lo", &options).expect("a capture");
            let _refused = TcpStream::connect("127.0.0.1:9");
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            socket.send_to(&[7; 100], "127.0.0.1:9").expect("sent");
            let seen = packets(&mut live, 1).await;
            assert_eq!((seen[0].0, seen[0].1.len()), (142, 40));
        });
    });
}

#[test]
fn what_there_was_no_room_for_is_counted() {
    in_namespace(|| {
        block_on(async {
            let options = Options { buffer: 4096, ..Options::default() };
            let mut live = Live::open("lo", &options).expect("a capture");
            let receiver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let to = receiver.local_addr().expect("an address");
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            for _ in 0..100 {
                socket.send_to(&[7; 1000], to).expect("sent");
            }
            let statistics = live.statistics().expect("counted");
            assert!(statistics.passed >= 100 && statistics.dropped > 0, "{statistics:?}");
            assert_eq!(live.statistics().expect("counted"), statistics);
        });
    });
}
