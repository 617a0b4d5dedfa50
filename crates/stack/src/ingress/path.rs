//! ICMP errors: whom they concern, and whether to believe them (RFC 5927).

use core::net::SocketAddr;

use handclasp_tcp::connection::PathError;
use handclasp_tcp::state::Cause;
use handclasp_tcp::{Context, Tuple};
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4View;
use handclasp_wire::ipv6::{Ipv6, Ipv6View};
use handclasp_wire::quote::Quoted;

use crate::discard::Discard;
use crate::host::Host;
use crate::ip::path_mtu::believable;
use crate::store::{ConnId, Store, UdpId};
use crate::tcp::demux::Owner;

/// What an ICMP error says.
pub(super) enum Failure {
    Error(PathError),
    /// `mtu` is what the next hop takes, 0 where the router does not say.
    TooBig {
        mtu: u32,
    },
}

impl Host {
    /// Somebody on the way could not deliver what `quoted` is the start of. Only whoever sent
    /// it knows whether to believe that.
    pub(super) fn path_failed<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        quoted: &[u8],
        failure: Failure,
    ) -> Result<(), Discard> {
        let packet_len = packet_len(quoted);
        let Ok(quoted) = Quoted::parse(quoted) else {
            self.counters.icmp_in_errors += 1;
            return Err(Discard::IcmpIgnored);
        };
        let error = match failure {
            Failure::Error(error) => error,
            Failure::TooBig { mtu } => {
                let mtu = believable(quoted.dst, mtu, packet_len).ok_or(Discard::IcmpIgnored)?;
                PathError::PacketTooBig { mtu }
            }
        };
        if let Some((id, remote)) = self.quoted_socket(&quoted) {
            if let PathError::PacketTooBig { mtu } = error {
                self.ip.path_mtus.learn(remote.ip(), mtu, cx.now);
            }
            store.udp_failed(id, remote, error);
            return Ok(());
        }
        let (tuple, owner) = self.quoted_tuple(&quoted).ok_or(Discard::IcmpIgnored)?;
        let believed = match owner {
            Owner::Connection(id) => self.connection_fails(store, cx, id, &tuple, &quoted, error),
            Owner::HalfOpen(slot) => self.half_open_fails(store, cx, slot, &quoted, error),
            Owner::TimeWait(_) | Owner::Pending(_) => false,
        };
        if believed {
            return Ok(());
        }
        self.counters.tcp_ext_out_of_window_icmps += 1;
        Err(Discard::IcmpIgnored)
    }

    /// The connection itself checks that it has such a segment in flight (RFC 5927 §4.1).
    fn connection_fails<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        id: ConnId,
        tuple: &Tuple,
        quoted: &Quoted<'_>,
        error: PathError,
    ) -> bool {
        let Some(seq) = quoted.tcp_seq() else { return false };
        let believed = store.with(id, |connection| connection.path_error(cx, error, seq));
        if believed != Some(true) {
            return false;
        }
        self.touched(id);
        if let PathError::PacketTooBig { mtu } = error {
            self.ip.path_mtus.learn(tuple.remote_ip, mtu, cx.now);
            self.apply_path_mtus(store, cx);
        }
        true
    }

    /// A hard error about our SYN-ACK ends the attempt.
    fn half_open_fails<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        slot: u32,
        quoted: &Quoted<'_>,
        error: PathError,
    ) -> bool {
        let iss = self.tcp.half_opens.get_mut(slot).map(|entry| entry.half.iss());
        let ours = iss.is_some() && quoted.tcp_seq() == iss;
        if ours && error.is_hard() {
            self.abandon(store, cx, slot, Cause::Unreachable);
        }
        ours
    }

    fn quoted_tuple(&self, quoted: &Quoted<'_>) -> Option<(Tuple, Owner)> {
        let (local, remote) = sockets(quoted, protocol::TCP)?;
        let tuple = Tuple::new(local, remote);
        Some((tuple, self.tcp.demux.get(&tuple)?))
    }

    /// The connection that sent what is quoted.
    pub(crate) fn quoted_connection(&self, quoted: &Quoted<'_>) -> Option<ConnId> {
        match self.quoted_tuple(quoted)?.1 {
            Owner::Connection(id) => Some(id),
            _ => None,
        }
    }

    /// The UDP socket that sent what is quoted, and to whom.
    pub(crate) fn quoted_socket(&self, quoted: &Quoted<'_>) -> Option<(UdpId, SocketAddr)> {
        let (local, remote) = sockets(quoted, protocol::UDP)?;
        Some((self.udp.find(local, remote)?, remote))
    }
}

/// Our socket and the peer's of a quoted packet of this protocol.
fn sockets(quoted: &Quoted<'_>, protocol: u8) -> Option<(SocketAddr, SocketAddr)> {
    let (local, remote) = quoted.ports().filter(|_| quoted.protocol == protocol)?;
    Some((SocketAddr::new(quoted.src, local), SocketAddr::new(quoted.dst, remote)))
}

/// How long the quoted packet was, by its own header; 0 if that cannot be read.
fn packet_len(quoted: &[u8]) -> u16 {
    let v4 = Ipv4View::parse_truncated(quoted).map(|view| view.total_len());
    let v6 = || Ipv6View::parse_truncated(quoted).map(|view| view.payload_len());
    v4.or_else(|_| v6().map(|len| len.saturating_add(Ipv6::HEADER_LEN as u16))).unwrap_or(0)
}
