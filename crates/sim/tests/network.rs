//! The network itself: time, chance, taps.

mod common;

use common::*;
use handclasp_impair::config::Config as LinkConfig;
use handclasp_sim::app::{App, Next, View};
use handclasp_sim::apps::echo::Echo;
use handclasp_sim::apps::server::Server;
use handclasp_sim::tap::Fate;
use handclasp_sim::{Network, Outcome, Settings, swarm};
use handclasp_tcp::State;
use handclasp_wire::time::Instant;

#[test]
fn the_same_seed_is_the_same_run_packet_by_packet() {
    assert_eq!(swarm::story(5), swarm::story(5));
    assert_ne!(swarm::story(5), swarm::story(6));
}

#[test]
fn every_packet_is_seen_when_it_is_sent_and_when_it_arrives() {
    let harming = LinkConfig::with(|link| {
        link.delay = 10 * MS;
        link.drop_nth = vec![1];
        link.duplicate = 0.3;
    });
    let mut pair = Pair::new(harming, link());
    let listener = pair.listen();
    let client = pair.connect();
    pair.run_for(2 * SECOND);
    let server = pair.accept(listener).id;
    pair.network.on(CLIENT).close(client);
    pair.network.on(SERVER).close(server);
    pair.network.run_until_idle();
    let trace = pair.trace.borrow();
    let count = |fate| trace.0.iter().filter(|entry| entry.fate == fate).count();
    assert_eq!((count(Fate::Lost), trace.sent().next().unwrap().fate), (1, Fate::Lost));
    assert!(count(Fate::Duplicated) > 0);
    assert_eq!(trace.sent().count() as u64, pair.network.packets());
    assert_eq!(count(Fate::Delivered), count(Fate::Carried) + 2 * count(Fate::Duplicated));
    assert!(trace.0.is_sorted_by_key(|entry| entry.at));
}

#[test]
fn time_moves_from_one_thing_that_happens_to_the_next() {
    let mut pair = Pair::new(link(), link());
    pair.listen();
    pair.connect();
    let mut times = Vec::new();
    while pair.network.step(Instant::from_millis(100)).is_none() {
        times.push((pair.network.now().as_millis(), pair.client_state(), pair.server_state()));
    }
    assert_eq!(
        times,
        [
            (10, State::SynSent, State::SynReceived),
            (20, State::Established, State::SynReceived),
            (30, State::Established, State::Established),
        ]
    );
}

#[test]
fn what_a_host_says_is_heard_by_all_others_and_taken_by_one() {
    let mut network = Network::new(7);
    let mut host = |address: &str| network.add_host(Settings::ip([address.parse().unwrap()]));
    let hosts = [host("10.0.0.1/24"), host("10.0.0.2/24"), host("10.0.0.3/24")];
    network.join(&hosts, &link());
    network.run(SERVER, Server::new(server_at(), Echo::new));
    let client = network.on(CLIENT).connect(&Default::default(), None, server_at()).unwrap();
    network.on(CLIENT).write(client, b"hello").unwrap();
    network.run_until(Instant::from_millis(500));
    let mut echo = [0; 10];
    assert_eq!(network.on(CLIENT).read(client, &mut echo), Ok(Some(5)));
    assert_eq!(&echo[..5], b"hello");
    let bystander = network.host(hosts[2]).counters();
    assert_eq!(bystander.ip_in_receives, network.packets());
    assert_eq!((bystander.ip_in_addr_errors, bystander.ip_in_delivers), (network.packets(), 0));
}

/// Asks for a connection whenever it can.
struct Restless;

impl App for Restless {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        let _ = host.connect(&Default::default(), None, server_at());
        Next::WaitUntil(host.now())
    }
}

#[test]
fn a_network_that_never_rests_is_stopped() {
    let mut pair = Pair::new(link(), link());
    pair.network.run(CLIENT, Restless);
    pair.network.limit_packets(1000);
    assert_eq!(pair.network.run_until_idle(), Outcome::TooManyPackets);
    assert_eq!(pair.network.now(), Instant::ZERO);
}
