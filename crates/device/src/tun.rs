//! TUN interfaces: IP packets to and from the kernel.
//!
//! A TUN interface looks to the kernel like a link with one neighbour, which is whoever reads
//! the file descriptor. With the virtio-net header, which is the default, the kernel hands over
//! TCP segments of up to 64 KB and takes such ones, both with unfinished checksums: a write
//! costs about as much whatever its size, so this is what makes it fast.
//!
//! The interface is made if there is none of its name, which needs `CAP_NET_ADMIN`; one that an
//! administrator made for this user (`ip tuntap add mode tun user NAME`) does not. Addresses,
//! routes and "up" are the administrator's: nothing in here sets them.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use handclasp_wire::frame::{Inbound, Medium, Outbound};
use rustix::fs::{Mode, OFlags};

use crate::device::{Capabilities, Device};
use crate::framed::Framed;
use crate::interface::{Interface, PRIVILEGE_HINT, explained};
use crate::{sys, vnet};

const CLONE_DEVICE: &str = "/dev/net/tun";

/// How to open a TUN interface.
#[derive(Clone, Debug)]
pub struct TunBuilder {
    name: String,
    vnet_header: bool,
    multi_queue: bool,
}

impl TunBuilder {
    /// The interface's name, 1 to 15 bytes; by default the kernel takes the next free `tunN`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Whether packets carry the virtio-net header, and with it unfinished checksums and large
    /// segments. On by default; without it every packet is complete and of the MTU at most.
    #[must_use]
    pub fn vnet_header(mut self, on: bool) -> Self {
        self.vnet_header = on;
        self
    }

    /// Opens the interface with one queue.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without `CAP_NET_ADMIN`, `NotFound` where the machine has no
    /// `/dev/net/tun`, `ResourceBusy` if another program has the interface, `InvalidInput` for
    /// a name that cannot be one. The text says what to do.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O driver enabled.
    pub fn open(mut self) -> io::Result<Tun> {
        self.multi_queue = false;
        self.open_queue()
    }

    /// Opens the interface with several queues, each of which is a device of its own.
    ///
    /// The kernel keeps a flow on a queue as long as it remembers it, and all queues must be
    /// read: it does not wait for a slow one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); also `InvalidInput` for no queue at all or more than the kernel
    /// has.
    ///
    /// # Panics
    ///
    /// As [`open`](Self::open).
    pub fn open_queues(mut self, queues: usize) -> io::Result<Vec<Tun>> {
        if queues == 0 {
            let text = "a TUN interface has at least one queue";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        self.multi_queue = true;
        let mut opened = Vec::with_capacity(queues);
        for _ in 0..queues {
            let queue = self.open_queue()?;
            self.name.clone_from(&queue.name);
            opened.push(queue);
        }
        Ok(opened)
    }

    fn open_queue(&self) -> io::Result<Tun> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(CLONE_DEVICE, flags, Mode::empty())
            .map_err(|e| explain_open(e.into()))?;
        let mut flags = libc::IFF_TUN | libc::IFF_NO_PI;
        if self.vnet_header {
            flags |= libc::IFF_VNET_HDR;
        }
        if self.multi_queue {
            flags |= libc::IFF_MULTI_QUEUE;
        }
        let name =
            sys::tun_attach(&fd, &self.name, flags).map_err(|e| explain_attach(e, &self.name))?;
        if self.vnet_header {
            sys::tun_set_header_len(&fd, vnet::LEN as libc::c_int)?;
            sys::tun_set_offload(&fd, libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6)
                .map_err(|e| explained(e, format_args!("{name} cannot offload")))?;
        }
        let interface = Interface::by_name(&name)?;
        let framed = Framed::new(fd, Medium::Ip, self.vnet_header)?;
        let mtu = Mtu::Followed(interface);
        Ok(Tun { name, framed, vnet_header: self.vnet_header, mtu })
    }
}

/// What [`Tun::from_fd`] cannot find out by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdOptions {
    /// Bytes of the largest IP packet.
    pub mtu: usize,
    /// Whether each packet has a virtio-net header of ten bytes before it, and the interface
    /// was told (`TUNSETOFFLOAD`) that its reader takes unfinished checksums and large TCP
    /// segments.
    pub vnet_header: bool,
}

