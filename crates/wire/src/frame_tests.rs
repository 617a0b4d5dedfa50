use smallvec::smallvec;

use super::*;
use crate::checksum;

#[test]
fn finishing_covers_payload_slices_of_odd_length() {
    let mut packet = Outbound {
        header: SmallVec::from_slice(&[0xee, 1, 2, 0, 9]),
        payload: smallvec![Bytes::from_static(b"abc"), Bytes::from_static(b"de")],
        checksum: Some(PartialChecksum { start: 1, offset: 2 }),
        segment_size: None,
    };
    assert!(packet.finish_checksum());
    let mut whole = *b"\x01\x02\x00\x09abcde";
    assert!(checksum::finish(&mut whole, PartialChecksum { start: 0, offset: 2 }));
    assert_eq!(packet.header[1..], whole[..4]);
    assert_eq!(packet.checksum, None);
}

#[test]
fn a_partial_checksum_outside_of_the_headers_is_refused() {
    let partial = Some(PartialChecksum { start: 1, offset: 2 });
    let header = SmallVec::from_slice(&[0; 4]);
    let mut packet = Outbound { header, checksum: partial, ..Outbound::default() };
    assert!(!packet.finish_checksum());
    assert_eq!(packet.checksum, partial);
}
