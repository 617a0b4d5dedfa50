//! Segments for tests, in numbers that count from the ISNs.

use std::net::SocketAddr;

use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{SackBlock, Timestamps};
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use crate::capture::dissect::{Ip, Segment};
use crate::capture::link::Network;
use crate::flow::Flow;
use crate::flow::table::{Limits, Table};

/// An end of the scene's connection.
pub(crate) const CLIENT: usize = 0;
/// The other one.
pub(crate) const SERVER: usize = 1;
const ISN: [u32; 2] = [1000, u32::MAX - 50];

/// A connection being made up.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) sockets: [SocketAddr; 2],
    pub(crate) isn: [u32; 2],
    pub(crate) now: Instant,
    pub(crate) frame: u64,
    /// Window fields of the next segments.
    pub(crate) window: [u16; 2],
    /// Times to live.
    pub(crate) ttl: [u8; 2],
}

/// Frames of a connection as a table understands them.
impl Scene {
    /// The connection that these segments are; there must be one only.
    pub(crate) fn flow(segments: &[Segment<'_>]) -> Flow {
        let mut table = Table::new(Limits::endless());
        for segment in segments {
            table.see(segment);
        }
        let mut flows = table.finish();
        assert_eq!(flows.len(), 1);
        *flows.remove(0)
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            sockets: ["10.0.0.1:50000".parse().unwrap(), "10.0.0.2:80".parse().unwrap()],
            isn: ISN,
            now: Instant::from_millis(1_000_000),
            frame: 0,
            window: [500, 500],
            ttl: [64, 57],
        }
    }
}

const PAYLOAD: &[u8] = &[b'x'; 65_000];

impl Scene {
    /// Lets time pass.
    pub(crate) fn wait(&mut self, millis: u64) -> &mut Self {
        self.now += std::time::Duration::from_millis(millis);
        self
    }

    /// The next segment, a millisecond after the last. `letters` are as in tcpdump.
    pub(crate) fn segment(
        &mut self,
        from: usize,
        letters: &str,
        seq: u32,
        ack: u32,
        len: u32,
    ) -> Segment<'static> {
        self.wait(1);
        self.frame += 1;
        let flags = letters.chars().fold(Flags::empty(), |flags, letter| {
            flags
                | match letter {
                    'S' => Flags::SYN,
                    'F' => Flags::FIN,
                    'R' => Flags::RST,
                    'P' => Flags::PSH,
                    '.' => Flags::ACK,
                    other => panic!("no flag {other}"),
                }
        });
        let ack = match flags.contains(Flags::ACK) {
            true => SeqNumber(self.isn[1 - from]) + ack,
            false => SeqNumber(0),
        };
        let mut header = Header {
            src_port: self.sockets[from].port(),
            dst_port: self.sockets[1 - from].port(),
            seq: SeqNumber(self.isn[from]) + seq,
            ack,
            flags,
            window: self.window[from],
            ..Header::default()
        };
        if flags.contains(Flags::SYN) {
            header.options.mss = Some(1460);
            header.options.window_scale = Some(7);
            header.options.sack_permitted = true;
        }
        Segment {
            number: self.frame,
            at: self.now,
            network: Network::default(),
            src: self.sockets[from],
            dst: self.sockets[1 - from],
            ip: Ip { ttl: self.ttl[from], id: None, ecn: Ecn::NotEct, dont_fragment: true },
            header,
            reserved: 0,
            options: &[],
            len,
            payload: &PAYLOAD[..len as usize],
            checksum_ok: Some(true),
        }
    }

    /// A handshake's three segments.
    pub(crate) fn handshake(&mut self) -> [Segment<'static>; 3] {
        [
            self.segment(CLIENT, "S", 0, 0, 0),
            self.segment(SERVER, "S.", 0, 1, 0),
            self.segment(CLIENT, ".", 1, 1, 0),
        ]
    }
}

/// The same segment with a timestamp.
pub(crate) fn stamped(mut segment: Segment<'static>, value: u32) -> Segment<'static> {
    segment.header.options.timestamps = Some(Timestamps { value, echo: 0 });
    segment
}

/// The same segment with a SACK block, of numbers that count from the receiver's ISN.
pub(crate) fn sacking(
    mut segment: Segment<'static>,
    scene: &Scene,
    block: [u32; 2],
) -> Segment<'static> {
    let base = SeqNumber(scene.isn[usize::from(segment.src == scene.sockets[0])]);
    let [left, right] = block.map(|number| base + number);
    segment.header.options.sack.push(SackBlock { left, right });
    segment
}
