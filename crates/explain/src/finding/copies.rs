//! Packets that are in the capture twice: it was made at two places at once, or a switch's mirror
//! port shows both directions of a link. They look like retransmissions and are none.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct Copies;

impl Rule for Copies {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let copies = |end: usize| flow.troubles[end].copies.count();
        let of = usize::from(copies(1) > copies(0));
        if copies(of) == 0 {
            return None;
        }
        let says = Says::Copies { of: flow.side(of), count: copies(of) };
        let finding = Finding::of(flow, Severity::Note, says);
        Some(finding.shown_by_all(Some(&flow.troubles[of].copies)))
    }
}
