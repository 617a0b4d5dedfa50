//! What may be typed after `follow`.

use std::path::PathBuf;

use clap::Args;

/// Print the bytes that a connection carried, in their order.
///
/// Both directions come as they were captured, a line with an arrow between them. What the
/// capture lacks is said where it is missing, and never filled. Exit code 1 says that --raw or
/// --digest had to leave something out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  handclasp follow capture.pcapng
  handclasp follow capture.pcapng --flow 3 --client
  handclasp follow capture.pcapng --flow 3 --server --raw > answer
  handclasp follow capture.pcapng --flow 3 --digest")]
pub(crate) struct FollowArgs {
    /// A capture file, or - for standard input; pcap or pcapng, gzip or not
    pub(crate) file: PathBuf,

    /// The connection, by its number in flows (tcp.stream)
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    pub(crate) flow: u64,

    /// Only what the client sent
    #[arg(long, conflicts_with = "server")]
    pub(crate) client: bool,

    /// Only what the server sent
    #[arg(long)]
    pub(crate) server: bool,

    /// The bytes as they are, and nothing else; gaps are told on standard error
    #[arg(long)]
    pub(crate) raw: bool,

    /// Print how many bytes each direction has, and their SHA-256, instead of them
    #[arg(long, conflicts_with = "raw")]
    pub(crate) digest: bool,
}
