//! Datagrams for tokio programs.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use handclasp_stack::store::{Datagram, UdpId};
use handclasp_tcp::connection::{Error, PathError};

use crate::core::Handle;
use crate::error::{io_error, stack_is_gone};
use crate::surroundings::{Surroundings, Touched};

/// Datagrams that wait in each direction; what comes beyond is lost, as UDP may.
const QUEUE: usize = 256;

/// A socket that its handle and the driver share.
pub(crate) struct Shared {
    pub(crate) id: UdpId,
    queues: Mutex<Queues>,
    /// Whether the driver was told that there is something to send.
    queued: AtomicBool,
    surroundings: Arc<Surroundings>,
}

#[derive(Default)]
struct Queues {
    received: VecDeque<Datagram>,
    to_send: VecDeque<Datagram>,
    error: Option<PathError>,
    gone: bool,
    readers: Vec<Waker>,
    writers: Vec<Waker>,
}

impl Shared {
    pub(crate) fn new(id: UdpId, surroundings: Arc<Surroundings>) -> Self {
        let queues = Mutex::default();
        Self { id, queues, queued: AtomicBool::new(false), surroundings }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A datagram came; false if there is no room for it.
    pub(crate) fn deliver(&self, datagram: Datagram) -> bool {
        let mut queues = self.lock();
        if queues.received.len() >= QUEUE {
            return false;
        }
        queues.received.push_back(datagram);
        let readers = std::mem::take(&mut queues.readers);
        drop(queues);
        readers.into_iter().for_each(Waker::wake);
        true
    }

    /// The driver takes what is to be sent.
    pub(crate) fn next_to_send(&self) -> Option<Datagram> {
        let mut queues = self.lock();
        let datagram = queues.to_send.pop_front();
        if datagram.is_none() {
            self.queued.store(false, Ordering::Release);
        }
        let writers = std::mem::take(&mut queues.writers);
        drop(queues);
        writers.into_iter().for_each(Waker::wake);
        datagram
    }

    pub(crate) fn failed(&self, _remote: SocketAddr, why: PathError) {
        let mut queues = self.lock();
        queues.error = Some(why);
        let readers = std::mem::take(&mut queues.readers);
        drop(queues);
        readers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn abandon(&self) {
        let mut queues = self.lock();
        queues.gone = true;
        let readers = std::mem::take(&mut queues.readers);
        let writers = std::mem::take(&mut queues.writers);
        drop(queues);
        readers.into_iter().chain(writers).for_each(Waker::wake);
    }

    fn poll_receive(&self, task: &mut Context<'_>) -> Poll<io::Result<Datagram>> {
        let mut queues = self.lock();
        if let Some(datagram) = queues.received.pop_front() {
            return Poll::Ready(Ok(datagram));
        }
        if let Some(why) = queues.error.take() {
            let error = match why {
                PathError::PortUnreachable => Error::Refused,
                other => Error::Unreachable(other),
            };
            return Poll::Ready(Err(io_error(error)));
        }
        if queues.gone {
            return Poll::Ready(Err(stack_is_gone()));
        }
        register(&mut queues.readers, task.waker());
        Poll::Pending
    }

    fn poll_send(
        &self,
        task: &mut Context<'_>,
        datagram: &mut Option<Datagram>,
    ) -> Poll<io::Result<()>> {
        let mut queues = self.lock();
        if queues.gone {
            return Poll::Ready(Err(stack_is_gone()));
        }
        if queues.to_send.len() >= QUEUE {
            register(&mut queues.writers, task.waker());
            return Poll::Pending;
        }
        queues.to_send.extend(datagram.take());
        drop(queues);
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.surroundings.touched(Touched::Datagrams(self.id));
        }
        Poll::Ready(Ok(()))
    }
}

fn register(wakers: &mut Vec<Waker>, waker: &Waker) {
    if !wakers.iter().any(|w| w.will_wake(waker)) {
        wakers.push(waker.clone());
    }
}

/// A UDP socket on a [`Stack`](crate::Stack).
///
/// Up to 256 datagrams wait in each direction: a sender then waits, what is received beyond
/// is dropped and counted. Dropping the socket frees its port.
pub struct UdpSocket {
    shared: Arc<Shared>,
    core: Handle,
    local: SocketAddr,
}

impl UdpSocket {
    pub(crate) fn new(shared: Arc<Shared>, core: Handle, local: SocketAddr) -> Self {
        Self { shared, core, local }
    }

    /// The address and port it is bound to.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for a datagram; returns what it carries, and who sent it. Cancel safe.
    ///
    /// # Errors
    /// An earlier datagram of ours did not arrive (ICMP said so), or the stack is gone.
    pub async fn recv_from(&self) -> io::Result<(Bytes, SocketAddr)> {
        let datagram = poll_fn(|task| self.shared.poll_receive(task)).await?;
        Ok((datagram.payload, datagram.remote))
    }

    /// Sends a datagram to `remote`, in fragments where the path needs that. Cancel safe: a
    /// dropped call sent nothing.
    ///
    /// # Errors
    /// More than 65,507 bytes (`InvalidInput`), or the stack is gone.
    pub async fn send_to(&self, payload: Bytes, remote: SocketAddr) -> io::Result<()> {
        send(&self.shared, self.local, remote, payload).await
    }
}

impl std::fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpSocket").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        self.core.close_udp(self.shared.id);
    }
}

/// Datagrams between one peer and one destination that the [`Forwarder`](crate::Forwarder)
/// caught. Dropping it forgets the flow.
pub struct UdpFlow {
    shared: Arc<Shared>,
    core: Handle,
    local: SocketAddr,
    remote: SocketAddr,
}

impl UdpFlow {
    pub(crate) fn new(
        shared: Arc<Shared>,
        core: Handle,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Self {
        Self { shared, core, local, remote }
    }

    /// Who sends.
    #[must_use]
    pub fn source(&self) -> SocketAddr {
        self.remote
    }

    /// Whom the sender wants to reach.
    #[must_use]
    pub fn destination(&self) -> SocketAddr {
        self.local
    }

    /// Waits for the flow's next datagram. Cancel safe.
    ///
    /// # Errors
    /// The flow was idle for too long, or the stack is gone.
    pub async fn recv(&self) -> io::Result<Bytes> {
        Ok(poll_fn(|task| self.shared.poll_receive(task)).await?.payload)
    }

    /// Answers the flow's source, in the name of its destination. Cancel safe.
    ///
    /// # Errors
    /// As [`UdpSocket::send_to`].
    pub async fn send(&self, payload: Bytes) -> io::Result<()> {
        send(&self.shared, self.local, self.remote, payload).await
    }
}

impl std::fmt::Debug for UdpFlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpFlow")
            .field("source", &self.remote)
            .field("destination", &self.local)
            .finish_non_exhaustive()
    }
}

impl Drop for UdpFlow {
    fn drop(&mut self) {
        self.core.close_udp(self.shared.id);
    }
}

async fn send(
    shared: &Shared,
    local: SocketAddr,
    remote: SocketAddr,
    payload: Bytes,
) -> io::Result<()> {
    let most = if remote.is_ipv4() { 65_507 } else { 65_527 };
    if payload.len() > most {
        let what = format!("a datagram carries {most} bytes at most, not {}", payload.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let mut datagram = Some(Datagram { local, remote, payload });
    poll_fn(|task| shared.poll_send(task, &mut datagram)).await
}
