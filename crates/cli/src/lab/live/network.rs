//! The private network: our stack at one end, the kernel at the other, and eyes on the link.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::SyncSender;

use handclasp::device::device::Device;
use handclasp::device::impaired::Impaired;
use handclasp::device::packet::PacketSocket;
use handclasp::device::record::Recorder;
use handclasp::device::tap::Tapped;
use handclasp::device::tun::Tun;
use handclasp::tcp::Config;
use handclasp::tcp::State;
use handclasp::wire::ethernet::MacAddr;
use handclasp::{Cidr, Stack};
use handclasp_lab::lab::{
    IPV4_PREFIX, IPV6_PREFIX, Lab, LabConfig, OUR_HARDWARE_ADDRESS, OUR_INTERFACE, PEER_INTERFACE,
};
use handclasp_lab::sock_diag::{self, SockDiag};

use crate::error::Error;
use crate::lab::args::LabLink;
use crate::watch::Sight;
use crate::watch::eye::{AskPeer, Ear, Eye, Far, Grave, Near};

use crate::lab::plan::Whims;

/// A private network that is being watched.
pub(crate) struct Network {
    pub(crate) lab: Lab,
    pub(crate) stack: Stack,
    recorder: Option<Recorder<File>>,
}

/// What a network is to be like.
pub(crate) struct Wanted<'a> {
    pub(crate) link: LabLink,
    /// Whether the server's address is ours.
    pub(crate) ours_is_server: bool,
    pub(crate) whims: Option<&'a Whims>,
    pub(crate) seed: u64,
    pub(crate) write: Option<&'a Path>,
    /// What our end's connections start from.
    pub(crate) tcp: Config,
}

impl Network {
    /// Makes the network. This thread is in a namespace of its own and in a tokio runtime.
    pub(crate) fn new(wanted: &Wanted<'_>, sights: &SyncSender<Sight>) -> Result<Self, Error> {
        let mut config = LabConfig::default();
        config.swapped = wanted.ours_is_server;
        let (lab, device) = match wanted.link {
            LabLink::Packet => packet_lab(&config)?,
            LabLink::Tun => tun_lab(&config)?,
        };
        let medium = device.capabilities().medium;
        let recorder = match wanted.write {
            Some(path) => Some(record(path, medium)?),
            None => None,
        };
        let eye = Eye::new(sights.clone(), medium);
        let kernel = Box::new(Kernel(lab.sock_diag()?));
        let far = Tapped::new(device, Far::new(eye.clone(), kernel));
        let link: Box<dyn Device> = match wanted.whims {
            None => Box::new(far),
            Some(Whims { outgoing, incoming }) => {
                let (outgoing, incoming) = (outgoing.clone(), incoming.clone());
                let link = Impaired::new(far, outgoing, incoming, wanted.seed)?;
                let kernel = Box::new(Kernel(lab.sock_diag()?));
                Box::new(link.show_lost(Grave::new(eye.clone(), kernel)))
            }
        };
        let near = Tapped::new(link, (Near(eye), recorder.clone()));
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&wanted.seed.to_le_bytes());
        let mut builder =
            Stack::builder(near).secret(secret).log(std::sync::Arc::new(Ear(sights.clone())));
        builder = builder.tcp(wanted.tcp.clone());
        for (ipv6, prefix) in [(false, IPV4_PREFIX), (true, IPV6_PREFIX)] {
            builder = builder.address(Cidr::new(lab.our_address(ipv6), prefix).expect("a prefix"));
        }
        let stack = builder.spawn()?;
        Ok(Self { lab, stack, recorder })
    }

    /// Where the server is, whoever plays it.
    pub(crate) fn server(&self, ours: bool, ipv6: bool, port: u16) -> SocketAddr {
        let ip = if ours { self.lab.our_address(ipv6) } else { self.lab.peer_address(ipv6) };
        SocketAddr::new(ip, port)
    }

    /// Somebody to ask for the kernel's sockets.
    pub(crate) fn ask(&self) -> Result<Kernel, Error> {
        Ok(Kernel(self.lab.sock_diag()?))
    }

    /// Ends the recording, and says how many packets are in it.
    pub(crate) fn finish_recording(&mut self) -> io::Result<()> {
        self.recorder.take().map_or(Ok(0), Recorder::finish).map(drop)
    }
}

/// A lab on a cable, and our end of it.
pub(crate) fn packet_lab(config: &LabConfig) -> Result<(Lab, Box<dyn Device>), Error> {
    // `try --all` makes one network behind the other.
    Lab::clear()?;
    let lab = Lab::veth(config)?;
    let address = MacAddr(OUR_HARDWARE_ADDRESS);
    let socket = PacketSocket::builder(OUR_INTERFACE).hardware_address(address).open()?;
    Ok((lab, Box::new(socket)))
}

/// A lab on a TUN interface, and our end of it.
pub(crate) fn tun_lab(config: &LabConfig) -> Result<(Lab, Box<dyn Device>), Error> {
    let lab = Lab::tun(config)?;
    let runtime = tokio::runtime::Handle::current();
    let tun = lab.peer().run(|| {
        let _guard = runtime.enter();
        Tun::builder().name(PEER_INTERFACE).open()
    })??;
    lab.configure_tun()?;
    Ok((lab, Box::new(tun)))
}

/// A recording into a new file.
pub(crate) fn record(
    path: &Path,
    medium: handclasp::wire::frame::Medium,
) -> Result<Recorder<File>, Error> {
    let start = || Recorder::new(File::create(path)?, medium, "handclasp");
    start().map_err(|e| Error::Write(path.into(), e))
}

/// Asks the kernel for its sockets.
pub(crate) struct Kernel(pub(crate) SockDiag);

impl AskPeer for Kernel {
    fn state(&mut self, peer: SocketAddr, ours: SocketAddr) -> Option<State> {
        self.0.state(peer, ours).ok().map(state)
    }
}

fn state(state: sock_diag::State) -> State {
    match state {
        sock_diag::State::Closed => State::Closed,
        sock_diag::State::Listen => State::Listen,
        sock_diag::State::SynSent => State::SynSent,
        sock_diag::State::SynReceived => State::SynReceived,
        sock_diag::State::Established => State::Established,
        sock_diag::State::FinWait1 => State::FinWait1,
        sock_diag::State::FinWait2 => State::FinWait2,
        sock_diag::State::CloseWait => State::CloseWait,
        sock_diag::State::Closing => State::Closing,
        sock_diag::State::LastAck => State::LastAck,
        sock_diag::State::TimeWait => State::TimeWait,
    }
}
