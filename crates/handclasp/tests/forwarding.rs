//! The forwarder between the kernel and wherever its programs want to go.
#![cfg(target_os = "linux")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream as KernelStream, UdpSocket};
use std::time::Duration;

use common::{Link, blocking, isolated, isolated_on, lab_and_device, network, run, until};
use handclasp::tcp::config::Config;
use handclasp::tcp::{State, Tuple};
use handclasp::{Decision, ForwardConfig, Forwarder, Policy, Rejection, Stack, Unreachable};
use handclasp_lab::lab::Lab;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Somewhere that is not on the lab's link.
fn elsewhere(v6: bool) -> SocketAddr {
    match v6 {
        false => (Ipv4Addr::new(198, 51, 100, 9), 80).into(),
        true => (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9), 80).into(),
    }
}

/// A lab where the kernel sends everything to a forwarder of ours.
fn forwarding(link: Link, change: impl FnOnce(&mut ForwardConfig)) -> (Lab, Stack, Forwarder) {
    let (lab, stack) = network(link);
    lab.route_everything_to_us().unwrap();
    let mut config = ForwardConfig::default();
    change(&mut config);
    let forwarder = stack.forwarder(config, None).unwrap();
    (lab, stack, forwarder)
}

/// The kernel connects, on a thread of its own.
fn connect(
    lab: &Lab,
    to: SocketAddr,
) -> impl Future<Output = std::io::Result<KernelStream>> + use<> {
    let thread = lab.peer().spawn(move || KernelStream::connect(to)).unwrap();
    blocking(move || thread.join().unwrap().unwrap())
}

async fn accept_and_talk(link: Link, v6: bool) {
    let (lab, stack, forwarder) = forwarding(link, |_| ());
    let kernel = tokio::spawn(connect(&lab, elsewhere(v6)));
    let pending = forwarder.tcp().await.unwrap();
    assert_eq!(pending.destination(), elsewhere(v6));
    // Nothing is answered before it is decided.
    assert_eq!(stack.counters().tcp_out_segs, 0);
    let source = pending.source();
    let mut stream = pending.accept().await.unwrap();
    assert_eq!((stream.local_addr(), stream.peer_addr()), (elsewhere(v6), source));
    let mut kernel = kernel.await.unwrap().unwrap();
    kernel.write_all(b"to elsewhere").unwrap();
    let mut heard = [0; 12];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"to elsewhere");
    stream.write_all(b"from elsewhere").await.unwrap();
    drop(stream);
    let answer = blocking(move || {
        let mut answer = String::new();
        kernel.read_to_string(&mut answer).map(|_| answer)
    });
    assert_eq!(answer.await.unwrap(), "from elsewhere");
}

#[test]
fn the_kernel_talks_to_elsewhere_through_a_packet_socket() {
    isolated().run(|| run(accept_and_talk(Link::Packet, false)));
}

#[test]
fn the_kernel_talks_to_elsewhere_through_tun_and_ipv6() {
    isolated_on(Link::Tun).run(|| run(accept_and_talk(Link::Tun, true)));
}

#[test]
fn a_forwarder_on_tun_needs_no_address() {
    isolated_on(Link::Tun).run(|| {
        run(async {
            let (lab, device) = lab_and_device(Link::Tun);
            let stack = Stack::builder(device).spawn().unwrap();
            lab.route_everything_to_us().unwrap();
            let forwarder = stack.forwarder(ForwardConfig::default(), None).unwrap();
            let kernel = tokio::spawn(connect(&lab, elsewhere(true)));
            let stream = forwarder.tcp().await.unwrap().accept().await.unwrap();
            kernel.await.unwrap().unwrap().write_all(b"hello").unwrap();
            stream.readable().await;
        });
    });
}

async fn rejected(how: Rejection) -> ErrorKind {
    let (lab, stack, forwarder) = forwarding(Link::Packet, |_| ());
    let kernel = tokio::spawn(connect(&lab, elsewhere(false)));
    forwarder.tcp().await.unwrap().reject(how);
    let error = kernel.await.unwrap().unwrap_err();
    until(|| stack.connections().is_empty()).await;
    error.kind()
}

#[test]
fn a_rejection_by_reset_refuses() {
    isolated().run(|| {
        run(async {
            assert_eq!(rejected(Rejection::Reset).await, ErrorKind::ConnectionRefused);
        });
    });
}

#[test]
fn a_rejection_by_unreachable_says_so() {
    isolated().run(|| {
        run(async {
            let how = Rejection::Unreachable(Unreachable::Host);
            assert_eq!(rejected(how).await, ErrorKind::HostUnreachable);
        });
    });
}

#[test]
fn a_pending_connection_that_is_dropped_is_refused() {
    isolated().run(|| {
        run(async {
            let (lab, _stack, forwarder) = forwarding(Link::Packet, |_| ());
            let kernel = tokio::spawn(connect(&lab, elsewhere(false)));
            drop(forwarder.tcp().await.unwrap());
            let error = kernel.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        });
    });
}

