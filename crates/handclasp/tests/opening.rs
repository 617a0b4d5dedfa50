//! Connections that are refused, unanswered or given up, with the kernel at the other end.
#![cfg(target_os = "linux")]

mod common;

use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream as KernelStream};
use std::time::Duration;

use common::{Link, blocking, dial, isolated, isolated_on, network, ours, peer, run, until};
use handclasp::tcp::State;
use handclasp::tcp::config::KeepAlive;
use handclasp::tcp::connection::Error;
use handclasp_lab::lab::{Lab, PEER_INTERFACE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An address on the link that nobody has.
const SILENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 99);
/// The same for IPv6.
const SILENT_V6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 0x99);

async fn the_kernel_refuses(link: Link, v6: bool) {
    let (_lab, stack) = network(link);
    let error = stack.connect(peer(v6, 9)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let ours = error.get_ref().unwrap().downcast_ref::<Error>();
    assert_eq!(ours, Some(&Error::Refused));
    until(|| stack.connections().is_empty()).await;
    let counters = stack.counters();
    assert_eq!((counters.tcp_active_opens, counters.tcp_attempt_fails), (1, 1));
}

#[test]
fn a_port_that_the_kernel_has_closed_refuses_us() {
    isolated().run(|| run(the_kernel_refuses(Link::Packet, false)));
}

#[test]
fn a_port_that_the_kernel_has_closed_refuses_us_over_tun_and_ipv6() {
    isolated_on(Link::Tun).run(|| run(the_kernel_refuses(Link::Tun, true)));
}

async fn we_refuse(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    let kernel = lab.peer().spawn(move || KernelStream::connect(ours(v6, 9))).unwrap();
    let refused = blocking(move || kernel.join().unwrap().unwrap()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    // One, or more where a busy machine lets the kernel repeat its SYN first.
    assert!(stack.counters().tcp_out_rsts >= 1);
}

#[test]
fn a_port_that_we_have_closed_refuses_the_kernel() {
    isolated().run(|| run(we_refuse(Link::Packet, false)));
}

#[test]
fn a_port_that_we_have_closed_refuses_the_kernel_over_tun_and_ipv6() {
    isolated_on(Link::Tun).run(|| run(we_refuse(Link::Tun, true)));
}

async fn nobody_has(address: SocketAddr) {
    let (_lab, stack) = network(Link::Packet);
    let error = stack.connect(address).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HostUnreachable);
    until(|| stack.connections().is_empty()).await;
}

#[test]
fn an_address_that_no_neighbour_has_is_unreachable() {
    isolated().run(|| run(nobody_has((SILENT, 80).into())));
}

#[test]
fn an_ipv6_address_that_no_neighbour_has_is_unreachable() {
    isolated().run(|| run(nobody_has((SILENT_V6, 80).into())));
}

#[test]
fn a_syn_that_nobody_answers_times_out() {
    isolated_on(Link::Tun).run(|| {
        run(async {
            let (lab, stack) = network(Link::Tun);
            // The kernel drops what is not for it, and says nothing.
            lab.set_sysctl("net.ipv4.ip_forward", "0").unwrap();
            let socket = stack.socket().configure(|c| {
                c.syn_retries = 2;
                c.syn_linear_timeouts = 0;
                c.rto_initial = Duration::from_millis(50);
            });
            let error = socket.connect((SILENT, 80).into()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            until(|| stack.connections().is_empty()).await;
            // The SYN and its two repetitions.
            assert_eq!(stack.counters().tcp_out_segs, 3);
            assert_eq!(stack.counters().tcp_retrans_segs, 2);
        });
    });
}

#[test]
fn without_a_route_a_connect_fails_at_once() {
    isolated().run(|| {
        run(async {
            let (_lab, stack) = network(Link::Packet);
            let error = stack.connect("192.0.2.1:80".parse().unwrap()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
        });
    });
}

#[test]
fn a_connect_that_is_given_up_frees_its_port() {
    isolated_on(Link::Tun).run(|| {
        run(async {
            let (_lab, stack) = network(Link::Tun);
            let attempt = || stack.socket().bind(ours(false, 4000)).connect((SILENT, 80).into());
            let given_up = tokio::time::timeout(Duration::from_millis(50), attempt());
            given_up.await.unwrap_err();
            until(|| stack.connections().is_empty()).await;
            // The same four-tuple can be used again: it waits for an answer, as before.
            let again = tokio::time::timeout(Duration::from_millis(50), attempt());
            again.await.unwrap_err();
        });
    });
}

#[test]
fn a_port_is_not_used_twice_towards_the_same_peer() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let (stream, _kernel) = dial(&lab, &stack, false).await;
            let again = stack.socket().bind(stream.local_addr()).connect(stream.peer_addr());
            assert_eq!(again.await.unwrap_err().kind(), ErrorKind::AddrInUse);
        });
    });
}

#[test]
fn an_address_that_is_not_ours_cannot_be_bound() {
    isolated().run(|| {
        run(async {
            let (_lab, stack) = network(Link::Packet);
            let error = stack.listen(peer(false, 80)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
            let connect = stack.socket().bind(peer(false, 80)).connect(peer(false, 80));
            assert_eq!(connect.await.unwrap_err().kind(), ErrorKind::AddrNotAvailable);
        });
    });
}

/// Cuts the kernel off, as if its machine had lost its power.
fn vanish(lab: &Lab) {
    lab.peer().links().unwrap().set_down(PEER_INTERFACE).unwrap();
}

async fn keep_alive_notices(link: Link) {
    let (lab, stack) = network(link);
    let (mut stream, _kernel) = dial(&lab, &stack, false).await;
    // The kernel answers what is out of its window, as probes are, twice a second at most.
    lab.set_sysctl("net.ipv4.tcp_invalid_ratelimit", "0").unwrap();
    let idle = Duration::from_millis(200);
    stream.set_keepalive(Some(KeepAlive { idle, interval: idle / 2, count: 3 }));
    // As long as the kernel is there, it answers.
    tokio::time::timeout(5 * idle, stream.readable()).await.unwrap_err();
    assert_eq!(stream.info().state, State::Established);
    vanish(&lab);
    let error = stream.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let ours = error.get_ref().unwrap().downcast_ref::<Error>();
    assert_eq!(ours, Some(&Error::KeepAliveTimedOut));
}

#[test]
fn keep_alive_notices_a_peer_that_vanished() {
    isolated().run(|| run(keep_alive_notices(Link::Packet)));
}

#[test]
fn keep_alive_notices_a_peer_that_vanished_behind_tun() {
    isolated_on(Link::Tun).run(|| run(keep_alive_notices(Link::Tun)));
}

#[test]
fn a_user_timeout_ends_a_connection_whose_data_is_not_acknowledged() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let (mut stream, _kernel) = dial(&lab, &stack, false).await;
            stream.set_user_timeout(Some(Duration::from_millis(500)));
            vanish(&lab);
            stream.write_all(b"hello?").await.unwrap();
            let error = stream.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(stream.flushed().await.unwrap_err().kind(), ErrorKind::TimedOut);
        });
    });
}

#[test]
fn a_connection_outlives_a_link_that_is_down_for_a_while() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let (mut stream, mut kernel) = dial(&lab, &stack, false).await;
            vanish(&lab);
            stream.write_all(b"patience").await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            lab.peer().links().unwrap().set_up(PEER_INTERFACE).unwrap();
            let mut heard = [0; 8];
            blocking(move || kernel.read_exact(&mut heard).unwrap()).await;
            stream.flushed().await.unwrap();
        });
    });
}
