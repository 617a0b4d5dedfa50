//! Wrong checksums: all of one end's are the work of a network card that fills them in behind
//! the capture; a few are damage.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct Checksums;

impl Rule for Checksums {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let bad = |end: usize| flow.ends[end].counts.bad_checksums;
        let of = usize::from(bad(1) > bad(0));
        let packets = bad(of);
        if packets == 0 {
            return None;
        }
        // A packet without data may be short enough for the sum to be finished in software.
        let most = 4 * packets >= 3 * flow.ends[of].counts.packets;
        let believed = flow.ends[1 - of].counts.acks > 0;
        let (severity, says) = if most && believed {
            (Severity::Note, Says::Offloaded { of: flow.side(of), packets })
        } else {
            (Severity::Warn, Says::Damaged { of: flow.side(of), packets })
        };
        let frames = &flow.troubles[of].damaged;
        Some(Finding::of(flow, severity, says).shown_by_all(Some(frames)))
    }
}
