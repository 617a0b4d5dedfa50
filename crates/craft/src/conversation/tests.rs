use rand_pcg::Pcg32;

use super::*;
use crate::decode::decode;
use crate::format::tcpdump;
use crate::text::SpecError;

const OURS: &str = "10.0.0.1:5000 > 10.0.0.2:80";
const THEIRS: &str = "10.0.0.2:80 > 10.0.0.1:5000";

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn conversation(steps: &[&str]) -> Conversation {
    let steps = steps.iter().map(|step| {
        step.parse().unwrap_or_else(|error: SpecError| panic!("{}", error.under(step)))
    });
    let base = format!("{OURS} win 100");
    Conversation::new(base.parse().unwrap(), steps.collect())
}

fn resetting(steps: &[&str]) -> Conversation {
    let ending = Ending { manner: Manner::Reset, ..Ending::default() };
    conversation(steps).with_ending(ending)
}

fn built(line: &str) -> Vec<u8> {
    line.parse::<Template>().unwrap().build(&mut Pcg32::new(1, 1))
}

/// A packet of the peer's.
fn theirs(line: &str) -> Vec<u8> {
    built(&format!("{THEIRS} {line} win 200"))
}

/// What the conversation sends now, without the ends.
fn sends(conversation: &mut Conversation, now: Instant) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(packet) = conversation.next_send(now, &mut Pcg32::new(1, 1)) {
        assert!(decode(&packet, Start::Ip).findings.is_empty());
        let line = tcpdump(&packet, Start::Ip);
        lines.push(line.split_once("Flags ").unwrap().1.replace(", win 100", ""));
    }
    lines
}

#[test]
fn numbers_carry_on_by_themselves() {
    let mut talk = conversation(&[
        "send [S] seq 1000",
        "expect [S.] ack auto",
        "send [.]",
        "send data \"GET\"",
        "expect [P.] seq auto ack auto",
        "send [.]",
    ]);
    assert_eq!(sends(&mut talk, ms(0)), ["[S], seq 1000, length 0"]);
    let met = talk.arrived(&theirs("[S.] seq 7000 ack 1001"), ms(3));
    assert_eq!(met, Arrival::Expected { step: 1 });
    assert_eq!(
        sends(&mut talk, ms(3)),
        ["[.], ack 7001, length 0", "[P.], seq 1001:1004, ack 7001, length 3"]
    );
    talk.arrived(&theirs("[P.] seq 7001 ack 1004 data \"hello\""), ms(9));
    let sent = sends(&mut talk, ms(9));
    assert_eq!(sent[0], "[.], ack 7006, length 0");
    assert!(
        matches!(talk.outcomes()[4], Outcome::Met { took, .. } if took == Duration::from_millis(6))
    );
}

