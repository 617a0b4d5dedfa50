//! A stack's life: how it ends, what it tells of itself, and that it rests when idle.
#![cfg(target_os = "linux")]

mod common;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use common::{
    Link, addressed, be_dialled, blocking, dial, isolated, isolated_on, lab_and_device, network,
    ours, peer, run, run_on_threads, until,
};
use handclasp::Stack;
use handclasp::device::device::{Capabilities, Device};
use handclasp::tcp::State;
use handclasp::wire::frame::{Inbound, Outbound};
use handclasp_lab::lab::PEER_INTERFACE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A device that tells when it is dropped, and counts how often it is asked.
struct Watched<D> {
    device: D,
    polls: Arc<AtomicU64>,
}

fn watched<D: Device>(device: D) -> (Watched<D>, Arc<AtomicU64>) {
    let polls = Arc::new(AtomicU64::new(0));
    (Watched { device, polls: polls.clone() }, polls)
}

impl<D: Device> Device for Watched<D> {
    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        self.device.poll_receive(cx, batch, max)
    }

    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>> {
        self.device.poll_transmit(cx, batch)
    }
}

/// Whether the driver let go of the device.
fn is_gone(polls: &Arc<AtomicU64>) -> bool {
    Arc::strong_count(polls) == 1
}

async fn rests(link: Link) {
    let (lab, device) = lab_and_device(link);
    let (device, polls) = watched(device);
    let stack = addressed(Stack::builder(device)).spawn().unwrap();
    let _listener = stack.listen(ours(false, 80)).unwrap();
    let (mut stream, mut kernel) = dial(&lab, &stack, false).await;
    stream.write_all(b"work").await.unwrap();
    blocking(move || kernel.read_exact(&mut [0; 4]).map(|()| kernel).unwrap()).await;
    stream.flushed().await.unwrap();
    // Delayed ACKs and neighbours that are asked again have their say first.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = polls.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let polled = polls.load(Ordering::Relaxed) - before;
    assert!(polled < 20, "polled {polled} times in a second");
}

#[test]
fn a_stack_with_nothing_to_do_rests_on_a_packet_socket() {
    isolated().run(|| run(rests(Link::Packet)));
}

#[test]
fn a_stack_with_nothing_to_do_rests_on_tun() {
    isolated_on(Link::Tun).run(|| run_on_threads(rests(Link::Tun)));
}

#[test]
fn a_stack_ends_when_its_handles_are_dropped() {
    isolated().run(|| {
        run(async {
            let (_lab, device) = lab_and_device(Link::Packet);
            let (device, polls) = watched(device);
            let stack = addressed(Stack::builder(device)).spawn().unwrap();
            let other = stack.clone();
            let listener = stack.listen(ours(false, 80)).unwrap();
            drop(stack);
            drop(other);
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(!is_gone(&polls), "a listener needs the stack");
            drop(listener);
            until(|| is_gone(&polls)).await;
        });
    });
}

#[test]
fn a_stack_closes_its_connections_before_it_ends() {
    isolated().run(|| {
        run(async {
            let (lab, device) = lab_and_device(Link::Packet);
            let (device, polls) = watched(device);
            let stack = addressed(Stack::builder(device)).spawn().unwrap();
            let (mut stream, mut kernel) = dial(&lab, &stack, false).await;
            drop(stack);
            // The connection works on without a handle on its stack.
            stream.write_all(b"the last of it").await.unwrap();
            drop(stream);
            let read = blocking(move || {
                let mut heard = String::new();
                kernel.read_to_string(&mut heard).map(|_| heard)
            });
            assert_eq!(read.await.unwrap(), "the last of it");
            until(|| is_gone(&polls)).await;
        });
    });
}

