//! A SYN to a port where nobody listens.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Talk, What};

pub(in crate::experiment) const CLOSED_PORT: Experiment = Experiment {
    name: "closed-port",
    row: "S4.4",
    clause: "RFC 9293 §3.10.7.1",
    what: What::ClosedPort,
    absolute: true,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect_to_closed()?;
    talk.send("[S] <mss 1460>")?;
    talk.expect("[R.] seq 0 ack auto")?;
    talk.peer_is(State::Closed)?;
    talk.close()?;
    Ok(Happened::Refused)
}
