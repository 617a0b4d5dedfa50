//! How fast one connection is. Prints figures and judges none:
//! `cargo test --release -p handclasp --test throughput -- --ignored --nocapture
//! --test-threads=1`.
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream as KernelStream};
use std::time::{Duration, Instant};

use common::{Link, blocking, isolated_on, network, ours, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const LEN: usize = 4 << 30;
const CHUNK: usize = 256 * 1024;

fn print(what: &str, link: Link, took: Duration) {
    let rate = LEN as f64 * 8e-9 / took.as_secs_f64();
    eprintln!("{link:?}: {what} {rate:.1} Gbit/s");
}

async fn upload(link: Link) {
    let (lab, stack) = network(link);
    let listener = stack.listen(ours(false, 5001)).unwrap();
    let peer = lab.peer().spawn(|| {
        let mut stream = KernelStream::connect(ours(false, 5001)).unwrap();
        let (mut chunk, mut len) = (vec![0; CHUNK], 0);
        while len < LEN {
            len += stream.read(&mut chunk).unwrap();
        }
    });
    let (mut stream, _) = listener.accept().await.unwrap();
    let (chunk, began) = (vec![0; CHUNK], Instant::now());
    for _ in 0..LEN / CHUNK {
        stream.write_all(&chunk).await.unwrap();
    }
    blocking(move || peer.unwrap().join().unwrap().unwrap()).await;
    print("sends", link, began.elapsed());
}

async fn download(link: Link) {
    let (lab, stack) = network(link);
    let listener = stack.listen(ours(false, 5001)).unwrap();
    lab.peer()
        .spawn(|| {
            let mut stream = KernelStream::connect(ours(false, 5001)).unwrap();
            let chunk = vec![0; CHUNK];
            for _ in 0..LEN / CHUNK {
                stream.write_all(&chunk).unwrap();
            }
            stream.shutdown(Shutdown::Write).unwrap();
            // Open until the other end closes.
            let _ = stream.read(&mut [0]);
        })
        .unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut chunk, mut len, began) = (vec![0; CHUNK], 0, Instant::now());
    while len < LEN {
        len += stream.read(&mut chunk).await.unwrap();
    }
    print("receives", link, began.elapsed());
}

#[test]
#[ignore = "prints figures"]
fn one_connection_over_a_packet_socket() {
    isolated_on(Link::Packet).run(|| run(upload(Link::Packet)));
}

#[test]
#[ignore = "prints figures"]
fn one_connection_into_a_packet_socket() {
    isolated_on(Link::Packet).run(|| run(download(Link::Packet)));
}

#[test]
#[ignore = "prints figures"]
fn one_connection_over_tun() {
    isolated_on(Link::Tun).run(|| run(upload(Link::Tun)));
}

#[test]
#[ignore = "prints figures"]
fn one_connection_into_tun() {
    isolated_on(Link::Tun).run(|| run(download(Link::Tun)));
}
