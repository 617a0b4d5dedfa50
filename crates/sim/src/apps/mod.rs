//! Programs to run on simulated hosts.

pub mod bulk;
pub mod echo;
pub mod http;
pub mod server;
pub mod talker;

use handclasp_stack::store::ConnId;
use handclasp_tcp::connection::Error;

use crate::app::View;

/// Bytes that were not written yet.
#[derive(Debug, Default)]
struct Outgoing {
    data: Vec<u8>,
    written: usize,
}

impl Outgoing {
    fn new(data: Vec<u8>) -> Self {
        Self { data, written: 0 }
    }

    /// Writes what there is room for; says whether nothing is left.
    fn write(&mut self, host: &mut View<'_>, id: ConnId) -> Result<bool, Error> {
        while self.written < self.data.len() {
            match host.write(id, &self.data[self.written..])? {
                0 => return Ok(false),
                n => self.written += n,
            }
        }
        *self = Self::default();
        Ok(true)
    }
}
