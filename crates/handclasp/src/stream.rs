//! A connection as a tokio stream.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use handclasp_tcp::config::{Algorithm, KeepAlive};
use handclasp_tcp::connection::{Info, Readiness};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection::{Place, Shared};
use crate::error::io_error;

/// A TCP connection between a tokio program and its peer, over a [`Stack`](crate::Stack).
///
/// Reads and writes as tokio's own `TcpStream` does; besides, `Bytes` go in and out without a
/// copy. Dropping it sends what was written and a FIN — or a RST, if data was received that
/// nobody read, so that the peer learns of it.
#[derive(Debug)]
pub struct TcpStream {
    shared: Arc<Shared>,
    linger: Option<Duration>,
}

impl TcpStream {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, linger: None }
    }

    /// Our address and port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.look(|c| c.tuple().local())
    }

    /// The peer's address and port.
    #[must_use]
    pub fn peer_addr(&self) -> SocketAddr {
        self.shared.look(|c| c.tuple().remote())
    }

    /// Copies received data into `into` and leaves it to be read again; 0 at the end of the
    /// stream. Cancel safe.
    ///
    /// # Errors
    /// Why the connection failed.
    pub async fn peek(&self, into: &mut [u8]) -> io::Result<usize> {
        poll_fn(|task| {
            self.shared
                .poll_act(task, Place::Other, Readiness::READABLE, |c, _| c.peek(into).transpose())
        })
        .await
        .map_err(io_error)
    }

    /// Waits for received data and takes at most `max` bytes of it without copying; empty at
    /// the end of the stream. Cancel safe.
    ///
    /// # Errors
    /// Why the connection failed.
    pub async fn read_bytes(&self, max: usize) -> io::Result<Bytes> {
        poll_fn(|task| self.poll_read_bytes(task, max)).await
    }

    pub(crate) fn poll_read_bytes(
        &self,
        task: &mut Context<'_>,
        max: usize,
    ) -> Poll<io::Result<Bytes>> {
        self.shared
            .poll_act(task, Place::Other, Readiness::READABLE, |c, cx| {
                c.read_bytes(cx, max).transpose()
            })
            .map_err(io_error)
    }

    /// Sends all of `data` without copying. Not cancel safe: a dropped call may have sent
    /// part of it.
    ///
    /// # Errors
    /// Why the connection failed, or `BrokenPipe` after a shutdown.
    pub async fn write_bytes(&self, mut data: Bytes) -> io::Result<()> {
        while !data.is_empty() {
            poll_fn(|task| {
                let interest = Readiness::WRITABLE | Readiness::OVER;
                self.shared.poll_act(task, Place::Other, interest, |c, cx| {
                    none_if_zero(c.write_bytes(cx, &mut data))
                })
            })
            .await
            .map_err(io_error)?;
        }
        Ok(())
    }

    /// Waits until a read would not wait. Cancel safe.
    pub async fn readable(&self) {
        self.shared.until(Readiness::READABLE).await;
    }

    /// Waits until a write would not wait. Cancel safe.
    pub async fn writable(&self) {
        self.shared.until(Readiness::WRITABLE | Readiness::OVER).await;
    }

    /// Waits until everything written, and the FIN after a shutdown, was acknowledged by the
    /// peer. Cancel safe.
    ///
    /// # Errors
    /// Why the connection failed before that.
    pub async fn flushed(&self) -> io::Result<()> {
        self.shared.until(Readiness::FLUSHED).await;
        self.shared.look(|c| c.error()).map_or(Ok(()), |e| Err(io_error(e)))
    }

    /// Sends a FIN behind what was written: the peer sees the end of the stream, and may go on
    /// sending itself.
    pub fn close_write(&self) {
        self.shared.act(|c, cx| c.shutdown(cx));
    }

    /// Ends the connection at once with a RST; unsent data is lost.
    pub fn abort(self) {
        self.shared.act(|c, cx| c.abort(cx));
    }

    /// What a drop does: `None` (the default) sends everything and closes in the background;
    /// zero aborts with a RST. Another duration gives the background close that long before
    /// it aborts.
    pub fn set_linger(&mut self, linger: Option<Duration>) {
        self.linger = linger;
    }

    /// Sends small segments at once instead of by Nagle's rule.
    pub fn set_nodelay(&self, on: bool) {
        self.shared.act(|c, _| c.set_nodelay(on));
    }

    /// Hands the congestion window over to another controller, which goes on with it.
    pub fn set_congestion(&self, algorithm: Algorithm) {
        self.shared.act(|c, cx| c.set_congestion(cx, algorithm));
    }

    /// Probes the peer when the connection is idle, or stops doing so.
    pub fn set_keepalive(&self, keep_alive: Option<KeepAlive>) {
        self.shared.act(|c, cx| c.set_keep_alive(cx, keep_alive));
    }

    /// Ends the connection when sent data stays unacknowledged for so long.
    pub fn set_user_timeout(&self, timeout: Option<Duration>) {
        self.shared.act(|c, _| c.set_user_timeout(timeout));
    }

    /// Sets the differentiated services field of what is sent from now on.
    pub fn set_dscp(&self, dscp: u8) {
        self.shared.act(|c, _| c.set_dscp(dscp));
    }

    /// Sets the time to live or hop limit of what is sent from now on.
    pub fn set_ttl(&self, ttl: u8) {
        self.shared.act(|c, _| c.set_ttl(ttl));
    }

    /// How the connection fares, as `TCP_INFO` would tell.
    #[must_use]
    pub fn info(&self) -> Info {
        self.shared.look(|c| c.info())
    }

    /// Two handles on the same connection, one to read and one to write, for two tasks.
    /// Dropping the writing one sends a FIN.
    #[must_use]
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let whole = Arc::new(self);
        (OwnedReadHalf(whole.clone()), OwnedWriteHalf { stream: whole, close_on_drop: true })
    }

    fn poll_read_into(
        &self,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let into = buf.initialize_unfilled();
        let read = self
            .shared
            .poll_act(task, Place::Read, Readiness::READABLE, |c, cx| c.read(cx, into).transpose());
        read.map(|result| result.map(|n| buf.advance(n)).map_err(io_error))
    }

    fn poll_write_from(&self, task: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.shared
            .poll_act(task, Place::Write, Readiness::WRITABLE, |c, cx| {
                none_if_zero(c.write(cx, data))
            })
            .map_err(io_error)
    }

    fn poll_write_slices(
        &self,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().all(|s| s.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.shared
            .poll_act(task, Place::Write, Readiness::WRITABLE, |c, cx| {
                let mut written = 0;
                for slice in slices {
                    match c.write(cx, slice) {
                        Ok(n) => written += n,
                        Err(e) if written == 0 => return Some(Err(e)),
                        Err(_) => break,
                    }
                }
                none_if_zero(Ok(written))
            })
            .map_err(io_error)
    }
}

