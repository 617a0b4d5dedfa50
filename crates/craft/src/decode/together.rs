//! Several packets read as one conversation: what each alone does not tell.

use std::fmt;
use std::net::IpAddr;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header, TcpView};
use serde_json::json;

use super::Decoded;
use super::sums::{Checksum, Doubt, infer};

/// One end of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// Its address, if the packets tell.
    pub ip: Option<IpAddr>,
    /// Its port.
    pub port: u16,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            Some(ip) => write!(f, "{ip}:{}", self.port),
            None => write!(f, "port {}", self.port),
        }
    }
}

/// Who sent a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first of [`Flow::ends`].
    A,
    /// The second.
    B,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// The number that a side's sequence numbers are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Isn {
    /// The number: the SYN's, or the one in front of the first that was seen.
    pub number: SeqNumber,
    /// Whether a SYN told it, or an answer to one.
    pub certain: bool,
}

/// What a window field amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// So many bytes.
    Bytes(u32),
    /// Unknown, as the packets that settled the scale are not there: the field, at least.
    AtLeast(u16),
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes} bytes"),
            Self::AtLeast(field) => {
                write!(f, "{field} bytes or a multiple: no handshake tells the scale")
            }
        }
    }
}

/// A segment among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlow {
    /// Which of the packets it is.
    pub packet: usize,
    /// Who sent it.
    pub from: Side,
    /// The flags.
    pub flags: Flags,
    /// `seg.seq`, counted from the sender's [`Isn`].
    pub seq: u32,
    /// `seg.ack`, counted from the other side's; `None` without the flag.
    pub ack: Option<u32>,
    /// Bytes of payload.
    pub len: u32,
    /// The window.
    pub window: Window,
    /// The checksum, in the light of the other segments.
    pub checksum: Checksum,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Both ends: the client first, if it is known who that is.
    pub ends: [End; 2],
    /// Whether a SYN tells that the first end is the client.
    pub client_known: bool,
    /// What each end's numbers count from; `None` of one that sent nothing.
    pub isns: [Option<Isn>; 2],
    /// The sum of the two addresses, if it is not told but follows from the checksums.
    pub address_sum: Option<u16>,
    /// The segments, in the order in which they were given.
    pub segments: Vec<InFlow>,
}

impl Flow {
    /// What a side's numbers count from, and what the other's do.
    #[must_use]
    pub const fn isns_of(&self, side: Side) -> [Option<Isn>; 2] {
        let [a, b] = self.isns;
        match side {
            Side::A => [a, b],
            Side::B => [b, a],
        }
    }

    /// The conversation as one JSON object. Packets are counted from 1 on, numbers from the
    /// SYNs; a window is `null` where nobody knows its scale.
    #[must_use]
    pub fn json(&self) -> String {
        let [first, second] = self.names();
        let name = |side| if side == Side::A { first } else { second };
        let segment = |segment: &InFlow| {
            let window = match segment.window {
                Window::Bytes(bytes) => Some(bytes),
                Window::AtLeast(_) => None,
            };
            json!({
                "packet": segment.packet + 1, "from": name(segment.from),
                "flags": segment.flags.to_string(), "seq": segment.seq, "ack": segment.ack,
                "len": segment.len, "window": window, "checksum": segment.checksum.to_string(),
            })
        };
        let end = |(end, isn): (&End, Option<Isn>)| {
            json!({
                "ip": end.ip, "port": end.port, "isn": isn.map(|isn| isn.number.0),
                "isn_certain": isn.is_some_and(|isn| isn.certain),
            })
        };
        let ends: Vec<_> = self.ends.iter().zip(self.isns).map(end).collect();
        let segments: Vec<_> = self.segments.iter().map(segment).collect();
        json!({
            "v": 1, "type": "conversation", "client_known": self.client_known, "ends": ends,
            "address_sum": self.address_sum, "segments": segments,
        })
        .to_string()
    }
}

/// Reads packets that were captured one behind the other. A SYN with a new number between the
/// same ends begins a conversation of its own. Packets without a whole TCP header are left out.
#[must_use]
pub fn read_together(packets: &[Decoded]) -> Vec<Flow> {
    let mut flows: Vec<Tracked<'_>> = Vec::new();
    for (number, packet) in packets.iter().enumerate() {
        let segment = packet.layout.segment(&packet.bytes);
        let Some(tcp) = segment.and_then(|segment| TcpView::parse(segment).ok()) else { continue };
        let addresses = packet.layout.addresses(&packet.bytes);
        let src = End { ip: addresses.map(|(src, _)| src), port: tcp.src_port() };
        let dst = End { ip: addresses.map(|(_, dst)| dst), port: tcp.dst_port() };
        let header = tcp.to_header();
        let known = flows.iter_mut().rev().find_map(|flow| Some((flow.side(src, dst)?, flow)));
        let (side, flow) = match known {
            Some((side, flow)) if !flow.is_over_for(side, &header) => (side, flow),
            _ => {
                flows.push(Tracked::new(src, dst));
                let Some(flow) = flows.last_mut() else { continue };
                (Side::A, flow)
            }
        };
        flow.segment(side, &header, &tcp, (number, packet));
    }
    flows.into_iter().map(Tracked::finish).collect()
}

