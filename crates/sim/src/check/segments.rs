//! What segments on the wire must never say, however few of them arrive.

use std::collections::HashMap;
use std::net::SocketAddr;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};

use super::Violations;
use crate::tap::{Fate, Seen, Tap};
use crate::trace::Entry;

/// A tap that checks every segment that a host sends: against what it said before, and against
/// what the other end said.
#[derive(Debug, Default)]
pub struct Segments {
    ends: HashMap<(SocketAddr, SocketAddr), End>,
    /// What was wrong so far.
    pub violations: Violations,
}

/// What one end has said.
#[derive(Clone, Copy, Debug)]
struct End {
    iss: SeqNumber,
    mss: Option<u16>,
    scale: Option<u8>,
    /// Behind the highest sequence number that it has sent.
    sent: SeqNumber,
    /// Whether it has acknowledged the other's SYN: until then it may speak of a former life.
    answered: bool,
    /// The right edge of its window, once it has acknowledged anything.
    edge: Option<SeqNumber>,
}

impl Segments {
    fn check(&mut self, entry: &Entry) {
        let Entry { src, dst, header, len, .. } = entry;
        if header.flags.contains(Flags::RST) {
            return;
        }
        if header.flags.contains(Flags::SYN) {
            self.take_syn(*src, *dst, header);
        }
        let peer = self.ends.get(&(*dst, *src)).copied();
        // What belongs to a conversation whose beginning was not seen cannot be judged.
        let Some(end) = self.ends.get_mut(&(*src, *dst)) else { return };
        let mut wrong = Vec::new();
        let behind = header.seq + header.seg_len(*len);
        end.sent = end.sent.max(behind);
        if let Some(peer) = peer {
            wrong.extend(exceeds_mss(&peer, header, *len, src.is_ipv4()));
            let syn = header.flags.contains(Flags::SYN);
            if !syn && peer.edge.is_some_and(|edge| behind.gt(edge)) {
                wrong.push("it sends beyond the window");
            }
            if header.flags.contains(Flags::ACK) {
                wrong.extend(end.announce(&peer, header));
            }
        }
        let line = |what| format!("{what}: {entry}");
        self.violations.extend(wrong.into_iter().map(line));
    }

    fn take_syn(&mut self, src: SocketAddr, dst: SocketAddr, syn: &Header) {
        let known = self.ends.get(&(src, dst));
        if known.is_some_and(|end| end.iss == syn.seq) {
            return;
        }
        // The sockets begin another life: what the other end said in the last one is past, unless
        // this answers it.
        if known.is_some() && syn.flags.contains(Flags::ACK) {
            let forget = |peer: &mut End| (peer.answered, peer.edge) = (false, None);
            self.ends.entry((dst, src)).and_modify(forget);
        } else if known.is_some() {
            self.ends.remove(&(dst, src));
        }
        let end = End {
            iss: syn.seq,
            mss: syn.options.mss,
            scale: syn.options.window_scale,
            sent: syn.seq + 1,
            answered: false,
            edge: None,
        };
        self.ends.insert((src, dst), end);
    }
}

impl End {
    /// Takes note of an acknowledgment and a window; says what is wrong with them.
    fn announce(&mut self, peer: &Self, header: &Header) -> Option<&'static str> {
        self.answered |= header.ack == peer.iss + 1;
        if !self.answered {
            return None;
        }
        let scale = match (self.scale, peer.scale) {
            (Some(own), Some(_)) if !header.flags.contains(Flags::SYN) => own.min(14),
            _ => 0,
        };
        let edge = header.ack + (u32::from(header.window) << scale);
        let before = self.edge.unwrap_or(edge);
        self.edge = Some(before.max(edge));
        let unsent = |number: SeqNumber| number.gt(peer.sent);
        if unsent(header.ack) {
            return Some("it acknowledges what was not sent");
        }
        // A D-SACK may lie anywhere below (RFC 2883); nothing lies beyond.
        let blocks = header.options.sack.as_slice();
        if blocks.iter().any(|block| unsent(block.right) || block.right.le(block.left)) {
            return Some("it reports what was not sent");
        }
        // What the scale cuts off may seem to shrink the window (RFC 7323 §2.4), and a SYN-ACK
        // that is sent again says what it said before.
        let granularity = (1 << scale) - 1;
        let shrank = before.distance(edge) > granularity && !header.flags.contains(Flags::SYN);
        shrank.then_some("its window's right edge moves left")
    }
}

/// RFC 9293 §3.7.1: options count, fixed headers do not.
fn exceeds_mss(peer: &End, header: &Header, len: usize, ipv4: bool) -> Option<&'static str> {
    let mss = peer.mss.unwrap_or(if ipv4 { 536 } else { 1220 });
    // No stack goes below what keeps a header worth sending.
    let most = usize::from(mss.max(48)) + 20;
    (len > 0 && header.emitted_len() + len > most).then_some("it exceeds the peer's MSS")
}

impl Tap for Segments {
    fn seen(&mut self, packet: &Seen<'_>) {
        if packet.fate != Fate::Delivered
            && let Some(entry) = Entry::of(packet)
        {
            self.check(&entry);
        }
    }
}

#[cfg(test)]
#[path = "segments_tests.rs"]
mod tests;
