//! Where explicit congestion notification meets the connection: what marks are counted, fed
//! back and answered.

use alloc::boxed::Box;

use handclasp_wire::ip::Ecn;
use handclasp_wire::tcp::{Flags, Header};

use super::Connection;
use crate::context::Context;
use crate::ecn::accurate::Accurate;
use crate::ecn::classic::Classic;
use crate::ecn::{self, Agreed, Carriage, Feedback};
use crate::event::{Event, Purpose};
use crate::receive::Urge;

impl Connection {
    /// What the handshake agreed on.
    pub(super) fn ecn_agreed(&self) -> Agreed {
        match self.ecn.as_deref() {
            None => Agreed::None,
            Some(Feedback::Classic(_)) => Agreed::Classic,
            Some(Feedback::Accurate(_)) => Agreed::Accurate,
        }
    }

    /// We are the server, and our SYN-ACK agrees to this; the SYN came with the field `syn`.
    pub(super) fn serve_ecn(&mut self, agreed: Agreed, syn: Ecn) {
        let iss = self.snd.iss;
        self.ecn = match agreed {
            Agreed::None => None,
            Agreed::Classic => Some(Box::new(Feedback::Classic(Classic::new(iss)))),
            Agreed::Accurate => Some(Box::new(Feedback::Accurate(Accurate::server(iss, syn)))),
        };
    }

    /// The bits of our SYN-ACK.
    pub(super) fn syn_ack_ecn(&self) -> Flags {
        match self.ecn.as_deref() {
            None => Flags::empty(),
            Some(Feedback::Classic(_)) => Flags::ECE,
            Some(Feedback::Accurate(accurate)) => accurate.syn_ack_bits(),
        }
    }

    /// We are the client, and this is the SYN-ACK.
    pub(super) fn take_ecn(&mut self, syn_ack: &Header, carriage: Carriage) {
        let iss = self.snd.iss;
        self.ecn = match self.config.ecn.agreed(syn_ack.flags) {
            Agreed::None => None,
            Agreed::Classic => Some(Box::new(Feedback::Classic(Classic::new(iss)))),
            Agreed::Accurate => {
                // Our SYN left without a mark; a report of another is of an altered path.
                let report = ecn::report(ecn::ace(syn_ack.flags));
                let intact = report.is_none_or(|field| field == Ecn::NotEct);
                let client = Accurate::client(iss, carriage.ecn, intact);
                Some(Box::new(Feedback::Accurate(client)))
            }
        };
    }

    /// An acceptable segment came in with `len` bytes of text: counts its marks, and sees to it
    /// that the peer hears of them soon.
    pub(super) fn note_marks(&mut self, header: &Header, carriage: Carriage, len: usize) {
        let at_once = match self.ecn.as_deref_mut() {
            None => return,
            Some(Feedback::Classic(classic)) => classic.received(header.flags, carriage.ecn, len),
            Some(Feedback::Accurate(accurate)) => {
                accurate.received(carriage.ecn, carriage.packets, len)
            }
        };
        if carriage.ecn == Ecn::Ce {
            self.stats.marks_in += u64::from(carriage.packets);
        }
        if at_once && len > 0 {
            self.rcv.owed.urge = Urge::Now;
        }
    }

    /// The first segment behind the SYN-ACK, of whose bits accurate feedback has a meaning of
    /// their own.
    pub(super) fn note_first_report(&mut self, cx: &Context<'_>, header: &Header, len: usize) {
        if let Some(Feedback::Accurate(accurate)) = self.ecn.as_deref_mut() {
            let smss = u32::from(self.snd.smss);
            let marks = accurate.reported(header, 0, smss, len == 0);
            self.answer_marks(cx, header, marks, 0);
        }
    }

