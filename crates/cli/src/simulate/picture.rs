//! The course of a run, as a picture.

use handclasp_sim::bottleneck::{FlowReport, Report, Sample};

use crate::plot::{Curve, Figure, Panel, Points, Unit};

use super::args::SimulateArgs;
use super::table::link;

/// Samples that a rate is averaged over.
const SMOOTH: usize = 10;

pub(super) fn figure(args: &SimulateArgs, seed: u64, report: &Report) -> Figure {
    let names: Vec<_> = args.flows.iter().map(|algorithm| algorithm.name()).collect();
    let panel = |title, unit, of: fn(&FlowReport) -> Points| {
        let curves = report.flows.iter().enumerate();
        let curves =
            curves.map(|(n, flow)| Curve::new(format!("{} {}", n + 1, flow.algorithm), of(flow)));
        Panel { title, unit, curves: curves.collect() }
    };
    Figure {
        title: format!("{} over one link", names.join(", ")),
        subtitle: format!("{}; seed {seed}", link(args)),
        panels: vec![
            panel("Goodput", Unit::BitsPerSecond, goodput),
            panel("Congestion window", Unit::Bytes, |flow| {
                values(flow, |sample| Some(f64::from(sample.cwnd)))
            }),
            panel("Bytes in flight", Unit::Bytes, |flow| {
                values(flow, |sample| Some(f64::from(sample.in_flight)))
            }),
            panel("Smoothed round trip", Unit::Seconds, |flow| {
                values(flow, |sample| Some(sample.rtt?.as_secs_f64()))
            }),
        ],
    }
}

fn values(flow: &FlowReport, of: impl Fn(&Sample) -> Option<f64>) -> Points {
    flow.samples.iter().map(|sample| (sample.at.as_secs_f64(), of(sample))).collect()
}

fn goodput(flow: &FlowReport) -> Points {
    let over = |pair: &[Sample]| {
        let [first, .., last] = pair else { return (0.0, None) };
        let time = (last.at - first.at).as_secs_f64();
        let bytes = (last.delivered - first.delivered) as f64;
        (last.at.as_secs_f64(), Some(8.0 * bytes / time))
    };
    flow.samples.windows(SMOOTH).map(over).collect()
}
