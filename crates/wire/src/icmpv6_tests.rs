use std::vec::Vec;

use super::*;

fn addresses() -> (Ipv6Addr, Ipv6Addr) {
    ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap())
}

#[test]
fn every_message_comes_back_as_it_was_emitted_and_verifies() {
    let (src, dst) = addresses();
    let echo = Echo { identifier: 0x1234, sequence: 7, data: b"abc" };
    let quoted = b"the packet";
    for message in [
        Icmpv6::Unreachable { code: unreachable::PORT, quoted },
        Icmpv6::PacketTooBig { mtu: 1280, quoted },
        Icmpv6::TimeExceeded { code: 1, quoted },
        Icmpv6::ParameterProblem { code: 1, pointer: 0x0102_0304, quoted },
        Icmpv6::EchoRequest(echo),
        Icmpv6::EchoReply(echo),
        Icmpv6::Other(Message { kind: 135, code: 0, rest: [0; 4], body: &[1; 16] }),
    ] {
        let mut bytes = Vec::new();
        message.emit(src, dst, &mut bytes);
        assert_eq!(bytes.len(), message.emitted_len());
        let view = Icmpv6View::parse(&bytes).unwrap();
        assert_eq!(view.to_repr(), message);
        assert!(view.checksum_ok(src, dst));
    }
}

#[test]
fn the_checksum_covers_the_addresses() {
    let (src, dst) = addresses();
    let mut bytes = Vec::new();
    Icmpv6::PacketTooBig { mtu: 1280, quoted: &[] }.emit(src, dst, &mut bytes);
    assert!(!Icmpv6View::parse(&bytes).unwrap().checksum_ok(src, src));
}

#[test]
fn types_up_to_127_are_errors() {
    let unknown = |kind| Icmpv6::Other(Message { kind, code: 0, rest: [0; 4], body: &[] });
    assert!(unknown(127).is_error());
    assert!(!unknown(128).is_error());
}
