//! What every handle of a stack reaches without the driver's lock: time, memory, the log, and
//! the driver's list of touched connections.

use std::fmt;
use std::sync::Arc;

use handclasp_stack::store::{ConnId, UdpId};
use handclasp_tcp::event::Log;
use handclasp_tcp::{Budget, Context};
use tokio::sync::mpsc;

use crate::clock::Clock;

/// What the driver is to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Touched {
    Connection(ConnId),
    Datagrams(UdpId),
}

/// Shared by a stack, its driver and its handles.
pub(crate) struct Surroundings {
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) budget: Budget,
    pub(crate) log: Option<Arc<dyn Log + Send + Sync>>,
    /// Bounded by the number of connections and sockets: each is on it once at most.
    pub(crate) touched: mpsc::UnboundedSender<Touched>,
}

impl Surroundings {
    pub(crate) fn context(&self) -> Context<'_> {
        let log = self.log.as_ref().map(|log| &**log as &dyn Log);
        Context { now: self.clock.now(), budget: &self.budget, log }
    }

    pub(crate) fn touched(&self, what: Touched) {
        // The driver is gone only when the stack is: its connections are aborted then.
        let _ = self.touched.send(what);
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("budget", &self.budget).finish_non_exhaustive()
    }
}
