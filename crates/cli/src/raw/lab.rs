//! The private network, with us by hand at one end of it.

use std::net::SocketAddr;

use handclasp::Cidr;
use handclasp::device::tap::Tapped;
use handclasp_lab::lab::{IPV4_PREFIX, IPV6_PREFIX, Lab, LabConfig};
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};

use super::{Raw, Watchers};
use crate::error::Error;
use crate::lab::PAGE;
use crate::lab::args::LabLink;
use crate::lab::live::network::{Kernel, packet_lab, tun_lab};
use crate::watch::eye::{Eye, Far};

/// A private network: the kernel at its end, and nobody but us at ours.
pub(crate) struct RawLab {
    pub(crate) lab: Lab,
    pub(crate) raw: Raw,
}

impl RawLab {
    /// Makes the network. This thread is in a namespace of its own
    /// ([`enter`](handclasp_lab::enter::enter)) and in a tokio runtime.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn new(link: LabLink, watchers: Watchers<'_>) -> Result<Self, Error> {
        let config = LabConfig::default();
        let (lab, device) = match link {
            LabLink::Packet => packet_lab(&config)?,
            LabLink::Tun => tun_lab(&config)?,
        };
        let eye =
            watchers.sights.map(|sights| Eye::new(sights.clone(), device.capabilities().medium));
        let far = match &eye {
            Some(eye) => Some(Far::new(eye.clone(), Box::new(Kernel(lab.sock_diag()?)))),
            None => None,
        };
        let own = [(false, IPV4_PREFIX), (true, IPV6_PREFIX)]
            .map(|(ipv6, bits)| Cidr::new(lab.our_address(ipv6), bits));
        let own: Vec<_> = own.into_iter().flatten().collect();
        let raw = Raw::new(Tapped::new(device, far), &own, None, eye, watchers.write)?;
        Ok(Self { lab, raw })
    }

    /// A web server of the kernel's, at port 80 of its address.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub(crate) fn web_server(&self, ipv6: bool) -> Result<Server, Error> {
        let address = SocketAddr::new(self.lab.peer_address(ipv6), 80);
        let options = ListenOptions::default();
        Ok(Server::start(self.lab.peer(), address, &options, serve::http(PAGE))?)
    }
}
