//! Programs of others at the kernel's end, ended with the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use handclasp_lab::lab::Lab;

use super::blocking;

/// A program that runs until this is dropped.
pub struct Running(pub Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A directory that is removed with what is in it.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("handclasp-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Nothing is lost but space where it stays.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a program at the kernel's end to its end, which must be a good one.
pub async fn output(mut command: Command) -> Output {
    let output = blocking(move || command.stdin(Stdio::null()).output().unwrap()).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    output
}

/// `curl` at the kernel's end: what it fetched.
pub async fn curl(lab: &Lab, arguments: &[&str]) -> Vec<u8> {
    let mut command = lab.command("curl").unwrap();
    command.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "100"]);
    command.args(arguments);
    output(command).await.stdout
}

/// Waits until something listens on `port` at the kernel's end.
pub async fn listens(lab: &Lab, port: u16) {
    let mut diag = lab.sock_diag().unwrap();
    let listening = |s: &handclasp_lab::sock_diag::SocketInfo| {
        s.state == handclasp_lab::sock_diag::State::Listen && s.local.port() == port
    };
    while !diag.sockets().unwrap().iter().any(listening) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
