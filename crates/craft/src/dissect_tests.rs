use rand_pcg::Pcg32;

use super::*;
use crate::template::Template;

fn built(text: &str) -> Vec<u8> {
    text.parse::<Template>().unwrap().build(&mut Pcg32::new(1, 1))
}

fn headers(bytes: &[u8], start: Start) -> Vec<(Layer, Range<usize>)> {
    dissect(bytes, start).0.headers
}

#[test]
fn every_header_has_its_options_with_it() {
    let bytes = built("vlan 5 ip-options 0x01010101 [S] <mss 1460> data \"hello\" trailer 0x00");
    let (layout, errors) = dissect(&bytes, Start::Ethernet);
    assert_eq!(
        layout.headers,
        [
            (Layer::Ethernet, 0..14),
            (Layer::Vlan, 14..18),
            (Layer::Ip, 18..42),
            (Layer::Tcp, 42..66)
        ]
    );
    assert_eq!((layout.payload, errors), (66..71, vec![]));
}

#[test]
fn a_header_that_is_cut_short_is_there_in_part() {
    let bytes = built("vlan 5 [S]");
    assert_eq!(headers(&bytes[..9], Start::Ethernet), [(Layer::Ethernet, 0..9)]);
    let ip = [(Layer::Ethernet, 0..14), (Layer::Vlan, 14..18), (Layer::Ip, 18..30)];
    assert_eq!(headers(&bytes[..30], Start::Ethernet), ip);
    let (layout, errors) = dissect(&bytes[..50], Start::Ethernet);
    assert_eq!(layout.header(Layer::Tcp), Some(38..50));
    assert_eq!((layout.has(Layer::Tcp), layout.missing, errors.len()), (false, 8, 2));
}

#[test]
fn what_is_not_tcp_is_payload() {
    let bytes = built("proto 17 data-hex 0001000200080000 layers ip");
    let (layout, errors) = dissect(&bytes, Start::Ip);
    assert_eq!((layout.headers, layout.payload), (vec![(Layer::Ip, 0..20)], 20..28));
    assert_eq!(errors, []);
}

#[test]
fn a_fragment_is_not_read_into() {
    let (layout, errors) = dissect(&built("mf 1 [S]"), Start::Ip);
    assert_eq!((layout.header(Layer::Tcp), errors), (None, vec![]));
}

#[test]
fn what_fits_is_told_whatever_is_there() {
    let bytes =
        built("eth-type 0 [S] <mss 1460> total-len 0 ihl 5 data-offset 6 proto 6 version 4");
    let layout = dissect(&built("eth-type auto [S] <mss 1460>"), Start::Ethernet).0;
    let fit = |field| layout.fit(&bytes, field);
    assert_eq!((fit(Field::EthType), fit(Field::TotalLen)), (Some(0x0800), Some(44)));
    assert_eq!((fit(Field::HeaderLen), fit(Field::DataOffset)), (Some(5), Some(6)));
    assert_eq!((fit(Field::Seq), fit(Field::PayloadLen)), (None, None));
}
