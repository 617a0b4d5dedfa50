//! The kernel in a private network, or any host on a link, as the peer, in real time.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc::SyncSender;

use handclasp::Cidr;
use handclasp::tcp::{State, Tuple};
use handclasp::wire::time::Instant;
use handclasp_lab::lab::Lab;
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};
use tokio::runtime::Runtime;

use super::{CLOSED, Came, SERVER, Service, Stage};
use crate::error::Error;
use crate::experiment::args::Sysctl;
use crate::lab::PAGE;
use crate::lab::args::LabLink;
use crate::lab::live::network::Kernel;
use crate::link::LinkName;
use crate::raw::lab::RawLab;
use crate::raw::{Raw, Watchers};
use crate::watch::Sight;
use crate::watch::eye::AskPeer;

/// A peer in real time.
pub(in crate::experiment) struct Live {
    raw: Raw,
    ours: IpAddr,
    server: SocketAddr,
    closed: SocketAddr,
    kernel: Option<Peer>,
    sights: SyncSender<Sight>,
    // Behind what lives in it.
    runtime: Runtime,
}

/// The kernel's end of a private network.
struct Peer {
    ask: Kernel,
    lab: Lab,
    _server: Server,
}

/// Who sees the packets, and how the file is called that they are written to.
pub(in crate::experiment) struct Seen<'a> {
    pub(in crate::experiment) sights: &'a SyncSender<Sight>,
    pub(in crate::experiment) write: Option<&'a Path>,
}

/// A host on a link.
pub(in crate::experiment) struct Remote<'a> {
    pub(in crate::experiment) link: &'a LinkName,
    pub(in crate::experiment) address: Option<Cidr>,
    pub(in crate::experiment) gateway: Option<IpAddr>,
    pub(in crate::experiment) socket: SocketAddr,
}

impl Live {
    /// The kernel, with these parameters. This thread is in a namespace of its own.
    pub(in crate::experiment) fn kernel(
        service: Service,
        sysctls: &[Sysctl],
        seen: &Seen<'_>,
    ) -> Result<Self, Error> {
        let runtime = runtime()?;
        let net = {
            let _entered = runtime.enter();
            let watchers = Watchers { sights: Some(seen.sights), write: seen.write };
            RawLab::new(LabLink::Packet, watchers)?
        };
        let RawLab { lab, raw } = net;
        for Sysctl { name, value } in sysctls {
            lab.set_sysctl(name, value)?;
        }
        let peer = lab.peer_address(false);
        let (server, closed) = (SocketAddr::new(peer, SERVER), SocketAddr::new(peer, CLOSED));
        let options = ListenOptions::default();
        let listening = match service {
            Service::Page | Service::FastOpen | Service::SmallQueue => {
                Server::start(lab.peer(), server, &options, serve::http(PAGE))?
            }
            Service::KeepAlive => Server::start(lab.peer(), server, &options, serve::keep_alive)?,
        };
        let ours = lab.our_address(false);
        let kernel = Peer { ask: Kernel(lab.sock_diag()?), lab, _server: listening };
        let (kernel, sights) = (Some(kernel), seen.sights.clone());
        Ok(Self { raw, ours, server, closed, kernel, sights, runtime })
    }

    /// A host on a link.
    pub(in crate::experiment) fn remote(
        remote: &Remote<'_>,
        seen: &Seen<'_>,
    ) -> Result<Self, Error> {
        let runtime = runtime()?;
        let raw = {
            let _entered = runtime.enter();
            let watchers = Watchers { sights: Some(seen.sights), write: seen.write };
            Raw::open(remote.link, remote.address, remote.gateway, watchers)?
        };
        let ours = remote.address.map_or(remote.socket.ip(), |own| own.address());
        let (server, sights) = (remote.socket, seen.sights.clone());
        Ok(Self { raw, ours, server, closed: server, kernel: None, sights, runtime })
    }
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

impl Stage for Live {
    fn now(&self) -> Instant {
        self.raw.now()
    }

    fn ours(&self) -> IpAddr {
        self.ours
    }

    fn server(&self) -> SocketAddr {
        self.server
    }

    fn closed(&self) -> SocketAddr {
        self.closed
    }

    fn send(&mut self, packet: &[u8]) -> Result<(), Error> {
        self.runtime.block_on(self.raw.send(packet)).map(drop)
    }

    fn lose(&mut self, packet: &[u8]) -> Result<(), Error> {
        let ask = self.kernel.as_mut().map(|peer| &mut peer.ask as &mut dyn AskPeer);
        self.raw.pretend_lost(packet, ask);
        Ok(())
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Came>, Error> {
        let due = self.raw.at(until);
        let came = self.runtime.block_on(async {
            tokio::select! {
                biased;
                came = self.raw.receive(due) => came.map_err(Error::Io),
                _ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
            }
        })?;
        Ok(came.map(|came| (self.raw.since_start(came.at), came.packet().to_vec())))
    }

    fn state(&mut self, ours: &Tuple) -> Result<Option<State>, Error> {
        let Some(peer) = &mut self.kernel else { return Ok(None) };
        Ok(peer.ask.state(ours.remote(), ours.local()))
    }

    fn call(&mut self, to: SocketAddr) -> Result<bool, Error> {
        let Some(peer) = &self.kernel else { return Ok(false) };
        peer.lab.peer().spawn(move || -> io::Result<()> {
            let mut stream = TcpStream::connect(to)?;
            stream.read_to_end(&mut Vec::new()).map(drop)
        })?;
        Ok(true)
    }

    fn is_real(&self) -> bool {
        true
    }

    fn show(&self, sight: Sight) {
        // A narrator that is gone has no reader any more.
        let _ = self.sights.send(sight);
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(self.raw.finish()?)
    }
}
