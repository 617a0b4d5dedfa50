//! Data in the third packet.

use super::{Experiment, Happened, Ran, Talk, What};
use crate::experiment::talk::REQUEST;

pub(in crate::experiment) const DATA_IN_THIRD: Experiment = Experiment {
    name: "data-in-third",
    row: "S0.3",
    clause: "RFC 9293 §3.10.7.4",
    what: What::DataInThird,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    talk.send("[S] <mss 1460>")?;
    talk.expect("[S.] ack auto")?;
    talk.send(&format!("[.] {REQUEST}"))?;
    talk.page()?;
    talk.close()?;
    Ok(Happened::ThirdTaken)
}
