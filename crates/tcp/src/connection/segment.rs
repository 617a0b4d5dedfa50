//! Headers of the segments we send.

use bytes::Bytes;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{SackBlocks, Timestamps};
use handclasp_wire::tcp::{Flags, Header, Options};

use super::Connection;
use crate::context::Context;
use crate::event::{Event, Purpose};
use crate::negotiation;
use crate::receive::Urge;
use crate::receive::reassembly::sack_option;
use crate::state::State;
use crate::timer::Timer;
use crate::transmit::{IpFields, Slices, Transmit};

impl Connection {
    /// A header with everything that acknowledges: taking it counts as the ACK sent.
    pub(super) fn acknowledging(
        &mut self,
        cx: &Context<'_>,
        seq: SeqNumber,
        flags: Flags,
    ) -> Header {
        let window = self.rcv.announce(cx.budget);
        let options = Options {
            timestamps: self.timestamps_option(cx),
            sack: self.sack_option(),
            ..Options::default()
        };
        self.rcv.last_ack_sent = self.rcv.nxt;
        self.rcv.owed.urge = Urge::None;
        self.rcv.owed.bytes = 0;
        self.rcv.owed.dsack = None;
        self.timers.cancel(Timer::DelayedAck);
        Header {
            ack: self.rcv.nxt,
            flags: flags | Flags::ACK,
            window,
            options,
            ..self.bare_header(seq)
        }
    }

    /// Ports and sequence number.
    fn bare_header(&self, seq: SeqNumber) -> Header {
        Header {
            src_port: self.tuple.local_port,
            dst_port: self.tuple.remote_port,
            seq,
            ..Header::default()
        }
    }

    /// The SYN, or the SYN-ACK of a simultaneous open.
    pub(super) fn syn_header(&self, cx: &Context<'_>) -> Header {
        let ip_len = self.tuple.ip_header_len();
        let mut options = negotiation::syn_options(&self.config, &self.opening, ip_len, cx.now);
        let window = self.syn_window();
        let bare = self.bare_header(self.snd.iss);
        if self.state == State::SynSent {
            let ecn = self.config.ecn.asks(self.snd.unanswered);
            return Header { flags: Flags::SYN | ecn, window, options, ..bare };
        }
        let n = &self.negotiated;
        options.window_scale = n.scaling.then_some(n.rcv_scale);
        options.sack_permitted = n.sack;
        options.timestamps = self.timestamps_option(cx);
        let flags = Flags::SYN | Flags::ACK | self.syn_ack_ecn();
        Header { ack: self.rcv.nxt, flags, window, options, ..bare }
    }

    /// The RST that ends the connection: at `snd.nxt`, where the peer must believe it
    /// (RFC 5961 §3).
    pub(super) fn reset_header(&self, cx: &Context<'_>) -> Header {
        Header {
            ack: self.rcv.nxt,
            flags: Flags::RST | Flags::ACK,
            options: Options { timestamps: self.timestamps_option(cx), ..Options::default() },
            ..self.bare_header(self.snd.nxt)
        }
    }

    fn timestamps_option(&self, cx: &Context<'_>) -> Option<Timestamps> {
        self.negotiated
            .timestamps
            .then(|| Timestamps { value: self.stamp(cx), echo: self.rcv.ts_recent })
    }

    fn sack_option(&mut self) -> SackBlocks {
        if !self.negotiated.sack {
            return SackBlocks::new();
        }
        // 40 bytes of options hold four blocks, three beside timestamps (RFC 2018 §3).
        let max = if self.negotiated.timestamps { 3 } else { 4 };
        let nxt = self.rcv.nxt;
        sack_option(self.rcv.owed.dsack, self.rcv.reassembly.sack_blocks(nxt), max)
    }

    /// Bytes that the SACK option takes from a segment's payload, padding included.
    pub(super) fn sack_len(header: &Header) -> u16 {
        match header.options.sack.len() {
            0 => 0,
            n => 4 + 8 * n as u16,
        }
    }

    /// Wraps a segment up, and counts and records it.
    pub(super) fn emit(
        &mut self,
        cx: &Context<'_>,
        mut header: Header,
        payload: Slices,
        segment_size: Option<u16>,
        purpose: Purpose,
    ) -> Transmit {
        let len: usize = payload.iter().map(Bytes::len).sum();
        let ecn = self.mark(&mut header, len, purpose);
        let traffic_class = self.config.dscp << 2 | ecn as u8;
        let ip = IpFields { traffic_class, ttl: self.config.ttl.max(1) };
        let transmit = Transmit { header, payload, segment_size, ip };
        let segments = segment_size.map_or(1, |size| len.div_ceil(usize::from(size)) as u64);
        self.stats.segments_out += segments;
        self.stats.bytes_out += len as u64;
        if matches!(purpose, Purpose::Retransmit(_)) {
            self.stats.segments_resent += segments;
            self.stats.bytes_resent += len as u64;
        }
        cx.record(&self.tuple, || Event::Sent { header: &transmit.header, len, purpose });
        transmit
    }
}
