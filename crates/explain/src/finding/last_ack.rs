//! The handshake's last ACK: it was lost behind the capture, or never sent.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct LastAck;

impl Rule for LastAck {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let answers = &flow.handshake.syn_acks;
        let syn_acks = answers.count();
        let answered_each = syn_acks <= flow.handshake.syns.count();
        let reset = flow.reset.is_some_and(|reset| reset.by == flow.client);
        let frames = answers.first_few().iter().map(|sight| sight.frame);
        let says = match flow.handshake.third {
            // Of those before the ACK nobody can blame the ACK.
            Some(third) if answers.first_few().iter().any(|answer| answer.at > third.at) => {
                let server = flow.ends[flow.server()].counts;
                Says::LastAckLost { syn_acks, opened: server.packets > syn_acks }
            }
            None if syn_acks > 1 && !answered_each && !reset => Says::HalfOpen { syn_acks },
            _ => return None,
        };
        let third = flow.handshake.third.map(|third| third.frame);
        Some(Finding::of(flow, Severity::Warn, says).shown_by(frames.chain(third)))
    }
}
