//! One end writes as much as it can, and the other reads it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use handclasp_stack::store::ConnId;
use handclasp_tcp::connection::Readiness;
use handclasp_tcp::{Config, Connection};
use handclasp_wire::time::Instant;

use crate::app::{App, Next, View};

/// What is written, over and over.
static CHUNK: [u8; 64 << 10] = [0x5a; 64 << 10];

/// The connection of a [`Pump`], once it has one.
pub type Handle = Rc<Cell<Option<ConnId>>>;

/// Opens a connection and writes to it until everything is written.
pub struct Pump {
    at: Instant,
    remote: SocketAddr,
    config: Arc<Config>,
    left: u64,
    handle: Handle,
}

impl Pump {
    /// Begins at `at` and writes `bytes`, then a FIN. The connection stays when all is done,
    /// so that it can be asked how it went.
    #[must_use]
    pub fn new(at: Instant, remote: SocketAddr, config: Config, bytes: u64) -> (Self, Handle) {
        let handle = Handle::default();
        let config = Arc::new(config);
        (Self { at, remote, config, left: bytes, handle: handle.clone() }, handle)
    }
}

impl App for Pump {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        if host.now() < self.at {
            return Next::WaitUntil(self.at);
        }
        let id = match self.handle.get() {
            Some(id) => id,
            None => match host.connect(&self.config, None, self.remote) {
                Ok(id) => {
                    self.handle.set(Some(id));
                    id
                }
                Err(_) => return Next::Done,
            },
        };
        while self.left > 0 {
            let most = self.left.min(CHUNK.len() as u64) as usize;
            let mut chunk = Bytes::from_static(&CHUNK[..most]);
            let wrote = host.act(id, |c, cx| c.write_bytes(cx, &mut chunk));
            match wrote {
                Some(Ok(0)) => return Next::Wait,
                Some(Ok(n)) => self.left -= n as u64,
                _ => return Next::Done,
            }
        }
        // What waits for the handshake would be thrown away.
        let opened = |c: &Connection| c.readiness().contains(Readiness::CONNECTED);
        if !host.connection(id).is_some_and(opened) {
            return Next::Wait;
        }
        host.shutdown(id);
        Next::Done
    }
}

/// Reads until the end of the stream, and closes.
pub struct Drain(ConnId);

impl Drain {
    /// On a connection that was accepted.
    #[must_use]
    pub const fn new(id: ConnId) -> Self {
        Self(id)
    }
}

impl App for Drain {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        loop {
            match host.act(self.0, |c, cx| c.read_bytes(cx, usize::MAX)) {
                Some(Ok(None)) => return Next::Wait,
                Some(Ok(Some(piece))) if !piece.is_empty() => {}
                _ => break,
            }
        }
        host.close(self.0);
        Next::Done
    }
}
