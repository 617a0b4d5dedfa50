//! What a run came to, for readers and for programs.

use std::fmt;
use std::time::Duration;

use handclasp_explain::catalogue::quantity::{Count, Rate, Size, Time};
use handclasp_sim::bottleneck::{FlowReport, Report};
use serde::Serialize;

use super::args::SimulateArgs;

/// The table.
pub(super) struct Table<'a> {
    pub(super) args: &'a SimulateArgs,
    pub(super) seed: u64,
    pub(super) report: &'a Report,
    /// Real time.
    pub(super) took: Duration,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { args, seed, report, took } = self;
        writeln!(f, "{}, seed {seed}", link(args))?;
        writeln!(f)?;
        writeln!(
            f,
            "flow  controller  {:>12}  {:>6}  {:>6}  {:>4}  {:>8}  {:>8}",
            "goodput", "share", "resent", "RTOs", "RTT", "time"
        )?;
        let all: f64 = report.flows.iter().map(FlowReport::goodput).sum();
        for (n, flow) in report.flows.iter().enumerate() {
            let share = if all > 0.0 { 100.0 * flow.goodput() / all } else { 0.0 };
            writeln!(
                f,
                "{:>4}  {:<10}  {:>12}  {share:>4.0} %  {:>4.1} %  {:>4}  {:>8}  {:>8}",
                n + 1,
                flow.algorithm.name(),
                Rate { bytes: flow.statistics.bytes_acked, time: flow.time }.to_string(),
                100.0 * flow.resent(),
                flow.statistics.timeouts,
                flow.rtt.map_or("–".to_owned(), |rtt| Time(rtt).to_string()),
                if flow.finished { Time(flow.time).to_string() } else { "–".to_owned() },
            )?;
        }
        writeln!(f)?;
        let queue = &report.queue_delay;
        let used = report.utilisation().map_or(0.0, |share| 100.0 * share);
        writeln!(f, "fairness     {:.3} (Jain's index; 1 is all alike)", report.fairness())?;
        writeln!(f, "utilisation  {used:.1} %")?;
        writeln!(
            f,
            "queue delay  {} on average, {} in the median, {} at 95 %, {} at most",
            Time(queue.mean),
            Time(queue.median),
            Time(queue.p95),
            Time(queue.max)
        )?;
        let dropped = report.link.queue_dropped;
        writeln!(
            f,
            "packets      {} in {}; {} found the queue full, {} were lost",
            Count(report.packets),
            Time(*took),
            Count(dropped),
            Count(report.link.lost)
        )
    }
}

/// What the flows share, in a line.
pub(super) fn link(args: &SimulateArgs) -> String {
    let rate = Rate { bytes: args.rate.get() / 8, time: Duration::from_secs(1) };
    let packets = args.queue.packets(args.rate, args.delay);
    let mut line = format!(
        "{rate}, {} each way, a queue of {} packets",
        Time(args.delay),
        Count(packets as u64)
    );
    if args.loss > 0.0 {
        line += &format!(", {} % lost", 100.0 * args.loss);
    }
    if args.reorder > 0.0 {
        line += &format!(", {} % held back", 100.0 * args.reorder);
    }
    if let Some(bytes) = args.bytes {
        line += &format!(", {} a flow", Size(bytes));
    }
    format!("{line}, {}", Time(args.time))
}

/// The same for programs.
#[derive(Serialize)]
pub(super) struct Object {
    v: u32,
    r#type: &'static str,
    seed: u64,
    rate_bits: u64,
    delay_ns: u64,
    queue_packets: usize,
    loss: f64,
    reorder: f64,
    time_ns: u64,
    fairness: f64,
    utilisation: Option<f64>,
    queue_delay_ns: QueueObject,
    packets: u64,
    queue_dropped: u64,
    lost: u64,
    flows: Vec<FlowObject>,
}

#[derive(Serialize)]
struct QueueObject {
    mean: u64,
    median: u64,
    p95: u64,
    max: u64,
}

#[derive(Serialize)]
struct FlowObject {
    controller: &'static str,
    goodput_bits: f64,
    bytes: u64,
    finished: bool,
    time_ns: u64,
    resent_share: f64,
    segments_out: u64,
    segments_resent: u64,
    timeouts: u64,
    rtt_ns: Option<u64>,
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Object {
    pub(super) fn new(args: &SimulateArgs, seed: u64, report: &Report) -> Self {
        let queue = &report.queue_delay;
        Self {
            v: handclasp_explain::json::VERSION,
            r#type: "simulation",
            seed,
            rate_bits: args.rate.get(),
            delay_ns: nanos(args.delay),
            queue_packets: args.queue.packets(args.rate, args.delay),
            loss: args.loss,
            reorder: args.reorder,
            time_ns: nanos(report.time),
            fairness: report.fairness(),
            utilisation: report.utilisation(),
            queue_delay_ns: QueueObject {
                mean: nanos(queue.mean),
                median: nanos(queue.median),
                p95: nanos(queue.p95),
                max: nanos(queue.max),
            },
            packets: report.packets,
            queue_dropped: report.link.queue_dropped,
            lost: report.link.lost,
            flows: report.flows.iter().map(FlowObject::new).collect(),
        }
    }
}

impl FlowObject {
    fn new(flow: &FlowReport) -> Self {
        Self {
            controller: flow.algorithm.name(),
            goodput_bits: flow.goodput(),
            bytes: flow.statistics.bytes_acked,
            finished: flow.finished,
            time_ns: nanos(flow.time),
            resent_share: flow.resent(),
            segments_out: flow.statistics.segments_out,
            segments_resent: flow.statistics.segments_resent,
            timeouts: flow.statistics.timeouts,
            rtt_ns: flow.rtt.map(nanos),
        }
    }
}
