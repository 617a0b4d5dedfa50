use std::string::ToString;
use std::vec::Vec;

use super::*;
use crate::tcp::options::Timestamps;

fn segment(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = std::vec![0xe1, 0xbc, 1, 0xbb, 1, 2, 3, 4, 5, 6, 7, 8];
    bytes.push(((20 + options.len()) / 4) as u8 * 16);
    bytes.extend([0x18, 0xfa, 0xf0, 0, 0, 0, 0]);
    bytes.extend(options);
    bytes.extend(payload);
    bytes
}

#[test]
fn every_field_is_where_the_rfc_puts_it() {
    let mut bytes = segment(&[], b"data");
    bytes[12] |= 0b1011;
    bytes[16..20].copy_from_slice(&[1, 2, 3, 4]);
    let view = TcpView::parse(&bytes).unwrap();
    assert_eq!((view.src_port(), view.dst_port()), (57_788, 443));
    assert_eq!((view.seq(), view.ack()), (SeqNumber(0x0102_0304), SeqNumber(0x0506_0708)));
    assert_eq!((view.data_offset(), view.reserved()), (5, 0b101));
    assert_eq!(view.flags(), Flags::AE | Flags::PSH | Flags::ACK);
    assert_eq!((view.window(), view.checksum(), view.urgent()), (64_240, 0x0102, 0x0304));
    assert_eq!(view.payload(), b"data");
}

#[test]
fn a_data_offset_behind_the_segments_end_is_refused() {
    let mut bytes = segment(&[], &[0; 20]);
    bytes[12] = 0xc0;
    let error = TcpView::parse(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "TCP at byte 12: data offset of 48 bytes exceeds the 40 that are there"
    );
}

#[test]
fn a_header_whose_options_are_cut_off_is_not_emitted_as_if_it_were_whole() {
    let bytes = segment(&[2, 4, 5, 0xb4, 1, 1, 1, 1], b"");
    let view = TcpView::parse_truncated(&bytes[..24]).unwrap();
    assert_eq!((view.header_len(), view.to_header().options.mss), (24, Some(1460)));
    assert_eq!(view.to_raw().unwrap_err(), view.whole().unwrap_err());
}

#[test]
fn a_segment_of_nineteen_bytes_is_refused() {
    let error = TcpView::parse(&[0; 19]).unwrap_err();
    assert_eq!(error.to_string(), "TCP at byte 19: cut short, 19 of 20 bytes");
}

#[test]
fn options_before_a_malformed_one_keep_their_meaning() {
    let bytes = segment(&[2, 4, 5, 0xb4, 3, 9, 7, 0], b"");
    let view = TcpView::parse(&bytes).unwrap();
    let options = view.to_header().options;
    assert_eq!((options.mss, options.window_scale), (Some(1460), None));
    assert_eq!(view.option_error().unwrap().offset, 25);
    assert_eq!(view.to_raw(), Err(view.option_error().unwrap()));
}

#[test]
fn an_option_behind_the_end_of_the_list_has_no_meaning() {
    let bytes = segment(&[0, 2, 4, 5, 0xb4, 0, 0, 0], b"");
    let view = TcpView::parse(&bytes).unwrap();
    assert_eq!(view.to_header().options, Options::default());
    assert_eq!(view.option_error(), None);
}

#[test]
fn options_that_nobody_acts_upon_are_skipped_by_their_length() {
    let list = [19, 4, 1, 2, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
    let bytes = segment(&list, b"");
    let options = TcpView::parse(&bytes).unwrap().to_header().options;
    assert_eq!(options.timestamps, Some(Timestamps { value: 1, echo: 2 }));
}

#[test]
fn a_header_in_any_order_and_padding_is_emitted_byte_for_byte() {
    let list = [1, 3, 3, 8, 1, 1, 4, 2, 2, 4, 5, 0xb4, 0, 0, 7, 0];
    let mut bytes = segment(&list, b"");
    bytes[12] |= 0b0110;
    bytes[16..18].copy_from_slice(&[0xab, 0xcd]);
    let raw = TcpView::parse(&bytes).unwrap().to_raw().unwrap();
    let mut emitted = Vec::new();
    raw.emit(&mut emitted);
    assert_eq!(emitted, bytes);
}

#[test]
fn a_raw_header_is_padded_to_whole_words() {
    let bytes = segment(&[], b"");
    let mut raw = TcpView::parse(&bytes).unwrap().to_raw().unwrap();
    raw.options.push(TcpOption::WindowScale(1));
    let mut emitted = Vec::new();
    raw.emit(&mut emitted);
    assert_eq!(emitted[20..], [3, 3, 1, 0]);
    assert_eq!(emitted[12], 0x60);
}
