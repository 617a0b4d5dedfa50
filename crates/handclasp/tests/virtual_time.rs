//! Real software in virtual time: hyper serves and fetches over two stacks that a bad link
//! joins, while tokio's clock jumps from one deadline to the next.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use handclasp::clock::TokioClock;
use handclasp::device::channel::{self, ChannelDevice, PortReceiver, PortSender};
use handclasp::wire::frame::Medium;
use handclasp::wire::time::Instant;
use handclasp::{Stack, TcpListener};
use handclasp_impair::config::{Bursts, Config};
use handclasp_impair::link::Link;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

const BODY: usize = 100_000;

/// One direction of a link between two devices, until one of them is gone.
async fn carry(mut from: PortReceiver, mut to: PortSender, mut link: Link<Bytes>) {
    let origin = tokio::time::Instant::now();
    loop {
        let now = Instant::ZERO + origin.elapsed();
        while let Some(packet) = link.pop(now) {
            if to.send(packet).await.is_err() {
                return;
            }
        }
        let due = link.next_deadline().map(|at| origin + (at - Instant::ZERO));
        let timer = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = timer => {}
            packet = from.recv() => match packet {
                Some(packet) => link.push(Instant::ZERO + origin.elapsed(), packet),
                None => return,
            },
        }
    }
}

/// Two devices and the link between them.
fn joined(config: &Config, seed: u64) -> (ChannelDevice, ChannelDevice) {
    let (here, here_port) = channel::port(64, 1500, Medium::Ip);
    let (there, there_port) = channel::port(64, 1500, Medium::Ip);
    let (to_here, from_here) = here_port.split();
    let (to_there, from_there) = there_port.split();
    tokio::spawn(carry(from_here, to_there, Link::new(config.clone(), seed)));
    tokio::spawn(carry(from_there, to_here, Link::new(config.clone(), seed + 1)));
    (here, there)
}

fn stack(device: ChannelDevice, address: &str, secret: u8) -> Stack {
    Stack::builder(device)
        .address(address.parse().unwrap())
        .clock(TokioClock::new())
        .secret([secret; 32])
        .spawn()
        .unwrap()
}

async fn serve(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let page = service_fn(|request: Request<hyper::body::Incoming>| async move {
            let byte = request.uri().path().len() as u8;
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![byte; BODY]))))
        });
        tokio::spawn(async move {
            let serving = hyper::server::conn::http1::Builder::new();
            serving.serve_connection(TokioIo::new(stream), page).await
        });
    }
}

/// Fetches pages on one connection, as many as `paths`.
async fn fetch(client: &Stack, at: SocketAddr, paths: &[&str]) {
    let stream = client.connect(at).await.unwrap();
    let (mut requests, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    for path in paths {
        let request = Request::get(*path).header("host", "server").body(Full::<Bytes>::default());
        let response = requests.send_request(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(body == vec![path.len() as u8; BODY], "{path}: {} bytes", body.len());
    }
    drop(requests);
    connection.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn hyper_serves_and_fetches_over_a_bad_link_in_virtual_time() {
    let config = Config::with(|link| {
        link.delay = Duration::from_millis(100);
        link.jitter = Duration::from_millis(20);
        link.loss = 0.02;
        link.bursts = Some(Bursts { enter: 0.01, leave: 0.3, loss_in_good: 0.0, loss_in_bad: 0.7 });
        link.reorder = 0.02;
        link.duplicate = 0.02;
        link.corrupt = 0.01;
    });
    let (here, there) = joined(&config, 7);
    let (client, server) = (stack(here, "10.0.0.1/24", 1), stack(there, "10.0.0.2/24", 2));
    let at: SocketAddr = "10.0.0.2:80".parse().unwrap();
    tokio::spawn(serve(server.listen(at).unwrap()));

    let began = tokio::time::Instant::now();
    for _ in 0..5 {
        fetch(&client, at, &["/", "/a", "/longer"]).await;
    }
    // An hour in which nothing happens: no task may keep the clock from jumping over it.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    fetch(&client, at, &["/late"]).await;
    let took = began.elapsed();
    assert!(took > Duration::from_secs(3610), "sixteen pages over 200 ms of round trip: {took:?}");
    assert!(client.counters().tcp_in_csum_errors + server.counters().tcp_in_csum_errors > 0);
    assert!(server.counters().tcp_retrans_segs > 0);

    assert!(client.shutdown(Duration::from_secs(600)).await.is_empty());
    assert!(server.shutdown(Duration::from_secs(600)).await.is_empty());
}
