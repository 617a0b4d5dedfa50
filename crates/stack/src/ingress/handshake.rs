//! Passive opens: SYNs, cookies, the last ACK, and the forwarder's decision.

use alloc::sync::Arc;

use handclasp_tcp::{Config, Context, HalfOpen};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::tcp::options::FastOpen;

use super::fast_open::Offer;
use super::tcp::Segment;
use crate::discard::Discard;
use crate::forward::{Decision, PendingId};
use crate::host::Host;
use crate::listen::{Accepted, Admission, ListenerId, SynQueue};
use crate::reply::ip_fields;
use crate::store::{Origin, Store};
use crate::tcp::demux::Owner;
use crate::tcp::half_opens::{self, Acceptor};

impl Host {
    /// RFC 9293 §3.10.7.2.
    pub(super) fn for_listener<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        id: ListenerId,
        segment: Segment,
        after: Option<SeqNumber>,
    ) -> Result<(), Discard> {
        let Some(listener) = self.tcp.listeners.get(id) else { return Ok(()) };
        let config = listener.config.clone();
        let acceptor = Acceptor::Listener(id);
        if !Self::is_syn(&segment)? {
            return self.cookie_arrives(store, cx, acceptor, config, segment);
        }
        if listener.is_full() {
            self.counters.tcp_ext_listen_overflows += 1;
            return Err(Discard::AcceptQueueFull);
        }
        let cookie = match self.fast_open(id, &segment, cx) {
            Some(Offer::Good { renewed }) => {
                self.open_fast(store, cx, id, config, segment, after, renewed);
                return Ok(());
            }
            Some(Offer::Cookie(cookie)) => Some(cookie),
            None => None,
        };
        self.answer_syn(cx, acceptor, config, &segment, after, cookie)
    }

    /// Answers a SYN that is welcome: by a half-open connection or a cookie.
    fn answer_syn(
        &mut self,
        cx: &Context<'_>,
        acceptor: Acceptor,
        config: Arc<Config>,
        segment: &Segment,
        after: Option<SeqNumber>,
        cookie: Option<FastOpen>,
    ) -> Result<(), Discard> {
        let Some(queue) = self.syn_queue(acceptor) else { return Err(Discard::ClosedPort) };
        match queue.admit(cx.now) {
            Admission::Remember => {
                self.remember_syn(cx, acceptor, config, segment, after, cookie);
                Ok(())
            }
            Admission::Cookie => {
                self.counters.tcp_ext_req_q_full_do_cookies += 1;
                self.counters.tcp_ext_syncookies_sent += 1;
                let Segment { tuple, header, .. } = segment;
                let opening = self.opening(tuple, None, cx.now);
                let cookies = &self.tcp.cookies;
                let syn_ack = cookies.syn_ack(&config, tuple, header, opening, cx);
                self.reply(tuple, ip_fields(&config), &syn_ack, cx.now);
                Ok(())
            }
            Admission::Drop => {
                self.counters.tcp_ext_req_q_full_drop += 1;
                Err(Discard::SynQueueFull)
            }
        }
    }

    fn remember_syn(
        &mut self,
        cx: &Context<'_>,
        acceptor: Acceptor,
        config: Arc<Config>,
        segment: &Segment,
        after: Option<SeqNumber>,
        cookie: Option<FastOpen>,
    ) {
        let Segment { tuple, header, .. } = segment;
        let opening = self.opening(tuple, after, cx.now);
        let ecn = segment.carriage.ecn;
        let half = HalfOpen::new(&config, tuple, header, opening, cx).carried(ecn);
        let syn_ack = match cookie {
            Some(cookie) => half.syn_ack_with_cookie(&config, tuple, cookie, cx),
            None => half.syn_ack(&config, tuple, cx),
        };
        let ip = ip_fields(&config);
        self.tcp.insert_half_open(half_opens::Entry { tuple: *tuple, half, config, acceptor });
        if let Some(queue) = self.syn_queue(acceptor) {
            queue.entered();
        }
        self.reply(tuple, ip, &syn_ack, cx.now);
    }

    fn syn_queue(&mut self, acceptor: Acceptor) -> Option<&mut SynQueue> {
        match acceptor {
            Acceptor::Listener(id) => Some(&mut self.tcp.listeners.get_mut(id)?.syn_queue),
            Acceptor::Pending(_) | Acceptor::Policy => Some(&mut self.forward.syn_queue),
        }
    }

    /// A half-open connection, or a pending one, is none any more.
    pub(crate) fn leave_queue(&mut self, acceptor: Acceptor) {
        if let Some(queue) = self.syn_queue(acceptor) {
            queue.left();
        }
    }

    /// An ACK for whom nothing is remembered: perhaps it brings a cookie back.
    fn cookie_arrives<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        acceptor: Acceptor,
        config: Arc<Config>,
        segment: Segment,
    ) -> Result<(), Discard> {
        if !self.syn_queue(acceptor).is_some_and(|queue| queue.awaits_cookies(cx.now)) {
            return self.for_closed_port(cx, &segment);
        }
        let Segment { tuple, header, .. } = &segment;
        let opening = self.opening(tuple, None, cx.now);
        let Some(half) = self.tcp.cookies.open(&config, tuple, header, opening, cx.now) else {
            self.counters.tcp_ext_syncookies_failed += 1;
            return self.for_closed_port(cx, &segment);
        };
        self.counters.tcp_ext_syncookies_recv += 1;
        self.check_room(acceptor)?;
        self.complete(store, cx, half, config, acceptor, segment);
        Ok(())
    }

    /// The last ACK of a handshake. If nobody takes connections in, it is dropped: the
    /// half-open connection repeats its SYN-ACK, and the peer its ACK, until there is room.
    pub(super) fn handshake_done<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        slot: u32,
        segment: Segment,
    ) -> Result<(), Discard> {
        let Some(entry) = self.tcp.half_opens.get_mut(slot) else { return Ok(()) };
        let acceptor = entry.acceptor;
        self.check_room(acceptor)?;
        let Some(entry) = self.tcp.remove_half_open(slot) else { return Ok(()) };
        self.leave_queue(acceptor);
        self.complete(store, cx, entry.half, entry.config, acceptor, segment);
        Ok(())
    }

    fn check_room(&mut self, acceptor: Acceptor) -> Result<(), Discard> {
        let full = match acceptor {
            Acceptor::Listener(id) => {
                self.tcp.listeners.get(id).is_none_or(|listener| listener.is_full())
            }
            Acceptor::Policy => self.forward.is_full(),
            Acceptor::Pending(_) => false,
        };
        if full {
            self.counters.tcp_ext_listen_overflows += 1;
            return Err(Discard::AcceptQueueFull);
        }
        Ok(())
    }

    /// The handshake is over: the connection gets the segment that ended it, and its place.
    fn complete<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        half: HalfOpen,
        config: Arc<Config>,
        acceptor: Acceptor,
        segment: Segment,
    ) {
        let Segment { tuple, header, text, carriage, .. } = segment;
        let mut connection = half.complete(config.clone(), tuple, cx);
        connection.carried_segment_arrives(cx, &header, text, carriage);
        let origin = match acceptor {
            Acceptor::Listener(id) => Origin::Listener(id),
            Acceptor::Pending(id) => Origin::Pending(id),
            Acceptor::Policy => Origin::Policy,
        };
        let id = store.insert(connection, origin);
        let accepted = Accepted { id, tuple };
        match acceptor {
            Acceptor::Listener(listener) => {
                if let Some(listener) = self.tcp.listeners.get_mut(listener) {
                    listener.push(accepted);
                }
            }
            Acceptor::Policy => self.forward.push(accepted),
            Acceptor::Pending(_) => {}
        }
        self.tcp.adopt(id, tuple, config, self.ip.path_mtu(tuple.remote_ip));
        self.touched(id);
        self.counters.tcp_passive_opens += 1;
    }

    /// A segment that belongs to nobody, where every address is taken in.
    pub(super) fn for_forwarder<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        segment: Segment,
        after: Option<SeqNumber>,
    ) -> Result<(), Discard> {
        let syn = Self::is_syn(&segment)?;
        if !syn && !self.forward.syn_queue.awaits_cookies(cx.now) {
            return self.for_closed_port(cx, &segment);
        }
        match self.forward.decide(&segment.tuple) {
            Decision::Accept(config) if syn => {
                self.check_room(Acceptor::Policy)?;
                self.answer_syn(cx, Acceptor::Policy, config, &segment, after, None)
            }
            Decision::Accept(config) => {
                self.cookie_arrives(store, cx, Acceptor::Policy, config, segment)
            }
            _ if !syn => self.for_closed_port(cx, &segment),
            Decision::Reject(how) => {
                let Segment { tuple, header, text, .. } = &segment;
                self.refuse(tuple, header, text.len(), how, cx.now);
                Err(Discard::NotForwarded)
            }
            Decision::Ask => self.ask(store, cx, &segment, after),
        }
    }

    fn ask<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        segment: &Segment,
        after: Option<SeqNumber>,
    ) -> Result<(), Discard> {
        let id = self
            .forward
            .ask(segment.tuple, segment.header.clone(), after, cx.now)
            .ok_or(Discard::NotForwarded)?;
        self.tcp.demux.insert(segment.tuple, Owner::Pending(id));
        store.pending(id);
        Ok(())
    }

    /// Something more of a peer that waits for a decision: its SYN again, or its withdrawal.
    pub(super) fn for_pending(&mut self, id: PendingId, segment: &Segment) -> Result<(), Discard> {
        let Some(pending) = self.forward.get_mut(id) else { return Ok(()) };
        let header = &segment.header;
        if header.flags.contains(Flags::RST) {
            if header.seq == pending.syn.seq + 1 {
                self.forward.take(id);
                self.tcp.demux.remove(&segment.tuple);
                return Ok(());
            }
        } else if header.flags.contains(Flags::SYN) {
            // What is answered in the end is the latest.
            pending.syn = header.clone();
        }
        Err(Discard::NotForwarded)
    }
}