#[test]
fn what_is_given_overrides_what_carries_on() {
    let mut talk = conversation(&[
        "send [S] seq 1000",
        "expect [S.]",
        "send [.] seq auto+50000 ack auto-1 data \"x\" sport 5001",
        "send [.]",
    ]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7000 ack 1001"), ms(1));
    let lines = sends(&mut talk, ms(1));
    // What was out of place on purpose is not where the stream goes on.
    assert_eq!(lines[0], "[.], seq 51001:51002, ack 7000, length 1");
    assert_eq!(lines[1], "[.], ack 7001, length 0");
}

#[test]
fn flags_follow_from_where_the_connection_is() {
    let mut talk = conversation(&["send seq 5", "expect [S.]", "send", "send data \"x\""]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 6"), ms(1));
    let Outcome::Sent { packet, .. } = &talk.outcomes()[0] else { panic!() };
    assert!(tcpdump(packet, Start::Ip).contains("Flags [S]"));
    assert_eq!(
        sends(&mut talk, ms(1))[..2],
        ["[.], ack 8, length 0", "[P.], seq 6:7, ack 8, length 1"]
    );
}

#[test]
fn timestamps_carry_on_if_both_syns_have_them() {
    let syn = "send [S] seq 1 <sackOK, TS val 500 ecr 0>";
    let mut talk = conversation(&[syn, "expect [S.]", "send [.]", "send [.] <nop>"]);
    sends(&mut talk, ms(10));
    talk.arrived(&theirs("[S.] seq 7 ack 2 <TS val 90 ecr 500>"), ms(30));
    let lines = sends(&mut talk, ms(30));
    assert_eq!(lines[0], "[.], ack 8, options [nop,nop,TS val 520 ecr 90], length 0");
    assert!(lines[1].contains("options [nop,eol]"));
}

#[test]
fn without_the_peers_timestamps_there_are_none() {
    let mut talk = conversation(&["send [S] seq 1 <TS val 500 ecr 0>", "expect [S.]", "send [.]"]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(1));
    assert_eq!(sends(&mut talk, ms(1))[0], "[.], ack 8, length 0");
}

#[test]
fn an_expectation_that_is_not_met_in_time_fails_and_ends_the_rest() {
    let mut talk = resetting(&["send [S] seq 1", "expect [S.] ack 3 within 50ms", "send [.]"]);
    sends(&mut talk, ms(0));
    assert_eq!(talk.deadline(), Some(ms(50)));
    let arrival = talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(20));
    assert!(matches!(&arrival, Arrival::Unexpected(m) if m.to_string() == "ack is 2, not 3"));
    assert_eq!(sends(&mut talk, ms(49)), [""; 0]);
    assert_eq!(sends(&mut talk, ms(50)), ["[R.], seq 2, ack 8, length 0"]);
    assert!(matches!(talk.outcomes()[1], Outcome::Missed { instead: Some(_) }));
    assert_eq!((talk.outcomes()[2].clone(), talk.succeeded()), (Outcome::Skipped, false));
}

#[test]
fn what_comes_before_its_step_waits_for_it() {
    let mut talk = conversation(&[
        "send [S] seq 1",
        "expect [S.]",
        "send data \"GET\"",
        "expect [.] seq auto ack 5",
        "send [.]",
        "expect [P.] seq auto",
    ]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(1));
    sends(&mut talk, ms(1));
    // Both come in one batch.
    let step = talk.arrived(&theirs("[.] seq 8 ack 5"), ms(2));
    let early = talk.arrived(&theirs("[P.] seq 8 ack 5 data \"page\""), ms(2));
    assert_eq!((step, early), (Arrival::Expected { step: 3 }, Arrival::Early));
    let lines = sends(&mut talk, ms(3));
    assert_eq!(lines, ["[.], ack 8, length 0", "[F.], seq 5, ack 12, length 0"]);
    assert!(talk.succeeded());
}

#[test]
fn silence_is_broken_by_a_packet_and_kept_by_a_strangers() {
    let mut talk = resetting(&["send [S] seq 1", "silence 50ms", "silence 50ms"]);
    sends(&mut talk, ms(0));
    let stranger = built("10.0.0.3:80 > 10.0.0.1:5000 [S.] seq 7 ack 2");
    assert_eq!(talk.arrived(&stranger, ms(10)), Arrival::Foreign);
    assert_eq!(sends(&mut talk, ms(50)), [""; 0]);
    assert_eq!(talk.outcomes()[1], Outcome::Silent);
    assert_eq!(talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(60)), Arrival::Unasked);
    assert!(matches!(talk.outcomes()[2], Outcome::Broken { at, .. } if at == ms(60)));
}

#[test]
fn a_handshake_is_closed_behind_the_last_step() {
    let mut talk = conversation(&["send [S] seq 1", "expect [S.]", "send [.]"]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(1));
    assert_eq!(sends(&mut talk, ms(1)), ["[.], ack 8, length 0", "[F.], seq 2, ack 8, length 0"]);
    talk.arrived(&theirs("[.] seq 8 ack 3"), ms(2));
    talk.arrived(&theirs("[P.] seq 8 ack 3 data \"late\""), ms(3));
    assert_eq!(sends(&mut talk, ms(3)), ["[.], ack 12, length 0"]);
    talk.arrived(&theirs("[F.] seq 12 ack 3"), ms(4));
    assert_eq!(sends(&mut talk, ms(4)), ["[.], ack 13, length 0"]);
    assert_eq!((talk.end(), talk.is_over()), (Some(End::Closed), false));
    // Our last ACK was lost.
    talk.arrived(&theirs("[F.] seq 12 ack 3"), ms(150));
    assert_eq!(sends(&mut talk, ms(150)), ["[.], ack 13, length 0"]);
    assert_eq!(talk.deadline(), Some(ms(204)));
    assert_eq!(sends(&mut talk, ms(204)), [""; 0]);
    assert!(talk.is_over() && talk.succeeded());
}

#[test]
fn a_peer_that_does_not_close_is_reset() {
    let mut talk = conversation(&["send [S] seq 1", "expect [S.]", "send [.]"]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(1));
    sends(&mut talk, ms(1));
    talk.arrived(&theirs("[.] seq 8 ack 3"), ms(2));
    assert_eq!(talk.deadline(), Some(ms(1001)));
    assert_eq!(sends(&mut talk, ms(1001)), ["[R.], seq 3, ack 8, length 0"]);
    assert_eq!(talk.end(), Some(End::Reset));
}

