use handclasp_wire::tcp::{Flags, TcpOption};

use super::*;
use crate::field::{Family, Field, Layer};
use crate::template::{Payload, Setting, Template};

fn read(text: &str) -> Template {
    text.parse().unwrap_or_else(|error: SpecError| panic!("{}", error.under(text)))
}

fn fault(text: &str) -> String {
    text.parse::<Template>().unwrap_err().under(text)
}

fn pair_fault(name: &str, value: &str) -> String {
    Pair::read(name, value).unwrap_err().under(&format!("{name} {value}"))
}

fn flags(text: &str) -> Flags {
    let Ok(Pair::Field(_, Setting::Given(flags), _)) = Pair::read("flags", text) else { panic!() };
    Flags::from_bits_truncate(flags as u16)
}

fn syn() -> Template {
    Template::between("10.0.0.1:443".parse().unwrap(), "10.0.0.2:80".parse().unwrap())
        .with(Field::Flags, Flags::SYN)
        .with(Field::Seq, 1u32)
        .with(Field::Window, 64_240u16)
        .with_options(&[TcpOption::Mss(1460), TcpOption::SackPermitted])
}

#[test]
fn a_line_of_tcpdump_is_read() {
    let line = "IP 10.0.0.1.443 > 10.0.0.2.80: Flags [S], seq 1, win 64240, \
                options [mss 1460,sackOK], length 0";
    let expected = Template { payload: Some(Payload::Len(0)), ..syn() };
    assert_eq!(read(line), expected);
    assert_eq!(read(&format!("12:00:00.000001 eth0  Out {line}")), expected);
}

#[test]
fn what_tcpdump_tells_of_the_payload_is_left_out() {
    let read = read(
        "IP6 fd00::1.1 > fd00::2.80: Flags [P.], seq 5:23, ack 7, win 8192, length 18: \
         HTTP: GET / HTTP/1.0",
    );
    assert_eq!((read.given(Field::Seq), &read.payload), (Some(5), &Some(Payload::Len(18))));
    assert_eq!(
        (read.given(Field::DstPort), read.given(Field::Dst)),
        (Some(80), Some(0xfd00 << 112 | 2))
    );
}

#[test]
fn what_tcpdump_tells_of_the_ip_header_is_read() {
    let read = read(
        "IP (tos 0xb9, ttl 63, id 8802, offset 16, flags [DF], proto TCP (6), length 44)\n    \
         10.0.0.1.1 > 10.0.0.2.2: Flags [S], cksum 0x48d7 (incorrect -> 0x1234), seq 0, length 0",
    );
    let given = |field| read.given(field).unwrap();
    assert_eq!((given(Field::Dscp), given(Field::Ecn), given(Field::Ttl)), (46, 1, 63));
    assert_eq!((given(Field::Identification), given(Field::FragmentOffset)), (8802, 2));
    assert_eq!((given(Field::DontFragment), given(Field::MoreFragments)), (1, 0));
    assert_eq!((given(Field::Protocol), given(Field::TotalLen)), (6, 44));
    assert_eq!((given(Field::Checksum), given(Field::Seq)), (0x48d7, 0));
}

#[test]
fn what_tcpdump_tells_of_the_version_6_header_is_read() {
    let read = read(
        "IP6 (class 0x02, flowlabel 0x12345, hlim 64, next-header TCP (6) payload length: 38) \
         fd00::1.1 > fd00::2.80: Flags [.], ack 0, win 8192, length 18",
    );
    let given = |field| read.given(field).unwrap();
    assert_eq!((given(Field::Ecn), given(Field::FlowLabel), given(Field::Ttl)), (2, 0x12345, 64));
    assert_eq!((given(Field::Protocol), given(Field::PayloadLen)), (6, 38));
}

#[test]
fn a_line_of_the_segment_notation_is_read() {
    let read = read("10.0.0.1:443 > 10.0.0.2:80 [S] seq 1 win 64240 <mss 1460, sackOK>");
    assert_eq!(read, syn());
}

#[test]
fn a_template_prints_in_the_order_of_the_notation() {
    let template = syn().with(Field::Ttl, 128u8).with(Field::Ack, Setting::Auto(1));
    let template = template.with_payload(*b"a\"\n").with(Field::VlanId, 5u8);
    assert_eq!(
        template.to_string(),
        "10.0.0.1:443 > 10.0.0.2:80 [S] seq 1 ack auto+1 win 64240 <mss 1460, sackOK> \
         data \"a\\\"\\n\" vlan 5 ttl 128"
    );
}