    /// What an acceptable ACK feeds back, which acknowledges or reports `delivered` bytes that
    /// were not known to have arrived, while `in_flight` bytes were under way. Returns whether
    /// it tells of marks: such an ACK opens no window (RFC 3168 §6.1.2).
    pub(super) fn note_report(
        &mut self,
        cx: &Context<'_>,
        header: &Header,
        delivered: u32,
        in_flight: u32,
    ) -> bool {
        let smss = u32::from(self.snd.smss).max(1);
        let packets = delivered.div_ceil(smss);
        let marks = match self.ecn.as_deref_mut() {
            None => return false,
            Some(Feedback::Classic(_)) => u32::from(header.flags.contains(Flags::ECE)),
            // One that acknowledges nothing new may be older than what we know.
            Some(Feedback::Accurate(_)) if delivered == 0 => 0,
            Some(Feedback::Accurate(accurate)) => accurate.reported(header, packets, smss, false),
        };
        self.answer_marks(cx, header, marks, in_flight);
        marks > 0
    }

    /// Slows down for marks as for a loss, once for a window of data (RFC 3168 §6.1.2).
    fn answer_marks(&mut self, cx: &Context<'_>, header: &Header, marks: u32, in_flight: u32) {
        if marks == 0 {
            return;
        }
        self.stats.marks_reported += u64::from(marks);
        cx.record(&self.tuple, || Event::Marked { packets: marks });
        let nxt = self.snd.nxt;
        let anew = match self.ecn.as_deref_mut() {
            Some(Feedback::Classic(classic)) => classic.marker.answers(header.ack, nxt),
            Some(Feedback::Accurate(accurate)) => accurate.marker.answers(header.ack, nxt),
            None => false,
        };
        // While losses are repaired the window has been reduced for these data.
        if anew && self.snd.recovery.is_open() {
            self.snd.congestion_marked(cx.now, in_flight, self.stats.bytes_resent);
            self.window_reduced();
            self.record_congestion(cx);
        }
    }

    /// The window was reduced: marks of what was sent before are answered with that, and a
    /// classic peer hears of it (RFC 3168 §6.1.2).
    pub(super) fn window_reduced(&mut self) {
        let nxt = self.snd.nxt;
        match self.ecn.as_deref_mut() {
            None => {}
            Some(Feedback::Classic(classic)) => classic.window_reduced(nxt),
            Some(Feedback::Accurate(accurate)) => accurate.marker.answered = nxt,
        }
    }

    /// Whether the next segment must leave alone: a device that cuts bursts clears CWR on all
    /// segments but the first, and does not know the bits' newer meaning.
    pub(super) fn ecn_forbids_bursts(&self) -> bool {
        match self.ecn.as_deref() {
            None => false,
            Some(Feedback::Classic(classic)) => classic.speaks_once(),
            Some(Feedback::Accurate(accurate)) => accurate.looks_reduced(),
        }
    }

    /// Puts what is fed back on a segment that leaves. Returns the ECN field of its packet: only
    /// new data is capable (RFC 3168 §5.2, §6.1.4 to §6.1.6).
    pub(super) fn mark(&mut self, header: &mut Header, len: usize, purpose: Purpose) -> Ecn {
        let Some(feedback) = self.ecn.as_deref_mut() else { return Ecn::NotEct };
        if header.flags.intersects(Flags::SYN | Flags::RST) {
            return Ecn::NotEct;
        }
        let new = purpose == Purpose::Data && len > 0;
        let marker = match feedback {
            Feedback::Classic(classic) => {
                header.flags |= classic.bits(new);
                classic.marker
            }
            Feedback::Accurate(accurate) => {
                header.flags |= accurate.bits(len == 0);
                // With text only where there is room: a full segment has none. SACK blocks come
                // first (RFC 9768 §3.2.3.3).
                let room = len + 12 <= usize::from(self.snd.smss) && header.options.sack.is_empty();
                if let Some(option) = accurate.option().filter(|_| room) {
                    header.options.acc_ecn = Some(option);
                    accurate.option_sent();
                }
                accurate.marker
            }
        };
        if new && marker.active { Ecn::Ect0 } else { Ecn::NotEct }
    }
}
