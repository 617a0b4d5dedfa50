//! Both ends of a conversation say the same of it.

use std::collections::HashMap;

use handclasp_tcp::Tuple;

use super::Violations;
use crate::apps::talker::{End, Report};

/// What is wrong with these reports.
///
/// `excused` says which failures of an end are nobody's fault, given what the other end has to
/// say, if anything.
pub fn disagreements(
    reports: &[Report],
    excused: impl Fn(&Report, Option<&Report>) -> bool,
) -> Violations {
    let mut by_tuple: HashMap<Tuple, Vec<&Report>> = HashMap::new();
    for report in reports {
        by_tuple.entry(report.tuple).or_default().push(report);
    }
    let mut violations = Violations::new();
    for report in reports {
        // Where sockets had more than one life, one of the others must agree.
        let others = by_tuple.get(&report.tuple.reversed()).cloned().unwrap_or_default();
        let disagree = |other| disagrees(report, other, &excused);
        if disagree(None) && others.iter().all(|other| disagree(Some(other))) {
            violations.push(format!("{report:?}, but the other end says {others:?}"));
        }
    }
    violations
}

fn disagrees(
    report: &Report,
    other: Option<&Report>,
    excused: impl Fn(&Report, Option<&Report>) -> bool,
) -> bool {
    let written = other.map_or(0, |other| other.written);
    match report.end {
        End::Mangled(_) => true,
        // The other's FIN stands behind all that it wrote.
        End::Whole => other.is_none() || report.read != written,
        End::Left => report.read > written,
        End::Failed(_) => report.read > written || !excused(report, other),
    }
}

/// Whether the other end left before the conversation was over.
#[must_use]
pub fn other_left(_: &Report, other: Option<&Report>) -> bool {
    other.is_some_and(|other| other.end == End::Left)
}

#[cfg(test)]
#[path = "agreement_tests.rs"]
mod tests;
