//! A port scan: one host tries many ports, and goes on with none or few of them.

use std::net::{IpAddr, SocketAddr};

use hashbrown::{HashMap, HashSet};

use super::{Finding, Rule, Says, Severity};
use crate::flow::Flow;
use crate::flow::evidence::Frames;

/// Sources that are remembered, and what they tried.
const MAX_SOURCES: usize = 4096;
const MAX_TRIED: usize = 4096;
/// Fewer different ports than this are somebody with many services.
const MANY: usize = 15;

#[derive(Default)]
pub(super) struct Scan {
    sources: HashMap<IpAddr, Source>,
}

#[derive(Default)]
struct Source {
    tried: HashSet<SocketAddr>,
    open: u64,
    used: u64,
    frames: Frames,
}

impl Rule for Scan {
    fn see(&mut self, flow: &Flow) -> Option<Finding> {
        let (client, server) = (flow.key.ends[flow.client], flow.key.ends[flow.server()]);
        let syn = flow.handshake.syns.first()?;
        if self.sources.len() == MAX_SOURCES && !self.sources.contains_key(&client.ip()) {
            return None;
        }
        let source = self.sources.entry(client.ip()).or_default();
        source.open += u64::from(flow.handshake.syn_acks.count() > 0);
        if flow.troubles[flow.client].data.is_some() {
            source.used += 1;
        } else if source.tried.len() < MAX_TRIED && source.tried.insert(server) {
            source.frames.add(syn.frame);
        }
        None
    }

    fn conclude(&mut self) -> Vec<Finding> {
        let mut sources: Vec<_> = self.sources.drain().collect();
        sources.sort_by_key(|(address, _)| *address);
        sources.into_iter().filter_map(|(address, source)| conclude(address, &source)).collect()
    }
}

fn conclude(address: IpAddr, source: &Source) -> Option<Finding> {
    let hosts: HashSet<IpAddr> = source.tried.iter().map(SocketAddr::ip).collect();
    let ports: HashSet<u16> = source.tried.iter().map(SocketAddr::port).collect();
    // Many ports of a few hosts; many hosts at one port are a browser as often as a worm.
    let wide = ports.len() >= MANY && ports.len() >= hosts.len();
    if !wide || source.used * 4 > source.tried.len() as u64 {
        return None;
    }
    let (hosts, ports) = (hosts.len() as u64, ports.len() as u64);
    let says = Says::Scan { source: address, hosts, ports, open: source.open };
    Some(Finding::over(Severity::Warn, says).shown_by_all(Some(&source.frames)))
}
