//! A SOCKS5 proxy of a few lines, whose world is what the test says it is.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::Sender;
use std::thread;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Connect(SocketAddr),
    Datagram(SocketAddr),
}

/// Proxies for whoever connects to `listener`. Every connection leads to `world`, but those to
/// port 81, which are refused; every datagram is answered by `answer`. Each destination is told
/// to `asked`.
pub fn serve(
    listener: &TcpListener,
    world: SocketAddr,
    asked: &Sender<Asked>,
    answer: fn(&[u8]) -> Vec<u8>,
) {
    for stream in listener.incoming() {
        let (stream, asked) = (stream.unwrap(), asked.clone());
        // A client that goes away ends its own conversation only.
        thread::spawn(move || converse(stream, world, &asked, answer).ok());
    }
}

fn converse(
    mut stream: TcpStream,
    world: SocketAddr,
    asked: &Sender<Asked>,
    answer: fn(&[u8]) -> Vec<u8>,
) -> std::io::Result<()> {
    let mut greeting = [0; 3];
    stream.read_exact(&mut greeting)?;
    assert_eq!(greeting, [5, 1, 0]);
    stream.write_all(&[5, 0])?;
    let mut request = [0; 3];
    stream.read_exact(&mut request)?;
    let to = read_address(&mut stream)?;
    match request {
        [5, 1, 0] => {
            // Whoever waited for this may be gone.
            let _ = asked.send(Asked::Connect(to));
            if to.port() == 81 {
                return stream.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
            }
            let onward = TcpStream::connect(world)?;
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
            let (from, to) = (onward.try_clone()?, stream.try_clone()?);
            thread::spawn(move || copy(&from, &to).ok());
            copy(&stream, &onward)
        }
        [5, 3, 0] => {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            let mut reply = vec![5, 0, 0];
            put(socket.local_addr()?, &mut reply);
            stream.write_all(&reply)?;
            let asked = asked.clone();
            thread::spawn(move || relay(&socket, &asked, answer).ok());
            // The association lasts as long as this.
            stream.read(&mut [0]).map(drop)
        }
        other => panic!("{other:?}"),
    }
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) -> std::io::Result<()> {
    std::io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}

fn relay(
    socket: &UdpSocket,
    asked: &Sender<Asked>,
    answer: fn(&[u8]) -> Vec<u8>,
) -> std::io::Result<()> {
    let mut datagram = [0; 2048];
    loop {
        let (len, client) = socket.recv_from(&mut datagram)?;
        let mut rest = &datagram[3..len];
        let to = read_address(&mut rest)?;
        // Whoever waited for this may be gone.
        let _ = asked.send(Asked::Datagram(to));
        let mut wrapped = vec![0, 0, 0];
        put(to, &mut wrapped);
        wrapped.extend(answer(rest));
        socket.send_to(&wrapped, client)?;
    }
}

fn read_address(from: &mut impl Read) -> std::io::Result<SocketAddr> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    let ip: IpAddr = match kind {
        [1] => {
            let mut octets = [0; 4];
            from.read_exact(&mut octets)?;
            octets.into()
        }
        [4] => {
            let mut octets = [0; 16];
            from.read_exact(&mut octets)?;
            octets.into()
        }
        other => panic!("{other:?}"),
    };
    let mut port = [0; 2];
    from.read_exact(&mut port)?;
    Ok((ip, u16::from_be_bytes(port)).into())
}

fn put(address: SocketAddr, out: &mut Vec<u8>) {
    match address.ip() {
        IpAddr::V4(ip) => {
            out.push(1);
            out.extend(ip.octets());
        }
        IpAddr::V6(ip) => {
            out.push(4);
            out.extend(ip.octets());
        }
    }
    out.extend(address.port().to_be_bytes());
}
