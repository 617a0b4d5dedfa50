//! Where packets and steps are seen.

use std::net::SocketAddr;
use std::sync::mpsc::SyncSender;
use std::time::{self, Duration};

use handclasp::device::tap::{Direction, Tap};
use handclasp::tcp::event::{Event, Log, Purpose};
use handclasp::tcp::{State, Tuple};
use handclasp::wire::checksum;
use handclasp::wire::frame::Medium;
use handclasp::wire::packet::{Net, Packet, Transport};
use handclasp::wire::tcp::{Flags, Header};
use handclasp::wire::time::Instant;
use handclasp_explain::track::note::Note;
use handclasp_explain::track::row::PREVIEW;
use handclasp_explain::track::{Fate, dissect};

use super::{Answer, Remark, SeenPacket, Sight, Step};

/// Sights that wait to be told; beyond them the stack has to wait too, so that a fast transfer
/// takes no unbounded memory.
pub(crate) const BACKLOG: usize = 16 * 1024;

/// Of so many packets the peer's state is asked after each one; later only after those that
/// are likely to change it, and now and then. A question takes some microseconds.
const ASKED_EACH: u64 = 200;

/// How often, then.
const NOW_AND_THEN: Duration = Duration::from_millis(1);

/// Somebody who can tell the peer's state.
pub(crate) trait AskPeer: Send {
    /// The state of the connection between `peer` and `ours`, if it can be told.
    fn state(&mut self, peer: SocketAddr, ours: SocketAddr) -> Option<State>;
}

/// What all taps of a link have in common.
#[derive(Clone)]
pub(crate) struct Eye {
    sights: SyncSender<Sight>,
    medium: Medium,
    /// When time begins.
    origin: time::Instant,
}

impl Eye {
    pub(crate) fn new(sights: SyncSender<Sight>, medium: Medium) -> Self {
        Self { sights, medium, origin: time::Instant::now() }
    }

    /// When time begins.
    pub(crate) const fn origin(&self) -> time::Instant {
        self.origin
    }

    /// Sees an IP packet of ours that is lost between us and the link. Where somebody can be
    /// asked, the other side of the link is watched too.
    pub(crate) fn see_lost(&self, packet: &[u8], ask: Option<&mut dyn AskPeer>) {
        let at = Instant::ZERO + self.origin.elapsed();
        let Some(near) = look(Medium::Ip, at, true, packet) else { return };
        let mut lost = SeenPacket { fate: Fate::Lost, ..near.clone() };
        let Some(ask) = ask else { return self.tell(Sight::Near(Box::new(lost))) };
        let state = ask.state(near.tuple().remote(), near.tuple().local());
        lost.peer = state.map(|state| Answer { at, state });
        self.tell(Sight::Lost(Box::new(lost)));
        self.tell(Sight::Near(Box::new(near)));
    }

    /// Sees an IP packet that the kernel of our own host sent in our place.
    pub(crate) fn see_slip(&self, packet: &[u8]) {
        let at = Instant::ZERO + self.origin.elapsed();
        let Some(near) = look(Medium::Ip, at, true, packet) else { return };
        self.tell(Sight::Remark(near.tuple(), Remark::Next(Note::SlippedIn)));
        self.tell(Sight::Near(Box::new(near)));
    }

    fn look(&self, at: time::Instant, direction: Direction, bytes: &[u8]) -> Option<SeenPacket> {
        let at = Instant::ZERO + at.saturating_duration_since(self.origin);
        look(self.medium, at, direction == Direction::Out, bytes)
    }

    fn tell(&self, sight: Sight) {
        // A narrator that is gone has no reader any more; the connections go on without.
        let _ = self.sights.send(sight);
    }
}

/// A TCP packet of our stack's or the peer's; `None` if it is another kind of packet.
pub(crate) fn look(medium: Medium, at: Instant, ours: bool, bytes: &[u8]) -> Option<SeenPacket> {
    let nobody = SocketAddr::from(([0; 4], 0));
    let (src, dst, header, payload) = match dissect(medium, bytes) {
        Some(tcp) => tcp,
        None if is_of_another_kind(medium, bytes) => return None,
        // Only a damaged packet is nothing that can be read.
        None => (nobody, nobody, Header::default(), &[][..]),
    };
    Some(SeenPacket {
        at,
        ours,
        src,
        dst,
        header,
        len: payload.len(),
        payload: payload[..payload.len().min(PREVIEW)].to_vec(),
        sum: checksum::sum(bytes).partial(),
        fate: Fate::Arrived,
        peer: None,
        remark: None,
    })
}

