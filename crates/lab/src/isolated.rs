//! Tests that each have a network to themselves.
//!
//! A test harness has many threads and one network, and an ordinary user cannot leave a network
//! from a process with threads. So a test that needs a network starts the test program again,
//! for itself alone, in namespaces of its own:
//!
//! ```no_run
//! #[test]
//! fn loopback_is_up() {
//!     handclasp_lab::isolated::in_namespace(|| {
//!         std::net::TcpListener::bind("127.0.0.1:80").expect("a port of our own");
//!     });
//! }
//! ```
//!
//! Such tests run beside each other, leave nothing behind, and run the same as root and as an
//! ordinary user. One that cannot run here says so on stderr, past the harness's capturing:
//! `SKIPPED loopback_is_up: …`.

use std::env;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::enter::{leave, mark_private, not_permitted};
use crate::link::Links;
use crate::sys;

/// Names the test that a process was started for.
const MARKER: &str = "HANDCLASP_ISOLATED_TEST";

/// How long a test may take unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a test needs beside a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// `/dev/net/tun`, open to this user.
    Tun,
    /// A program that is found on the path.
    Program(&'static str),
}

impl Need {
    /// Why it is not met, if it is not.
    fn missing(self) -> Option<String> {
        match self {
            Self::Tun => File::options()
                .read(true)
                .write(true)
                .open("/dev/net/tun")
                .err()
                .map(|e| format!("/dev/net/tun cannot be opened: {e}")),
            Self::Program(name) => {
                let path = env::var_os("PATH").unwrap_or_default();
                let found = env::split_paths(&path).any(|dir| dir.join(name).is_file());
                (!found).then(|| format!("the program {name} is not installed"))
            }
        }
    }
}

/// Runs `test` in a network of its own, for a minute at most.
///
/// It must be called by a test function itself, with a closure that is written there: that is
/// how the function's name is known.
///
/// # Panics
///
/// If `test` panics, or takes too long.
pub fn in_namespace<F: FnOnce()>(test: F) {
    Isolated::new().run(test);
}

/// How to run a test in a network of its own.
#[derive(Clone, Debug)]
pub struct Isolated {
    needs: Vec<Need>,
    timeout: Duration,
}

impl Isolated {
    /// Needs nothing and takes a minute at most.
    #[must_use]
    pub fn new() -> Self {
        Self { needs: Vec::new(), timeout: TIMEOUT }
    }

    /// Skips the test where this is missing.
    #[must_use]
    pub fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// Fails the test when it takes longer.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs `test`; see [`in_namespace`].
    ///
    /// # Panics
    ///
    /// If `test` panics, or takes too long.
    pub fn run<F: FnOnce()>(self, test: F) {
        let name = test_name::<F>();
        if env::var_os(MARKER).is_some_and(|marked| *marked == *name) {
            mark_private();
            Links::open().and_then(|mut links| links.set_up("lo")).expect("a loopback interface");
            return test();
        }
        if let Some(reason) = self.needs.iter().find_map(|need| need.missing()) {
            return skip(&name, reason);
        }
        let mut command = Command::new("/proc/self/exe");
        command
            .args([&name, "--exact", "--nocapture", "--include-ignored", "--test-threads=1"])
            .env(MARKER, &name)
            .stdout(Stdio::piped());
        sys::start_isolated(&mut command, leave());
        match command.spawn() {
            Ok(child) => judge(&name, child, self.timeout),
            Err(error) => match Errno::from_io_error(&error) {
                Some(errno) if is_refusal(errno) => {
                    skip(&name, not_permitted(errno, Path::new("/proc/sys")));
                }
                _ => panic!("{name} cannot be started in a namespace: {error}"),
            },
        }
    }
}

impl Default for Isolated {
    fn default() -> Self {
        Self::new()
    }
}

/// Says on stderr that a test did not run, and why.
pub fn skip(test: &str, reason: impl Display) {
    // The harness captures what the macros print, so this is written as a program writes.
    // Without a stderr there is nobody to tell.
    let _ = writeln!(io::stderr(), "SKIPPED {test}: {reason}");
}

/// Whether this is how a system says that this user is not to have namespaces: by a rule, by a
/// limit of zero, or by not having any.
fn is_refusal(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::PERM | Errno::ACCESS | Errno::NOSPC | Errno::USERS | Errno::INVAL | Errno::NOSYS
    )
}

/// The path of the test function that a closure was written in, as the harness names it.
fn test_name<F>() -> String {
    let path = std::any::type_name::<F>();
    let (_crate_name, path) = path.split_once("::").unwrap_or(("", path));
    path.split("::{{closure}}").next().unwrap_or(path).to_owned()
}

/// Waits for the process that runs the test `name`, and fails where it did.
fn judge(name: &str, mut child: Child, timeout: Duration) {
    let output = child.stdout.take().map(collect);
    let status = wait(&mut child, timeout);
    // A program that outlives the test may hold the other end of the pipe.
    let output = output.and_then(|o| o.recv_timeout(Duration::from_secs(1)).ok());
    let output = output.unwrap_or_default();
    match status {
        None => panic!("{name} took longer than {timeout:?}\n{output}"),
        // The harness is content to run no test at all, so its word for one is looked for.
        Some(status) if status.success() => assert!(
            output.contains("test result: ok. 1 passed"),
            "{name} is not the name of a test: in_namespace must be called by one\n{output}"
        ),
        Some(status) => panic!("{name} failed in its namespace ({})\n{output}", ending(status)),
    }
}

fn ending(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) => format!("signal {signal}"),
        None => status.to_string(),
    }
}

fn collect(mut stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stdout.read_to_end(&mut bytes);
        // Nobody waits any more for what comes too late.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// The child's status, or nothing if it had to be killed.
fn wait(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait().expect("a child of this process") {
            return Some(status);
        }
        if Instant::now() >= deadline {
            child.kill().and_then(|()| child.wait()).expect("a child of this process");
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
