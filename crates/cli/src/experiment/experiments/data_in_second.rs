//! Data in the second packet.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Talk, What};

pub(in crate::experiment) const DATA_IN_SECOND: Experiment = Experiment {
    name: "data-in-second",
    row: "S1.8",
    clause: "RFC 9293 §3.10.7.3",
    what: What::DataInSecond,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.be_called()?;
    let second = talk.send(r#"[S.] <mss 1460> data "hello\n""#)?;
    let answer = talk.expect("[.]")?;
    talk.peer_is(State::Established)?;
    let taken = answer.header.ack == second.header.seq + 1 + second.len as u32;
    if !taken {
        talk.send(r#"[P.] seq auto-6 data "hello\n""#)?;
        talk.expect("[.] ack auto")?;
    }
    talk.close()?;
    Ok(if taken { Happened::SecondTaken } else { Happened::SecondLeft })
}
