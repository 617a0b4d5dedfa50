use handclasp_wire::tcp::options::{AccEcn, AccEcnOrder};
use handclasp_wire::tcp::{Header, Options};

use super::*;

#[test]
fn the_bits_are_read_as_they_are_written() {
    for code in 0..8 {
        assert_eq!(ace(bits(code) | Flags::ACK), code);
    }
}

/// Requirement: RFC9768-R03, RFC9768-R07, RFC9768-R08
#[test]
fn a_server_answers_what_was_asked_for() {
    let answers = |code| EcnMode::OnRequest.answers(bits(code) | Flags::SYN);
    assert_eq!(answers(0b000), Agreed::None);
    assert_eq!(answers(0b011), Agreed::Classic);
    for code in [0b001, 0b010, 0b100, 0b101, 0b110, 0b111] {
        assert_eq!(answers(code), Agreed::Accurate);
    }
    assert_eq!(EcnMode::Off.answers(BITS), Agreed::None);
}

/// Requirement: RFC9768-R06, RFC9768-R08
#[test]
fn a_client_falls_back_to_what_the_server_knows() {
    let agreed = |code| EcnMode::Accurate.agreed(bits(code));
    assert_eq!(agreed(0b000), Agreed::None);
    assert_eq!(agreed(0b111), Agreed::None);
    assert_eq!(agreed(0b001), Agreed::Classic);
    for code in [0b010, 0b011, 0b100, 0b101, 0b110] {
        assert_eq!(agreed(code), Agreed::Accurate);
    }
}

#[test]
fn a_classic_client_takes_an_echo_without_a_reduction() {
    let agreed = |code| EcnMode::Classic.agreed(bits(code));
    assert_eq!(agreed(0b001), Agreed::Classic);
    assert_eq!(agreed(0b011), Agreed::None);
    assert_eq!(EcnMode::OnRequest.agreed(bits(0b001)), Agreed::None);
}

/// An ACK with this code, and this many marked bytes in its option if it has one.
fn ack(code: u8, bytes: Option<u32>) -> Header {
    let acc_ecn = bytes.map(|ce| AccEcn {
        order: AccEcnOrder::Ect0First,
        counters: [Some(30_001), Some(ce), Some(1)],
    });
    Header {
        flags: bits(code) | Flags::ACK,
        options: Options { acc_ecn, ..Options::default() },
        ..Header::default()
    }
}

fn sender() -> Accurate {
    let mut sender = Accurate::server(SeqNumber(0), Ecn::NotEct);
    assert_eq!(sender.reported(&ack(0b010, None), 0, 1000, true), 0);
    sender
}

/// Requirement: RFC9768-P13, RFC9768-R20
#[test]
fn a_count_that_may_have_gone_round_is_taken_for_the_most_it_may_be() {
    let reported = |code, packets| sender().reported(&ack(code, None), packets, 1000, false);
    assert_eq!(reported(5, 1), 0);
    assert_eq!(reported(6, 1), 1);
    assert_eq!(reported(4, 7), 7);
    // 1, 9 or 17 of 20.
    assert_eq!(reported(6, 20), 17);
}

#[test]
fn the_option_says_how_often_it_went_round() {
    let reported = |code, bytes| sender().reported(&ack(code, Some(bytes)), 20, 1000, false);
    assert_eq!(reported(5, 0), 0);
    assert_eq!(reported(6, 1000), 1);
    assert_eq!(reported(6, 1001), 9);
    assert_eq!(reported(6, 9000), 9);
    assert_eq!(reported(6, 100_000), 17, "there were no more packets");
}

#[test]
fn an_option_that_was_overtaken_tells_nothing() {
    let mut sender = sender();
    assert_eq!(sender.reported(&ack(6, Some(5000)), 1, 1000, false), 1);
    assert_eq!(sender.reported(&ack(7, Some(4000)), 1, 1000, false), 1);
}
