//! Bytes of a file in the order in which they stand, through one buffer.

use std::io::{self, Read};

use super::{Broken, Cause};

/// How much is read at once.
const CHUNK: usize = 1 << 18;

pub(super) struct Source<R> {
    read: R,
    buffer: Vec<u8>,
    /// What stands in the buffer and was not handed out yet.
    start: usize,
    end: usize,
    /// Bytes that were handed out.
    offset: u64,
}

impl<R: Read> Source<R> {
    pub(super) fn new(read: R) -> Self {
        Self { read, buffer: vec![0; CHUNK], start: 0, end: 0, offset: 0 }
    }

    /// The next `N` bytes, which stay the next ones.
    pub(super) fn peek<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Broken> {
        Ok(*self.window(N, what)?.first_chunk().unwrap_or(&[0; N]))
    }

    /// The next `len` bytes, which stay the next ones.
    pub(super) fn window(&mut self, len: usize, what: &'static str) -> Result<&[u8], Broken> {
        self.fill(len, what)?;
        Ok(&self.buffer[self.start..self.start + len])
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize, what: &'static str) -> Result<&[u8], Broken> {
        self.fill(len, what)?;
        self.start += len;
        self.offset += len as u64;
        Ok(self.last(len))
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Broken> {
        let bytes = self.peek(what)?;
        self.start += N;
        self.offset += N as u64;
        Ok(bytes)
    }

    /// Passes over `len` bytes, however many they are.
    pub(super) fn skip(&mut self, mut len: usize, what: &'static str) -> Result<(), Broken> {
        while len > 0 {
            let step = len.min(CHUNK);
            self.take(step, what)?;
            len -= step;
        }
        Ok(())
    }

    /// Whether there is nothing more.
    pub(super) fn is_over(&mut self) -> Result<bool, Broken> {
        while self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.read_more()? == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sees to it that the next `len` bytes are in the buffer. The buffer grows with what is
    /// there, not with what a damaged length claims.
    fn fill(&mut self, len: usize, what: &'static str) -> Result<(), Broken> {
        while self.end - self.start < len {
            if self.buffer.len() - self.start < len && self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            if self.end == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            if self.read_more()? == 0 {
                return Err(self.broken(Cause::CutShort(what)));
            }
        }
        Ok(())
    }

    fn read_more(&mut self) -> Result<usize, Broken> {
        loop {
            match self.read.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(Cause::Io(error))),
            }
        }
    }
}

impl<R> Source<R> {
    /// Bytes that were handed out.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The error that the next byte to hand out is not as it should be.
    pub(super) const fn broken(&self, cause: Cause) -> Broken {
        Broken { offset: self.offset, cause }
    }

    /// The last `len` bytes that were taken.
    pub(super) fn last(&self, len: usize) -> &[u8] {
        self.start.checked_sub(len).map_or(&[], |from| &self.buffer[from..self.start])
    }
}
