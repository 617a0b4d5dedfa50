//! A SYN flood: many connections to one port that nobody goes on with.

use std::net::{IpAddr, SocketAddr};

use hashbrown::{HashMap, HashSet};

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;
use crate::flow::evidence::Frames;

/// Targets that are remembered, and addresses of each.
const MAX_TARGETS: usize = 4096;
const MAX_SOURCES: usize = 1024;
/// Fewer than this are a busy server with a bad path.
const MANY: u64 = 50;

#[derive(Default)]
pub(super) struct Flood {
    targets: HashMap<SocketAddr, Target>,
}

#[derive(Default)]
struct Target {
    unfinished: u64,
    opened: u64,
    sources: HashSet<IpAddr>,
    frames: Frames,
}

impl Rule for Flood {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let (client, server) = (flow.key.ends[flow.client], flow.key.ends[flow.server()]);
        let syn = flow.handshake.syns.first()?;
        if self.targets.len() == MAX_TARGETS && !self.targets.contains_key(&server) {
            return None;
        }
        let target = self.targets.entry(server).or_default();
        if flow.handshake.third.is_some() || flow.reset.is_some() {
            target.opened += 1;
            return None;
        }
        target.unfinished += 1;
        target.frames.add(syn.frame);
        if target.sources.len() < MAX_SOURCES {
            target.sources.insert(client.ip());
        }
        None
    }

    fn conclude(&mut self) -> Vec<Finding> {
        let mut targets: Vec<_> = self.targets.drain().collect();
        targets.sort_by_key(|(address, _)| *address);
        let floods = targets.into_iter().filter(|(_, target)| {
            target.unfinished >= MANY && target.unfinished > 4 * target.opened
        });
        floods
            .map(|(address, target)| {
                let (syns, sources) = (target.unfinished, target.sources.len() as u64);
                let says = Says::Flood { target: address, syns, sources };
                Finding::over(Severity::Error, says).shown_by_all(Some(&target.frames))
            })
            .collect()
    }
}
