//! One end closed its direction and the other did not for long.

use std::time::Duration;

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

/// What a program that means it may take to finish.
const LONG: Duration = Duration::from_secs(30);

pub(super) struct HalfClosed;

impl Rule for HalfClosed {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let [a, b] = [flow.troubles[0].fin, flow.troubles[1].fin];
        let (by, fin, other) = match (a, b) {
            (Some(a), Some(b)) if a.at <= b.at => (0, a, Some(b)),
            (Some(a), Some(b)) => (1, b, Some(a)),
            (Some(a), None) => (0, a, None),
            (None, Some(b)) => (1, b, None),
            (None, None) => return None,
        };
        let ended = other.is_some() || flow.reset.is_some();
        let end = other.or(flow.reset.map(|reset| reset.sight)).unwrap_or(flow.last);
        let time = end.at - fin.at;
        // Data that goes on flowing is what a half-closed connection is for.
        let busy = flow.troubles[1 - by].data.is_some_and(|data| data.at > fin.at);
        if time < LONG || busy {
            return None;
        }
        let says = Says::HalfClosed { by: flow.side(by), time, ended };
        Some(Finding::of(flow, Severity::Warn, says).shown_by([fin.frame, end.frame]))
    }
}
