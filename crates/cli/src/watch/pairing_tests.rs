use std::time::Duration;

use handclasp::tcp::State;
use handclasp_explain::track::Fate;

use super::Pairing;
use crate::watch::sights::{ACK, FIN, SYN, SYN_ACK, far, lost, near, packet};
use crate::watch::{SeenPacket, Sight};

/// What comes out after these went in: whose it is, its number, its fate and the peer's answer.
fn after(sights: impl IntoIterator<Item = Sight>) -> Vec<(bool, u32, Fate, Option<State>)> {
    let mut pairing = Pairing::two_sided(Duration::ZERO);
    sights.into_iter().for_each(|sight| pairing.put(sight));
    out(&mut pairing)
}

fn out(pairing: &mut Pairing) -> Vec<(bool, u32, Fate, Option<State>)> {
    std::iter::from_fn(|| pairing.next())
        .map(|sight| match sight {
            Sight::Near(p) => (p.ours, p.header.seq.0, p.fate, p.peer.map(|answer| answer.state)),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn syn() -> SeenPacket {
    packet(true, SYN, 0, 0, 0)
}

fn syn_ack() -> SeenPacket {
    packet(false, SYN_ACK, 100, 1, 0)
}

#[test]
fn without_a_delay_ours_arrives_before_it_is_seen_to_leave() {
    let out = after([far(syn().answered(State::SynReceived)), near(syn())]);
    assert_eq!(out, [(true, 0, Fate::Arrived, Some(State::SynReceived))]);
}

#[test]
fn with_a_delay_ours_waits_for_its_arrival_and_holds_back_what_follows() {
    let mut pairing = Pairing::two_sided(Duration::ZERO);
    pairing.put(near(syn()));
    pairing.put(near(packet(true, ACK, 1, 0, 5)));
    assert!(out(&mut pairing).is_empty() && pairing.patience().is_some());
    pairing.put(far(packet(true, ACK, 1, 0, 5).answered(State::Established)));
    assert!(out(&mut pairing).is_empty());
    pairing.put(far(syn().answered(State::SynReceived)));
    let both = [
        (true, 0, Fate::Arrived, Some(State::SynReceived)),
        (true, 1, Fate::Arrived, Some(State::Established)),
    ];
    assert_eq!(out(&mut pairing), both);
    assert!(pairing.patience().is_none());
}

#[test]
fn the_peers_packet_brings_the_state_in_which_it_left() {
    let out = after([far(syn_ack().answered(State::SynReceived)), near(syn_ack())]);
    assert_eq!(out, [(false, 100, Fate::Arrived, Some(State::SynReceived))]);
}

#[test]
fn ours_that_was_lost_is_told_when_it_left() {
    let out = after([lost(syn().answered(State::Listen)), near(syn())]);
    assert_eq!(out, [(true, 0, Fate::Lost, Some(State::Listen))]);
}

#[test]
fn the_peers_that_was_lost_is_told_when_it_was() {
    let out = after([far(syn_ack().answered(State::SynReceived)), lost(syn_ack())]);
    assert_eq!(out, [(false, 100, Fate::Lost, Some(State::SynReceived))]);
}

#[test]
fn a_second_arrival_of_ours_is_a_copy() {
    let mut out = after([far(syn()), far(syn()), near(syn()), far(syn_ack()), near(syn_ack())]);
    out.truncate(2);
    assert_eq!(out, [(true, 0, Fate::Arrived, None), (true, 0, Fate::Copied, None)]);
}

#[test]
fn a_second_arrival_of_the_peers_is_a_copy() {
    let out = after([far(syn_ack()), near(syn_ack()), near(syn_ack())]);
    assert_eq!(out[1], (false, 100, Fate::Copied, None));
}

#[test]
fn ours_that_changed_on_the_way_is_damaged() {
    let out = after([far(syn().flipped()), near(syn())]);
    assert_eq!(out, [(true, 0, Fate::Damaged, None)]);
}

#[test]
fn ours_that_changed_on_a_long_way_is_damaged() {
    let out = after([near(syn()), far(syn().flipped()), far(syn_ack()), near(syn_ack())]);
    assert_eq!(out, [(true, 0, Fate::Damaged, None), (false, 100, Fate::Arrived, None)]);
}

#[test]
fn the_peers_that_changed_on_the_way_is_told_as_it_was_sent() {
    let garbled = SeenPacket { header: Default::default(), ..syn_ack().flipped() };
    let out = after([far(syn_ack()), near(garbled)]);
    assert_eq!(out, [(false, 100, Fate::Damaged, None)]);
}

#[test]
fn a_packet_that_is_never_seen_again_is_told_when_patience_ends() {
    let mut pairing = Pairing::two_sided(Duration::ZERO);
    pairing.put(near(syn()));
    assert!(pairing.patience().is_some());
    pairing.give_up();
    assert_eq!(out(&mut pairing), [(true, 0, Fate::Arrived, None)]);
}

#[test]
fn a_packet_that_comes_after_patience_has_ended_changes_nothing() {
    let mut pairing = Pairing::two_sided(Duration::ZERO);
    pairing.put(near(syn()));
    pairing.give_up();
    pairing.put(near(packet(true, ACK, 1, 0, 5)));
    pairing.put(far(syn()));
    pairing.put(far(packet(true, ACK, 1, 0, 5)));
    pairing.put(far(syn_ack()));
    let both = [(true, 0, Fate::Arrived, None), (true, 1, Fate::Arrived, None)];
    assert_eq!(out(&mut pairing), both);
}

#[test]
fn a_link_with_one_side_pairs_nothing() {
    let mut pairing = Pairing::one_sided();
    pairing.put(near(packet(true, FIN, 7, 1, 0)));
    assert_eq!(out(&mut pairing), [(true, 7, Fate::Arrived, None)]);
    pairing.put(near(syn_ack()));
    assert_eq!(out(&mut pairing), [(false, 100, Fate::Arrived, None)]);
}
