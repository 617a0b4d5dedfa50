//! What one flow gets over a bad path, one table for each controller: so that a change shows.
//!
//! Virtual time and one seed make a table that never varies by itself. Where it changes by
//! intent, `HANDCLASP_BLESS=1 cargo test -p handclasp-sim --test goodput` writes it anew.

use std::fmt::Write as _;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

use handclasp_impair::config::{Config as LinkConfig, Limit};
use handclasp_sim::bottleneck::{FlowPlan, FlowReport, Plan};
use handclasp_tcp::config::Algorithm;

const RATE: u64 = 5_000_000;
const TIME: Duration = Duration::from_secs(20);
const LOSSES: [f64; 7] = [0.0, 0.001, 0.01, 0.03, 0.05, 0.1, 0.2];
/// Round trips in milliseconds, and shares of packets that are held back for 10 ms.
const PATHS: [(u64, f64); 6] =
    [(4, 0.0), (20, 0.0), (100, 0.0), (4, 0.05), (20, 0.05), (100, 0.05)];

fn flow(algorithm: Algorithm, rtt: u64, reorder: f64, loss: f64) -> FlowReport {
    let link = LinkConfig::with(|link| {
        link.rate = NonZeroU64::new(RATE);
        link.delay = Duration::from_millis(rtt) / 2;
        link.queue = Limit { packets: (RATE * rtt / 12_000_000).max(10) as usize, bytes: 1 << 30 };
        (link.loss, link.reorder) = (loss, reorder);
    });
    let mut report = Plan::new(vec![FlowPlan::new(algorithm)], link, TIME, 11).run(|_| true);
    report.flows.remove(0)
}

fn table(algorithm: Algorithm) -> String {
    let mut table = format!(
        "Goodput of {algorithm} in kbit/s (and timeouts) over 5 Mbit/s, a queue of one round trip \
         and no less\nthan 10 packets, for 20 s, by round trip and share of packets held back for \
         10 ms.\n\n{:>6}",
        "loss"
    );
    for (rtt, reorder) in PATHS {
        let name = if reorder > 0.0 { format!("{rtt} ms, 5 %") } else { format!("{rtt} ms") };
        write!(table, "{name:>14}").unwrap();
    }
    for loss in LOSSES {
        write!(table, "\n{:>4} %", 100.0 * loss).unwrap();
        for (rtt, reorder) in PATHS {
            let flow = flow(algorithm, rtt, reorder, loss);
            let goodput = (flow.goodput() / 1e3).round();
            let cell = format!("{goodput} ({})", flow.statistics.timeouts);
            write!(table, "{cell:>14}").unwrap();
        }
    }
    table + "\n"
}

fn compare(algorithm: Algorithm) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goodput");
    let path = folder.join(format!("{algorithm}.txt"));
    let now = table(algorithm);
    if std::env::var_os("HANDCLASP_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let then = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(now == then, "goodput changed from\n{then}\nto\n{now}\nSee the head of this file.");
}

#[test]
fn cubic_over_bad_paths() {
    compare(Algorithm::Cubic);
}

#[test]
fn reno_over_bad_paths() {
    compare(Algorithm::Reno);
}

#[test]
fn bbr_over_bad_paths() {
    compare(Algorithm::Bbr);
}
