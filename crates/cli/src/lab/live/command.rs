//! A program at the kernel's end, with our stack as the web server.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::Stdio;

use crate::error::Error;

use super::network::Network;
use super::page::Serving;
use crate::lab::plan::{Plan, SERVER_PORT, Telling};
use crate::lab::report::Report;

/// Runs the program and waits for its end.
pub(super) async fn run(
    plan: &Plan,
    network: &Network,
    command: &[OsString],
) -> Result<Report, Error> {
    let Some((program, arguments)) = command.split_first() else { return Ok(Report::Interrupted) };
    let any = if plan.ipv6 { [0; 8].into() } else { std::net::IpAddr::from([0; 4]) };
    let serving = Serving::start(network.stack.listen(SocketAddr::new(any, SERVER_PORT))?);
    let mut command = network.lab.command(program)?;
    command.args(arguments);
    if plan.telling == Telling::Json {
        // Standard output is for the lines alone.
        command.stdout(Stdio::from(std::io::stderr()));
    }
    let mut child = command
        .spawn()
        .map_err(|error| Error::Run(program.to_string_lossy().into_owned(), error))?;
    let ended = tokio::task::spawn_blocking(move || child.wait()).await;
    serving.finish().await;
    match ended {
        Ok(status) => Ok(Report::Command(status?)),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
