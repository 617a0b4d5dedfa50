//! What a [`Server`](crate::server::Server) does with a connection.
//!
//! An error of a connection is the end of that connection and of nothing else: the peer is
//! what is being looked at, and it may do as it likes.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError, mpsc};

use rustix::net::sockopt;

use crate::pattern::Pattern;
use crate::server::finish;

/// The seed of the [`Pattern`] that [`http`] serves under `/bytes/N`.
pub const HTTP_SEED: u64 = 80;

/// Bytes of a request's head that are read at most.
const HEAD: u64 = 16 * 1024;

/// A web server: `/` is `page`, `/bytes/N` the first `N` bytes of the [`Pattern`] of
/// [`HTTP_SEED`], and all else is not found. It understands GET and HEAD, and it closes each
/// connection after one answer.
pub fn http(page: impl Into<String>) -> impl Fn(TcpStream) + Send + Sync {
    let page = page.into();
    move |mut stream| {
        // One write for a small answer, so that it is one segment.
        let _ = stream.set_nodelay(true);
        if answer(&mut stream, &page).is_ok() {
            finish(stream);
        }
    }
}

fn answer(stream: &mut TcpStream, page: &str) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?.take(HEAD)).lines();
    let request = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = request.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let head = |status: &str, length: u64| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        )
    };
    let bytes = path.strip_prefix("/bytes/").and_then(|n| n.parse().ok());
    let (mut reply, body, pattern) = match (method, path, bytes) {
        ("GET" | "HEAD", "/", _) => (head("200 OK", page.len() as u64), page, 0),
        ("GET" | "HEAD", _, Some(count)) => (head("200 OK", count), "", count),
        ("GET" | "HEAD", ..) => (head("404 Not Found", 10), "not found\n", 0),
        _ => (head("405 Method Not Allowed", 0), "", 0),
    };
    if method == "HEAD" {
        return stream.write_all(reply.as_bytes());
    }
    reply.push_str(body);
    stream.write_all(reply.as_bytes())?;
    copy(&mut Pattern::new(HTTP_SEED).reader(pattern), stream)
}

/// Sends back what comes, and closes when the peer does.
pub fn echo(mut stream: TcpStream) {
    let Ok(mut from) = stream.try_clone() else { return };
    if copy(&mut from, &mut stream).is_ok() {
        finish(stream);
    }
}

/// Sends the first `len` bytes of `pattern` to whoever connects, and closes.
pub fn source(pattern: Pattern, len: u64) -> impl Fn(TcpStream) + Send + Sync {
    move |mut stream| {
        if copy(&mut pattern.reader(len), &mut stream).is_ok() {
            finish(stream);
        }
    }
}

/// What a [`sink`] got over one connection.
#[derive(Debug)]
pub struct Received {
    /// Bytes, until the peer closed or something was wrong.
    pub len: u64,
    /// The offset of the first byte that was not the expected one.
    pub difference: Option<u64>,
    /// What ended the connection, if it was not the peer's FIN.
    pub error: Option<io::Error>,
}

/// Reads until the peer closes, compares what comes with `pattern`, closes, and reports.
pub fn sink(pattern: Pattern, report: mpsc::Sender<Received>) -> impl Fn(TcpStream) + Send + Sync {
    move |stream| {
        // Who asked may have gone.
        let _ = report.send(receive(pattern, &stream));
    }
}

fn receive(pattern: Pattern, mut stream: &TcpStream) -> Received {
    let mut buffer = vec![0; BUFFER];
    let mut received = Received { len: 0, difference: None, error: None };
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return received,
            Ok(count) => {
                if received.difference.is_none() {
                    received.difference = pattern.check(received.len, &buffer[..count]).err();
                }
                received.len += count as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                received.error = Some(e);
                return received;
            }
        }
    }
}

/// Reads to the end of what comes, and probes a peer that is silent for as long as the
/// namespace's `tcp_keepalive_time` says.
pub fn keep_alive(mut stream: TcpStream) {
    if sockopt::set_socket_keepalive(&stream, true).is_ok() {
        let _ = io::copy(&mut stream, &mut io::sink());
    }
}

/// Accepts and never reads: the peer finds the window closed. A connection ends with the
/// server.
pub fn mute() -> impl Fn(TcpStream) + Send + Sync {
    let kept = Mutex::new(Vec::new());
    move |stream| kept.lock().unwrap_or_else(PoisonError::into_inner).push(stream)
}

/// Bytes that are read or written at once.
const BUFFER: usize = 256 * 1024;

/// Copies all there is. `io::copy` would use 8 KB at a time.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
