//! An MTU black hole: small segments arrive, large ones do not, however often they are sent.

use super::{Finding, Rule, Says, Severity};
use crate::capture::dissect::About;
use crate::flow::Flow;

/// As often a large segment must have been sent again in vain.
const OFTEN: u64 = 3;
/// No path takes less than this (RFC 9293 §3.7.1, with options).
const SMALL: u32 = 524;

pub(super) struct BlackHole;

impl Rule for BlackHole {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        [flow.client, flow.server()].into_iter().find_map(|from| look(flow, from))
    }
}

fn look(flow: &Flow, from: usize) -> Option<Finding> {
    let (worst, counts) = (flow.troubles[from].worst()?, &flow.ends[from].counts);
    let lost = |end| flow.troubles[from].acknowledged.is_none_or(|ack| ack.lt(end));
    let in_vain = worst.frames.count() >= OFTEN && lost(worst.seq + worst.len);
    let large = worst.len > SMALL && worst.len >= counts.max_segment;
    // Whoever answers is there: it is not the path as a whole that is broken.
    let answers = flow.ends[1 - from].counts.packets > 1;
    let told = flow.complaints.iter().find_map(|complaint| match complaint.about {
        About::TooBig { mtu } if complaint.src == flow.key.ends[from] => {
            Some((complaint.from, mtu))
        }
        _ => None,
    });
    if !in_vain || !large || !answers {
        return None;
    }
    let (size, times) = (worst.len, worst.frames.count());
    let says = Says::BlackHole { from: flow.side(from), size, times, told };
    Some(Finding::of(flow, Severity::Error, says).shown_by_all(Some(&worst.frames)))
}
