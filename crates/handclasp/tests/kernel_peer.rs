//! The Linux kernel at the other end: handshakes, data and closes, both roles, both families,
//! over a packet socket and over TUN.
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream as KernelStream};

use common::{Link, blocking, network, ours, peer, run};
use handclasp::tcp::config::Algorithm;
use handclasp_lab::isolated::{Isolated, Need, in_namespace};
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Our client fetches a page from the kernel's server.
async fn fetch(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    let options = ListenOptions::default();
    let _server = Server::start(lab.peer(), peer(v6, 80), &options, serve::http("a page")).unwrap();
    let mut stream = stack.connect(peer(v6, 80)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: peer\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
    assert!(answer.ends_with("a page"), "{answer:?}");
}

/// The kernel's client talks to our server, and closes first.
async fn serve_echo(link: Link, v6: bool) {
    let (lab, stack) = network(link);
    let listener = stack.listen(ours(v6, 7)).unwrap();
    let client = lab.peer().spawn(move || {
        let mut stream = KernelStream::connect(ours(v6, 7)).unwrap();
        stream.write_all(b"hello from the kernel").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut back = String::new();
        stream.read_to_string(&mut back).unwrap();
        back
    });
    let (mut stream, from) = listener.accept().await.unwrap();
    assert_eq!(from.ip(), peer(v6, 0).ip());
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    stream.write_all(heard.as_bytes()).await.unwrap();
    drop(stream);
    let back = blocking(move || client.unwrap().join().unwrap()).await.unwrap();
    assert_eq!(back, "hello from the kernel");
}

#[test]
fn our_client_fetches_from_the_kernel_over_a_packet_socket() {
    in_namespace(|| run(fetch(Link::Packet, false)));
}

#[test]
fn our_client_fetches_from_the_kernel_over_a_packet_socket_and_ipv6() {
    in_namespace(|| run(fetch(Link::Packet, true)));
}

#[test]
fn our_client_fetches_from_the_kernel_over_tun() {
    Isolated::new().needs(Need::Tun).run(|| run(fetch(Link::Tun, false)));
}

#[test]
fn our_client_fetches_from_the_kernel_over_tun_and_ipv6() {
    Isolated::new().needs(Need::Tun).run(|| run(fetch(Link::Tun, true)));
}

#[test]
fn our_server_answers_the_kernel_over_a_packet_socket() {
    in_namespace(|| run(serve_echo(Link::Packet, false)));
}

#[test]
fn our_server_answers_the_kernel_over_a_packet_socket_and_ipv6() {
    in_namespace(|| run(serve_echo(Link::Packet, true)));
}

#[test]
fn our_server_answers_the_kernel_over_tun() {
    Isolated::new().needs(Need::Tun).run(|| run(serve_echo(Link::Tun, false)));
}

#[test]
fn our_server_answers_the_kernel_over_tun_and_ipv6() {
    Isolated::new().needs(Need::Tun).run(|| run(serve_echo(Link::Tun, true)));
}

/// Each controller by its name, and then by all others while the data flows.
async fn send_by_every_controller(link: Link) {
    const PIECE: usize = 300_000;
    let (lab, stack) = network(link);
    let (tell, told) = std::sync::mpsc::channel();
    let count = move |mut stream: KernelStream| {
        let read = std::io::copy(&mut stream, &mut std::io::sink());
        let _ = tell.send(read.unwrap());
    };
    let _server =
        Server::start(lab.peer(), peer(false, 9), &ListenOptions::default(), count).unwrap();
    for first in Algorithm::ALL {
        let socket = stack.socket().congestion(first);
        let mut stream = socket.connect(peer(false, 9)).await.unwrap();
        assert_eq!(stream.info().congestion, first);
        for next in Algorithm::ALL {
            stream.write_all(&vec![7; PIECE]).await.unwrap();
            stream.set_congestion(next);
            assert_eq!(stream.info().congestion, next);
        }
        stream.shutdown().await.unwrap();
        stream.flushed().await.unwrap();
    }
    let read: Vec<u64> = blocking(move || told.iter().take(3).collect()).await;
    assert_eq!(read, [3 * PIECE as u64; 3]);
}

#[test]
fn every_controller_sends_to_the_kernel_and_gives_way_to_others_on_the_way() {
    in_namespace(|| run(send_by_every_controller(Link::Packet)));
}
