//! What is to be said of connections, and whether that is a failure.

use clap::ValueEnum;
use handclasp_explain::catalogue::{Cast, Message};
use handclasp_explain::finding::{Examiner, Finding, Severity};
use handclasp_explain::flow::Flow;

use crate::Outcome;
use crate::language::{findings, language};

/// What makes a command fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A warning or an error
    Warn,
    /// An error
    Error,
}

/// Examines connections, and remembers the worst that was found.
#[derive(Default)]
pub(crate) struct Judge {
    examiner: Examiner,
    worst: Option<Severity>,
}

impl Judge {
    /// What is found in a connection, the worst first.
    pub(crate) fn see(&mut self, flow: &Flow) -> Vec<Finding> {
        let mut found = self.examiner.see(flow);
        found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.worst = self.worst.max(found.first().map(|finding| finding.severity));
        found
    }

    /// What is found in all of them together, and how that ends the command.
    pub(crate) fn conclude(self, fail_on: Option<FailOn>) -> (Vec<Finding>, Outcome) {
        let found = self.examiner.conclude();
        let worst = self.worst.max(found.iter().map(|finding| finding.severity).max());
        let limit = fail_on.map(|fail_on| match fail_on {
            FailOn::Warn => Severity::Warn,
            FailOn::Error => Severity::Error,
        });
        let fails = limit.is_some() && worst >= limit;
        (found, if fails { Outcome::Failed } else { Outcome::Done })
    }
}

/// One sentence about a connection: the worst finding, if it is more than a note, or how it
/// ended.
pub(crate) fn verdict(flow: &Flow, found: &[Finding]) -> String {
    match found.first().filter(|finding| finding.severity > Severity::Note) {
        Some(finding) => findings().finding(&finding.says),
        None => language().say(&Cast::default(), &Message::Ending(flow.ending())),
    }
}
