use handclasp_wire::ethernet::EthernetView;
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::tcp::TcpOption;
use rand_pcg::Pcg32;

use super::*;

fn build(template: &Template) -> Vec<u8> {
    template.build(&mut Pcg32::new(1, 1))
}

fn between() -> Template {
    Template::between("10.0.0.1:443".parse().unwrap(), "10.0.0.2:80".parse().unwrap())
}

fn told(wanted: &Template, packet: &[u8]) -> String {
    wanted.matches(packet, Start::Ip).unwrap_err().to_string()
}

#[test]
fn a_template_that_says_nothing_builds_a_sane_syn() {
    let bytes = build(&Template::default());
    let packet = Packet::parse_ip(&bytes).unwrap();
    let (Net::Ipv4(ip), Transport::Tcp(tcp)) = (packet.net, packet.transport) else { panic!() };
    assert!(ip.ttl() == 64 && ip.checksum_ok() && packet.checksum_ok() == Some(true));
    assert_eq!((tcp.flags(), tcp.window(), tcp.dst_port()), (Flags::SYN, 64_240, 80));
    assert!(tcp.src_port() >= 49_152 && tcp.seq().0 != 0 && ip.identification() != 0);
}

#[test]
fn the_same_random_source_builds_the_same_packet() {
    let template = between().with(Field::Ack, Setting::Random);
    assert_eq!(build(&template), build(&template));
    let other = template.build(&mut Pcg32::new(2, 1));
    assert_ne!(build(&template), other);
}

#[test]
fn tags_are_announced_by_the_header_in_front() {
    let template = between().with(Field::VlanId, 5u16).with(Field::InnerVlanId, 6u16);
    let template = template.with(Field::EthSrc, 0x0200_0000_0009u64);
    let bytes = build(&template);
    let frame = EthernetView::parse(&bytes).unwrap();
    let tags: Vec<_> = frame.tags().map(|tag| (tag.tpid.0, tag.id())).collect();
    assert_eq!((tags, frame.ethertype().0), (vec![(0x88a8, 5), (0x8100, 6)], 0x0800));
}

#[test]
fn a_version_6_packet_has_its_own_length_and_sum() {
    let [src, dst] = ["[fd00::1]:5", "[fd00::2]:6"].map(|socket| socket.parse().unwrap());
    let bytes = build(&Template::between(src, dst).with_payload(*b"hello"));
    let packet = Packet::parse_ip(&bytes).unwrap();
    assert_eq!((packet.layout.payload(), packet.checksum_ok()), (60..65, Some(true)));
}

#[test]
fn a_wrong_value_is_built_as_it_is_given() {
    let lying = between().with(Field::DataOffset, 15u8).with(Field::TotalLen, Setting::Auto(-1));
    let bytes = build(&lying.with(Field::Checksum, Setting::Auto(1)));
    assert_eq!((bytes.len(), bytes[32] >> 4, bytes[3]), (40, 15, 39));
    let honest = build(&between());
    assert_eq!(honest[..2], bytes[..2]);
}

#[test]
fn a_forced_sum_is_off_by_what_was_asked() {
    let bytes = build(&between().with(Field::Checksum, Setting::Auto(1)));
    let right = Template::default().with(Field::Checksum, Setting::Auto(0));
    let Err(Mismatch::Field { field: Field::Checksum, expected, actual, .. }) =
        right.matches(&bytes, Start::Ip)
    else {
        panic!()
    };
    assert_eq!(actual, expected + 1);
}

#[test]
fn options_are_padded_to_whole_words() {
    let bytes = build(&between().with_options(&[TcpOption::Mss(1460), TcpOption::Nop]));
    assert_eq!((bytes[32] >> 4, &bytes[40..]), (7, &[2, 4, 5, 0xb4, 1, 0, 0, 0][..]));
}

#[test]
fn what_is_not_set_may_be_anything() {
    let packet = build(&between().with_payload(*b"hello").with_options(&[TcpOption::Mss(1460)]));
    assert_eq!(Template::default().matches(&packet, Start::Ip), Ok(()));
    let random = Template::default().with(Field::Seq, Setting::Random);
    assert_eq!(random.matches(&packet, Start::Ip), Ok(()));
}

#[test]
fn the_first_thing_that_differs_is_told() {
    let packet = build(&between().with(Field::Ttl, 9u8).with_payload(*b"hello"));
    let wanted = |text: &str| text.parse::<Template>().unwrap();
    assert_eq!(told(&wanted("ttl 8 dport 81"), &packet), "ttl is 9, not 8");
    assert_eq!(told(&wanted("dport 81 ack 5"), &packet), "dport is 80, not 81");
    assert_eq!(told(&wanted("[S.]"), &packet), "flags is S, not S.");
    assert_eq!(told(&wanted("src 10.0.0.7"), &packet), "src is 10.0.0.1, not 10.0.0.7");
    assert_eq!(told(&wanted("<mss 9>"), &packet), "options are <>, not <mss 9>");
    assert_eq!(told(&wanted("len 4"), &packet), "there are 5 bytes of payload, not 4");
    assert_eq!(told(&wanted("data \"help\""), &packet), "data has 0x6c at byte 3, not 0x70");
    assert_eq!(told(&wanted("data \"hell\""), &packet), "data has 5 bytes, not 4");
    assert_eq!(told(&wanted("IP6"), &packet), "it is not IPv6");
    assert_eq!(told(&wanted("vlan 5"), &packet), "there is no eth header");
}

#[test]
fn a_header_cut_short_does_not_match() {
    let packet = build(&between());
    let told = told(&Template::default(), &packet[..30]);
    assert!(told.starts_with("there is no whole tcp header: IPv4 at byte 2"), "{told}");
}

#[test]
fn bits_that_do_not_count_may_differ() {
    let wanted: Template = "[.?P]".parse().unwrap();
    for (flags, matches) in
        [(Flags::ACK, true), (Flags::ACK | Flags::PSH, true), (Flags::PSH, false)]
    {
        let packet = build(&between().with(Field::Flags, flags));
        assert_eq!(wanted.matches(&packet, Start::Ip).is_ok(), matches, "{flags}");
    }
}

#[test]
fn what_a_template_leaves_open_its_base_may_say() {
    let base = between().with(Field::Ttl, 9u8).with_payload(*b"base");
    let merged = Template::default().with(Field::Ttl, 7u8).or(&base);
    assert_eq!(merged, base.with(Field::Ttl, 7u8));
}

#[test]
fn a_segment_by_itself_has_no_headers_in_front() {
    let template: Template = "[S] seq 1 sport 5 cksum 0x1234 layers tcp".parse().unwrap();
    let bytes = build(&template);
    assert_eq!((bytes.len(), template.start()), (20, Start::Tcp));
    assert_eq!(bytes[16..18], [0x12, 0x34]);
}
