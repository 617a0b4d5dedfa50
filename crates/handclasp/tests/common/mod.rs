//! A stack of ours and the Linux kernel, joined by a cable, in a network of the test's own.
#![allow(dead_code, unreachable_pub)]

pub mod programs;
pub mod socks;
pub mod transfer;

use std::future::Future;
use std::net::{IpAddr, SocketAddr, TcpStream as KernelStream};
use std::time::Duration;

use handclasp::device::device::Device;
use handclasp::device::impaired::Impaired;
use handclasp::device::packet::PacketSocket;
use handclasp::device::tun::Tun;
use handclasp::wire::ethernet::MacAddr;
use handclasp::{Builder, Cidr, Stack, TcpStream};
use handclasp_impair::config::Config;
use handclasp_lab::isolated::{Isolated, Need};
use handclasp_lab::lab::{
    IPV4_PREFIX, IPV6_PREFIX, Lab, LabConfig, OUR_HARDWARE_ADDRESS, OUR_INTERFACE, OUR_IPV4,
    OUR_IPV6, PEER_INTERFACE, PEER_IPV4, PEER_IPV6,
};
use handclasp_lab::server::{ListenOptions, listen};

/// How the stack is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Packet,
    /// Without the vnet header: no offload, neither here nor at the kernel's end.
    PlainPacket,
    Tun,
    PlainTun,
}

/// How long a test may take: a busy machine is no failure, a hang is.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// A network of a test's own, for as long as [`run`] waits and a little more.
pub fn isolated() -> Isolated {
    Isolated::new().timeout(PATIENCE + Duration::from_secs(10))
}

/// [`isolated`], with what `link` needs.
pub fn isolated_on(link: Link) -> Isolated {
    match link {
        Link::Packet => isolated(),
        Link::PlainPacket => isolated().needs(Need::Program("ethtool")),
        Link::Tun | Link::PlainTun => isolated().needs(Need::Tun),
    }
}

/// Runs a test's future to its end on one thread, for a while at most.
pub fn run<F: Future<Output = ()>>(test: F) {
    finish(&mut tokio::runtime::Builder::new_current_thread(), test);
}

/// Runs a test's future to its end with two more threads, for a while at most.
pub fn run_on_threads<F: Future<Output = ()>>(test: F) {
    finish(tokio::runtime::Builder::new_multi_thread().worker_threads(2), test);
}

fn finish<F: Future<Output = ()>>(builder: &mut tokio::runtime::Builder, test: F) {
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(PATIENCE, test).await.expect("the test hangs");
    });
    // What a failed test left behind on a blocking thread is not waited for.
    runtime.shutdown_background();
}

/// A lab and a device in it, for a stack with [`ours`] addresses.
pub fn lab_and_device(link: Link) -> (Lab, Box<dyn Device>) {
    let config = LabConfig::default();
    match link {
        Link::Packet | Link::PlainPacket => {
            let lab = Lab::veth(&config).unwrap();
            if link == Link::PlainPacket {
                let mut ethtool = lab.command("ethtool").unwrap();
                let status = ethtool.args(["-K", PEER_INTERFACE, "tx", "off"]).output().unwrap();
                assert!(status.status.success(), "{status:?}");
            }
            let socket = PacketSocket::builder(OUR_INTERFACE)
                .hardware_address(MacAddr(OUR_HARDWARE_ADDRESS))
                .vnet_header(link == Link::Packet)
                .open()
                .unwrap();
            (lab, Box::new(socket))
        }
        Link::Tun | Link::PlainTun => {
            let lab = Lab::tun(&config).unwrap();
            let runtime = tokio::runtime::Handle::current();
            let tun = lab
                .peer()
                .run(|| {
                    let _guard = runtime.enter();
                    let vnet = link == Link::Tun;
                    Tun::builder().name(PEER_INTERFACE).vnet_header(vnet).open().unwrap()
                })
                .unwrap();
            lab.configure_tun().unwrap();
            (lab, Box::new(tun))
        }
    }
}

/// Our addresses, put on a stack.
pub fn addressed<D: Device + Unpin + 'static>(builder: Builder<D>) -> Builder<D> {
    builder
        .address(Cidr::new(OUR_IPV4.into(), IPV4_PREFIX).unwrap())
        .address(Cidr::new(OUR_IPV6.into(), IPV6_PREFIX).unwrap())
}

/// A lab, and a stack in it with the usual settings.
pub fn network(link: Link) -> (Lab, Stack) {
    let (lab, device) = lab_and_device(link);
    let stack = addressed(Stack::builder(device)).spawn().unwrap();
    (lab, stack)
}

/// A lab, and a stack in it behind a link that treats packets badly in both directions.
pub fn impaired_network(link: Link, seed: u64, config: &Config) -> (Lab, Stack) {
    let (lab, device) = lab_and_device(link);
    let device = Impaired::new(device, config.clone(), config.clone(), seed).unwrap();
    let stack = addressed(Stack::builder(device)).spawn().unwrap();
    (lab, stack)
}

pub fn ours(v6: bool, port: u16) -> SocketAddr {
    let ip: IpAddr = if v6 { OUR_IPV6.into() } else { OUR_IPV4.into() };
    (ip, port).into()
}

pub fn peer(v6: bool, port: u16) -> SocketAddr {
    let ip: IpAddr = if v6 { PEER_IPV6.into() } else { PEER_IPV4.into() };
    (ip, port).into()
}

/// Runs blocking code of the kernel's end without holding up the stack.
pub async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(f).await.expect("the blocking part panicked")
}

/// A connection, opened by us: our end and the kernel's.
pub async fn dial(lab: &Lab, stack: &Stack, v6: bool) -> (TcpStream, KernelStream) {
    let listener = listen(lab.peer(), peer(v6, 0), &ListenOptions::default()).unwrap();
    let stream = stack.connect(listener.local_addr().unwrap()).await.unwrap();
    let (kernel, _) = blocking(move || listener.accept().unwrap()).await;
    (stream, kernel)
}

/// A connection, opened by the kernel: our end and the kernel's.
pub async fn be_dialled(lab: &Lab, stack: &Stack, v6: bool) -> (TcpStream, KernelStream) {
    let listener = stack.listen(ours(v6, 0)).unwrap();
    let to = listener.local_addr();
    let kernel = lab.peer().spawn(move || KernelStream::connect(to).unwrap()).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let kernel = blocking(move || kernel.join().unwrap().unwrap()).await;
    (stream, kernel)
}

/// Waits until `condition` holds, which it does sooner or later.
pub async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
