//! The kernel in a private network, or any host on a link, as the peer, in real time.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::time;

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
use crate::raw::host::{Kernel as Beside, SETTLING, towards};
use crate::raw::lab::RawLab;
use crate::raw::{Raw, Watchers, is_the_kernels};
use crate::watch::Sight;
use crate::watch::eye::AskPeer;

/// A peer in real time.
pub(in crate::experiment) struct Live {
    raw: Raw,
    ours: IpAddr,
    server: SocketAddr,
    closed: SocketAddr,
    kernel: Option<Peer>,
    /// The kernel of our own host, where its address is used.
    beside: Option<Beside>,
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
        Ok(Self { raw, ours, server, closed, kernel, beside: None, sights, runtime })
    }

    /// A host on a link.
    pub(in crate::experiment) fn remote(
        remote: &Remote<'_>,
        seen: &Seen<'_>,
    ) -> Result<Self, Error> {
        let runtime = runtime()?;
        let entered = runtime.enter();
        let watchers = Watchers { sights: Some(seen.sights), write: seen.write };
        let (server, own) = (remote.socket, remote.address);
        let of_host = own.is_none_or(|own| is_the_kernels(own.address()));
        let (raw, beside, ours) = match remote.link {
            LinkName::Packet(name) if of_host => {
                let (raw, beside, mut all) = Raw::open_as_host(name, remote.gateway, watchers)?;
                if let Some(own) = own {
                    all.insert(0, own.address());
                }
                writeln!(anstream::stderr(), "# {}", beside.announce())?;
                let ours = towards(&all, server.ip());
                let ours = ours.ok_or_else(|| Error::NoAddress(remote.link.clone()))?;
                (raw, Some(beside), ours)
            }
            link => {
                let raw = Raw::open(link, own, remote.gateway, watchers)?;
                (raw, None, own.map_or(server.ip(), |own| own.address()))
            }
        };
        drop(entered);
        let sights = seen.sights.clone();
        Ok(Self { raw, ours, server, closed: server, kernel: None, beside, sights, runtime })
    }

    /// Shows what the kernel of our host has slipped in so far, and says what was held back.
    fn account(&mut self) -> io::Result<()> {
        let Some(beside) = &mut self.beside else { return Ok(()) };
        while let Some(slip) = self.runtime.block_on(beside.last_slip())? {
            self.raw.show_slip(&slip);
        }
        match beside.account()? {
            Some(text) => writeln!(anstream::stderr(), "# {text}"),
            None => Ok(()),
        }
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
        if let Some(beside) = &mut self.beside {
            beside.sending(packet)?;
        }
        self.runtime.block_on(self.raw.send(packet)).map(drop)
    }

    fn lose(&mut self, packet: &[u8]) -> Result<(), Error> {
        let ask = self.kernel.as_mut().map(|peer| &mut peer.ask as &mut dyn AskPeer);
        self.raw.pretend_lost(packet, ask);
        Ok(())
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Came>, Error> {
        let due = self.raw.at(until);
        let slips_in = async |beside: &mut Option<Beside>| match beside {
            Some(beside) => beside.slips_in().await,
            None => std::future::pending().await,
        };
        let came = self.runtime.block_on(async {
            loop {
                tokio::select! {
                    // What our host's kernel sends follows from what came.
                    biased;
                    came = self.raw.receive(due) => return came.map_err(Error::Io),
                    slip = slips_in(&mut self.beside) => {
                        let soon = time::Instant::now() + SETTLING;
                        let came = self.raw.receive(soon.min(due)).await?;
                        self.raw.show_slip(&slip?);
                        if came.is_some() {
                            return Ok(came);
                        }
                    }
                    _ = tokio::signal::ctrl_c() => return Err(Error::Interrupted),
                }
            }
        })?;
        Ok(came.map(|came| (self.raw.since_start(came.at), came.packet().to_vec())))
    }

    fn state(&mut self, ours: &Tuple) -> Result<Option<State>, Error> {
        let Some(peer) = &mut self.kernel else { return Ok(None) };
        Ok(peer.ask.state(ours.remote(), ours.local()))
    }

    fn commands_peer(&self) -> bool {
        self.kernel.is_some()
    }

    fn call(&mut self, to: SocketAddr) -> Result<(), Error> {
        let Some(peer) = &self.kernel else { return Ok(()) };
        peer.lab.peer().spawn(move || -> io::Result<()> {
            let mut stream = TcpStream::connect(to)?;
            stream.read_to_end(&mut Vec::new()).map(drop)
        })?;
        Ok(())
    }

    fn is_real(&self) -> bool {
        true
    }

    fn show(&self, sight: Sight) {
        // A narrator that is gone has no reader any more.
        let _ = self.sights.send(sight);
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.account()?;
        Ok(self.raw.finish()?)
    }
}
