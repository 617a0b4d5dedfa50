//! Scripts against the Linux kernel, in a network namespace of its own, in real time.
//!
//! The far end of a TUN interface is ours: what a script injects is written there, and what the
//! kernel sends is read there. Calls are made by a thread of their own, so that they may block.

mod calls;
mod network;
mod worker;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::task::Poll;
use std::time::Duration;

use handclasp_lab::error::Result;
use handclasp_lab::namespace::Namespace;
use handclasp_lab::tun::Tun;
use handclasp_wire::time::Instant;

use crate::linux::{Errno, SOL_TCP, TCP_INFO};
use crate::run::{Machine, Outcome, START, Setup, run_on};
use crate::script::Script;
use crate::sockets::{Answer, Progress, Reply, Request, Sent};
use crate::tcp_info;
use calls::Descriptors;
use network::Reader;
use worker::Worker;

/// How long a call that was just made may take before the script goes on beside it.
const AT_ONCE: Duration = Duration::from_millis(20);

/// What the kernel did.
enum News {
    /// It sent a packet.
    Sent(std::time::Instant, Vec<u8>),
    /// A call returned.
    Returned(std::result::Result<Reply, Errno>),
}

/// Runs a script against the kernel of this machine, in a network namespace made for it. The
/// script's commands are run there by `sh`.
///
/// # Errors
/// The namespace cannot be made: the process did not [enter](handclasp_lab::enter::enter) one of
/// its own, or there is no TUN here.
pub fn run(script: &Script, setup: &Setup) -> Result<Outcome> {
    let setup = match setup.of(script) {
        Err(failure) => return Ok(Outcome { failure: Some(failure), ..Outcome::default() }),
        Ok(setup) => setup,
    };
    let namespace = Namespace::new()?;
    namespace.run(|| {
        let mut kernel = Kernel::new(&setup)?;
        Ok(run_on(script, &setup, &mut kernel))
    })?
}

/// The kernel as the host under test. It belongs to the namespace of the thread that made it.
struct Kernel {
    tun: Arc<Tun>,
    _reader: Reader,
    descriptors: Arc<Descriptors>,
    worker: Worker,
    news: Receiver<News>,
    sent: VecDeque<Sent>,
    /// What the call in progress returned.
    returned: Option<std::result::Result<Reply, Errno>>,
    in_progress: bool,
    began: std::time::Instant,
}

impl Kernel {
    fn new(setup: &Setup) -> Result<Self> {
        let (tell, news) = channel();
        let tun = Arc::new(network::make(setup)?);
        let descriptors = Arc::new(Descriptors::default());
        Ok(Self {
            _reader: Reader::start(tun.clone(), tell.clone())?,
            tun,
            worker: Worker::start(descriptors.clone(), tell),
            descriptors,
            news,
            sent: VecDeque::new(),
            returned: None,
            in_progress: false,
            began: std::time::Instant::now(),
        })
    }

    fn instant(&self, at: std::time::Instant) -> Instant {
        START + at.saturating_duration_since(self.began)
    }

    fn take(&mut self, news: News) {
        match news {
            News::Sent(at, bytes) => self.sent.push_back(Sent { at: self.instant(at), bytes }),
            News::Returned(result) => self.returned = Some(result),
        }
    }

    /// Waits for news, but not beyond `to`.
    fn wait(&mut self, to: Instant) {
        match self.news.recv_timeout(to - self.now()) {
            Ok(news) => self.take(news),
            Err(RecvTimeoutError::Timeout) => {}
            // The tun reader and the worker live as long as this does.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(to - self.now()),
        }
    }

    /// Begins a call, and waits until it returned or the kernel has put it to sleep.
    fn begin(&mut self, request: &Request) {
        self.in_progress = true;
        self.returned = None;
        self.worker.ask(request.clone());
        let patience = self.now() + AT_ONCE;
        while self.returned.is_none() && self.now() < patience && !self.worker.sleeps() {
            self.wait(patience.min(self.now() + Duration::from_micros(100)));
        }
    }
}

impl Machine for Kernel {
    fn now(&self) -> Instant {
        self.instant(std::time::Instant::now())
    }

    fn start(&mut self) {
        self.began = std::time::Instant::now();
        self.sent.clear();
    }

    fn step(&mut self, to: Instant) {
        if self.returned.is_none() || !self.in_progress {
            self.wait(to);
        }
        while let Ok(news) = self.news.try_recv() {
            self.take(news);
        }
    }

    fn receive(&mut self, packet: Vec<u8>) {
        // What the kernel refuses it never saw; the script will miss the answer.
        let _ = self.tun.send(&packet);
    }

    fn take_sent(&mut self) -> Option<Sent> {
        while let Ok(news) = self.news.try_recv() {
            self.take(news);
        }
        self.sent.pop_front()
    }

    fn ask(&mut self, request: &Request, _progress: &mut Progress) -> Answer<Reply> {
        if !self.in_progress {
            self.begin(request);
        }
        match self.returned.take() {
            Some(result) => {
                self.in_progress = false;
                Poll::Ready(result)
            }
            None => Poll::Pending,
        }
    }

    fn tcp_info(&self, fd: i32) -> Option<BTreeMap<&'static str, i64>> {
        let mut bytes = [0; tcp_info::LEN];
        let fd = self.descriptors.get(fd).ok()?;
        let fd = std::os::fd::AsFd::as_fd(&*fd);
        let len = handclasp_lab::socket::option(fd, SOL_TCP as i32, TCP_INFO as i32, &mut bytes);
        Some(tcp_info::decode(&bytes[..len.ok()?]))
    }

    fn command(
        &mut self,
        text: &str,
        folder: Option<&Path>,
    ) -> std::result::Result<Vec<String>, String> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(text).stdin(Stdio::null());
        shell.env("PACKETDRILL_PID", std::process::id().to_string());
        if let Some(folder) = folder {
            shell.current_dir(folder);
        }
        let output = shell.output().map_err(|error| format!("sh cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(Vec::new());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().last().unwrap_or_default().to_owned();
        Err(format!("this command failed ({}): {said}", output.status))
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }
}

impl Drop for Kernel {
    /// Wakes the call that still blocks, if there is one.
    fn drop(&mut self) {
        self.descriptors.shut_all();
    }
}
