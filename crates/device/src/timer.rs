//! A deadline finer than a millisecond.
//!
//! tokio rounds a sleep of 50 µs up to more than a millisecond, which cannot pace packets. On
//! Linux this is a `timerfd`, which fires within some microseconds; elsewhere it is tokio's
//! sleep, which then also needs tokio's time driver.

use std::io;
use std::task::{Context, Poll};
use std::time::Instant;

/// Wakes a task at a deadline that may move.
///
/// A deadline that moves later, as a retransmission timer does with every acknowledgement,
/// costs no system call: the timer fires at the earlier time, once, and is then set again.
#[derive(Debug)]
pub struct Timer {
    inner: imp::Timer,
    /// When `inner` fires, if it is running.
    armed: Option<Instant>,
}

impl Timer {
    /// A timer that is not set.
    ///
    /// # Errors
    ///
    /// The process has no file descriptor left.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O driver enabled (elsewhere than on Linux: its time
    /// driver).
    pub fn new() -> io::Result<Self> {
        Ok(Self { inner: imp::Timer::new()?, armed: None })
    }

    /// Ready once `deadline` has come; until then the task of `cx` is woken when it has.
    ///
    /// Calling it with another deadline replaces the one before.
    ///
    /// # Errors
    ///
    /// The operating system refused to set the timer.
    pub fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<io::Result<()>> {
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Poll::Ready(Ok(()));
            }
            if self.armed.is_none_or(|armed| deadline < armed) {
                self.inner.set(now, deadline)?;
                self.armed = Some(deadline);
            }
            match self.inner.poll_fired(cx) {
                Poll::Ready(fired) => fired?,
                Poll::Pending => return Poll::Pending,
            }
            self.armed = None;
        }
    }

    /// Sleeps until `deadline`.
    ///
    /// Cancel safe: a dropped call has no effect.
    ///
    /// # Errors
    ///
    /// As [`poll_until`](Self::poll_until).
    pub async fn until(&mut self, deadline: Instant) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_until(cx, deadline)).await
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll, ready};
    use std::time::{Duration, Instant};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use crate::sys;

    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self(sys::register(fd, Interest::READABLE)?))
        }

        /// Fires once at `deadline`, which is after `now`.
        pub(super) fn set(&mut self, now: Instant, deadline: Instant) -> io::Result<()> {
            let once =
                Itimerspec { it_interval: Timespec::default(), it_value: timespec(deadline - now) };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
            Ok(())
        }

        pub(super) fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            loop {
                let mut guard = ready!(self.0.poll_read_ready(cx))?;
                let mut expirations = [0; 8];
                match guard.try_io(|fd| Ok(rustix::io::read(fd, &mut expirations)?)) {
                    Ok(read) => return Poll::Ready(read.map(drop)),
                    Err(_would_block) => {}
                }
            }
        }
    }

    fn timespec(d: Duration) -> Timespec {
        // 2⁶³ seconds are longer than any deadline an `Instant` can hold. A zero would stop
        // the timer, but the deadline is in the future.
        let seconds = i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
        Timespec { tv_sec: seconds, tv_nsec: d.subsec_nanos().into() }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::future::Future;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Instant;

    use tokio::time::Sleep;

    #[derive(Debug)]
    pub(super) struct Timer(Pin<Box<Sleep>>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(Box::pin(tokio::time::sleep_until(Instant::now().into()))))
        }

        pub(super) fn set(&mut self, _now: Instant, deadline: Instant) -> io::Result<()> {
            self.0.as_mut().reset(deadline.into());
            Ok(())
        }

        pub(super) fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.as_mut().poll(cx).map(Ok)
        }
    }
}

#[cfg(test)]
#[path = "timer_tests.rs"]
mod tests;
