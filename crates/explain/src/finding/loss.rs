//! Segments that were lost and sent again, and how that was noticed.

use std::time::Duration;

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;
use crate::mark::Marks;

/// A stop that people notice.
const LONG: Duration = Duration::from_secs(1);

pub(super) struct Loss;

impl Rule for Loss {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let real = |end: usize| {
            let count = |mark| flow.evidence[end].count(mark);
            let handshake = match end == flow.client {
                true => flow.handshake.syns.count(),
                false => flow.handshake.syn_acks.count(),
            };
            let all = count(Marks::RETRANSMISSION) - count(Marks::SPURIOUS_RETRANSMISSION);
            // SYNs that were sent again are told of elsewhere, and so are copies.
            let others = handshake.saturating_sub(1) + flow.troubles[end].copies.count();
            all.saturating_sub(others)
        };
        let from = usize::from(real(1) > real(0));
        let (resent, of) = (real(from), flow.ends[from].counts.data_packets);
        if resent == 0 || of == 0 {
            return None;
        }
        let fast = flow.evidence[from].count(Marks::FAST_RETRANSMISSION);
        let longest = flow.troubles[from].longest_wait();
        let bad = 100 * resent > of || longest > LONG;
        let severity = if bad { Severity::Warn } else { Severity::Note };
        let says = Says::Loss { from: flow.side(from), resent, of, fast, longest };
        let frames = flow.evidence[from].of(Marks::RETRANSMISSION);
        Some(Finding::of(flow, severity, says).shown_by_all(frames))
    }
}
