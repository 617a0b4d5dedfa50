//! Where a stack has its time from.

use std::pin::Pin;
use std::task::{Context, Poll};

use handclasp_wire::time::Instant;
use tokio::time::Sleep;

/// A source of time and of timers.
///
/// [`SystemClock`] is the one for live links; [`TokioClock`] follows tokio's, so that a test
/// under `tokio::time::pause` runs a stack, and whatever stands on it, in virtual time.
pub trait Clock: Send + Sync + 'static {
    /// The present, since an origin of the clock's own.
    fn now(&self) -> Instant;

    /// A timer for one driver.
    fn timer(&self) -> Box<dyn Timer>;
}

/// Wakes a task at a time.
pub trait Timer: Send {
    /// Ready once `deadline` has come; else the task of `cx` will be woken then. A later call
    /// with another deadline replaces this one.
    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()>;
}

/// Tokio's clock: real, to the millisecond, or paused and virtual.
#[derive(Clone, Debug)]
pub struct TokioClock {
    origin: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: tokio::time::Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        since(self.origin.elapsed())
    }

    fn timer(&self) -> Box<dyn Timer> {
        Box::new(TokioTimer { origin: self.origin, sleep: None })
    }
}

struct TokioTimer {
    origin: tokio::time::Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer for TokioTimer {
    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let deadline = self.origin + (deadline - Instant::ZERO);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

/// The system's monotonic clock, with timers finer than a millisecond where the system has
/// them.
#[derive(Clone, Debug)]
pub struct SystemClock {
    origin: std::time::Instant,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

fn since(elapsed: std::time::Duration) -> Instant {
    Instant::ZERO + elapsed
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        since(self.origin.elapsed())
    }

    fn timer(&self) -> Box<dyn Timer> {
        match handclasp_device::timer::Timer::new() {
            Ok(timer) => Box::new(SystemTimer { origin: self.origin, timer }),
            // Without a descriptor for the finer timer, tokio's coarser one does.
            Err(_) => Box::new(TokioTimer { origin: self.origin.into(), sleep: None }),
        }
    }
}

struct SystemTimer {
    origin: std::time::Instant,
    timer: handclasp_device::timer::Timer,
}

impl Timer for SystemTimer {
    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let deadline = self.origin + (deadline - Instant::ZERO);
        match self.timer.poll_until(cx, deadline) {
            Poll::Pending => Poll::Pending,
            // A timer that broke must not stop the stack: it is asked again at once.
            Poll::Ready(_) => Poll::Ready(()),
        }
    }
}
