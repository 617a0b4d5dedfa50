//! Measures us beside others on the same work, in one run.
//!
//! ```sh
//! cargo build --release
//! cargo run --release -p handclasp-bench -- captures
//! ```
#![forbid(unsafe_code)]

mod captures;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measure us, others and limits.
#[derive(Debug, Parser)]
#[command(name = "handclasp-bench")]
struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Captures(captures::Args),
    /// Run a program, and say on the last line what it took
    #[command(hide = true)]
    Measure {
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Analyse a capture with the library
    #[command(hide = true)]
    Analyse {
        file: std::path::PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Bench::parse().what {
        What::Captures(args) => captures::run(&args),
        What::Measure { command } => captures::measure::child(&command),
        What::Analyse { file } => captures::analyse::run(&file),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("handclasp-bench: {error}");
            ExitCode::from(2)
        }
    }
}
