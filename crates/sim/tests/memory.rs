//! What connections cost that live but have nothing to do.
//!
//! One test, in a binary of its own: the allocator counts for all threads.

use std::alloc::System;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use handclasp_impair::config::Config as LinkConfig;
use handclasp_sim::{HostId, Network, Settings};
use handclasp_stack::store::ConnId;
use handclasp_tcp::{Config, Connection};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const FLOWS: usize = 5000;
/// Opened at a time.
const BATCH: usize = 500;

const CLIENT: HostId = HostId(0);
const SERVER: HostId = HostId(1);

fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn network() -> Network {
    let mut network = Network::new(7);
    let ip = |address: &str| Settings::ip([address.parse().unwrap()]);
    let hosts = [network.add_host(ip("10.0.0.1/24")), network.add_host(ip("10.0.0.2/24"))];
    network.join(&hosts, &LinkConfig::with(|link| link.delay = Duration::from_millis(5)));
    network
}

fn run_for(network: &mut Network, seconds: u64) {
    network.run_until(network.now() + Duration::from_secs(seconds));
}

/// Opens connections; gives both ends of each.
fn open(network: &mut Network) -> Vec<(ConnId, ConnId)> {
    let config: Arc<Config> = Arc::default();
    let at: SocketAddr = "10.0.0.2:80".parse().unwrap();
    let listener = network.on(SERVER).listen(at, Default::default(), &config).unwrap();
    let mut ends = Vec::with_capacity(FLOWS);
    while ends.len() < FLOWS {
        let mut host = network.on(CLIENT);
        let batch: Vec<_> = (0..BATCH).map(|_| host.connect(&config, None, at).unwrap()).collect();
        run_for(network, 1);
        let mut host = network.on(SERVER);
        ends.extend(batch.into_iter().map(|id| (id, host.accept(listener).unwrap().id)));
    }
    ends
}

/// Writes so much at one end of every connection and reads it at the other.
fn send(network: &mut Network, ends: &[(ConnId, ConnId)], bytes: usize) {
    let mut buffer = vec![0; bytes];
    for (from, _) in ends {
        assert_eq!(network.on(CLIENT).write(*from, &buffer), Ok(bytes));
    }
    run_for(network, 1);
    let mut read = |(_, to): &(_, ConnId)| network.on(SERVER).read(*to, &mut buffer);
    let read: usize = ends.iter().map(|pair| read(pair).unwrap().unwrap()).sum();
    assert_eq!(read, ends.len() * bytes, "what one end wrote the other reads");
    run_for(network, 1);
}

/// Both ends of every flow are here, with everything that their hosts keep: a host with so many
/// flows has half of it. 10 MB are what is needed, 15 what is promised.
#[test]
fn five_thousand_live_flows_of_a_host_fit_in_10_mb_before_and_after_they_were_busy() {
    let before = held();
    let mut network = network();
    let ends = open(&mut network);
    send(&mut network, &ends, 500);
    let at_rest = held() - before;
    let each = (at_rest / FLOWS / 2, size_of::<Connection>());
    println!("{FLOWS} flows at rest: {at_rest} bytes; (each end, its Connection): {each:?}");
    assert!(at_rest / 2 < 10_000_000, "{at_rest} bytes");

    // A few at a time, or the cable's own queue would be what is measured.
    ends.chunks(100).for_each(|some| send(&mut network, some, 20_000));
    let after = held() - before;
    println!("after each carried 20 kB: {after} bytes");
    assert!(after / 2 < 10_000_000, "{after} bytes");
}
