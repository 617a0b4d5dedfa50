use handclasp_wire::seq::SeqNumber;
use rand_pcg::Pcg32;

use super::*;
use crate::template::Template;

/// A capture of six segments from the TCP header on: a handshake and a closing.
const SEGMENTS: &str = "\
e1bc01bb01fae4a0000000008002faf0752e0000020405b40103030801010402
01bbe1bca114d4f901fae4a18012200099ed0000020405a00103030501010402
e1bc01bb01fae4a1a114d4fa5010020575220000
01bbe1bca114dfe901fafc98501105ccd1f60000
e1bc01bb01fafc98a114dfea5010020275220000
e1bc01bb01fafc98a114dfea5011020275220000
";

fn segments() -> Vec<Decoded> {
    let packets = read_bytes(SEGMENTS.as_bytes()).unwrap();
    packets.iter().map(|packet| decode(packet, guess(packet).unwrap())).collect()
}

fn built(text: &str) -> Vec<u8> {
    text.parse::<Template>().unwrap().build(&mut Pcg32::new(1, 1))
}

fn decoded(text: &str) -> Decoded {
    decode(&built(text), Start::Ip)
}

fn told(decoded: &Decoded) -> Vec<String> {
    decoded.findings.iter().map(Finding::to_string).collect()
}

fn item<'d>(decoded: &'d Decoded, name: &str) -> &'d Item {
    decoded.items.iter().find(|item| item.name == name).unwrap()
}

#[test]
fn every_field_of_a_syn_is_taken_apart() {
    let syn = &segments()[0];
    let lines: Vec<_> = syn.items.iter().map(Item::to_string).collect();
    assert_eq!(
        lines,
        [
            "  0-1     0xe1bc       sport           57788",
            "  2-3     0x01bb       dport           443",
            "  4-7     0x01fae4a0   seq             33219744",
            "  8-11    0x00000000   ack             0 · without meaning, as ACK is not set",
            "  12      0x8          data-offset     8 · 32 bytes",
            "  12      0x0          reserved        0",
            "  12-13   0x002        flags           S · SYN",
            "  14-15   0xfaf0       win             64240 · 64240 bytes: the window of a SYN is \
             not scaled",
            "  16-17   0x752e       cksum           · cannot be verified without the \
             addresses",
            "  18-19   0x0000       urg             0 · without meaning, as URG is not set",
            "  20-23   0x020405b4   mss             1460 · segments with up to 1460 bytes of \
             data are welcome",
            "  24      0x01         nop             · a byte of alignment",
            "  25-27   0x030308     wscale          8 · windows count in units of 256 bytes",
            "  28      0x01         nop             · a byte of alignment",
            "  29      0x01         nop             · a byte of alignment",
            "  30-31   0x0402       sackOK          · selective acknowledgments are welcome",
        ]
    );
}

#[test]
fn the_bits_of_a_field_are_told() {
    let syn = &segments()[0];
    assert_eq!(item(syn, "data-offset").bits, Some(0..4));
    assert_eq!(item(syn, "reserved").bits, Some(4..7));
    assert_eq!(
        (item(syn, "flags").bits.clone(), item(syn, "win").bits.clone()),
        (Some(7..16), None)
    );
}

#[test]
fn the_scale_of_the_handshake_carries_over() {
    let [flow] = &read_together(&segments())[..] else { panic!() };
    let windows: Vec<_> = flow.segments.iter().map(|segment| segment.window).collect();
    assert_eq!(windows, [64_240, 8192, 132_352, 47_488, 131_584, 131_584].map(Window::Bytes));
}

#[test]
fn numbers_count_from_both_syns() {
    let [flow] = &read_together(&segments())[..] else { panic!() };
    let numbers: Vec<_> = flow.segments.iter().map(|s| (s.seq, s.ack)).collect();
    let client_sent = 33_225_880 - 33_219_744;
    assert_eq!(
        numbers,
        [
            (0, None),
            (0, Some(1)),
            (1, Some(1)),
            (2800, Some(client_sent)),
            (client_sent, Some(2801)),
            (client_sent, Some(2801)),
        ]
    );
    assert!(flow.client_known && flow.ends[0].port == 57_788);
    assert_eq!(flow.isns[1], Some(Isn { number: SeqNumber(2_702_497_017), certain: true }));
}

#[test]
fn unfinished_sums_of_one_side_tell_the_sum_of_both_addresses() {
    let [flow] = &read_together(&segments())[..] else { panic!() };
    assert_eq!(flow.address_sum, Some(0x7508));
    for segment in &flow.segments {
        match segment.from {
            Side::A => assert!(matches!(segment.checksum, Checksum::Unfinished { .. })),
            Side::B => assert_eq!(segment.checksum, Checksum::Right),
        }
    }
    let text = flow.to_string();
    assert!(text.contains("the client's checksums are unfinished"), "{text}");
    assert!(text.contains("the server's checksums verify"), "{text}");
}