#[derive(Debug)]
enum Mtu {
    Followed(Interface),
    Told(usize),
}

/// One queue of a TUN interface.
#[derive(Debug)]
pub struct Tun {
    name: String,
    framed: Framed,
    vnet_header: bool,
    mtu: Mtu,
}

impl Tun {
    /// How to open an interface.
    #[must_use]
    pub fn builder() -> TunBuilder {
        TunBuilder { name: String::new(), vnet_header: true, multi_queue: false }
    }

    /// A descriptor that somebody else opened: a VPN service, a more privileged parent.
    ///
    /// Each read must give an IP packet and each write take one, without the four bytes of
    /// packet information that an interface has by default (`IFF_NO_PI`). That the interface
    /// was removed is only noticed by sending.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is an interface's and that is not as `options` say. Others if the
    /// descriptor cannot be made nonblocking, or cannot be polled.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O driver enabled.
    pub fn from_fd(fd: OwnedFd, options: FdOptions) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        // A descriptor that carries packets need not be an interface's; then it has no name.
        let interface = sys::tun_interface(&fd).ok();
        if let Some((name, flags)) = &interface {
            check_flags(name, *flags, options.vnet_header)?;
            if options.vnet_header {
                sys::tun_set_header_len(&fd, vnet::LEN as libc::c_int)?;
            }
        }
        let name = interface.map(|(name, _)| name).unwrap_or_default();
        Ok(Self {
            name,
            framed: Framed::new(fd, Medium::Ip, options.vnet_header)?,
            vnet_header: options.vnet_header,
            mtu: Mtu::Told(options.mtu),
        })
    }

    /// The interface's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The descriptor, to hand it over to another program. The interface stays as it is.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.framed.into_fd()
    }

    /// Packets that could not be sent because they were larger than the MTU had become.
    #[must_use]
    pub fn discarded(&self) -> u64 {
        self.framed.discarded()
    }
}

impl Device for Tun {
    fn capabilities(&self) -> Capabilities {
        let mtu = match &self.mtu {
            Mtu::Followed(interface) => interface.mtu(),
            Mtu::Told(mtu) => *mtu,
        };
        Capabilities {
            tx_checksum: self.vnet_header,
            tso_v4: self.vnet_header,
            tso_v6: self.vnet_header,
            rx_coalesced: self.vnet_header,
            ..Capabilities::new(Medium::Ip, mtu)
        }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        if let Mtu::Followed(interface) = &mut self.mtu {
            interface.poll_changes(cx)?;
        }
        self.framed.poll_receive(cx, batch, max)
    }

    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>> {
        self.framed.poll_transmit(cx, batch)
    }
}

/// Whether each packet stands in a read as [`Tun::from_fd`] takes it.
fn check_flags(name: &str, flags: libc::c_int, vnet_header: bool) -> io::Result<()> {
    let wrong = if flags & libc::IFF_TUN == 0 {
        "is a TAP interface, which carries Ethernet frames"
    } else if flags & libc::IFF_NO_PI == 0 {
        "was opened without IFF_NO_PI"
    } else if (flags & libc::IFF_VNET_HDR != 0) != vnet_header {
        "does not have the virtio-net header as the options say"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name} {wrong}")))
}

fn explain_open(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => {
            let remedy = "`modprobe tun`; in a container, hand the device in";
            explained(error, format_args!("{CLONE_DEVICE} is missing ({remedy})"))
        }
        io::ErrorKind::PermissionDenied => {
            explained(error, format_args!("{CLONE_DEVICE} is closed to this user: run it as root"))
        }
        _ => explained(error, format_args!("cannot open {CLONE_DEVICE}")),
    }
}

fn explain_attach(error: io::Error, name: &str) -> io::Error {
    let what = if name.is_empty() { "a TUN interface" } else { name };
    match error.raw_os_error() {
        Some(libc::EPERM) => {
            explained(error, format_args!("cannot attach to {what} ({PRIVILEGE_HINT})"))
        }
        Some(libc::EBUSY) => {
            explained(error, format_args!("cannot attach to {what}: another program has it"))
        }
        Some(libc::EINVAL) => explained(
            error,
            format_args!(
                "cannot attach to {what}: it is no TUN interface, or was made with a different \
                 number of queues"
            ),
        ),
        _ => explained(error, format_args!("cannot attach to {what}")),
    }
}
