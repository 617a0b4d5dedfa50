//! What the kernel says of one of its interfaces.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use handclasp_wire::frame::Medium;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys;

/// An error with what was being done before it.
pub(crate) fn explained(error: io::Error, doing: impl std::fmt::Display) -> io::Error {
    io::Error::new(error.kind(), format!("{doing}: {error}"))
}

/// Bare IP packets, as mobile modems have them.
const ARPHRD_RAWIP: u16 = 519;

/// What to type when the kernel refuses to let an ordinary user work with interfaces.
pub(crate) const PRIVILEGE_HINT: &str =
    "this needs CAP_NET_ADMIN and CAP_NET_RAW: run it as root, or inside `unshare -Urn`";

/// An interface whose name, kind and MTU were read, and that is watched for changes.
///
/// It belongs to the network namespace of the thread that made it.
#[derive(Debug)]
pub(crate) struct Interface {
    watch: AsyncFd<OwnedFd>,
    index: u32,
    medium: Medium,
    mtu: usize,
}

impl Interface {
    /// Looks the interface `name` up.
    pub(crate) fn by_name(name: &str) -> io::Result<Self> {
        let watch = open_watch().map_err(|e| explained(e, "cannot watch interfaces"))?;
        let index = netdevice_index(&watch, name)?;
        let read = |e| explained(e, format_args!("cannot read what interface {name} is like"));
        let medium = match sys::interface_hardware(&watch, name).map_err(read)? {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Medium::Ethernet,
            libc::ARPHRD_NONE | ARPHRD_RAWIP | libc::ARPHRD_PPP => Medium::Ip,
            kind => {
                let text = format!("{name} is neither Ethernet nor bare IP (ARPHRD {kind})");
                return Err(io::Error::new(io::ErrorKind::Unsupported, text));
            }
        };
        let mtu = sys::interface_mtu(&watch, name).map_err(read)?;
        let watch = sys::register(watch, Interest::READABLE)?;
        Ok(Self { watch, index, medium, mtu })
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    pub(crate) fn medium(&self) -> Medium {
        self.medium
    }

    /// Bytes of the largest IP packet, as [`poll_changes`](Self::poll_changes) last saw it.
    pub(crate) fn mtu(&self) -> usize {
        self.mtu
    }

    /// Follows what changed since the last call, and has the task woken when more does.
    ///
    /// Fails once the interface is gone, which a read from it would not tell.
    pub(crate) fn poll_changes(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Poll::Ready(guard) = self.watch.poll_read_ready(cx) {
            let mut guard = guard?;
            // What a message says does not matter, nor that some were lost (ENOBUFS): the
            // interface itself is asked.
            let mut message = [0; 4096];
            let read = guard
                .try_io(|watch| Ok(rustix::net::recv(watch, &mut message, RecvFlags::DONTWAIT)?));
            if read.is_ok() {
                self.refresh()?;
            }
        }
        Ok(())
    }

    fn refresh(&mut self) -> io::Result<()> {
        let watch = self.watch.get_ref();
        // It may have been renamed, but keeps its index.
        let name = rustix::net::netdevice::index_to_name(watch, self.index)
            .map_err(|e| explained(e.into(), "the interface is gone"))?;
        // Between the two calls it may have gone or been renamed again, which is announced.
        if let Ok(mtu) = sys::interface_mtu(watch, &name) {
            self.mtu = mtu;
        }
        Ok(())
    }
}

/// A packet socket that receives nothing yet, so that nothing gets past what is set before it
/// is bound.
pub(crate) fn open_packet_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None).map_err(|e| {
        let error = io::Error::from(e);
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                explained(error, format_args!("cannot open a packet socket ({PRIVILEGE_HINT})"))
            }
            _ => explained(error, "cannot open a packet socket"),
        }
    })
}

/// A socket that becomes readable when an interface of this network namespace changes.
fn open_watch() -> io::Result<OwnedFd> {
    // No protocol is NETLINK_ROUTE, whose number is zero.
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, libc::RTMGRP_LINK as u32))?;
    Ok(socket)
}

fn netdevice_index(socket: &OwnedFd, name: &str) -> io::Result<u32> {
    rustix::net::netdevice::name_to_index(socket, name).map_err(|e| match e {
        rustix::io::Errno::NODEV => {
            let text = format!("there is no interface {name} in this network namespace");
            io::Error::new(io::ErrorKind::NotFound, text)
        }
        e => explained(e.into(), format_args!("cannot look up interface {name}")),
    })
}
