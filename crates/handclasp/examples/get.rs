//! Fetches a page over HTTP, with a stack of its own, and prints it.
//!
//! With the interface that the `echo` example describes, and any server:
//!
//! ```text
//! python3 -m http.server --bind 10.9.0.1 8000
//! cargo run --example get -- tun:hc0 10.9.0.2/24 http://10.9.0.1:8000/
//! ```

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;

use handclasp::Stack;
use handclasp::device::device::Device;
use handclasp::device::packet::PacketSocket;
use handclasp::device::tun::Tun;
use tokio::io::AsyncWriteExt;

/// Opens `tun:NAME` or `packet:NAME`.
fn open(link: &str) -> Result<Box<dyn Device>, Box<dyn Error>> {
    Ok(match link.split_once(':') {
        Some(("tun", name)) => Box::new(Tun::builder().name(name).open()?),
        Some(("packet", name)) => Box::new(PacketSocket::builder(name).open()?),
        _ => return Err(format!("{link:?} is neither tun:NAME nor packet:NAME").into()),
    })
}

/// The server, the host's name in the URL, and the path.
fn parse(url: &str) -> Result<(SocketAddr, &str, String), Box<dyn Error>> {
    let rest = url.strip_prefix("http://").ok_or("the URL must begin with http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    // There is no resolver in here: the host is an address, in brackets if it is IPv6.
    let address = host.parse().or_else(|_| format!("{host}:80").parse())?;
    Ok((address, host, format!("/{path}")))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [link, address, url] = &arguments[..] else {
        return Err("usage: get tun:NAME|packet:NAME ADDRESS/PREFIX http://HOST[:PORT]/PATH".into());
    };
    let (server, host, path) = parse(url)?;
    let stack = Stack::builder(open(link)?).address(address.parse()?).spawn()?;
    let mut stream = stack.connect(server).await?;
    eprintln!("connected {} to {server}", stream.local_addr());

    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut count = 0;
    loop {
        // What was received, without a copy; empty at the end.
        let bytes = stream.read_bytes(usize::MAX).await?;
        if bytes.is_empty() {
            break;
        }
        count += bytes.len();
        std::io::stdout().write_all(&bytes)?;
    }
    let rtt = stream.info().rtt.unwrap_or_default();
    eprintln!("{count} bytes, round trip {rtt:?}");

    // Sends our FIN, and waits until the server has it.
    drop(stream);
    stack.shutdown(std::time::Duration::from_secs(5)).await;
    Ok(())
}
