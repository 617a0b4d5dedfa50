//! What may go wrong with what one end sends: resent, kept waiting, reset.

use std::time::Duration;

use handclasp_tcp::State;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

use super::Sight;
use super::evidence::Frames;
use crate::capture::dissect::Segment;
use crate::mark::{Analysis, Marks};

/// What one end did or suffered.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    /// What it sent again; most connections nothing.
    again: Option<Box<Again>>,
    /// Times when its own window was closed; most are never.
    pub closed: Option<Box<Closed>>,
    /// Its first FIN.
    pub fin: Option<Sight>,
    /// Its first data.
    pub data: Option<Sight>,
    /// The highest number that the other end acknowledged.
    pub acknowledged: Option<SeqNumber>,
    /// Segments with data behind which the other end's window had no room for another as large.
    pub limited: Frames,
    /// Segments whose checksum is wrong.
    pub damaged: Frames,
    /// Segments that are the ones before them, captured again.
    pub copies: Frames,
    /// The last segment.
    previous: Option<Previous>,
}

/// What tells whether the next segment is the same one.
#[derive(Clone, Copy, Debug)]
struct Previous {
    at: Instant,
    seq: SeqNumber,
    len: u32,
    flags: Flags,
    id: u16,
}

impl Previous {
    fn new(segment: &Segment<'_>) -> Self {
        let (at, seq, len) = (segment.at, segment.header.seq, segment.len);
        Self { at, seq, len, flags: segment.header.flags, id: segment.ip.id.unwrap_or(0) }
    }

    /// Whether that segment is this one, captured again.
    fn is_copied_by(&self, next: &Self) -> bool {
        /// No timer fires so soon.
        const AT_ONCE: Duration = Duration::from_millis(1);
        let alike = self.seq == next.seq && self.len == next.len && self.flags == next.flags;
        let carries = self.len > 0 || self.flags.intersects(Flags::SYN | Flags::FIN);
        // Zero is what systems that do not count write on every packet. Of these, what carries
        // nothing may be said twice.
        let same = match self.id {
            0 => next.id == 0 && carries && next.at - self.at < AT_ONCE,
            id => id == next.id,
        };
        alike && same
    }
}

/// What an end sent again.
#[derive(Clone, Debug, Default)]
struct Again {
    worst: Resent,
    /// What it sent again last.
    current: Resent,
    /// The last frame that sent something again.
    last: u64,
    longest_wait: Duration,
}

/// A segment that was sent again.
#[derive(Clone, Debug, Default)]
pub struct Resent {
    /// Its number.
    pub seq: SeqNumber,
    /// Its bytes of payload.
    pub len: u32,
    /// The frames that sent it again.
    pub frames: Frames,
}

/// Times when a window was closed.
#[derive(Clone, Debug, Default)]
pub struct Closed {
    since: Option<Sight>,
    /// How often it closed.
    pub times: u64,
    /// For how long in all.
    pub total: Duration,
    /// For how long at once.
    pub longest: Duration,
    /// The packets that closed it.
    pub frames: Frames,
}

impl Closed {
    fn see(&mut self, sight: Sight, open: bool) {
        match (self.since, open) {
            (None, false) => {
                self.since = Some(sight);
                self.times += 1;
                self.frames.add(sight.frame);
            }
            (Some(since), _) => {
                let time = sight.at - since.at;
                self.longest = self.longest.max(time);
                if open {
                    self.since = None;
                    self.total += time;
                }
            }
            (None, true) => {}
        }
    }

    /// Whether it is closed still.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.since.is_some()
    }
}

impl Troubles {
    /// Whether this segment is the one before it, captured again; it is remembered as such.
    pub(super) fn copied(&mut self, segment: &Segment<'_>) -> bool {
        let this = Previous::new(segment);
        let is = self.previous.replace(this).is_some_and(|last| last.is_copied_by(&this));
        if is {
            self.copies.add(segment.number);
        }
        is
    }

    pub(super) fn sent(&mut self, segment: &Segment<'_>, analysis: &Analysis, copied: bool) {
        let (flags, sight) = (segment.header.flags, Sight::of(segment));
        if segment.len > 0 {
            self.data.get_or_insert(sight);
        }
        if flags.contains(Flags::FIN) {
            self.fin.get_or_insert(sight);
        }
        if segment.checksum_ok == Some(false) {
            self.damaged.add(segment.number);
        }
        if !flags.intersects(Flags::SYN | Flags::RST) {
            let open = segment.header.window != 0;
            if !open || self.closed.is_some() {
                self.closed.get_or_insert_default().see(sight, open);
            }
        }
        if analysis.marks.contains(Marks::RETRANSMISSION) && segment.len > 0 && !copied {
            self.sent_again(segment, analysis);
        }
    }

    fn sent_again(&mut self, segment: &Segment<'_>, analysis: &Analysis) {
        let seq = segment.header.seq;
        let Again { worst, current, last, longest_wait } =
            &mut **self.again.get_or_insert_default();
        *last = segment.number;
        if current.seq != seq || current.frames.count() == 0 {
            *current = Resent { seq, len: 0, frames: Frames::default() };
        }
        current.len = current.len.max(segment.len);
        current.frames.add(segment.number);
        if current.frames.count() >= worst.frames.count() {
            worst.clone_from(current);
        }
        let waited = analysis.rto.map_or(Duration::ZERO, |rto| rto.time);
        *longest_wait = (*longest_wait).max(waited);
    }

    /// The segment that it sent again most often in a row; none if it sent nothing again.
    #[must_use]
    pub fn worst(&self) -> Option<&Resent> {
        self.again.as_ref().map(|again| &again.worst)
    }

    /// The longest that something sent again had been waiting.
    #[must_use]
    pub fn longest_wait(&self) -> Duration {
        self.again.as_ref().map_or(Duration::ZERO, |again| again.longest_wait)
    }

    /// The last frame that sent something again; zero if none did.
    pub(super) fn last_resent(&self) -> u64 {
        self.again.as_ref().map_or(0, |again| again.last)
    }

    pub(super) fn acknowledge(&mut self, ack: SeqNumber) {
        self.acknowledged = Some(self.acknowledged.map_or(ack, |highest| highest.max(ack)));
    }
}

/// A RST, and how things stood.
#[derive(Clone, Copy, Debug)]
pub struct Reset {
    /// The end whose address it has.
    pub by: usize,
    /// The packet.
    pub sight: Sight,
    /// Its time to live.
    pub ttl: u8,
    /// Its sequence number as in the header.
    pub seq: u32,
    /// Whether it acknowledges something.
    pub has_ack: bool,
    /// Both states before it.
    pub before: [Option<State>; 2],
    /// Bytes of the other end that its sender had not acknowledged.
    pub unread: u32,
    /// Whether the other end had to believe it, as far as its packets show (RFC 5961 §3).
    pub believed: bool,
}

impl Reset {
    pub(super) fn new(
        by: usize,
        segment: &Segment<'_>,
        before: [Option<State>; 2],
        unread: u32,
        believed: bool,
    ) -> Self {
        Self {
            by,
            sight: Sight::of(segment),
            ttl: segment.ip.ttl,
            seq: segment.header.seq.0,
            has_ack: segment.header.flags.contains(Flags::ACK),
            before,
            unread,
            believed,
        }
    }
}
