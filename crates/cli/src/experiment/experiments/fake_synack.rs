//! A SYN-ACK from a closed port.

use handclasp::tcp::State;
use handclasp_explain::track::note::Note;

use super::{Experiment, Happened, Ran, Talk, What};

pub(in crate::experiment) const FAKE_SYNACK: Experiment = Experiment {
    name: "fake-synack",
    row: "S4.5",
    clause: "RFC 9293 §3.10.7",
    what: What::FakeSynAck,
    absolute: true,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    talk.we_are(State::Closed);
    talk.send("[S.] seq 7 ack 49510")?;
    talk.expect("[R] seq 49510")?;
    talk.last_was(Note::NoConnection);
    if !talk.can_be_called() {
        return Ok(Happened::FakeReset);
    }
    talk.be_called()?;
    talk.we_are(State::Closed);
    talk.send("[S.] ack auto+1000")?;
    talk.expect("[R] seq auto+1000")?;
    talk.last_was(Note::Rejects);
    talk.peer_is(State::SynSent)?;
    talk.next_is(Note::Fits);
    talk.send("[S.] seq auto-1")?;
    talk.expect("[.] seq auto ack auto")?;
    talk.peer_is(State::Established)?;
    Ok(Happened::FakeBelieved)
}
