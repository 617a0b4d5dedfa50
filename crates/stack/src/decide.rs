//! The application's side of the forwarder.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use handclasp_tcp::state::Cause;
use handclasp_tcp::{Config, Context, HalfOpen, Tuple};
use handclasp_wire::frame::INLINE_HEADER;
use handclasp_wire::ip::protocol;
use handclasp_wire::tcp::Header;
use handclasp_wire::time::Instant;
use smallvec::SmallVec;

use crate::forward::{Flow, ForwardConfig, PendingId, PendingTcp, Policy, Rejection};
use crate::host::Host;
use crate::ip::{Envelope, emit_ip};
use crate::listen::Accepted;
use crate::reply::{Complaint, ip_fields};
use crate::store::Store;
use crate::tcp::half_opens::{Acceptor, Entry};

impl Host {
    /// Forwards from now on, by these settings, or by others than before; connections for which
    /// the policy does not decide at once are asked about through [`Host::next_pending`].
    pub fn set_forward(&mut self, config: ForwardConfig, policy: Option<Box<dyn Policy>>) {
        self.forward.start(config, policy);
    }

    /// Forwards nothing new from now on. Connections that wait for a decision are refused with
    /// RST, those that the policy took and nobody accepted are aborted; others live on, UDP
    /// flows among them.
    pub fn stop_forwarding<S: Store>(&mut self, store: &mut S, cx: &Context<'_>) {
        while let Some(Accepted { id, .. }) = self.accept_forwarded() {
            store.with(id, |connection| connection.abort(cx));
            store.disown(id);
            self.touched(id);
        }
        let unanswered: Vec<u32> = self.tcp.half_opens.of(Acceptor::Policy).collect();
        for slot in unanswered {
            self.abandon(store, cx, slot, Cause::Abort);
        }
        while let Some(pending) = self.forward.pop_pending() {
            self.tcp.demux.remove(&pending.tuple);
            if !pending.silent {
                self.refuse(&pending.tuple, &pending.syn, 0, Rejection::Reset, cx.now);
            }
        }
        self.forward.stop();
    }

    /// The next connection that waits for a decision.
    pub fn next_pending(&mut self) -> Option<PendingTcp> {
        self.forward.next_pending()
    }

    /// Shakes hands with a pending connection's peer, with these settings. When it is open the
    /// store gets it with its origin; if nothing comes of it, the store is told so. Returns
    /// false if it was withdrawn or forgotten meanwhile.
    pub fn accept_pending(&mut self, cx: &Context<'_>, id: PendingId, config: Arc<Config>) -> bool {
        let Some(pending) = self.forward.take(id) else { return false };
        self.forward.syn_queue.entered();
        let tuple = pending.tuple;
        let opening = self.opening(&tuple, pending.after, cx.now);
        let half = HalfOpen::new(&config, &tuple, &pending.syn, opening, cx);
        let syn_ack = half.syn_ack(&config, &tuple, cx);
        let ip = ip_fields(&config);
        let acceptor = Acceptor::Pending(id);
        self.tcp.insert_half_open(Entry { tuple, half, config, acceptor });
        self.reply(&tuple, ip, &syn_ack, cx.now);
        true
    }

    /// Refuses a pending connection. Returns false if it was withdrawn or forgotten meanwhile.
    pub fn reject_pending(&mut self, id: PendingId, how: Rejection, now: Instant) -> bool {
        if how == Rejection::Silent {
            return self.forward.silence(id, now);
        }
        let Some(pending) = self.forward.take(id) else { return false };
        self.tcp.demux.remove(&pending.tuple);
        self.refuse(&pending.tuple, &pending.syn, 0, how, now);
        true
    }

    /// Answers a SYN that is not welcome.
    pub(crate) fn refuse(
        &mut self,
        tuple: &Tuple,
        syn: &Header,
        text: usize,
        how: Rejection,
        now: Instant,
    ) {
        match how {
            Rejection::Reset => self.reset(tuple, syn, text, now),
            Rejection::Unreachable(what) => {
                let complaint = Complaint::Unreachable(what);
                let quoted = quote(tuple, syn);
                self.complain(complaint, tuple.local_ip, tuple.remote_ip, &quoted, now);
            }
            Rejection::Silent => {}
        }
    }

    /// The next connection that the forwarder's policy took and that is open.
    pub fn accept_forwarded(&mut self) -> Option<Accepted> {
        self.forward.pop()
    }

    /// The next UDP flow that began and is not over.
    pub fn next_flow(&mut self) -> Option<Flow> {
        loop {
            let flow = self.forward.new_flows.pop_front()?;
            if self.udp.get(flow.id).is_some() {
                return Some(flow);
            }
        }
    }
}

/// A SYN's packet again, as far as an ICMP error quotes it.
fn quote(tuple: &Tuple, syn: &Header) -> SmallVec<[u8; INLINE_HEADER]> {
    let envelope = Envelope::new(tuple.remote_ip, tuple.local_ip, protocol::TCP);
    let mut packet = SmallVec::new();
    emit_ip(&envelope, syn.emitted_len(), None, &mut packet);
    syn.emit(&mut packet);
    packet
}
