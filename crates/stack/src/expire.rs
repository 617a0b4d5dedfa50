//! What happens because time has passed.

use handclasp_tcp::Context;
use handclasp_tcp::connection::{PathError, Readiness};
use handclasp_tcp::half_open::Expiry;
use handclasp_tcp::state::Cause;
use handclasp_wire::ethernet::Ethernet;
use handclasp_wire::frame::Outbound;
use handclasp_wire::ip::protocol;
use handclasp_wire::quote::Quoted;

use crate::host::Host;
use crate::ip::reassembly::Expired;
use crate::reply::{Complaint, ip_fields};
use crate::store::Store;
use crate::tcp::half_opens::Acceptor;

impl Host {
    /// The time is at or past [`Host::next_deadline`].
    pub fn deadline_passed<S: Store>(&mut self, store: &mut S, cx: &Context<'_>) {
        self.expire_connections(store, cx);
        self.expire_half_opens(store, cx);
        self.counters.tcp_ext_tw += self.tcp.end_time_waits(cx);
        self.expire_neighbours(store, cx);
        self.expire_fragments(cx);
        if self.ip.path_mtus.deadline_passed(cx.now) {
            self.apply_path_mtus(store, cx);
        }
        self.expire_flows(store, cx);
        self.expire_pending(cx);
    }

    fn expire_connections<S: Store>(&mut self, store: &mut S, cx: &Context<'_>) {
        while let Some(id) = self.tcp.flows.pop_due(cx.now) {
            let mut doubted = None;
            let next = store.with(id, |connection| {
                let due = connection.next_deadline().is_some_and(|at| at <= cx.now);
                if due {
                    connection.deadline_passed(cx);
                    let in_doubt = connection.readiness().contains(Readiness::DOUBTFUL);
                    doubted = in_doubt.then_some(connection.tuple().remote_ip);
                }
                (due, connection.next_deadline())
            });
            // R1 (RFC 9293 §3.8.3).
            if let Some(peer) = doubted {
                self.ip.doubt(peer, cx.now);
            }
            let Some((due, next)) = next else {
                self.forget(id);
                continue;
            };
            if due {
                self.touched(id);
            }
            // The next deadline must not wait until the device takes what this one wants sent.
            // One that has come already would: asking again at once would lead nowhere.
            if let Some(deadline) = next.filter(|at| *at > cx.now) {
                self.tcp.flows.schedule(id, deadline);
            }
        }
    }

    fn expire_half_opens<S: Store>(&mut self, store: &mut S, cx: &Context<'_>) {
        while let Some(slot) = self.tcp.half_opens.pop_due(cx.now) {
            let Some(entry) = self.tcp.half_opens.get_mut(slot) else { continue };
            match entry.half.deadline_passed(&entry.config, &entry.tuple, cx) {
                Expiry::Wait => self.tcp.half_opens.reschedule(slot),
                Expiry::Resend => {
                    let (tuple, ip) = (entry.tuple, ip_fields(&entry.config));
                    let syn_ack = entry.half.syn_ack(&entry.config, &tuple, cx);
                    self.tcp.half_opens.reschedule(slot);
                    self.counters.tcp_retrans_segs += 1;
                    self.reply(&tuple, ip, &syn_ack, cx.now);
                }
                Expiry::GiveUp => self.abandon(store, cx, slot, Cause::Timeout),
            }
        }
    }

    /// A half-open connection comes to nothing. Nobody is told (RFC 9293 §3.10.7.4), unless
    /// the application decided to take just this one.
    pub(crate) fn abandon<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        slot: u32,
        cause: Cause,
    ) {
        let Some(entry) = self.tcp.remove_half_open(slot) else { return };
        entry.half.over(&entry.tuple, cx, cause);
        self.counters.tcp_attempt_fails += 1;
        self.leave_queue(entry.acceptor);
        if let Acceptor::Pending(id) = entry.acceptor {
            store.pending_failed(id);
        }
    }

    fn expire_neighbours<S: Store>(&mut self, store: &mut S, cx: &Context<'_>) {
        while let Some((_, waiting)) = self.ip.neighbours.pop_failed(cx.now) {
            for packet in waiting {
                self.unreachable(store, cx, &packet);
            }
        }
        self.ip.ask_neighbours(cx.now);
    }

    /// A packet of ours found no neighbour to take it.
    fn unreachable<S: Store>(&mut self, store: &mut S, cx: &Context<'_>, packet: &Outbound) {
        let ip = packet.header.get(Ethernet::HEADER_LEN..).unwrap_or_default();
        let Ok(quoted) = Quoted::parse(ip) else { return };
        if let Some(id) = self.quoted_connection(&quoted) {
            store.with(id, |connection| connection.host_unreachable(cx));
            self.touched(id);
        } else if let Some((id, remote)) = self.quoted_socket(&quoted) {
            store.udp_failed(id, remote, PathError::HostUnreachable);
        }
    }

    fn expire_fragments(&mut self, cx: &Context<'_>) {
        while let Some(Expired { src, dst, first }) = self.ip.reassembly.pop_expired(cx.now) {
            self.counters.ip_reasm_timeout += 1;
            let Some((protocol, quote)) = first else { continue };
            // It might have been an error, about which there must be no other.
            let icmp = [protocol::ICMPV4, protocol::ICMPV6].contains(&protocol);
            if !icmp && self.answers_for(self.ip.addresses.destination(dst)) {
                self.complain(Complaint::ReassemblyTimeout, dst, src, &quote, cx.now);
            }
        }
    }

    fn expire_flows<S: Store>(&mut self, store: &mut S, cx: &Context<'_>) {
        while let Some(id) = self.udp.next_over(cx.now) {
            self.udp.remove(id);
            store.remove_udp(id);
        }
    }

    fn expire_pending(&mut self, cx: &Context<'_>) {
        while let Some(pending) = self.forward.pop_expired(cx.now) {
            self.tcp.demux.remove(&pending.tuple);
        }
    }
}
