//! What is worth telling of connections: rules that look at flows, one in each file.
//!
//! A [`Rule`] sees every connection once, when it is over, and says what it found as a value
//! ([`Says`]); [`crate::catalogue::findings`] has the sentences, and what to do.

mod answered_late;
mod asymmetric;
mod black_hole;
mod checksums;
mod closed_port;
mod copies;
mod flood;
mod half_closed;
mod isns;
mod keep_alive;
mod kernel_reset;
mod last_ack;
mod loss;
mod options;
mod refused;
mod reset;
pub mod says;
mod scan;
mod spurious;
mod unacknowledged;
mod unanswered;
mod unasked;
mod window_limited;
mod zero_window;

use std::borrow::Borrow;
use std::net::SocketAddr;

use crate::flow::Flow;
use crate::flow::evidence::Frames;

pub use says::Says;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// It costs time, or will.
    Warn,
    /// Something did not work.
    Error,
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The connection that it is about; `None` if it is about several.
    pub about: Option<About>,
    /// What was found.
    pub says: Says,
    /// The numbers of frames that show it, in ascending order; not all, if there are many.
    pub evidence: Vec<u64>,
}

/// A connection that something is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Its number.
    pub stream: u64,
    /// Who opened it.
    pub client: SocketAddr,
    /// To whom.
    pub server: SocketAddr,
}

/// Looks at connections.
pub trait Rule {
    /// Looks at one that is over. Most rules say what they see at once.
    fn see(&mut self, flow: &Flow) -> Option<Finding>;

    /// What only all connections together show.
    fn conclude(&mut self) -> Vec<Finding> {
        Vec::new()
    }
}

/// All rules.
#[must_use]
pub fn rules() -> Vec<Box<dyn Rule + Send>> {
    vec![
        Box::new(refused::Refused::default()),
        Box::new(unanswered::Unanswered),
        Box::new(answered_late::AnsweredLate),
        Box::new(unasked::Unasked),
        Box::new(kernel_reset::KernelReset),
        Box::new(last_ack::LastAck),
        Box::new(closed_port::ClosedPort),
        Box::new(reset::Reset),
        Box::new(zero_window::ZeroWindow),
        Box::new(window_limited::WindowLimited),
        Box::new(loss::Loss),
        Box::new(spurious::Spurious),
        Box::new(black_hole::BlackHole),
        Box::new(half_closed::HalfClosed),
        Box::new(keep_alive::KeepAlive),
        Box::new(unacknowledged::Unacknowledged),
        Box::new(asymmetric::Asymmetric),
        Box::new(checksums::Checksums),
        Box::new(copies::Copies),
        Box::new(options::Options),
        Box::new(flood::Flood::default()),
        Box::new(scan::Scan::default()),
        Box::new(isns::Isns::default()),
    ]
}

/// All rules, and what they remember of the connections that they saw.
pub struct Examiner {
    rules: Vec<Box<dyn Rule + Send>>,
}

impl Default for Examiner {
    fn default() -> Self {
        Self { rules: rules() }
    }
}

impl Examiner {
    /// What is to be said of a connection that is over.
    pub fn see(&mut self, flow: &Flow) -> Vec<Finding> {
        self.rules.iter_mut().filter_map(|rule| rule.see(flow)).collect()
    }

    /// What only all connections together show.
    #[must_use]
    pub fn conclude(mut self) -> Vec<Finding> {
        self.rules.iter_mut().flat_map(|rule| rule.conclude()).collect()
    }
}

/// What all rules say of these connections: of each in turn, and then of all together.
#[must_use]
pub fn find<'a>(flows: impl IntoIterator<Item = &'a (impl Borrow<Flow> + 'a)>) -> Vec<Finding> {
    let mut examiner = Examiner::default();
    let mut found: Vec<_> =
        flows.into_iter().flat_map(|flow| examiner.see(flow.borrow())).collect();
    found.extend(examiner.conclude());
    found
}

impl Finding {
    fn of(flow: &Flow, severity: Severity, says: Says) -> Self {
        let about = About {
            stream: flow.stream,
            client: flow.key.ends[flow.client],
            server: flow.key.ends[flow.server()],
        };
        Self { severity, about: Some(about), says, evidence: Vec::new() }
    }

    /// Of several connections.
    fn over(severity: Severity, says: Says) -> Self {
        Self { severity, about: None, says, evidence: Vec::new() }
    }

    fn shown_by(mut self, frames: impl IntoIterator<Item = u64>) -> Self {
        self.evidence.extend(frames);
        self.evidence.sort_unstable();
        self.evidence.dedup();
        self
    }

    fn shown_by_all(self, frames: Option<&Frames>) -> Self {
        self.shown_by(frames.into_iter().flat_map(Frames::iter))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
