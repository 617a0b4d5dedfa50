//! The host in virtual time, and the threads that use it.
//!
//! Packetdrill has a thread of its own for calls that block, and one for everything else. Time
//! goes on where a thread sleeps, looks at the clock or waits for a packet; each time something
//! happened, that thread tries the call that blocks again on the other's behalf. When that call
//! is done, time stands still until its thread has asked what time it is, which is what
//! packetdrill does first.

use std::collections::HashMap;
use std::os::fd::AsRawFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::ThreadId;
use std::time::Duration;

use handclasp_drill::linux::Errno;
use handclasp_drill::sockets::{Progress, Reply, Request, Sent, Sockets};
use handclasp_wire::time::Instant;

use crate::settings;

/// Time starts here, in seconds since 1970: late enough for every clock.
const EPOCH: u64 = 1_700_000_000;
/// When the host starts in its own time.
const START: Instant = Instant::from_millis(100_000);
/// How long a packet is waited for, in virtual time.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a thread may take, in real time, to ask what time it is.
const REAL_PATIENCE: Duration = Duration::from_secs(2);

/// A descriptor of the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor {
    /// The host's number.
    pub(crate) inner: i32,
    /// It is a socket of IPv6.
    pub(crate) v6: bool,
}

/// A call that blocks, of the thread that packetdrill has for them.
struct Blocked {
    thread: ThreadId,
    request: Request,
    progress: Progress,
    done: Option<Result<Reply, Errno>>,
}

/// Everything there is.
pub(crate) struct State {
    pub(crate) sockets: Sockets,
    /// The host's descriptors by the numbers that packetdrill knows, which are the kernel's.
    pub(crate) descriptors: HashMap<i32, Descriptor>,
    main: ThreadId,
    blocked: Option<Blocked>,
    /// Whose call returned, and who has not asked for the time since.
    returning: Option<ThreadId>,
    settled: bool,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();

/// Makes the host.
///
/// # Errors
/// What is wrong with the flags.
pub(crate) fn start(flags: &str) -> Result<(), String> {
    let setup = settings::setup(flags)?;
    let state = State {
        sockets: Sockets::for_setup(&setup, START),
        descriptors: HashMap::new(),
        main: std::thread::current().id(),
        blocked: None,
        returning: None,
        settled: false,
    };
    *lock() = Some(state);
    Ok(())
}

/// Ends the host.
pub(crate) fn stop() {
    *lock() = None;
}

fn lock() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Works with the host, if there is one.
pub(crate) fn with<T>(work: impl FnOnce(&mut State) -> T) -> Option<T> {
    lock().as_mut().map(work)
}

/// Makes a call, and waits for what it returns.
pub(crate) fn ask(request: Request) -> Result<Reply, Errno> {
    let mut guard = lock();
    let Some(state) = guard.as_mut() else { return Err(Errno::ENOTSOCK) };
    if !state.settled {
        // The script's commands have run by now.
        state.settled = true;
        settings::take_over(&mut state.sockets);
    }
    let mut progress = Progress::new(state.sockets.now());
    if let Poll::Ready(result) = state.sockets.ask(&request, &mut progress) {
        return result;
    }
    let thread = std::thread::current().id();
    if thread == state.main {
        return state.wait_for(&request, &mut progress);
    }
    state.blocked = Some(Blocked { thread, request, progress, done: None });
    loop {
        guard = CHANGED.wait(guard).unwrap_or_else(PoisonError::into_inner);
        let Some(state) = guard.as_mut() else { return Err(Errno::EINTR) };
        if let Some(done) = state.blocked.as_mut().and_then(|blocked| blocked.done.take()) {
            state.blocked = None;
            return done;
        }
    }
}

impl State {
    /// A call that blocks the only thread there is: time goes on meanwhile.
    fn wait_for(&mut self, request: &Request, progress: &mut Progress) -> Result<Reply, Errno> {
        let limit = self.sockets.now() + PATIENCE;
        loop {
            let now = self.sockets.now();
            let due = self.sockets.gives_up(request, progress).filter(|at| *at > now);
            self.sockets.step(limit.min(due.unwrap_or(limit)));
            if let Poll::Ready(result) = self.sockets.ask(request, progress) {
                return result;
            }
            if self.sockets.now() >= limit {
                return Err(Errno::EINTR);
            }
        }
    }

