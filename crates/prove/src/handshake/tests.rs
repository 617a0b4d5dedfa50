use super::knowledge::{Fact, table};
use super::*;

fn knows(ways: u8, number: usize, side: Side, fact: Fact) -> bool {
    let place = Fact::ALL.iter().position(|f| *f == fact).unwrap();
    table(ways)[number].facts[side as usize][place]
}

#[test]
fn without_a_packet_nobody_knows_anybody() {
    let proof = Handshake::new(0).explore();
    let run = proof.broken.expect("it goes wrong");
    assert_eq!(run.len(), 1, "{run:?}");
    assert!(run[0].1.end(Side::Server).open);
    assert_eq!(run[0].1.end(Side::Server).peer, None);
}

#[test]
fn with_one_packet_the_client_is_alone() {
    let run = Handshake::new(1).explore().broken.expect("it goes wrong");
    let (act, moment) = run.last().unwrap();
    assert_eq!(*act, Some(Act::Connect), "{run:?}");
    assert!(moment.end(Side::Client).open && !moment.end(Side::Server).open);
}

#[test]
fn with_two_packets_an_old_duplicate_opens_a_dead_connection() {
    let run = Handshake::new(2).explore().broken.expect("it goes wrong");
    let (act, moment) = run.last().unwrap();
    assert!(matches!(act, Some(Act::Deliver(packet)) if packet.old), "{run:?}");
    let server = moment.end(Side::Server);
    assert!(server.open && server.peer == Some(Isn::OLD_CLIENT));
    assert!(!moment.end(Side::Client).open);
}

#[test]
fn with_three_packets_and_more_nothing_goes_wrong() {
    for ways in 3..=WAYS_MAX {
        let proof = Handshake::new(ways).explore();
        assert!(proof.broken.is_none(), "{ways} ways: {:?}", proof.broken);
        assert!(proof.states > 100, "{ways} ways: {} states", proof.states);
    }
}

#[test]
fn who_sends_the_last_packet_never_knows_that_it_arrived() {
    for ways in 1..=WAYS_MAX {
        let model = Handshake::new(ways);
        let sender = model.last_sender().unwrap();
        assert!(model.explore().unsure.is_some(), "{ways} ways");
        for number in 0..=usize::from(ways) {
            assert!(!knows(ways, number, sender, Fact::PeerOpen), "{ways} ways, {number}");
        }
    }
}

#[test]
fn a_server_that_does_not_check_the_acknowledgment_is_found_out() {
    let model = Handshake { credulous: true, ..Handshake::new(3) };
    let run = model.explore().broken.expect("the checker sees it");
    let old = |act: &Option<Act>| matches!(act, Some(Act::Deliver(packet)) if packet.old);
    assert_eq!(run.iter().filter(|(act, _)| old(act)).count(), 2, "{run:?}");
}

#[test]
fn three_packets_tell_both_ends_that_both_directions_work() {
    let facts = [Fact::Sending, Fact::Receiving, Fact::OwnNumber, Fact::PeerNumber];
    for fact in facts {
        assert!(knows(3, 2, Side::Client, fact), "client: {fact:?}");
        assert!(knows(3, 3, Side::Server, fact), "server: {fact:?}");
    }
    assert!(!knows(3, 2, Side::Server, Fact::Sending));
    assert!(!knows(3, 2, Side::Server, Fact::PeerNumber), "it may have been an old SYN");
}
