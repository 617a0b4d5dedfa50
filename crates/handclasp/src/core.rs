//! What the driver and the stack's handles share: the host and its store, behind one lock that
//! no read or write of a connection takes.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use handclasp_device::device::Capabilities;
use handclasp_stack::host::Host;
use handclasp_stack::interface::Interface;
use handclasp_stack::store::{ConnId, UdpId};
use handclasp_wire::frame::{Inbound, Medium, Outbound};
use handclasp_wire::time::Instant;
use tokio::sync::Notify;

use crate::error::stack_is_gone;
use crate::store::FaceStore;
use crate::surroundings::Surroundings;

/// Behind the lock.
pub(crate) struct Inner {
    pub(crate) host: Host,
    pub(crate) store: FaceStore,
    end: End,
    driver: Option<Waker>,
}

/// Whether the stack is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Go on.
    Not,
    /// Everything that could be closed is: send what is left and stop.
    Wanted,
    /// The driver is gone.
    Reached,
}

/// Shared by a stack, its driver and its handles.
pub(crate) struct Core {
    inner: Mutex<Inner>,
    ended: Notify,
    pub(crate) surroundings: Arc<Surroundings>,
}

/// A share in the core that is not the driver's. When the last is dropped, the driver sees
/// whether it is still needed.
#[derive(Clone, Debug)]
pub(crate) struct Handle(Option<Arc<Core>>);

impl Handle {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self(Some(core))
    }
}

impl Deref for Handle {
    type Target = Core;

    fn deref(&self) -> &Core {
        self.0.as_ref().expect("taken in drop only")
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Some(core) = self.0.take() else { return };
        let driver = core.lock().driver.clone();
        // The driver counts the shares: first give this one up, then let it look.
        drop(core);
        driver.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

impl Core {
    pub(crate) fn new(host: Host, surroundings: Arc<Surroundings>) -> Self {
        let store = FaceStore::new(surroundings.clone());
        let inner = Inner { host, store, end: End::Not, driver: None };
        Self { inner: Mutex::new(inner), ended: Notify::new(), surroundings }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the host for a handle, and lets the driver see what came of it.
    ///
    /// # Errors
    /// The driver is gone.
    pub(crate) fn with_host<R>(
        &self,
        f: impl FnOnce(&mut Host, &mut FaceStore, &handclasp_tcp::Context<'_>) -> R,
    ) -> io::Result<R> {
        let mut inner = self.lock();
        if inner.end == End::Reached {
            return Err(stack_is_gone());
        }
        let Inner { host, store, .. } = &mut *inner;
        let result = f(host, store, &self.surroundings.context());
        let driver = inner.driver.clone();
        drop(inner);
        if let Some(driver) = driver {
            driver.wake();
        }
        Ok(result)
    }

    /// The device's MTU may change while packets flow.
    pub(crate) fn set_mtu(&self, mtu: usize) {
        let mut inner = self.lock();
        let Inner { host, store, .. } = &mut *inner;
        let mtu = saturated(mtu);
        if host.interface().mtu != mtu {
            host.set_mtu(store, &self.surroundings.context(), mtu);
        }
    }

    pub(crate) fn receive(&self, packets: impl Iterator<Item = Inbound>) {
        let mut inner = self.lock();
        let Inner { host, store, .. } = &mut *inner;
        let cx = self.surroundings.context();
        for packet in packets {
            host.receive(store, &cx, packet);
        }
    }

    pub(crate) fn take_up(&self, id: ConnId) {
        let mut inner = self.lock();
        let Inner { host, store, .. } = &mut *inner;
        if let Some(shared) = store.connection(id) {
            // Before the host looks: what is done meanwhile is told again.
            shared.taken_up();
        }
        host.touched(id);
    }

    pub(crate) fn take_up_datagrams(&self, id: UdpId) {
        self.lock().host.touched_udp(id);
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.lock().host.next_deadline()
    }

    pub(crate) fn deadline_passed(&self) {
        let mut inner = self.lock();
        let Inner { host, store, .. } = &mut *inner;
        host.deadline_passed(store, &self.surroundings.context());
    }

    pub(crate) fn poll_transmit(&self, out: &mut VecDeque<Outbound>, max: usize) {
        let mut inner = self.lock();
        let Inner { host, store, .. } = &mut *inner;
        host.poll_transmit(store, &self.surroundings.context(), out, max);
    }

    /// Whether the driver should stop once nothing is left to send: it was told to, or it is
    /// the only one left and has no connection to look after. Remembers how to wake it.
    pub(crate) fn should_stop(self: &Arc<Self>, task: &mut Context<'_>) -> bool {
        let mut inner = self.lock();
        match &inner.driver {
            Some(waker) if waker.will_wake(task.waker()) => {}
            _ => inner.driver = Some(task.waker().clone()),
        }
        let alone = Arc::strong_count(self) == 1 && inner.store.connections().next().is_none();
        inner.end == End::Wanted || alone
    }

    /// The device failed, or the driver stopped: everything ends.
    pub(crate) fn end(&self) {
        let mut inner = self.lock();
        inner.end = End::Reached;
        inner.store.abandon();
        drop(inner);
        self.ended.notify_waiters();
    }

    /// Waits until the driver has stopped.
    pub(crate) async fn ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.lock().end == End::Reached {
                return;
            }
            ended.await;
        }
    }

    /// Lets the driver stop once it has sent what is left.
    pub(crate) fn stop(&self) {
        let mut inner = self.lock();
        if inner.end == End::Not {
            inner.end = End::Wanted;
        }
        let driver = inner.driver.clone();
        drop(inner);
        driver.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn close_udp(&self, id: UdpId) {
        // A stack that is gone has no sockets.
        let _ = self.with_host(|host, store, cx| host.close_udp(store, id, cx.now));
    }

    /// Looks at the host and the store.
    pub(crate) fn look<R>(&self, f: impl FnOnce(&Host, &FaceStore) -> R) -> R {
        let inner = self.lock();
        f(&inner.host, &inner.store)
    }
}

/// The most payload of one burst: what IP's length field leaves beside the longest headers.
const BURST: usize = 65_535 - 40 - 60;

/// What a host has to know of a device.
pub(crate) fn interface(capabilities: &Capabilities) -> Interface {
    let mtu = saturated(capabilities.mtu);
    let mut interface = match capabilities.hardware_address {
        Some(mac) if capabilities.medium == Medium::Ethernet => Interface::ethernet(mac, mtu),
        _ => Interface::ip(mtu),
    };
    interface.tx_checksum = capabilities.tx_checksum;
    // A host asks for bursts of both families or of none.
    if capabilities.tso_v4 && capabilities.tso_v6 {
        interface.burst = BURST;
    }
    interface
}

fn saturated(mtu: usize) -> u16 {
    u16::try_from(mtu).unwrap_or(u16::MAX)
}
