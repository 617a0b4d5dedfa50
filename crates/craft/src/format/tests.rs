use rand_pcg::Pcg32;

use super::*;
use crate::template::Template;

fn built(text: &str) -> Vec<u8> {
    text.parse::<Template>().unwrap().build(&mut Pcg32::new(1, 1))
}

/// The line of a box that ends in a value, without its edges.
fn cell<'b>(boxes: &'b str, value: &str) -> &'b str {
    boxes.lines().find(|line| line.contains(value)).unwrap_or_else(|| panic!("{value} in {boxes}"))
}

#[test]
fn a_syn_comes_out_as_the_boxes_that_netwox_prints() {
    let bytes = built("10.77.0.1:44001 > 10.77.0.2:80 [S] seq 1000 win 8192 ip-id 0x9f98 ttl 64");
    assert_eq!(
        boxes(&bytes, Start::Ip),
        "\
IP______________________________________________________________.
|version|  ihl  |      tos      |            totlen             |
|___4___|___5___|____0x00=0_____|___________0x0028=40___________|
|              id               |r|D|M|       offsetfrag        |
|_________0x9F98=40856__________|0|0|0|________0x0000=0_________|
|      ttl      |   protocol    |           checksum            |
|____0x40=64____|____0x06=6_____|____________0xC69B_____________|
|                            source                             |
|___________________________10.77.0.1___________________________|
|                          destination                          |
|___________________________10.77.0.2___________________________|
TCP_____________________________________________________________.
|          source port          |       destination port        |
|_________0xABE1=44001__________|___________0x0050=80___________|
|                            seqnum                             |
|________________________0x000003E8=1000________________________|
|                            acknum                             |
|_________________________0x00000000=0__________________________|
| doff  |r|r|r|r|C|E|U|A|P|R|S|F|            window             |
|___5___|0|0|0|0|0|0|0|0|0|0|1|0|__________0x2000=8192__________|
|           checksum            |            urgptr             |
|_________0xCB2C=52012__________|___________0x0000=0____________|
"
    );
}

#[test]
fn options_and_payload_stand_below() {
    let bytes = built("[P.] <mss 1460> data \"GET / HTTP/1.0\\r\\n\\r\\n\"");
    let boxes = boxes(&bytes, Start::Ip);
    let below = boxes.split_once("TCPOPTS").unwrap().1;
    assert_eq!(
        below,
        "_________________________________________________________.
| mss=1460                                                      |
|_______________________________________________________________|
47 45 54 20  2f 20 48 54  54 50 2f 31  2e 30 0d 0a  # GET / HTTP/1.0..
0d 0a                                               # ..
"
    );
}

#[test]
fn a_crafted_syn_has_the_sums_that_were_published() {
    let bytes = built(
        "192.168.59.131:443 > 192.168.59.135:8080 [S] seq 0xA97F8D14 win 1500 ip-id 0x2262 ttl 128",
    );
    let boxes = boxes(&bytes, Start::Ip);
    assert_eq!(
        cell(&boxes, "0x2013"),
        "|___0x80=128____|____0x06=6_____|____________0x2013_____________|"
    );
    assert_eq!(
        cell(&boxes, "2843708692"),
        "|_____________________0xA97F8D14=2843708692_____________________|"
    );
    assert_eq!(
        cell(&boxes, "0x59CC"),
        "|_________0x59CC=22988__________|___________0x0000=0____________|"
    );
}

#[test]
fn a_crafted_syn_ack_has_the_right_sums() {
    let bytes = built(
        "192.168.59.135:8081 > 192.168.59.131:443 [S.] seq 2889139285 ack 49510 win 1500 \
         ip-id 0x37E2 ttl 128",
    );
    let boxes = boxes(&bytes, Start::Ip);
    assert!(boxes.contains("0x0A93") && boxes.contains("0x5E5E"), "{boxes}");
}

