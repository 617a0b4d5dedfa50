//! What the way between two hosts does to them: it breaks, narrows, harms, or leads nowhere.

mod common;

use common::*;
use handclasp_impair::config::Config as LinkConfig;
use handclasp_sim::apps::talker::{End, Ledger, Manners, Talker};
use handclasp_sim::dice::Dice;
use handclasp_sim::tap::Fate;
use handclasp_sim::{Network, Settings};
use handclasp_stack::store::ConnId;
use handclasp_tcp::config::KeepAlive;
use handclasp_tcp::connection::{Error, PathError};
use handclasp_tcp::{Config, State};
use handclasp_wire::tcp::Flags;

/// Sends so many bytes from one end to the other, and lets both close.
fn transfer(network: &mut Network, client: ConnId, server: ConnId, bytes: u64) -> Ledger {
    let ledger = Ledger::default();
    let mut manners = Manners::default();
    for (host, id, to_write) in [(CLIENT, client, bytes), (SERVER, server, 0)] {
        manners.to_write = to_write;
        let talker = Talker::new(id, manners.clone(), Dice::new(1), ledger.clone());
        network.on(host).spawn(talker, id);
    }
    ledger
}

#[track_caller]
fn assert_whole(ledger: &Ledger) {
    let ends: Vec<_> = ledger.borrow().iter().map(|report| report.end).collect();
    assert_eq!(ends, [End::Whole, End::Whole]);
}

/// Requirement: RFC9293-MUST-24
#[test]
fn keep_alive_ends_a_connection_whose_peer_vanished() {
    let mut config = Config::default();
    config.keep_alive = Some(KeepAlive { idle: 60 * SECOND, interval: 10 * SECOND, count: 3 });
    let mut pair = Pair::new(link(), link());
    let (client, _) = pair.open_with(config);
    let heard = pair.sent_by(SERVER).pop().unwrap().at + 10 * MS;
    pair.network.plug(pair.cable, false);
    pair.network.run_until_idle();
    let probes: Vec<_> =
        pair.sent_by(CLIENT).into_iter().filter(|e| e.at > heard + SECOND).collect();
    let times: Vec<_> = probes.iter().map(|probe| probe.at - heard).collect();
    assert_eq!(times, [60, 70, 80, 90].map(|seconds| seconds * SECOND));
    assert!(probes[3].header.flags.contains(Flags::RST), "the last one is no probe");
    let connection = pair.network.on(CLIENT).connection(client).cloned().unwrap();
    assert_eq!(connection.error(), Some(Error::KeepAliveTimedOut));
}

/// Requirement: RFC9293-MUST-29
#[test]
fn keep_alive_leaves_a_silent_connection_alone_whose_peer_lives() {
    let mut config = Config::default();
    config.keep_alive = Some(KeepAlive { idle: 60 * SECOND, interval: 10 * SECOND, count: 3 });
    let mut pair = Pair::new(link(), link());
    pair.open_with(config);
    pair.run_for(86_400 * SECOND);
    assert_eq!(
        (pair.client_state(), pair.server_state()),
        (State::Established, State::Established)
    );
}

fn through_a_narrow_place(client: &str, server: &str, router: &str) {
    let address = |host: &str, bits: u8| format!("{host}/{bits}").parse().unwrap();
    let bits = if client.contains(':') { 64 } else { 24 };
    let settings = |host| Settings::ip([address(host, bits)]);
    let mut pair = Pair::with(settings(client), settings(server), link(), link());
    pair.network.narrow(pair.cable, 1300, Some(router.parse().unwrap()));
    let at = std::net::SocketAddr::new(server.parse().unwrap(), 80);
    let config = Config::default().into();
    let listener = pair.network.on(SERVER).listen(at, Default::default(), &config).unwrap();
    let client = pair.network.on(CLIENT).connect(&config, None, at).unwrap();
    pair.run_for(SECOND);
    let server = pair.accept(listener).id;
    let ledger = transfer(&mut pair.network, client, server, 100_000);
    pair.network.run_until_idle();
    assert_whole(&ledger);
    let trace = pair.trace.borrow();
    let too_big = trace.sent().filter(|entry| entry.fate == Fate::TooBig).count();
    assert!((1..=10).contains(&too_big), "only the first window is too big: {too_big}");
}

#[test]
fn a_router_that_says_what_it_carries_is_obeyed() {
    through_a_narrow_place("10.0.0.1", "10.0.0.2", "10.0.0.254");
}

#[test]
fn a_router_that_says_what_it_carries_is_obeyed_over_ipv6() {
    through_a_narrow_place("fd00::1", "fd00::2", "fd00::ff");
}

#[test]
fn a_black_hole_is_survived_as_long_as_segments_are_small() {
    let mut pair = Pair::new(link(), link());
    let mut config = Config::default();
    config.max_segment_size = Some(1200);
    let (client, server) = pair.open_with(config);
    pair.network.narrow(pair.cable, 1300, None);
    let ledger = transfer(&mut pair.network, client, server, 0);
    pair.network.run_until_idle();
    assert_whole(&ledger);
}

#[test]
fn a_neighbour_that_does_not_answer_fails_the_connection_in_three_seconds() {
    let ethernet = |address: &str| Settings::ethernet([address.parse().unwrap()]);
    let mut pair = Pair::with(ethernet("10.0.0.1/24"), ethernet("10.0.0.9/24"), link(), link());
    let client = pair.connect();
    pair.run_for(3 * SECOND);
    let connection = pair.network.on(CLIENT).connection(client).cloned().unwrap();
    assert_eq!(connection.error(), Some(Error::Unreachable(PathError::HostUnreachable)));
    assert!(pair.sent_by(CLIENT).is_empty(), "no segment was sent");
    pair.network.on(CLIENT).close(client);
    pair.network.run_until_idle();
    pair.assert_clean();
}

#[test]
fn a_peer_on_ethernet_is_found_and_spoken_to() {
    let ethernet = |address: &str| Settings::ethernet([address.parse().unwrap()]);
    let mut pair = Pair::with(ethernet("10.0.0.1/24"), ethernet("10.0.0.2/24"), link(), link());
    let (client, server) = pair.open();
    let ledger = transfer(&mut pair.network, client, server, 100_000);
    pair.network.run_until_idle();
    assert_whole(&ledger);
}

/// Requirement: RFC9293-MUST-3
#[test]
fn every_damaged_packet_is_dropped_and_counted() {
    let damaging = LinkConfig::with(|link| {
        link.delay = 10 * MS;
        link.corrupt = 0.1;
    });
    let mut pair = Pair::new(damaging.clone(), damaging);
    let (client, server) = pair.open();
    let ledger = transfer(&mut pair.network, client, server, 500_000);
    pair.network.run_until_idle();
    assert_whole(&ledger);
    let hosts = [CLIENT, SERVER].map(|host| *pair.network.host(host).counters());
    // A damaged version or length is found out before any checksum is.
    let dropped = hosts.iter().map(|c| c.ip_in_hdr_errors + c.ip_in_unknown_protos + c.tcp_in_errs);
    let dropped: u64 = dropped.sum();
    let trace = pair.trace.borrow();
    let damaged = trace.sent().filter(|entry| entry.fate == Fate::Damaged).count();
    assert!(damaged > 20, "{damaged}");
    assert_eq!(dropped, damaged as u64);
    assert!(hosts.iter().all(|c| c.tcp_in_csum_errors > 0));
}
