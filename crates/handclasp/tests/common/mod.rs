//! A stack of ours and the Linux kernel, joined by a cable, in a network of the test's own.
#![allow(dead_code, unreachable_pub)]

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use handclasp::device::device::Device;
use handclasp::device::packet::PacketSocket;
use handclasp::device::tun::Tun;
use handclasp::wire::ethernet::MacAddr;
use handclasp::{Builder, Cidr, Stack};
use handclasp_lab::lab::{
    IPV4_PREFIX, IPV6_PREFIX, Lab, LabConfig, OUR_HARDWARE_ADDRESS, OUR_INTERFACE, OUR_IPV4,
    OUR_IPV6, PEER_INTERFACE, PEER_IPV4, PEER_IPV6,
};

/// How the stack is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Packet,
    /// Without the vnet header: no offload.
    PlainPacket,
    Tun,
    PlainTun,
}

/// Runs a test's future to its end, for a while at most.
pub fn run<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(50), test).await.expect("the test hangs");
    });
}

/// A lab and a device in it, for a stack with [`ours`] addresses.
pub fn lab_and_device(link: Link) -> (Lab, Box<dyn Device>) {
    let config = LabConfig::default();
    match link {
        Link::Packet | Link::PlainPacket => {
            let lab = Lab::veth(&config).unwrap();
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
