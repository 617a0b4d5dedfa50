//! Settings before a connection or listener is made.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_stack::listen::Backlog;
use handclasp_stack::open::ConnectError;
use handclasp_stack::{ConnId, Host};
use handclasp_tcp::config::{Algorithm, KeepAlive};
use handclasp_tcp::connection::Readiness;
use handclasp_tcp::{Config, Context};

use crate::connection::{Place, Shared};
use crate::core::Handle;
use crate::error::{connect_error, io_error, listen_error};
use crate::listener::TcpListener;
use crate::store::FaceStore;
use crate::stream::TcpStream;

/// A TCP socket that is not connected yet: where settings are made that the handshake needs.
///
/// ```no_run
/// # async fn f(stack: handclasp::Stack) -> std::io::Result<()> {
/// let stream = stack
///     .socket()
///     .nodelay(true)
///     .bind("10.0.0.1:5000".parse().unwrap())
///     .connect("10.0.0.2:80".parse().unwrap())
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TcpSocket {
    core: Handle,
    config: Config,
    local: Option<SocketAddr>,
}

impl TcpSocket {
    pub(crate) fn new(core: Handle, config: Config) -> Self {
        Self { core, config, local: None }
    }

    /// Connects from, or listens on, this address and port; port 0 chooses one.
    pub fn bind(mut self, local: SocketAddr) -> Self {
        self.local = Some(local);
        self
    }

    /// Sends small segments at once instead of by Nagle's rule.
    pub fn nodelay(mut self, on: bool) -> Self {
        self.config.nodelay = on;
        self
    }

    /// Probes the peer when the connection is idle.
    pub fn keepalive(mut self, keep_alive: KeepAlive) -> Self {
        self.config.keep_alive = Some(keep_alive);
        self
    }

    /// Chooses the congestion controller.
    pub fn congestion(mut self, algorithm: Algorithm) -> Self {
        self.config.congestion = algorithm;
        self
    }

    /// Ends the connection when sent data stays unacknowledged for so long.
    pub fn user_timeout(mut self, timeout: Duration) -> Self {
        self.config.user_timeout = Some(timeout);
        self
    }

    /// Changes any other setting.
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Opens a connection to `remote`. Cancel safe: a dropped call ends the attempt and frees
    /// its port.
    ///
    /// # Errors
    /// The peer refused (`ConnectionRefused`), did not answer (`TimedOut`) or cannot be
    /// reached (`HostUnreachable`, `NetworkUnreachable`); the address or port cannot be used
    /// (`AddrNotAvailable`, `AddrInUse`, `InvalidInput`).
    pub async fn connect(self, remote: SocketAddr) -> io::Result<TcpStream> {
        let Self { core, config, local } = self;
        let attempt = Attempt::new(&core, |host, store, cx| {
            host.connect(store, cx, Arc::new(config), local, remote)
        })?;
        attempt.opened().await
    }

    /// Opens a connection to `remote` with Fast Open (RFC 7413) and sends it `first`: with the
    /// SYN, from the second time on that a server which takes it is opened to, and so a round
    /// trip earlier. Where the server, or the path, does not take it, it follows the handshake.
    ///
    /// The server's application may get `first` twice, if the network duplicates the SYN: use
    /// it for requests that may be repeated (§6.1).
    ///
    /// Cancel safe: a dropped call ends the attempt and frees its port; how much of `first` the
    /// peer got is not known then.
    ///
    /// # Errors
    /// As [`TcpSocket::connect`], and those of writing to the stream.
    pub async fn connect_with(
        self,
        remote: SocketAddr,
        first: impl Into<Bytes>,
    ) -> io::Result<TcpStream> {
        let Self { core, config, local } = self;
        let mut first = first.into();
        let attempt = Attempt::new(&core, |host, store, cx| {
            host.connect_fast(store, cx, Arc::new(config), local, remote, &mut first)
        })?;
        let stream = attempt.opened().await?;
        if !first.is_empty() {
            stream.write_bytes(first).await?;
        }
        Ok(stream)
    }

    /// Takes connections in, at the bound address.
    ///
    /// # Errors
    /// Another listener has the port (`AddrInUse`), or the address is none of the stack's
    /// (`AddrNotAvailable`).
    pub fn listen(self, backlog: Backlog) -> io::Result<TcpListener> {
        let Self { core, config, local } = self;
        let local = local.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "bind the socket before listening")
        })?;
        let (id, local) = core
            .with_host(|host, _, _| {
                let id = host.listen(local, backlog, Arc::new(config))?;
                Ok((id, host.listening_at(id).unwrap_or(local)))
            })?
            .map_err(listen_error)?;
        Ok(TcpListener::new(id, local, core))
    }
}

/// A connection on its way; dropped before it is there, it is aborted.
struct Attempt(Option<Arc<Shared>>);

impl Attempt {
    fn new(
        core: &Handle,
        begin: impl FnOnce(&mut Host, &mut FaceStore, &Context<'_>) -> Result<ConnId, ConnectError>,
    ) -> io::Result<Self> {
        let shared = core
            .with_host(|host, store, cx| {
                let id = begin(host, store, cx)?;
                Ok(store.connection(id).cloned())
            })?
            .map_err(connect_error)?
            .ok_or_else(crate::error::stack_is_gone)?;
        Ok(Self(Some(shared)))
    }

    async fn opened(mut self) -> io::Result<TcpStream> {
        let Some(shared) = &self.0 else { return Err(crate::error::stack_is_gone()) };
        let result = poll_fn(|task| {
            let interest = Readiness::CONNECTED;
            shared.poll_act(task, Place::Other, interest, |c, _| {
                c.readiness().contains(interest).then(|| c.error())
            })
        })
        .await;
        match (result, self.0.take()) {
            // An error after the handshake belongs to the stream's reads and writes; one
            // before it leaves nothing to hand out.
            (Some(error), Some(shared)) if !shared.look(|c| c.was_open()) => {
                // The entry is the driver's to let go of.
                shared.act(|c, cx| c.close(cx));
                shared.tell_driver();
                Err(io_error(error))
            }
            (_, Some(shared)) => Ok(TcpStream::new(shared)),
            (_, None) => Err(crate::error::stack_is_gone()),
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            shared.act(|c, cx| c.abort(cx));
            shared.tell_driver();
        }
    }
}
