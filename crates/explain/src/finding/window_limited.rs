//! A sender that fills the receiver's window again and again could go faster.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

/// Fewer times than this are a coincidence.
const OFTEN: u64 = 3;

pub(super) struct WindowLimited;

impl Rule for WindowLimited {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        // A sender does not cut a segment to fill a window to the last byte (RFC 9293 §3.8.6.2.1).
        let full = |end: usize| flow.troubles[end].limited.count();
        let from = usize::from(full(1) > full(0));
        let times = full(from);
        // One in a hundred segments, so that bulk data that stops once is left in peace.
        if times < OFTEN || 100 * times < flow.ends[from].counts.data_packets {
            return None;
        }
        let window = flow.ends[1 - from].counts.max_window;
        let says = Says::WindowLimited { by: flow.side(1 - from), times, window };
        let finding = Finding::of(flow, Severity::Note, says);
        Some(finding.shown_by_all(Some(&flow.troubles[from].limited)))
    }
}