#[test]
fn a_crafted_segment_with_data_has_the_sums_that_were_published() {
    let bytes = built(
        "192.168.59.131:443 > 192.168.59.135:8080 [.] seq 1664742198 ack 0x18C9 win 1500 \
         ip-id 0x029B ttl 128 data \"hello, how are you ?\"",
    );
    let boxes = boxes(&bytes, Start::Ip);
    assert!(boxes.contains("0x3FC6") && boxes.contains("0x0A33"), "{boxes}");
    assert!(boxes.contains("0x003C=60") && boxes.contains("0x000018C9=6345"), "{boxes}");
    assert!(boxes.ends_with(
        "68 65 6c 6c  6f 2c 20 68  6f 77 20 61  72 65 20 79  # hello, how are y\n\
         6f 75 20 3f                                         # ou ?\n"
    ));
}

#[test]
fn every_line_of_every_box_is_65_columns_wide() {
    let bytes = built(
        "IP6 [S] <mss 1460, sack 4 {1:2}{3:4}{5:4000000000}{4200000000:7}> vlan 5 vlan2 6 \
         eth-src 02:00:00:00:00:01",
    );
    for line in boxes(&bytes, Start::Ethernet).lines() {
        assert_eq!(line.chars().count(), 65, "{line}");
    }
}

#[test]
fn link_headers_stand_above() {
    let boxes = boxes(&built("[S] vlan 5 vlan-priority 3"), Start::Ethernet);
    assert!(boxes.starts_with(
        "\
Ethernet________________________________________________________.
| 02:00:00:00:00:01->02:00:00:00:00:02 type:0x8100              |
|_______________________________________________________________|
VLAN____________________________________________________________.
| pri |d|          id           |             type              |
|__3__|0|_______0x0005=5________|____________0x0800_____________|
IP______"
    ));
}

#[test]
fn what_is_no_header_is_shown_as_bytes() {
    assert_eq!(boxes(b"hello", Start::Ip), commented(b"hello"));
    assert!(boxes(&built("[S]")[..30], Start::Ip).ends_with(&commented(&built("[S]")[20..30])));
}

#[test]
fn a_dump_is_what_xxd_prints() {
    assert_eq!(
        dump(b"\x45\x00\x00\x280123456789abcdefg"),
        "00000000: 4500 0028 3031 3233 3435 3637 3839 6162  E..(0123456789ab\n\
         00000010: 6364 6566 67                             cdefg\n"
    );
}

#[test]
fn a_constant_is_a_line_for_twelve_bytes() {
    let expected = "\
const PACKET: [u8; 13] = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
    0x0c,
];
";
    assert_eq!(rust("PACKET", &(0..13).collect::<Vec<_>>()), expected);
}

#[test]
fn a_form_is_found_by_its_name() {
    assert_eq!("scapy".parse(), Ok(Form::Scapy));
    let error = "scappy".parse::<Form>().unwrap_err();
    assert_eq!(error.to_string(), "there is no such format; did you mean `scapy`?");
}

#[test]
fn segments_without_addresses_fit_no_capture() {
    let packets = [(Duration::ZERO, built("[S] layers tcp"))];
    assert_eq!(Form::Pcapng.show(&packets, Start::Tcp), None);
    assert!(Form::Json.show(&packets, Start::Tcp).is_some());
}

#[test]
fn several_constants_have_names_of_their_own_and_read_back() {
    let packets = [built("[S] seq 1"), built("[.] ack 2")];
    let timed = packets.clone().map(|packet| (Duration::ZERO, packet));
    let text = String::from_utf8(Form::Rust.show(&timed, Start::Ip).unwrap()).unwrap();
    assert!(text.contains("PACKET_1: [u8; 40]") && text.contains("PACKET_2: "), "{text}");
    assert_eq!(crate::decode::read_bytes(text.as_bytes()), Ok(packets.to_vec()));
}

#[test]
fn boxes_of_several_packets_stand_apart() {
    let packets = [built("[S]"), built("[.]")].map(|packet| (Duration::ZERO, packet));
    let text = String::from_utf8(Form::Boxes.show(&packets, Start::Ip).unwrap()).unwrap();
    assert_eq!(text.matches("|\n\nIP__").count(), 1, "{text}");
}
