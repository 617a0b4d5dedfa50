//! Bulk data between a stack of ours and the kernel, compared byte by byte.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream as KernelStream};
use std::sync::mpsc;
use std::thread;

use handclasp::{Stack, TcpStream};
use handclasp_lab::lab::Lab;
use handclasp_lab::pattern::Pattern;
use handclasp_lab::server::{ListenOptions, Server};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{blocking, ours, peer};

/// What our end sends.
pub const OURS: Pattern = Pattern::new(1);
/// What the kernel's end sends.
pub const PEERS: Pattern = Pattern::new(2);

/// Bytes that are read or written at once.
const CHUNK: usize = 256 * 1024;

/// Who opens the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    Us,
    Kernel,
}

/// Bytes that are sent each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub by_us: u64,
    pub by_kernel: u64,
}

/// Sends the first `len` bytes of `pattern`.
pub async fn send(to: &mut (impl AsyncWrite + Unpin), pattern: Pattern, len: u64) {
    let mut chunk = vec![0; CHUNK];
    let mut sent = 0;
    while sent < len {
        let count = (len - sent).min(CHUNK as u64) as usize;
        pattern.fill(sent, &mut chunk[..count]);
        to.write_all(&chunk[..count]).await.unwrap();
        sent += count as u64;
    }
}

/// Reads to the end of the stream, compares with `pattern`, and says how many bytes came.
pub async fn receive(from: &mut (impl AsyncRead + Unpin), pattern: Pattern) -> u64 {
    let mut chunk = vec![0; CHUNK];
    let mut received = 0;
    loop {
        let count = from.read(&mut chunk).await.unwrap();
        if count == 0 {
            return received;
        }
        pattern.check(received, &chunk[..count]).expect("the bytes that were sent");
        received += count as u64;
    }
}

/// The kernel's end: sends and receives at once, and closes when both are done.
pub fn kernel_exchange(mut stream: KernelStream, len: u64) -> u64 {
    let mut to = stream.try_clone().unwrap();
    let sender = thread::spawn(move || {
        let mut chunk = vec![0; CHUNK];
        let mut reader = PEERS.reader(len);
        loop {
            let count = reader.read(&mut chunk).unwrap();
            if count == 0 {
                return to.shutdown(Shutdown::Write).unwrap();
            }
            to.write_all(&chunk[..count]).unwrap();
        }
    });
    let mut chunk = vec![0; CHUNK];
    let mut received = 0;
    loop {
        let count = stream.read(&mut chunk).unwrap();
        if count == 0 {
            break;
        }
        OURS.check(received, &chunk[..count]).expect("the bytes that were sent");
        received += count as u64;
    }
    sender.join().unwrap();
    received
}

/// Our end: sends and receives at once, and closes when both are done.
pub async fn our_exchange(stream: TcpStream, len: u64) -> u64 {
    let (mut from, mut to) = stream.into_split();
    let sender = tokio::spawn(async move {
        send(&mut to, OURS, len).await;
        to.shutdown().await.unwrap();
        // The whole connection goes once the other half is done too.
        to.forget();
    });
    let received = receive(&mut from, PEERS).await;
    sender.await.unwrap();
    received
}

/// Moves data both ways at once over one connection, and says how our end fared.
pub async fn exchange(lab: &Lab, stack: &Stack, v6: bool, opener: Opener, sizes: Sizes) {
    let (report, received) = mpsc::channel();
    let handler = move |stream| report.send(kernel_exchange(stream, sizes.by_kernel)).unwrap();
    let (stream, _server) = match opener {
        Opener::Us => {
            let options = ListenOptions::default();
            let server = Server::start(lab.peer(), peer(v6, 5001), &options, handler).unwrap();
            (stack.connect(peer(v6, 5001)).await.unwrap(), Some(server))
        }
        Opener::Kernel => {
            let listener = stack.listen(ours(v6, 5001)).unwrap();
            lab.peer()
                .spawn(move || handler(KernelStream::connect(ours(v6, 5001)).unwrap()))
                .unwrap();
            (listener.accept().await.unwrap().0, None)
        }
    };
    assert_eq!(our_exchange(stream, sizes.by_us).await, sizes.by_kernel);
    let received = blocking(move || received.recv()).await;
    assert_eq!(received, Ok(sizes.by_us), "the kernel's end failed");
}