#[test]
fn a_peer_that_missed_the_reset_is_told_its_own_number() {
    let mut talk = resetting(&["send [S] seq 1", "expect [S.]", "send [.] data \"lost\""]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(1));
    assert_eq!(sends(&mut talk, ms(1))[1], "[R.], seq 6, ack 8, length 0");
    // It challenges a number that is not its next.
    talk.arrived(&theirs("[.] seq 8 ack 2"), ms(2));
    assert_eq!(sends(&mut talk, ms(2)), ["[R], seq 2, length 0"]);
    talk.arrived(&theirs("[R] seq 8"), ms(3));
    assert_eq!(sends(&mut talk, ms(3)), [""; 0]);
}

#[test]
fn an_unanswered_syn_is_reset_without_an_acknowledgment() {
    let mut talk = conversation(&["send [S] seq 1", "expect [S.] within 10ms"]);
    sends(&mut talk, ms(0));
    assert_eq!(sends(&mut talk, ms(10)), ["[R], seq 2, length 0"]);
    // The answer comes late; now it meets a closed port.
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(11));
    assert_eq!(sends(&mut talk, ms(11)), ["[R], seq 2, length 0"]);
}

#[test]
fn a_closed_port_leaves_nothing_to_end() {
    let mut talk = conversation(&["send [S] seq 1", "expect [R.] seq 0 ack auto"]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[R.] seq 0 ack 2 win 0"), ms(1));
    assert!(talk.is_over() && talk.succeeded());
    assert_eq!(talk.end(), Some(End::NothingOpen));
}

#[test]
fn a_reset_that_the_peer_may_have_outlived_leaves_something_to_end() {
    // An old ACK draws RST from a peer in SYN-RECEIVED, which stays there.
    let mut talk =
        conversation(&["send [S] seq 1", "expect [S.]", "send [.] ack auto+5", "expect [R]"]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(1));
    sends(&mut talk, ms(1));
    talk.arrived(&theirs("[R] seq 13"), ms(2));
    assert_eq!(sends(&mut talk, ms(2)), ["[F.], seq 2, ack 8, length 0"]);
}

#[test]
fn a_connection_may_be_left_as_it_is() {
    let ending = Ending { manner: Manner::Leave, ..Ending::default() };
    let mut talk = conversation(&["send [S] seq 1", "expect [S.]"]).with_ending(ending);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(1));
    assert_eq!(
        (talk.end(), talk.is_over(), sends(&mut talk, ms(1)).len()),
        (Some(End::Left), true, 0)
    );
}