#[test]
fn flags_are_read_in_the_letters_of_all_tools() {
    for text in ["S.", "SA", ".S", "syn,ack", "SYN|ACK", "syn+ack", "0x12", "18"] {
        assert_eq!(flags(text), Flags::SYN | Flags::ACK, "{text}");
    }
    assert_eq!(flags("FSRPAUECN"), Flags::all());
    assert_eq!(flags("none"), Flags::empty());
}

#[test]
fn a_pair_may_set_two_fields() {
    let mut template = Template::default();
    for (name, value) in [("src", "192.168.59.131:443"), ("tos", "0xb8")] {
        Pair::read(name, value).unwrap().apply(&mut template).unwrap();
    }
    assert_eq!(
        (template.given(Field::SrcPort), template.given(Field::Dscp)),
        (Some(443), Some(46))
    );
    assert_eq!(template.family, Some(Family::V4));
}

#[test]
fn payload_is_text_or_hex() {
    let bytes = |name, value| match Pair::read(name, value) {
        Ok(Pair::Payload(Payload::Bytes(bytes))) => bytes,
        other => panic!("{other:?}"),
    };
    assert_eq!(bytes("data", "hello, how are you ?"), b"hello, how are you ?");
    assert_eq!(bytes("data", r"GET /\r\n\x00é"), "GET /\r\n\0é".as_bytes());
    assert_eq!(bytes("data-hex", "68 65:6c6C"), b"hell");
    assert_eq!(bytes("data-hex", "0x6865"), b"he");
}

#[test]
fn a_fault_is_marked_under_its_place() {
    assert_eq!(fault("[SX] seq 0"), "[SX] seq 0\n  ^ there is no such flag");
    assert_eq!(fault("[s]"), "[s]\n ^ there is no such flag; did you mean `S`?");
    assert_eq!(
        fault("[S] <mss 1460, wscael 8>"),
        "[S] <mss 1460, wscael 8>\n               \
         ^^^^^^ there is no such option; did you mean `wscale`?"
    );
    assert_eq!(
        fault("[S]  windwo 5"),
        "[S]  windwo 5\n     ^^^^^^ there is no such field; did you mean `window`?"
    );
    assert_eq!(fault("ttl   256"), "ttl   256\n      ^^^ the number is above 255");
    assert_eq!(
        fault("IP6 10.0.0.1:1 > 10.0.0.2:2"),
        "IP6 10.0.0.1:1 > 10.0.0.2:2\n    ^^^^^^^^^^ this contradicts that it is IPv6"
    );
    assert_eq!(fault("[S"), "[S\n  ^ expected a closing bracket");
    assert_eq!(fault("seq 9:5"), "seq 9:5\n      ^ expected a number up to 65535 behind the first");
    assert_eq!(fault("options mss"), "options mss\n        ^ expected an opening bracket");
    assert_eq!(fault("data \"a"), "data \"a\n       ^ expected a closing \"");
}

#[test]
fn a_fault_of_a_pair_is_marked_in_name_and_value() {
    assert_eq!(
        pair_fault("windwo", "5"),
        "windwo 5\n^^^^^^ there is no such field; did you mean `window`?"
    );
    assert_eq!(
        pair_fault("window", "65536"),
        "window 65536\n       ^^^^^ the number is above 65535"
    );
    assert_eq!(pair_fault("tos", "x"), "tos x\n    ^ expected a number");
    assert_eq!(pair_fault("seq", "0xg"), "seq 0xg\n    ^^^ expected a number");
    assert_eq!(pair_fault("flags", "SQ"), "flags SQ\n       ^ there is no such flag");
    assert_eq!(
        pair_fault("flags", "syn,akc"),
        "flags syn,akc\n          ^ there is no such flag; did you mean `ack`?"
    );
    assert_eq!(
        pair_fault("dst", "10.0.0.1:http"),
        "dst 10.0.0.1:http\n             ^^^^ expected a port's number, 0 to 65535"
    );
    assert_eq!(
        pair_fault("dst", "10.0.0.256"),
        "dst 10.0.0.256\n    ^^^^^^^^^^ expected an IP address"
    );
    assert_eq!(
        pair_fault("data-hex", "0aé"),
        "data-hex 0aé\n           ^ expected pairs of hex digits"
    );
    assert_eq!(
        pair_fault("layers", "eht"),
        "layers eht\n       ^^^ there is no such header; did you mean `eth`?"
    );
}

