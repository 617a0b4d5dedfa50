//! Proportional rate reduction by numbers.

use std::vec::Vec;

use super::*;

const SMSS: u32 = 1000;

/// `lost` of `flight` segments are lost and the others arrive one by one, the first `before` of
/// them before the loss is found; what may be sent is. Returns how many leave after each ACK.
fn recovery(flight: u32, lost: u32, before: u32, ssthresh: u32) -> Vec<u32> {
    let mut prr = Prr::new(flight * SMSS, 0, 0, ssthresh * SMSS);
    let mut inflight = (flight - lost - before) * SMSS;
    let mut sent = Vec::new();
    prr.acked(before * SMSS, inflight, false, SMSS);
    for _ in 0..flight - lost - before {
        let leaves = prr.cwnd().saturating_sub(inflight) / SMSS;
        prr.sent(leaves * SMSS);
        inflight += leaves * SMSS;
        sent.push(leaves);
        inflight -= SMSS;
        prr.acked(SMSS, inflight, false, SMSS);
    }
    sent
}

/// Requirement: RFC9937-P08, RFC9937-P11, RFC9937-P12
#[test]
fn above_the_threshold_the_flight_comes_down_in_proportion() {
    // One of twenty is lost; seven tenths are to be left, and are sent evenly.
    let sent = recovery(20, 1, 3, 14);
    assert_eq!(sent[0], 2, "the fast retransmit, and seven tenths of three");
    let total: u32 = sent.iter().sum();
    assert!((12..=14).contains(&total), "{sent:?}");
    assert!(sent.iter().skip(1).all(|n| *n <= 1), "no bursts: {sent:?}");
    let halves: (u32, u32) = (sent[..8].iter().sum(), sent[8..].iter().sum());
    assert!(halves.0.abs_diff(halves.1) <= 2, "evenly: {sent:?}");
}

/// Requirement: RFC9937-P15
#[test]
fn where_more_was_lost_than_is_to_be_given_up_no_more_leaves_than_arrives() {
    // Twelve of twenty are lost at once: what arrives is below the threshold.
    let sent = recovery(20, 12, 3, 14);
    let mut out = 0;
    for (arrived, leaves) in (3..).zip(sent) {
        out += leaves;
        assert!(out <= arrived, "{out} after {arrived}");
    }
}

/// Requirement: RFC9937-P09, RFC9937-P10
#[test]
fn below_the_threshold_a_safe_ack_lets_one_segment_more_out() {
    let room = |safe| {
        let mut prr = Prr::new(20 * SMSS, 0, 0, 14 * SMSS);
        prr.sent(5 * SMSS);
        prr.acked(6 * SMSS, 4 * SMSS, safe, SMSS);
        prr.cwnd() - 4 * SMSS
    };
    assert_eq!((room(false), room(true)), (6 * SMSS, 7 * SMSS));
}

/// Requirement: RFC9937-P09
#[test]
fn below_the_threshold_the_flight_does_not_grow_beyond_it() {
    let mut prr = Prr::new(20 * SMSS, 0, 0, 14 * SMSS);
    prr.acked(9 * SMSS, 13 * SMSS, true, SMSS);
    assert_eq!(prr.cwnd(), 14 * SMSS);
}

/// Requirement: RFC9937-P11
#[test]
fn the_fast_retransmit_leaves_whatever_the_proportion_says() {
    let mut prr = Prr::new(100 * SMSS, 0, 0, 10 * SMSS);
    prr.acked(SMSS, 99 * SMSS, false, SMSS);
    assert_eq!(prr.cwnd(), 100 * SMSS);
    prr.sent(SMSS);
    prr.acked(SMSS, 99 * SMSS, false, SMSS);
    assert_eq!(prr.cwnd(), 99 * SMSS, "and then the proportion counts");
}

/// Requirement: RFC9937-P07
#[test]
fn an_ack_that_delivers_nothing_changes_nothing() {
    let mut prr = Prr::new(20 * SMSS, 0, 17 * SMSS, 10 * SMSS);
    prr.acked(0, 12 * SMSS, true, SMSS);
    assert_eq!(prr.cwnd(), 17 * SMSS);
}

#[test]
fn empty_and_enormous_flights_do_no_harm() {
    let mut prr = Prr::new(0, u32::MAX, 0, u32::MAX);
    prr.acked(u32::MAX, u32::MAX, true, u32::MAX);
    prr.sent(u32::MAX);
    prr.acked(u32::MAX, 0, true, u32::MAX);
    assert!(prr.cwnd() > 0);
}

#[test]
fn what_arrived_with_the_first_sign_of_loss_counts_as_if_it_had_come_after_it() {
    let mut prr = Prr::new(4 * SMSS, 7 * SMSS, SMSS, 5 * SMSS);
    prr.acked(SMSS, SMSS, false, SMSS);
    assert_eq!(prr.cwnd(), 5 * SMSS, "eight arrived, and five may be under way");
}
