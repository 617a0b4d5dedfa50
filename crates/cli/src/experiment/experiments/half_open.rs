//! A SYN-ACK that nobody answers.

use std::time::Duration;

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Talk, What, doubling, waits};

pub(in crate::experiment) const HALF_OPEN: Experiment = Experiment {
    name: "half-open",
    row: "S2.3",
    clause: "RFC 6298 §5.5",
    what: What::HalfOpen,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    talk.send("[S] <mss 1460>")?;
    // Who floods keeps nothing of what it sent.
    talk.we_are(State::Closed);
    let second = talk.expect("[S.] ack auto")?;
    let waits = waits(talk, second.at, "[S.] seq auto-1 ack auto", Duration::from_secs(4))?;
    doubling(&waits)?;
    talk.peer_forgot()?;
    talk.bury()?;
    Ok(Happened::SynAckGivenUp { waits })
}
