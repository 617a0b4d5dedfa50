//! Running the command, and what to do where something is missing.
#![allow(dead_code, unreachable_pub)]

use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

pub use handclasp_lab::isolated::skip;

/// How a run of the command ended.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        Self::from(command.stdin(Stdio::null()).output().expect("the command starts"))
    }

    /// Nothing where private networks are not allowed.
    pub fn allowed(self) -> Option<Self> {
        let allowed = !self.stderr.contains("a private network is not allowed here");
        if !allowed {
            skip(std::thread::current().name().unwrap_or("a test"), self.stderr.trim());
        }
        allowed.then_some(self)
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// The command, speaking English whatever the language of this system is.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handclasp"));
    command.env("LC_ALL", "C");
    command
}

/// Runs the command; nothing where private networks are not allowed.
pub fn handclasp(words: &[&str]) -> Option<Run> {
    Run::of(command().args(words)).allowed()
}

/// Runs the command with this input.
pub fn handclasp_fed(words: &[&str], input: &str) -> Option<Run> {
    let mut command = command();
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(input.as_bytes()).expect("the command reads");
    drop(stdin);
    Run::from(child.wait_with_output().expect("the command ends")).allowed()
}

/// Runs the command as an ordinary user, if this one can become one.
pub fn handclasp_as_nobody(words: &[&str]) -> Option<Run> {
    const NOBODY: u32 = 65534;
    let folder = scratch("nobody");
    let program = folder.join("handclasp");
    fs::copy(env!("CARGO_BIN_EXE_handclasp"), &program).expect("a copy");
    let mut command = Command::new(&program);
    command.args(words).current_dir("/").env("LC_ALL", "C");
    // An ordinary user already is one.
    let is_root = fs::metadata("/proc/self").is_ok_and(|me| {
        use std::os::unix::fs::MetadataExt;
        me.uid() == 0
    });
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    Run::of(&mut command).allowed()
}

/// Runs the command with nobody to read what it says.
pub fn handclasp_piped_to_nobody(words: &[&str]) -> Option<Run> {
    let mut command = command();
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    Run::from(output).allowed()
}

/// An empty folder that everybody may enter.
pub fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("handclasp-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("ours");
    folder
}

/// Whether a program is missing, and then the test `name` is skipped.
pub fn is_missing(program: &str, name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        skip(name, format!("the program {program} is not installed"));
    }
    !found
}
