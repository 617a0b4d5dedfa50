use std::string::ToString;
use std::vec::Vec;

use super::*;

fn header(next_header: u8) -> Ipv6 {
    Ipv6::new("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap(), next_header)
}

fn packet(header: Ipv6, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    header.emit(payload.len(), &mut bytes);
    bytes.extend(payload);
    bytes
}

#[test]
fn every_field_comes_back_as_it_was_emitted() {
    let full = Ipv6 { hop_limit: 3, dscp: 46, ecn: Ecn::Ect1, flow_label: 0xabcde, ..header(17) };
    let bytes = packet(full, b"data");
    let view = Ipv6View::parse(&bytes).unwrap();
    assert_eq!((view.to_repr(), view.payload()), (full, &b"data"[..]));
}

#[test]
fn fields_too_wide_for_the_header_do_not_spill_over() {
    let wide = Ipv6 { dscp: 0xff, flow_label: u32::MAX, ..header(17) };
    let bytes = packet(wide, &[]);
    let view = Ipv6View::parse(&bytes).unwrap();
    assert_eq!((view.dscp(), view.ecn(), view.flow_label()), (0x3f, Ecn::NotEct, 0xf_ffff));
}

#[test]
fn a_packet_shorter_than_its_payload_length_is_refused_but_can_be_quoted() {
    let bytes = packet(header(17), &[7; 100]);
    let error = Ipv6View::parse(&bytes[..50]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "IPv6 at byte 4: payload length of 100 bytes exceeds the 10 that are there"
    );
    let quoted = Ipv6View::parse_truncated(&bytes[..50]).unwrap();
    assert_eq!((quoted.payload().len(), quoted.missing()), (10, 90));
}

#[test]
fn a_chain_of_extension_headers_leads_to_the_payload() {
    let chain = [
        &[protocol::ROUTING, 0, 1, 4, 0, 0, 0, 0][..],
        &[protocol::AH, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[protocol::FRAGMENT, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[protocol::DESTINATION_OPTIONS, 0, 0, 1, 0, 0, 0, 9],
        &[protocol::TCP, 0, 1, 4, 0, 0, 0, 0],
        b"segment",
    ];
    let bytes = packet(header(protocol::HOP_BY_HOP), &chain.concat());
    let view = Ipv6View::parse(&bytes).unwrap();
    let kinds: Vec<_> = view.extensions().map(|e| e.unwrap().kind).collect();
    assert_eq!(kinds, [0, 43, 51, 44, 60]);
    let upper = view.upper().unwrap();
    assert_eq!((upper.protocol, upper.offset), (protocol::TCP, 92));
    assert_eq!(upper.payload, b"segment");
    assert_eq!(upper.fragment.unwrap().identification, 9);
}

#[test]
fn a_later_fragment_is_data_whatever_its_bytes_look_like() {
    let fragment =
        Fragment { next_header: protocol::ROUTING, offset: 1232, more: true, identification: 5 };
    let mut payload = Vec::new();
    fragment.emit(&mut payload);
    payload.extend([6, 0, 0, 0, 0, 0, 0, 0]);
    let bytes = packet(header(protocol::FRAGMENT), &payload);
    let upper = Ipv6View::parse(&bytes).unwrap().upper().unwrap();
    assert_eq!((upper.fragment, upper.protocol), (Some(fragment), protocol::ROUTING));
    assert_eq!(upper.payload.len(), 8);
}

#[test]
fn an_extension_header_running_past_the_packet_is_refused() {
    let bytes = packet(header(protocol::ROUTING), &[6, 2, 0, 0, 0, 0, 0, 0]);
    let error = Ipv6View::parse(&bytes).unwrap().upper().unwrap_err();
    assert_eq!(error.to_string(), "IPv6 extension header at byte 48: cut short, 8 of 24 bytes");
}

#[test]
fn an_endless_chain_of_extension_headers_is_given_up() {
    let bytes = packet(header(0), &[0; 8 * (MAX_EXTENSIONS + 1)]);
    let view = Ipv6View::parse(&bytes).unwrap();
    assert_eq!(view.extensions().count(), MAX_EXTENSIONS + 1);
    let error = view.upper().unwrap_err();
    assert_eq!(
        error.to_string(),
        "IPv6 extension header at byte 104: more than 8 extension headers"
    );
}

#[test]
fn as_many_extension_headers_as_are_walked_through_are_no_error() {
    let mut payload = [0; 8 * MAX_EXTENSIONS];
    payload[8 * (MAX_EXTENSIONS - 1)] = protocol::UDP;
    let bytes = packet(header(0), &payload);
    let upper = Ipv6View::parse(&bytes).unwrap().upper().unwrap();
    assert_eq!((upper.protocol, upper.offset), (protocol::UDP, 40 + 64));
}