    /// Lets the call that blocks go on. Whether it is done now.
    fn try_blocked(&mut self) -> bool {
        let Some(blocked) = self.blocked.as_mut().filter(|blocked| blocked.done.is_none()) else {
            return false;
        };
        let Poll::Ready(result) = self.sockets.ask(&blocked.request, &mut blocked.progress) else {
            return false;
        };
        blocked.done = Some(result);
        self.returning = Some(blocked.thread);
        true
    }

    /// Goes on to the next thing that happens, or to `to`.
    fn step(&mut self, to: Instant) {
        let due = self.blocked.as_ref().and_then(|blocked| {
            let at = self.sockets.gives_up(&blocked.request, &blocked.progress)?;
            (at > self.sockets.now()).then_some(at)
        });
        self.sockets.step(to.min(due.unwrap_or(to)));
    }
}

/// Lets time go on until `to`, or until `enough` says so.
fn go_on<T>(
    to: impl FnOnce(Instant) -> Instant,
    enough: impl Fn(&mut State) -> Option<T>,
) -> Option<T> {
    let mut guard = lock();
    let to = to(guard.as_ref()?.sockets.now());
    loop {
        let state = guard.as_mut()?;
        if state.try_blocked() {
            guard = wait_until_returned(guard);
            continue;
        }
        if let Some(found) = enough(state) {
            return Some(found);
        }
        if state.sockets.now() >= to {
            return None;
        }
        state.step(to);
    }
}

/// Waits until the thread whose call is done has asked for the time.
fn wait_until_returned(
    guard: MutexGuard<'static, Option<State>>,
) -> MutexGuard<'static, Option<State>> {
    CHANGED.notify_all();
    let returns =
        |state: &mut Option<State>| state.as_ref().is_some_and(|state| state.returning.is_some());
    let waited = CHANGED.wait_timeout_while(guard, REAL_PATIENCE, returns);
    waited.unwrap_or_else(PoisonError::into_inner).0
}

/// Lets time go on for so long.
pub(crate) fn sleep(time: Duration) {
    go_on(|now| now + time, |_| None::<()>);
}

/// The next packet that the host sends, if it sends any for a long time.
pub(crate) fn receive() -> Option<Sent> {
    go_on(|now| now + PATIENCE, |state| state.sockets.take_sent())
}

/// A packet comes in.
pub(crate) fn send(packet: &[u8]) {
    with(|state| state.sockets.receive(packet.to_vec()));
    go_on(|now| now, |_| None::<()>);
}

/// The time of day. Each look at the clock takes a microsecond, so that who looks until it has
/// gone on does not look for ever.
pub(crate) fn time_of_day() -> Duration {
    let mut guard = lock();
    let Some(state) = guard.as_mut() else { return Duration::from_secs(EPOCH) };
    let now = since_1970(state.sockets.now());
    if state.returning == Some(std::thread::current().id()) {
        state.returning = None;
        CHANGED.notify_all();
    } else {
        drop(guard);
        sleep(Duration::from_micros(1));
    }
    now
}

/// The host's time as the time of day.
pub(crate) fn since_1970(at: Instant) -> Duration {
    Duration::from_secs(EPOCH) + (at - START)
}

/// A number of the kernel's for a descriptor of the host.
pub(crate) fn install(descriptor: Descriptor) -> Result<i32, Errno> {
    // Packetdrill closes what scripts leave open by itself, and wants that to work.
    let placeholder = std::fs::File::open("/dev/null").map_err(|_| Errno::EMFILE)?;
    let number = placeholder.as_raw_fd();
    std::mem::forget(placeholder);
    with(|state| state.descriptors.insert(number, descriptor));
    Ok(number)
}

/// The host's descriptor with this number.
pub(crate) fn descriptor(number: i32) -> Result<Descriptor, Errno> {
    with(|state| state.descriptors.get(&number).copied()).flatten().ok_or(Errno::EBADF)
}
