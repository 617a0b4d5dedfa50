//! The `handclasp` command: arguments → a plan → the crates below.
#![forbid(unsafe_code)]

mod args;
mod capture;
mod craft;
mod decode;
mod drill;
mod error;
mod experiment;
mod explain;
mod export;
mod flows;
mod follow;
mod input;
mod lab;
mod language;
mod link;
mod netcat;
mod output;
mod plot;
mod prove;
#[cfg(target_os = "linux")]
mod raw;
mod report;
mod show;
mod simulate;
mod verdict;
mod watch;
mod whims;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Command};

/// How a command ends: as a shell script sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What was asked for is done.
    Done = 0,
    /// It was tried and did not work out, as a connection that is refused.
    Failed = 1,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misuse(&error),
    };
    language::choose(cli.lang);
    let outcome = match cli.command {
        Command::Lab(args) => lab::run(*args),
        Command::Craft(args) => craft::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Try(args) => experiment::run(&args),
        Command::Connect(args) => netcat::connect(args),
        Command::Listen(args) => netcat::listen(args),
        Command::Prove(args) => prove::run(args),
        Command::Drill(args) => drill::run(&args),
        Command::Simulate(args) => simulate::run(*args),
        Command::Show(args) => show::run(&args),
        Command::Capture(args) => capture::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Flows(args) => flows::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Follow(args) => follow::run(&args),
    };
    match outcome {
        Ok(outcome) => ExitCode::from(outcome as u8),
        // Who closed the pipe has read enough.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => trouble(error),
    }
}

/// Misuse, or trouble that has nothing to do with what was asked.
fn trouble(error: impl std::fmt::Display) -> ExitCode {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "handclasp: {error}");
    ExitCode::from(2)
}

/// What clap has to say about the arguments: help as it is, an error in one line.
fn misuse(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    match craft::unknown_flag(error, words) {
        Some(unknown) => trouble(unknown),
        None => trouble(one_line(&error.render().to_string())),
    }
}

/// The lines of a message of clap's that say what is wrong and what to type, as one.
fn one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim);
    let said = lines.take_while(|line| !line.starts_with("Usage:"));
    let filler = ["For more information", "tip: to pass"];
    let said = said.filter(|line| !line.is_empty() && !filler.iter().any(|f| line.starts_with(f)));
    let said: Vec<_> =
        said.map(|line| line.trim_start_matches("error: ").trim_start_matches("tip: ")).collect();
    said.join("; ").replace(":; ", ": ")
}

#[cfg(test)]
#[path = "main_tests.rs"]
mod tests;
