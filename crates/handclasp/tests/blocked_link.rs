//! A link that takes no more packets holds writers back, but stops no clock. In virtual time.

use std::io::ErrorKind;
use std::time::Duration;

use handclasp::clock::TokioClock;
use handclasp::device::channel::{self, ChannelDevice};
use handclasp::tcp::config::KeepAlive;
use handclasp::wire::frame::Medium;
use handclasp::{Builder, Stack, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn stack(device: ChannelDevice, address: &str) -> Builder<ChannelDevice> {
    Stack::builder(device).clock(TokioClock::new()).address(address.parse().unwrap())
}

/// An open connection, and what carries its packets on and reads at its other end, while that
/// is polled.
async fn connection() -> (Stack, TcpStream, impl Future) {
    let (near, mut here) = channel::port(4, 1500, Medium::Ip);
    let (far, mut there) = channel::port(4, 1500, Medium::Ip);
    let client = stack(near, "10.0.0.1/24").spawn().unwrap();
    let server = stack(far, "10.0.0.2/24").spawn().unwrap();
    let listener = server.listen("10.0.0.2:80".parse().unwrap()).unwrap();
    // While nobody polls this, the link is there and takes nothing.
    let mut carry = Box::pin(async move {
        loop {
            tokio::select! {
                packet = here.recv() => there.send(packet.unwrap()).await.unwrap(),
                packet = there.recv() => here.send(packet.unwrap()).await.unwrap(),
            }
        }
    });
    let stream = tokio::select! {
        stream = client.connect("10.0.0.2:80".parse().unwrap()) => stream.unwrap(),
        () = &mut carry => unreachable!(),
    };
    let read = async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while stream.read(&mut [0; 65_536]).await.unwrap() > 0 {}
        drop(server);
    };
    (client, stream, async { tokio::join!(carry, read) })
}

#[tokio::test(start_paused = true)]
async fn a_connect_times_out_though_not_even_its_syn_gets_out() {
    let (device, _port) = channel::port(1, 1500, Medium::Ip);
    let stack = stack(device, "10.0.0.1/24").spawn().unwrap();
    // This takes the only place on the link.
    let first = stack.connect("10.0.0.2:80".parse().unwrap());
    let second = stack.connect("10.0.0.2:81".parse().unwrap());
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(second.unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn keep_alive_gives_up_a_peer_behind_a_link_that_takes_nothing() {
    let (_stack, mut stream, _carry) = connection().await;
    let interval = Duration::from_secs(10);
    stream.set_keepalive(Some(KeepAlive { idle: interval, interval, count: 9 }));
    let error = stream.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_user_timeout_passes_while_the_link_takes_nothing() {
    let (stack, mut stream, _carry) = connection().await;
    stream.set_user_timeout(Some(Duration::from_secs(30)));
    let writing = async {
        loop {
            if let Err(error) = stream.write_all(&[0; 65_536]).await {
                return error.kind();
            }
        }
    };
    assert_eq!(writing.await, ErrorKind::TimedOut);
    assert_eq!(stack.memory_used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_writer_waits_while_the_link_takes_nothing() {
    let (stack, mut stream, carry) = connection().await;
    let mut written = 0;
    let minute = Duration::from_secs(60);
    let writing = async {
        loop {
            written += stream.write(&[0; 65_536]).await.unwrap();
        }
    };
    tokio::time::timeout(minute, writing).await.unwrap_err();
    assert!(stack.memory_used() <= written);
    // The link works again: all of it goes out.
    tokio::select! {
        flushed = stream.flushed() => flushed.unwrap(),
        _ = carry => unreachable!(),
    }
}
