//! A stack on the link that the user named, and somebody who watches it.

use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use handclasp::Stack;
use handclasp::device::device::Device;
use handclasp::device::packet::PacketSocket;
use handclasp::device::record::Recorder;
use handclasp::device::tap::Tapped;
use handclasp::device::tun::Tun;
use handclasp_explain::catalogue::Cast;
use handclasp_explain::ladder::View;
use handclasp_explain::track::{Both, Flow, Side};
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};
use indicatif::ProgressBar;

use crate::args::{LabLink, LinkArgs};
use crate::error::Error;
use crate::lab::PAGE;
use crate::lab::network::{Network, Wanted, record};
use crate::link::LinkName;
use crate::watch::Sight;
use crate::watch::eye::{BACKLOG, Ear, Eye, Near};
use crate::watch::narrator::Narrator;
use crate::watch::pairing::Pairing;
use crate::watch::tell::{Drawing, screen_width};

use super::Call;

/// How long the connection may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Ports of the servers in the lab: a page and an echo.
const PORTS: [u16; 2] = [80, 7];

type Picture = Option<Drawing<Box<dyn Write + Send>>>;
type Told = std::io::Result<(Picture, Vec<Flow>)>;

/// A stack that is being watched.
pub(super) struct Attached {
    on: On,
    sights: SyncSender<Sight>,
    narrator: JoinHandle<Told>,
}

/// What the stack is on.
enum On {
    Lab { network: Network, _servers: Vec<Server> },
    Link { stack: Stack, recorder: Option<Recorder<File>> },
}

impl Attached {
    pub(super) fn new(args: &LinkArgs, call: Call) -> Result<Self, Error> {
        let (sights, heard) = sync_channel(BACKLOG);
        let on = match &args.link {
            LinkName::Lab => lab(args, call, &sights)?,
            name => link(args, name, &sights)?,
        };
        let drawing = args.verbose.then(|| draw(args, call)).transpose()?;
        let pairing = Pairing::new(args.link == LinkName::Lab);
        let narrator = Narrator::new(drawing, pairing, Both::default());
        let narrator = thread::spawn(move || narrator.run(&heard));
        Ok(Self { on, sights, narrator })
    }

    pub(super) fn stack(&self) -> &Stack {
        match &self.on {
            On::Lab { network, .. } => &network.stack,
            On::Link { stack, .. } => stack,
        }
    }

    /// Closes what is open, and hands over what was seen.
    pub(super) async fn end(self) -> Result<(Picture, Vec<Flow>), Error> {
        self.stack().clone().shutdown(CLOSING).await;
        match self.on {
            On::Lab { mut network, .. } => network.finish_recording()?,
            On::Link { recorder, .. } => drop(recorder.map(Recorder::finish).transpose()?),
        }
        // A narrator that failed tells why itself.
        let _ = self.sights.send(Sight::End);
        match self.narrator.join() {
            Ok(told) => Ok(told?),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn lab(args: &LinkArgs, call: Call, sights: &SyncSender<Sight>) -> Result<On, Error> {
    let wanted = Wanted {
        link: LabLink::Packet,
        ours_is_server: call.ours_is_server(),
        whims: None,
        seed: crate::lab::seed(),
        write: args.write.as_deref(),
    };
    let network = Network::new(&wanted, sights)?;
    let (peer, options) = (network.lab.peer(), ListenOptions::default());
    let mut servers = Vec::new();
    match call {
        Call::To(server) => {
            let [page, echo] = PORTS.map(|port| SocketAddr::new(server.ip(), port));
            let ip = network.lab.peer_address(server.is_ipv6());
            if server.ip() == ip {
                servers.push(Server::start(peer, page, &options, serve::http(PAGE))?);
                servers.push(Server::start(peer, echo, &options, serve::echo)?);
            }
        }
        Call::At(port) => {
            let server = SocketAddr::new(network.lab.our_address(false), port);
            peer.spawn(move || greet(server))?;
        }
    }
    Ok(On::Lab { network, _servers: servers })
}

/// The kernel's end connects, says the page, closes its direction and reads on.
fn greet(server: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(PAGE.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
}

fn link(args: &LinkArgs, name: &LinkName, sights: &SyncSender<Sight>) -> Result<On, Error> {
    let address = args.address.ok_or_else(|| Error::NoAddress(name.clone()))?;
    let device: Box<dyn Device> = match name {
        LinkName::Tun(name) => Box::new(Tun::builder().name(name).open()?),
        LinkName::Packet(name) => Box::new(PacketSocket::builder(name).open()?),
        LinkName::Lab => return Err(Error::NoAddress(name.clone())),
    };
    let medium = device.capabilities().medium;
    let recorder = match &args.write {
        Some(path) => Some(record(path, medium)?),
        None => None,
    };
    let near = Near(Eye::new(sights.clone(), medium));
    let device = Tapped::new(device, (near, recorder.clone()));
    let log = Arc::new(Ear(sights.clone()));
    let mut builder = Stack::builder(device).address(address).log(log);
    if let Some(gateway) = args.gateway {
        builder = builder.gateway(gateway);
    }
    Ok(On::Link { stack: builder.spawn()?, recorder })
}

/// A ladder on standard error.
fn draw(args: &LinkArgs, call: Call) -> Result<Drawing<Box<dyn Write + Send>>, Error> {
    let in_lab = args.link == LinkName::Lab;
    let left = if call.ours_is_server() { Side::Server } else { Side::Client };
    let view = View {
        left,
        names: ["handclasp".into(), if in_lab { "kernel" } else { "peer" }.into()],
        marked: [false, in_lab],
        absolute: args.absolute,
        width: screen_width(),
        fold_after: Some(60),
        cast: Cast { ours: Some(left) },
    };
    let mut drawing = Drawing::new(Box::new(anstream::stderr()) as _, view, ProgressBar::hidden());
    drawing.ladder().headings()?;
    Ok(drawing)
}