#[test]
fn a_shutdown_flushes_closes_and_ends_the_stack() {
    isolated().run(|| {
        run(async {
            let (lab, device) = lab_and_device(Link::Packet);
            let (device, polls) = watched(device);
            let stack = addressed(Stack::builder(device)).spawn().unwrap();
            let (mut stream, mut kernel) = dial(&lab, &stack, false).await;
            let listener = stack.listen(ours(false, 80)).unwrap();
            stream.write_all(b"the last of it").await.unwrap();
            let aborted = stack.clone().shutdown(Duration::from_secs(100)).await;
            assert_eq!(aborted, []);
            assert!(is_gone(&polls));
            let read = blocking(move || {
                let mut heard = [0; 14];
                kernel.read_exact(&mut heard).map(|()| heard)
            });
            assert_eq!(&read.await.unwrap(), b"the last of it");

            // Whoever still holds a part of it is told that it is gone.
            assert!(stream.read(&mut [0; 8]).await.is_err());
            assert_eq!(listener.accept().await.unwrap_err().kind(), ErrorKind::NotConnected);
            let connect = stack.connect(peer(false, 80)).await;
            assert_eq!(connect.unwrap_err().kind(), ErrorKind::NotConnected);
        });
    });
}

#[test]
fn a_shutdown_aborts_what_is_not_done_by_its_deadline_and_says_so() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let (done, mut kernel) = dial(&lab, &stack, false).await;
            let (mut stuck, _kernel) = be_dialled(&lab, &stack, false).await;
            let stuck_to = (stuck.local_addr(), stuck.peer_addr());
            // The kernel does not read, so that this never gets there.
            let writing = async {
                loop {
                    stuck.write_all(&[0; 65_536]).await.unwrap();
                }
            };
            tokio::time::timeout(Duration::from_millis(300), writing).await.unwrap_err();
            let aborted = stack.shutdown(Duration::from_millis(300)).await;
            let [aborted] = aborted[..] else { panic!("{aborted:?}") };
            assert_eq!((aborted.tuple.local(), aborted.tuple.remote()), stuck_to);
            assert_eq!(aborted.state, State::FinWait1);
            let error = stuck.write_all(b"more").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
            let end = blocking(move || kernel.read(&mut [0; 8])).await;
            assert_eq!(end.unwrap(), 0);
            drop(done);
        });
    });
}

#[test]
fn when_the_device_breaks_everyone_is_told() {
    isolated_on(Link::Tun).run(|| {
        run(async {
            let (lab, stack) = network(Link::Tun);
            let (mut stream, _kernel) = dial(&lab, &stack, false).await;
            let listener = stack.listen(ours(false, 80)).unwrap();
            let reading = tokio::spawn(async move { stream.read(&mut [0; 8]).await });
            let accepting = tokio::spawn(async move { listener.accept().await.map(drop) });
            tokio::time::sleep(Duration::from_millis(50)).await;
            lab.peer().links().unwrap().remove(PEER_INTERFACE).unwrap();
            assert_eq!(reading.await.unwrap().unwrap_err().kind(), ErrorKind::ConnectionAborted);
            assert_eq!(accepting.await.unwrap().unwrap_err().kind(), ErrorKind::NotConnected);
            let connect = stack.connect(peer(false, 80)).await;
            assert_eq!(connect.unwrap_err().kind(), ErrorKind::NotConnected);
        });
    });
}

#[test]
fn a_runtime_that_ends_takes_the_stack_along() {
    isolated().run(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (stack, polls) = runtime.block_on(async {
            let (_lab, device) = lab_and_device(Link::Packet);
            let (device, polls) = watched(device);
            (addressed(Stack::builder(device)).spawn().unwrap(), polls)
        });
        drop(runtime);
        assert!(is_gone(&polls));
        assert!(stack.listen(ours(false, 80)).is_err());
    });
}