/// What one side has told.
#[derive(Clone, Copy, Default)]
struct Told {
    isn: Option<Isn>,
    /// The shift in its SYN, the inner `None` if it had none.
    scale: Option<Option<u8>>,
}

struct Tracked<'p> {
    ends: [End; 2],
    client: Option<Side>,
    told: [Told; 2],
    segments: Vec<(InFlow, SeqNumber, SeqNumber, &'p [u8])>,
}

impl<'p> Tracked<'p> {
    fn new(a: End, b: End) -> Self {
        let told = [Told::default(); 2];
        Self { ends: [a, b], client: None, told, segments: Vec::new() }
    }

    /// Who sends from `src` to `dst`, if this is the conversation between them.
    fn side(&self, src: End, dst: End) -> Option<Side> {
        match self.ends {
            [a, b] if (a, b) == (src, dst) => Some(Side::A),
            [a, b] if (b, a) == (src, dst) => Some(Side::B),
            _ => None,
        }
    }

    /// Whether a SYN begins another conversation.
    fn is_over_for(&self, side: Side, header: &Header) -> bool {
        let told = self.told[side as usize];
        let other = |isn: Isn| isn.certain && isn.number != header.seq;
        header.flags.contains(Flags::SYN)
            && !header.flags.contains(Flags::ACK)
            && told.scale.is_some()
            && told.isn.is_some_and(other)
    }

    fn segment(
        &mut self,
        side: Side,
        header: &Header,
        tcp: &TcpView<'_>,
        (number, packet): (usize, &'p Decoded),
    ) {
        let (syn, ack) = (header.flags.contains(Flags::SYN), header.flags.contains(Flags::ACK));
        let certain = |number| Some(Isn { number, certain: true });
        if syn {
            self.told[side as usize].isn = certain(header.seq);
            self.told[side as usize].scale = Some(header.options.window_scale);
            self.client = self.client.or(Some(if ack { side.other() } else { side }));
            if ack {
                self.told[side.other() as usize].isn = certain(header.ack - 1);
            }
        }
        let first_seen = |number| Some(Isn { number, certain: false });
        let own = &mut self.told[side as usize].isn;
        *own = own.or(first_seen(header.seq - 1));
        if ack {
            let other = &mut self.told[side.other() as usize].isn;
            *other = other.or(first_seen(header.ack - 1));
        }
        let in_flow = InFlow {
            packet: number,
            from: side,
            flags: header.flags,
            seq: 0,
            ack: ack.then_some(0),
            len: tcp.payload().len() as u32,
            window: self.window(side, header),
            checksum: packet.checksum.unwrap_or(Checksum::Unknown(Doubt::CutShort)),
        };
        let segment = packet.layout.segment(&packet.bytes).unwrap_or_default();
        self.segments.push((in_flow, header.seq, header.ack, segment));
    }

    /// Both sides must have asked for scaling (RFC 7323 §2.2), and no SYN is scaled.
    fn window(&self, side: Side, header: &Header) -> Window {
        let bytes = |shift: u8| Window::Bytes(u32::from(header.window) << shift.min(14));
        if header.flags.contains(Flags::SYN) {
            return bytes(0);
        }
        match (self.told[side as usize].scale, self.told[side.other() as usize].scale) {
            (Some(Some(shift)), Some(Some(_))) => bytes(shift),
            (Some(None), _) | (_, Some(None)) => bytes(0),
            _ => Window::AtLeast(header.window),
        }
    }

    fn finish(self) -> Flow {
        let unknown = |segment: &InFlow| segment.checksum == Checksum::Unknown(Doubt::NoAddresses);
        let bytes: Vec<_> = self.segments.iter().map(|(_, _, _, bytes)| *bytes).collect();
        let without = self.segments.iter().all(|(segment, ..)| unknown(segment));
        let (sum, judged) = infer(&bytes).filter(|_| without).unzip();
        let mut judged = judged.unwrap_or_default().into_iter();
        let told = self.told;
        let base = |side: Side| told[side as usize].isn.map_or(SeqNumber(0), |isn| isn.number);
        let segments = self.segments.into_iter().map(|(segment, seq, ack, _)| InFlow {
            seq: seq - base(segment.from),
            ack: segment.ack.map(|_| ack - base(segment.from.other())),
            checksum: judged.next().unwrap_or(segment.checksum),
            ..segment
        });
        let mut flow = Flow {
            ends: self.ends,
            client_known: self.client.is_some(),
            isns: told.map(|told| told.isn),
            address_sum: sum,
            segments: segments.collect(),
        };
        if self.client == Some(Side::B) {
            flow.ends.reverse();
            flow.isns.reverse();
            for segment in &mut flow.segments {
                segment.from = segment.from.other();
            }
        }
        flow
    }
}
