//! Conversations for tests, in relative numbers.

use std::net::SocketAddr;
use std::time::Duration;

use handclasp_tcp::State;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;

use crate::track::row::Row;
use crate::track::{Fate, Flow, Packet, Side};

pub(crate) const CLIENT_ISN: u32 = 3_123_802_190;
pub(crate) const SERVER_ISN: u32 = u32::MAX - 100;

/// A connection under observation.
pub(crate) struct Talk {
    pub(crate) flow: Flow,
    pub(crate) rows: Vec<Row>,
    /// Microseconds of the next packet.
    pub(crate) now: u64,
    /// Both ends' window fields.
    pub(crate) window: u16,
}

pub(crate) fn socket(side: Side) -> SocketAddr {
    match side {
        Side::Client => "10.77.0.1:50000".parse().unwrap(),
        Side::Server => "10.77.0.2:80".parse().unwrap(),
    }
}

impl Talk {
    pub(crate) fn new() -> Self {
        let flow = Flow::between(socket(Side::Client), socket(Side::Server));
        Self { flow, rows: Vec::new(), now: 0, window: 502 }
    }

    /// A connection whose server is known to listen, after the handshake.
    pub(crate) fn open() -> Self {
        let mut talk = Self::new();
        talk.flow.read(Side::Server, State::Listen);
        talk.syn().syn_ack().client(".", 1, 1, "");
        talk
    }

    pub(crate) fn syn(&mut self) -> &mut Self {
        self.packet(Side::Client, "S", 0, 0, "", Fate::Arrived)
    }

    pub(crate) fn syn_ack(&mut self) -> &mut Self {
        self.packet(Side::Server, "S.", 0, 1, "", Fate::Arrived)
    }

    pub(crate) fn client(&mut self, flags: &str, seq: u32, ack: u32, data: &str) -> &mut Self {
        self.packet(Side::Client, flags, seq, ack, data, Fate::Arrived)
    }

    pub(crate) fn server(&mut self, flags: &str, seq: u32, ack: u32, data: &str) -> &mut Self {
        self.packet(Side::Server, flags, seq, ack, data, Fate::Arrived)
    }

    pub(crate) fn window(&mut self, window: u16) -> &mut Self {
        self.window = window;
        self
    }

    pub(crate) fn wait(&mut self, time: Duration) -> &mut Self {
        self.now += time.as_micros() as u64;
        self
    }

    pub(crate) fn packet(
        &mut self,
        from: Side,
        letters: &str,
        seq: u32,
        ack: u32,
        data: &str,
        fate: Fate,
    ) -> &mut Self {
        let flags = flags(letters);
        let (own, peers) = match from {
            Side::Client => (CLIENT_ISN, SERVER_ISN),
            Side::Server => (SERVER_ISN, CLIENT_ISN),
        };
        let syn = flags.contains(Flags::SYN);
        let options = Options {
            mss: syn.then_some(1460),
            window_scale: syn.then_some(7),
            ..Options::default()
        };
        let ack = if flags.contains(Flags::ACK) { SeqNumber(peers) + ack } else { SeqNumber(0) };
        let header = Header {
            src_port: socket(from).port(),
            dst_port: socket(from.other()).port(),
            seq: SeqNumber(own) + seq,
            ack,
            flags,
            window: if syn { 64240 } else { self.window },
            options,
            ..Header::default()
        };
        let packet = Packet {
            at: Instant::from_micros(self.now),
            src: socket(from),
            dst: socket(from.other()),
            header: &header,
            len: data.len(),
            payload: data.as_bytes(),
            fate,
        };
        self.now += 10;
        let row = self.flow.see(&packet).expect("the packet is of this connection");
        self.rows.push(row);
        self
    }

    pub(crate) fn last(&self) -> &Row {
        self.rows.last().expect("there was a packet")
    }

    /// Both states after the last packet.
    pub(crate) fn states(&self) -> (Option<State>, Option<State>) {
        let states = self.flow.states();
        (states.client.state, states.server.state)
    }
}

fn flags(letters: &str) -> Flags {
    letters.chars().fold(Flags::empty(), |flags, letter| {
        flags
            | match letter {
                'S' => Flags::SYN,
                'F' => Flags::FIN,
                'R' => Flags::RST,
                'P' => Flags::PSH,
                '.' => Flags::ACK,
                other => panic!("no flag {other}"),
            }
    })
}
