//! An echo server on a stack of its own, beside the kernel's.
//!
//! Once, as root, an interface that you may use, and the kernel's address on it:
//!
//! ```text
//! sudo ip tuntap add mode tun user $USER name hc0
//! sudo ip address add 10.9.0.1/24 dev hc0
//! sudo ip link set hc0 up
//! ```
//!
//! Then, and from another terminal:
//!
//! ```text
//! cargo run --example echo -- tun:hc0 10.9.0.2/24
//! nc 10.9.0.2 7
//! ```
//!
//! Instead of `tun:` it can be `packet:` and an Ethernet interface, as root: then it is another
//! host on that cable.

use std::error::Error;

use handclasp::device::device::Device;
use handclasp::device::packet::PacketSocket;
use handclasp::device::tun::Tun;
use handclasp::{Stack, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [link, address] = &arguments[..] else {
        return Err("usage: echo tun:NAME|packet:NAME ADDRESS/PREFIX".into());
    };
    let address: handclasp::Cidr = address.parse()?;
    let stack = Stack::builder(open(link)?).address(address).spawn()?;
    let listener = stack.listen((address.address(), 7).into())?;
    println!("listening on {}", listener.local_addr());
    loop {
        let (stream, peer) = listener.accept().await?;
        tokio::spawn(async move {
            match echo(stream).await {
                Ok(count) => println!("{peer}: {count} bytes"),
                Err(error) => println!("{peer}: {error}"),
            }
        });
    }
}

/// Sends back what comes, until the peer closes.
async fn echo(mut stream: TcpStream) -> std::io::Result<u64> {
    let (mut buffer, mut total) = (vec![0; 65_536], 0);
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(total);
        }
        stream.write_all(&buffer[..count]).await?;
        total += count as u64;
    }
}
