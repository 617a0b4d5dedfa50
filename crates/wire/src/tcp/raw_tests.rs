use std::string::ToString;
use std::vec::Vec;

use super::*;

fn read(bytes: &[u8]) -> Vec<TcpOption<'_>> {
    OptionIter::new(bytes, 20).collect::<Result<_, _>>().unwrap()
}

fn error(bytes: &[u8]) -> ParseError {
    let mut options = OptionIter::new(bytes, 20);
    let error = options.find_map(Result::err).unwrap();
    assert!(options.next().is_none(), "nothing is read behind an error");
    error
}

#[test]
fn every_kind_is_read_and_emitted_byte_for_byte() {
    let [left, right] = [SeqNumber(5), SeqNumber(10)];
    let mut blocks = SackBlocks::new();
    blocks.push(SackBlock { left, right });
    let mut cookie = [0; 16];
    cookie[..4].copy_from_slice(&[1, 2, 3, 4]);
    let timestamps = Timestamps { value: 0x0102_0304, echo: 0x0506_0708 };
    let accurate = |order| AccEcn { order, counters: [Some(0x0a_0b0c), Some(1), None] };
    let cases: &[(&[u8], TcpOption<'_>)] = &[
        (&[1], TcpOption::Nop),
        (&[2, 4, 5, 0xb4], TcpOption::Mss(1460)),
        (&[3, 3, 7], TcpOption::WindowScale(7)),
        (&[4, 2], TcpOption::SackPermitted),
        (&[5, 10, 0, 0, 0, 5, 0, 0, 0, 10], TcpOption::Sack(blocks)),
        (&[8, 10, 1, 2, 3, 4, 5, 6, 7, 8], TcpOption::Timestamps(timestamps)),
        (&[19, 18, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], TcpOption::Md5(MD5)),
        (&[28, 4, 0x80, 5], TcpOption::UserTimeout(0x8005)),
        (&[29, 4, 1, 2], TcpOption::Ao(&[1, 2])),
        (&[30, 4, 0, 1], TcpOption::Mptcp(&[0, 1])),
        (&[34, 2], TcpOption::FastOpen(FastOpen::default())),
        (
            &[34, 6, 1, 2, 3, 4],
            TcpOption::FastOpen(FastOpen { cookie, len: 4, experimental: false }),
        ),
        (
            &[254, 8, 0xf9, 0x89, 1, 2, 3, 4],
            TcpOption::FastOpen(FastOpen { cookie, len: 4, experimental: true }),
        ),
        (&[172, 8, 10, 11, 12, 0, 0, 1], TcpOption::AccEcn(accurate(AccEcnOrder::Ect0First))),
        (&[174, 8, 10, 11, 12, 0, 0, 1], TcpOption::AccEcn(accurate(AccEcnOrder::Ect1First))),
        (&[99, 3, 1], TcpOption::Unknown { kind: 99, data: &[1] }),
        (&[0, 0, 7], TcpOption::EndOfList { padding: &[0, 7] }),
    ];
    for (bytes, option) in cases {
        assert_eq!(read(bytes), [*option]);
        assert_eq!((option.kind(), option.emitted_len()), (bytes[0], bytes.len()));
        let mut emitted = Vec::new();
        option.emit(&mut emitted);
        assert_eq!(emitted, *bytes);
    }
}

const MD5: &[u8] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

#[test]
fn a_known_kind_of_the_wrong_length_is_kept_as_bytes() {
    for bytes in [
        &[2, 3, 5][..],
        &[3, 2],
        &[4, 3, 0],
        &[5, 9, 0, 0, 0, 0, 0, 0, 0],
        &[8, 4, 0, 0],
        &[34, 5, 1, 2, 3],
        &[34, 4, 1, 2],
        &[254, 4, 0xf9, 0x88],
        &[172, 4, 0, 0],
    ] {
        let data = &bytes[2..];
        assert_eq!(read(bytes), [TcpOption::Unknown { kind: bytes[0], data }]);
    }
}

#[test]
fn an_option_running_past_the_header_is_refused() {
    let error = error(&[1, 1, 8, 10, 0, 0]);
    assert_eq!(
        error.to_string(),
        "TCP at byte 23: option length of 10 bytes exceeds the 4 that are there"
    );
}

#[test]
fn an_option_shorter_than_its_kind_and_length_is_refused() {
    for length in [0, 1] {
        let cause =
            Cause::BelowMinimum { field: "option length", value: length.into(), minimum: 2 };
        assert_eq!(error(&[2, length, 5, 0xb4]), ParseError::new(Layer::Tcp, 21, cause));
    }
}

#[test]
fn an_option_without_its_length_octet_is_refused() {
    assert_eq!(error(&[1, 1, 1, 2]).to_string(), "TCP at byte 24: cut short, 1 of 2 bytes");
}

#[test]
fn the_last_of_two_options_of_one_kind_counts() {
    let list = [TcpOption::Mss(1), TcpOption::Nop, TcpOption::Mss(2)];
    assert_eq!(Options::from_iter(list).mss, Some(2));
}
