//! One direction closed, the other going on: first ours, then the peer's.

use handclasp::tcp::State;
use handclasp::wire::tcp::Flags;

use super::{Experiment, Happened, Ran, Talk, What};
use crate::experiment::talk::REQUEST;

pub(in crate::experiment) const HALF_CLOSE: Experiment = Experiment {
    name: "half-close",
    row: "S3.9",
    clause: "RFC 9293 §3.6",
    what: What::HalfClose,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.open()?;
    talk.send(&format!("[FP.] {REQUEST}"))?;
    // All of the page comes behind our FIN.
    talk.page()?;
    talk.close()?;
    talk.open()?;
    let page = talk.request()?;
    if !page.header.flags.contains(Flags::FIN) {
        talk.expect("[F.?P] ack auto")?;
    }
    talk.send("[.]")?;
    talk.peer_is(State::FinWait2)?;
    talk.send(r#"[P.] data "more\n""#)?;
    talk.expect("[.] seq auto ack auto")?;
    talk.peer_is(State::FinWait2)?;
    talk.send("[F.]")?;
    talk.expect("[.] seq auto ack auto")?;
    talk.close()?;
    Ok(Happened::HalfClosed)
}
