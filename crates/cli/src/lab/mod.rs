//! `handclasp lab`: a connection in a private network, told as it happens.

pub(crate) mod args;
#[cfg(target_os = "linux")]
pub(crate) mod live;
mod picture;
pub(crate) mod plan;
pub(crate) mod report;
mod simulated;

use crate::Outcome;
use crate::error::Error;

use args::LabArgs;
use plan::Plan;

/// What the page says that is fetched.
pub(crate) const PAGE: &str = "hello from the other end\n";

/// Runs the command.
///
/// # Errors
///
/// When the network cannot be made, or the output cannot be written.
pub(crate) fn run(args: LabArgs) -> Result<Outcome, Error> {
    let is_virtual = args.r#virtual;
    let plan = Plan::new(args, seed())?;
    if is_virtual { simulated::run(&plan) } else { run_live(&plan) }
}

#[cfg(target_os = "linux")]
fn run_live(plan: &Plan) -> Result<Outcome, Error> {
    live::run(plan)
}

#[cfg(not(target_os = "linux"))]
fn run_live(_plan: &Plan) -> Result<Outcome, Error> {
    Err(Error::NeedsLinux("handclasp lab --virtual"))
}

/// A seed that differs from run to run, short enough to be typed.
pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish() % 100_000
}

/// The most time that packets spend on their way there and back.
fn round_trip(plan: &Plan) -> std::time::Duration {
    plan.whims.as_ref().map_or(std::time::Duration::ZERO, |whims| {
        let longest = |c: &handclasp_impair::config::Config| c.delay + c.jitter;
        longest(&whims.outgoing) + longest(&whims.incoming)
    })
}
