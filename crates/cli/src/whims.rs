//! What the link does to packets, as it is typed.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::Args;
use handclasp_impair::units;

use crate::lab::plan::DropNth;

/// What the link does to packets, in both directions.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "A bad link")]
pub(crate) struct WhimArgs {
    /// Lose this share of the packets: 1%
    #[arg(long, value_name = "SHARE", value_parser = units::probability)]
    pub(crate) loss: Option<f64>,

    /// Let every packet travel so long: 10ms
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(crate) delay: Option<Duration>,

    /// Vary the delay by so much: 2ms
    #[arg(long, value_name = "TIME", value_parser = units::duration, requires = "delay")]
    pub(crate) jitter: Option<Duration>,

    /// Carry so much in a second: 100mbit
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    pub(crate) rate: Option<NonZeroU64>,

    /// Hold back this share of the packets, so that later ones overtake them
    #[arg(long, value_name = "SHARE", value_parser = units::probability)]
    pub(crate) reorder: Option<f64>,

    /// Deliver this share of the packets twice
    #[arg(long, value_name = "SHARE", value_parser = units::probability)]
    pub(crate) duplicate: Option<f64>,

    /// Flip a bit in this share of the packets
    #[arg(long, value_name = "SHARE", value_parser = units::probability)]
    pub(crate) corrupt: Option<f64>,

    /// Lose the client's or the server's packet of this number: client:2, server:1,3
    #[arg(long, value_name = "WHO:NUMBER")]
    pub(crate) drop: Vec<DropNth>,

    /// Repeat what chance did in another run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}
