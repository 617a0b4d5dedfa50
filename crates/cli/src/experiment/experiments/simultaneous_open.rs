//! Two SYNs that cross.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Talk, What};

pub(in crate::experiment) const SIMULTANEOUS_OPEN: Experiment = Experiment {
    name: "simultaneous-open",
    row: "S1.3",
    clause: "RFC 9293 §3.5, figure 7",
    what: What::SimultaneousOpen,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.be_called()?;
    talk.we_are(State::SynReceived);
    talk.send("[S] <mss 1460>")?;
    talk.expect("[S.] seq auto-1 ack auto")?;
    talk.we_are(State::Established);
    talk.send("[S.] seq auto-1 <mss 1460>")?;
    talk.peer_is(State::Established)?;
    talk.send(r#"[P.] data "hello\n""#)?;
    talk.expect("[.] seq auto ack auto")?;
    talk.we_are_what_we_send();
    talk.close()?;
    Ok(Happened::OpenedAtOnce)
}
