//! What must hold in every run, whatever the network does.

pub mod agreement;
pub mod segments;
pub mod states;

use crate::network::{HostId, Network};

/// Rules that were broken, in words.
pub type Violations = Vec<String>;

/// What a host still holds though every connection on it is over. Neighbours it may know.
pub fn leftovers(network: &mut Network, host: HostId) -> Violations {
    let sizes = network.host(host).table_sizes();
    let tables = [
        ("four-tuples", sizes.tuples),
        ("connections", sizes.connections),
        ("half-open connections", sizes.half_open),
        ("connections in TIME-WAIT", sizes.time_wait),
        ("packets in reassembly", sizes.reassembly),
        ("connections in its store", network.on(host).connections_held()),
        ("bytes of buffers", network.on(host).budget().used()),
    ];
    let left = tables.into_iter().filter(|(_, count)| *count > 0);
    left.map(|(what, count)| format!("{host:?} still holds {count} {what}")).collect()
}
