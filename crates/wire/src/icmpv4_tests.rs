use std::string::ToString;
use std::vec::Vec;

use super::*;

fn emitted(message: Icmpv4<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.emit(&mut bytes);
    assert_eq!(bytes.len(), message.emitted_len());
    bytes
}

#[test]
fn every_message_comes_back_as_it_was_emitted_and_verifies() {
    let echo = Echo { identifier: 0x1234, sequence: 7, data: b"abc" };
    let quoted = b"the packet";
    let other = Message { kind: 13, code: 1, rest: [1, 2, 3, 4], body: b"odd" };
    for message in [
        Icmpv4::EchoRequest(echo),
        Icmpv4::EchoReply(echo),
        Icmpv4::Unreachable { code: unreachable::PORT, next_hop_mtu: 0, quoted },
        Icmpv4::SourceQuench { quoted },
        Icmpv4::TimeExceeded { code: 1, quoted },
        Icmpv4::ParameterProblem { code: 0, pointer: 20, quoted },
        Icmpv4::Other(other),
    ] {
        let bytes = emitted(message);
        let view = Icmpv4View::parse(&bytes).unwrap();
        assert_eq!(view.to_repr(), message);
        assert!(view.checksum_ok());
    }
}

#[test]
fn fragmentation_needed_tells_the_next_hops_mtu() {
    let code = unreachable::FRAGMENTATION_NEEDED;
    let bytes = emitted(Icmpv4::Unreachable { code, next_hop_mtu: 1400, quoted: &[] });
    assert_eq!(bytes[..2], [3, 4]);
    assert_eq!(bytes[4..8], [0, 0, 0x05, 0x78]);
}

#[test]
fn a_message_kept_whole_is_emitted_byte_for_byte() {
    // RFC 4884's length octet, which the meaning passes over.
    let message = Message { kind: 3, code: 1, rest: [0, 32, 0, 0], body: &[9; 128] };
    let bytes = emitted(Icmpv4::Other(message));
    assert_eq!(Icmpv4View::parse(&bytes).unwrap().message(), message);
    assert_eq!(emitted(Icmpv4::Other(Icmpv4View::parse(&bytes).unwrap().message())), bytes);
}

#[test]
fn a_message_of_seven_bytes_is_refused() {
    let error = Icmpv4View::parse(&[8, 0, 0, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(error.to_string(), "ICMP at byte 7: cut short, 7 of 8 bytes");
}

#[test]
fn only_errors_count_as_errors() {
    let echo = Echo { identifier: 0, sequence: 0, data: &[] };
    let redirect = Message { kind: 5, code: 0, rest: [0; 4], body: &[] };
    assert!(!Icmpv4::EchoRequest(echo).is_error());
    assert!(Icmpv4::TimeExceeded { code: 0, quoted: &[] }.is_error());
    assert!(Icmpv4::Other(redirect).is_error());
}
