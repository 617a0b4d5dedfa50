//! All experiments.

use handclasp_explain::catalogue::experiment::Experiment as What;

use super::experiments::{
    blind_reset, closed_port, data_in_first, data_in_second, data_in_third, fake_synack,
    half_close, half_open, handshake, keepalive_dead_peer, late_third, lost_last_ack, lost_third,
    old_duplicate, out_of_window, simultaneous_open, skip_third, syn_flood,
};
use super::stage::Service;
use super::talk::{Ran, Talk};

/// An experiment.
pub(crate) struct Experiment {
    /// What is typed.
    pub(crate) name: &'static str,
    /// What is typed behind it for this kind of it.
    pub(crate) option: Option<&'static str>,
    /// Where the articles have it: the row of docs/articles.md.
    pub(crate) row: &'static str,
    /// The document that says what has to happen, and where in it.
    pub(crate) clause: &'static str,
    /// What it tries, and what theory expects.
    pub(crate) what: What,
    /// What the peer's server does.
    pub(crate) service: Service,
    /// What the kernel's end is told, unless the user says otherwise; a name without dots is one
    /// of `net.ipv4`.
    pub(crate) sysctls: &'static [(&'static str, &'static str)],
    /// Whether it would do harm to a real peer.
    pub(crate) only_lab: bool,
    /// Whether sequence numbers are shown as they stand in the headers.
    pub(crate) absolute: bool,
    /// Does it.
    pub(crate) run: fn(&mut Talk<'_>) -> Ran,
}

impl Experiment {
    /// What most are like.
    pub(super) const PLAIN: Self = Self {
        name: "",
        option: None,
        row: "",
        clause: "",
        what: What::Handshake,
        service: Service::Page,
        sysctls: &[],
        only_lab: false,
        absolute: false,
        run: handshake::run,
    };

    /// What is typed to run it.
    pub(crate) fn title(&self) -> String {
        match self.option {
            Some(option) => format!("{} {option}", self.name),
            None => self.name.into(),
        }
    }
}

/// All of them, in the order in which they are told best.
pub(crate) static ALL: [Experiment; 21] = [
    handshake::HANDSHAKE,
    data_in_third::DATA_IN_THIRD,
    skip_third::SKIP_THIRD,
    late_third::LATE_THIRD,
    lost_third::SILENT,
    lost_third::TALKING,
    closed_port::CLOSED_PORT,
    data_in_first::DATA_IN_FIRST,
    data_in_first::FAST_OPEN,
    data_in_second::DATA_IN_SECOND,
    fake_synack::FAKE_SYNACK,
    old_duplicate::OLD_DUPLICATE,
    old_duplicate::SYN_FIRST,
    simultaneous_open::SIMULTANEOUS_OPEN,
    half_close::HALF_CLOSE,
    out_of_window::OUT_OF_WINDOW,
    blind_reset::BLIND_RESET,
    half_open::HALF_OPEN,
    syn_flood::SYN_FLOOD,
    lost_last_ack::LOST_LAST_ACK,
    keepalive_dead_peer::KEEPALIVE_DEAD_PEER,
];
