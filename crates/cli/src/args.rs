//! The commands. What may be typed after one stands in its own folder.

use clap::{Parser, Subcommand};

use crate::drill::args::DrillArgs;
use crate::lab::args::LabArgs;
use crate::netcat::args::{ConnectArgs, ListenArgs};

/// TCP that you can see through.
#[derive(Debug, Parser)]
#[command(name = "handclasp", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Example:\n  handclasp lab      watch a TCP connection, packet by packet")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Lab(Box<LabArgs>),
    Connect(ConnectArgs),
    Listen(ListenArgs),
    Drill(Box<DrillArgs>),
}
