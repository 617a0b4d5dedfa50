//! A SYN-ACK that answers no SYN: somebody opens in a server's name, or others were attacked in
//! ours. It can fool who watches, but no system that knows what it asked for.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct Unasked;

impl Rule for Unasked {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let answer = flow.handshake.syn_acks.first()?;
        let asked = flow.handshake.syns.count() > 0 || flow.handshake.third.is_some();
        // The capture may have begun behind the SYN: then the rest of a handshake follows, and
        // a system that did not ask says so.
        let denied = flow.reset.filter(|reset| reset.by == flow.client && !reset.has_ack)?;
        if asked || answer.frame != flow.first.frame {
            return None;
        }
        let finding = Finding::of(flow, Severity::Warn, Says::UnaskedSynAck);
        Some(finding.shown_by([answer.frame, denied.sight.frame]))
    }
}
