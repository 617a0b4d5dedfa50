//! An old duplicate SYN.

use handclasp::tcp::State;
use handclasp_explain::track::note::Note;

use super::{Experiment, Happened, Ran, Talk, What};
use crate::experiment::talk::MOMENT;

pub(in crate::experiment) const OLD_DUPLICATE: Experiment = Experiment {
    name: "old-duplicate",
    row: "S3.8",
    clause: "RFC 9293 §3.5, figure 8",
    what: What::OldDuplicate,
    absolute: true,
    run,
    ..Experiment::PLAIN
};

pub(in crate::experiment) const SYN_FIRST: Experiment = Experiment {
    option: Some("--syn-first"),
    clause: "RFC 9293 §3.5",
    what: What::OldDuplicateSynFirst,
    run: run_syn_first,
    ..OLD_DUPLICATE
};

fn run(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    begin(talk)?;
    talk.next_is(Note::Undoes);
    talk.send("[R] seq 91")?;
    talk.peer_forgot()?;
    open(talk)?;
    Ok(Happened::DuplicateUndone)
}

fn run_syn_first(talk: &mut Talk<'_>) -> Ran {
    talk.connect()?;
    begin(talk)?;
    talk.send("[S] seq 100 <mss 1460>")?;
    // What the peer does with it is its choice: a RST, an ACK, or nothing.
    talk.maybe("[R?.] ack 101", MOMENT)?;
    talk.next_is(Note::Undoes);
    talk.send("[R] seq 91")?;
    talk.maybe("[R?.]", MOMENT)?;
    let resets = talk.resets();
    talk.peer_forgot()?;
    open(talk)?;
    Ok(Happened::DuplicateUndoneLater { resets })
}

/// The old SYN, and the answer to it, while ours with seq 100 is on its way.
fn begin(talk: &mut Talk<'_>) -> Ran<()> {
    talk.we_are(State::SynSent);
    talk.next_is(Note::OldDuplicate);
    talk.send("[S] seq 90 <mss 1460>")?;
    talk.expect("[S.] ack 91")?;
    talk.last_was(Note::NeverSent);
    Ok(())
}

/// The new SYN, and all that follows.
fn open(talk: &mut Talk<'_>) -> Ran<()> {
    talk.send("[S] seq 100 <mss 1460>")?;
    talk.expect("[S.] ack 101")?;
    talk.we_are_what_we_send();
    talk.send("[.]")?;
    talk.peer_is(State::Established)?;
    talk.request()?;
    talk.close()
}
