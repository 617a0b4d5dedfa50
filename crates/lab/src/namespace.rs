//! A network namespace, and how to work in it.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::Command;
use std::thread::{self, JoinHandle};

use rustix::fs::{Mode, OFlags};
use rustix::thread::LinkNameSpaceType;

use crate::enter::require_private;
use crate::error::{Error, Result};
use crate::link::Links;
use crate::sys::{self, Leave};

/// A network namespace: interfaces, addresses, routes and sockets of its own.
///
/// It lives as long as this value, a thread or process in it, or a socket made in it.
#[derive(Debug)]
pub struct Namespace {
    fd: OwnedFd,
}

impl Namespace {
    /// The namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// `/proc` is not mounted.
    pub fn current() -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let fd = rustix::fs::open("/proc/thread-self/ns/net", flags, Mode::empty())
            .map_err(Error::os("open this thread's network namespace"))?;
        Ok(Self { fd })
    }

    /// A new namespace, with nothing in it but a loopback interface that is up.
    ///
    /// Its TCP controls congestion by CUBIC, or by Reno where it may not have that. What the
    /// machine has may be a way that paces, which is slow on a link without delay.
    ///
    /// # Errors
    ///
    /// [`Error::NotPrivate`] in the machine's own network.
    pub fn new() -> Result<Self> {
        require_private()?;
        in_thread(|| {
            Leave::Network.now().map_err(Error::os("make a network namespace"))?;
            Links::open()?.set_up("lo")?;
            // One that has neither, or a read-only /proc, is left as it is.
            let file = sysctl_path("net/ipv4/tcp_congestion_control");
            let _ = ["cubic", "reno"].iter().any(|name| fs::write(&file, name).is_ok());
            Self::current()
        })
    }

    /// Runs `f` in this namespace, on a thread of its own, and waits for it.
    ///
    /// A socket belongs for good to the namespace that it was made in, so this is enough to
    /// have one that lives in this namespace and is used from anywhere.
    ///
    /// # Errors
    ///
    /// The namespace cannot be entered.
    pub fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T> {
        in_thread(|| {
            self.move_in()?;
            Ok(f())
        })
    }

    /// Starts a thread in this namespace.
    ///
    /// # Errors
    ///
    /// The namespace is out of reach.
    pub fn spawn<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<Result<T>>> {
        let fd = self.fd.try_clone().map_err(Error::os("keep a network namespace"))?;
        let namespace = Self { fd };
        Ok(thread::spawn(move || {
            namespace.move_in()?;
            Ok(f())
        }))
    }

    /// A command that will run in this namespace.
    ///
    /// # Errors
    ///
    /// The process has no file descriptor left.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        let mut command = Command::new(program);
        sys::start_in_namespace(&mut command, self.fd.as_fd())
            .map_err(Error::os("prepare a command for a network namespace"))?;
        Ok(command)
    }

    /// Sets a kernel parameter of this namespace, as `net.ipv4.tcp_syn_retries` or
    /// `net/ipv4/tcp_syn_retries`.
    ///
    /// # Errors
    ///
    /// There is none of this name, each namespace does not have its own, or it does not take
    /// this value.
    pub fn set_sysctl(&self, name: &str, value: &str) -> Result<()> {
        let write = self.run(|| fs::write(sysctl_path(name), value))?;
        write.map_err(Error::os(format!("set {name} to {value}")))
    }

    /// A kernel parameter of this namespace.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn sysctl(&self, name: &str) -> Result<String> {
        let text = self.run(|| fs::read_to_string(sysctl_path(name)))?;
        let text = text.map_err(Error::os(format!("read {name}")))?;
        Ok(text.trim_end().to_owned())
    }

    /// The interfaces, addresses and routes of this namespace.
    ///
    /// # Errors
    ///
    /// The namespace cannot be entered.
    pub fn links(&self) -> Result<Links> {
        self.run(Links::open)?
    }

    /// Moves the calling thread into this namespace.
    fn move_in(&self) -> Result<()> {
        rustix::thread::move_into_link_name_space(self.fd.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(Error::os("enter a network namespace"))
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Interface names may have dots in them, so a name with slashes is taken as it is.
fn sysctl_path(name: &str) -> PathBuf {
    let path = if name.contains('/') { name.to_owned() } else { name.replace('.', "/") };
    // A path from the root on would take the place of what it is joined to.
    PathBuf::from("/proc/sys").join(path.trim_start_matches('/'))
}

/// Runs `f` on a thread of its own, because a thread is what is in a namespace.
fn in_thread<T: Send>(f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| scope.spawn(f).join()).unwrap_or_else(|panic| resume_unwind(panic))
}
