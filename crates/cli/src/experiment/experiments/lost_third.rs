//! The third packet lost on the way.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Talk, What};

pub(in crate::experiment) const SILENT: Experiment = Experiment {
    name: "lost-third",
    row: "S1.4",
    clause: "RFC 9293 §3.8.1",
    what: What::LostThird,
    run,
    ..Experiment::PLAIN
};

pub(in crate::experiment) const TALKING: Experiment = Experiment {
    option: Some("--talking"),
    clause: "RFC 9293 §3.10.7.4",
    what: What::LostThirdTalking,
    run: run_talking,
    ..SILENT
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    talk.send("[S] <mss 1460>")?;
    let second = talk.expect("[S.] ack auto")?;
    talk.lose("[.]")?;
    let again = talk.expect("[S.] seq auto-1 ack auto")?;
    talk.send("[.]")?;
    talk.peer_is(State::Established)?;
    talk.request()?;
    talk.close()?;
    Ok(Happened::SynAckCameAgain { after: again.at - second.at })
}

fn run_talking(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    talk.send("[S] <mss 1460>")?;
    talk.expect("[S.] ack auto")?;
    talk.lose("[.]")?;
    talk.peer_is(State::SynReceived)?;
    talk.request()?;
    talk.close()?;
    Ok(Happened::ThirdSkipped)
}
