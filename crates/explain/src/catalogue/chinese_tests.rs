use std::time::Duration;

use super::*;
use crate::catalogue::English;
use crate::catalogue::experiment::{Experiment, Happened};

const ALL: [Experiment; 21] = [
    Experiment::Handshake,
    Experiment::DataInThird,
    Experiment::SkipThird,
    Experiment::LateThird,
    Experiment::LostThird,
    Experiment::LostThirdTalking,
    Experiment::ClosedPort,
    Experiment::DataInFirst,
    Experiment::FastOpen,
    Experiment::DataInSecond,
    Experiment::FakeSynAck,
    Experiment::OldDuplicate,
    Experiment::OldDuplicateSynFirst,
    Experiment::LostLastAck,
    Experiment::HalfOpen,
    Experiment::SynFlood,
    Experiment::SimultaneousOpen,
    Experiment::HalfClose,
    Experiment::OutOfWindow,
    Experiment::BlindReset,
    Experiment::KeepAliveDeadPeer,
];

fn say(message: &Message<'_>) -> String {
    Chinese.say(&Cast { ours: Some(Side::Client) }, message)
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn every_experiment_has_its_sentences_in_both_languages() {
    for experiment in ALL {
        for message in [Message::Tried(experiment), Message::Theory(experiment)] {
            let (chinese, english) = (say(&message), English.say(&Cast::default(), &message));
            assert!(is_chinese(&chinese), "{experiment:?}: {chinese}");
            assert!(!english.is_empty() && !is_chinese(&english), "{experiment:?}: {english}");
        }
    }
}

#[test]
fn every_outcome_has_a_sentence_in_both_languages() {
    let second = Duration::from_secs(1);
    let (waits, expected) = (vec![second, second * 2], "[S.]".to_owned());
    let all = [
        Happened::Answered,
        Happened::ThirdTaken,
        Happened::ThirdSkipped,
        Happened::LateThirdIgnored,
        Happened::SynAckCameAgain { after: second },
        Happened::Refused,
        Happened::FirstLeft,
        Happened::FirstKept,
        Happened::NoFastOpen,
        Happened::FastOpened,
        Happened::FastOpenDeclined,
        Happened::SecondTaken,
        Happened::SecondLeft,
        Happened::FakeReset,
        Happened::FakeBelieved,
        Happened::DuplicateUndone,
        Happened::DuplicateUndoneLater { resets: 1 },
        Happened::FinGivenUp { times: 8, took: second, reset: false },
        Happened::SynAckGivenUp { waits: waits.clone() },
        Happened::LetInByCookie { syns: 12 },
        Happened::OpenedAtOnce,
        Happened::HalfClosed,
        Happened::KeptOut,
        Happened::ResetByExactOnly,
        Happened::DeadPeerNoticed { idle: second, probes: 9, reset: true },
        Happened::Missed { expected: expected.clone(), instead: None },
        Happened::NotSilent { came: expected },
        Happened::WrongState { expected: State::Established, found: State::Closed },
        Happened::NoBackoff { waits },
    ];
    for happened in &all {
        let message = Message::Happened(happened);
        assert!(is_chinese(&say(&message)), "{happened:?}");
        assert!(!English.say(&Cast::default(), &message).is_empty(), "{happened:?}");
    }
}

#[test]
fn a_sentence_names_our_end() {
    let note = Note::Second;
    let second = Message::Note { from: Side::Server, note: &note };
    let said = "第二次握手：ack = 我方 ISN + 1；我方已建立连接，服务器还没有";
    assert_eq!(say(&second), said);
    let again = Note::Again { what: Resent::SynAck, after: Some(Duration::from_secs(1)) };
    let again = Message::Note { from: Side::Server, note: &again };
    assert_eq!(say(&again), "重发第二次握手：第三次握手没有到（已过 1 s）");
}
