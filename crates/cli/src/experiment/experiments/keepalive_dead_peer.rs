//! An idle connection whose client is gone.

use std::time::Duration;

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Service, Stop, Talk, What};

/// RFC 1122's two hours, and some more.
const IDLE: Duration = Duration::from_secs(7300);

/// Linux waits 75 s from one probe to the next.
const BETWEEN: Duration = Duration::from_secs(100);

const PROBE: &str = "[.?P] seq auto-1 ack auto";

pub(in crate::experiment) const KEEPALIVE_DEAD_PEER: Experiment = Experiment {
    name: "keepalive-dead-peer",
    row: "S2.6",
    clause: "RFC 9293 §3.8.4",
    what: What::KeepAliveDeadPeer,
    service: Service::KeepAlive,
    // By itself the kernel waits two hours, then 75 s nine times.
    sysctls: &[
        ("tcp_keepalive_time", "2"),
        ("tcp_keepalive_intvl", "1"),
        ("tcp_keepalive_probes", "3"),
    ],
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    let third = talk.open()?;
    talk.we_are(State::Closed);
    let first = talk.expect_within(PROBE, IDLE)?;
    let (mut probes, mut last, mut within) = (1, first.at, BETWEEN);
    while talk.resets() == 0
        && let Some(probe) = talk.maybe(PROBE, within)?
    {
        within = (probe.at - last) * 3 / 2 + Duration::from_millis(500);
        (probes, last) = (probes + 1, probe.at);
    }
    if probes == 1 {
        let expected = PROBE.to_owned();
        return Err(Stop::Unlike(Happened::Missed { expected, instead: None }));
    }
    talk.peer_forgot()?;
    let reset = talk.resets() > 0;
    talk.bury()?;
    Ok(Happened::DeadPeerNoticed { idle: first.at - third.at, probes, reset })
}
