//! Sends whatever is routed into a TUN interface through a SOCKS5 proxy (RFC 1928): TCP with
//! CONNECT, UDP with UDP ASSOCIATE.
//!
//! A namespace in which nothing but a proxy's port can be reached, as root; any SOCKS5 server
//! does, `ssh -N -D 127.0.0.1:1080 SOMEWHERE` for one (which has no UDP):
//!
//! ```text
//! ip netns add inside
//! ip -n inside link set lo up
//! ip netns exec inside target/debug/examples/tun2socks hc0 127.0.0.1:1080
//! ip -n inside address add 10.9.0.1/24 dev hc0
//! ip -n inside link set hc0 up
//! ip -n inside route add default dev hc0
//! ip netns exec inside curl http://ADDRESS/
//! ```
//!
//! On a machine's own network the way to the proxy must not lead into the interface: keep a
//! route of its own for the proxy's address.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use handclasp::device::tun::Tun;
use handclasp::{ForwardConfig, PendingTcp, Rejection, Stack, UdpFlow, Unreachable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [name, proxy] = &arguments[..] else {
        return Err("usage: tun2socks INTERFACE PROXY:PORT".into());
    };
    let proxy: SocketAddr = proxy.parse()?;
    // It needs no address: what it sends comes from whom the program inside wanted to reach.
    let stack = Stack::builder(Tun::builder().name(name).open()?).spawn()?;
    let forwarder = stack.forwarder(ForwardConfig::default(), None)?;
    println!("forwarding");
    loop {
        tokio::select! {
            pending = forwarder.tcp() => { tokio::spawn(tcp(pending?, proxy)); }
            flow = forwarder.udp() => { tokio::spawn(udp(flow?, proxy)); }
        }
    }
}

/// Why the proxy did not do as asked.
#[derive(Debug)]
enum Failure {
    Io(io::Error),
    /// It said no: RFC 1928 §6's reply.
    Refused(u8),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Refused(reply) => write!(f, "the proxy refused (reply {reply})"),
        }
    }
}

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const CONNECT: u8 = 1;
const UDP_ASSOCIATE: u8 = 3;
const IPV4: u8 = 1;
const DOMAIN_NAME: u8 = 3;
const IPV6: u8 = 4;

/// Puts an address and port as SOCKS5 writes them.
fn put(address: SocketAddr, out: &mut Vec<u8>) {
    match address.ip() {
        IpAddr::V4(ip) => {
            out.push(IPV4);
            out.extend(ip.octets());
        }
        IpAddr::V6(ip) => {
            out.push(IPV6);
            out.extend(ip.octets());
        }
    }
    out.extend(address.port().to_be_bytes());
}

/// Asks the proxy for something; returns the connection to it and the address in its reply.
async fn ask(
    proxy: SocketAddr,
    command: u8,
    address: SocketAddr,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut stream = TcpStream::connect(proxy).await?;
    stream.write_all(&[VERSION, 1, NO_AUTHENTICATION]).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    if chosen != [VERSION, NO_AUTHENTICATION] {
        let what = "the proxy is no SOCKS5 server, or wants a password";
        return Err(io::Error::new(io::ErrorKind::Unsupported, what).into());
    }
    let mut request = vec![VERSION, command, 0];
    put(address, &mut request);
    stream.write_all(&request).await?;

    let mut reply = [0; 4];
    stream.read_exact(&mut reply).await?;
    if reply[1] != 0 {
        return Err(Failure::Refused(reply[1]));
    }
    let bound = read_address(&mut stream, reply[3]).await?;
    Ok((stream, bound))
}

async fn read_address(stream: &mut TcpStream, kind: u8) -> io::Result<SocketAddr> {
    let ip: IpAddr = match kind {
        IPV4 => {
            let mut octets = [0; 4];
            stream.read_exact(&mut octets).await?;
            octets.into()
        }
        IPV6 => {
            let mut octets = [0; 16];
            stream.read_exact(&mut octets).await?;
            octets.into()
        }
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "a reply without an address")),
    };
    Ok((ip, stream.read_u16().await?).into())
}

/// Answers the SYN as the proxy found the destination to be.
async fn tcp(pending: PendingTcp, proxy: SocketAddr) {
    let (source, destination) = (pending.source(), pending.destination());
    let mut onward = match ask(proxy, CONNECT, destination).await {
        Ok((onward, _)) => onward,
        Err(failure) => {
            println!("{source} to {destination}: {failure}");
            return pending.reject(match failure {
                Failure::Refused(3) => Rejection::Unreachable(Unreachable::Network),
                Failure::Refused(4) => Rejection::Unreachable(Unreachable::Host),
                _ => Rejection::Reset,
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

async fn udp(flow: UdpFlow, proxy: SocketAddr) {
    let (source, destination) = (flow.source(), flow.destination());
    match associate(&flow, proxy).await {
        Ok(()) => println!("{source} to {destination}: over"),
        Err(failure) => println!("{source} to {destination}: {failure}"),
    }
}

/// Relays a flow's datagrams. The association lives as long as its TCP connection.
async fn associate(flow: &UdpFlow, proxy: SocketAddr) -> Result<(), Failure> {
    let any: SocketAddr = match proxy {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let (mut control, mut relay) = ask(proxy, UDP_ASSOCIATE, any).await?;
    if relay.ip().is_unspecified() {
        // Some proxies mean: where you reached me.
        relay.set_ip(proxy.ip());
    }
    let socket = UdpSocket::bind(any).await?;
    socket.connect(relay).await?;
    let mut answer = vec![0; 65_535];
    loop {
        tokio::select! {
            datagram = flow.recv() => {
                // The forwarder ends a flow that was idle for a minute.
                let Ok(datagram) = datagram else { return Ok(()) };
                let mut wrapped = vec![0, 0, 0];
                put(flow.destination(), &mut wrapped);
                wrapped.extend_from_slice(&datagram);
                socket.send(&wrapped).await?;
            }
            len = socket.recv(&mut answer) => {
                // A fragment, or what is no datagram of SOCKS5, is nothing to us.
                if let Some(payload) = unwrap(&answer[..len?]) {
                    flow.send(payload.to_vec().into()).await?;
                }
            }
            ended = control.read_u8() => {
                return ended.map(drop).map_err(Failure::Io);
            }
        }
    }
}

/// What a relayed datagram carries.
fn unwrap(datagram: &[u8]) -> Option<&[u8]> {
    let (&[_, _, fragment, kind], rest) = datagram.split_first_chunk()?;
    if fragment != 0 {
        return None;
    }
    let address = match kind {
        IPV4 => 4,
        IPV6 => 16,
        DOMAIN_NAME => 1 + usize::from(*rest.first()?),
        _ => return None,
    };
    rest.get(address + 2..)
}
