//! Segments that were sent again although they had arrived: a timer that is too short, a path
//! that delays or reorders, or ACKs that were lost.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;
use crate::mark::Marks;

pub(super) struct Spurious;

impl Rule for Spurious {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let count = |end: usize| {
            let seen = flow.evidence[end].count(Marks::SPURIOUS_RETRANSMISSION);
            // The receiver itself says that it had it before.
            seen.max(flow.ends[1 - end].counts.dsacks)
        };
        let from = usize::from(count(1) > count(0));
        let (spurious, of) = (count(from), flow.evidence[from].count(Marks::RETRANSMISSION));
        if spurious == 0 || of == 0 {
            return None;
        }
        let often = spurious >= 3 && 2 * spurious >= of;
        let severity = if often { Severity::Warn } else { Severity::Note };
        let says = Says::Spurious { from: flow.side(from), count: spurious, of };
        let frames = flow.evidence[from].of(Marks::SPURIOUS_RETRANSMISSION);
        Some(Finding::of(flow, severity, says).shown_by_all(frames))
    }
}
