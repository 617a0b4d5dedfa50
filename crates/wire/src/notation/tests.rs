use std::string::{String, ToString};
use std::vec::Vec;

use super::*;
use crate::tcp::header::Header;
use crate::tcp::options::{FastOpen, Options, SackBlock, SackBlocks, Timestamps};

fn absolute(text: &str) -> Segment {
    Segment::read(text, Base::ABSOLUTE).unwrap()
}

fn error(text: &str) -> String {
    Segment::read(text, Base::ABSOLUTE).unwrap_err().to_string()
}

fn of(header: &Header, payload: &[u8]) -> Segment {
    let mut bytes = Vec::new();
    header.emit(&mut bytes);
    bytes.extend(payload);
    Segment::of(&TcpView::parse(&bytes).unwrap())
}

fn syn_ack() -> Header {
    let options = Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 1, echo: 0 }),
        ..Options::default()
    };
    let (seq, ack) = (SeqNumber(1000), SeqNumber(2001));
    let flags = Flags::SYN | Flags::ACK;
    Header { seq, ack, flags, window: 65_160, options, ..Header::default() }
}

#[test]
fn a_syn_ack_prints_as_tcpdump_users_know_it() {
    assert_eq!(
        of(&syn_ack(), b"").display(Base::ABSOLUTE).to_string(),
        "[S.] seq 1000 ack 2001 win 65160 <mss 1460, sackOK, TS val 1 ecr 0, nop, wscale 7>"
    );
}

#[test]
fn relative_numbers_count_from_both_initial_sequence_numbers() {
    let base = Base { seq: SeqNumber(u32::MAX), ack: SeqNumber(2000) };
    let mut sack = SackBlocks::new();
    sack.push(SackBlock { left: SeqNumber(2005), right: SeqNumber(2010) });
    sack.push(SackBlock { left: SeqNumber(2020), right: SeqNumber(2030) });
    let options = Options { sack, ..Options::default() };
    let header = Header { seq: SeqNumber(0), flags: Flags::PSH | Flags::ACK, options, ..syn_ack() };
    let segment = of(&header, b"data");
    let line = "[P.] seq 1 ack 1 win 65160 <nop, nop, sack 2 {5:10}{20:30}> len 4";
    assert_eq!(segment.display(base).to_string(), line);
    assert_eq!(Segment::read(line, base), Ok(segment));
}

#[test]
fn an_acknowledgment_field_without_its_flag_is_not_relative() {
    let base = Base { seq: SeqNumber(1000), ack: SeqNumber(2000) };
    let header = Header { flags: Flags::SYN, options: Options::default(), ..syn_ack() };
    let line = "[S] seq 0 ack 2001 win 65160";
    assert_eq!(of(&header, b"").display(base).to_string(), line);
    assert_eq!(Segment::read(line, base), Ok(of(&header, b"")));
}

#[test]
fn every_flag_has_tcpdumps_letter() {
    assert_eq!(Flags::all().to_string(), "FSRP.UEWe");
    assert_eq!(Flags::empty().to_string(), "none");
    assert_eq!("FSRP.UEWe".parse(), Ok(Flags::all()));
    assert_eq!("none".parse(), Ok(Flags::empty()));
    assert_eq!(".S".parse(), Ok(Flags::SYN | Flags::ACK));
}

#[test]
fn every_option_is_read_as_it_is_printed() {
    for options in [
        "mss 65535, wscale 14, sackOK, nop, eol",
        "TS val 4294967295 ecr 0",
        "sack 0",
        "tfo cookiereq, exp-tfo cookiereq",
        "tfo cookie 0102030405060708, exp-tfo cookie 0a0b0c0d",
        "uto 0x8005",
        "accecn0 1 16777215 3, accecn1 7, accecn1",
        "md5 000102030405060708090a0b0c0d0e0f",
        "ao 0102, mptcp 0001, md5",
        "unknown-99, unknown-2 05",
        "nop, eol 0007",
        "nop, bad 08ff00",
    ] {
        let line = std::format!("[.] seq 0 ack 0 win 0 <{options}>");
        assert_eq!(absolute(&line).display(Base::ABSOLUTE).to_string(), line);
    }
}

#[test]
fn options_by_name_give_the_bytes_of_a_known_header() {
    let segment =
        absolute("[S] seq 33219744 win 64240 <mss 1460, nop, wscale 8, nop, nop, sackOK>");
    assert_eq!(segment.options[..], [2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2]);
    let cookie = FastOpen::new(&[1, 2, 3, 4], true).unwrap();
    assert_eq!(absolute("[S] <exp-tfo cookie 01020304>").options[4..], *cookie.as_slice());
}

#[test]
fn fields_may_stand_in_any_order_and_be_left_out() {
    let expected = Segment { window: 5, len: 7, flags: Flags::RST, ..Segment::default() };
    assert_eq!(absolute("[R] len 7 win 5"), expected);
}

#[test]
fn an_error_tells_the_column_and_what_is_wrong() {
    for (text, told) in [
        ("", "column 1: expected ["),
        ("[S", "column 3: expected ]"),
        ("[SX] seq 0", "column 3: there is no such flag"),
        ("[S]seq 0", "column 4: expected a space"),
        ("[S] sek 0", "column 5: there is no such field"),
        ("[S] seq", "column 8: expected a space"),
        ("[S] seq x", "column 9: expected a number"),
        ("[S] seq 4294967296", "column 9: the number is above 4294967295"),
        ("[S] win 65536", "column 9: the number is above 65535"),
        ("[S] <mss 1460", "column 14: expected >"),
        ("[S] <moss 1460>", "column 6: there is no such option"),
        ("[S] <unknown-256>", "column 6: there is no such option"),
        ("[S] <TS val 1>", "column 14: expected ecr"),
        ("[S] <sack 5>", "column 11: the number is above 4"),
        ("[S] <md5 012>", "column 10: expected pairs of hex digits"),
        ("[S] <tfo cookie 01>", "column 16: expected an even number of bytes, 4 to 16"),
    ] {
        assert_eq!(error(text), told, "{text}");
    }
}

#[test]
fn more_options_than_a_header_holds_are_refused() {
    let line = std::format!("[S] <{}nop>", "nop, ".repeat(40));
    assert_eq!(error(&line), "column 6: expected 40 bytes of options at most");
}

#[test]
fn options_are_read_as_tcpdump_prints_them() {
    let read = |text| read_options(text, Base::ABSOLUTE).unwrap();
    assert_eq!(read("mss 1460,nop,wscale 8")[..], [2, 4, 5, 0xb4, 1, 3, 3, 8]);
    assert_eq!(read("tfo  cookiereq,unknown-172 0x0102")[..], [34, 2, 172, 4, 1, 2]);
    assert!(read("").is_empty());
}

#[test]
fn what_stands_behind_the_options_is_refused() {
    let told = read_options("nop; nop", Base::ABSOLUTE).unwrap_err().to_string();
    assert_eq!(told, "column 4: expected a comma");
}
