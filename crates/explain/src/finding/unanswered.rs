//! Unanswered: SYN after SYN, and nothing comes back.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct Unanswered;

impl Rule for Unanswered {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let syns = &flow.handshake.syns;
        let silent = flow.ends[flow.server()].counts.packets == 0 && flow.complaints.is_empty();
        // A client that sent anything else has heard something.
        let only_syns = u64::from(flow.ends[flow.client].counts.syns) == flow.packets();
        if syns.count() == 0 || !silent || !only_syns {
            return None;
        }
        let says = Says::Unanswered { syns: syns.count(), waits: syns.waits().collect() };
        let finding = Finding::of(flow, Severity::Error, says);
        Some(finding.shown_by(syns.first_few().iter().map(|sight| sight.frame)))
    }
}
