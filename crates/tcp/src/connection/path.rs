//! What the path says: ICMP errors and the packet size it carries.

use handclasp_wire::seq::SeqNumber;

use super::{Connection, Error, PathError};
use crate::context::Context;
use crate::event::{Event, LossSign};
use crate::send::flight::Verdict;
use crate::state::{Cause, State};

/// No path is believed to carry less (RFC 1191 §7.1 has no plateau of use below; forged
/// messages would otherwise cut segments to crumbs).
const IPV4_MTU_MIN: u16 = 552;
/// RFC 8200 §5.
const IPV6_MTU_MIN: u16 = 1280;

impl Connection {
    /// An ICMP error quoted a segment of this connection that began at `seq`.
    ///
    /// It is believed only if `seq` is in flight (RFC 5927 §4.1), ends an attempt to open only
    /// if it is hard, and never an open connection (§4.2). Returns whether it was believed.
    pub fn path_error(&mut self, cx: &Context<'_>, error: PathError, seq: SeqNumber) -> bool {
        let in_flight = self.snd.una.le(seq) && seq.lt(self.snd.nxt);
        if !in_flight || self.state == State::Closed {
            return false;
        }
        if let PathError::PacketTooBig { mtu } = error {
            if !self.tuple.local_ip.is_ipv4() && mtu < IPV6_MTU_MIN {
                // No IPv6 path is so narrow: RFC 8201 §4 discards it.
                return false;
            }
            self.set_path_mtu(cx, mtu.min(self.path_mtu));
            return true;
        }
        self.life.soft_error = Some(error);
        let opening = matches!(self.state, State::SynSent | State::SynReceived);
        if opening && error.is_hard() {
            let error = match error {
                PathError::PortUnreachable | PathError::ProtocolUnreachable => Error::Refused,
                other => Error::Unreachable(other),
            };
            self.fail(cx, Cause::Unreachable, error, false);
        }
        true
    }

    /// The neighbour or route that every segment needs is gone: an attempt to open fails, an
    /// open connection goes on trying.
    pub fn host_unreachable(&mut self, cx: &Context<'_>) {
        self.life.soft_error = Some(PathError::HostUnreachable);
        if matches!(self.state, State::SynSent | State::SynReceived) {
            let error = Error::Unreachable(PathError::HostUnreachable);
            self.fail(cx, Cause::Unreachable, error, false);
        }
    }

    /// The path carries packets of at most `mtu` bytes from now on, as an ICMP message
    /// (RFC 1191, RFC 8201), a route or the link says. What is in flight and larger is sent
    /// again at once; that is no sign of congestion.
    pub fn set_path_mtu(&mut self, cx: &Context<'_>, mtu: u16) {
        let least = if self.tuple.local_ip.is_ipv4() { IPV4_MTU_MIN } else { IPV6_MTU_MIN };
        let mtu = mtu.max(least);
        let shrank = mtu < self.path_mtu;
        if mtu == self.path_mtu {
            return;
        }
        self.path_mtu = mtu;
        let before = u32::from(self.snd.smss);
        self.snd.smss = self.effective_mss();
        let smss = u32::from(self.snd.smss);
        self.snd.controller.set_mss(smss);
        if !shrank || !self.state.is_synchronized() || smss >= before {
            return;
        }
        let nxt = self.snd.nxt;
        let by = LossSign::PathMtu;
        let losses = self.snd.flight.mark_lost(nxt, by, |sent| {
            if sent.len > smss { Verdict::Lost } else { Verdict::UnderWay }
        });
        if losses.bytes > 0 {
            cx.record(&self.tuple, || Event::Loss { bytes: losses.bytes, by });
            self.snd.recovery.first_resend = true;
        }
    }
}
