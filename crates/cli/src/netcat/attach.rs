//! A stack on the link that the user named, and somebody who watches it.

use std::fs::File;
use std::io::{self, Write};
use std::net::{self, IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use handclasp::device::device::Device;
use handclasp::device::packet::PacketSocket;
use handclasp::device::record::Recorder;
use handclasp::device::tap::Tapped;
use handclasp::device::tun::Tun;
use handclasp::tcp::Config;
use handclasp::tcp::State;
use handclasp::{Cidr, Stack, TcpStream};
use handclasp_explain::catalogue::{Cast, Message};
use handclasp_explain::ladder::View;
use handclasp_explain::track::{Both, Flow, Side};
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};
use indicatif::ProgressBar;

use super::args::LinkArgs;
use crate::error::Error;
use crate::lab::PAGE;
use crate::lab::args::LabLink;
use crate::lab::live::network::{Network, Wanted, record};
use crate::language::language;
use crate::link::LinkName;
use crate::watch::Sight;
use crate::watch::eye::{BACKLOG, Ear, Eye, Near};
use crate::watch::narrator::Narrator;
use crate::watch::pairing::Pairing;
use crate::watch::tell::{Drawing, screen_width};

use super::call::Call;

/// How long the connection may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Ports of the servers in the lab: a page and an echo.
const PORTS: [u16; 2] = [80, 7];

type Picture = Option<Drawing<Box<dyn Write + Send>>>;
type Told = io::Result<(Picture, Vec<Flow>)>;

/// A stack that is being watched.
pub(super) struct Attached {
    on: On,
    sights: SyncSender<Sight>,
    narrator: JoinHandle<Told>,
}

/// What the stack is on.
enum On {
    Lab { network: Network, _servers: Vec<Server> },
    Link { stack: Stack, address: Cidr, recorder: Option<Recorder<File>> },
}

impl Attached {
    pub(super) fn new(args: &LinkArgs, call: Call) -> Result<Self, Error> {
        let (sights, heard) = sync_channel(BACKLOG);
        let on = match &args.link {
            LinkName::Lab => lab(args, call, &sights)?,
            name => link(args, name, &sights)?,
        };
        let drawing = args.verbose.then(|| draw(args, call)).transpose()?;
        let pairing = match args.link {
            LinkName::Lab => Pairing::two_sided(Duration::ZERO),
            LinkName::Tun(_) | LinkName::Packet(_) => Pairing::one_sided(),
        };
        let before = match call {
            Call::To(_) => Both { client: Some(State::Closed), server: None },
            Call::At(_) => Both { client: None, server: Some(State::Listen) },
        };
        let narrator = Narrator::new(drawing, pairing, before);
        let narrator = thread::spawn(move || narrator.run(&heard));
        Ok(Self { on, sights, narrator })
    }

    pub(super) fn stack(&self) -> &Stack {
        match &self.on {
            On::Lab { network, .. } => &network.stack,
            On::Link { stack, .. } => stack,
        }
    }

    /// The connection, once it is there.
    pub(super) async fn answer(&self, call: Call) -> io::Result<TcpStream> {
        let (port, like) = match (call, &self.on) {
            (Call::To(server), _) => return self.stack().connect(server).await,
            (Call::At(port), On::Lab { network, .. }) => (port, network.lab.our_address(false)),
            (Call::At(port), On::Link { address, .. }) => (port, address.address()),
        };
        let any: IpAddr = if like.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
        let listener = self.stack().listen(SocketAddr::new(any, port))?;
        if let On::Lab { network, .. } = &self.on {
            let server = SocketAddr::new(like, port);
            network.lab.peer().spawn(move || greet(server))?;
        }
        Ok(listener.accept().await?.0)
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
        tcp: Config::default(),
    };
    let network = Network::new(&wanted, sights)?;
    let (peer, options) = (network.lab.peer(), ListenOptions::default());
    let mut servers = Vec::new();
    if let Call::To(server) = call {
        let ip = network.lab.peer_address(server.is_ipv6());
        let [page, echo] = PORTS.map(|port| SocketAddr::new(ip, port));
        servers.push(Server::start(peer, page, &options, serve::http(PAGE))?);
        servers.push(Server::start(peer, echo, &options, serve::echo)?);
    }
    Ok(On::Lab { network, _servers: servers })
}

/// The kernel's end connects, says the page, closes its direction and reads on.
fn greet(server: SocketAddr) -> io::Result<()> {
    let mut stream = net::TcpStream::connect(server)?;
    stream.write_all(PAGE.as_bytes())?;
    stream.shutdown(net::Shutdown::Write)?;
    io::copy(&mut stream, &mut io::sink()).map(drop)
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
    Ok(On::Link { stack: builder.spawn()?, address, recorder })
}

/// A ladder on standard error.
fn draw(args: &LinkArgs, call: Call) -> Result<Drawing<Box<dyn Write + Send>>, Error> {
    let in_lab = args.link == LinkName::Lab;
    let left = if call.ours_is_server() { Side::Server } else { Side::Client };
    let other = if in_lab { Message::KernelHeading } else { Message::PeerHeading };
    let view = View {
        left,
        names: ["handclasp".into(), language().say(&Cast::default(), &other)],
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
