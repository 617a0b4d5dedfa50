//! The stack as a program sees it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use handclasp_device::device::Device;
use handclasp_stack::counters::Counters;
use handclasp_stack::forward::{ForwardConfig, Policy};
use handclasp_stack::host::{Holder, Host, HostConfig};
use handclasp_stack::ip::cidr::Cidr;
use handclasp_stack::ip::route::Route;
use handclasp_stack::listen::Backlog;
use handclasp_stack::secret::Secret;
use handclasp_tcp::config::Config;
use handclasp_tcp::connection::{Info, Readiness};
use handclasp_tcp::event::Log;
use handclasp_tcp::{Budget, State, Tuple};
use tokio::sync::mpsc;

use crate::clock::{Clock, SystemClock};
use crate::core::{Core, Handle, interface};
use crate::driver::Driver;
use crate::error::{bind_error, stack_is_gone};
use crate::forward::Forwarder;
use crate::listener::TcpListener;
use crate::socket::TcpSocket;
use crate::stream::TcpStream;
use crate::surroundings::Surroundings;
use crate::udp::UdpSocket;

/// Settings of a [`Stack`] before it runs.
#[must_use]
pub struct Builder<D> {
    device: D,
    addresses: Vec<Cidr>,
    gateways: Vec<IpAddr>,
    tcp: Config,
    host: HostConfig,
    memory: usize,
    secret: Option<[u8; 32]>,
    clock: Option<Box<dyn Clock>>,
    log: Option<Arc<dyn Log + Send + Sync>>,
}

impl<D: Device + Unpin + 'static> Builder<D> {
    /// Gives the stack an address and the network it is in, as in `"10.0.0.1/24".parse()`.
    pub fn address(mut self, address: Cidr) -> Self {
        self.addresses.push(address);
        self
    }

    /// Sends what is for no network of ours to this router; one per address family.
    pub fn gateway(mut self, router: IpAddr) -> Self {
        self.gateways.push(router);
        self
    }

    /// The settings that connections and listeners start from.
    pub fn tcp(mut self, config: Config) -> Self {
        self.tcp = config;
        self
    }

    /// The settings of the host: limits of its tables, port range, cookies.
    pub fn host(mut self, config: HostConfig) -> Self {
        self.host = config;
        self
    }

    /// The most bytes that the buffers of all connections take together; 1 GiB if not set.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Fixes the secret from which sequence numbers, ports and cookies are made, so that a run
    /// can be repeated. Anyone who knows it can forge segments: for tests only.
    pub fn secret(mut self, secret: [u8; 32]) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Takes the time from `clock` instead of the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Hears every step of every connection.
    pub fn log(mut self, log: Arc<dyn Log + Send + Sync>) -> Self {
        self.log = Some(log);
        self
    }

    /// Starts the stack's driver as a task of the current tokio runtime.
    ///
    /// # Errors
    /// The system gives no randomness.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn(self) -> io::Result<Stack> {
        let secret = match self.secret {
            Some(secret) => secret,
            None => {
                let mut secret = [0; 32];
                getrandom::fill(&mut secret).map_err(io::Error::other)?;
                secret
            }
        };
        let (touched, list) = mpsc::unbounded_channel();
        let surroundings = Arc::new(Surroundings {
            clock: self.clock.unwrap_or_else(|| Box::new(SystemClock::new())),
            budget: Budget::new(self.memory),
            log: self.log,
            touched,
        });
        let interface = interface(&self.device.capabilities());
        let mut host = Host::new(self.host, interface, &Secret::new(secret));
        let now = surroundings.clock.now();
        for address in self.addresses {
            host.add_address(address, now);
        }
        for router in self.gateways {
            host.add_route(Route::default_via(router));
        }
        let core = Arc::new(Core::new(host, surroundings));
        tokio::spawn(Driver::new(self.device, core.clone(), list));
        Ok(Stack { inner: Arc::new(Inner { core: Handle::new(core), tcp: self.tcp }) })
    }
}

/// A TCP/IP stack on a device. Clones are handles on the same stack.
///
/// When the last of them is dropped the stack ends: what can be closed is, in the background,
/// and streams that are still held go on until they are dropped too. [`Stack::shutdown`] ends
/// it by a deadline.
#[derive(Clone, Debug)]
pub struct Stack {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    core: Handle,
    tcp: Config,
}

/// A connection that [`Stack::shutdown`] had to abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aborted {
    /// Its sockets.
    pub tuple: Tuple,
    /// Its state when time was up.
    pub state: State,
}

/// A connection as `ss` would show it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionEntry {
    /// Its sockets.
    pub tuple: Tuple,
    /// Its state.
    pub state: State,
    /// How it fares; `None` for half-open ones and those in TIME-WAIT.
    pub info: Option<Info>,
}