#[test]
fn a_single_segment_tells_nothing_of_its_addresses() {
    let [flow] = &read_together(&segments()[..1])[..] else { panic!() };
    assert_eq!(flow.address_sum, None);
    assert_eq!(flow.segments[0].checksum, Checksum::Unknown(Doubt::NoAddresses));
}

#[test]
fn a_segment_seen_twice_tells_no_more_than_once() {
    let twice = [segments().remove(0), segments().remove(0)];
    assert_eq!(read_together(&twice)[0].address_sum, None);
}

#[test]
fn one_wrong_sum_among_others_is_told_with_the_right_one() {
    let mut packets = segments();
    packets[3].bytes[16] ^= 1;
    let packets: Vec<_> = packets.iter().map(|p| decode(&p.bytes, Start::Tcp)).collect();
    let [flow] = &read_together(&packets)[..] else { panic!() };
    assert_eq!(flow.segments[3].checksum, Checksum::Wrong { right: 0xd1f6 });
}

#[test]
fn without_a_handshake_the_window_is_a_lower_bound() {
    let [flow] = &read_together(&segments()[2..])[..] else { panic!() };
    assert_eq!(flow.segments[0].window, Window::AtLeast(517));
    assert!(!flow.client_known && !flow.isns[0].unwrap().certain);
    assert_eq!((flow.segments[0].seq, flow.segments[0].ack), (1, Some(1)));
}

#[test]
fn a_new_syn_between_the_same_ends_begins_a_new_conversation() {
    let packets = ["[S] seq 5", "[S.] seq 9 ack 6", "[S] seq 5", "[S] seq 7"];
    let ends = ["1.1.1.1:1 > 2.2.2.2:2", "2.2.2.2:2 > 1.1.1.1:1"];
    let line = |i| format!("{} {}", ends[usize::from(i == 1)], packets[i]);
    let packets = [0, 1, 2, 3].map(|i| decoded(&line(i)));
    let flows = read_together(&packets);
    let counts: Vec<_> = flows.iter().map(|flow| flow.segments.len()).collect();
    assert_eq!(counts, [3, 1]);
}

#[test]
fn a_wrong_checksum_is_told_with_the_right_one() {
    let misprint = decoded(
        "192.168.59.135:8081 > 192.168.59.131:443 [S.] seq 2889139285 ack 49510 win 1500 \
         ip-id 0x37e2 ttl 128 ip-cksum 0x110e cksum auto+1",
    );
    assert_eq!(
        told(&misprint),
        [
            "the IP checksum is 0x110e, it should be 0x0a93",
            "the TCP checksum is 0x5e5f, it should be 0x5e5e"
        ]
    );
}

#[test]
fn an_unfinished_checksum_is_recognised() {
    let bytes = built("10.0.0.1:1 > 10.0.0.2:2 [S] seq 1 <mss 1460>");
    let right = u16::from_be_bytes([bytes[36], bytes[37]]);
    // 0a00 + 0001 + 0a00 + 0002 + 6 + 24
    let unfinished = decoded("10.0.0.1:1 > 10.0.0.2:2 [S] seq 1 <mss 1460> cksum 0x1421");
    assert_eq!(unfinished.checksum, Some(Checksum::Unfinished { right }));
}

#[test]
fn a_packet_cut_short_is_read_as_far_as_it_goes() {
    let bytes = built("10.0.0.1:1 > 10.0.0.2:2 [S] seq 1 win 9");
    let cut = decode(&bytes[..35], Start::Ip);
    assert_eq!(item(&cut, "flags").value, Value::Text("S".to_owned()));
    assert_eq!(item(&decode(&bytes[..32], Start::Ip), "ack").meaning, "");
    assert_eq!(
        (item(&cut, "cut short").bytes.clone(), cut.items.last().unwrap().name.as_str()),
        (34..35, "cut short")
    );
    assert_eq!(
        told(&cut),
        [
            "IPv4 at byte 2: total length of 40 bytes exceeds the 35 that are there",
            "TCP at byte 35: cut short, 15 of 20 bytes"
        ]
    );
}

#[test]
fn an_impossible_header_is_read_as_far_as_it_goes() {
    let lying = decoded("10.0.0.1:1 > 10.0.0.2:2 [S] data-offset 3 data \"hello\"");
    let [first, ..] = &told(&lying)[..] else { panic!() };
    assert_eq!(first, "TCP at byte 32: data offset 3 is below the minimum of 5");
    assert_eq!(item(&lying, "data").value, Value::Text("hello".to_owned()));
}

