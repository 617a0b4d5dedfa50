//! `handclasp simulate`: flows that share a narrow link, in virtual time.

pub(crate) mod args;
mod picture;
mod table;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use handclasp_impair::config::{Config, Limit};
use handclasp_sim::bottleneck::{FlowPlan, Plan, Report};
use indicatif::{ProgressBar, ProgressStyle};

use crate::Outcome;
use crate::error::Error;

use args::SimulateArgs;

/// More flows than this are a mistake in typing.
const FLOWS_MAX: usize = 256;
/// Steps of the bar.
const STEPS: u64 = 1_000;

/// Runs the command.
///
/// # Errors
///
/// When the arguments make no sense, or the output cannot be written.
pub(crate) fn run(args: SimulateArgs) -> Result<Outcome, Error> {
    if args.flows.len() > FLOWS_MAX {
        return Err(Error::TooManyFlows(FLOWS_MAX));
    }
    let seed = args.seed.unwrap_or_else(crate::lab::seed);
    let plan = plan(&args, seed);
    let bar = bar(args.time);
    let started = std::time::Instant::now();
    let report = plan.run(|time| {
        let done = time.as_secs_f64() / args.time.as_secs_f64() * STEPS as f64;
        bar.set_position(done as u64);
        true
    });
    bar.finish_and_clear();
    if let Some(path) = &args.plot {
        let svg = picture::figure(&args, seed, &report).svg();
        std::fs::write(path, svg).map_err(|error| Error::Write(path.clone(), error))?;
    }
    let mut out = anstream::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &table::Object::new(&args, seed, &report))
            .map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(
            out,
            "{}",
            table::Table { args: &args, seed, report: &report, took: started.elapsed() }
        )?;
    }
    Ok(outcome(&args, &report))
}

/// Flows that were to end and did not have failed.
fn outcome(args: &SimulateArgs, report: &Report) -> Outcome {
    let unfinished = args.bytes.is_some() && report.flows.iter().any(|flow| !flow.finished);
    if unfinished { Outcome::Failed } else { Outcome::Done }
}

fn plan(args: &SimulateArgs, seed: u64) -> Plan {
    let flows = args.flows.iter().zip(0u32..).map(|(algorithm, n)| {
        let mut flow = FlowPlan::new(*algorithm);
        flow.config.pacing = !args.no_pacing;
        flow.start = args.stagger * n;
        flow.bytes = args.bytes.unwrap_or(u64::MAX);
        flow
    });
    let forth = Config::with(|link| {
        link.rate = Some(args.rate);
        link.delay = args.delay;
        link.loss = args.loss;
        link.reorder = args.reorder;
        link.queue =
            Limit { packets: args.queue.packets(args.rate, args.delay), bytes: usize::MAX };
    });
    Plan::new(flows.collect(), forth, args.time, seed)
}

fn bar(time: Duration) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {percent} % of {msg} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let time = handclasp_explain::catalogue::quantity::Time(time);
    ProgressBar::new(STEPS).with_style(style).with_message(time.to_string())
}

#[cfg(test)]
mod tests;