/// Whether a packet is whole but not TCP.
fn is_of_another_kind(medium: Medium, bytes: &[u8]) -> bool {
    Packet::parse(medium, bytes).is_ok_and(|packet| {
        matches!(packet.net, Net::Arp(_))
            || matches!(
                packet.transport,
                Transport::Udp(_) | Transport::Icmpv4(_) | Transport::Icmpv6(_)
            )
    })
}

/// A tap between the stack and its link.
pub(crate) struct Near(pub(crate) Eye);

impl Tap for Near {
    fn packet(&mut self, at: time::Instant, direction: Direction, bytes: &[u8]) {
        if let Some(packet) = self.0.look(at, direction, bytes) {
            self.0.tell(Sight::Near(Box::new(packet)));
        }
    }
}

/// Asks the peer, but not at each packet of a long transfer.
struct Asker {
    ask: Box<dyn AskPeer>,
    packets: u64,
    last: Instant,
}

impl Asker {
    fn new(ask: Box<dyn AskPeer>) -> Self {
        Self { ask, packets: 0, last: Instant::ZERO }
    }

    fn complete(&mut self, packet: &mut SeenPacket) {
        self.packets += 1;
        let turning = packet.header.flags.intersects(Flags::SYN | Flags::FIN | Flags::RST);
        let due = packet.at >= self.last + NOW_AND_THEN;
        if turning || due || self.packets <= ASKED_EACH {
            self.last = packet.at;
            let tuple = packet.tuple();
            let state = self.ask.state(tuple.remote(), tuple.local());
            packet.peer = state.map(|state| Answer { at: packet.at, state });
        }
    }
}

/// A tap between the link and the peer.
pub(crate) struct Far {
    eye: Eye,
    asker: Asker,
}

impl Far {
    pub(crate) fn new(eye: Eye, ask: Box<dyn AskPeer>) -> Self {
        Self { eye, asker: Asker::new(ask) }
    }
}

impl Tap for Far {
    fn packet(&mut self, at: time::Instant, direction: Direction, bytes: &[u8]) {
        if let Some(mut packet) = self.eye.look(at, direction, bytes) {
            self.asker.complete(&mut packet);
            self.eye.tell(Sight::Far(Box::new(packet)));
        }
    }
}

/// Sees the packets that a link loses.
pub(crate) struct Grave {
    eye: Eye,
    asker: Asker,
}

impl Grave {
    pub(crate) fn new(eye: Eye, ask: Box<dyn AskPeer>) -> Self {
        Self { eye, asker: Asker::new(ask) }
    }
}

impl Tap for Grave {
    fn packet(&mut self, at: time::Instant, direction: Direction, bytes: &[u8]) {
        if let Some(packet) = self.eye.look(at, direction, bytes) {
            let mut packet = SeenPacket { fate: Fate::Lost, ..packet };
            self.asker.complete(&mut packet);
            self.eye.tell(Sight::Lost(Box::new(packet)));
        }
    }
}

/// Hears the stack's log.
pub(crate) struct Ear(pub(crate) SyncSender<Sight>);

impl Log for Ear {
    fn record(&self, _at: Instant, tuple: &Tuple, event: &Event<'_>) {
        if let Some(step) = Step::of(event) {
            // As for packets.
            let _ = self.0.send(Sight::Step(*tuple, step));
        }
    }
}

impl Step {
    /// The step that an event is, if it is one that counts.
    pub(crate) fn of(event: &Event<'_>) -> Option<Self> {
        Some(match *event {
            Event::State { to, cause, .. } => Self::State { to, cause },
            Event::Received { header, len } => {
                Self::Received { seq: header.seq, seg_len: header.seg_len(len) }
            }
            Event::Sent { header, len, purpose } => {
                let why = match purpose {
                    Purpose::Retransmit(why) => Some(why),
                    _ => None,
                };
                Self::Sent { seq: header.seq, seg_len: header.seg_len(len), why }
            }
            _ => return None,
        })
    }
}