#[test]
fn an_old_duplicate_is_reset_and_the_real_syn_succeeds() {
    // RFC 9293 figure 8, seen from the client.
    let mut talk = conversation(&[
        "send [S] seq 90",
        "expect [S.] ack 91",
        "send [R] seq 91",
        "send [S] seq 100",
        "expect [S.] ack 101",
        "send [.]",
    ]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 300 ack 91"), ms(1));
    assert_eq!(sends(&mut talk, ms(1)), ["[R], seq 91, length 0", "[S], seq 100, length 0"]);
    talk.arrived(&theirs("[S.] seq 400 ack 101"), ms(2));
    assert_eq!(sends(&mut talk, ms(2))[0], "[.], ack 401, length 0");
}

#[test]
fn an_answer_to_the_old_syn_does_not_teach_the_new_ones_numbers() {
    let mut talk = conversation(&[
        "send [S] seq 90",
        "send [S] seq 100",
        "expect [S.] ack 91",
        "send [R] seq 91",
        "expect [S.] ack 101",
        "send [.]",
    ]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 300 ack 91"), ms(1));
    sends(&mut talk, ms(1));
    talk.arrived(&theirs("[S.] seq 400 ack 101"), ms(2));
    assert_eq!(sends(&mut talk, ms(2))[0], "[.], ack 401, length 0");
}

#[test]
fn data_that_the_syn_carried_in_vain_is_to_be_sent_again() {
    let mut talk =
        conversation(&["send [S] seq 1 data \"GET\"", "expect [S.]", "send data \"GET\""]);
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7 ack 2"), ms(1));
    assert_eq!(sends(&mut talk, ms(1))[0], "[P.], seq 2:5, ack 8, length 3");
}

#[test]
fn whoever_calls_as_expected_is_the_peer() {
    let steps = ["expect [S] dport 80", "send seq 1000", "expect [.] ack auto"];
    let steps = steps.iter().map(|step| step.parse().unwrap()).collect();
    let mut talk = Conversation::new("win 100".parse().unwrap(), steps);
    assert_eq!(sends(&mut talk, ms(0)), [""; 0]);
    let call = |line: &str| built(&format!("{OURS} {line}"));
    assert_eq!(talk.arrived(&call("[.] seq 1 ack 5"), ms(1)), Arrival::Foreign);
    assert_eq!(talk.arrived(&call("[S] seq 50"), ms(2)), Arrival::Expected { step: 0 });
    assert_eq!(sends(&mut talk, ms(2)), ["[S.], seq 1000, ack 51, length 0"]);
    assert_eq!(talk.arrived(&call("[.] seq 51 ack 1001"), ms(3)), Arrival::Expected { step: 2 });
    assert_eq!(sends(&mut talk, ms(3)), ["[F.], seq 1001, ack 51, length 0"]);
}

#[test]
fn a_caller_over_version_6_is_answered_over_version_6() {
    let steps = ["expect [S]", "send"].map(|step| step.parse().unwrap());
    let mut talk = Conversation::new(Template::default(), steps.into());
    talk.arrived(&built("[fd00::1]:5 > [fd00::2]:6 [S] seq 50"), ms(0));
    let packet = talk.next_send(ms(0), &mut Pcg32::new(1, 1)).unwrap();
    let line = tcpdump(&packet, Start::Ip);
    assert!(line.starts_with("IP6 fd00::2.6 > fd00::1.5: Flags [S.]"), "{line}");
}

#[test]
fn a_conversation_of_frames_stays_on_its_link() {
    let base = format!("{OURS} eth-src 02:00:00:00:00:07 eth-dst 02:00:00:00:00:08");
    let steps = vec!["send [S] seq 1".parse().unwrap(), "expect [S.]".parse().unwrap()];
    let mut talk = Conversation::new(base.parse().unwrap(), steps);
    let syn = talk.next_send(ms(0), &mut Pcg32::new(1, 1)).unwrap();
    assert_eq!(syn[..12], [2, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 7]);
    let answer = built(&format!("{THEIRS} [S.] seq 7 ack 2 eth-type auto"));
    assert_eq!(talk.arrived(&answer, ms(1)), Arrival::Expected { step: 1 });
}

#[test]
fn a_step_that_is_not_understood_is_marked() {
    let fault = |text: &str| text.parse::<Step>().unwrap_err().under(text);
    assert_eq!(
        fault("expect [S.] ackk 5 within 1s"),
        "expect [S.] ackk 5 within 1s\n            \
         ^^^^ there is no such field; did you mean `ack`?"
    );
    assert_eq!(
        fault("expect [S.] within 5m"),
        "expect [S.] within 5m\n                   ^^ expected a duration, like 2s, 200ms or 50us"
    );
    assert_eq!(fault("sent [S]"), "sent [S]\n^^^^ there is no such step; did you mean `send`?");
}

fn open() -> Conversation {
    Conversation::open(format!("{OURS} win 100").parse().unwrap())
}

#[test]
fn an_open_conversation_goes_on_as_it_is_told_step_by_step() {
    let mut talk = open();
    talk.then("send [S] seq 1000".parse().unwrap());
    assert_eq!(sends(&mut talk, ms(0)), ["[S], seq 1000, length 0"]);
    assert!(!talk.is_over() && talk.deadline().is_none());
    // What comes before somebody waits for it is kept.
    assert_eq!(talk.arrived(&theirs("[S.] seq 7000 ack 1001"), ms(3)), Arrival::Early);
    talk.then("expect [S.] ack auto".parse().unwrap());
    assert!(sends(&mut talk, ms(5)).is_empty());
    assert!(matches!(talk.outcomes()[1], Outcome::Met { .. }));
    // A wait begins when its step comes, and a step that fails is no end.
    talk.then("expect [P.] within 100ms".parse().unwrap());
    assert!(sends(&mut talk, ms(50)).is_empty());
    assert_eq!(talk.deadline(), Some(ms(150)));
    assert!(sends(&mut talk, ms(150)).is_empty());
    assert_eq!(talk.outcomes()[2], Outcome::Missed { instead: None });
    talk.then("send [.]".parse().unwrap());
    assert_eq!(sends(&mut talk, ms(160)), ["[.], ack 7001, length 0"]);
    // Nor does it stand in the way of closing.
    talk.conclude(Ending::default());
    assert_eq!(sends(&mut talk, ms(170)), ["[F.], seq 1001, ack 7001, length 0"]);
}

#[test]
fn an_open_conversation_ends_when_it_is_concluded() {
    let mut talk = open();
    talk.then("send [S] seq 1000".parse().unwrap());
    talk.then("expect [S.] ack auto".parse().unwrap());
    sends(&mut talk, ms(0));
    talk.arrived(&theirs("[S.] seq 7000 ack 1001"), ms(3));
    talk.conclude(Ending { manner: Manner::Reset, linger: Duration::ZERO });
    assert_eq!(sends(&mut talk, ms(4)), ["[R.], seq 1001, ack 7001, length 0"]);
    assert_eq!((talk.is_over(), talk.end()), (true, Some(End::Reset)));
}
