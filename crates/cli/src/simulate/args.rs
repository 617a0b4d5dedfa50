//! What may be typed after `simulate`.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use handclasp::tcp::config::Algorithm;
use handclasp_impair::units;

/// Let flows share a narrow link, in virtual time, and see what each gets.
///
/// All flows go from one host to another over one link with one queue; acknowledgments come
/// back unharmed. The same seed is the same run, packet by packet, on any machine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp simulate                              CUBIC against BBR for a minute
  handclasp simulate --flows cubic,cubic,bbr,reno --queue 2bdp
  handclasp simulate --flows cubic --rate 100mbit --delay 50ms --loss 0.1%
  handclasp simulate --flows bbr,bbr --stagger 10s --plot fair.svg
  handclasp simulate --time 24h --json")]
pub(crate) struct SimulateArgs {
    /// The flows, by their congestion controllers: cubic, reno, bbr
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "cubic,bbr")]
    pub(crate) flows: Vec<Algorithm>,

    /// What the link carries in a second
    #[arg(long, value_name = "RATE", value_parser = units::rate, default_value = "10mbit")]
    pub(crate) rate: NonZeroU64,

    /// How long a packet travels, each way
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "20ms")]
    pub(crate) delay: Duration,

    /// What waits for the link: packets, or a multiple of rate × round trip
    #[arg(long, value_name = "LENGTH", default_value = "1bdp")]
    pub(crate) queue: Queue,

    /// Lose this share of the data packets: 1%
    #[arg(long, value_name = "SHARE", value_parser = units::probability, default_value = "0")]
    pub(crate) loss: f64,

    /// Hold back this share of the data packets, so that later ones overtake them
    #[arg(long, value_name = "SHARE", value_parser = units::probability, default_value = "0")]
    pub(crate) reorder: f64,

    /// For so long
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "60s")]
    pub(crate) time: Duration,

    /// End each flow after so many bytes
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(crate) bytes: Option<u64>,

    /// Begin each flow so long after the one before
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "0s")]
    pub(crate) stagger: Duration,

    /// Let windows out in bursts, except BBR's
    #[arg(long)]
    pub(crate) no_pacing: bool,

    /// Repeat what chance did in another run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Draw windows, round trips and goodput over time
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,

    /// Write one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// How much waits for a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Queue {
    Packets(usize),
    /// Bandwidth-delay products.
    Products(f64),
}

/// A text that is no length of a queue.
#[derive(Debug, thiserror::Error)]
#[error("no such queue: type packets as 100, or a multiple of rate × round trip as 0.5bdp")]
pub(crate) struct NoSuchQueue;

impl FromStr for Queue {
    type Err = NoSuchQueue;

    fn from_str(text: &str) -> Result<Self, NoSuchQueue> {
        if let Some(times) = text.strip_suffix("bdp") {
            let times = times.trim().parse().map_err(|_| NoSuchQueue)?;
            let sane = (0.0..=1_000.0).contains(&times);
            return sane.then_some(Self::Products(times)).ok_or(NoSuchQueue);
        }
        let packets = text.parse().map_err(|_| NoSuchQueue)?;
        (packets > 0).then_some(Self::Packets(packets)).ok_or(NoSuchQueue)
    }
}

impl Queue {
    /// Packets of 1500 bytes, and no fewer than ten where it is a multiple.
    pub(crate) fn packets(self, rate: NonZeroU64, delay: Duration) -> usize {
        match self {
            Self::Packets(packets) => packets,
            Self::Products(times) => {
                let bytes = rate.get() as f64 / 8.0 * 2.0 * delay.as_secs_f64();
                ((times * bytes / 1500.0).round() as usize).max(10)
            }
        }
    }
}

/// A time, in hours too.
fn span(text: &str) -> Result<Duration, units::UnitError> {
    match text.strip_suffix('h').and_then(|hours| hours.parse::<u32>().ok()) {
        Some(hours) => Ok(Duration::from_secs(3600) * hours),
        None => units::duration(text),
    }
}
