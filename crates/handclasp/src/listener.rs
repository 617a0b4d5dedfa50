//! Taking connections in.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use handclasp_stack::listen::ListenerId;

use crate::core::Handle;
use crate::stream::TcpStream;

/// Accepts TCP connections on one address and port; also a [`Stream`] of them.
///
/// Dropping it resets the connections that nobody accepted.
#[derive(Debug)]
pub struct TcpListener {
    id: ListenerId,
    local: SocketAddr,
    core: Handle,
}

impl TcpListener {
    pub(crate) fn new(id: ListenerId, local: SocketAddr, core: Handle) -> Self {
        Self { id, local, core }
    }

    /// The address and port it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for a connection; returns it and the peer's address. Cancel safe: a dropped call
    /// leaves the connection for the next.
    ///
    /// # Errors
    /// The stack was shut down.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|task| self.poll_accept(task)).await
    }

    /// [`TcpListener::accept`] for those who poll.
    ///
    /// # Errors
    /// The stack was shut down.
    pub fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let accepted = self.core.with_host(|host, store, _| {
            // One that the peer has reset meanwhile is nobody's business any more.
            while let Some(accepted) = host.accept(self.id) {
                if let Some(shared) = store.connection(accepted.id) {
                    return Some((shared.clone(), accepted.tuple.remote()));
                }
            }
            store.wait_to_accept(self.id, task.waker());
            None
        });
        match accepted {
            Ok(Some((shared, peer))) => Poll::Ready(Ok((TcpStream::new(shared), peer))),
            Ok(None) => Poll::Pending,
            Err(e) => Poll::Ready(Err(e)),
        }
    }
}

impl Stream for TcpListener {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_accept(task).map(|accepted| Some(accepted.map(|(stream, _)| stream)))
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        // A stack that is gone has no listeners.
        let _ = self.core.with_host(|host, store, cx| {
            host.close_listener(store, cx, self.id);
            store.stop_accepting(self.id);
        });
    }
}
