//! A network for others, without the kernel's forwarding: whatever they connect to, this
//! accepts in its name and dials onward with ordinary sockets.
//!
//! A namespace whose way out is a cable, and this at the cable's end, as root:
//!
//! ```text
//! ip netns add inside
//! ip link add hc0 type veth peer name eth0 netns inside
//! ip link set hc0 up
//! ip -n inside address add 10.9.0.1/24 dev eth0
//! ip -n inside link set eth0 up
//! ip -n inside route add default via 10.9.0.2
//! target/debug/examples/forward packet:hc0 10.9.0.2/24
//! ```
//!
//! and from another terminal, with the address of some web server:
//!
//! ```text
//! ip netns exec inside curl -I http://ADDRESS/
//! ```

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use handclasp::device::device::Device;
use handclasp::device::packet::PacketSocket;
use handclasp::device::tun::Tun;
use handclasp::{ForwardConfig, PendingTcp, Rejection, Stack, UdpFlow, Unreachable};
use tokio::net::{TcpStream, UdpSocket};

/// Opens `tun:NAME` or `packet:NAME`.
fn open(link: &str) -> Result<Box<dyn Device>, Box<dyn Error>> {
    Ok(match link.split_once(':') {
        Some(("tun", name)) => Box::new(Tun::builder().name(name).open()?),
        Some(("packet", name)) => Box::new(PacketSocket::builder(name).open()?),
        _ => return Err(format!("{link:?} is neither tun:NAME nor packet:NAME").into()),
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let Some(link) = arguments.next() else {
        return Err("usage: forward tun:NAME|packet:NAME [ADDRESS/PREFIX]...".into());
    };
    let mut builder = Stack::builder(open(&link)?);
    for address in arguments {
        builder = builder.address(address.parse()?);
    }
    let stack = builder.spawn()?;
    let forwarder = stack.forwarder(ForwardConfig::default(), None)?;
    println!("forwarding");
    loop {
        tokio::select! {
            pending = forwarder.tcp() => { tokio::spawn(tcp(pending?)); }
            flow = forwarder.udp() => { tokio::spawn(udp(flow?)); }
        }
    }
}

/// Dials first, and answers the SYN as the destination answered: who connects to a closed port
/// through us is refused, and who connects to nowhere hears of that.
async fn tcp(pending: PendingTcp) {
    let (source, destination) = (pending.source(), pending.destination());
    let mut onward = match TcpStream::connect(destination).await {
        Ok(onward) => onward,
        Err(error) => {
            println!("{source} to {destination}: {error}");
            return pending.reject(match error.kind() {
                io::ErrorKind::ConnectionRefused => Rejection::Reset,
                io::ErrorKind::NetworkUnreachable => Rejection::Unreachable(Unreachable::Network),
                _ => Rejection::Unreachable(Unreachable::Host),
            });
        }
    };
    let copied = async {
        let mut stream = pending.accept().await?;
        tokio::io::copy_bidirectional(&mut stream, &mut onward).await
    };
    match copied.await {
        Ok((up, down)) => println!("{source} to {destination}: {up} bytes up, {down} down"),
        Err(error) => println!("{source} to {destination}: {error}"),
    }
}

async fn udp(flow: UdpFlow) {
    let (source, destination) = (flow.source(), flow.destination());
    match relay(&flow).await {
        // The forwarder ends a flow that was idle for a minute.
        Ok(()) => println!("{source} to {destination}: over"),
        Err(error) => println!("{source} to {destination}: {error}"),
    }
}

async fn relay(flow: &UdpFlow) -> io::Result<()> {
    let destination = flow.destination();
    let any: SocketAddr = match destination {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let onward = UdpSocket::bind(any).await?;
    onward.connect(destination).await?;
    let mut answer = vec![0; 65_535];
    loop {
        tokio::select! {
            datagram = flow.recv() => {
                let Ok(datagram) = datagram else { return Ok(()) };
                onward.send(&datagram).await?;
            }
            len = onward.recv(&mut answer) => {
                flow.send(answer[..len?].to_vec().into()).await?;
            }
        }
    }
}
