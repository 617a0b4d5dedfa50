//! Sends back what it receives.

use handclasp_stack::store::ConnId;
use handclasp_tcp::connection::Error;

use super::Outgoing;
use crate::app::{App, Next, View};

/// One end of a connection that sends back what it receives, and closes when the peer did.
#[derive(Debug)]
pub struct Echo {
    id: ConnId,
    unsent: Outgoing,
}

impl Echo {
    /// An echo on a connection.
    #[must_use]
    pub fn new(id: ConnId) -> Self {
        Self { id, unsent: Outgoing::default() }
    }

    /// Says whether the peer has closed and everything was sent back.
    fn go_on(&mut self, host: &mut View<'_>) -> Result<bool, Error> {
        let mut buffer = [0; 4096];
        while self.unsent.write(host, self.id)? {
            match host.read(self.id, &mut buffer)? {
                None => return Ok(false),
                Some(0) => return Ok(true),
                Some(n) => self.unsent = Outgoing::new(buffer[..n].to_vec()),
            }
        }
        Ok(false)
    }
}

impl App for Echo {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        if self.go_on(host) == Ok(false) {
            return Next::Wait;
        }
        host.close(self.id);
        Next::Done
    }
}
