//! Listeners under pressure: a full backlog, floods of SYNs, many honest peers at once.
#![cfg(target_os = "linux")]

mod common;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream as KernelStream};
use std::time::Duration;

use common::{
    Link, addressed, blocking, isolated, isolated_on, lab_and_device, network, ours, peer, run,
    run_on_threads, until,
};
use handclasp::device::device::Device;
use handclasp::device::packet::PacketSocket;
use handclasp::tcp::State;
use handclasp::wire::checksum::pseudo_header;
use handclasp::wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp::wire::frame::{Outbound, PartialChecksum};
use handclasp::wire::ip::protocol;
use handclasp::wire::ipv4::Ipv4;
use handclasp::wire::seq::SeqNumber;
use handclasp::wire::tcp::{Flags, Header};
use handclasp::{Backlog, CookieMode, Stack, TcpListener};
use handclasp_lab::lab::{
    Lab, OUR_HARDWARE_ADDRESS, OUR_IPV4, PEER_HARDWARE_ADDRESS, PEER_INTERFACE, PEER_IPV4,
};
use handclasp_lab::server::{ListenOptions, listen};
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Accepts and echoes for ever.
fn echo(listener: TcpListener) {
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut heard, mut buffer) = (0, [0; 1024]);
                while let Ok(count @ 1..) = stream.read(&mut buffer[heard..]).await {
                    heard += count;
                }
                let _ = stream.write_all(&buffer[..heard]).await;
            });
        }
    });
}

/// A kernel's client that sends its number and wants it back.
fn honest(to: SocketAddr, number: u32) {
    let mut stream = KernelStream::connect(to).unwrap();
    stream.write_all(&number.to_be_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    assert_eq!(back, number.to_be_bytes());
}

/// So many honest clients, some of them at the same time, in the kernel's namespace.
async fn honest_clients(lab: &Lab, to: SocketAddr, count: u32) {
    let threads: Vec<_> = (0..8)
        .map(|first| {
            let clients = move || (first..count).step_by(8).for_each(|n| honest(to, n));
            lab.peer().spawn(clients).unwrap()
        })
        .collect();
    blocking(move || threads.into_iter().for_each(|t| t.join().unwrap().unwrap())).await;
}

async fn many_at_once(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    echo(stack.listen(ours(v6, 7)).unwrap());
    honest_clients(&lab, ours(v6, 7), 400).await;
    assert_eq!(stack.counters().tcp_passive_opens, 400);
    until(|| stack.connections().iter().all(|c| c.state == State::TimeWait)).await;
    assert_eq!(stack.memory_used(), 0);
}

#[test]
fn four_hundred_kernel_clients_are_all_served() {
    isolated().run(|| run_on_threads(many_at_once(Link::Packet, false)));
}

#[test]
fn four_hundred_kernel_clients_are_all_served_over_tun_and_ipv6() {
    isolated_on(Link::Tun).run(|| run(many_at_once(Link::Tun, true)));
}

fn small(stack: &Stack, cookies: CookieMode) -> TcpListener {
    let backlog = Backlog { syn: 4, cookies, ..Backlog::default() };
    stack.socket().bind(ours(false, 7)).listen(backlog).unwrap()
}

#[test]
fn with_cookies_for_everyone_every_client_is_served() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            echo(small(&stack, CookieMode::Always));
            honest_clients(&lab, ours(false, 7), 100).await;
            let counters = stack.counters();
            assert!(counters.tcp_ext_syncookies_sent >= 100);
            assert_eq!(counters.tcp_ext_syncookies_recv, 100);
            assert_eq!(counters.tcp_passive_opens, 100);
        });
    });
}

