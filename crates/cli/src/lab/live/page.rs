//! A page over HTTP, fetched and served by our stack.

use std::io;
use std::net::SocketAddr;

use handclasp::{Stack, TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::error::Error;

use super::CLOSING;
use super::kernel;
use super::network::Network;
use crate::lab::PAGE;
use crate::lab::plan::SERVER_PORT;
use crate::lab::report::{Report, status};

/// The most bytes of a request or an answer that are looked at.
const LIMIT: usize = 64 * 1024;

/// The request for the page.
pub(super) fn request(server: SocketAddr) -> String {
    format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.ip())
}

/// Fetches the page from `server` with our stack.
///
/// # Errors
///
/// Why there is no answer.
pub(super) async fn fetch(stack: &Stack, server: SocketAddr) -> io::Result<String> {
    let mut stream = stack.connect(server).await?;
    stream.write_all(request(server).as_bytes()).await?;
    let mut answer = Vec::new();
    (&mut stream).take(LIMIT as u64).read_to_end(&mut answer).await?;
    close(&mut stream).await?;
    status(&answer)
}

/// Closes our direction and waits until the peer knows.
pub(super) async fn close(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    stream.flushed().await
}

/// Serves the page with our stack to a client in the kernel.
pub(super) async fn serve_kernel(network: &Network, server: SocketAddr) -> Result<Report, Error> {
    let address = SocketAddr::new(server.ip(), SERVER_PORT);
    let serving = Serving::start(network.stack.listen(address)?);
    let fetched = kernel::there(network.lab.peer(), move || kernel::fetch(server)).await?;
    serving.finish().await;
    Ok(Report::Page(fetched))
}

/// A web server on our stack.
pub(super) struct Serving {
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl Serving {
    /// Answers every connection with the page.
    pub(super) fn start(listener: TcpListener) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, done: tokio::spawn(accept(listener, stopped)) }
    }

    /// Takes no more connections, and waits a moment for those that are open.
    pub(super) async fn finish(self) {
        let _ = self.stop.send(());
        // Those that are still open then are closed with the stack.
        let _ = tokio::time::timeout(CLOSING, self.done).await;
    }
}

async fn accept(listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => connections.spawn(answer(stream)),
                Err(_) => break,
            },
            _ = &mut stopped => break,
        };
    }
    while connections.join_next().await.is_some() {}
}

/// Answers one request. What a client does wrong is the end of its connection only.
async fn answer(mut stream: TcpStream) {
    let _ = try_answer(&mut stream).await;
}

async fn try_answer(stream: &mut TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > LIMIT || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let (status, page) = match request.split(|&byte| byte == b' ').nth(1) {
        Some(b"/") => ("200 OK", PAGE),
        _ => ("404 Not Found", "not found\n"),
    };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        page.len()
    );
    if !request.starts_with(b"HEAD ") {
        answer.push_str(page);
    }
    stream.write_all(answer.as_bytes()).await?;
    close(stream).await?;
    // The client closes after us; until then the connection is half closed.
    while stream.read_buf(&mut Vec::with_capacity(LIMIT)).await? > 0 {}
    Ok(())
}
