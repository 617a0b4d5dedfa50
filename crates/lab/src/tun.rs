//! The far end of a TUN interface: what the kernel sends there is read, what is written comes in.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use crate::error::{Error, Result};
use crate::sys;

/// The far end of a TUN interface, which is gone when this value is.
#[derive(Debug)]
pub struct Tun {
    file: File,
}

impl Tun {
    /// Makes the interface `name`, without an address and down, in the namespace of the calling
    /// thread.
    ///
    /// # Errors
    ///
    /// `/dev/net/tun` cannot be opened, or the interface exists.
    pub fn new(name: &str) -> Result<Self> {
        let file = File::options().read(true).write(true).open("/dev/net/tun");
        let file = file.map_err(Error::os("open /dev/net/tun"))?;
        sys::make_tun(file.as_fd(), name)
            .map_err(Error::os(format!("make the interface {name}")))?;
        Ok(Self { file })
    }

    /// The next packet that the kernel sends, from its IP header on: its length. Waits for one.
    ///
    /// # Errors
    ///
    /// The interface is down.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.file, buffer)?)
    }

    /// Has a packet come in at the interface.
    ///
    /// # Errors
    ///
    /// The interface is down, or the packet is none.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        rustix::io::write(&self.file, packet)?;
        Ok(())
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
