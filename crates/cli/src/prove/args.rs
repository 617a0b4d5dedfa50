//! What may be typed after `prove`.

use clap::{Args, Subcommand, ValueEnum};
use handclasp_prove::stack::Scene;

/// Explore every run of a handshake, or of our own state machine, and see whether it can go
/// wrong.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp prove handshake --ways 2   what goes wrong with two packets, as a ladder
  handclasp prove handshake --ways 3   why three are enough
  handclasp prove stack                our real state machine against an adversary
  handclasp prove diagram --as svg     the eleven states, drawn from the table in the code")]
pub(crate) struct ProveArgs {
    #[command(subcommand)]
    pub(crate) what: Proposition,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Proposition {
    Handshake(HandshakeArgs),
    Stack(StackArgs),
    Diagram(DiagramArgs),
}

/// Explore a handshake of any number of packets.
///
/// The network may deliver every packet at any time, more than once or never, and still holds
/// those of an earlier incarnation of the connection. What must hold: an end that counts the
/// connection as open has the other's initial sequence number, and the other has its.
/// The exit code is 0 where that holds and 1 where a run breaks it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp prove handshake
  handclasp prove handshake --ways 0   nobody knows anybody
  handclasp prove handshake --ways 5   and the last sender still does not know")]
pub(crate) struct HandshakeArgs {
    /// How many packets it has
    #[arg(long, value_name = "N", default_value = "3")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=5))]
    pub(crate) ways: u8,

    /// Write one JSON object instead of a ladder
    #[arg(long)]
    pub(crate) json: bool,
}

/// Explore our real state machine: two hosts, and an adversary who owns the network.
///
/// Nothing of it is a model: every step runs the code that talks to the Internet. The
/// adversary loses, copies, reorders and delays packets, delivers those of an earlier
/// incarnation, forges what somebody may who sees nothing, and fires timers late. The exit
/// code is 0 where every law holds in every state, and 1 where a run breaks one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp prove stack                        about a minute
  handclasp prove stack --depth 12             deeper; each step takes several times as long
  handclasp prove stack --scene haunt          old duplicates, and a server that forgot
  handclasp prove stack --depth 5 --sighted    a forger who sees the numbers: it goes wrong")]
pub(crate) struct StackArgs {
    /// Explore runs of so many steps in each scene
    #[arg(long, value_name = "STEPS")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=40))]
    pub(crate) depth: Option<u8>,

    /// Explore this scene alone
    #[arg(long, value_enum)]
    pub(crate) scene: Option<SceneName>,

    /// Let the forger see the numbers, as who sits on the path does
    #[arg(long)]
    pub(crate) sighted: bool,

    /// Write one JSON object per scene
    #[arg(long)]
    pub(crate) json: bool,
}

/// A scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SceneName {
    /// A client connects to a server; both write and close
    Meet,
    /// The same, a moment after an earlier connection between the same sockets
    Again,
    /// The same, but the server has forgotten the earlier connection
    Haunt,
    /// Both connect to each other at once
    Cross,
    /// The client gives up with a RST
    Abort,
}

impl From<SceneName> for Scene {
    fn from(name: SceneName) -> Self {
        match name {
            SceneName::Meet => Self::Meet,
            SceneName::Again => Self::Again,
            SceneName::Haunt => Self::Haunt,
            SceneName::Cross => Self::Cross,
            SceneName::Abort => Self::Abort,
        }
    }
}

/// Draw the state machine, from the table that the code itself follows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp prove diagram
  handclasp prove diagram --as svg > states.svg
  handclasp prove diagram --as mermaid")]
pub(crate) struct DiagramArgs {
    /// In which form
    #[arg(long = "as", value_enum, value_name = "FORM", default_value = "text")]
    pub(crate) form: Form,
}

/// A form of the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Lines of text
    Text,
    /// A picture for browsers, light or dark
    Svg,
    /// Source for Mermaid
    Mermaid,
    /// One object per transition
    Json,
}
