//! The thread that makes calls, which may block.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::News;
use super::calls::Descriptors;
use crate::sockets::Request;

/// Hands calls to a thread. The thread ends when nobody can hand it any.
pub(super) struct Worker {
    requests: Sender<Request>,
    /// The thread's number.
    thread: i32,
    /// It makes a call.
    busy: Arc<AtomicBool>,
}

impl Worker {
    pub(super) fn start(descriptors: Arc<Descriptors>, tell: Sender<News>) -> Self {
        let (requests, asked) = channel();
        let (told, number) = channel();
        let busy = Arc::new(AtomicBool::new(false));
        let calling = busy.clone();
        std::thread::spawn(move || {
            // Who started this thread waits for it.
            let _ = told.send(rustix::thread::gettid().as_raw_nonzero().get());
            work(&descriptors, &asked, &tell, &calling);
        });
        let thread = number.recv().unwrap_or_default();
        Self { requests, thread, busy }
    }

    pub(super) fn ask(&self, request: Request) {
        // The thread lives as long as it can be asked.
        let _ = self.requests.send(request);
    }

    /// Whether it sleeps in a call.
    pub(super) fn sleeps(&self) -> bool {
        if !self.busy.load(Ordering::Acquire) {
            return false;
        }
        let stat = std::fs::read_to_string(format!("/proc/self/task/{}/stat", self.thread));
        // The state stands behind the name, which may hold anything but is in parentheses.
        let state = stat.as_deref().ok().and_then(|stat| stat.rsplit_once(") "));
        let sleeps = state.is_some_and(|(_, rest)| rest.starts_with('S'));
        // It may have returned meanwhile, and sleep because it has nothing to do.
        sleeps && self.busy.load(Ordering::Acquire)
    }
}

fn work(
    descriptors: &Descriptors,
    asked: &Receiver<Request>,
    tell: &Sender<News>,
    busy: &AtomicBool,
) {
    for request in asked {
        busy.store(true, Ordering::Release);
        let result = descriptors.perform(&request);
        busy.store(false, Ordering::Release);
        if tell.send(News::Returned(result)).is_err() {
            return;
        }
    }
}
