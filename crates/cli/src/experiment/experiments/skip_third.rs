//! No bare third packet at all.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Talk, What};
use crate::experiment::talk::MOMENT;

pub(in crate::experiment) const SKIP_THIRD: Experiment = Experiment {
    name: "skip-third",
    row: "S0.4",
    clause: "RFC 9293 §3.10.7.4",
    what: What::SkipThird,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    talk.send("[S] <mss 1460>")?;
    talk.expect("[S.] ack auto")?;
    talk.silence(MOMENT)?;
    talk.peer_is(State::SynReceived)?;
    talk.request()?;
    talk.close()?;
    Ok(Happened::ThirdSkipped)
}
