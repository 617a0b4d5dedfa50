//! A server in the kernel.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::net::sockopt;

use crate::error::{Error, Result};
use crate::namespace::Namespace;

/// How a socket of the kernel's listens.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListenOptions {
    /// Connections that may wait to be accepted; by default as many as the kernel allows.
    pub backlog: Option<u32>,
    /// How its connections control congestion; by default as the namespace does.
    pub congestion: Option<String>,
    /// Bytes of an accepted connection's receive buffer, as `SO_RCVBUF`; by default the kernel
    /// grows it.
    pub receive_buffer: Option<usize>,
}

/// A listening socket in `namespace`, which nobody accepts from yet.
///
/// # Errors
///
/// The address is not the namespace's or is taken, or the options are not the kernel's.
pub fn listen(
    namespace: &Namespace,
    address: SocketAddr,
    options: &ListenOptions,
) -> Result<TcpListener> {
    let bind = || -> io::Result<TcpListener> {
        let listener = TcpListener::bind(address)?;
        if let Some(backlog) = options.backlog {
            // Listening again changes nothing but this.
            rustix::net::listen(&listener, i32::try_from(backlog).unwrap_or(i32::MAX))?;
        }
        if let Some(name) = &options.congestion {
            sockopt::set_tcp_congestion(&listener, name)?;
        }
        if let Some(bytes) = options.receive_buffer {
            sockopt::set_socket_recv_buffer_size(&listener, bytes)?;
        }
        Ok(listener)
    };
    namespace.run(bind)?.map_err(Error::os(format!("listen on {address}")))
}

/// A server whose connections are each handled on a thread of their own. Dropping it closes
/// the listening socket; what is connected stays until its handler is done.
#[derive(Debug)]
pub struct Server {
    listener: Arc<TcpListener>,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server in `namespace`.
    ///
    /// # Errors
    ///
    /// As [`listen`].
    pub fn start(
        namespace: &Namespace,
        address: SocketAddr,
        options: &ListenOptions,
        handler: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = Arc::new(listen(namespace, address, options)?);
        let stopping = Arc::new(AtomicBool::new(false));
        let accepting = thread::spawn({
            let (listener, stopping) = (listener.clone(), stopping.clone());
            move || accept(&listener, &stopping, &Arc::new(handler))
        });
        Ok(Self { listener, stopping, accepting: Some(accepting) })
    }

    /// Where it listens, with the port that the kernel chose if it was asked for port 0.
    ///
    /// # Errors
    ///
    /// The socket is gone.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        // This wakes the thread that accepts, which closing the descriptor would not.
        let _ = rustix::net::shutdown(&*self.listener, rustix::net::Shutdown::Both);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept<H: Fn(TcpStream) + Send + Sync + 'static>(
    listener: &TcpListener,
    stopping: &AtomicBool,
    handler: &Arc<H>,
) {
    while !stopping.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                let handler = handler.clone();
                thread::spawn(move || handler(stream));
            }
            // A connection that was reset before it was accepted is the peer's affair.
            Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => return,
        }
    }
}

/// Ends the sending half, reads what the peer still sends, and closes. Closing at once would
/// answer unread bytes with a reset.
pub(crate) fn finish(mut stream: TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    let _ = io::copy(&mut stream, &mut io::sink());
}
