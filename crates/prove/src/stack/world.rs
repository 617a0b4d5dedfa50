//! Two ends and what flies between them, at one moment.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handclasp_tcp::canonical::{Form, Origin};
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::tcp::options::{SackBlock, Timestamps};
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use super::end::End;

/// A packet under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flying {
    /// The end that it is for: 0 or 1.
    pub to: usize,
    /// From the IP header on.
    pub bytes: Bytes,
    /// When it left.
    pub sent_at: Instant,
}

impl Flying {
    /// Its TCP header and its payload.
    #[must_use]
    pub fn segment(&self) -> Option<(Header, &[u8])> {
        let packet = Packet::parse_ip(&self.bytes).ok()?;
        let Transport::Tcp(tcp) = packet.transport else { return None };
        let payload = tcp.payload().len();
        Some((tcp.to_header(), &self.bytes[self.bytes.len() - payload..]))
    }
}

/// What the adversary has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spent {
    /// Packets lost.
    pub losses: u8,
    /// Packets delivered twice.
    pub copies: u8,
    /// Packets that overtook another.
    pub overtakings: u8,
    /// Packets of an earlier incarnation delivered.
    pub replays: u8,
    /// Packets forged.
    pub forgeries: u8,
    /// Timers that fired.
    pub timers: u8,
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub struct World {
    /// The present.
    pub now: Instant,
    /// Both ends.
    pub ends: [Arc<End>; 2],
    /// What is under way, in the order of leaving.
    pub network: Vec<Flying>,
    /// What was done to it.
    pub spent: Spent,
}

impl World {
    /// Lets one end act, and puts what it sends on its way.
    pub(crate) fn act(&mut self, end: usize, act: impl FnOnce(&mut End, Instant) -> Vec<Bytes>) {
        let sent = act(Arc::make_mut(&mut self.ends[end]), self.now);
        let sent_at = self.now;
        self.network.extend(sent.into_iter().map(|bytes| Flying { to: 1 - end, bytes, sent_at }));
    }

    /// Time passes. What has been under way for longer than a segment lives is gone.
    pub(crate) fn wait_until(&mut self, at: Instant, msl: Duration) {
        self.now = self.now.max(at);
        let now = self.now;
        self.network.retain(|packet| now.saturating_since(packet.sent_at) <= msl);
    }

    /// Delivers one packet.
    pub(crate) fn deliver(&mut self, packet: Flying) {
        self.act(packet.to, |end, now| end.receive(now, packet.bytes));
    }

    /// The end whose timer is due first, and when.
    #[must_use]
    pub fn first_deadline(&self) -> Option<(Instant, usize)> {
        let due = |end: usize| self.ends[end].deadline().map(|at| (at, end));
        due(0).into_iter().chain(due(1)).min()
    }

    /// The canonical form: equal for two worlds in which the same can happen.
    #[must_use]
    pub fn form(&self) -> Form {
        let base = [self.ends[0].base(), self.ends[1].base()];
        let origin = |end: usize| Origin { now: self.now, own: base[end], peer: base[1 - end] };
        let mut form = Form::new(origin(0));
        for place in [0, 1] {
            form.set_origin(origin(place));
            self.ends[place].canonical(&mut form);
            let coming = self.network.iter().filter(|packet| packet.to == 1 - place);
            form.count(coming.clone().count());
            coming.for_each(|packet| packet_form(packet, &mut form));
        }
        form.text(&self.spent);
        form
    }
}

/// A packet, relative to its sender.
fn packet_form(packet: &Flying, form: &mut Form) {
    form.age(packet.sent_at, Duration::MAX);
    let Some((header, payload)) = packet.segment() else { return form.bytes(&packet.bytes) };
    let Header { src_port: _, dst_port: _, seq, ack, flags, window, urgent, options } = header;
    form.own(seq);
    // Without the flag the field says nothing.
    form.option(flags.contains(Flags::ACK).then_some(ack), Form::peer);
    form.word(flags.bits());
    form.word(window);
    form.word(urgent);
    form.option(options.timestamps, |form, Timestamps { value, echo }| {
        form.stamp(value);
        form.option((echo != 0).then_some(echo), Form::stamp);
    });
    for SackBlock { left, right } in options.sack.as_slice() {
        form.peer(*left);
        form.peer(*right);
    }
    form.text(&(options.mss, options.window_scale, options.sack_permitted));
    form.bytes(payload);
}
