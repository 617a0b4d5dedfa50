//! Refused: a SYN was answered by a RST, or by an ICMP error that forbids it.

use std::net::IpAddr;

use handclasp_tcp::State;
use hashbrown::HashMap;

use super::says::{Refuser, Says};
use super::{Finding, Rule, Severity};
use crate::capture::dissect::About;
use crate::flow::Flow;

/// Hosts whose TTL is remembered.
const MAX_HOSTS: usize = 4096;

/// Remembers what TTL hosts have when they do answer, so that a RST in their name is known.
#[derive(Default)]
pub(super) struct Refused {
    ttls: HashMap<IpAddr, u8>,
}

impl Rule for Refused {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let (server, host) = (flow.server(), flow.key.ends[flow.server()].ip());
        let syn = flow.handshake.syns.first()?;
        let syns = flow.handshake.syns.count();
        if flow.handshake.syn_acks.count() > 0 {
            if self.ttls.len() < MAX_HOSTS {
                self.ttls.extend(flow.ends[server].ttl.map(|ttl| (host, ttl)));
            }
            return None;
        }
        let refused = |by, at, frame| {
            let says = Says::Refused { by, after: at - syn.at, syns };
            let finding = Finding::of(flow, Severity::Error, says);
            Some(finding.shown_by([syn.frame, frame]))
        };
        if let Some(reset) = flow.reset.filter(|reset| reset.by == server)
            && reset.before[flow.client] == Some(State::SynSent)
        {
            let by = match self.ttls.get(&host) {
                Some(&usual) if usual != reset.ttl => Refuser::Path { ttl: reset.ttl, usual },
                _ => Refuser::Port,
            };
            return refused(by, reset.sight.at, reset.sight.frame);
        }
        let complaint = flow.complaints.iter().find(|complaint| {
            let hard = [About::PortUnreachable, About::Prohibited, About::Unreachable];
            hard.contains(&complaint.about)
        })?;
        let by = Refuser::Icmp { from: complaint.from, about: complaint.about };
        refused(by, complaint.at, complaint.number)
    }
}