#[test]
fn what_a_connection_tells_of_itself_is_true() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            let (mut stream, mut kernel) = dial(&lab, &stack, false).await;
            stream.write_all(&[1; 5000]).await.unwrap();
            let answered = blocking(move || {
                kernel.read_exact(&mut [0; 5000]).unwrap();
                kernel.write_all(&[2; 3000]).unwrap();
                kernel
            });
            let kernel = answered.await;
            stream.flushed().await.unwrap();
            until(|| stream.info().unread == 3000).await;
            stream.read_exact(&mut [0; 1000]).await.unwrap();

            let info = stream.info();
            assert_eq!(info.state, State::Established);
            // 1,500 bytes without the headers and the timestamps in them.
            assert_eq!((info.mss, info.path_mtu), (1448, 1500));
            assert!(info.negotiated.sack && info.negotiated.timestamps && info.negotiated.scaling);
            assert_eq!((info.unread, info.unsent, info.in_flight), (2000, 0, 0));
            let statistics = info.statistics;
            assert_eq!((statistics.bytes_acked, statistics.bytes_in), (5000, 3000));
            assert_eq!((statistics.bytes_resent, statistics.timeouts), (0, 0));
            assert!(info.rtt.is_some_and(|rtt| rtt > Duration::ZERO));

            let [entry] = &stack.connections()[..] else { panic!("one connection") };
            assert_eq!((entry.tuple.local(), entry.state), (stream.local_addr(), info.state));
            assert_eq!(entry.info.as_ref().map(|i| i.unread), Some(2000));
            assert!(stack.memory_used() >= 2000);
            drop((stream, kernel));
        });
    });
}

#[test]
fn counters_agree_with_the_kernels() {
    isolated().run(|| {
        run(async {
            let (lab, stack) = network(Link::Packet);
            for _ in 0..3 {
                let (mut stream, kernel) = dial(&lab, &stack, false).await;
                drop(kernel);
                assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
            }
            let (_ours, _kernels) = be_dialled(&lab, &stack, false).await;
            stack.connect(peer(false, 9)).await.unwrap_err();
            until(|| stack.connections().len() == 1).await;
            let counters = stack.counters();
            assert_eq!(counters.tcp_active_opens, 4);
            assert_eq!(counters.tcp_passive_opens, 1);
            assert_eq!(counters.tcp_attempt_fails, 1);
            assert_eq!((counters.tcp_in_errs, counters.tcp_in_csum_errors), (0, 0));
            let snmp = lab.peer().run(|| std::fs::read_to_string("/proc/thread-self/net/snmp"));
            let snmp = snmp.unwrap().unwrap();
            let mut tcp = snmp.lines().filter(|line| line.starts_with("Tcp:"));
            let (names, values) = (tcp.next().unwrap(), tcp.next().unwrap());
            let kernels = |name: &str| {
                let at = names.split(' ').position(|n| n == name).unwrap();
                values.split(' ').nth(at).unwrap().parse::<u64>().unwrap()
            };
            // A cable has two ends: what one sent the other received.
            assert_eq!(kernels("PassiveOpens"), 3);
            assert_eq!(kernels("ActiveOpens"), 1);
            assert_eq!(kernels("InSegs"), counters.tcp_out_segs);
            assert_eq!(kernels("OutSegs"), counters.tcp_in_segs);
            let in_nstats = counters.iter().find(|(name, _)| *name == "TcpActiveOpens");
            assert_eq!(in_nstats, Some(("TcpActiveOpens", 4)));
        });
    });
}

#[test]
fn an_address_may_come_while_the_stack_runs() {
    isolated().run(|| {
        run(async {
            let (lab, device) = lab_and_device(Link::Packet);
            let stack = Stack::builder(device).spawn().unwrap();
            let error = stack.connect(peer(false, 9)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
            stack.add_address("10.77.0.1/24".parse().unwrap()).unwrap();
            let (stream, _kernel) = dial(&lab, &stack, false).await;
            assert!(stack.remove_address(stream.local_addr().ip()).unwrap());
            assert!(!stack.remove_address(stream.local_addr().ip()).unwrap());
        });
    });
}
