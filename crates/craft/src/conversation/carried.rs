//! What carries on from one packet of a connection to the next.

use handclasp_tcp::Tuple;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, TcpOption, TcpView};
use handclasp_wire::time::Instant;

use crate::dissect::{Start, address_value, dissect};
use crate::field::{Family, Field};
use crate::template::{Payload, Setting, Template};

/// What of a packet concerns the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// The sender's ends; `None` of a segment without addresses.
    pub(super) from: Option<Tuple>,
    pub(super) seq: SeqNumber,
    pub(super) ack: SeqNumber,
    pub(super) flags: Flags,
    timestamps: Option<Timestamps>,
    payload: u32,
}

impl Segment {
    /// Reads a packet; `None` if it is no whole TCP packet.
    pub(super) fn read(packet: &[u8], start: Start) -> Option<Self> {
        let (layout, _) = dissect(packet, start);
        let tcp = TcpView::parse(layout.segment(packet)?).ok()?;
        let ends = layout.addresses(packet);
        let from = ends.map(|(src, dst)| Tuple {
            local_ip: src,
            remote_ip: dst,
            local_port: tcp.src_port(),
            remote_port: tcp.dst_port(),
        });
        Some(Self {
            from,
            seq: tcp.seq(),
            ack: tcp.ack(),
            flags: tcp.flags(),
            timestamps: tcp.to_header().options.timestamps,
            payload: tcp.payload().len() as u32,
        })
    }

    /// `seg.len`.
    pub(super) fn len(&self) -> u32 {
        let counts = |flag| u32::from(self.flags.contains(flag));
        self.payload + counts(Flags::SYN) + counts(Flags::FIN)
    }

    pub(super) fn end(&self) -> SeqNumber {
        self.seq + self.len()
    }
}

/// The connection as far as its next packet needs it, by RFC 9293's names.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    /// Whose connection it is, from our side: that of the first packet sent or expected.
    tuple: Option<Tuple>,
    iss: Option<SeqNumber>,
    snd_nxt: Option<SeqNumber>,
    irs: Option<SeqNumber>,
    rcv_nxt: Option<SeqNumber>,
    /// The number behind our FIN, and whether it was acknowledged.
    fin: Option<(SeqNumber, bool)>,
    /// The number behind the peer's FIN.
    peer_fin: Option<SeqNumber>,
    /// The acknowledgment that we sent last.
    acknowledged: Option<SeqNumber>,
    /// Whether the peer may know of the connection.
    open: bool,
    clock: Clock,
}

/// Timestamps (RFC 7323 §3): in use if both SYNs have them.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// What our last timestamp was, and when.
    ours: Option<(u32, Instant)>,
    /// What to echo: TSval of the peer's last segment in order.
    recent: Option<u32>,
}

impl Carried {
    pub(super) const fn tuple(&self) -> Option<Tuple> {
        self.tuple
    }

