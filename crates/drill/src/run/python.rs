//! Snippets that only Python understands.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::linux;

/// Constants that packetdrill gives to snippets.
const NAMES: [&str; 22] = [
    "TCP_ESTABLISHED",
    "TCP_SYN_SENT",
    "TCP_SYN_RECV",
    "TCP_FIN_WAIT1",
    "TCP_FIN_WAIT2",
    "TCP_TIME_WAIT",
    "TCP_CLOSE",
    "TCP_CLOSE_WAIT",
    "TCP_LAST_ACK",
    "TCP_LISTEN",
    "TCP_CLOSING",
    "TCP_CA_Open",
    "TCP_CA_Disorder",
    "TCP_CA_CWR",
    "TCP_CA_Recovery",
    "TCP_CA_Loss",
    "TCPI_OPT_TIMESTAMPS",
    "TCPI_OPT_SACK",
    "TCPI_OPT_WSCALE",
    "TCPI_OPT_ECN",
    "TCPI_OPT_ECN_SEEN",
    "TCPI_OPT_SYN_DATA",
];

/// Runs a program with python3.
///
/// Returns a note where there is no python3.
///
/// # Errors
/// What Python says where it fails.
pub(super) fn run(program: &str) -> Result<BTreeSet<String>, String> {
    let constants = NAMES.iter().filter_map(|name| Some((name, linux::symbol(name)?)));
    let mut text: String = constants.map(|(name, value)| format!("{name} = {value}\n")).collect();
    text += "TCP_INFINITE_SSTHRESH = 0x7fffffff\n";
    text += program;
    let mut python = Command::new("python3");
    python.arg("-").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let absent = || BTreeSet::from(["snippets were not checked: there is no python3".to_owned()]);
    let Ok(mut child) = python.spawn() else { return Ok(absent()) };
    if let Some(mut input) = child.stdin.take() {
        // A program that ends early does not read all of it.
        let _ = input.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| format!("python3: {error}"))?;
    if output.status.success() {
        return Ok(BTreeSet::new());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("python3: {}", said.lines().last().unwrap_or("failed")))
}
