use std::vec::Vec;

use super::*;

/// RFC 1071 §4.1 in the plainest form: word by word.
fn by_the_book(bytes: &[u8]) -> u16 {
    let mut total = 0u32;
    for pair in bytes.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        total += u32::from(u16::from_be_bytes([pair[0], low]));
    }
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

fn noise(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn the_example_of_rfc_1071_sums_up_to_ddf2() {
    let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(sum(&bytes).partial(), 0xddf2);
    assert_eq!(sum(&bytes).finish(), !0xddf2);
}

#[test]
fn every_length_gives_the_sum_by_the_book() {
    let bytes = noise(300);
    for len in 0..bytes.len() {
        assert_eq!(sum(&bytes[..len]).partial(), by_the_book(&bytes[..len]), "{len} bytes");
    }
}

#[test]
fn carries_of_a_large_packet_of_ones_go_around_the_end() {
    assert_eq!(sum(&[0xff; 65_535]).partial(), by_the_book(&[0xff; 65_535]));
}

#[test]
fn pieces_of_odd_length_add_up_to_the_whole() {
    let bytes = noise(100);
    for cut in 0..bytes.len() {
        let (left, right) = bytes.split_at(cut);
        let (middle, right) = right.split_at(right.len() / 3);
        let pieces = sum(left) + sum(middle) + sum(right);
        assert_eq!(pieces.finish(), sum(&bytes).finish(), "cut at {cut}");
    }
}

#[test]
fn the_sum_of_no_bytes_is_zero() {
    assert_eq!(sum(&[]).partial(), 0);
}

#[test]
fn a_pseudo_header_of_ipv6_covers_a_length_of_32_bits() {
    let address = IpAddr::from([0u16, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(pseudo_header(address, address, 6, 0x0002_0003).partial(), 1 + 1 + 6 + 2 + 3);
}

#[test]
fn finishing_a_partial_checksum_makes_the_segment_verify() {
    let (src, dst) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
    let mut packet = noise(20 + 20 + 33);
    let seed = pseudo_header(src, dst, 6, 53).partial();
    packet[36..38].copy_from_slice(&seed.to_be_bytes());
    assert!(finish(&mut packet, PartialChecksum { start: 20, offset: 16 }));
    assert!(verify(src, dst, 6, &packet[20..]));
}

#[test]
fn a_udp_checksum_of_zero_is_sent_as_all_ones() {
    // 0xffff in the data makes the sum all ones, whose complement is zero.
    let mut datagram = [0xff, 0xff, 0, 0, 0, 0, 0, 0];
    assert!(finish(&mut datagram, PartialChecksum { start: 0, offset: 6 }));
    assert_eq!(datagram[6..], [0xff, 0xff]);
}

#[test]
fn a_partial_checksum_outside_of_the_packet_is_refused() {
    let mut packet = [1; 10];
    for (start, offset) in [(11, 0), (0, 9), (5, 5), (u16::MAX, u16::MAX)] {
        assert!(!finish(&mut packet, PartialChecksum { start, offset }));
    }
    assert_eq!(packet, [1; 10]);
}
