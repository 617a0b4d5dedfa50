use std::vec::Vec;

use super::*;
use crate::tcp::header::Flags;
use crate::tcp::options::{FastOpen, SackBlock, SackBlocks, Timestamps};
use crate::tcp::view::TcpView;

fn emitted(options: Options) -> Vec<u8> {
    let header = Header { options, flags: Flags::SYN, ..Header::default() };
    let mut bytes = Vec::new();
    header.emit(&mut bytes);
    assert_eq!(bytes.len(), header.emitted_len());
    assert_eq!(usize::from(bytes[12] >> 4) * 4, bytes.len());
    bytes.split_off(20)
}

fn blocks(n: u32) -> SackBlocks {
    let mut blocks = SackBlocks::new();
    for i in 0..n {
        let (left, right) = (SeqNumber(10 * i + 5), SeqNumber(10 * i + 10));
        blocks.push(SackBlock { left, right });
    }
    blocks
}

const TIMESTAMPS: Option<Timestamps> = Some(Timestamps { value: 1, echo: 0 });
const TS_BYTES: [u8; 10] = [8, 10, 0, 0, 0, 1, 0, 0, 0, 0];

#[test]
fn a_header_without_options_has_twenty_bytes() {
    assert_eq!(emitted(Options::default()), []);
}

#[test]
fn a_syn_lays_its_options_out_as_linux_does() {
    let options = Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: TIMESTAMPS,
        ..Options::default()
    };
    let expected = [&[2, 4, 5, 0xb4, 4, 2][..], &TS_BYTES, &[1, 3, 3, 7]].concat();
    assert_eq!(emitted(options), expected);
}

#[test]
fn without_timestamps_nops_stand_before_sack_permitted() {
    let options =
        Options { mss: Some(1460), sack_permitted: true, window_scale: Some(8), ..<_>::default() };
    assert_eq!(emitted(options), [2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 8]);
}

#[test]
fn timestamps_of_a_data_segment_stand_behind_two_nops() {
    let options = Options { timestamps: TIMESTAMPS, ..Options::default() };
    assert_eq!(emitted(options), [&[1, 1][..], &TS_BYTES].concat());
}

#[test]
fn three_sack_blocks_fit_beside_timestamps_and_a_fourth_does_not() {
    let options = Options { timestamps: TIMESTAMPS, sack: blocks(4), ..Options::default() };
    let bytes = emitted(options);
    assert_eq!(bytes.len(), 40);
    assert_eq!(bytes[12..16], [1, 1, 5, 26]);
    assert_eq!(bytes[32..], [0, 0, 0, 25, 0, 0, 0, 30]);
}

#[test]
fn four_sack_blocks_fit_alone() {
    let bytes = emitted(Options { sack: blocks(4), ..Options::default() });
    assert_eq!((bytes.len(), &bytes[..4]), (36, &[1, 1, 5, 34][..]));
}

#[test]
fn nops_behind_a_fast_open_cookie_fill_its_last_word() {
    let fast_open = Some(FastOpen { cookie: [7; 16], len: 8, experimental: false });
    let bytes = emitted(Options { fast_open, ..Options::default() });
    assert_eq!(bytes, [34, 10, 7, 7, 7, 7, 7, 7, 7, 7, 1, 1]);
}

#[test]
fn an_experimental_cookie_carries_its_magic_number() {
    let fast_open = Some(FastOpen { cookie: [7; 16], len: 4, experimental: true });
    let bytes = emitted(Options { fast_open, ..Options::default() });
    assert_eq!(bytes, [254, 8, 0xf9, 0x89, 7, 7, 7, 7]);
}

#[test]
fn what_does_not_fit_behind_a_full_syn_is_left_out() {
    let options = Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: TIMESTAMPS,
        fast_open: Some(FastOpen { cookie: [7; 16], len: 16, experimental: false }),
        user_timeout: Some(5),
        ..Options::default()
    };
    let bytes = emitted(options);
    assert_eq!(bytes.len(), 40);
    assert_eq!(bytes[20..22], [34, 18]);
    assert!(!bytes.ends_with(&[28, 4, 0, 5]));
}

#[test]
fn a_user_timeout_stands_last() {
    let options = Options { mss: Some(1460), user_timeout: Some(5), ..Options::default() };
    assert_eq!(emitted(options), [2, 4, 5, 0xb4, 28, 4, 0, 5]);
}

#[test]
fn a_header_comes_back_as_it_was_emitted() {
    let header = Header {
        src_port: 1,
        dst_port: 2,
        seq: SeqNumber(3),
        ack: SeqNumber(4),
        flags: Flags::all(),
        window: 5,
        urgent: 6,
        options: Options { mss: Some(1460), sack: blocks(2), ..Options::default() },
    };
    let mut bytes = Vec::new();
    header.emit_with_checksum(0xabcd, &mut bytes);
    let view = TcpView::parse(&bytes).unwrap();
    assert_eq!((view.to_header(), view.checksum()), (header, 0xabcd));
}
