//! Bytes in order: what was written and not acknowledged, or received and not read.

use alloc::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::transmit::Slices;

/// Payloads of fewer bytes are copied together, so that none of them keeps a whole receive
/// buffer alive.
const SMALL: usize = 2048;
/// Copied bytes go into allocations between these sizes, each twice the one before.
const CHUNK_MIN: usize = 256;
const CHUNK_MAX: usize = 64 << 10;

/// A queue of bytes that hands out slices without copying.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByteQueue {
    chunks: VecDeque<Bytes>,
    /// Copied bytes behind `chunks`, with room for more.
    tail: BytesMut,
    len: usize,
    last_chunk: usize,
}

impl ByteQueue {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a copy of `data`.
    pub(crate) fn push_slice(&mut self, mut data: &[u8]) {
        self.len += data.len();
        while !data.is_empty() {
            if self.tail.len() == self.tail.capacity() {
                self.seal();
                let grown = (self.last_chunk * 2).clamp(CHUNK_MIN, CHUNK_MAX);
                self.last_chunk = data.len().clamp(grown, CHUNK_MAX);
                self.tail = BytesMut::with_capacity(self.last_chunk);
            }
            let n = data.len().min(self.tail.capacity() - self.tail.len());
            let (now, later) = data.split_at(n);
            self.tail.extend_from_slice(now);
            data = later;
        }
    }

    /// Appends `data` as it is, or a copy where it is small.
    pub(crate) fn push_bytes(&mut self, data: Bytes) {
        if data.len() < SMALL {
            return self.push_slice(&data);
        }
        self.seal();
        self.len += data.len();
        self.chunks.push_back(data);
    }

    /// Appends all of `other`.
    pub(crate) fn append(&mut self, mut other: Self) {
        other.seal();
        for chunk in other.chunks {
            self.push_bytes(chunk);
        }
    }

    /// Drops `n` bytes from the front; all of them if there are fewer.
    pub(crate) fn consume(&mut self, mut n: usize) {
        n = n.min(self.len);
        self.len -= n;
        while let Some(front) = self.chunks.front_mut() {
            if n < front.len() {
                front.advance(n);
                return;
            }
            n -= front.len();
            self.chunks.pop_front();
        }
        self.tail.advance(n);
        if self.len == 0 {
            // What an idle connection does not need is let go.
            *self = Self::default();
        }
    }

    /// Copies bytes from the front into `into` and drops them here; returns how many.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> usize {
        let n = self.peek(into);
        self.consume(n);
        n
    }

    /// Copies bytes from the front into `into`; returns how many.
    pub(crate) fn peek(&self, into: &mut [u8]) -> usize {
        let mut done = 0;
        for chunk in self.chunks.iter().map(|c| &c[..]).chain([&self.tail[..]]) {
            let n = chunk.len().min(into.len() - done);
            into[done..done + n].copy_from_slice(&chunk[..n]);
            done += n;
        }
        done
    }

    /// Takes the first piece that is in one place, at most `max` bytes of it.
    pub(crate) fn pop_bytes(&mut self, max: usize) -> Bytes {
        if self.chunks.is_empty() {
            self.seal();
        }
        let Some(front) = self.chunks.front_mut() else { return Bytes::new() };
        let piece = front.split_to(front.len().min(max));
        if front.is_empty() {
            self.chunks.pop_front();
        }
        self.len -= piece.len();
        if self.len == 0 {
            *self = Self::default();
        }
        piece
    }

    /// The `len` bytes from `offset` on, not copied; fewer if the queue ends before.
    pub(crate) fn slices(&mut self, mut offset: usize, mut len: usize) -> Slices {
        let in_chunks = self.len - self.tail.len();
        if offset + len > in_chunks {
            self.seal();
        }
        let mut slices = Slices::new();
        for chunk in &self.chunks {
            if len == 0 {
                break;
            }
            if offset >= chunk.len() {
                offset -= chunk.len();
                continue;
            }
            let n = len.min(chunk.len() - offset);
            slices.push(chunk.slice(offset..offset + n));
            offset = 0;
            len -= n;
        }
        slices
    }

    /// Makes what was copied so far a chunk that can be sliced; its allocation's free room
    /// stays with the tail.
    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push_back(self.tail.split().freeze());
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
