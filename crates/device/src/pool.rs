//! Buffers that packets are read into.

use std::os::fd::AsFd;

use bytes::{Buf, Bytes, BytesMut};
use rustix::io::Errno;

use crate::sys;

/// The largest packet with everything before it: an IP packet of 65,535 bytes, an Ethernet
/// header with two VLAN tags and the virtio-net header, rounded up.
const MAX_PACKET: usize = 65_536 + 64;

/// Bytes of a chunk that large packets are cut from. Four of the largest fit.
const LARGE_CHUNK: usize = 4 * MAX_PACKET;

/// Bytes of a chunk that small packets are copied to: what one of them pins at most.
const SMALL_CHUNK: usize = 16 * 1024;

/// Packets of up to this many bytes are copied out of the chunk they were read into.
///
/// A copy of this size takes some 40 ns, a fiftieth of the read itself.
const SMALL_PACKET: usize = 2048;

/// Chunks that are kept for when the last packet in them is let go.
const RETIRED: usize = 8;

/// Reads packets without a packet pinning much more memory than it has bytes, and without
/// allocating as long as packets are let go about as fast as they come.
#[derive(Debug)]
pub(crate) struct Pool {
    large: Chunks,
    small: Chunks,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self { large: Chunks::new(LARGE_CHUNK), small: Chunks::new(SMALL_CHUNK) }
    }

    /// Reads one packet from `fd`, which [`take`](Self::take) then hands out.
    pub(crate) fn read(&mut self, fd: impl AsFd) -> Result<&[u8], Errno> {
        let (_, packet) = self.read_with(|buffer| sys::read_into_spare(fd, buffer))?;
        Ok(packet)
    }

    /// Has `read` append a packet to an empty buffer, which [`take`](Self::take) then hands out.
    pub(crate) fn read_with<T>(
        &mut self,
        read: impl FnOnce(&mut BytesMut) -> Result<T, Errno>,
    ) -> Result<(T, &[u8]), Errno> {
        self.large.current.clear();
        let chunk = self.large.with_spare(MAX_PACKET);
        Ok((read(chunk)?, chunk))
    }

    /// The packet that was read last, without its first `skip` bytes.
    pub(crate) fn take(&mut self, skip: usize) -> Bytes {
        let read = &mut self.large.current;
        let skip = skip.min(read.len());
        if read.len() - skip > SMALL_PACKET {
            read.advance(skip);
            return read.split().freeze();
        }
        let small = self.small.with_spare(read.len() - skip);
        small.extend_from_slice(&read[skip..]);
        small.split().freeze()
    }
}

/// A chunk that packets are cut from the front of, and its full predecessors.
#[derive(Debug)]
struct Chunks {
    size: usize,
    current: BytesMut,
    retired: Vec<BytesMut>,
}

impl Chunks {
    fn new(size: usize) -> Self {
        Self { size, current: BytesMut::new(), retired: Vec::new() }
    }

    /// The current chunk, with room for `spare` more bytes (at most a chunk's size).
    fn with_spare(&mut self, spare: usize) -> &mut BytesMut {
        if self.current.capacity() - self.current.len() < spare {
            self.replace();
        }
        &mut self.current
    }

    /// Takes a retired chunk that nobody holds a packet of any more, or else a new one.
    #[cold]
    fn replace(&mut self) {
        let size = self.size;
        let old = std::mem::take(&mut self.current);
        if old.capacity() > 0 {
            self.retired.push(old);
        }
        let free = self.retired.iter_mut().position(|chunk| {
            chunk.clear();
            chunk.try_reclaim(size)
        });
        self.current = match free {
            Some(at) => self.retired.swap_remove(at),
            None => BytesMut::with_capacity(size),
        };
        if self.retired.len() > RETIRED {
            self.retired.remove(0);
        }
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
