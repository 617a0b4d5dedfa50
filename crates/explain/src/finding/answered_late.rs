//! A connection that was opened, but not at once: SYNs or their answers were lost.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct AnsweredLate;

impl Rule for AnsweredLate {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let (syns, answers) = (&flow.handshake.syns, &flow.handshake.syn_acks);
        let (first, answer) = (syns.first()?, answers.first()?);
        let before = syns.first_few().iter().filter(|syn| syn.at <= answer.at).count();
        // One that is sent again while the answer is on its way is no loss.
        if before < 2 || answer.at < first.at {
            return None;
        }
        let says = Says::AnsweredLate { syns: syns.count(), after: answer.at - first.at };
        let frames = syns.first_few().iter().map(|sight| sight.frame);
        Some(Finding::of(flow, Severity::Warn, says).shown_by(frames.chain([answer.frame])))
    }
}
