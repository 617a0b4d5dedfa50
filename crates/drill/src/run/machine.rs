//! What a script is run against.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use handclasp_wire::time::Instant;

use crate::sockets::{Answer, Progress, Reply, Request, Sent, Sockets};

/// A host that takes packets and calls, and time that goes on for it.
///
/// [`Sockets`] is one in virtual time; a kernel is one in real time.
pub trait Machine {
    /// The present.
    fn now(&self) -> Instant;

    /// The script starts: its commands have set up what it needs.
    fn start(&mut self) {}

    /// Lets time go on until `to`, or until something happened.
    fn step(&mut self, to: Instant);

    /// A packet comes in, from its IP header on.
    fn receive(&mut self, packet: Vec<u8>);

    /// The oldest packet that was sent and not taken yet.
    fn take_sent(&mut self) -> Option<Sent>;

    /// Makes a call, or goes on with one that blocks.
    fn ask(&mut self, request: &Request, progress: &mut Progress) -> Answer<Reply>;

    /// When a call that blocks gives up by itself, where time does not go on by itself.
    fn gives_up(&self, _request: &Request, _progress: &Progress) -> Option<Instant> {
        None
    }

    /// The fields of `tcp_info`, by their names.
    fn tcp_info(&self, fd: i32) -> Option<BTreeMap<&'static str, i64>>;

    /// Does what a shell command would do for this host, and says what it left out. Scripts
    /// that it names are in `folder`.
    ///
    /// # Errors
    /// What went wrong.
    fn command(&mut self, text: &str, folder: Option<&Path>) -> Result<Vec<String>, String>;

    /// What the calls so far asked for that there is not.
    fn missing(&self) -> Vec<String> {
        Vec::new()
    }

    /// How long something may take that does not say when it ends.
    fn patience(&self) -> Duration;
}

impl Machine for Sockets {
    fn now(&self) -> Instant {
        self.now()
    }

    fn step(&mut self, to: Instant) {
        self.step(to);
    }

    fn receive(&mut self, packet: Vec<u8>) {
        self.receive(packet);
    }

    fn take_sent(&mut self) -> Option<Sent> {
        self.take_sent()
    }

    fn ask(&mut self, request: &Request, progress: &mut Progress) -> Answer<Reply> {
        self.ask(request, progress)
    }

    fn gives_up(&self, request: &Request, progress: &Progress) -> Option<Instant> {
        self.gives_up(request, progress)
    }

    fn tcp_info(&self, fd: i32) -> Option<BTreeMap<&'static str, i64>> {
        self.tcp_info(fd)
    }

    fn command(&mut self, text: &str, folder: Option<&Path>) -> Result<Vec<String>, String> {
        Ok(self.command(text, folder))
    }

    fn missing(&self) -> Vec<String> {
        self.missing().iter().map(|what| format!("this stack does not have: {what}")).collect()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(600)
    }
}
