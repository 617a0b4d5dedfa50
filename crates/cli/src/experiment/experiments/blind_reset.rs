//! A RST from somebody else.

use handclasp::tcp::State;
use handclasp_explain::track::note::Note;

use super::{Experiment, Happened, Ran, Talk, What};
use crate::experiment::talk::MOMENT;

pub(in crate::experiment) const BLIND_RESET: Experiment = Experiment {
    name: "blind-reset",
    row: "S1.10",
    clause: "RFC 5961 §3.2",
    what: What::BlindReset,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.open()?;
    // It is not our end that sends these.
    talk.we_are(State::Established);
    talk.next_is(Note::Forged);
    talk.send("[R] seq auto+100000000")?;
    talk.silence(MOMENT)?;
    talk.peer_is(State::Established)?;
    talk.next_is(Note::Forged);
    talk.next_is(Note::Forged);
    talk.send("[R] seq auto+1000")?;
    talk.expect("[.] seq auto ack auto")?;
    talk.peer_is(State::Established)?;
    talk.next_is(Note::Forged);
    talk.send("[R] seq auto")?;
    talk.silence(MOMENT)?;
    talk.peer_forgot()?;
    talk.bury()?;
    Ok(Happened::ResetByExactOnly)
}
