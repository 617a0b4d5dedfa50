use super::{LinkType, Network, strip};

const IP: &[u8] = b"\x45 and so on";

fn framed(front: &[&[u8]]) -> Vec<u8> {
    [&front.concat(), IP].concat()
}

#[track_caller]
fn check(link: LinkType, front: &[&[u8]], network: Network) {
    let frame = framed(front);
    let stripped = strip(link, &frame).expect("there is IP");
    assert_eq!((stripped.ip, stripped.network), (IP, network));
}

const MACS: &[u8] = &[2; 12];

fn vlans(outer: u16, inner: u16) -> Network {
    Network { vlans: [outer, inner], session: 0 }
}

#[test]
fn ethernet_carries_ip_behind_its_type() {
    check(LinkType::ETHERNET, &[MACS, &[8, 0]], Network::default());
    check(LinkType::ETHERNET, &[MACS, &[0x86, 0xdd]], Network::default());
}

#[test]
fn vlan_tags_tell_the_network() {
    check(LinkType::ETHERNET, &[MACS, &[0x81, 0, 0x20, 5, 8, 0]], vlans(5, 0));
    let tags = [0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 0];
    check(LinkType::ETHERNET, &[MACS, &tags], vlans(7, 9));
}

#[test]
fn pppoe_is_looked_into() {
    let session = [0x88, 0x64, 0x11, 0, 0, 3, 0, 20, 0, 0x21];
    let network = Network { session: 3, ..Network::default() };
    check(LinkType::ETHERNET, &[MACS, &session], network);
}

#[test]
fn mpls_labels_are_passed_over_up_to_the_bottom() {
    let labels = [0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64];
    check(LinkType::ETHERNET, &[MACS, &labels], Network::default());
}

#[test]
fn snap_is_looked_behind() {
    let llc = [0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    check(LinkType::ETHERNET, &[MACS, &llc], Network::default());
}

#[test]
fn cooked_captures_have_their_type_last_or_first() {
    check(LinkType::LINUX_SLL, &[&[0; 14], &[8, 0]], Network::default());
    check(LinkType::LINUX_SLL2, &[&[8, 0], &[0; 18]], Network::default());
}

#[test]
fn loopbacks_raw_ip_ppp_and_hdlc_are_known() {
    check(LinkType::NULL, &[&[2, 0, 0, 0]], Network::default());
    check(LinkType::LOOP, &[&[0, 0, 0, 2]], Network::default());
    check(LinkType::RAW, &[], Network::default());
    check(LinkType::PPP, &[&[0xff, 3, 0, 0x21]], Network::default());
    check(LinkType::PPP, &[&[0x21]], Network::default());
    check(LinkType::PPP, &[&[0, 0x57]], Network::default());
    check(LinkType::CISCO_HDLC, &[&[0x0f, 0, 8, 0]], Network::default());
}

#[test]
fn netfilters_log_has_the_packet_in_one_of_its_fields() {
    let prefix = [5, 0, 10, 0, 0, 0, 0, 0];
    let payload = [IP.len() as u8 + 4, 0, 9, 0];
    check(LinkType::NFLOG, &[&[2, 0, 0, 0], &prefix, &payload], Network::default());
}

#[test]
fn other_protocols_and_cut_headers_have_no_ip() {
    assert_eq!(strip(LinkType::ETHERNET, &framed(&[MACS, &[8, 6]])), None);
    assert_eq!(strip(LinkType(147), IP), None);
    for len in 0..14 {
        assert_eq!(strip(LinkType::ETHERNET, &[0; 14][..len]), None);
    }
}
