//! The third packet behind the data.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Talk, What};
use crate::experiment::talk::MOMENT;

pub(in crate::experiment) const LATE_THIRD: Experiment = Experiment {
    name: "late-third",
    row: "S0.5",
    clause: "RFC 9293 §3.10.7.4",
    what: What::LateThird,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    talk.send("[S] <mss 1460>")?;
    talk.expect("[S.] ack auto")?;
    // Not yet the whole request, so that the connection stays open.
    talk.send(r#"[P.] data "GET / HTTP/1.0\r\n""#)?;
    talk.expect("[.?P] seq auto ack auto")?;
    talk.peer_is(State::Established)?;
    talk.send("[.] seq auto-16")?;
    // An old number draws an ACK; with it, nothing else (RFC 9293 §3.10.7.4, first check).
    talk.maybe("[.] seq auto ack auto", MOMENT)?;
    talk.peer_is(State::Established)?;
    talk.send(r#"[P.] data "\r\n""#)?;
    talk.page()?;
    talk.close()?;
    Ok(Happened::LateThirdIgnored)
}
