//! Data that the window does not cover.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Talk, What};

pub(in crate::experiment) const OUT_OF_WINDOW: Experiment = Experiment {
    name: "out-of-window",
    row: "S1.2",
    clause: "RFC 9293 §3.10.7.4",
    what: What::OutOfWindow,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.open()?;
    talk.we_are(State::Established);
    talk.send(r#"[P.] seq auto+100000000 data "beyond""#)?;
    talk.expect("[.] seq auto ack auto")?;
    talk.send(r#"[P.] seq auto-1000 data "before""#)?;
    talk.expect("[.] seq auto ack auto")?;
    talk.peer_is(State::Established)?;
    talk.we_are_what_we_send();
    talk.request()?;
    talk.close()?;
    Ok(Happened::KeptOut)
}