impl Stack {
    /// Settings of a stack on `device`.
    pub fn builder<D: Device + Unpin + 'static>(device: D) -> Builder<D> {
        Builder {
            device,
            addresses: Vec::new(),
            gateways: Vec::new(),
            tcp: Config::default(),
            host: HostConfig::default(),
            memory: 1 << 30,
            secret: None,
            clock: None,
            log: None,
        }
    }

    /// A socket with the stack's settings, to be changed before it connects or listens.
    pub fn socket(&self) -> TcpSocket {
        TcpSocket::new(self.inner.core.clone(), self.inner.tcp.clone())
    }

    /// Opens a connection to `remote`; see [`TcpSocket::connect`].
    ///
    /// # Errors
    /// As [`TcpSocket::connect`].
    pub async fn connect(&self, remote: SocketAddr) -> io::Result<TcpStream> {
        self.socket().connect(remote).await
    }

    /// Takes connections in at `local`, with the usual backlog; an unspecified address stands
    /// for all of the stack's, port 0 for one that the stack chooses.
    ///
    /// # Errors
    /// As [`TcpSocket::listen`].
    pub fn listen(&self, local: SocketAddr) -> io::Result<TcpListener> {
        self.socket().bind(local).listen(Backlog::default())
    }

    /// Binds a UDP socket; port 0 stands for one that the stack chooses.
    ///
    /// # Errors
    /// Another socket has the port (`AddrInUse`), or the address is none of the stack's
    /// (`AddrNotAvailable`).
    pub fn bind_udp(&self, local: SocketAddr) -> io::Result<UdpSocket> {
        let core = self.inner.core.clone();
        let (shared, local) = core
            .with_host(|host, store, _| {
                let id = host.bind_udp(store, local)?;
                Ok((store.socket(id).cloned(), host.bound_to(id).unwrap_or(local)))
            })?
            .map_err(bind_error)?;
        Ok(UdpSocket::new(shared.ok_or_else(stack_is_gone)?, core, local))
    }

    /// Catches whatever peers want to reach, whoever's address it is; one forwarder at a time.
    /// With a policy some of it is decided on at once.
    ///
    /// # Errors
    /// The stack was shut down.
    pub fn forwarder(
        &self,
        config: ForwardConfig,
        policy: Option<Box<dyn Policy>>,
    ) -> io::Result<Forwarder> {
        let core = self.inner.core.clone();
        core.with_host(|host, _, _| host.set_forward(config, policy))?;
        Ok(Forwarder::new(core, self.inner.tcp.clone()))
    }

    /// Adds an address while the stack runs.
    ///
    /// # Errors
    /// The stack was shut down.
    pub fn add_address(&self, address: Cidr) -> io::Result<()> {
        self.inner.core.with_host(|host, _, cx| host.add_address(address, cx.now))
    }

    /// Removes an address while the stack runs; its connections time out unless it comes back.
    /// False if it was not there.
    ///
    /// # Errors
    /// The stack was shut down.
    pub fn remove_address(&self, address: IpAddr) -> io::Result<bool> {
        self.inner.core.with_host(|host, _, _| host.remove_address(address))
    }

    /// Adds a route, in place of one to the same network.
    ///
    /// # Errors
    /// The stack was shut down.
    pub fn add_route(&self, route: Route) -> io::Result<()> {
        self.inner.core.with_host(|host, _, _| host.add_route(route))
    }

    /// What happened, counted under nstat's names.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.inner.core.look(|host, _| *host.counters())
    }

    /// All connections, half-open ones and those in TIME-WAIT included, in no particular
    /// order.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionEntry> {
        self.inner.core.look(|host, store| {
            let entry = |(tuple, holder)| {
                let (state, info) = match holder {
                    Holder::Connection(id) => {
                        let info = store.connection(id)?.look(|c| c.info());
                        (info.state, Some(info))
                    }
                    Holder::HalfOpen => (State::SynReceived, None),
                    Holder::TimeWait => (State::TimeWait, None),
                    Holder::Pending => (State::Listen, None),
                };
                Some(ConnectionEntry { tuple, state, info })
            };
            host.connections().filter_map(entry).collect()
        })
    }

    /// Bytes that the buffers of all connections hold now.
    #[must_use]
    pub fn memory_used(&self) -> usize {
        self.inner.core.surroundings.budget.used()
    }

    /// Ends the stack: sends what was written and a FIN on every connection, waits for the
    /// peers' acknowledgments until `deadline` has passed, aborts what is left, and stops.
    /// Returns what it had to abort. A dropped call leaves the stack running.
    pub async fn shutdown(self, deadline: Duration) -> Vec<Aborted> {
        let core = &self.inner.core;
        let connections: Vec<_> = core.look(|_, store| store.connections().cloned().collect());
        for shared in &connections {
            shared.act(|connection, cx| connection.shutdown(cx));
            shared.tell_driver();
        }
        let all = async {
            for shared in &connections {
                shared.until(Readiness::FLUSHED | Readiness::OVER).await;
            }
        };
        let mut aborted = Vec::new();
        if tokio::time::timeout(deadline, all).await.is_err() {
            for shared in &connections {
                let done = Readiness::FLUSHED | Readiness::OVER;
                let (tuple, state, ready) = shared.look(|c| (*c.tuple(), c.state(), c.readiness()));
                if !ready.intersects(done) {
                    aborted.push(Aborted { tuple, state });
                    shared.act(|connection, cx| connection.abort(cx));
                    shared.tell_driver();
                }
            }
        }
        core.stop();
        core.ended().await;
        aborted
    }
}