    pub(super) const fn rcv_nxt(&self) -> Option<SeqNumber> {
        self.rcv_nxt
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// Whether both SYNs were seen, so that a FIN would have a meaning for the peer.
    pub(super) const fn can_close(&self) -> bool {
        self.snd_nxt.is_some() && self.rcv_nxt.is_some()
    }

    pub(super) const fn fin_sent(&self) -> bool {
        self.fin.is_some()
    }

    pub(super) fn owes_ack(&self) -> bool {
        self.rcv_nxt.is_some() && self.acknowledged != self.rcv_nxt
    }

    /// Whether both FINs have arrived.
    pub(super) const fn is_closed(&self) -> bool {
        matches!((self.fin, self.peer_fin), (Some((_, true)), Some(_)))
    }

    /// Whether a packet that arrived is of this connection, as far as that is settled.
    pub(super) fn is_ours(&self, segment: &Segment) -> bool {
        self.tuple.is_none_or(|ours| segment.from == Some(ours.reversed()))
    }

    /// The template of our next packet: what it leaves open carries on.
    pub(super) fn continued(&self, mut template: Template, now: Instant) -> Template {
        if let Some(tuple) = self.tuple {
            template.family = template.family.or(Some(Family::of(tuple.local_ip)));
            template.carry(Field::Src, address_value(tuple.local_ip));
            template.carry(Field::Dst, address_value(tuple.remote_ip));
            template.carry(Field::SrcPort, tuple.local_port.into());
            template.carry(Field::DstPort, tuple.remote_port.into());
        }
        if let Some(seq) = self.snd_nxt {
            template.carry(Field::Seq, seq.0.into());
        }
        if self.rcv_nxt.is_some() {
            let data = !matches!(&template.payload, None | Some(Payload::Len(0)));
            let flags = if data { Flags::ACK | Flags::PSH } else { Flags::ACK };
            let flags = if self.snd_nxt.is_none() { Flags::SYN | Flags::ACK } else { flags };
            template.carry(Field::Flags, flags.bits().into());
        }
        let flags = template.given(Field::Flags).unwrap_or(Flags::SYN.bits().into());
        let flags = Flags::from_bits_truncate(flags as u16);
        if let (Some(ack), true) = (self.rcv_nxt, flags.contains(Flags::ACK)) {
            template.carry(Field::Ack, ack.0.into());
        }
        if let (Some((value, at)), Some(echo), None) =
            (self.clock.ours, self.clock.recent, &template.options)
        {
            // A tick a millisecond, as Linux has it.
            let value = value.wrapping_add((now - at).as_millis() as u32);
            let timestamps = TcpOption::Timestamps(Timestamps { value, echo });
            template = template.with_options(&[TcpOption::Nop, TcpOption::Nop, timestamps]);
        }
        template
    }

    /// The template of what is expected, with what `auto` means for it.
    pub(super) fn expected(&self, what: &Template) -> Template {
        let mut expected = what.clone();
        for (field, number) in [(Field::Seq, self.rcv_nxt), (Field::Ack, self.snd_nxt)] {
            let wanted = what.fields.get(&field);
            if let (Some(Setting::Auto(_)), Some(number)) = (wanted, number) {
                expected.carry(field, number.0.into());
            }
        }
        expected
    }

    pub(super) fn sent(&mut self, segment: &Segment, now: Instant) {
        self.tuple = self.tuple.or(segment.from);
        if segment.flags.contains(Flags::ACK) {
            self.acknowledged = Some(segment.ack);
        }
        if let Some(timestamps) = segment.timestamps {
            self.clock.ours = Some((timestamps.value, now));
        }
        let exact = self.snd_nxt.is_none_or(|next| segment.seq == next);
        if segment.flags.contains(Flags::RST) && exact {
            // A SYN behind it begins another connection.
            *self = Self { tuple: self.tuple, snd_nxt: self.snd_nxt, ..Self::default() };
        }
        if segment.flags.contains(Flags::RST) {
            return;
        }
        self.open = true;
        let continues = self.snd_nxt.is_none_or(|next| segment.seq.le(next));
        if segment.flags.contains(Flags::SYN) {
            (self.iss, self.snd_nxt) = (Some(segment.seq), Some(segment.end()));
            self.fin = None;
        } else if continues {
            // What was put out of order on purpose is not where the stream goes on.
            let end = segment.end();
            self.snd_nxt = Some(self.snd_nxt.map_or(end, |next| next.max(end)));
        }
        if segment.flags.contains(Flags::FIN) && continues {
            self.fin = Some((segment.end(), false));
        }
    }

    pub(super) fn received(&mut self, segment: &Segment) {
        self.tuple = self.tuple.or(segment.from.map(|tuple| tuple.reversed()));
        if segment.flags.contains(Flags::RST) {
            // Of a segment that it cannot accept, a peer that lives on sends one too, whose
            // number is not its next (RFC 9293 §3.10.7.4).
            let exact = self.rcv_nxt.is_none_or(|next| segment.seq == next);
            self.open &= !exact;
            return;
        }
        self.open = true;
        if let (Some((end, acknowledged)), true) =
            (&mut self.fin, segment.flags.contains(Flags::ACK))
        {
            *acknowledged |= end.le(segment.ack);
        }
        if segment.flags.contains(Flags::SYN) {
            return self.received_syn(segment);
        }
        let in_order = self.rcv_nxt.is_none_or(|next| segment.seq.le(next));
        if !in_order {
            return;
        }
        if let (Some(_), Some(timestamps)) = (self.clock.recent, segment.timestamps) {
            self.clock.recent = Some(timestamps.value);
        }
        let end = segment.end();
        let next = self.rcv_nxt.map_or(end, |next| next.max(end));
        self.rcv_nxt = Some(next);
        if segment.flags.contains(Flags::FIN) && next == end {
            self.peer_fin = Some(end);
        }
    }

    /// Learns the peer's numbers from its SYN, if that is new and answers none but our last.
    fn received_syn(&mut self, segment: &Segment) {
        let answers = |iss: SeqNumber, next| iss.lt(segment.ack) && segment.ack.le(next);
        let acceptable = match (segment.flags.contains(Flags::ACK), self.iss, self.snd_nxt) {
            (true, Some(iss), Some(next)) => answers(iss, next),
            _ => true,
        };
        if !acceptable || self.irs == Some(segment.seq) {
            return;
        }
        (self.irs, self.rcv_nxt) = (Some(segment.seq), Some(segment.end()));
        // A peer without timestamps wants none.
        self.clock.recent = segment.timestamps.map(|timestamps| timestamps.value);
        if segment.flags.contains(Flags::ACK) && self.iss.is_some() {
            // Data in our SYN that the peer did not take is to be sent again.
            self.snd_nxt = Some(segment.ack);
        }
    }
}
