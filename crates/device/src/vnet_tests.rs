use bytes::Bytes;
use handclasp_wire::frame::{Medium, Outbound, PartialChecksum, RxChecksum};
use smallvec::{SmallVec, smallvec};

use super::{Gso, Header, LEN};

/// The headers of a TCP segment over IP `version`, zero but for what a vnet header looks at.
fn tcp(version: u8, flags: u8, payload: usize) -> Outbound {
    let ip_len: u16 = if version == 4 { 20 } else { 40 };
    let mut header: SmallVec<[u8; 128]> = smallvec![0; usize::from(ip_len) + 20];
    header[0] = version << 4;
    header[usize::from(ip_len) + 13] = flags;
    Outbound {
        header,
        payload: smallvec![Bytes::from(vec![0; payload])],
        checksum: Some(PartialChecksum { start: ip_len, offset: 16 }),
        segment_size: None,
    }
}

#[test]
fn what_is_emitted_is_parsed_back() {
    for gso in [Gso::None, Gso::TcpV4, Gso::TcpV6, Gso::Udp, Gso::Other(3)] {
        let header = Header {
            needs_checksum: true,
            checksum_valid: false,
            gso,
            ecn: gso == Gso::TcpV6,
            header_len: 0x0102,
            gso_size: 1448,
            csum_start: 34,
            csum_offset: 16,
        };
        assert_eq!(Header::parse(header.emit()), header);
    }
}

#[test]
fn any_ten_bytes_are_a_header() {
    for byte in 0..=255 {
        let _ = Header::parse([byte; LEN]);
    }
}

#[test]
fn a_complete_packet_has_a_header_of_zeros() {
    let packet = Outbound { checksum: None, ..tcp(4, 0, 10) };
    let header = Header::for_packet(&packet, Medium::Ip).expect("a header");
    assert_eq!(header.emit(), [0; LEN]);
}

#[test]
fn a_large_segment_says_its_family_its_size_and_where_its_payload_begins() {
    for (version, gso, headers) in [(4, Gso::TcpV4, 40), (6, Gso::TcpV6, 60)] {
        let packet = Outbound { segment_size: Some(1000), ..tcp(version, 0x10, 5000) };
        let header = Header::for_packet(&packet, Medium::Ip).expect("a header");
        assert_eq!((header.gso, header.gso_size), (gso, 1000));
        assert_eq!(header.header_len, headers);
        assert!(header.needs_checksum && !header.ecn);
    }
}

#[test]
fn a_segment_that_fits_in_one_piece_is_not_called_large() {
    let packet = Outbound { segment_size: Some(1000), ..tcp(4, 0x10, 1000) };
    let header = Header::for_packet(&packet, Medium::Ip).expect("a header");
    assert_eq!(header.gso, Gso::None);
    assert!(header.needs_checksum);
}

#[test]
fn a_large_segment_with_cwr_says_so() {
    let packet = Outbound { segment_size: Some(1000), ..tcp(4, 0x90, 5000) };
    assert!(Header::for_packet(&packet, Medium::Ip).expect("a header").ecn);
}

#[test]
fn the_family_is_found_behind_a_vlan_tag() {
    let mut packet = Outbound { segment_size: Some(1000), ..tcp(6, 0x10, 5000) };
    let mut tagged: SmallVec<[u8; 128]> = smallvec![0; 12];
    tagged.extend_from_slice(&[0x81, 0x00, 0x00, 0x05, 0x86, 0xdd]);
    tagged.extend_from_slice(&packet.header);
    packet.header = tagged;
    packet.checksum = Some(PartialChecksum { start: 18 + 40, offset: 16 });
    let header = Header::for_packet(&packet, Medium::Ethernet).expect("a header");
    assert_eq!(header.gso, Gso::TcpV6);
}

#[test]
fn a_large_packet_with_a_finished_checksum_has_no_header() {
    let packet = Outbound { checksum: None, segment_size: Some(1000), ..tcp(4, 0x10, 5000) };
    assert_eq!(Header::for_packet(&packet, Medium::Ip), None);
}

#[test]
fn an_unfinished_checksum_and_a_verified_one_are_both_trusted() {
    for (needs_checksum, checksum_valid) in [(true, false), (false, true)] {
        let header = Header { needs_checksum, checksum_valid, ..Header::PLAIN };
        assert_eq!(header.annotate(Bytes::new()).checksum, RxChecksum::Trusted);
    }
    assert_eq!(Header::PLAIN.annotate(Bytes::new()).checksum, RxChecksum::Unknown);
}

#[test]
fn a_coalesced_packet_keeps_the_size_of_its_segments() {
    let header = Header { gso: Gso::TcpV4, gso_size: 1448, ..Header::PLAIN };
    assert_eq!(header.annotate(Bytes::new()).segment_size, Some(1448));
}
