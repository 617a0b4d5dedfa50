use std::vec;

use proptest::prelude::*;

use super::*;

const PACKET: [u8; 28] = [0x45; 28];

fn key(source: u8, identification: u32) -> Key {
    let (src, dst) = (IpAddr::from([10, 0, 0, source]), IpAddr::from([10, 0, 0, 1]));
    Key { src, dst, protocol: 17, identification }
}

fn fragment(key: Key, offset: u16, data: &[u8], more: bool) -> Fragment<'_> {
    Fragment { key, protocol: 17, offset, more, data }
}

fn reassembly() -> Reassembly {
    Reassembly::new(Limits::default())
}

fn add(
    reassembly: &mut Reassembly,
    offset: u16,
    data: &[u8],
    more: bool,
) -> Result<Option<Whole>, Refusal> {
    reassembly.add(&fragment(key(2, 7), offset, data, more), &PACKET, Instant::ZERO)
}

/// Requirement: RFC1122-R10
#[test]
fn fragments_make_a_packet_in_any_order() {
    let payload: Vec<u8> = (0..40).collect();
    let parts = [(0, 16, true), (16, 32, true), (32, 40, false)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let mut reassembly = reassembly();
        let mut whole = None;
        for part in order {
            let (from, to, more): (usize, usize, bool) = parts[part];
            whole = add(&mut reassembly, from as u16, &payload[from..to], more).unwrap();
        }
        assert_eq!(whole.unwrap().payload, payload);
        assert_eq!(reassembly.next_deadline(), None);
    }
}

#[test]
fn a_duplicate_does_no_harm() {
    let mut reassembly = reassembly();
    assert_eq!(add(&mut reassembly, 0, &[1; 8], true), Ok(None));
    assert_eq!(add(&mut reassembly, 0, &[1; 8], true), Ok(None));
    assert!(add(&mut reassembly, 8, &[2; 3], false).unwrap().is_some());
}

#[test]
fn an_overlap_spoils_the_packet_and_what_comes_of_it_later() {
    for (offset, len) in [(0, 16), (8, 16), (4, 8), (0, 4)] {
        let mut reassembly = reassembly();
        add(&mut reassembly, 8, &[1; 8], true).unwrap();
        let (offset, len): (u16, usize) = (offset, len);
        let overlapping = add(&mut reassembly, offset, &vec![2; len], len % 8 == 0);
        if offset == 0 && len == 4 {
            assert_eq!(overlapping, Err(Refusal::Malformed), "an end before what came");
        } else {
            assert_eq!(overlapping, Err(Refusal::Overlap), "{offset} {len}");
        }
        assert!(add(&mut reassembly, 0, &[1; 8], true).is_err());
        assert!(add(&mut reassembly, 16, &[1; 8], false).is_err());
        assert_eq!(reassembly.bytes_of(|_| true), 0);
    }
}

#[test]
fn two_ends_or_one_before_what_came_are_refused() {
    let mut two_ends = reassembly();
    add(&mut two_ends, 8, &[1; 8], false).unwrap();
    assert_eq!(add(&mut two_ends, 16, &[1; 8], false), Err(Refusal::Malformed));
    let mut beyond = reassembly();
    add(&mut beyond, 8, &[1; 8], false).unwrap();
    assert_eq!(add(&mut beyond, 16, &[1; 8], true), Err(Refusal::Malformed));
}

#[test]
fn fragments_of_impossible_sizes_are_refused() {
    for (offset, len, more) in [(0, 0, true), (0, 9, true), (65_528, 16, false)] {
        let refused = add(&mut reassembly(), offset, &vec![0; len], more);
        assert_eq!(refused, Err(Refusal::Malformed));
    }
}

#[test]
fn packets_of_other_sources_or_identifications_do_not_mix() {
    let mut reassembly = reassembly();
    let first = fragment(key(2, 7), 0, &[1; 8], true);
    reassembly.add(&first, &PACKET, Instant::ZERO).unwrap();
    for other in [key(3, 7), key(2, 8), Key { protocol: 6, ..key(2, 7) }] {
        let last = fragment(other, 8, &[2; 8], false);
        assert_eq!(reassembly.add(&last, &PACKET, Instant::ZERO), Ok(None));
    }
}

#[test]
fn what_never_completes_is_given_up_and_quotes_its_first_fragment() {
    let mut reassembly = reassembly();
    add(&mut reassembly, 0, &[1; 8], true).unwrap();
    let without_first = fragment(key(3, 1), 8, &[1; 8], true);
    reassembly.add(&without_first, &PACKET, Instant::from_millis(1)).unwrap();
    let timeout = Instant::from_millis(30_000);
    assert_eq!(reassembly.next_deadline(), Some(timeout));
    assert_eq!(reassembly.pop_expired(Instant::from_millis(29_999)), None);
    let expired = reassembly.pop_expired(timeout).unwrap();
    assert_eq!((expired.src, expired.dst), (key(2, 7).src, key(2, 7).dst));
    assert_eq!(expired.first, Some((17, Bytes::copy_from_slice(&PACKET))));
    assert_eq!(reassembly.pop_expired(timeout), None);
    let expired = reassembly.pop_expired(Instant::from_millis(30_001)).unwrap();
    assert_eq!((expired.src, expired.first), (key(3, 1).src, None));
}

#[test]
fn a_greedy_source_pushes_out_its_own_packets_only() {
    let limits = Limits { bytes_per_source: 4000, ..Limits::default() };
    let mut reassembly = Reassembly::new(limits);
    let honest = fragment(key(9, 0), 0, &[1; 800], true);
    reassembly.add(&honest, &PACKET, Instant::ZERO).unwrap();
    for identification in 0..100 {
        let greedy = fragment(key(2, identification), 0, &[1; 800], true);
        reassembly.add(&greedy, &PACKET, Instant::ZERO).unwrap();
    }
    assert!(reassembly.bytes_of(|partial| partial.key.src == key(2, 0).src) <= 4000);
    let last = fragment(key(9, 0), 800, &[2; 8], false);
    assert!(reassembly.add(&last, &PACKET, Instant::ZERO).unwrap().is_some());
}

proptest! {
    #[test]
    fn whatever_comes_the_limits_hold(
        fragments in prop::collection::vec(
            (0..4u8, 0..4u32, 0..40u16, 0..64usize, any::<bool>()),
            0..300,
        )
    ) {
        let limits =
            Limits { bytes: 600, bytes_per_source: 400, packets: 6, fragments: 4 };
        let mut reassembly = Reassembly::new(limits);
        for (source, identification, unit, len, more) in fragments {
            let data = vec![0; len];
            let fragment = fragment(key(source, identification), unit * 8, &data, more);
            let _ = reassembly.add(&fragment, &PACKET, Instant::ZERO);
            prop_assert!(reassembly.bytes_of(|_| true) <= 600);
            prop_assert!(reassembly.packets.len() <= 6);
            prop_assert!(reassembly.packets.iter().all(|partial| partial.pieces.len() <= 4));
        }
    }
}
