//! What the kernel's end does: servers and clients on ordinary sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use handclasp_lab::namespace::Namespace;
use handclasp_lab::pattern::Pattern;
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};
use tokio::sync::oneshot;

use crate::error::Error;
use crate::lab::args::Role;

use super::network::Network;
use crate::lab::PAGE;
use crate::lab::plan::{Plan, SERVER_PORT, Task};

/// What the client sends in bulk.
pub(super) const UP: Pattern = Pattern::new(1);
/// What the server sends in bulk.
pub(super) const DOWN: Pattern = Pattern::new(2);

/// Bytes that are read or written at once.
pub(super) const BUFFER: usize = 256 * 1024;

/// The kernel's server, if it is to be one.
pub(super) struct Kernel {
    _server: Option<Server>,
    /// How the bytes it got compare, once it has got them all.
    compared: Mutex<Receiver<io::Result<bool>>>,
}

impl Kernel {
    pub(super) fn new(plan: &Plan, network: &Network) -> Result<Self, Error> {
        let (report, compared) = channel();
        let address = network.server(false, plan.ipv6, SERVER_PORT);
        let start = |handler: Box<dyn Fn(TcpStream) + Send + Sync>| {
            Server::start(network.lab.peer(), address, &ListenOptions::default(), handler)
        };
        let server = match (plan.role, &plan.task) {
            (Role::Server, _) => None,
            (Role::Client, Task::Bulk(bytes)) => Some(start(bulk_server(*bytes, report))?),
            (Role::Client, _) => Some(start(Box::new(serve::http(PAGE)))?),
        };
        Ok(Self { _server: server, compared: Mutex::new(compared) })
    }

    /// Whether what the server got was what was sent.
    pub(super) fn compared(&self) -> io::Result<bool> {
        let compared = self.compared.lock().unwrap_or_else(|e| e.into_inner());
        // A server that is gone without a word did not get it all.
        compared.recv().unwrap_or(Ok(false))
    }
}

fn bulk_server(
    bytes: u64,
    report: Sender<io::Result<bool>>,
) -> Box<dyn Fn(TcpStream) + Send + Sync> {
    Box::new(move |mut stream| {
        let compared = receive(&mut stream, UP, bytes);
        let sent = send(&mut stream, DOWN, bytes);
        let _ = report.send(compared.and_then(|equal| sent.map(|()| equal)));
        // Our stack closes last; closing before it did would answer it with a reset.
        let _ = io::copy(&mut stream, &mut io::sink());
    })
}

/// Runs `f` in the kernel's namespace, on a thread of its own, without holding up the stack.
pub(super) async fn there<T: Send + 'static>(
    namespace: &Namespace,
    f: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<io::Result<T>, Error> {
    let (tell, told) = oneshot::channel();
    namespace.spawn(move || {
        // Who asked may have been interrupted.
        let _ = tell.send(f());
    })?;
    Ok(told.await.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into())))
}

/// Fetches the page over the kernel's TCP, and returns the status line's end: `200 OK`.
pub(super) fn fetch(server: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(super::page::request(server).as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    crate::lab::report::status(&answer)
}

/// Sends the bulk data over the kernel's TCP and compares what comes back.
pub(super) fn exchange(server: SocketAddr, bytes: u64) -> io::Result<bool> {
    let mut stream = TcpStream::connect(server)?;
    send(&mut stream, UP, bytes)?;
    receive(&mut stream, DOWN, bytes)
}

fn send(stream: &mut TcpStream, pattern: Pattern, bytes: u64) -> io::Result<()> {
    let (mut reader, mut buffer) = (pattern.reader(bytes), vec![0; BUFFER]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return stream.shutdown(Shutdown::Write),
            count => stream.write_all(&buffer[..count])?,
        }
    }
}

/// Reads to the end, and tells whether it was `bytes` of `pattern`.
fn receive(stream: &mut TcpStream, pattern: Pattern, bytes: u64) -> io::Result<bool> {
    let (mut buffer, mut got, mut equal) = (vec![0; BUFFER], 0, true);
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(equal && got == bytes),
            count => {
                equal &= pattern.check(got, &buffer[..count]).is_ok();
                got += count as u64;
            }
        }
    }
}
