//! What may go wrong with what one end sends: resent, kept waiting, reset.

use std::time::Duration;

use handclasp_tcp::State;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

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
    /// Segments whose checksum is wrong.
    pub damaged: Frames,
    /// Segments that are the ones before them, captured again: the same IPv4 identification.
    pub copies: Frames,
    /// The last segment's number, length and identification.
    previous: Option<(SeqNumber, u32, u16)>,
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
    pub(super) fn sent(&mut self, segment: &Segment<'_>, analysis: &Analysis) {
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
        // Zero is what systems that do not count write on every packet.
        let id = segment.ip.id.filter(|&id| id != 0);
        let this = id.map(|id| (segment.header.seq, segment.len, id));
        if this.is_some() && self.previous == this {
            self.copies.add(segment.number);
        } else if analysis.marks.contains(Marks::RETRANSMISSION) && segment.len > 0 {
            self.sent_again(segment, analysis);
        }
        self.previous = this;
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