#[test]
fn two_versions_of_ip_contradict_each_other() {
    let mut template = read("10.0.0.1:1 > 10.0.0.2:2");
    let pair = Pair::read("flow-label", "1").unwrap();
    assert_eq!(pair.apply(&mut template), Err(Problem::Contradicts("that it is IPv4")));
}

#[test]
fn headers_are_those_of_the_fields_unless_they_are_told() {
    assert!(read("vlan 5").layers.contains(&Layer::Vlan));
    assert_eq!(read("[S] layers tcp").to_string(), "[S] layers tcp");
    assert!(read("layers none").layers.is_empty());
}

#[test]
fn the_nearest_name_is_near_enough_to_have_been_meant() {
    assert_eq!(nearest("windw", ["win", "window"]), Some("window"));
    assert_eq!(nearest("TTL", ["ttl"]), Some("ttl"));
    assert_eq!(nearest("bogus", ["ttl", "seq"]), None);
}

#[test]
fn the_segment_of_a_ladders_row_is_read() {
    let syn = "      0  SYN-SENT     ──▶ [S]   seq 0 win 64240 mss 1460 ws 7    SYN-RECEIVED •";
    assert_eq!(read(syn).to_string(), "[S] seq 0 win 64240 <mss 1460, wscale 7>");
    let third = "   93  ESTABLISHED  ──▶ [.]   seq 1 ack 1 win 65408 (511<<7)      ESTABLISHED ~";
    assert_eq!(read(third).to_string(), "[.] seq 1 ack 1 win 511");
    let get = "  205  ESTABLISHED  ◀── [P.]  seq 1 ack 1 len 54 \"GET / HTTP/1.1\" ESTABLISHED •";
    assert_eq!(read(get).to_string(), "[P.] seq 1 ack 1 len 54");
    let sack = "5 ESTABLISHED ──✗ [.U] seq 1 ack 9 sack 20-30 urg FIN-WAIT-1 •";
    assert_eq!(read(sack).to_string(), "[.U] seq 1 ack 9 <sack 1 {20:30}>");
}

#[test]
fn text_in_quotes_is_the_payload() {
    assert_eq!(read("[P.] \"hi\"").to_string(), "[P.] data \"hi\"");
    assert_eq!(read("[P.] len 2 \"hi\"").to_string(), "[P.] data \"hi\"");
    assert_eq!(fault("mss x"), "mss x\n    ^ expected a number that fits");
}

#[test]
fn what_tcpdump_tells_of_the_link_is_read() {
    let read = read(
        "05:12:11.253802 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q-QinQ (0x88a8), \
         length 66: vlan 5, p 3, DEI, ethertype 802.1Q, vlan 6, p 0, ethertype IPv4 (0x0800), \
         10.0.0.1.5 > 10.0.0.2.80: Flags [S], seq 7, win 9, length 0",
    );
    assert_eq!(
        read.to_string(),
        "10.0.0.1:5 > 10.0.0.2:80 [S] seq 7 win 9 len 0 eth-dst 02:00:00:00:00:02 \
         eth-src 02:00:00:00:00:01 vlan-priority 3 vlan-dei 1 vlan 5 vlan2-priority 0 vlan2 6"
    );
}

#[test]
fn what_tcpdump_tells_of_the_link_and_the_ip_header_is_read() {
    let read = read(
        "02:00:00:00:00:01 (oui Unknown) > 02:00:00:00:00:02 (oui Unknown), ethertype IPv4 \
         (0x0800), length 58: (tos 0x0, ttl 63, id 1, offset 0, flags [none], proto TCP (6), \
         length 44)    10.0.0.1.5 > 10.0.0.2.80: Flags [S], seq 7, length 0",
    );
    let given = |field| read.given(field).unwrap();
    assert_eq!((given(Field::EthSrc), given(Field::EthDst)), (0x0200_0000_0001, 0x0200_0000_0002));
    assert_eq!((given(Field::Ttl), given(Field::TotalLen), given(Field::SrcPort)), (63, 44, 5));
}
