//! A connection that was open was ended by a RST, or by somebody in an end's name.

use handclasp_tcp::State;

use super::closed_port::ClosedPort;
use super::kernel_reset::KernelReset;
use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct Reset;

impl Rule for Reset {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let reset = flow.reset?;
        let before = reset.before[reset.by]?;
        // Who opens is refused, and two more kinds of RST have their own rules.
        let told = KernelReset.see(flow).or_else(|| ClosedPort.see(flow));
        if !before.is_synchronized() || told.is_some() {
            return None;
        }
        let by = flow.side(reset.by);
        let usual = flow.ends[reset.by].ttl.unwrap_or(reset.ttl);
        let (severity, says) = if usual.abs_diff(reset.ttl) > 1 {
            (Severity::Error, Says::ForgedReset { named: by, ttl: reset.ttl, usual })
        } else {
            let closed = before != State::Established && before != State::CloseWait;
            let unread = reset.unread;
            // A RST to stragglers behind the end is how many clients close.
            let harmless = closed && unread == 0;
            let severity = if harmless { Severity::Note } else { Severity::Warn };
            (severity, Says::Reset { by, unread, closed })
        };
        Some(Finding::of(flow, severity, says).shown_by([reset.sight.frame]))
    }
}
