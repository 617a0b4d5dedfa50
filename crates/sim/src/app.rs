//! Programs on simulated hosts, as machines without I/O, and what they see of their host.

use std::net::SocketAddr;
use std::sync::Arc;

use handclasp_stack::Host;
use handclasp_stack::listen::{Accepted, Backlog, ListenError, ListenerId};
use handclasp_stack::open::ConnectError;
use handclasp_stack::store::ConnId;
use handclasp_tcp::connection::Error;
use handclasp_tcp::{Budget, Config, Connection, Context};
use handclasp_wire::time::Instant;

use crate::node::{AppId, Node};
use crate::store::Subject;

/// When a program wants to be polled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// When something happens to a connection or listener of its own.
    Wait,
    /// Then, or when something happens to a connection or listener of its own.
    WaitUntil(Instant),
    /// Never: it is over.
    Done,
}

/// A program.
pub trait App {
    /// Does everything that can be done now. It may be called when there is nothing to do.
    fn poll(&mut self, host: &mut View<'_>) -> Next;
}

/// A host as a program on it sees it, or a test that acts for one.
pub struct View<'a> {
    pub(crate) node: &'a mut Node,
    pub(crate) now: Instant,
    /// Who is told of what happens to connections that are opened here.
    pub(crate) app: Option<AppId>,
}

impl View<'_> {
    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.node.host
    }

    /// Its memory for buffers.
    #[must_use]
    pub const fn budget(&self) -> &Budget {
        &self.node.surroundings.budget
    }

    /// Connections that the host or a program holds.
    #[must_use]
    pub const fn connections_held(&self) -> usize {
        self.node.store.slab.len()
    }

    /// Begins to open a connection.
    ///
    /// # Errors
    /// As [`Host::connect`].
    pub fn connect(
        &mut self,
        config: &Arc<Config>,
        local: Option<SocketAddr>,
        remote: SocketAddr,
    ) -> Result<ConnId, ConnectError> {
        let Node { host, store, surroundings, .. } = &mut *self.node;
        let cx = surroundings.context(self.now);
        let id = host.connect(store, &cx, config.clone(), local, remote)?;
        self.own(Subject::Connection(id));
        Ok(id)
    }

    /// Listens.
    ///
    /// # Errors
    /// As [`Host::listen`].
    pub fn listen(
        &mut self,
        local: SocketAddr,
        backlog: Backlog,
        config: &Arc<Config>,
    ) -> Result<ListenerId, ListenError> {
        let id = self.node.host.listen(local, backlog, config.clone())?;
        self.own(Subject::Listener(id));
        Ok(id)
    }

    /// The next connection at a listener, if one waits.
    pub fn accept(&mut self, listener: ListenerId) -> Option<Accepted> {
        let accepted = self.node.host.accept(listener)?;
        self.own(Subject::Connection(accepted.id));
        Some(accepted)
    }

    /// Stops listening.
    pub fn close_listener(&mut self, listener: ListenerId) {
        let Node { host, store, surroundings, .. } = &mut *self.node;
        host.close_listener(store, &surroundings.context(self.now), listener);
    }

    /// Starts a program beside this one that is told of what happens to `connection`.
    pub fn spawn(&mut self, app: impl App + 'static, connection: ConnId) {
        let id = self.node.start(Box::new(app));
        self.node.owners.insert(Subject::Connection(connection), id);
    }

    /// A connection, until it is closed or aborted here.
    #[must_use]
    pub fn connection(&self, id: ConnId) -> Option<&Connection> {
        self.node.store.slab.get(id)
    }

    /// Calls a verb on a connection; `None` if there is none of this name.
    pub fn act<R>(
        &mut self,
        id: ConnId,
        verb: impl FnOnce(&mut Connection, &Context<'_>) -> R,
    ) -> Option<R> {
        let Node { host, store, surroundings, .. } = &mut *self.node;
        let result = verb(store.slab.get_mut(id)?, &surroundings.context(self.now));
        host.touched(id);
        Some(result)
    }

    /// Writes as much of `data` as there is room for.
    ///
    /// # Errors
    /// As [`Connection::write`].
    pub fn write(&mut self, id: ConnId, data: &[u8]) -> Result<usize, Error> {
        self.act(id, |connection, cx| connection.write(cx, data)).unwrap_or(Err(Error::Closed))
    }

    /// Reads into `into`: `Some(0)` at the end of the stream, `None` while nothing is there.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn read(&mut self, id: ConnId, into: &mut [u8]) -> Result<Option<usize>, Error> {
        self.act(id, |connection, cx| connection.read(cx, into)).unwrap_or(Err(Error::Closed))
    }

    /// Sends a FIN behind what was written.
    pub fn shutdown(&mut self, id: ConnId) {
        self.act(id, Connection::shutdown);
    }

    /// Closes and forgets a connection; the host sees it through to its end.
    pub fn close(&mut self, id: ConnId) {
        self.act(id, Connection::close);
        self.release(id);
    }

    /// Ends a connection with a RST and forgets it.
    pub fn abort(&mut self, id: ConnId) {
        self.act(id, Connection::abort);
        self.release(id);
    }

    fn release(&mut self, id: ConnId) {
        self.node.owners.remove(&Subject::Connection(id));
        self.node.store.slab.release(id);
    }

    fn own(&mut self, subject: Subject) {
        if let Some(app) = self.app {
            self.node.owners.insert(subject, app);
        }
    }
}
