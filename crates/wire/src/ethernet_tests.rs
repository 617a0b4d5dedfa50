use std::string::ToString;
use std::vec::Vec;

use super::*;
use crate::error::Cause;

const DST: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const SRC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

fn frame(tags: [Option<VlanTag>; 2], ethertype: EtherType) -> Vec<u8> {
    let mut frame = Vec::new();
    Ethernet { dst: DST, src: SRC, tags, ethertype }.emit(&mut frame);
    frame
}

#[test]
fn a_plain_frame_comes_back_as_it_was_emitted() {
    let mut bytes = frame([None; 2], EtherType::IPV4);
    bytes.extend([0x45, 0]);
    let view = EthernetView::parse(&bytes).unwrap();
    assert_eq!(view.to_repr(), Ethernet::new(DST, SRC, EtherType::IPV4));
    assert_eq!((view.header_len(), view.payload()), (14, &[0x45, 0][..]));
}

#[test]
fn two_tags_are_told_apart() {
    let outer = VlanTag { tpid: EtherType::QINQ, tci: 0xb064 };
    let inner = VlanTag { tpid: EtherType::VLAN, tci: 7 };
    let bytes = frame([Some(outer), Some(inner)], EtherType::IPV6);
    let view = EthernetView::parse(&bytes).unwrap();
    assert_eq!(view.tags().collect::<Vec<_>>(), [outer, inner]);
    assert_eq!(view.header_len(), 22);
    assert_eq!((outer.priority(), outer.drop_eligible(), outer.id()), (5, true, 100));
}

#[test]
fn a_third_tag_is_left_to_the_payload() {
    let tag = Some(VlanTag { tpid: EtherType::VLAN, tci: 1 });
    let bytes = frame([tag; 2], EtherType::VLAN);
    assert_eq!(EthernetView::parse(&bytes).unwrap().ethertype(), EtherType::VLAN);
}

#[test]
fn a_frame_that_ends_within_a_tag_names_the_tag() {
    let bytes = frame([None; 2], EtherType::VLAN);
    let error = EthernetView::parse(&bytes).unwrap_err();
    assert_eq!(error, truncated(Layer::Vlan, 18, 14));
    assert_eq!(error.to_string(), "VLAN tag at byte 14: cut short, 14 of 18 bytes");
}

#[test]
fn a_short_frame_says_how_much_is_missing() {
    let error = EthernetView::parse(&[0; 13]).unwrap_err();
    assert_eq!(error.cause, Cause::Truncated { needed: 14, available: 13 });
    let error = EthernetView::parse(&[0; 3]).unwrap_err();
    assert_eq!(error.cause, Cause::Truncated { needed: 14, available: 3 });
}

#[test]
fn a_hardware_address_reads_what_it_prints() {
    let address = MacAddr([0x02, 0xab, 0, 0xff, 0x10, 9]);
    assert_eq!(address.to_string(), "02:ab:00:ff:10:09");
    assert_eq!(address.to_string().parse(), Ok(address));
    assert_eq!("02-AB-00-ff-10-09".parse(), Ok(address));
}

#[test]
fn what_is_no_hardware_address_is_refused() {
    for text in ["", "02:ab:00:ff:10", "02:ab:00:ff:10:09:", "02:ab:0:ff:10:9", "+2:ab:00:ff:10:09"]
    {
        assert_eq!(text.parse::<MacAddr>(), Err(MacAddrError), "{text}");
    }
}

#[test]
fn multicast_packets_go_to_their_groups_hardware_address() {
    let v4 = MacAddr::from_multicast_v4(Ipv4Addr::new(239, 129, 2, 3));
    assert_eq!(v4.to_string(), "01:00:5e:01:02:03");
    let v6 = MacAddr::from_multicast_v6("ff02::1:ff00:1234".parse().unwrap());
    assert_eq!(v6.to_string(), "33:33:ff:00:12:34");
    assert!(v4.is_multicast() && v6.is_multicast() && MacAddr::BROADCAST.is_multicast());
}
