//! Congestion marked instead of dropped (RFC 3168, RFC 9768), with the Linux kernel at the
//! other end.
#![cfg(target_os = "linux")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::transfer::{Opener, Sizes, exchange};
use common::{Link, addressed, isolated, lab_and_device, run};
use handclasp::Stack;
use handclasp::device::impaired::Impaired;
use handclasp::tcp::ecn::EcnMode;
use handclasp::tcp::event::{Event, Log};
use handclasp::tcp::{Config, Tuple};
use handclasp::wire::tcp::Flags;
use handclasp::wire::time::Instant;
use handclasp_impair::config::Config as LinkConfig;

const SIZES: Sizes = Sizes { by_us: 3_000_000, by_kernel: 3_000_000 };

/// What the log says of marks.
#[derive(Debug, Default)]
struct Marks {
    /// That the kernel reported.
    reported: AtomicU64,
    /// Segments of ours that reported some.
    told: AtomicU64,
}

impl Log for Marks {
    fn record(&self, _at: Instant, _tuple: &Tuple, event: &Event<'_>) {
        let count = |counter: &AtomicU64, n| counter.fetch_add(n, Ordering::Relaxed);
        match *event {
            Event::Marked { packets } => {
                count(&self.reported, packets.into());
            }
            Event::Sent { header, .. } if !header.flags.contains(Flags::SYN) => {
                let ecn = header.flags & (Flags::AE | Flags::CWR | Flags::ECE);
                // Where nothing was marked an accurate count is 5, AE and ECE.
                let tells = ecn.contains(Flags::ECE) && !ecn.contains(Flags::AE)
                    || ecn.contains(Flags::AE) && ecn != Flags::AE | Flags::ECE;
                count(&self.told, tells.into());
            }
            _ => {}
        }
    }
}

/// Moves bytes both ways over a link that marks one packet in fifty and loses none.
async fn marked(ours: EcnMode, kernels: &str, opener: Opener) {
    let (lab, device) = lab_and_device(Link::Packet);
    if lab.set_sysctl("net/ipv4/tcp_ecn", kernels).is_err() {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        handclasp_lab::isolated::skip(&test, format!("this kernel has no tcp_ecn={kernels}"));
        return;
    }
    let link = LinkConfig::with(|c| {
        c.mark = 0.02;
        c.delay = std::time::Duration::from_millis(1);
    });
    let device = Impaired::new(device, link.clone(), link, 7).unwrap();
    let marks = Arc::new(Marks::default());
    let mut config = Config::default();
    config.ecn = ours;
    let stack = addressed(Stack::builder(device)).tcp(config).log(marks.clone()).spawn().unwrap();
    exchange(&lab, &stack, false, opener, SIZES).await;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    assert!(read(&marks.reported) > 0, "the kernel reports marks: {marks:?}");
    assert!(read(&marks.told) > 0, "so do we: {marks:?}");
}

#[test]
fn the_kernel_and_we_echo_marks_when_we_ask() {
    isolated().run(|| run(marked(EcnMode::Classic, "1", Opener::Us)));
}

#[test]
fn the_kernel_and_we_echo_marks_when_it_asks() {
    isolated().run(|| run(marked(EcnMode::OnRequest, "1", Opener::Kernel)));
}

#[test]
fn the_kernel_and_we_count_marks_when_we_ask() {
    isolated().run(|| run(marked(EcnMode::Accurate, "3", Opener::Us)));
}

#[test]
fn the_kernel_and_we_count_marks_when_it_asks() {
    isolated().run(|| run(marked(EcnMode::OnRequest, "3", Opener::Kernel)));
}

/// Requirement: RFC9768-R06
#[test]
fn a_kernel_that_only_echoes_is_enough_for_us() {
    isolated().run(|| run(marked(EcnMode::Accurate, "1", Opener::Us)));
}
