use handclasp_wire::bpf::{self, Seen};

use super::{Cause, PcapFilter, Target};
use crate::capture::link::LinkType;

fn target(live: bool) -> Target {
    Target { link: LinkType::ETHERNET, live, snap_len: 96 }
}

/// A TCP segment over Ethernet from 10.0.0.1:1000 to 10.0.0.2:80 with these flags.
fn frame(flags: u8) -> Vec<u8> {
    let mut bytes = vec![0; 54];
    bytes[12..14].copy_from_slice(&[0x08, 0x00]);
    bytes[14] = 0x45;
    bytes[23] = 6;
    bytes[26..34].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
    bytes[34..38].copy_from_slice(&[0x03, 0xe8, 0, 80]);
    (bytes[46], bytes[47]) = (0x50, flags);
    bytes
}

fn passes(filter: &str, bytes: &[u8]) -> bool {
    let program = PcapFilter::parse(filter).unwrap().compile(&target(false)).unwrap();
    let wanted = bpf::run(&program, &Seen { bytes, len: bytes.len() as u32, ..Seen::default() });
    assert!([0, 96].contains(&wanted));
    wanted > 0
}

#[track_caller]
fn error(filter: &str) -> (&str, String) {
    let error = PcapFilter::parse(filter).unwrap_err();
    (&filter[error.span.clone()], error.to_string())
}

#[test]
fn an_empty_filter_lets_everything_pass() {
    assert!(passes("", &[]) && passes("  ", &frame(2)));
}

#[test]
fn and_and_or_bind_alike_from_left_to_right() {
    let syn = frame(2);
    assert!(!passes("tcp or tcp and udp", &syn));
    assert!(passes("tcp or (tcp and udp)", &syn));
    assert!(passes("udp and tcp or tcp", &syn));
}

#[test]
fn a_lone_value_inherits_the_words_before_the_last_one() {
    let syn = frame(2);
    assert!(passes("port 443 or 80", &syn));
    assert!(!passes("src port 443 or 80", &syn));
    assert!(passes("dst host 1.2.3.4 or 10.0.0.2", &syn));
}

#[test]
fn flags_are_tested_as_everybody_writes_it() {
    for (flags, opens) in [(2, true), (0x12, false), (0x10, false)] {
        let text = "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn";
        assert_eq!(passes(text, &frame(flags)), opens);
        assert_eq!(passes("tcp[13] & 0x12 = 2", &frame(flags)), opens);
        assert_eq!(
            passes("(tcp[tcpflags] & tcp-syn) != 0 and not tcp[13] & 16 != 0", &frame(flags)),
            opens
        );
    }
}

#[test]
fn a_tag_that_the_kernel_took_out_is_asked_for_beside_the_frame() {
    let bytes = frame(2);
    let program = PcapFilter::parse("vlan 7 and tcp").unwrap().compile(&target(true)).unwrap();
    for (tag, wanted) in [(Some(7), 96), (Some(8), 0), (None, 0)] {
        let packet = Seen { bytes: &bytes, len: 54, tag, kind: 0 };
        assert_eq!(bpf::run(&program, &packet), wanted);
    }
}

#[test]
fn direction_is_known_of_live_packets_only() {
    let filter = PcapFilter::parse("tcp and inbound").unwrap();
    let error = filter.compile(&target(false)).unwrap_err();
    assert_eq!((error.span, error.cause), (8..15, Cause::OnlyLive("direction")));
    let program = filter.compile(&target(true)).unwrap();
    let bytes = frame(2);
    let wanted = |kind| bpf::run(&program, &Seen { bytes: &bytes, len: 54, tag: None, kind });
    assert_eq!((wanted(0), wanted(4)), (96, 0));
}

#[test]
fn a_long_filter_jumps_over_more_than_a_byte_can_say() {
    let ports: Vec<String> = (1..=300).map(|port| format!("port {port}")).collect();
    let text = ports.join(" or ");
    let program = PcapFilter::parse(&text).unwrap().compile(&target(false));
    assert_eq!(program.unwrap_err().cause, Cause::TooLong);
    let hosts: Vec<String> = (1..=200).map(|n| format!("ip src host 10.9.0.{n}")).collect();
    let text = format!("{} or ip dst host 10.0.0.2", hosts.join(" or "));
    assert!(passes(&text, &frame(2)));
    assert!(!passes(&format!("not ({text})"), &frame(2)));
}

#[test]
fn an_error_says_where_and_what_to_type() {
    assert_eq!(error("tcp prot 80"), ("prot", "and, or, or the end is expected here".into()));
    assert_eq!(error("hst 10.0.0.1").1, "capture filters have no word hst; is it host?");
    assert_eq!(
        error("host example.org"),
        (
            "example.org",
            "example.org is no address; names are not looked up, type the address".into()
        )
    );
    assert_eq!(error("net 10.0.0.1/8"), ("10.0.0.1/8", "bits behind the mask are set".into()));
    assert_eq!(error("portrange 9-3").0, "9-3");
    assert_eq!(error("tcp[13 & 2 != 0"), ("!=", "\"]\" is expected here".into()));
    assert_eq!(error("(tcp port 80"), ("", "\")\" is expected here".into()));
    assert_eq!(error("tcp[0] / 0 = 1").1, "division by zero");
    assert_eq!(error("80").1, "host, net or port before this is expected here");
}

#[test]
fn nesting_beyond_reason_is_refused() {
    let deep = format!("{}tcp{}", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(PcapFilter::parse(&deep).unwrap_err().cause, Cause::TooDeep);
    assert!(PcapFilter::parse(&"not ".repeat(5000)).is_err());
}

#[test]
fn no_text_panics() {
    let pieces = [
        "tcp", "[", "13", "]", ":", "&", "(", ")", "not", "and", "port", "80", "src", "or", "dst",
        "net", "10/8", "mask", "-", "::1", "é", "vlan", "len", "<", "ether", "proto", "1-2", "\0",
    ];
    let mut random = 7_u32;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(pieces[(random >> 16) as usize % pieces.len()]);
            text.push_str(if random & 0x800 == 0 { " " } else { "" });
        }
        if let Ok(filter) = PcapFilter::parse(&text)
            && let Ok(program) = filter.compile(&target(false))
        {
            let _ = bpf::run(&program, &Seen { bytes: &frame(2), len: 54, ..Seen::default() });
        }
    }
}
