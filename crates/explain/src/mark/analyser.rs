//! The order in which a segment is judged, and what is remembered of it.

use std::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

use super::half::Half;
use super::{Analysis, Completeness, DuplicateAck, Marks, Scale, Since};
use crate::capture::dissect::Segment;

/// A retransmission this soon after a duplicate ACK was caused by it.
const FAST: Duration = Duration::from_millis(20);
/// A segment that is overtaken by no more than this is out of order, where the round trip is
/// not known.
const REORDERING: Duration = Duration::from_millis(3);

/// One connection's marks.
#[derive(Clone, Debug, Default)]
pub struct Analyser {
    halves: [Half; 2],
    /// When the last SYN without ACK was sent.
    syn_at: Option<Instant>,
    initial_rtt: Option<Duration>,
    completeness: Completeness,
    packets: u64,
}

/// What of a segment is judged.
struct Judged {
    frame: u64,
    at: Instant,
    seq: SeqNumber,
    /// The number behind it.
    end: SeqNumber,
    ack: SeqNumber,
    len: u32,
    window: u16,
    flags: Flags,
}

impl Judged {
    fn new(segment: &Segment<'_>) -> Self {
        let header = &segment.header;
        let controls = header.flags.intersects(Flags::SYN | Flags::FIN);
        Self {
            frame: segment.number,
            at: segment.at,
            seq: header.seq,
            end: header.seq + segment.len + u32::from(controls),
            ack: header.ack,
            len: segment.len,
            window: header.window,
            flags: header.flags,
        }
    }

    fn has(&self, flags: Flags) -> bool {
        self.flags.intersects(flags)
    }

    /// Neither opens nor closes anything.
    fn is_plain(&self) -> bool {
        !self.has(Flags::SYN | Flags::FIN | Flags::RST)
    }

    /// Carries nothing, stands at the end of what its sender sent, and acknowledges what it
    /// acknowledged before: whether it says anything is a matter of its window.
    fn repeats(&self, fwd: &Half) -> bool {
        self.len == 0 && self.is_plain() && fwd.next == Some(self.seq) && self.ack == fwd.last_ack
    }
}

impl Analyser {
    /// Whether a SYN with this number from this end begins another connection.
    #[must_use]
    pub fn is_reopened_by(&self, from: usize, isn: SeqNumber) -> bool {
        self.halves[from & 1].base.is_some_and(|base| base != isn)
    }

    /// This end's initial sequence number, seen or inferred.
    #[must_use]
    pub fn isn(&self, end: usize) -> Option<SeqNumber> {
        self.halves[end & 1].base
    }

    /// The window that this end advertised last, in bytes.
    #[must_use]
    pub fn window(&self, end: usize) -> Option<u32> {
        let half = &self.halves[end & 1];
        half.next.map(|_| u32::from(half.window) << half.shift())
    }

    /// The number behind the highest that this end sent, if it sent anything.
    #[must_use]
    pub fn next(&self, end: usize) -> Option<SeqNumber> {
        self.halves[end & 1].next
    }

    /// Segments of this end that were not acknowledged.
    #[must_use]
    pub fn unacknowledged(&self, end: usize) -> usize {
        self.halves[end & 1].unacked.len()
    }

    /// Gives back memory that an open connection needs and one that is over does not.
    pub fn shrink(&mut self) {
        self.halves.iter_mut().for_each(|half| half.unacked.shrink());
    }

    /// The scale of this end's windows.
    #[must_use]
    pub fn scale(&self, end: usize) -> Scale {
        self.halves[end & 1].scale
    }

    /// Judges the next segment; `from` is 0 or 1, the end that sent it.
    pub fn see(&mut self, from: usize, segment: &Segment<'_>) -> Analysis {
        let it = Judged::new(segment);
        let mut analysis = Analysis::default();
        self.note_completeness(&it);
        self.note_round_trip(&it);
        self.note_handshake(from, segment, &mut analysis);
        let [a, b] = &mut self.halves;
        let (fwd, rev) = if from == 0 { (a, b) } else { (b, a) };
        begin(fwd, rev, &it);
        // A segment that was sent after all others was not overtaken by one of them.
        let overtaken = match fwd.stamp.is_older_than(segment) {
            true => Duration::ZERO,
            false => self.initial_rtt.unwrap_or(REORDERING),
        };
        fwd.stamp.note(segment);
        judge(fwd, rev, &it, overtaken, &mut analysis);
        remember(fwd, rev, &it, segment, &mut analysis);
        number(fwd, rev, &it, &mut analysis);
        analysis.initial_rtt = self.initial_rtt;
        analysis.completeness = self.completeness;
        analysis
    }

    /// A segment that is none of its sender's: its numbers, and nothing else.
    #[must_use]
    pub fn glance(&self, from: usize, segment: &Segment<'_>) -> Analysis {
        let mut analysis = Analysis::default();
        let (fwd, rev) = (&self.halves[from & 1], &self.halves[1 - (from & 1)]);
        number(fwd, rev, &Judged::new(segment), &mut analysis);
        analysis
    }

