//! What a program takes: time, processor time and memory.

use std::env;
use std::error::Error;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// What one run took.
pub(crate) struct Spent {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    user: f64,
    system: f64,
    /// The most bytes of memory that it had.
    pub(crate) memory: u64,
}

impl Spent {
    /// Seconds of all processors together.
    pub(crate) fn cpu(&self) -> f64 {
        self.user + self.system
    }
}

/// Runs a command with its output thrown away. A process of our own runs it as its only child,
/// because the system tells of all children of a process together.
pub(crate) fn spent(command: &[String]) -> Result<Spent, Box<dyn Error>> {
    let mut measure = Command::new(env::current_exe()?);
    let output = measure.args(["measure", "--"]).args(command).stdin(Stdio::null()).output()?;
    let text = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(why.lines().last().unwrap_or("it failed").to_owned().into());
    }
    let numbers = text.split_whitespace().map(str::parse::<f64>).collect::<Result<Vec<_>, _>>()?;
    let [wall, user, system, kilobytes] = numbers[..] else { return Err("no figures".into()) };
    Ok(Spent { wall, user, system, memory: kilobytes as u64 * 1024 })
}

/// Runs a command and tells what it took.
pub(crate) fn child(command: &[String]) -> Result<(), Box<dyn Error>> {
    let (program, words) = command.split_first().ok_or("no command")?;
    let begin = Instant::now();
    let status = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    let wall = begin.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{program} ended with {status}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let (user, system) = (seconds(usage.user_time()), seconds(usage.system_time()));
    println!("{wall} {user} {system} {}", usage.max_rss());
    Ok(())
}
