//! What the client offered and the answer lacks: the server cannot, or the path took it away.

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;

pub(super) struct Options;

impl Rule for Options {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let [asked, answered] = [flow.client, flow.server()].map(|end| flow.ends[end].offer);
        let (asked, answered) = (asked?, answered?);
        let window_scale = asked.window_scale.is_some() && answered.window_scale.is_none();
        let (sack, timestamps) =
            (asked.sack && !answered.sack, asked.timestamps && !answered.timestamps);
        let mss = asked.mss.is_some() && answered.mss.is_none();
        // Timestamps alone are often switched off, and are missed by nobody.
        if !window_scale && !sack && !mss {
            return None;
        }
        let says = Says::OptionsMissing { mss, window_scale, sack, timestamps };
        let frames = [flow.handshake.syns.first(), flow.handshake.syn_acks.first()];
        let finding = Finding::of(flow, Severity::Note, says);
        Some(finding.shown_by(frames.into_iter().flatten().map(|sight| sight.frame)))
    }
}