    fn note_completeness(&mut self, it: &Judged) {
        use Completeness as C;
        let (syn, ack) = (it.has(Flags::SYN), it.has(Flags::ACK));
        let fin = it.has(Flags::FIN);
        self.packets += 1;
        self.completeness |= match (syn, ack) {
            (true, true) => C::SYN_ACK,
            (true, false) if self.packets == 1 => C::SYN,
            (false, true) if it.len == 0 && !fin => C::ACK,
            _ => C::empty(),
        };
        self.completeness |= if it.len > 0 { C::DATA } else { C::empty() };
        self.completeness.set(C::FIN, self.completeness.contains(C::FIN) || fin && ack);
        self.completeness |= if it.has(Flags::RST) { C::RST } else { C::empty() };
    }

    fn note_round_trip(&mut self, it: &Judged) {
        match (it.has(Flags::SYN), it.has(Flags::ACK)) {
            (true, false) => self.syn_at = Some(it.at),
            (false, true) if self.initial_rtt.is_none() => {
                self.initial_rtt = self.syn_at.map(|syn| it.at - syn);
            }
            _ => {}
        }
    }

    /// What only SYNs tell: ISNs and scales.
    fn note_handshake(&mut self, from: usize, segment: &Segment<'_>, analysis: &mut Analysis) {
        let header = &segment.header;
        if !header.flags.contains(Flags::SYN) {
            return;
        }
        let [a, b] = &mut self.halves;
        let (fwd, rev) = if from == 0 { (a, b) } else { (b, a) };
        let answers = header.flags.contains(Flags::ACK);
        match fwd.base {
            Some(base) if base != header.seq && answers => {
                analysis.marks |= Marks::REUSED_PORTS;
                fwd.next = None;
                fwd.max_ack = None;
            }
            // The same again: what may have been sent beyond it does not count.
            Some(base) if base == header.seq => fwd.next = fwd.max_ack,
            _ => {}
        }
        fwd.base = Some(header.seq);
        fwd.scale = header.options.window_scale.map_or(Scale::Unused, Scale::Shift);
        // Both ends must offer it, so that one that does not speaks for both.
        if fwd.scale == Scale::Unused || answers && rev.scale == Scale::Unused {
            (fwd.scale, rev.scale) = (Scale::Unused, Scale::Unused);
        }
    }
}

/// Where no SYN was captured, numbers are counted from what is seen first.
fn begin(fwd: &mut Half, rev: &mut Half, it: &Judged) {
    fwd.base.get_or_insert(it.seq - 1);
    if it.has(Flags::ACK) {
        rev.base.get_or_insert(it.ack - 1);
    }
}

/// Numbers that count from the ISNs, and the window in bytes.
fn number(fwd: &Half, rev: &Half, it: &Judged, analysis: &mut Analysis) {
    let syn = it.has(Flags::SYN);
    let base = if it.has(Flags::ACK) { rev.base.unwrap_or_default() } else { SeqNumber(0) };
    analysis.seq = it.seq - fwd.base.unwrap_or_default();
    analysis.ack = it.ack - base;
    analysis.scale = (!syn).then_some(fwd.scale);
    analysis.window = u32::from(it.window) << if syn { 0 } else { fwd.scale.shift() };
}

fn judge(
    fwd: &mut Half,
    rev: &mut Half,
    it: &Judged,
    overtaken: Duration,
    analysis: &mut Analysis,
) {
    judge_window(fwd, rev, it, analysis);
    if it.ack != fwd.last_ack {
        fwd.first_ack_frame = it.frame;
        fwd.duplicates = 0;
        fwd.told_lost = false;
    }
    judge_ack(fwd, rev, it, analysis);
    let carries = it.len > 0 || it.has(Flags::SYN | Flags::FIN);
    if carries && !analysis.marks.contains(Marks::KEEP_ALIVE) {
        let mark = judge_sequence(fwd, rev, it, overtaken);
        analysis.marks |= mark;
        if mark == Marks::RETRANSMISSION {
            let last = Since { frame: fwd.next_frame, time: it.at - fwd.next_at };
            analysis.rto = Some(fwd.unacked.oldest(it.at).unwrap_or(last));
        }
    }
}