#[test]
fn a_silent_rejection_lets_the_kernel_wait_and_asks_nobody_again() {
    isolated().run(|| {
        run(async {
            let (lab, stack, forwarder) = forwarding(Link::Packet, |_| ());
            lab.set_sysctl("net.ipv4.tcp_syn_retries", "1").unwrap();
            lab.set_sysctl("net.ipv4.tcp_syn_linear_timeouts", "0").unwrap();
            let kernel = tokio::spawn(connect(&lab, elsewhere(false)));
            forwarder.tcp().await.unwrap().reject(Rejection::Silent);
            let error = tokio::select! {
                error = kernel => error.unwrap().unwrap_err(),
                _ = forwarder.tcp() => panic!("it was asked again"),
            };
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(stack.counters().tcp_in_segs, 2);
            assert_eq!(stack.counters().tcp_out_segs, 0);
        });
    });
}

#[test]
fn dropping_the_forwarder_refuses_who_waits_and_leaves_the_rest() {
    isolated().run(|| {
        run(async {
            let (lab, stack, forwarder) = forwarding(Link::Packet, |_| ());
            let first = tokio::spawn(connect(&lab, elsewhere(false)));
            let stream = forwarder.tcp().await.unwrap().accept().await.unwrap();
            let mut first = first.await.unwrap().unwrap();
            let second = tokio::spawn(connect(&lab, elsewhere(false)));
            until(|| stack.connections().len() == 2).await;
            drop(forwarder);
            let error = second.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            first.write_all(b"still there").unwrap();
            stream.readable().await;
            assert_eq!(stream.info().state, State::Established);
        });
    });
}

/// Takes web traffic, refuses the rest.
struct Web;

impl Policy for Web {
    fn decide(&mut self, tuple: &Tuple) -> Decision {
        match tuple.local().port() {
            80 => Decision::Accept(Config::default().into()),
            _ => Decision::Reject(Rejection::Reset),
        }
    }
}

#[test]
fn a_policy_decides_at_once() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            lab.route_everything_to_us().unwrap();
            let policy = Some(Box::new(Web) as Box<dyn Policy>);
            let forwarder = stack.forwarder(ForwardConfig::default(), policy).unwrap();
            let mut kernel = connect(&lab, elsewhere(false)).await.unwrap();
            let (mut stream, to) = forwarder.accepted().await.unwrap();
            assert_eq!(to, elsewhere(false));
            kernel.write_all(b"hello").unwrap();
            let mut heard = [0; 5];
            stream.read_exact(&mut heard).await.unwrap();
            let mut other = elsewhere(false);
            other.set_port(81);
            let error = connect(&lab, other).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        });
    });
}

/// A UDP socket of the kernel's that sends to `to`.
fn kernel_udp(lab: &Lab, to: SocketAddr) -> UdpSocket {
    let any: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    lab.peer()
        .run(|| {
            let socket = UdpSocket::bind(any).unwrap();
            socket.set_read_timeout(Some(common::PATIENCE)).unwrap();
            socket.connect(to).unwrap();
            socket
        })
        .unwrap()
}

async fn datagrams(link: Link, v6: bool) {
    let (lab, _stack, forwarder) = forwarding(link, |_| ());
    let kernel = kernel_udp(&lab, elsewhere(v6));
    kernel.send(b"one").unwrap();
    kernel.send(b"two").unwrap();
    let flow = forwarder.udp().await.unwrap();
    assert_eq!(flow.destination(), elsewhere(v6));
    assert_eq!(flow.source().port(), kernel.local_addr().unwrap().port());
    assert_eq!(flow.recv().await.unwrap(), "one");
    assert_eq!(flow.recv().await.unwrap(), "two");
    flow.send("three".into()).await.unwrap();
    let answer = blocking(move || {
        let mut answer = [0; 64];
        let len = kernel.recv(&mut answer).unwrap();
        answer[..len].to_vec()
    });
    assert_eq!(answer.await, b"three");
}

#[test]
fn a_flow_of_datagrams_goes_both_ways() {
    isolated().run(|| run(datagrams(Link::Packet, false)));
}

#[test]
fn a_flow_of_datagrams_goes_both_ways_over_tun_and_ipv6() {
    isolated_on(Link::Tun).run(|| run(datagrams(Link::Tun, true)));
}

#[test]
fn a_flow_that_is_idle_for_too_long_ends() {
    isolated().run(|| {
        run(async {
            let idle = Duration::from_millis(200);
            let (lab, _stack, forwarder) = forwarding(Link::Packet, |c| c.flow_idle = idle);
            let kernel = kernel_udp(&lab, elsewhere(false));
            kernel.send(b"one").unwrap();
            let flow = forwarder.udp().await.unwrap();
            assert_eq!(flow.recv().await.unwrap(), "one");
            flow.recv().await.unwrap_err();
            // What comes then is another flow.
            kernel.send(b"two").unwrap();
            assert_eq!(forwarder.udp().await.unwrap().recv().await.unwrap(), "two");
        });
    });
}
