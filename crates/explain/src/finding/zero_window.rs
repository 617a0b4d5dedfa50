//! A receiver whose program does not read: its window closes.

use std::time::Duration;

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

/// What nobody feels.
const SHORT: Duration = Duration::from_millis(200);

pub(super) struct ZeroWindow;

impl Rule for ZeroWindow {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let longest = |end: usize| flow.troubles[end].closed.as_ref().map(|closed| closed.longest);
        let worst = usize::from(longest(1) > longest(0));
        let closed = flow.troubles[worst].closed.as_ref()?;
        let (times, longest, still) =
            (closed.times, closed.longest, closed.is_closed() && !flow.states.are_over());
        let severity = if longest > SHORT || still { Severity::Warn } else { Severity::Note };
        let says = Says::ZeroWindow { by: flow.side(worst), times, longest, still };
        Some(Finding::of(flow, severity, says).shown_by_all(Some(&closed.frames)))
    }
}