/// Probes and windows. The first three that explain an empty segment leave nothing to be said
/// of its acknowledgment.
fn judge_window(fwd: &mut Half, rev: &Half, it: &Judged, analysis: &mut Analysis) {
    let marks = &mut analysis.marks;
    if it.len == 1 && fwd.next == Some(it.seq) && rev.window == 0 && rev.next.is_some() {
        *marks |= Marks::ZERO_WINDOW_PROBE;
        return;
    }
    if it.window == 0 && it.is_plain() {
        *marks |= Marks::ZERO_WINDOW;
    }
    if fwd.next.is_some_and(|next| it.seq.gt(next)) && !it.has(Flags::RST) {
        *marks |= Marks::LOST_SEGMENT;
        fwd.gap = true;
    }
    if it.len <= 1 && it.is_plain() && fwd.next == Some(it.seq + 1) {
        *marks |= Marks::KEEP_ALIVE;
    }
    let repeats = it.repeats(fwd);
    if repeats && it.window != 0 && it.window != fwd.window {
        *marks |= Marks::WINDOW_UPDATE;
    }
    let room = u32::from(rev.window) << rev.shift();
    if it.len > 0
        && it.is_plain()
        && rev.scale != Scale::Unknown
        && it.seq + it.len == rev.last_ack + room
    {
        *marks |= Marks::WINDOW_FULL;
    }
    if !repeats || it.window != fwd.window {
        return;
    }
    if it.window != 0 && rev.marks.contains(Marks::KEEP_ALIVE) {
        *marks |= Marks::KEEP_ALIVE_ACK;
    } else if it.window == 0 && rev.marks.contains(Marks::ZERO_WINDOW_PROBE) {
        *marks |= Marks::ZERO_WINDOW_PROBE_ACK;
    } else if it.window != 0 {
        *marks |= Marks::DUPLICATE_ACK;
        fwd.duplicates += 1;
        let (count, of) = (fwd.duplicates, fwd.first_ack_frame);
        analysis.duplicate_ack = Some(DuplicateAck { count, of });
    }
}

fn judge_ack(fwd: &mut Half, rev: &mut Half, it: &Judged, analysis: &mut Analysis) {
    let Some(max) = rev.max_ack else { return };
    if it.has(Flags::ACK) && it.ack.gt(max) {
        // Told once for each number: the same ACK again is told of as a duplicate.
        if rev.next == rev.max_ack && std::mem::replace(&mut fwd.told_lost, true) {
            return;
        }
        analysis.marks |= Marks::ACK_LOST_SEGMENT;
        rev.max_ack = rev.next;
    }
}

/// `overtaken`: for how long after a later one a segment may be out of order.
fn judge_sequence(fwd: &Half, rev: &Half, it: &Judged, overtaken: Duration) -> Marks {
    let Some(next) = fwd.next else { return Marks::empty() };
    // Data that takes the place of a probe's byte is new but for that byte.
    let old = it.seq.lt(next) && !(it.len > 1 && it.seq + 1 == next);
    if it.len > 0 && rev.last_ack != SeqNumber(0) && (it.seq + it.len).le(rev.last_ack) {
        return Marks::SPURIOUS_RETRANSMISSION | Marks::RETRANSMISSION;
    }
    if !old {
        return Marks::empty();
    }
    if rev.duplicates >= 2 && rev.last_ack == it.seq && it.at - rev.last_ack_at < FAST {
        return Marks::FAST_RETRANSMISSION | Marks::RETRANSMISSION;
    }
    if it.at - fwd.next_at < overtaken && next != it.end {
        return Marks::OUT_OF_ORDER;
    }
    Marks::RETRANSMISSION
}

fn remember(
    fwd: &mut Half,
    rev: &mut Half,
    it: &Judged,
    segment: &Segment<'_>,
    analysis: &mut Analysis,
) {
    let probe = analysis.marks.contains(Marks::ZERO_WINDOW_PROBE);
    if it.end != it.seq {
        fwd.unacked.add(it.frame, it.at, it.seq, it.end);
    }
    if !probe && fwd.next.is_none_or(|next| it.end.gt(next)) {
        (fwd.next, fwd.next_at, fwd.next_frame) = (Some(it.end), it.at, it.frame);
    }
    if !probe && fwd.max_ack.is_none_or(|max| max == it.seq) {
        fwd.max_ack = fwd.next;
    }
    (fwd.last_ack, fwd.last_ack_at) = (it.ack, it.at);
    (fwd.window, fwd.in_syn) = (it.window, it.has(Flags::SYN));
    fwd.marks = analysis.marks;
    fwd.sack = segment.header.options.sack;
    if it.has(Flags::ACK) {
        analysis.acks = rev.unacked.acknowledge(it.ack, it.at);
        rev.gap = false;
    }
    if it.len > 0 {
        analysis.bytes_in_flight = in_flight(fwd, rev, it);
        fwd.unpushed = fwd.unpushed.saturating_add(it.len);
        analysis.push_bytes = Some(fwd.unpushed);
        if it.has(Flags::PSH) {
            fwd.unpushed = 0;
        }
    }
}

fn in_flight(fwd: &Half, rev: &Half, it: &Judged) -> Option<u32> {
    if fwd.gap {
        return None;
    }
    let mut bytes = fwd.unacked.span()?;
    for block in rev.sack.as_slice() {
        bytes = bytes.saturating_sub(block.right - block.left);
    }
    bytes = bytes.saturating_sub(u32::from(it.has(Flags::SYN | Flags::FIN)));
    (bytes > 0).then_some(bytes)
}
