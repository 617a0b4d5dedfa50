//! The commands. What may be typed after one stands in its own folder.

use clap::{Parser, Subcommand};

use crate::craft::args::CraftArgs;
use crate::decode::args::DecodeArgs;
use crate::drill::args::DrillArgs;
use crate::experiment::args::TryArgs;
use crate::lab::args::LabArgs;
use crate::language::Lang;
use crate::netcat::args::{ConnectArgs, ListenArgs};
use crate::simulate::args::SimulateArgs;

/// TCP that you can see through.
#[derive(Debug, Parser)]
#[command(name = "handclasp", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Example:\n  handclasp lab      watch a TCP connection, packet by packet")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// The language of what is said; by default that of LC_ALL, LC_MESSAGES or LANG
    #[arg(long, global = true, value_enum, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Lang>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Lab(Box<LabArgs>),
    Craft(Box<CraftArgs>),
    Decode(DecodeArgs),
    Try(Box<TryArgs>),
    Connect(ConnectArgs),
    Listen(ListenArgs),
    Drill(Box<DrillArgs>),
    Simulate(Box<SimulateArgs>),
}
