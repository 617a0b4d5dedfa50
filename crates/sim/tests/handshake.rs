//! Opening, between two of our hosts: what is lost, late, old, crossing or too much.

mod common;

use common::*;
use handclasp_impair::config::Config as LinkConfig;
use handclasp_stack::listen::Backlog;
use handclasp_tcp::connection::Error;
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);

/// A link like [`link`] that loses the packets with these numbers.
fn losing(numbers: &[u64]) -> LinkConfig {
    LinkConfig::with(|link| {
        link.delay = 10 * MS;
        link.drop_nth = numbers.to_vec();
    })
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

#[test]
fn the_client_is_open_after_two_packets_and_the_server_after_three() {
    let mut pair = Pair::new(link(), link());
    pair.listen();
    pair.connect();
    pair.run_for(20 * MS);
    assert_eq!(
        (pair.client_state(), pair.server_state()),
        (State::Established, State::SynReceived)
    );
    pair.run_for(10 * MS);
    assert_eq!(
        (pair.client_state(), pair.server_state()),
        (State::Established, State::Established)
    );
    assert_eq!(pair.network.packets(), 3);
}

#[test]
fn data_in_the_third_packet_is_delivered() {
    let mut pair = Pair::new(link(), link());
    let listener = pair.listen();
    let client = pair.connect();
    pair.network.on(CLIENT).write(client, b"GET /").unwrap();
    pair.run_for(30 * MS);
    let sent = pair.sent_by(CLIENT);
    assert_eq!(sent.iter().map(|entry| entry.len).collect::<Vec<_>>(), [0, 5]);
    let server = pair.accept(listener).id;
    assert_eq!(pair.read(SERVER, server), b"GET /");
}

#[test]
fn data_completes_the_handshake_when_the_third_packet_was_lost() {
    let mut pair = Pair::new(losing(&[2]), link());
    let listener = pair.listen();
    let client = pair.connect();
    pair.run_for(100 * MS);
    assert_eq!(
        (pair.client_state(), pair.server_state()),
        (State::Established, State::SynReceived)
    );
    pair.network.on(CLIENT).write(client, b"GET /").unwrap();
    pair.run_for(10 * MS);
    let server = pair.accept(listener).id;
    assert_eq!(pair.read(SERVER, server), b"GET /");
    assert_eq!(pair.times(SERVER, SYN_ACK).len(), 1, "the SYN-ACK is not repeated");
}

#[test]
fn a_third_packet_that_comes_behind_the_data_does_no_harm() {
    let late = LinkConfig::with(|link| {
        link.delay = 10 * MS;
        link.delay_nth = vec![(2, 300 * MS)];
    });
    let mut pair = Pair::new(late, link());
    let listener = pair.listen();
    let client = pair.connect();
    pair.run_for(100 * MS);
    pair.network.on(CLIENT).write(client, b"GET /").unwrap();
    pair.run_for(10 * MS);
    let server = pair.accept(listener).id;
    assert_eq!(pair.read(SERVER, server), b"GET /");
    assert_eq!(pair.network.now(), at(110), "the third packet is still on its way");
    pair.run_for(SECOND);
    let answers = pair.times(SERVER, Flags::ACK).into_iter().filter(|time| *time == at(330));
    assert!(answers.count() <= 1, "an ACK at most answers it");
    assert_eq!(
        (pair.client_state(), pair.server_state()),
        (State::Established, State::Established)
    );
    assert!(pair.times(CLIENT, Flags::RST).is_empty() && pair.times(SERVER, Flags::RST).is_empty());
}

#[test]
fn a_lost_syn_is_sent_again_after_a_second() {
    let mut pair = Pair::new(losing(&[1]), link());
    pair.listen();
    pair.connect();
    pair.run_for(2 * SECOND);
    assert_eq!(pair.times(CLIENT, Flags::SYN), [at(0), at(1000)]);
    assert_eq!(pair.server_state(), State::Established);
}

/// Requirement: RFC9293-MUST-22, RFC9293-MUST-23
#[test]
fn a_silent_address_is_given_up_after_more_than_three_minutes() {
    let mut pair = Pair::new(link(), link());
    pair.network.plug(pair.cable, false);
    let client = pair.connect();
    pair.network.run_until_idle();
    let connection = pair.network.on(CLIENT).connection(client).cloned().unwrap();
    assert_eq!(connection.error(), Some(Error::HandshakeTimedOut));
    assert!(pair.network.now() > at(180_000), "{:?}", pair.network.now());
    pair.network.on(CLIENT).close(client);
    pair.assert_clean();
}

#[test]
fn an_unanswered_syn_ack_is_repeated_for_63_seconds() {
    let mut pair = Pair::new(link(), link());
    pair.listen();
    // Nobody is there to answer, as for a SYN from an address that was made up.
    pair.network.plug(pair.cable, false);
    pair.network.inject(SERVER, at(0), syn(SeqNumber(90)));
    pair.network.run_until(at(62_999));
    let seconds = [0, 1, 3, 7, 15, 31].map(|second| at(second * 1000));
    assert_eq!(pair.times(SERVER, SYN_ACK), seconds);
    assert_eq!(pair.server_state(), State::SynReceived);
    pair.network.run_until(at(63_000));
    assert_eq!(pair.server_state(), State::Closed);
    pair.assert_clean();
}

#[test]
fn an_old_duplicate_syn_is_found_out_and_the_real_one_succeeds() {
    let late = LinkConfig::with(|link| {
        link.delay = 10 * MS;
        link.delay_nth = vec![(1, 500 * MS)];
    });
    let mut pair = Pair::new(late, link());
    let listener = pair.listen();
    pair.connect();
    pair.run_for(MS);
    let iss = pair.sent_by(CLIENT)[0].header.seq;
    pair.network.inject(SERVER, at(5), syn(iss - 10));
    pair.run_for(100 * MS);
    let answer = pair.sent_by(SERVER)[0].header.clone();
    assert_eq!((answer.flags, answer.ack), (SYN_ACK, iss - 9));
    let reset = pair.sent_by(CLIENT)[1].header.clone();
    assert_eq!((reset.flags, reset.seq), (Flags::RST, iss - 9));
    assert_eq!((pair.client_state(), pair.server_state()), (State::SynSent, State::Closed));

    pair.run_for(SECOND);
    assert_eq!(
        (pair.client_state(), pair.server_state()),
        (State::Established, State::Established)
    );
    pair.accept(listener);
    assert!(pair.network.on(SERVER).accept(listener).is_none(), "one connection came of it");
}

#[test]
fn the_real_syn_may_come_before_the_reset_of_the_old_one() {
    let mut pair = Pair::new(link(), link());
    let listener = pair.listen();
    pair.connect();
    pair.run_for(MS);
    let iss = pair.sent_by(CLIENT)[0].header.seq;
    pair.network.inject(SERVER, at(5), syn(iss - 10));
    pair.run_for(5 * SECOND);
    let resets = pair.times(CLIENT, Flags::RST);
    assert_eq!(resets, [at(15)], "the SYN-ACK for the old SYN is refused");
    assert_eq!(
        (pair.client_state(), pair.server_state()),
        (State::Established, State::Established)
    );
    pair.accept(listener);
    assert!(pair.network.on(SERVER).accept(listener).is_none(), "one connection came of it");
}

/// Requirement: RFC9293-MUST-10
#[test]
fn two_hosts_that_call_each_other_get_one_connection() {
    let mut pair = Pair::new(link(), link());
    let client = pair.connect();
    let config = Config::default().into();
    let server = pair.network.on(SERVER).connect(&config, Some(server_at()), client_at()).unwrap();
    pair.run_for(SECOND);
    assert_eq!(
        (pair.client_state(), pair.server_state()),
        (State::Established, State::Established)
    );
    pair.network.on(CLIENT).write(client, b"hello").unwrap();
    pair.network.on(SERVER).write(server, b"you too").unwrap();
    pair.run_for(SECOND);
    assert_eq!(pair.read(SERVER, server), b"hello");
    assert_eq!(pair.read(CLIENT, client), b"you too");
}

#[test]
fn what_the_backlog_has_no_room_for_is_served_later() {
    let mut pair = Pair::new(link(), link());
    let listener = pair.listen_with(Backlog { accept: 2, ..Backlog::default() });
    let config = Config::default().into();
    let call = |pair: &mut Pair| pair.network.on(CLIENT).connect(&config, None, server_at());
    let clients: Vec<_> = (0..5).map(|_| call(&mut pair).unwrap()).collect();
    pair.run_for(2 * SECOND);
    let counters = *pair.network.host(SERVER).counters();
    assert_eq!((counters.tcp_passive_opens, counters.tcp_out_rsts), (2, 0));
    assert!(counters.tcp_ext_listen_overflows > 0);

    let mut accepted = 0;
    for _ in 0..30 {
        while pair.network.on(SERVER).accept(listener).is_some() {
            accepted += 1;
        }
        pair.run_for(SECOND);
    }
    assert_eq!(accepted, clients.len());
}

#[test]
fn a_burst_of_syns_is_answered_with_cookies_and_all_are_served() {
    let mut pair = Pair::new(link(), link());
    let backlog = Backlog { accept: 300, syn: 8, ..Backlog::default() };
    let listener = pair.listen_with(backlog);
    let config = Config::default().into();
    let call = |pair: &mut Pair| pair.network.on(CLIENT).connect(&config, None, server_at());
    let clients: Vec<_> = (0..200).map(|_| call(&mut pair).unwrap()).collect();
    pair.run_for(SECOND);
    let counters = *pair.network.host(SERVER).counters();
    assert_eq!((counters.tcp_ext_syncookies_sent, counters.tcp_ext_syncookies_recv), (192, 192));
    assert_eq!((counters.tcp_ext_syncookies_failed, counters.tcp_retrans_segs), (0, 0));

    for client in &clients {
        pair.network.on(CLIENT).write(*client, b"hello").unwrap();
    }
    pair.run_for(SECOND);
    for _ in &clients {
        let server = pair.accept(listener).id;
        assert_eq!(pair.read(SERVER, server), b"hello");
    }
}
