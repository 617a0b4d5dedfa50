//! A connection in Zeek's words: `conn_state` and `history`.

use handclasp_wire::tcp::Flags;

use crate::capture::dissect::Segment;
use crate::mark::{Analysis, Marks};

/// How far an end has come, in Zeek's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Inactive,
    SynSent,
    SynAckSent,
    /// It spoke, but its SYN was not captured.
    Partial,
    Established,
    Closed,
    Reset,
}

/// What Zeek would write into its `conn.log`.
#[derive(Clone, Debug, Default)]
pub struct Zeek {
    phases: [Phase; 2],
    history: String,
    /// The number of the last SYN, SYN-ACK, FIN and RST of each end, which are told of again
    /// only when it changes.
    told: [[Option<u32>; 4]; 2],
    /// Checksums, gaps, repetitions and zero windows of each end, told of at 1, 10, 100…
    counts: Option<Box<[[u32; 4]; 2]>>,
    bytes: u64,
}

/// Letters that come again with another number only.
const NUMBERED: [char; 4] = ['s', 'h', 'f', 'r'];
/// Letters that come again at every power of ten.
const COUNTED: [char; 4] = ['c', 'g', 't', 'w'];
/// More letters than these are no help to anybody.
const MAX_HISTORY: usize = 64;

impl Zeek {
    /// The next segment; `responds`: by the end that did not open the connection.
    pub(super) fn see(&mut self, responds: bool, segment: &Segment<'_>, analysis: &Analysis) {
        self.tell(responds, segment, analysis);
        self.bytes += u64::from(segment.len);
        let (me, it) = (usize::from(responds), usize::from(!responds));
        let flags = segment.header.flags;
        let has = |flag| flags.contains(flag);
        let phase = &mut self.phases[me];
        *phase = match *phase {
            // Who has closed is not undone by a RST to stragglers.
            Phase::Closed => Phase::Closed,
            _ if has(Flags::RST) => Phase::Reset,
            Phase::Inactive if has(Flags::SYN | Flags::ACK) => Phase::SynAckSent,
            Phase::Inactive if has(Flags::SYN) => Phase::SynSent,
            Phase::Inactive => Phase::Partial,
            Phase::SynSent if !has(Flags::SYN) && has(Flags::ACK) => Phase::Established,
            other => other,
        };
        if has(Flags::ACK) && self.phases[it] == Phase::SynAckSent && !has(Flags::RST) {
            self.phases[it] = Phase::Established;
        }
        // The answer settles it for both.
        if self.phases[me] == Phase::SynAckSent && self.phases[it] == Phase::SynSent {
            self.phases = [Phase::Established; 2];
        }
        if has(Flags::FIN) && !has(Flags::RST) {
            self.phases[me] = Phase::Closed;
        }
    }

    fn tell(&mut self, responds: bool, segment: &Segment<'_>, analysis: &Analysis) {
        let (flags, seq) = (segment.header.flags, segment.header.seq.0);
        let has = |flag| flags.contains(flag);
        let marked = |mark| analysis.marks.contains(mark);
        let counted = [
            segment.checksum_ok == Some(false),
            marked(Marks::LOST_SEGMENT),
            segment.len > 0 && marked(Marks::RETRANSMISSION),
            marked(Marks::ZERO_WINDOW),
        ];
        for (which, _) in counted.iter().enumerate().filter(|(_, happened)| **happened) {
            let counts = self.counts.get_or_insert_default();
            let count = &mut counts[usize::from(responds)][which];
            *count += 1;
            if 10u32.pow(count.ilog10()) == *count {
                self.push(responds, COUNTED[which]);
            }
        }
        let multiple = has(Flags::SYN) && flags.intersects(Flags::FIN | Flags::RST);
        let numbered = [
            has(Flags::SYN) && !has(Flags::ACK) && !multiple,
            has(Flags::SYN | Flags::ACK) && !multiple,
            has(Flags::FIN) && !has(Flags::SYN | Flags::RST),
            has(Flags::RST) && !multiple,
        ];
        if multiple {
            self.push_once(responds, 'q');
        } else if has(Flags::FIN | Flags::RST) {
            self.push_once(responds, 'i');
        }
        for (which, _) in numbered.iter().enumerate().filter(|(_, happened)| **happened) {
            if self.told[usize::from(responds)][which].replace(seq) != Some(seq) {
                self.push(responds, NUMBERED[which]);
            }
        }
        if segment.len > 0 {
            self.push_once(responds, 'd');
        } else if flags & (Flags::SYN | Flags::FIN | Flags::RST | Flags::ACK) == Flags::ACK {
            self.push_once(responds, 'a');
        }
    }

    fn push(&mut self, responds: bool, letter: char) {
        if self.history.len() < MAX_HISTORY {
            self.history.push(if responds { letter } else { letter.to_ascii_uppercase() });
        }
    }

    fn push_once(&mut self, responds: bool, letter: char) {
        let cased = if responds { letter } else { letter.to_ascii_uppercase() };
        if !self.history.contains(cased) {
            self.push(responds, letter);
        }
    }

    /// The letters, upper case for the end that opened the connection.
    #[must_use]
    pub fn history(&self) -> &str {
        &self.history
    }

    /// `S0`, `SF`, `REJ` and so on.
    #[must_use]
    pub fn conn_state(&self) -> &'static str {
        use Phase as P;
        let [orig, resp] = self.phases;
        let unknown = |phase| matches!(phase, P::Inactive | P::Partial);
        match (orig, resp) {
            (P::SynSent | P::SynAckSent, P::Reset) => "REJ",
            (P::Reset, P::Reset) if self.bytes == 0 => "REJ",
            (_, P::Reset) if unknown(orig) => "RSTRH",
            (_, P::Reset) => "RSTR",
            (P::Reset, _) if unknown(resp) => {
                let plain = self.history.starts_with('S')
                    && !self.history.contains(['H', 'A', 'F', 'G', 'I', 'Q']);
                if plain { "RSTOS0" } else { "OTH" }
            }
            (P::Reset, _) => "RSTO",
            (P::Closed, P::Closed) => "SF",
            (P::Closed, _) if resp == P::Inactive => "SH",
            (P::Closed, _) => "S2",
            (_, P::Closed) if orig == P::Inactive => "SHR",
            (_, P::Closed) => "S3",
            (P::SynSent, P::Inactive) => "S0",
            (P::Established, P::Established) => "S1",
            _ => "OTH",
        }
    }
}
