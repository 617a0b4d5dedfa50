//! A port that answers a SYN with a SYN-ACK, and the ACK to that with a RST: something opened
//! the connection in the place of a server that does not listen, or does not want it.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct ClosedPort;

impl Rule for ClosedPort {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let server = flow.server();
        let reset = flow.reset.filter(|reset| reset.by == server)?;
        let answer = flow.handshake.syn_acks.first()?;
        let silent = flow.troubles[server].data.is_none() && flow.troubles[server].fin.is_none();
        let quick = flow.handshake.round_trip().is_none_or(|time| {
            // By then the client's ACK, or what it sent first, has come and been answered.
            reset.sight.at - answer.at <= 4 * time.max(std::time::Duration::from_millis(10))
        });
        if !silent || !quick || reset.sight.at < answer.at {
            return None;
        }
        let after = reset.sight.at - answer.at;
        let finding = Finding::of(flow, Severity::Error, Says::ShowsClosed { after });
        Some(finding.shown_by([answer.frame, reset.sight.frame]))
    }
}