#[test]
fn what_does_not_go_together_is_told() {
    let strange =
        decoded("10.0.0.1:1 > 10.0.0.2:2 [SF] ack 5 urg 6 reserved 1 <wscale 15, bad 02>");
    assert_eq!(
        told(&strange),
        [
            "reserved is not zero",
            "ack is not zero, but flag . is not set",
            "urg is not zero, but flag U is not set",
            "flags FS do not go together",
            "the window scale is 15; 14 is the most, and what is used",
            "TCP at byte 44: cut short, 1 of 2 bytes",
        ]
    );
    assert_eq!(told(&decoded("[.] <mss 5>")), ["mss stands on a segment without SYN"]);
}

#[test]
fn a_packet_that_is_as_it_should_be_has_no_findings() {
    let fine = decoded("[P.] ack 1 data \"hello\" vlan 5");
    let fine = decode(&fine.bytes, Start::Ethernet);
    assert_eq!((told(&fine), fine.checksum), (vec![], Some(Checksum::Right)));
}

#[test]
fn the_items_together_are_all_bytes() {
    let bytes = built(
        "IP6 [S] <mss 1460> ip-options 0x0600000000000000 proto 0 trailer 0x00 data \"x\" vlan 5",
    );
    let decoded = decode(&bytes, Start::Ethernet);
    let mut end = 0;
    for item in &decoded.items {
        assert!(item.bytes.start <= end && item.bytes.end >= end, "{item:?}");
        end = item.bytes.end;
    }
    assert_eq!(end, bytes.len());
}

#[test]
fn json_tells_place_value_and_meaning() {
    let bytes = built("10.0.0.1:1 > 10.0.0.2:2 [S] seq 1 cksum 0 ip-id 0");
    let json: serde_json::Value = serde_json::from_str(&decode(&bytes, Start::Ip).json()).unwrap();
    let fields = json["fields"].as_array().unwrap();
    let flags = fields.iter().find(|field| field["key"] == "tcp.flags").unwrap();
    let expected = serde_json::json!({
        "layer": "tcp", "name": "flags", "key": "tcp.flags", "bytes": [32, 34], "bits": [7, 16],
        "raw": "0x002", "value": "S", "meaning": "SYN",
    });
    assert_eq!(*flags, expected);
    assert_eq!(json["findings"][0]["bytes"], serde_json::json!([36, 38]));
}

#[test]
fn what_cannot_be_known_is_told() {
    let unknown = |decoded: &Decoded| decoded.unknown.clone();
    let segments = segments();
    assert_eq!(unknown(&segments[0]), [Unknown::Checksum]);
    assert_eq!(unknown(&segments[2]), [Unknown::Checksum, Unknown::Scale, Unknown::Stream]);
    let whole = decoded("10.0.0.1:1 > 10.0.0.2:2 [R] seq 1");
    assert_eq!(unknown(&whole), [Unknown::Stream]);
    let cut = decode(&whole.bytes[..39], Start::Ip);
    assert!(unknown(&cut).contains(&Unknown::Missing { bytes: 1 }), "{cut}");
    assert_eq!(unknown(&decoded("[S] frag-offset 3")), [Unknown::Fragment]);
    assert_eq!(unknown(&decoded("[S] proto 17")), [Unknown::Protocol(17)]);
}

#[test]
fn packets_tell_together_what_none_tells_alone() {
    let mut packets = segments();
    let flows = read_together(&packets);
    inform(&mut packets, &flows);
    let meaning = |at: usize, name| item(&packets[at], name).meaning.as_str();
    assert_eq!(meaning(2, "win"), "132352 bytes: 517 << 8");
    assert_eq!(meaning(3, "win"), "47488 bytes: 1484 << 5");
    assert_eq!(
        (meaning(2, "seq"), meaning(2, "ack")),
        ("1 counted from the SYN", "1 counted from the SYN")
    );
    assert_eq!(meaning(1, "cksum"), "right");
    assert!(meaning(0, "cksum").starts_with("unfinished"));
    assert!(packets.iter().all(|packet| packet.unknown.is_empty()));
    assert!(told(&packets[0])[0].contains("is unfinished"), "{}", packets[0]);
}

#[test]
fn a_window_of_nothing_is_nothing_at_any_scale() {
    let lines = ["1.1.1.1:1 > 2.2.2.2:2 [S] seq 5 <wscale 7>", "1.1.1.1:1 > 2.2.2.2:2 [.] win 0"];
    let mut packets = lines.map(decoded);
    let flows = read_together(&packets);
    inform(&mut packets, &flows);
    assert!(!packets[1].unknown.contains(&Unknown::Scale));
}

#[test]
fn a_conversation_is_one_json_object() {
    let [flow] = &read_together(&segments())[..] else { panic!() };
    let json: serde_json::Value = serde_json::from_str(&flow.json()).unwrap();
    assert_eq!(
        (&json["segments"][2]["window"], &json["segments"][2]["packet"]),
        (&132_352.into(), &3.into())
    );
    assert_eq!((&json["ends"][0]["port"], &json["address_sum"]), (&57_788.into(), &0x7508.into()));
}
