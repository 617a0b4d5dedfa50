//! Lists of options as they are emitted, taken apart by the rules of RFC 9293 §3.1 alone.

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{
    AccEcn, AccEcnOrder, FastOpen, SackBlock, SackBlocks, Timestamps,
};
use handclasp_wire::tcp::{Header, Options, TcpOption, TcpView};

/// Every choice of options, and of how many SACK blocks.
fn all() -> impl Iterator<Item = Options> {
    (0..1u32 << 10).map(|bits| {
        let has = |bit: u32| bits & 1 << bit != 0;
        let mut sack = SackBlocks::new();
        for n in 0..(bits & 0b111).min(4) {
            sack.push(SackBlock { left: SeqNumber(10 * n), right: SeqNumber(10 * n + 5) });
        }
        Options {
            mss: has(3).then_some(1460),
            window_scale: has(4).then_some(7),
            sack_permitted: has(5),
            sack,
            timestamps: has(6).then_some(Timestamps { value: 1, echo: 2 }),
            fast_open: has(7).then(|| FastOpen::new(&[7; 6], false).unwrap()),
            user_timeout: has(8).then_some(30),
            acc_ecn: has(9).then_some(AccEcn {
                order: AccEcnOrder::Ect0First,
                counters: [Some(1), Some(2), Some(3)],
            }),
        }
    })
}

/// Walks through a list by kinds and lengths; returns the kinds, having checked that every
/// length is there and right, and that nothing but zeros stands behind an end of the list.
fn kinds(mut list: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let Some((kind, rest)) = list.split_first() {
        kinds.push(*kind);
        match kind {
            0 => {
                assert!(rest.iter().all(|octet| *octet == 0), "{rest:?} behind the end");
                break;
            }
            1 => list = rest,
            _ => {
                let len = usize::from(*rest.first().expect("a length octet"));
                assert!((2..=list.len()).contains(&len), "length {len} in {list:?}");
                list = &list[len..];
            }
        }
    }
    kinds
}

/// Requirement: RFC9293-MUST-68, RFC9293-MUST-69
#[test]
fn every_list_of_options_is_lengths_to_its_last_octet_and_zeros_behind_its_end() {
    for options in all() {
        let header = Header { options, ..Header::default() };
        let mut bytes = Vec::new();
        header.emit(&mut bytes);
        assert_eq!(bytes.len(), usize::from(bytes[12] >> 4) * 4);
        let kinds = kinds(&bytes[20..]);
        assert_eq!(kinds.contains(&2), header.options.mss.is_some());
    }
}

/// Requirement: RFC9293-MUST-69
#[test]
fn a_list_made_by_hand_is_filled_up_with_zeros() {
    let mut plain = Vec::new();
    Header::default().emit(&mut plain);
    let mut raw = TcpView::parse(&plain).unwrap().to_raw().unwrap();
    for more in [TcpOption::WindowScale(7), TcpOption::SackPermitted, TcpOption::WindowScale(1)] {
        raw.options.push(more);
        let mut bytes = Vec::new();
        raw.emit(&mut bytes);
        assert!(bytes.len().is_multiple_of(4));
        assert!(kinds(&bytes[20..]).iter().all(|kind| [0, 3, 4].contains(kind)));
    }
}
