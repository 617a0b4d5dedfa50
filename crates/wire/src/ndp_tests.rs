use std::string::ToString;
use std::vec::Vec;

use smallvec::smallvec;

use super::*;
use crate::icmpv6::Icmpv6View;

const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

fn ours() -> Ipv6Addr {
    "fe80::1234:5678".parse().unwrap()
}

fn emitted(ndp: &Ndp<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    ndp.emit(ours(), ALL_NODES, &mut bytes);
    bytes
}

fn solicitation() -> Ndp<'static> {
    let options = smallvec![NdpOption::SourceLinkAddress(MAC)];
    Ndp { message: NdpMessage::NeighbourSolicitation { target: ours() }, options }
}

#[test]
fn every_message_comes_back_as_it_was_emitted_and_verifies() {
    let prefix = Prefix {
        prefix: "fd00::".parse().unwrap(),
        len: 64,
        flags: PrefixFlags::ON_LINK | PrefixFlags::AUTONOMOUS,
        valid: u32::MAX,
        preferred: 3600,
    };
    let advertisement = NdpMessage::RouterAdvertisement {
        hop_limit: 64,
        flags: RouterFlags::MANAGED,
        lifetime: 1800,
        reachable: 30_000,
        retransmit: 1000,
    };
    let flags = NeighbourFlags::SOLICITED | NeighbourFlags::OVERRIDE;
    let unknown = NdpOption::Unknown { kind: 14, data: &[1, 2, 3, 4, 5, 6] };
    for ndp in [
        Ndp { message: NdpMessage::RouterSolicitation, options: smallvec![] },
        Ndp {
            message: advertisement,
            options: smallvec![NdpOption::Prefix(prefix), NdpOption::Mtu(1400), unknown],
        },
        solicitation(),
        Ndp {
            message: NdpMessage::NeighbourAdvertisement { flags, target: ours() },
            options: smallvec![NdpOption::TargetLinkAddress(MAC)],
        },
    ] {
        let bytes = emitted(&ndp);
        let back = NdpView::parse(&bytes).unwrap().to_repr().unwrap();
        assert_eq!(back.message, ndp.message);
        assert_eq!(back.options[..], ndp.options[..]);
        assert!(Icmpv6View::parse(&bytes).unwrap().checksum_ok(ours(), ALL_NODES));
    }
}

#[test]
fn a_hardware_address_is_found_among_the_options() {
    assert_eq!(solicitation().link_address(), Some(MAC));
}

#[test]
fn an_option_of_length_zero_is_refused() {
    let mut bytes = emitted(&solicitation());
    bytes[25] = 0;
    let error = NdpView::parse(&bytes).unwrap().to_repr().unwrap_err();
    assert_eq!(error.to_string(), "NDP at byte 25: option length 0 is below the minimum of 1");
}

#[test]
fn an_option_running_past_the_message_is_refused() {
    let mut bytes = emitted(&solicitation());
    bytes[25] = 2;
    let view = NdpView::parse(&bytes).unwrap();
    assert_eq!(view.options().count(), 1);
    assert_eq!(
        view.to_repr().unwrap_err().to_string(),
        "NDP at byte 25: option length of 16 bytes exceeds the 8 that are there"
    );
}

#[test]
fn an_option_without_its_length_octet_is_refused() {
    let bytes = emitted(&solicitation());
    let view = NdpView::parse(&bytes[..25]).unwrap();
    assert!(view.to_repr().is_err());
}

#[test]
fn a_message_cut_short_says_how_much_it_needs() {
    let bytes = emitted(&solicitation());
    let error = NdpView::parse(&bytes[..23]).unwrap_err();
    assert_eq!(error.to_string(), "NDP at byte 23: cut short, 23 of 24 bytes");
}

#[test]
fn another_type_of_icmpv6_is_refused() {
    let error = NdpView::parse(&[128, 0, 0, 0, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(error.to_string(), "NDP at byte 0: type 128 is unknown");
}

#[test]
fn another_code_than_zero_is_refused() {
    let mut bytes = emitted(&solicitation());
    bytes[1] = 3;
    let error = NdpView::parse(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "NDP at byte 1: code is 3, not 0");
}

#[test]
fn the_solicited_node_group_takes_the_addresss_last_three_bytes() {
    assert_eq!(solicited_node(ours()).to_string(), "ff02::1:ff34:5678");
}