/// A write that took nothing has to wait.
fn none_if_zero<E>(written: Result<usize, E>) -> Option<Result<usize, E>> {
    match written {
        Ok(0) => None,
        other => Some(other),
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        let linger = self.linger;
        self.shared.act(|c, cx| match linger {
            Some(Duration::ZERO) => c.abort(cx),
            Some(limit) => {
                c.set_user_timeout(Some(limit));
                c.close(cx);
            }
            None => c.close(cx),
        });
        // Even where nothing is left to send, the driver has an entry to let go of.
        self.shared.tell_driver();
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read_into(task, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_from(task, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_slices(task, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing is held back that flushing could send.
    fn poll_flush(self: Pin<&mut Self>, _task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close_write();
        Poll::Ready(Ok(()))
    }
}

/// The reading half of a [`TcpStream`].
#[derive(Debug)]
pub struct OwnedReadHalf(Arc<TcpStream>);

/// The writing half of a [`TcpStream`]; dropping it sends a FIN.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Arc<TcpStream>,
    close_on_drop: bool,
}

/// Two halves that do not belong to one stream.
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

impl std::fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the two halves are of different connections")
    }
}

impl std::error::Error for ReuniteError {}

impl OwnedReadHalf {
    /// Puts the halves together again.
    ///
    /// # Errors
    /// They are of different streams: both come back.
    pub fn reunite(self, mut write: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        if !Arc::ptr_eq(&self.0, &write.stream) {
            return Err(ReuniteError(self, write));
        }
        write.close_on_drop = false;
        let whole = self.0;
        drop(write);
        // Both halves are here, and nobody else holds one.
        Ok(Arc::into_inner(whole).expect("nobody else holds a half"))
    }

    /// See [`TcpStream::read_bytes`].
    ///
    /// # Errors
    /// Why the connection failed.
    pub async fn read_bytes(&self, max: usize) -> io::Result<Bytes> {
        self.0.read_bytes(max).await
    }

    /// See [`TcpStream::peek`].
    ///
    /// # Errors
    /// Why the connection failed.
    pub async fn peek(&self, into: &mut [u8]) -> io::Result<usize> {
        self.0.peek(into).await
    }
}

impl OwnedWriteHalf {
    /// See [`TcpStream::write_bytes`].
    ///
    /// # Errors
    /// Why the connection failed.
    pub async fn write_bytes(&self, data: Bytes) -> io::Result<()> {
        self.stream.write_bytes(data).await
    }

    /// Drops the half without a FIN.
    pub fn forget(mut self) {
        self.close_on_drop = false;
    }
}

impl AsRef<TcpStream> for OwnedReadHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.0
    }
}

impl AsRef<TcpStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &TcpStream {
        &self.stream
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.close_on_drop {
            self.stream.close_write();
        }
    }
}

impl AsyncRead for OwnedReadHalf {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read_into(task, buf)
    }
}

impl AsyncWrite for OwnedWriteHalf {
    fn poll_write(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_write_from(task, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_write_slices(task, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.close_write();
        Poll::Ready(Ok(()))
    }
}
