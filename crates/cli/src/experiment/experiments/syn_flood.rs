//! More half-open connections than a listener has room for, and then an honest client.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Service, Talk, What};

/// SYNs that are sent, half of which find room.
const SYNS: u32 = 8;

pub(in crate::experiment) const SYN_FLOOD: Experiment = Experiment {
    name: "syn-flood",
    row: "S2.5",
    clause: "RFC 4987 §3.6",
    what: What::SynFlood,
    service: Service::SmallQueue,
    // The kernel's queue of half-open connections is as long as its listener's backlog.
    sysctls: &[("net.core.somaxconn", "4"), ("tcp_syncookies", "1")],
    only_lab: true,
    run,
    ..Experiment::PLAIN
};

fn run(talk: &mut Talk<'_>) -> Ran {
    for _ in 0..SYNS {
        talk.flood()?;
    }
    talk.connect()?;
    talk.send("[S] <mss 1460>")?;
    talk.expect("[S.] ack auto")?;
    // The peer keeps nothing: all that it has to know comes back in the ACK.
    talk.peer_is(State::Listen)?;
    talk.send("[.]")?;
    talk.peer_is(State::Established)?;
    talk.request()?;
    talk.close()?;
    Ok(Happened::LetInByCookie { syns: SYNS })
}
