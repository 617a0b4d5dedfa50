use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use handclasp_wire::time::Instant;

use super::{Fragments, Id, MAX_PACKETS, PATIENCE, Piece};

fn id(identification: u32) -> Id {
    let src = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    let dst = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
    Id { src, dst, protocol: 6, identification }
}

fn piece(offset: usize, more: bool, data: &[u8]) -> Piece<'_> {
    Piece { at: Instant::ZERO, offset, more, ttl: 64, data }
}

const HEADER: usize = 20;

#[test]
fn pieces_in_any_order_make_the_packet() {
    let mut fragments = Fragments::default();
    assert!(fragments.add(id(1), &piece(16, false, b"the end")).is_none());
    assert!(fragments.add(id(1), &piece(0, true, b"12345678")).is_none());
    let whole = fragments.add(id(1), &piece(8, true, b"abcdefgh")).unwrap();
    assert_eq!(&whole[HEADER..], b"12345678abcdefghthe end");
    assert!(fragments.waiting.is_empty());
}

#[test]
fn packets_do_not_mix() {
    let mut fragments = Fragments::default();
    fragments.add(id(1), &piece(0, true, b"12345678"));
    assert!(fragments.add(id(2), &piece(8, false, b"x")).is_none());
    assert!(fragments.add(id(1), &piece(8, false, b"y")).is_some());
}

#[test]
fn where_pieces_overlap_the_first_stays() {
    let mut fragments = Fragments::default();
    fragments.add(id(1), &piece(8, true, b"BBBBBBBB"));
    let whole = fragments.add(id(1), &piece(0, true, b"aaaaaaaaaaaaaaaa"));
    assert!(whole.is_none());
    let whole = fragments.add(id(1), &piece(16, false, b"c")).unwrap();
    assert_eq!(&whole[HEADER..], b"aaaaaaaaBBBBBBBBc");
}

#[test]
fn what_waits_too_long_is_forgotten() {
    let mut fragments = Fragments::default();
    fragments.add(id(1), &piece(0, true, b"12345678"));
    let late = Piece { at: Instant::ZERO + PATIENCE, ..piece(8, false, b"x") };
    assert!(fragments.add(id(1), &late).is_none());
    let soon = Piece { at: late.at + Duration::from_secs(1), ..piece(0, true, b"12345678") };
    assert!(fragments.add(id(1), &soon).is_some());
}

#[test]
fn no_more_than_a_fixed_number_of_packets_waits() {
    let mut fragments = Fragments::default();
    for n in 0..1000 {
        fragments.add(id(n), &piece(0, true, b"12345678"));
    }
    assert_eq!(fragments.waiting.len(), MAX_PACKETS);
}

#[test]
fn a_packet_larger_than_ip_allows_is_given_up() {
    let mut fragments = Fragments::default();
    assert!(fragments.add(id(1), &piece(65_528, false, &[0; 100])).is_none());
    assert!(fragments.waiting.is_empty());
}
