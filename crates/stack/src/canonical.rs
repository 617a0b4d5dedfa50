//! A host copied, and in canonical form: for those who explore what it can do.

use alloc::vec::Vec;

use handclasp_tcp::Tuple;
use handclasp_tcp::canonical::Form;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use crate::host::Host;
use crate::slab_store::SlabStore;
use crate::tcp::demux::Owner;

impl Host {
    /// The same host again, which goes its own way from here on; copy its store and its budget
    /// with it. `None` where a policy of the forwarder's decides, which cannot be copied.
    #[must_use]
    pub fn fork(&self) -> Option<Self> {
        Some(Self {
            config: self.config.clone(),
            ip: self.ip.clone(),
            tcp: self.tcp.clone(),
            udp: self.udp.clone(),
            forward: self.forward.fork()?,
            ready: self.ready.clone(),
            icmp_errors: self.icmp_errors.clone(),
            counters: self.counters,
            observer: self.observer.clone(),
        })
    }

    /// The initial sequence numbers of whatever lives at a four-tuple, ours first; `None` where
    /// nothing does, or only TIME-WAIT is left, which forgot them.
    #[must_use]
    pub fn initial_numbers(
        &self,
        store: &SlabStore,
        tuple: &Tuple,
    ) -> Option<(SeqNumber, SeqNumber)> {
        match self.tcp.demux.get(tuple)? {
            Owner::Connection(id) => store.get(id).map(|c| (c.iss(), c.irs())),
            Owner::HalfOpen(slot) => {
                let entry = self.tcp.half_opens.get(slot)?;
                Some((entry.half.iss(), entry.half.irs()))
            }
            Owner::TimeWait(_) | Owner::Pending(_) => None,
        }
    }

    /// When something is really due at a connection, open, half-open or in TIME-WAIT. Unlike
    /// [`Host::next_deadline`] this forgets deadlines that moved away.
    #[must_use]
    pub fn connection_deadline(&self, store: &SlabStore) -> Option<Instant> {
        let deadline = |owner: &Owner| match *owner {
            Owner::Connection(id) => store.get(id)?.next_deadline(),
            Owner::HalfOpen(slot) => Some(self.tcp.half_opens.get(slot)?.half.deadline()),
            Owner::TimeWait(slot) => Some(self.tcp.time_waits.get(slot)?.wait.deadline()),
            Owner::Pending(_) => None,
        };
        self.tcp.demux.iter().filter_map(|(_, owner)| deadline(owner)).min()
    }

    /// Writes down what the host knows of its TCP connections: those in `store`, the half-open
    /// ones, those in TIME-WAIT, and who waits to be accepted. Rate limits, counters and caches
    /// are left out, and so is what other protocols do: whoever compares hosts by this lets none
    /// of them come into play.
    pub fn canonical(&self, store: &SlabStore, form: &mut Form) {
        let mut entries: Vec<_> = self.tcp.demux.iter().collect();
        entries.sort_by_key(|(t, _)| (t.local_ip, t.remote_ip, t.local_port, t.remote_port));
        form.count(entries.len());
        for (tuple, owner) in entries {
            form.text(tuple);
            match *owner {
                Owner::Connection(id) => {
                    form.word(1u8);
                    form.option(store.get(id), |form, connection| connection.canonical(form));
                }
                Owner::HalfOpen(slot) => {
                    form.word(2u8);
                    form.option(self.tcp.half_opens.get(slot), |form, e| e.half.canonical(form));
                }
                Owner::TimeWait(slot) => {
                    form.word(3u8);
                    form.option(self.tcp.time_waits.get(slot), |form, e| e.wait.canonical(form));
                }
                Owner::Pending(_) => form.word(4u8),
            }
        }
        for (_, listener) in self.tcp.listeners.iter() {
            form.count(listener.waiting());
            form.count(listener.syn_queue.len());
            form.count(listener.fast);
        }
        form.count(self.ready.len());
        form.count(self.ip.outbox.len());
    }
}
