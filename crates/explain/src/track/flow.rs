//! A connection that is watched live: its packets one by one, and what its ends tell.

use std::net::SocketAddr;

use handclasp_tcp::State;
use handclasp_wire::ip::Ecn;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;

use super::row::{Known, Row};
use super::summary::{Counts, Summary};
use super::tale::Tale;
use super::{Both, Packet, Side};
use crate::capture::dissect::{Ip, Segment};
use crate::capture::link::Network;
use crate::flow::key::Key;
use crate::flow::{self, Sight};
use crate::mark::Marks;

/// One connection.
#[derive(Clone, Debug)]
pub struct Flow {
    flow: flow::Flow,
    tale: Tale,
    rows: u64,
    /// What connections between the two came to that are over, and what of this one was lost.
    past: Both<Counts>,
}

impl Flow {
    /// The connection to which `packet` belongs. The client is who sent a SYN or was sent a
    /// SYN-ACK; where neither was seen, who has the higher port.
    #[must_use]
    pub fn new(packet: &Packet<'_>) -> Self {
        let client_sends = match packet.header.flags & (Flags::SYN | Flags::ACK) {
            Flags::SYN => true,
            both if both.contains(Flags::SYN) => false,
            _ => packet.src.port() >= packet.dst.port(),
        };
        let (client, server) =
            if client_sends { (packet.src, packet.dst) } else { (packet.dst, packet.src) };
        Self::between(client, server)
    }

    /// A connection of which nothing was seen yet.
    #[must_use]
    pub fn between(client: SocketAddr, server: SocketAddr) -> Self {
        let (key, client) = Key::new(Network::default(), client, server);
        let flow = flow::Flow::new(key, 0, client, Sight { frame: 0, at: Instant::ZERO });
        Self { flow, tale: Tale::default(), rows: 0, past: Both::default() }
    }

    /// The sockets of both ends.
    #[must_use]
    pub const fn sockets(&self) -> Both<SocketAddr> {
        let ends = &self.flow.key.ends;
        Both { client: ends[self.flow.client], server: ends[self.flow.server()] }
    }

    /// Both ends' states as they stand.
    #[must_use]
    pub const fn states(&self) -> Both<Known> {
        let states = &self.flow.states;
        Both { client: states.known(self.flow.client), server: states.known(self.flow.server()) }
    }

    /// Somebody asked an end for its state: from here on that counts.
    pub const fn read(&mut self, side: Side, state: State) {
        let end = match side {
            Side::Client => self.flow.client,
            Side::Server => self.flow.server(),
        };
        self.flow.states.read(end, state);
    }

    /// The end that has this socket.
    #[must_use]
    pub fn side_of(&self, socket: SocketAddr) -> Option<Side> {
        let end = self.flow.key.ends.iter().position(|end| *end == socket)?;
        Some(self.flow.side(end))
    }

    /// One more packet of the connection; `None` if it is not of this connection.
    pub fn see(&mut self, packet: &Packet<'_>) -> Option<Row> {
        let (key, from) = Key::new(Network::default(), packet.src, packet.dst);
        if key != self.flow.key {
            return None;
        }
        self.rows += 1;
        let segment = segment(packet, self.rows);
        if self.rows == 1 {
            self.flow.first = Sight::of(&segment);
        }
        if !packet.fate.arrives() {
            self.past[self.flow.side(from)].lost += 1;
        }
        self.begin_anew(from, &segment);
        let seen = self.flow.see(from, &segment, packet.fate, false);
        let row = self.tale.row(&segment, packet.fate, &seen);
        Some(Row { states: self.states(), ..row })
    }

    /// A SYN with another number, where the last connection between the two is over, begins one
    /// of which nothing is known yet.
    fn begin_anew(&mut self, from: usize, segment: &Segment<'_>) {
        let states = [0, 1].map(|end| self.flow.states.known(end));
        let over =
            matches!(states[1 - from].state, Some(State::Closed | State::Listen | State::TimeWait));
        let sent_syn = self.flow.ends[from].isn;
        let syn = segment.header.flags & (Flags::SYN | Flags::ACK) == Flags::SYN;
        if !syn || !over || sent_syn.is_none_or(|isn| isn == segment.header.seq.0) {
            return;
        }
        self.past = self.counts();
        let flow::Flow { key, client, first, .. } = self.flow;
        self.flow = flow::Flow::new(key, 0, client, first);
        self.tale.begin_anew();
        if let Some(state) = states[from].state {
            self.flow.states.infer(from, state);
        }
        // Whoever answers it does so because somebody listens.
        self.flow.states.infer(1 - from, State::Listen);
    }

    fn counts(&self) -> Both<Counts> {
        let mut counts = self.past;
        for (side, end) in [(Side::Client, self.flow.client), (Side::Server, self.flow.server())] {
            counts[side].packets += self.flow.ends[end].counts.packets;
            counts[side].bytes += self.flow.ends[end].counts.unique_bytes;
            counts[side].retransmitted += self.flow.evidence[end].count(Marks::RETRANSMISSION);
        }
        counts
    }

    /// The totals so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            sent: self.counts(),
            handshake_rtt: self.flow.handshake.round_trip(),
            duration: self.flow.duration(),
            ending: self.flow.ending(),
        }
    }
}

/// The packet as a capture at the sender would show it.
fn segment<'a>(packet: &Packet<'a>, number: u64) -> Segment<'a> {
    Segment {
        number,
        at: packet.at,
        network: Network::default(),
        src: packet.src,
        dst: packet.dst,
        ip: Ip { ttl: 0, id: None, ecn: Ecn::NotEct, dont_fragment: false },
        header: packet.header.clone(),
        reserved: 0,
        options: &[],
        len: u32::try_from(packet.len).unwrap_or(u32::MAX),
        payload: packet.payload,
        checksum_ok: None,
    }
}
