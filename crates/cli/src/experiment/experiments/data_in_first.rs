//! Data in the first packet.

use handclasp::tcp::State;

use super::{Experiment, Happened, Ran, Service, Stop, Talk, What};
use crate::experiment::talk::{MOMENT, REQUEST};

pub(in crate::experiment) const DATA_IN_FIRST: Experiment = Experiment {
    name: "data-in-first",
    row: "S1.8",
    clause: "RFC 9293 §3.10.7.2",
    what: What::DataInFirst,
    run,
    ..Experiment::PLAIN
};

pub(in crate::experiment) const FAST_OPEN: Experiment = Experiment {
    option: Some("--fast-open"),
    clause: "RFC 7413 §4",
    what: What::FastOpen,
    service: Service::FastOpen,
    // Also for listeners that did not ask for it.
    sysctls: &[("tcp_fastopen", "1027")],
    run: run_fast_open,
    ..DATA_IN_FIRST
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    let syn = talk.send(&format!("[S] <mss 1460> {REQUEST}"))?;
    let second = talk.expect("[S.]")?;
    let (isn, len) = (syn.header.seq, syn.len as u32);
    // Either way, nothing of it may be delivered yet.
    talk.silence(MOMENT)?;
    talk.peer_is(State::SynReceived)?;
    let happened = if second.header.ack == isn + 1 {
        talk.send("[.]")?;
        talk.request()?;
        Happened::FirstLeft
    } else if second.header.ack == isn + 1 + len {
        talk.send("[.]")?;
        talk.page()?;
        Happened::FirstKept
    } else {
        let expected = format!("[S.] ack {} or {}", isn + 1, isn + 1 + len);
        let instead = Some(format!("ack is {}", second.header.ack));
        return Err(Stop::Unlike(Happened::Missed { expected, instead }));
    };
    talk.close()?;
    Ok(happened)
}

fn run_fast_open(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    talk.send("[S] <mss 1460, nop, nop, tfo cookiereq>")?;
    let second = talk.expect("[S.] ack auto")?;
    let cookie = second.header.options.fast_open.filter(|cookie| !cookie.as_slice().is_empty());
    let Some(cookie) = cookie else { return Ok(Happened::NoFastOpen) };
    let hex: String = cookie.as_slice().iter().map(|byte| format!("{byte:02x}")).collect();
    talk.connect()?;
    let padding = ", nop".repeat((2 + 4 * cookie.as_slice().len() - cookie.as_slice().len()) % 4);
    let options = format!("mss 1460{padding}, tfo cookie {hex}");
    let syn = talk.send(&format!("[S] <{options}> {REQUEST}"))?;
    let second = talk.expect("[S.]")?;
    let happened = if second.header.ack == syn.header.seq + 1 + syn.len as u32 {
        talk.page()?;
        talk.send("[.]")?;
        Happened::FastOpened
    } else {
        talk.send("[.]")?;
        talk.request()?;
        Happened::FastOpenDeclined
    };
    talk.close()?;
    Ok(happened)
}
