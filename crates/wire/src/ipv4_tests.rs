use std::string::ToString;
use std::vec::Vec;

use super::*;

fn header() -> Ipv4<'static> {
    Ipv4::new(Ipv4Addr::new(192, 168, 59, 131), Ipv4Addr::new(192, 168, 59, 135), 6)
}

fn packet(header: Ipv4<'_>, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    header.emit(payload.len(), &mut bytes);
    bytes.extend(payload);
    bytes
}

#[test]
fn the_header_of_a_known_packet_has_its_known_checksum() {
    let known = Ipv4 { identification: 0x2262, ttl: 128, dont_fragment: false, ..header() };
    let bytes = packet(known, &[0; 20]);
    let view = Ipv4View::parse(&bytes).unwrap();
    assert_eq!((view.checksum(), view.total_len()), (0x2013, 40));
    assert!(view.checksum_ok());
}

#[test]
fn every_field_comes_back_as_it_was_emitted() {
    let full = Ipv4 {
        dscp: 46,
        ecn: Ecn::Ce,
        identification: 0xbeef,
        reserved_flag: true,
        dont_fragment: false,
        more_fragments: true,
        fragment_offset: 1480,
        options: &[0x94, 4, 0, 0],
        ..header()
    };
    let bytes = packet(full, b"data");
    let view = Ipv4View::parse(&bytes).unwrap();
    assert_eq!(view.to_repr(), full);
    assert_eq!((view.header_len(), view.payload()), (24, &b"data"[..]));
    assert!(view.is_fragment() && view.checksum_ok());
}

#[test]
fn options_are_padded_to_whole_words() {
    let bytes = packet(Ipv4 { options: &[1, 1, 1, 1, 1], ..header() }, &[]);
    assert_eq!(Ipv4View::parse(&bytes).unwrap().options(), [1, 1, 1, 1, 1, 0, 0, 0]);
}

#[test]
fn more_options_than_a_header_holds_are_cut() {
    let bytes = packet(Ipv4 { options: &[1; 50], ..header() }, &[]);
    assert_eq!(Ipv4View::parse(&bytes).unwrap().options(), [1; 40]);
}

#[test]
fn padding_behind_the_total_length_is_not_payload() {
    let mut bytes = packet(header(), b"x");
    bytes.extend([0; 25]);
    assert_eq!(Ipv4View::parse(&bytes).unwrap().payload(), b"x");
}

#[test]
fn a_packet_shorter_than_its_total_length_is_refused_but_can_be_quoted() {
    let bytes = packet(header(), &[7; 100]);
    let cut = &bytes[..28];
    let error = Ipv4View::parse(cut).unwrap_err();
    assert_eq!(
        error.to_string(),
        "IPv4 at byte 2: total length of 120 bytes exceeds the 28 that are there"
    );
    let quoted = Ipv4View::parse_truncated(cut).unwrap();
    assert_eq!((quoted.payload(), quoted.missing()), (&[7; 8][..], 92));
}

#[test]
fn a_total_length_below_the_header_is_refused() {
    let mut bytes = packet(header(), &[]);
    bytes[3] = 19;
    let error = Ipv4View::parse(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "IPv4 at byte 2: total length 19 is below the minimum of 20");
}

#[test]
fn a_header_length_below_five_words_is_refused() {
    let mut bytes = packet(header(), &[]);
    bytes[0] = 0x44;
    let error = Ipv4View::parse(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "IPv4 at byte 0: header length 4 is below the minimum of 5");
}

#[test]
fn another_version_is_refused() {
    let mut bytes = packet(header(), &[]);
    bytes[0] = 0x65;
    let error = Ipv4View::parse(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "IPv4 at byte 0: version is 6, not 4");
}

#[test]
fn a_changed_byte_spoils_the_checksum() {
    let mut bytes = packet(header(), &[]);
    bytes[8] ^= 1;
    assert!(!Ipv4View::parse(&bytes).unwrap().checksum_ok());
}
