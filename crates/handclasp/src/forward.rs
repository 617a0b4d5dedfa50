//! Taking in what anybody wants to reach, and deciding before the SYN is answered.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;

use handclasp_stack::forward::{self, Rejection};
use handclasp_tcp::Config;

use crate::core::Handle;
use crate::stream::TcpStream;
use crate::udp::UdpFlow;

/// Catches connections and datagrams to any address and port: the heart of a VPN client, a
/// tun2socks, a sandbox.
///
/// Dropping it ends the forwarding of new connections; those that were accepted live on.
#[derive(Debug)]
pub struct Forwarder {
    core: Handle,
    config: Config,
}

impl Forwarder {
    pub(crate) fn new(core: Handle, config: Config) -> Self {
        Self { core, config }
    }

    /// Waits for a peer's SYN, which is not answered yet. Its repetitions are not shown again.
    /// Cancel safe.
    ///
    /// # Errors
    /// The stack was shut down.
    pub async fn tcp(&self) -> io::Result<PendingTcp> {
        poll_fn(|task| {
            let pending = self.core.with_host(|host, store, _| {
                let pending = host.next_pending();
                if pending.is_none() {
                    store.wait_to_forward(task.waker());
                }
                pending
            });
            match pending {
                Ok(None) => Poll::Pending,
                Ok(Some(pending)) => Poll::Ready(Ok(PendingTcp {
                    pending,
                    config: Some(self.config.clone()),
                    core: self.core.clone(),
                })),
                Err(e) => Poll::Ready(Err(e)),
            }
        })
        .await
    }

    /// Waits for a connection that the [`Policy`](handclasp_stack::forward::Policy) accepted
    /// by itself; returns it and where the peer wanted to. Cancel safe.
    ///
    /// # Errors
    /// The stack was shut down.
    pub async fn accepted(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|task| {
            let accepted = self.core.with_host(|host, store, _| {
                while let Some(accepted) = host.accept_forwarded() {
                    if let Some(shared) = store.connection(accepted.id) {
                        return Some((shared.clone(), accepted.tuple.local()));
                    }
                }
                store.wait_to_forward(task.waker());
                None
            });
            match accepted {
                Ok(None) => Poll::Pending,
                Ok(Some((shared, to))) => Poll::Ready(Ok((TcpStream::new(shared), to))),
                Err(e) => Poll::Ready(Err(e)),
            }
        })
        .await
    }

    /// Waits for the first datagram between a peer and a destination; the flow then yields it
    /// and those that follow. Cancel safe.
    ///
    /// # Errors
    /// The stack was shut down.
    pub async fn udp(&self) -> io::Result<UdpFlow> {
        poll_fn(|task| {
            let flow = self.core.with_host(|host, store, _| {
                while let Some(flow) = host.next_flow() {
                    if let Some(shared) = store.socket(flow.id) {
                        return Some((shared.clone(), flow));
                    }
                }
                store.wait_to_forward(task.waker());
                None
            });
            match flow {
                Ok(None) => Poll::Pending,
                Ok(Some((shared, flow))) => Poll::Ready(Ok(UdpFlow::new(
                    shared,
                    self.core.clone(),
                    flow.destination,
                    flow.source,
                ))),
                Err(e) => Poll::Ready(Err(e)),
            }
        })
        .await
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        // A stack that is gone forwards nothing.
        let _ = self.core.with_host(|host, store, cx| host.stop_forwarding(store, cx));
    }
}

/// A connection that a peer wants and that nobody answered yet. Dropping it answers with RST.
#[derive(Debug)]
#[must_use]
pub struct PendingTcp {
    pending: forward::PendingTcp,
    /// `None` once decided.
    config: Option<Config>,
    core: Handle,
}

impl PendingTcp {
    /// Who wants it.
    #[must_use]
    pub fn source(&self) -> SocketAddr {
        self.pending.source
    }

    /// Where to.
    #[must_use]
    pub fn destination(&self) -> SocketAddr {
        self.pending.destination
    }

    /// Shakes hands with the peer and waits until that is done. A dropped call goes on shaking
    /// hands, and resets the connection when it opens.
    ///
    /// # Errors
    /// The peer went away (`ConnectionAborted`), or the stack was shut down.
    pub async fn accept(self) -> io::Result<TcpStream> {
        self.accept_with(|_| ()).await
    }

    /// [`PendingTcp::accept`], with other settings than the forwarder's.
    ///
    /// # Errors
    /// As [`PendingTcp::accept`].
    pub async fn accept_with(mut self, change: impl FnOnce(&mut Config)) -> io::Result<TcpStream> {
        let mut config = self.config.take().unwrap_or_default();
        change(&mut config);
        let id = self.pending.id;
        let opened = self.core.with_host(|host, store, cx| {
            let taken = host.accept_pending(cx, id, Arc::new(config));
            taken.then(|| store.wait_to_open(id))
        })?;
        let gave_up = || {
            let what = "the peer gave up before the handshake was over";
            io::Error::new(io::ErrorKind::ConnectionAborted, what)
        };
        let shared = opened.ok_or_else(gave_up)?.await.map_err(|_| gave_up())?;
        Ok(TcpStream::new(shared))
    }

    /// Refuses: with a RST, with an ICMP error, or in silence.
    pub fn reject(mut self, how: Rejection) {
        self.decide(how);
    }

    fn decide(&mut self, how: Rejection) {
        if self.config.take().is_some() {
            let id = self.pending.id;
            // A stack that is gone has nobody to refuse.
            let _ = self.core.with_host(|host, _, cx| host.reject_pending(id, how, cx.now));
        }
    }
}

impl Drop for PendingTcp {
    fn drop(&mut self) {
        self.decide(Rejection::Reset);
    }
}
