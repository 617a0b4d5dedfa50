//! Connections as the host sees them: whose a four-tuple is, and what it starts from.

pub(crate) mod cookie;
pub(crate) mod demux;
pub(crate) mod fast_open;
pub(crate) mod flows;
pub(crate) mod half_opens;
pub(crate) mod isn;
pub(crate) mod ports;
pub(crate) mod time_waits;

use alloc::sync::Arc;

use handclasp_tcp::state::Cause;
use handclasp_tcp::transmit::Slices;
use handclasp_tcp::{Config, Context, TimeWait, Tuple};
use handclasp_wire::checksum;
use handclasp_wire::frame::{Outbound, PartialChecksum};
use handclasp_wire::ip::protocol;
use handclasp_wire::tcp::Header;
use handclasp_wire::tcp::view::CHECKSUM_AT;

use self::cookie::Cookies;
use self::demux::{Demux, Owner};
use self::flows::{Flow, Flows};
use self::half_opens::HalfOpens;
use self::isn::Starts;
use self::ports::Ports;
use self::time_waits::TimeWaits;
use crate::host::HostConfig;
use crate::listen::Listeners;
use crate::rate::Rate;
use crate::secret::Secret;
use crate::store::ConnId;

/// The tables of TCP.
pub(crate) struct Tcp {
    pub(crate) demux: Demux,
    pub(crate) flows: Flows,
    pub(crate) half_opens: HalfOpens,
    pub(crate) time_waits: TimeWaits,
    pub(crate) listeners: Listeners,
    pub(crate) ports: Ports,
    pub(crate) starts: Starts,
    pub(crate) cookies: Cookies,
    pub(crate) fast_cookies: fast_open::Cookies,
    pub(crate) fast_servers: fast_open::Servers,
    pub(crate) resets: Rate,
}

impl Tcp {
    pub(crate) fn new(config: &HostConfig, secret: &Secret) -> Self {
        Self {
            demux: Demux::new(secret.table_hash()),
            flows: Flows::default(),
            half_opens: HalfOpens::default(),
            time_waits: TimeWaits::new(config.time_wait_max),
            listeners: Listeners::new(secret.table_hash()),
            ports: Ports::new(config.ephemeral_ports.clone(), secret),
            starts: Starts::new(secret),
            cookies: Cookies::new(secret),
            fast_cookies: fast_open::Cookies::new(secret),
            fast_servers: fast_open::Servers::new(secret.table_hash()),
            resets: Rate::new(config.resets_per_second),
        }
    }

    /// Enters a connection into the tables.
    pub(crate) fn adopt(&mut self, id: ConnId, tuple: Tuple, config: Arc<Config>, path_mtu: u16) {
        self.demux.insert(tuple, Owner::Connection(id));
        self.flows.insert(Flow::new(id, tuple, config, path_mtu));
    }

    pub(crate) fn insert_half_open(&mut self, entry: half_opens::Entry) {
        let tuple = entry.tuple;
        let slot = self.half_opens.insert(entry);
        self.demux.insert(tuple, Owner::HalfOpen(slot));
    }

    pub(crate) fn remove_half_open(&mut self, slot: u32) -> Option<half_opens::Entry> {
        let entry = self.half_opens.remove(slot)?;
        self.demux.remove(&entry.tuple);
        Some(entry)
    }

    /// Keeps what is left of a connection; returns whether another had to make room for it.
    pub(crate) fn insert_time_wait(
        &mut self,
        cx: &Context<'_>,
        tuple: Tuple,
        wait: TimeWait,
        config: Arc<Config>,
    ) -> bool {
        let full = self.time_waits.is_full();
        if let Some(oldest) = full.then(|| self.time_waits.remove_oldest()).flatten() {
            self.demux.remove(&oldest.tuple);
            oldest.wait.over(&oldest.tuple, cx, Cause::Abort);
        }
        let slot = self.time_waits.insert(time_waits::Entry { tuple, wait, config });
        self.demux.insert(tuple, Owner::TimeWait(slot));
        full
    }

    pub(crate) fn remove_time_wait(&mut self, cx: &Context<'_>, slot: u32, cause: Cause) {
        if let Some(entry) = self.time_waits.remove(slot) {
            self.demux.remove(&entry.tuple);
            entry.wait.over(&entry.tuple, cx, cause);
        }
    }

    /// Forgets TIME-WAIT entries whose time is over; returns how many.
    pub(crate) fn end_time_waits(&mut self, cx: &Context<'_>) -> u64 {
        let mut ended = 0;
        while let Some(entry) = self.time_waits.pop_over(cx.now) {
            self.demux.remove(&entry.tuple);
            entry.wait.over(&entry.tuple, cx, Cause::Timeout);
            ended += 1;
        }
        ended
    }
}

/// A segment as the network layer takes it: its checksum starts with the pseudo header's sum
/// and is to be finished.
pub(crate) fn emit(tuple: &Tuple, header: &Header, payload: Slices) -> Outbound {
    let text: usize = payload.iter().map(bytes::Bytes::len).sum();
    let len = (header.emitted_len() + text) as u32;
    let sum = checksum::pseudo_header(tuple.local_ip, tuple.remote_ip, protocol::TCP, len);
    let mut segment = Outbound {
        payload,
        checksum: Some(PartialChecksum { start: 0, offset: CHECKSUM_AT as u16 }),
        ..Outbound::default()
    };
    header.emit_with_checksum(sum.partial(), &mut segment.header);
    segment
}
