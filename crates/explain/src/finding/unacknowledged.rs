//! Data or a FIN that was sent again and again, and that nobody ever acknowledged.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;
use crate::mark::Marks;

/// Sent again less often than this, the capture may have ended too soon.
const OFTEN: u64 = 2;

pub(super) struct Unacknowledged;

impl Rule for Unacknowledged {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let tries = |end: usize| match flow.unacknowledged(end) {
            0 => 0,
            _ => {
                let resent = flow.evidence[end].count(Marks::RETRANSMISSION);
                resent.saturating_sub(flow.troubles[end].copies.count())
            }
        };
        let from = usize::from(tries(1) > tries(0));
        let both = flow.ends.iter().all(|end| end.counts.packets > 0);
        let last = flow.evidence[from].of(Marks::RETRANSMISSION)?.iter().last();
        // What a RST ends is told of there.
        if tries(from) < OFTEN || !both || flow.reset.is_some() {
            return None;
        }
        let (fin, bytes) = (flow.troubles[from].fin.is_some(), flow.unacknowledged(from));
        let worst = flow.troubles[from].worst();
        let times = worst.map_or(0, |worst| worst.frames.count());
        let says = Says::Unacknowledged { from: flow.side(from), bytes, fin, times };
        let finding = Finding::of(flow, Severity::Error, says);
        let frames = worst.into_iter().flat_map(|worst| worst.frames.iter());
        Some(finding.shown_by(frames.chain(last)))
    }
}
