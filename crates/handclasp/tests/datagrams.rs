//! UDP beside TCP, with the kernel at the other end.
#![cfg(target_os = "linux")]

mod common;

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket as KernelSocket};

use common::{Link, PATIENCE, blocking, isolated, isolated_on, network, ours, peer, run};
use handclasp_lab::lab::Lab;
use handclasp_lab::pattern::Pattern;

/// A socket of the kernel's that waits for a while, not for ever.
fn kernel_socket(lab: &Lab, address: SocketAddr) -> KernelSocket {
    let bind = || {
        let socket = KernelSocket::bind(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    };
    lab.peer().run(bind).unwrap()
}

fn payload(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Pattern::new(3).fill(0, &mut bytes);
    bytes
}

/// Datagrams go to the kernel and back, from none at all to far more than the MTU.
async fn echo(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    let kernel = kernel_socket(&lab, peer(v6, 7));
    let socket = stack.bind_udp(ours(v6, 0)).unwrap();
    for len in [0, 1, 1000, 1472, 1473, 9000, 60_000] {
        socket.send_to(payload(len).into(), peer(v6, 7)).await.unwrap();
        let kernel = kernel.try_clone().unwrap();
        let echoed = blocking(move || {
            let mut datagram = vec![0; 65_536];
            let (len, from) = kernel.recv_from(&mut datagram).unwrap();
            kernel.send_to(&datagram[..len], from).unwrap();
            from
        });
        assert_eq!(echoed.await, socket.local_addr());
        let (back, from) = socket.recv_from().await.unwrap();
        assert_eq!((back == payload(len), from), (true, peer(v6, 7)), "{len} bytes");
    }
}

#[test]
fn datagrams_go_and_come_back_over_a_packet_socket() {
    isolated().run(|| run(echo(Link::Packet, false)));
}

#[test]
fn datagrams_go_and_come_back_over_a_packet_socket_and_ipv6() {
    isolated().run(|| run(echo(Link::Packet, true)));
}

#[test]
fn datagrams_go_and_come_back_over_tun() {
    isolated_on(Link::Tun).run(|| run(echo(Link::Tun, false)));
}

#[test]
fn datagrams_go_and_come_back_over_plain_tun_and_ipv6() {
    isolated_on(Link::PlainTun).run(|| run(echo(Link::PlainTun, true)));
}

#[test]
fn a_port_that_nobody_has_at_the_kernel_is_refused() {
    isolated().run(|| {
        run(async {
            let (_lab, stack) = network(Link::Packet);
            let socket = stack.bind_udp(ours(false, 0)).unwrap();
            socket.send_to("hello".into(), peer(false, 9)).await.unwrap();
            let error = socket.recv_from().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        });
    });
}

#[test]
fn the_kernel_is_told_that_we_have_nobody_at_a_port() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let kernel = kernel_socket(&lab, peer(false, 0));
            kernel.connect(ours(false, 9)).unwrap();
            kernel.send(b"hello").unwrap();
            let error = blocking(move || kernel.recv(&mut [0; 8])).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            assert_eq!(stack.counters().udp_no_ports, 1);
        });
    });
}

#[test]
fn what_was_sent_before_a_socket_was_dropped_arrives() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let kernel = kernel_socket(&lab, peer(false, 7));
            let socket = stack.bind_udp(ours(false, 4000)).unwrap();
            for _ in 0..3 {
                socket.send_to("goodbye".into(), peer(false, 7)).await.unwrap();
            }
            drop(socket);
            // The port is free at once.
            stack.bind_udp(ours(false, 4000)).unwrap();
            let heard = blocking(move || {
                let mut datagram = [0; 16];
                [(); 3].map(|()| kernel.recv(&mut datagram).unwrap())
            });
            assert_eq!(heard.await, [7; 3]);
        });
    });
}

#[test]
fn a_port_has_one_socket_and_a_datagram_a_greatest_size() {
    isolated().run(|| {
        run(async {
            let (_lab, stack) = network(Link::Packet);
            let socket = stack.bind_udp(ours(false, 4000)).unwrap();
            let again = stack.bind_udp(ours(false, 4000)).unwrap_err();
            assert_eq!(again.kind(), ErrorKind::AddrInUse);
            let foreign = stack.bind_udp(peer(false, 4000)).unwrap_err();
            assert_eq!(foreign.kind(), ErrorKind::AddrNotAvailable);
            let large = socket.send_to(payload(65_508).into(), peer(false, 7)).await;
            assert_eq!(large.unwrap_err().kind(), ErrorKind::InvalidInput);
        });
    });
}
