//! Our own kernel reset it: a program sent a SYN past its system, which knows of no connection
//! and answers the SYN-ACK with a RST.

use std::time::Duration;

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

/// A kernel answers within microseconds; a busy one takes a little longer.
const AT_ONCE: Duration = Duration::from_millis(5);

pub(super) struct KernelReset;

impl Rule for KernelReset {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let reset = flow.reset.filter(|reset| reset.by == flow.client)?;
        let answer = flow.handshake.syn_acks.first()?;
        // It has the number that the SYN-ACK acknowledged, and no ACK (RFC 9293 §3.10.7.1).
        let of_nobody = !reset.has_ack && Some(reset.seq) == flow.handshake.acknowledged;
        let before_third = flow.handshake.third.is_none_or(|third| third.at > reset.sight.at);
        let after = reset.sight.at - answer.at;
        // Nobody's SYN is another matter: see [`super::unasked`].
        let asked = flow.handshake.syns.count() > 0;
        if !asked || !of_nobody || !before_third || after > AT_ONCE {
            return None;
        }
        let finding = Finding::of(flow, Severity::Error, Says::KernelReset { after });
        Some(finding.shown_by([answer.frame, reset.sight.frame]))
    }
}
