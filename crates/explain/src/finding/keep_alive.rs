//! A connection that is only kept alive.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;
use crate::mark::Marks;

pub(super) struct KeepAlive;

impl Rule for KeepAlive {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let probes = |end: usize| flow.evidence[end].count(Marks::KEEP_ALIVE);
        let from = usize::from(probes(1) > probes(0));
        let count = probes(from);
        // A keep-alive may carry one byte, which is not data, and always the same.
        let data = |end: usize| flow.ends[end].counts.unique_bytes > 1;
        if count < 2 || data(0) || data(1) {
            return None;
        }
        let time = flow.last.at - flow.first.at;
        let finding = Finding::of(flow, Severity::Note, Says::KeepAliveOnly { count, time });
        Some(finding.shown_by_all(flow.evidence[from].of(Marks::KEEP_ALIVE)))
    }
}
