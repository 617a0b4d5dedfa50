//! Data in the handshake's first two packets (RFC 7413 §4.2).

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;
use handclasp_wire::tcp::options::FastOpen;
use handclasp_wire::tcp::{Flags, Header};

use super::Connection;
use crate::config::Config;
use crate::context::Context;
use crate::event::{Event, LossSign};
use crate::fast_open::{Known, Lesson, Part};
use crate::half_open::HalfOpen;
use crate::opening::Opening;
use crate::receive::Urge;
use crate::send::flight::Verdict;
use crate::state::State;
use crate::transmit::Slices;
use crate::tuple::Tuple;

impl Connection {
    /// Active open with Fast Open: what is written before the first
    /// [`Connection::poll_transmit`] leaves with the SYN, as far as the cookie and the
    /// server's MSS allow. The server may get that data twice (RFC 7413 §6.1).
    #[must_use]
    pub fn connect_fast(
        config: Arc<Config>,
        tuple: Tuple,
        opening: Opening,
        known: Known,
        cx: &Context<'_>,
    ) -> Self {
        let mut connection = Self::connect(config, tuple, opening, cx);
        connection.fast = Some(Box::new(Part::Asks { known, sent: 0 }));
        connection
    }

    /// What the handshake taught the client, once.
    pub fn take_lesson(&mut self) -> Option<Lesson> {
        match self.fast.as_deref() {
            Some(Part::Learned(lesson)) => {
                let lesson = *lesson;
                self.fast = None;
                Some(lesson)
            }
            _ => None,
        }
    }

    /// Whether the data of the SYN is taken, and data may be sent before the SYN-ACK is
    /// acknowledged.
    pub(super) fn serves_fast(&self) -> bool {
        matches!(self.fast.as_deref(), Some(Part::Serves { .. }))
    }

    /// The Fast Open option of a SYN or SYN-ACK that leaves for the first time.
    pub(super) fn fast_open_option(&self) -> Option<FastOpen> {
        match self.fast.as_deref()? {
            Part::Asks { known, .. } => Some(known.cookie),
            Part::Serves { renewed } => *renewed,
            Part::Learned(_) => None,
        }
    }

    /// The data that leaves with the first SYN: as much as the server's MSS and the path take
    /// beside the options (RFC 7413 §4.2.2).
    pub(super) fn send_with_syn(&mut self, cx: &Context<'_>, header: &Header) -> Slices {
        let Some(Part::Asks { known, sent }) = self.fast.as_deref_mut() else {
            return Slices::new();
        };
        if known.cookie.len == 0 {
            return Slices::new();
        }
        let path = self.path_mtu.saturating_sub(self.tuple.ip_header_len() + 20);
        let options = header.emitted_len() - 20;
        let room = usize::from(known.mss.min(path)).saturating_sub(options);
        let len = room.min(self.snd.queue.len());
        if len == 0 {
            return Slices::new();
        }
        *sent = len as u32;
        self.snd.sent(cx.now, len as u32);
        self.snd.queue.slices(0, len)
    }

    /// The SYN or SYN-ACK timed out: the next one is an ordinary one (RFC 7413 §4.2.2).
    pub(super) fn fall_back_from_fast(&mut self) {
        match self.fast.as_deref_mut() {
            Some(part @ Part::Asks { .. }) => *part = Part::Learned(Lesson::TimedOut),
            Some(Part::Serves { renewed }) => *renewed = None,
            Some(Part::Learned(_)) | None => {}
        }
    }

    /// The peer acknowledged our SYN by `header`: data that it did not take with it leaves
    /// again with the ACK (RFC 7413 §4.2.2).
    pub(super) fn settle_fast(&mut self, cx: &Context<'_>, header: &Header) {
        if let Some(Part::Asks { known, sent }) = self.fast.as_deref() {
            let taken = *sent > 0 && header.ack.gt(self.snd.iss + 1);
            let mss = self.negotiated.peer_mss;
            let lesson = match header.options.fast_open {
                Some(cookie) if cookie.len > 0 => {
                    Lesson::Remember { known: Known { cookie, mss }, taken }
                }
                // It kept silent about a cookie that it took, or that came without data.
                _ if taken || *sent == 0 && known.cookie.len > 0 => {
                    Lesson::Remember { known: Known { mss, ..*known }, taken }
                }
                _ => Lesson::Refused,
            };
            self.fast = Some(Box::new(Part::Learned(lesson)));
        } else if self.serves_fast() {
            // What left beside the SYN-ACK may still arrive.
            self.fast = None;
            return;
        }
        let nxt = self.snd.nxt;
        let by = LossSign::SynAck;
        let bytes = self.snd.flight.mark_lost(nxt, by, |_| Verdict::Lost).bytes;
        if bytes > 0 {
            cx.record(&self.tuple, || Event::Loss { bytes, by });
        }
    }

    /// The client's SYN again: our SYN-ACK was lost.
    pub(super) fn is_syn_again(&self, header: &Header) -> bool {
        self.serves_fast()
            && self.state == State::SynReceived
            && header.flags & (Flags::SYN | Flags::ACK | Flags::RST) == Flags::SYN
            && header.seq == self.rcv.irs
    }
}

impl HalfOpen {
    /// The connection at once, in SYN-RECEIVED, with the text of its SYN: that brought a
    /// cookie of ours (RFC 7413 §4.2.2). The first [`Connection::poll_transmit`] is the
    /// SYN-ACK, with the cookie `renewed` if there is one.
    #[must_use]
    pub fn open_fast(
        self,
        config: Arc<Config>,
        tuple: Tuple,
        syn: &Header,
        mut text: Bytes,
        renewed: Option<FastOpen>,
        cx: &Context<'_>,
    ) -> Connection {
        let window = self.rcv_wnd();
        let mut c = self.into_connection(config, tuple, cx);
        c.fast = Some(Box::new(Part::Serves { renewed }));
        c.pending.syn = true;
        c.snd.wnd = u32::from(syn.window);
        c.snd.max_wnd = c.snd.wnd;
        let smss = c.effective_mss();
        c.snd.start(&c.config, cx.now, smss, 0);
        text.truncate(usize::from(window));
        if !text.is_empty() {
            c.stats.data_segments_in += 1;
            c.stats.bytes_in += u64::from(c.rcv.take_in_order(text));
            // The SYN-ACK acknowledges it, and its window begins behind it.
            c.rcv.owed.urge = Urge::None;
            c.rcv.last_ack_sent = c.rcv.nxt;
            c.rcv.edge = c.rcv.nxt + u32::from(window);
            c.rcv.settle(cx.budget);
        }
        c
    }
}
