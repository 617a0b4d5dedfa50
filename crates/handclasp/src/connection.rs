//! A connection that its handle and the driver share, behind a lock of its own.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use handclasp_stack::store::ConnId;
use handclasp_tcp::Connection;
use handclasp_tcp::connection::Readiness;

use crate::surroundings::{Surroundings, Touched};

/// Who waits for what.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// The task in `poll_read`, and the one in `poll_write`: tokio's traits keep one each.
    read: Option<Waker>,
    write: Option<Waker>,
    /// Tasks in async methods, each with the bits of which one is enough.
    others: Vec<(Readiness, Waker)>,
}

/// Which of tokio's two places a waker belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Read,
    Write,
    Other,
}

impl Waiting {
    fn register(&mut self, place: Place, interest: Readiness, waker: &Waker) {
        let slot = match place {
            Place::Read => &mut self.read,
            Place::Write => &mut self.write,
            Place::Other => {
                // A task that gave up waiting and waits again is there already.
                if !self.others.iter().any(|(i, w)| *i == interest && w.will_wake(waker)) {
                    self.others.push((interest, waker.clone()));
                }
                return;
            }
        };
        match slot {
            Some(old) if old.will_wake(waker) => {}
            _ => *slot = Some(waker.clone()),
        }
    }

    /// Takes out those whom `ready` concerns.
    fn take(&mut self, ready: Readiness) -> Wakers {
        let read = self.read.take_if(|_| ready.contains(Readiness::READABLE));
        let write = self.write.take_if(|_| ready.intersects(Readiness::WRITABLE | Readiness::OVER));
        let others = if self.others.is_empty() {
            Vec::new()
        } else {
            self.others.extract_if(.., |(i, _)| ready.intersects(*i)).map(|(_, w)| w).collect()
        };
        Wakers { read, write, others }
    }
}

/// Tasks to wake once no lock is held.
pub(crate) struct Wakers {
    read: Option<Waker>,
    write: Option<Waker>,
    others: Vec<Waker>,
}

impl Wakers {
    pub(crate) fn wake(self) {
        self.read.into_iter().chain(self.write).chain(self.others).for_each(Waker::wake);
    }
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) connection: Connection,
    waiting: Waiting,
}

/// One connection, its lock, and its way to the driver.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: ConnId,
    inner: Mutex<Inner>,
    /// Whether the driver was told to look at it and has not done so yet.
    queued: AtomicBool,
    surroundings: Arc<Surroundings>,
}

impl Shared {
    pub(crate) fn new(id: ConnId, connection: Connection, surroundings: Arc<Surroundings>) -> Self {
        let inner = Inner { connection, waiting: Waiting::default() };
        Self { id, inner: Mutex::new(inner), queued: AtomicBool::new(false), surroundings }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held left the connection whole enough to be closed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the driver do something with the connection, and wakes whom it concerns.
    pub(crate) fn drive<R>(&self, f: impl FnOnce(&mut Connection) -> R) -> R {
        let mut inner = self.lock();
        let result = f(&mut inner.connection);
        let ready = inner.connection.readiness();
        let wakers = inner.waiting.take(ready);
        drop(inner);
        wakers.wake();
        result
    }

    /// Lets a handle look at the connection.
    pub(crate) fn look<R>(&self, f: impl FnOnce(&Connection) -> R) -> R {
        f(&self.lock().connection)
    }

    /// Lets a handle do something with the connection, and tells the driver where there is
    /// something to send or a timer to set.
    pub(crate) fn act<R>(
        &self,
        f: impl FnOnce(&mut Connection, &handclasp_tcp::Context<'_>) -> R,
    ) -> R {
        let mut inner = self.lock();
        let (result, concerns_driver) = self.act_on(&mut inner, f);
        drop(inner);
        if concerns_driver {
            self.tell_driver();
        }
        result
    }

    /// Like [`Shared::act`], for a call that may have to wait: `f` says so with `None`, and
    /// the task is woken when one of `interest` holds.
    pub(crate) fn poll_act<R>(
        &self,
        task: &mut std::task::Context<'_>,
        place: Place,
        interest: Readiness,
        f: impl FnOnce(&mut Connection, &handclasp_tcp::Context<'_>) -> Option<R>,
    ) -> Poll<R> {
        let mut inner = self.lock();
        let (result, concerns_driver) = self.act_on(&mut inner, f);
        if result.is_none() {
            inner.waiting.register(place, interest, task.waker());
        }
        drop(inner);
        if concerns_driver {
            self.tell_driver();
        }
        result.map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits until one of `interest` holds.
    pub(crate) async fn until(&self, interest: Readiness) {
        poll_fn(|task| {
            self.poll_act(task, Place::Other, interest, |c, _| {
                c.readiness().intersects(interest).then_some(())
            })
        })
        .await;
    }

    fn act_on<R>(
        &self,
        inner: &mut Inner,
        f: impl FnOnce(&mut Connection, &handclasp_tcp::Context<'_>) -> R,
    ) -> (R, bool) {
        let connection = &mut inner.connection;
        let deadline = connection.next_deadline();
        let result = f(connection, &self.surroundings.context());
        let concerns_driver = connection.wants_to_send() || connection.next_deadline() != deadline;
        (result, concerns_driver)
    }

    /// Puts the connection on the driver's list, unless it is there already: the list is
    /// never longer than there are connections.
    pub(crate) fn tell_driver(&self) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.surroundings.touched(Touched::Connection(self.id));
        }
    }

    /// The driver took it from its list.
    pub(crate) fn taken_up(&self) {
        self.queued.store(false, Ordering::Release);
    }

    /// Wakes everyone: the stack is gone.
    pub(crate) fn abandon(&self) {
        self.act(|connection, cx| connection.abort(cx));
        self.drive(|_| ());
    }
}
