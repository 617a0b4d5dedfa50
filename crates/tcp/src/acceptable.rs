//! Is this segment acceptable? Pure functions that every kind of connection, and who reads
//! captures, share.

use handclasp_wire::seq::SeqNumber;

/// The four-case test of RFC 9293 §3.4 and §3.10.7.4: does the segment touch the window?
#[must_use]
pub fn touches_window(rcv_nxt: SeqNumber, rcv_wnd: u32, seq: SeqNumber, seg_len: u32) -> bool {
    match (seg_len, rcv_wnd) {
        (0, 0) => seq == rcv_nxt,
        (0, _) => seq.within(rcv_nxt, rcv_wnd),
        (_, 0) => false,
        (_, _) => seq.within(rcv_nxt, rcv_wnd) || (seq + (seg_len - 1)).within(rcv_nxt, rcv_wnd),
    }
}

/// What a RST's sequence number makes of it (RFC 5961 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Exactly `rcv.nxt`: it is the peer's.
    Valid,
    /// Elsewhere in the window: the peer must prove it by repeating it on a challenge ACK.
    Challenge,
    /// Outside: ignored.
    Ignore,
}

/// Judges a RST at `seq`.
#[must_use]
pub fn reset(rcv_nxt: SeqNumber, rcv_wnd: u32, seq: SeqNumber) -> Reset {
    if seq == rcv_nxt {
        Reset::Valid
    } else if seq.within(rcv_nxt, rcv_wnd) {
        Reset::Challenge
    } else {
        Reset::Ignore
    }
}

/// What an acknowledgment number means to a sender (RFC 9293 §3.10.7.4, RFC 5961 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It acknowledges something new.
    New,
    /// It acknowledges what was acknowledged before.
    Old,
    /// It is older than any that the peer could still send.
    TooOld,
    /// It acknowledges what was not sent yet.
    Unsent,
}

/// Judges the acknowledgment `ack`; `max_wnd` is the greatest window the peer ever had.
#[must_use]
pub fn ack(snd_una: SeqNumber, snd_nxt: SeqNumber, max_wnd: u32, ack: SeqNumber) -> Ack {
    if ack.gt(snd_nxt) {
        Ack::Unsent
    } else if ack.gt(snd_una) {
        Ack::New
    } else if ack.lt(snd_una - max_wnd) {
        Ack::TooOld
    } else {
        Ack::Old
    }
}

/// Whether timestamp `value` is older than `recent` (PAWS, RFC 7323 §5.3): compared modulo
/// 2³² as sequence numbers are.
#[must_use]
pub fn timestamp_is_old(value: u32, recent: u32) -> bool {
    SeqNumber(value).lt(SeqNumber(recent))
}
