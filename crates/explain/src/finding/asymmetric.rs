//! Only one direction was captured: the other took another path, or a filter hid it.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct Asymmetric;

impl Rule for Asymmetric {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let seen = flow.ends.iter().position(|end| end.counts.packets > 0)?;
        let counts = &flow.ends[seen].counts;
        // Acknowledgments that move tell of an answer; SYNs alone may have none.
        let answered = counts.acks > 1 && counts.resets == 0;
        if flow.ends[1 - seen].counts.packets > 0 || !answered {
            return None;
        }
        let says = Says::Asymmetric { seen: flow.side(seen) };
        let finding = Finding::of(flow, Severity::Warn, says);
        Some(finding.shown_by([flow.first.frame, flow.last.frame]))
    }
}
