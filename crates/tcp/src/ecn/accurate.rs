//! Feedback as RFC 9768 has it: each end counts the marks that it received, and every segment
//! says how many they are, modulo eight; an option has the bytes.

use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{AccEcn, AccEcnOrder};
use handclasp_wire::tcp::{Flags, Header};

use super::{Marker, ace, bits, reported};

/// Counters begin here, so that what clears the bits shows (RFC 9768 §3.2.1).
const MARKS: u32 = 5;
/// Of 24 bits.
const BYTES_MASK: u32 = 0xff_ffff;

/// How many marks may wait for an acknowledgment (RFC 9768 §3.2.2.5.1).
const MARKS_UNSAID: u32 = 2;

/// Payload received with each field: CE, ECT(0), ECT(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bytes {
    ce: u32,
    ect0: u32,
    ect1: u32,
}

impl Bytes {
    const START: Self = Self { ce: 0, ect0: 1, ect1: 1 };
}

#[derive(Clone, Debug)]
pub(crate) struct Accurate {
    pub(crate) marker: Marker,
    /// `r.cep`: packets received with a mark.
    marks: u32,
    bytes: Bytes,
    /// What the last option said, and how many more leave unasked (RFC 9768 §3.2.3.3).
    told: Bytes,
    options_due: u8,
    /// Marks since the last segment left, and whether the last data had one.
    unsaid: u32,
    last_marked: bool,
    /// `s.cep`: marks that the peer counted, as far as is known, and the bytes of its option.
    peer_marks: u32,
    peer_bytes: u32,
    /// The field that a server's SYN came with.
    syn: Ecn,
    /// The code that our ACK of the SYN-ACK says (§3.2.2.1).
    first: Option<u8>,
    /// The peer's first segment behind the SYNs was not seen yet.
    fresh: bool,
}

impl Accurate {
    fn new(iss: SeqNumber) -> Self {
        Self {
            marker: Marker { active: true, answered: iss },
            marks: MARKS,
            bytes: Bytes::START,
            told: Bytes::START,
            options_due: 2,
            unsaid: 0,
            last_marked: false,
            peer_marks: MARKS,
            peer_bytes: 0,
            syn: Ecn::NotEct,
            first: None,
            fresh: true,
        }
    }

    /// A client, whose SYN-ACK came with this field; `active` unless it tells of a path that
    /// alters what our SYN said (§3.2.2.3).
    pub(crate) fn client(iss: SeqNumber, syn_ack: Ecn, active: bool) -> Self {
        let mut new = Self::new(iss);
        new.marker.active = active;
        new.marks += u32::from(syn_ack == Ecn::Ce);
        new.first = Some(reported(syn_ack));
        // The server's count has no first code: its SYN-ACK was that.
        new.fresh = false;
        new
    }

    /// A server, whose SYN came with this field.
    pub(crate) fn server(iss: SeqNumber, syn: Ecn) -> Self {
        Self { syn, ..Self::new(iss) }
    }

    /// The bits of a server's SYN-ACK (§3.1.2).
    pub(crate) fn syn_ack_bits(&self) -> Flags {
        bits(reported(self.syn))
    }

    /// An acceptable segment came in so many packets, with `len` bytes of text. Returns whether
    /// it is to be acknowledged at once (§3.2.2.5.1).
    pub(crate) fn received(&mut self, ecn: Ecn, packets: u16, len: usize) -> bool {
        let marked = ecn == Ecn::Ce;
        let len = len as u32;
        let count = |sum: u32| sum.wrapping_add(len) & BYTES_MASK;
        match ecn {
            Ecn::NotEct => {}
            Ecn::Ect0 => self.bytes.ect0 = count(self.bytes.ect0),
            Ecn::Ect1 => self.bytes.ect1 = count(self.bytes.ect1),
            Ecn::Ce => {
                self.bytes.ce = count(self.bytes.ce);
                self.marks = self.marks.wrapping_add(u32::from(packets));
                self.unsaid = self.unsaid.saturating_add(u32::from(packets));
            }
        }
        let begins = marked && len > 0 && !self.last_marked;
        if len > 0 {
            self.last_marked = marked;
        }
        begins || marked && self.unsaid >= MARKS_UNSAID
    }

    /// The peer's segment says that it received marks: how many, of `packets` with at most
    /// `smss` bytes each that it newly acknowledges or reports. `first` is whether it ends the
    /// handshake without text.
    pub(crate) fn reported(
        &mut self,
        header: &Header,
        packets: u32,
        smss: u32,
        first: bool,
    ) -> u32 {
        let ace = ace(header.flags);
        if core::mem::take(&mut self.fresh) {
            if ace == 0 {
                // Something clears the bits: nobody would tell us of marks (§3.2.2.4).
                self.marker.active = false;
                return 0;
            }
            if first {
                let marked = super::report(ace) == Some(Ecn::Ce);
                self.peer_marks += u32::from(marked);
                return u32::from(marked);
            }
        }
        let delta = u32::from(ace).wrapping_sub(self.peer_marks) & 7;
        let bytes = header.options.acc_ecn.and_then(|option| self.newly_marked(&option));
        let delta = likely(delta, packets, smss, bytes);
        self.peer_marks = self.peer_marks.wrapping_add(delta);
        delta
    }

    /// Bytes with a mark that the option newly tells of; `None` if it is of an ACK that others
    /// overtook.
    fn newly_marked(&mut self, option: &AccEcn) -> Option<u32> {
        let told = option.counters[1]?;
        let bytes = told.wrapping_sub(self.peer_bytes) & BYTES_MASK;
        if bytes > BYTES_MASK / 2 {
            return None;
        }
        self.peer_bytes = told;
        Some(bytes)
    }

    /// The bits of a segment that leaves; `bare` if it has no text.
    pub(crate) fn bits(&mut self, bare: bool) -> Flags {
        self.unsaid = 0;
        match self.first.take() {
            Some(code) if bare => bits(code),
            _ => bits((self.marks & 7) as u8),
        }
    }

    /// Whether the bits contain CWR, which a device that cuts bursts would take for its old
    /// meaning.
    pub(crate) const fn looks_reduced(&self) -> bool {
        self.marks & 0b010 != 0
    }

    /// The option, where there is something to tell (§3.2.3.3).
    pub(crate) fn option(&self) -> Option<AccEcn> {
        (self.options_due > 0 || self.told != self.bytes).then(|| option(self.bytes))
    }

    /// The option left.
    pub(crate) fn option_sent(&mut self) {
        self.told = self.bytes;
        self.options_due = self.options_due.saturating_sub(1);
    }
}

/// How many marks three bits stand for that may have gone round: the most that fit, as it is
/// safest (§3.2.2.5.2, appendix A.2), or where the bytes are known the least that explain them.
fn likely(delta: u32, packets: u32, smss: u32, bytes: Option<u32>) -> u32 {
    let most = if packets <= 7 { delta } else { packets - (packets - delta) % 8 };
    let Some(bytes) = bytes else { return most };
    let least = bytes.div_ceil(smss.max(1));
    let rounds = least.saturating_sub(delta).div_ceil(8);
    (delta + 8 * rounds).min(most.max(delta))
}

/// The option of a SYN-ACK, which nothing was received before.
pub(crate) fn first_option() -> AccEcn {
    option(Bytes::START)
}

/// ECT(0) first: it is what we are sent, and a middle that cuts options spares the front.
fn option(bytes: Bytes) -> AccEcn {
    let counters = [Some(bytes.ect0), Some(bytes.ce), Some(bytes.ect1)];
    AccEcn { order: AccEcnOrder::Ect0First, counters }
}
