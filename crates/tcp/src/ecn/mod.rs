//! Explicit congestion notification: what a handshake agrees on (RFC 3168 §6.1.1, RFC 9768
//! §3.1), and the two ways to feed marks back.

pub(crate) mod accurate;
pub(crate) mod classic;

use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

use accurate::Accurate;
use classic::Classic;

/// Which ECN a connection asks for and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EcnMode {
    /// None: neither asked for nor agreed to.
    Off,
    /// Agreed to, in either form, where the peer asks; not asked for. Linux's default.
    #[default]
    OnRequest,
    /// Asked for in the form of RFC 3168; agreed to in either.
    Classic,
    /// Asked for in the form of RFC 9768; agreed to in either.
    Accurate,
}

/// What a handshake agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Agreed {
    /// No ECN.
    #[default]
    None,
    /// RFC 3168: one echo a round trip.
    Classic,
    /// RFC 9768: every mark is counted.
    Accurate,
}

/// How a segment came: what its packet tells beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carriage {
    /// The ECN field of its IP header.
    pub ecn: Ecn,
    /// How many packets of this kind it was joined from.
    pub packets: u16,
}

impl Default for Carriage {
    /// One packet that is not ECN-capable.
    fn default() -> Self {
        Self { ecn: Ecn::NotEct, packets: 1 }
    }
}

/// The three bits that ECN uses: ACE in RFC 9768's terms.
pub(crate) const BITS: Flags = Flags::AE.union(Flags::CWR).union(Flags::ECE);

/// The bits as RFC 9768 §3.1 counts them: AE, CWR, ECE from the highest on.
pub(crate) const fn ace(flags: Flags) -> u8 {
    (flags.contains(Flags::AE) as u8) << 2
        | (flags.contains(Flags::CWR) as u8) << 1
        | flags.contains(Flags::ECE) as u8
}

/// The bits that say `ace`.
pub(crate) fn bits(ace: u8) -> Flags {
    let mut flags = Flags::empty();
    flags.set(Flags::AE, ace & 0b100 != 0);
    flags.set(Flags::CWR, ace & 0b010 != 0);
    flags.set(Flags::ECE, ace & 0b001 != 0);
    flags
}

/// The code that reports the IP ECN field of a SYN or SYN-ACK (RFC 9768 §3.1.2, tables 2 and 3).
pub(crate) const fn reported(ecn: Ecn) -> u8 {
    match ecn {
        Ecn::NotEct => 0b010,
        Ecn::Ect1 => 0b011,
        Ecn::Ect0 => 0b100,
        Ecn::Ce => 0b110,
    }
}

/// The field that such a code reports; `None` for one that reports none.
pub(crate) const fn report(ace: u8) -> Option<Ecn> {
    Some(match ace {
        0b010 => Ecn::NotEct,
        0b011 => Ecn::Ect1,
        0b100 => Ecn::Ect0,
        0b110 => Ecn::Ce,
        _ => return None,
    })
}

impl EcnMode {
    /// The bits of our SYN, which timed out so many times: after one more try without success
    /// it may be the bits that something on the path does not like (RFC 3168 §6.1.1.1, RFC 9768
    /// §3.1.4.1).
    pub(crate) fn asks(self, timeouts: u8) -> Flags {
        match self {
            Self::Classic if timeouts == 0 => Flags::ECE | Flags::CWR,
            Self::Accurate if timeouts <= 1 => BITS,
            _ => Flags::empty(),
        }
    }

    /// What we agree to when a SYN asks with these bits (RFC 9768 §3.1.2, §3.1.3).
    pub(crate) const fn answers(self, syn: Flags) -> Agreed {
        match (self, ace(syn)) {
            (Self::Off, _) | (_, 0b000) => Agreed::None,
            (_, 0b011) => Agreed::Classic,
            // Combinations that mean nothing yet are for what comes after RFC 9768.
            _ => Agreed::Accurate,
        }
    }

    /// What a SYN-ACK with these bits agrees to, if we asked for it (RFC 9768 §3.1.2).
    pub(crate) const fn agreed(self, syn_ack: Flags) -> Agreed {
        match (self, ace(syn_ack)) {
            (Self::Off | Self::OnRequest, _) => Agreed::None,
            // A server that repeats our bits knows nothing of them.
            (_, 0b000 | 0b111) => Agreed::None,
            (_, 0b001) => Agreed::Classic,
            (Self::Classic, code) => {
                if code & 0b011 == 0b001 {
                    Agreed::Classic
                } else {
                    Agreed::None
                }
            }
            (Self::Accurate, _) => Agreed::Accurate,
        }
    }
}

/// The feedback of a connection that agreed on ECN.
#[derive(Clone, Debug)]
pub(crate) enum Feedback {
    Classic(Classic),
    Accurate(Accurate),
}

/// A sender's part: whether it marks its packets as capable, and when it last slowed down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marker {
    /// Our packets may say that they are ECN-capable, and we answer what is fed back.
    pub(crate) active: bool,
    /// Marks of what was sent before this were answered (RFC 3168 §6.1.2).
    pub(crate) answered: SeqNumber,
}

impl Marker {
    /// Whether an acknowledgment of `ack` tells of marks that were not answered yet: once for
    /// each window of data. What is answered next is what is sent from `nxt` on.
    pub(crate) fn answers(&mut self, ack: SeqNumber, nxt: SeqNumber) -> bool {
        let anew = self.active && ack.gt(self.answered);
        if anew {
            self.answered = nxt;
        }
        anew
    }
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
