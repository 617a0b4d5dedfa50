//! What the host keeps of its connections beside their storage.

use alloc::sync::Arc;
use alloc::vec::Vec;

use handclasp_tcp::{Config, Tuple};
use handclasp_wire::time::Instant;

use crate::listen::ListenerId;
use crate::slots::SPARE;
use crate::store::ConnId;
use crate::timers::Timers;

/// What the host knows of a connection.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) id: ConnId,
    pub(crate) tuple: Tuple,
    /// For its TIME-WAIT.
    pub(crate) config: Arc<Config>,
    /// The largest packet that it was told the path carries, in bytes.
    pub(crate) path_mtu: u16,
    /// It stands in the queue of those that may want to send.
    pub(crate) queued: bool,
    /// The handshake was completed once.
    pub(crate) opened: bool,
    /// Segments sent again, as far as they are counted.
    pub(crate) resent: u64,
    /// The listener that handed it over before its handshake was done (RFC 7413).
    pub(crate) fast: Option<ListenerId>,
}

impl Flow {
    pub(crate) const fn new(id: ConnId, tuple: Tuple, config: Arc<Config>, path_mtu: u16) -> Self {
        Self { id, tuple, config, path_mtu, queued: false, opened: false, resent: 0, fast: None }
    }
}

/// All connections, by the index of their name, and when they want to be called.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    list: Vec<Option<Flow>>,
    len: usize,
    timers: Timers,
}

impl Flows {
    pub(crate) fn insert(&mut self, flow: Flow) {
        let index = flow.id.index();
        if index >= self.list.len() {
            self.list.resize_with(index + 1, || None);
        }
        if self.list[index].replace(flow).is_none() {
            self.len += 1;
        }
    }

    pub(crate) fn get_mut(&mut self, id: ConnId) -> Option<&mut Flow> {
        self.list.get_mut(id.index())?.as_mut().filter(|flow| flow.id == id)
    }

    pub(crate) fn remove(&mut self, id: ConnId) -> Option<Flow> {
        let flow = self.list.get_mut(id.index())?.take_if(|flow| flow.id == id)?;
        self.len -= 1;
        self.timers.cancel(id.index());
        if self.len == 0 && self.list.capacity() > SPARE {
            self.list = Vec::new();
        }
        Some(flow)
    }

    pub(crate) fn schedule(&mut self, id: ConnId, deadline: Instant) {
        self.timers.schedule(id.index(), deadline);
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next connection that may be due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<ConnId> {
        while let Some(index) = self.timers.pop_due(now) {
            if let Some(Some(flow)) = self.list.get(index) {
                return Some(flow.id);
            }
        }
        None
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Flow> {
        self.list.iter_mut().flatten()
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}
