//! The task that moves packets: device → host → device, and sleeps when there is nothing to do.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use handclasp_device::device::Device;
use handclasp_wire::frame::{Inbound, Outbound};
use tokio::sync::mpsc;

use crate::clock::Timer;
use crate::core::Core;
use crate::surroundings::Touched;

/// Packets handled in one go before the other direction, and other tasks, get their turn.
const BATCH: usize = 64;
/// Rounds before the task yields to others on its thread.
const ROUNDS: usize = 16;

/// Owns the device; shares the [`Core`] with the stack's handles.
pub(crate) struct Driver<D> {
    device: D,
    core: Arc<Core>,
    touched: mpsc::UnboundedReceiver<Touched>,
    timer: Box<dyn Timer>,
    /// What the host believes the device's MTU to be, in bytes.
    mtu: usize,
    received: Vec<Inbound>,
    /// Packets the host made and the device has not taken yet.
    outgoing: VecDeque<Outbound>,
}

/// What one round came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Something moved: go on.
    Moved,
    /// Nothing to do until something wakes the task.
    Idle,
}

impl<D: Device> Driver<D> {
    pub(crate) fn new(
        device: D,
        core: Arc<Core>,
        touched: mpsc::UnboundedReceiver<Touched>,
    ) -> Self {
        let timer = core.surroundings.clock.timer();
        Self {
            mtu: device.capabilities().mtu,
            device,
            core,
            touched,
            timer,
            received: Vec::with_capacity(BATCH),
            outgoing: VecDeque::with_capacity(BATCH),
        }
    }

    fn round(&mut self, task: &mut Context<'_>) -> io::Result<Round> {
        let mut moved = self.receive(task)?;
        moved |= self.take_up_touched(task);
        moved |= self.expire(task);
        moved |= self.transmit(task)?;
        Ok(if moved { Round::Moved } else { Round::Idle })
    }

    /// Takes a batch from the device and hands it to the host.
    fn receive(&mut self, task: &mut Context<'_>) -> io::Result<bool> {
        let received = self.device.poll_receive(task, &mut self.received, BATCH);
        // The device wakes its receiver when its MTU changes too.
        let mtu = self.device.capabilities().mtu;
        if mtu != self.mtu {
            self.mtu = mtu;
            self.core.set_mtu(mtu);
        }
        match received {
            Poll::Pending => Ok(false),
            Poll::Ready(Err(e)) => Err(e),
            Poll::Ready(Ok(0)) => {
                Err(io::Error::new(io::ErrorKind::BrokenPipe, "the link came to its end"))
            }
            Poll::Ready(Ok(_)) => {
                self.core.receive(self.received.drain(..));
                Ok(true)
            }
        }
    }

    /// Looks at the connections that handles did something with.
    fn take_up_touched(&mut self, task: &mut Context<'_>) -> bool {
        let mut any = false;
        let mut left = BATCH;
        while left > 0
            && let Poll::Ready(Some(touched)) = self.touched.poll_recv(task)
        {
            match touched {
                Touched::Connection(id) => self.core.take_up(id),
                Touched::Datagrams(id) => self.core.take_up_datagrams(id),
            }
            any = true;
            left -= 1;
        }
        any
    }

    /// Lets deadlines pass, or asks to be woken at the next.
    fn expire(&mut self, task: &mut Context<'_>) -> bool {
        let Some(deadline) = self.core.next_deadline() else { return false };
        if self.timer.poll_until(task, deadline).is_pending() {
            return false;
        }
        self.core.deadline_passed();
        true
    }

    /// Hands packets to the device. What the host has beyond a batch it keeps until the device
    /// took some: that is how a full link holds the writers back.
    fn transmit(&mut self, task: &mut Context<'_>) -> io::Result<bool> {
        let mut any = false;
        loop {
            let left = self.outgoing.len();
            self.core.poll_transmit(&mut self.outgoing, BATCH);
            any |= self.outgoing.len() > left;
            if self.outgoing.is_empty() {
                return Ok(any);
            }
            match self.device.poll_transmit(task, &mut self.outgoing) {
                Poll::Ready(result) => result?,
                Poll::Pending => return Ok(any),
            }
        }
    }
}

impl<D> Drop for Driver<D> {
    /// Ended, failed, or dropped with its runtime: nobody moves packets any more.
    fn drop(&mut self) {
        self.core.end();
    }
}

impl<D: Device + Unpin> Future for Driver<D> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let stop = this.core.should_stop(task);
        for _ in 0..ROUNDS {
            match this.round(task) {
                Ok(Round::Moved) => {}
                Ok(Round::Idle) if stop => return Poll::Ready(Ok(())),
                Ok(Round::Idle) => return Poll::Pending,
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }
}
