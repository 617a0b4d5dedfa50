//! Initial sequence numbers that follow one another in steps can be guessed, and connections
//! with them forged (RFC 6528).

use std::net::IpAddr;

use hashbrown::HashMap;

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;
use crate::flow::evidence::Frames;

/// Hosts that are remembered.
const MAX_HOSTS: usize = 4096;
/// So many equal steps are no coincidence.
const MANY: u64 = 3;
/// Old systems count in multiples of this for each connection and each half second.
const CLASSIC: u32 = 64_000;

#[derive(Default)]
pub(super) struct Isns {
    hosts: HashMap<IpAddr, Host>,
}

#[derive(Default)]
struct Host {
    last: Option<u32>,
    step: u32,
    /// How many steps in a row were equal, or multiples of the classic one.
    equal: u64,
    samples: u64,
    guessable: Option<u32>,
    frames: Frames,
}

impl Rule for Isns {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        for end in 0..2 {
            let (address, isn) = (flow.key.ends[end].ip(), flow.ends[end].isn);
            let known = self.hosts.contains_key(&address);
            let Some(isn) = isn.filter(|_| known || self.hosts.len() < MAX_HOSTS) else { continue };
            self.hosts.entry(address).or_default().add(isn, flow.first.frame);
        }
        None
    }

    fn conclude(&mut self) -> Vec<Finding> {
        let mut hosts: Vec<_> = self.hosts.drain().collect();
        hosts.sort_by_key(|(address, _)| *address);
        let findings = hosts.into_iter().filter_map(|(address, host)| {
            let (step, samples) = (host.guessable?, host.samples);
            let says = Says::PredictableIsns { host: address, samples, step };
            Some(Finding::over(Severity::Warn, says).shown_by_all(Some(&host.frames)))
        });
        findings.collect()
    }
}

impl Host {
    fn add(&mut self, isn: u32, frame: u64) {
        self.samples += 1;
        let Some(last) = self.last.replace(isn) else {
            self.frames.add(frame);
            return;
        };
        let step = isn.wrapping_sub(last);
        let classic = step != 0 && step.is_multiple_of(CLASSIC);
        if step == self.step || classic && self.step.is_multiple_of(CLASSIC) {
            self.equal += 1;
            self.frames.add(frame);
        } else {
            self.equal = 1;
        }
        self.step = step;
        if self.equal >= MANY {
            self.guessable.get_or_insert(if classic { CLASSIC } else { step });
        }
    }
}
