//! The commands. What may be typed after one stands in its own folder.

use clap::{Parser, Subcommand};

use crate::capture::args::CaptureArgs;
use crate::craft::args::CraftArgs;
use crate::decode::args::DecodeArgs;
use crate::drill::args::DrillArgs;
use crate::experiment::args::TryArgs;
use crate::explain::args::ExplainArgs;
use crate::export::args::ExportArgs;
use crate::flows::args::FlowsArgs;
use crate::follow::args::FollowArgs;
use crate::lab::args::LabArgs;
use crate::language::Lang;
use crate::netcat::args::{ConnectArgs, ListenArgs};
use crate::prove::args::ProveArgs;
use crate::report::args::ReportArgs;
use crate::show::args::ShowArgs;
use crate::simulate::args::SimulateArgs;

/// TCP that you can see through.
#[derive(Debug, Parser)]
#[command(name = "handclasp", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Examples:
  handclasp lab                watch a TCP connection, packet by packet
  handclasp explain FILE       what happened in a capture, and what to do about it")]
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
    Prove(ProveArgs),
    Drill(Box<DrillArgs>),
    Simulate(Box<SimulateArgs>),
    Show(ShowArgs),
    Capture(CaptureArgs),
    Report(ReportArgs),
    Export(ExportArgs),
    Flows(FlowsArgs),
    Explain(ExplainArgs),
    Follow(FollowArgs),
}
