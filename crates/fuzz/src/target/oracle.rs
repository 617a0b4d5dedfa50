//! An independent parser reads the same in the same bytes.

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::tcp::{Flags, TcpView};

/// An IP packet, read by both.
pub(super) fn run(bytes: &[u8]) {
    let Ok(theirs) = SlicedPacket::from_ip(bytes) else { return };
    let Ok(ours) = Packet::parse_ip(bytes) else { return };
    same_net(&ours, theirs.net.as_ref());
    if let (Transport::Tcp(ours), Some(TransportSlice::Tcp(theirs))) =
        (ours.transport, theirs.transport)
    {
        same_tcp(&ours, &theirs);
    }
}

fn same_net(ours: &Packet<'_>, theirs: Option<&NetSlice<'_>>) {
    match (&ours.net, theirs) {
        (Net::Ipv4(ours), Some(NetSlice::Ipv4(theirs))) => {
            let theirs = theirs.header();
            assert_eq!(ours.src(), theirs.source_addr());
            assert_eq!(ours.dst(), theirs.destination_addr());
            assert_eq!(ours.ttl(), theirs.ttl());
            assert_eq!(ours.protocol(), theirs.protocol().0);
        }
        (Net::Ipv6(ours), Some(NetSlice::Ipv6(theirs))) => {
            assert_eq!(ours.src(), theirs.header().source_addr());
            assert_eq!(ours.dst(), theirs.header().destination_addr());
            assert_eq!(ours.hop_limit(), theirs.header().hop_limit());
        }
        (Net::None | Net::Arp(_), _) | (_, None) => {}
        _ => panic!("one reads IPv4, the other IPv6"),
    }
}

fn same_tcp(ours: &TcpView<'_>, theirs: &etherparse::TcpSlice<'_>) {
    assert_eq!(ours.src_port(), theirs.source_port());
    assert_eq!(ours.dst_port(), theirs.destination_port());
    assert_eq!(ours.seq().0, theirs.sequence_number());
    assert_eq!(ours.ack().0, theirs.acknowledgment_number());
    assert_eq!(ours.data_offset(), theirs.data_offset());
    for (flag, set) in [
        (Flags::FIN, theirs.fin()),
        (Flags::SYN, theirs.syn()),
        (Flags::RST, theirs.rst()),
        (Flags::ACK, theirs.ack()),
        (Flags::ECE, theirs.ece()),
        (Flags::CWR, theirs.cwr()),
    ] {
        assert_eq!(ours.flags().contains(flag), set);
    }
    assert_eq!(ours.window(), theirs.window_size());
    assert_eq!(ours.checksum(), theirs.checksum());
    assert_eq!(ours.option_bytes(), theirs.options());
    assert_eq!(ours.payload(), theirs.payload());
}
