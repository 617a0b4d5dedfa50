use handclasp_wire::frame::Medium;
use handclasp_wire::packet::Packet;

use super::{TAG, restored};
use crate::sys::Received;

/// A UDP packet over IPv4 whose checksum field holds the pseudo header's sum only.
fn unfinished() -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 32, 0, 1, 0x40, 0, 64, 17, 0, 0];
    packet.extend([10, 0, 0, 1, 10, 0, 0, 2, 4, 0, 4, 1, 0, 12, 0, 0, 1, 2, 3, 4]);
    // 10.0.0.1 + 10.0.0.2 + 17 + 12
    packet[26..28].copy_from_slice(&(0x0a00_u16 * 2 + 3 + 17 + 12).to_be_bytes());
    packet
}

fn slot(packet: &[u8]) -> (Vec<u8>, Received) {
    let captured = packet.len();
    let meta = Received { captured, len: captured as u32, ..Received::default() };
    ([&[0; TAG], packet].concat(), meta)
}

#[test]
fn a_checksum_that_was_left_to_the_device_is_finished() {
    let (mut slot, mut meta) = slot(&unfinished());
    meta.unfinished = true;
    let packet = restored(&mut slot, &meta, Medium::Ip);
    assert_eq!(Packet::parse_ip(packet).unwrap().checksum_ok(), Some(true));
}

#[test]
fn one_of_a_packet_that_was_cut_cannot_be() {
    let (mut slot, mut meta) = slot(&unfinished()[..30]);
    (meta.unfinished, meta.len) = (true, 32);
    assert_eq!(restored(&mut slot, &meta, Medium::Ip), &unfinished()[..30]);
}

#[test]
fn a_vlan_tag_that_was_taken_out_is_put_back() {
    let frame = [&[1; 6][..], &[2; 6], &[8, 0], b"ip"].concat();
    let (mut slot, mut meta) = slot(&frame);
    meta.tag = Some([0x8100, 0x2007]);
    let whole = restored(&mut slot, &meta, Medium::Ethernet);
    assert_eq!(whole, [&[1; 6][..], &[2; 6], &[0x81, 0, 0x20, 7, 8, 0], b"ip"].concat());
}

#[test]
fn a_frame_too_short_for_a_tag_is_left_alone() {
    let (mut slot, mut meta) = slot(&[1; 8]);
    meta.tag = Some([0x8100, 7]);
    assert_eq!(restored(&mut slot, &meta, Medium::Ethernet), [1; 8]);
}