/// Sends SYNs from addresses that nobody has, on behalf of the kernel's end of the cable,
/// until it is dropped.
async fn flood(mut device: PacketSocket) {
    for round in 0_u32.. {
        let mut batch: VecDeque<_> = (0..64).map(|n| syn(round * 64 + n)).collect();
        poll_fn(|cx| device.poll_transmit(cx, &mut batch)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn syn(number: u32) -> Outbound {
    let [_, _, c, d] = number.to_be_bytes();
    // Not on our link: what we answer goes to the gateway, which is the kernel's end.
    let from = Ipv4Addr::new(198, 18, c, d);
    let tcp = Header {
        src_port: 1024 + (number % 60_000) as u16,
        dst_port: 7,
        seq: SeqNumber(number.wrapping_mul(0x9e37_79b9)),
        flags: Flags::SYN,
        window: 64_240,
        ..Header::default()
    };
    let mut frame = Outbound::default();
    let (to, by) = (MacAddr(OUR_HARDWARE_ADDRESS), MacAddr(PEER_HARDWARE_ADDRESS));
    Ethernet::new(to, by, EtherType::IPV4).emit(&mut frame.header);
    let len = tcp.emitted_len();
    Ipv4::new(from, OUR_IPV4, protocol::TCP).emit(len, &mut frame.header);
    frame.checksum = Some(PartialChecksum { start: frame.header.len() as u16, offset: 16 });
    let sum = pseudo_header(from.into(), OUR_IPV4.into(), protocol::TCP, len as u32);
    tcp.emit_with_checksum(sum.partial(), &mut frame.header);
    frame
}

/// A socket that speaks on the kernel's end of the cable.
fn intruder(lab: &Lab) -> PacketSocket {
    let runtime = tokio::runtime::Handle::current();
    let open = || {
        let _guard = runtime.enter();
        let builder = PacketSocket::builder(PEER_INTERFACE);
        builder.hardware_address(MacAddr([2, 0x77, 0, 0, 0, 0x66])).open().unwrap()
    };
    lab.peer().run(open).unwrap()
}

fn half_open(stack: &Stack) -> usize {
    stack.connections().iter().filter(|c| c.state == State::SynReceived).count()
}

#[test]
fn a_flood_of_syns_keeps_no_honest_client_out() {
    isolated().run(|| {
        run(async {
            let (lab, device) = lab_and_device(Link::Packet);
            let builder = Stack::builder(device).gateway(PEER_IPV4.into());
            let stack = addressed(builder).spawn().unwrap();
            echo(small(&stack, CookieMode::Auto));
            let flood = tokio::spawn(flood(intruder(&lab)));
            until(|| stack.counters().tcp_ext_syncookies_sent > 1000).await;
            assert_eq!(half_open(&stack), 4);
            honest_clients(&lab, ours(false, 7), 100).await;
            let counters = stack.counters();
            assert!(counters.tcp_ext_syncookies_recv > 0);
            assert_eq!(counters.tcp_passive_opens, 100);
            assert!(half_open(&stack) <= 4);
            flood.abort();
        });
    });
}

#[test]
fn clients_beyond_our_backlog_wait_and_are_served_when_there_is_room() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let backlog = Backlog { accept: 2, ..Backlog::default() };
            let listener = stack.socket().bind(ours(false, 7)).listen(backlog).unwrap();
            let clients = honest_clients(&lab, ours(false, 7), 8);
            let served = async {
                until(|| stack.counters().tcp_ext_listen_overflows > 0).await;
                assert_eq!(stack.counters().tcp_passive_opens, 2);
                echo(listener);
            };
            tokio::join!(clients, served);
            assert_eq!(stack.counters().tcp_passive_opens, 8);
        });
    });
}

#[test]
fn beyond_the_kernels_backlog_we_wait_and_are_served_when_there_is_room() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let mut options = ListenOptions::default();
            options.backlog = Some(1);
            let listener = listen(lab.peer(), peer(false, 7), &options).unwrap();
            let clients: Vec<_> = (0..6_u8)
                .map(|number| {
                    let stack = stack.clone();
                    tokio::spawn(async move {
                        let mut stream = stack.connect(peer(false, 7)).await.unwrap();
                        stream.write_all(&[number]).await.unwrap();
                        stream.shutdown().await.unwrap();
                        let mut back = Vec::new();
                        stream.read_to_end(&mut back).await.unwrap();
                        assert_eq!(back, [number]);
                    })
                })
                .collect();
            // The kernel leaves the rest unanswered: SYNs and data are sent again.
            until(|| stack.counters().tcp_retrans_segs > 0).await;
            let serving = blocking(move || {
                for stream in listener.incoming().take(6) {
                    handclasp_lab::serve::echo(stream.unwrap());
                }
            });
            serving.await;
            for client in clients {
                client.await.unwrap();
            }
        });
    });
}

#[test]
fn a_connection_that_was_reset_in_the_backlog_is_not_accepted() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let listener = stack.listen(ours(false, 7)).unwrap();
            let kernel = lab.peer().spawn(|| {
                let stream = KernelStream::connect(ours(false, 7)).unwrap();
                set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
            });
            blocking(move || kernel.unwrap().join().unwrap().unwrap()).await;
            until(|| stack.counters().tcp_estab_resets == 1).await;
            let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept());
            accepted.await.unwrap_err();
        });
    });
}

#[test]
fn dropping_a_listener_resets_who_waits_in_its_backlog_and_frees_the_port() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let listener = stack.listen(ours(false, 7)).unwrap();
            let error = stack.listen(ours(false, 7)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            let kernel = lab.peer().spawn(|| {
                let mut stream = KernelStream::connect(ours(false, 7)).unwrap();
                stream.read(&mut [0; 8])
            });
            until(|| stack.counters().tcp_passive_opens == 1).await;
            drop(listener);
            let read = blocking(move || kernel.unwrap().join().unwrap().unwrap()).await;
            assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
            stack.listen(ours(false, 7)).unwrap();
        });
    });
}
