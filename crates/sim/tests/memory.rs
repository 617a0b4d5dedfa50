//! What connections cost that live but have nothing to do.
//!
//! A binary of its own: the allocator counts for all threads.

use std::alloc::System;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use handclasp_impair::config::Config as LinkConfig;
use handclasp_sim::{Network, Settings};
use handclasp_tcp::Config;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const FLOWS: usize = 5000;

fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Both ends of all of them, with everything that their hosts keep.
#[test]
fn five_thousand_live_flows_fit_in_15_mb() {
    let before = held();
    let mut network = Network::new(7);
    let ip = |address: &str| Settings::ip([address.parse().unwrap()]);
    let (client, server) =
        (network.add_host(ip("10.0.0.1/24")), network.add_host(ip("10.0.0.2/24")));
    network
        .join(&[client, server], &LinkConfig::with(|link| link.delay = Duration::from_millis(5)));
    let config: Arc<Config> = Arc::default();
    let at: SocketAddr = "10.0.0.2:80".parse().unwrap();
    let listener = network.on(server).listen(at, Default::default(), &config).unwrap();
    let mut ends = Vec::with_capacity(FLOWS);
    let mut buffer = [0; 1000];
    for _ in 0..FLOWS / 500 {
        let mut batch: Vec<_> =
            (0..500).map(|_| network.on(client).connect(&config, None, at).unwrap()).collect();
        let until = network.now() + Duration::from_secs(1);
        network.run_until(until);
        for id in batch.drain(..) {
            let accepted = network.on(server).accept(listener).unwrap().id;
            ends.push((id, accepted));
        }
    }
    // A request and an answer on each.
    for (id, _) in &ends {
        network.on(client).write(*id, &[1; 500]).unwrap();
    }
    network.run_until(network.now() + Duration::from_secs(1));
    for (_, id) in &ends {
        assert_eq!(network.on(server).read(*id, &mut buffer), Ok(Some(500)));
        network.on(server).write(*id, &[1; 1000]).unwrap();
    }
    network.run_until(network.now() + Duration::from_secs(1));
    for (id, _) in &ends {
        assert_eq!(network.on(client).read(*id, &mut buffer), Ok(Some(1000)));
    }
    network.run_until(network.now() + Duration::from_secs(10));
    let bytes = held() - before;
    println!(
        "{FLOWS} flows take {bytes} bytes, {} for each end; a connection is {} by itself",
        bytes / FLOWS / 2,
        size_of::<handclasp_tcp::Connection>()
    );
    assert!(bytes < 15_000_000, "{bytes} bytes");
}
