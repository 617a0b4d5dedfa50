//! A FIN that is never acknowledged.

use std::time::Duration;

use super::{Experiment, Happened, Ran, Talk, What, doubling, waits};

pub(in crate::experiment) const LOST_LAST_ACK: Experiment = Experiment {
    name: "lost-last-ack",
    row: "S3.7",
    clause: "RFC 9293 §3.8.3",
    what: What::LostLastAck,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.open()?;
    talk.send("[F.]")?;
    let fin = talk.expect("[F.?P] seq auto ack auto")?;
    talk.lose("[.]")?;
    let waits = waits(talk, fin.at, "[F.?P] seq auto-1 ack auto", Duration::from_secs(4))?;
    // The first may be a probe of the tail (RFC 8985 §7), which is no backoff.
    doubling(waits.get(1..).filter(|rest| !rest.is_empty()).unwrap_or(&waits))?;
    talk.peer_forgot()?;
    let reset = talk.resets() > 0;
    talk.bury()?;
    let (times, took) = (waits.len() as u32, waits.iter().sum());
    Ok(Happened::FinGivenUp { times, took, reset })
}
