//! Bulk data, moved both ways over one connection and compared byte by byte.
//!
//! The client sends all of its bytes and closes its direction; then the server sends as many.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use handclasp::{Stack, TcpStream};
use handclasp_lab::pattern::Pattern;
use indicatif::ProgressBar;
use tokio::io::AsyncReadExt;

use crate::error::Error;

use super::course::watched;
use super::kernel::{self, BUFFER, DOWN, Kernel, UP};
use super::network::Network;
use super::page::close;
use crate::lab::plan::SERVER_PORT;
use crate::lab::report::{Course, Moved, Report};

/// Moves the bytes as the client of a kernel's server.
pub(super) async fn connect(
    stack: &Stack,
    server: SocketAddr,
    bytes: u64,
    kernel: &Kernel,
    bar: &ProgressBar,
) -> io::Result<Moved> {
    let mut stream = stack.connect(server).await?;
    let course = send(&mut stream, UP, bytes, bar).await?;
    let (equal, r#in) = receive(&mut stream, DOWN, bytes, bar).await?;
    // It has compared by now: it sent the last of its own after that.
    let equal = equal && kernel.compared()?;
    Ok(Moved { bytes, course, r#in, equal })
}

/// Moves the bytes as the server of a kernel's client.
pub(super) async fn accept(
    network: &Network,
    server: SocketAddr,
    bytes: u64,
    bar: &ProgressBar,
) -> Result<Report, Error> {
    let listener = network.stack.listen(SocketAddr::new(server.ip(), SERVER_PORT))?;
    let client = kernel::there(network.lab.peer(), move || kernel::exchange(server, bytes));
    let serve = async {
        let (mut stream, _) = listener.accept().await?;
        let (equal, r#in) = receive(&mut stream, UP, bytes, bar).await?;
        let course = send(&mut stream, DOWN, bytes, bar).await?;
        Ok(Moved { bytes, course, r#in, equal })
    };
    tokio::pin!(client, serve);
    let (compared, moved) = tokio::select! {
        moved = &mut serve => (client.await?, moved),
        // It ends first when it read all we sent, or when it failed: it was refused, say.
        compared = &mut client => match compared? {
            Ok(equal) => (Ok(equal), serve.await),
            Err(error) => return Ok(Report::Bulk(Err(error))),
        },
    };
    Ok(Report::Bulk(moved.and_then(|m| Ok(Moved { equal: m.equal && compared?, ..m }))))
}

async fn send(
    stream: &mut TcpStream,
    pattern: Pattern,
    bytes: u64,
    bar: &ProgressBar,
) -> io::Result<Course> {
    let course = watched(stream, async {
        let mut reader = pattern.reader(bytes);
        loop {
            let mut buffer = vec![0; BUFFER];
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                return stream.flushed().await;
            }
            buffer.truncate(count);
            stream.write_bytes(buffer.into()).await?;
            bar.inc(count as u64);
        }
    });
    let course = course.await?;
    close(stream).await?;
    Ok(course)
}

/// Reads to the end; whether it was `bytes` of `pattern`, and how long it took from the first.
async fn receive(
    stream: &mut TcpStream,
    pattern: Pattern,
    bytes: u64,
    bar: &ProgressBar,
) -> io::Result<(bool, Duration)> {
    let (mut start, mut buffer) = (None, vec![0; BUFFER]);
    let (mut got, mut equal) = (0, true);
    loop {
        match stream.read(&mut buffer).await? {
            0 => break,
            count => {
                start.get_or_insert_with(Instant::now);
                equal &= pattern.check(got, &buffer[..count]).is_ok();
                got += count as u64;
                bar.inc(count as u64);
            }
        }
    }
    Ok((equal && got == bytes, start.map_or(Duration::ZERO, |start| start.elapsed())))
}
