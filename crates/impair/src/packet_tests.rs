use std::vec;

use super::*;

#[test]
fn the_bit_that_is_asked_for_is_flipped() {
    let mut packet = vec![0u8; 3];
    packet.corrupt(0);
    packet.corrupt(17);
    assert_eq!(packet, [1, 0, 2]);
}

#[test]
fn a_bit_behind_the_last_changes_nothing() {
    let mut packet = vec![0u8; 3];
    packet.corrupt(24);
    assert_eq!(packet, [0; 3]);
}

#[test]
fn corrupting_shared_bytes_leaves_the_others_alone() {
    let original = Bytes::from_static(b"\0\0");
    let mut copy = original.clone();
    copy.corrupt(8);
    assert_eq!((&original[..], &copy[..]), (&b"\0\0"[..], &b"\0\x01"[..]));
}
