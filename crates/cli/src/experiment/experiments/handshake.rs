//! A handshake made by hand, and a request over it.

use super::{Experiment, Happened, Ran, Talk, What};

pub(in crate::experiment) const HANDSHAKE: Experiment = Experiment {
    name: "handshake",
    row: "S0.2",
    clause: "RFC 9293 §3.5",
    what: What::Handshake,
    ..Experiment::PLAIN
};

pub(in crate::experiment) fn run(talk: &mut Talk<'_>) -> Ran {
    talk.open()?;
    talk.request()?;
    talk.close()?;
    Ok(Happened::Answered)
}
