use rand_pcg::Pcg32;

use super::*;
use crate::format::{Form, dump};
use crate::template::Template;

fn built(text: &str) -> Vec<u8> {
    text.parse::<Template>().unwrap().build(&mut Pcg32::new(1, 1))
}

fn packet() -> Vec<u8> {
    built("10.0.0.1:1 > 10.0.0.2:2 [P.] seq 1 ack 2 data \"hello, how are you ?\"")
}

fn hex(packet: &[u8]) -> String {
    packet.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(text: &str) -> Vec<Vec<u8>> {
    read_bytes(text.as_bytes()).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// Each byte, with this in front and in between.
fn joined(packet: &[u8], front: &str, between: &str) -> String {
    let bytes: Vec<_> = packet.iter().map(|byte| format!("{front}{byte:02x}")).collect();
    bytes.join(between)
}

#[test]
fn hex_digits_are_read_however_they_are_set_apart() {
    let packet = packet();
    for text in [
        hex(&packet),
        format!("0x{}", hex(&packet)),
        hex(&packet).to_uppercase(),
        joined(&packet, "", " "),
        joined(&packet, "", ":"),
        joined(&packet, "0x", ", "),
        format!("\"{}\"", joined(&packet, "\\x", "")),
        format!("unsigned char packet[60] = {{ {} }};", joined(&packet, "0x", ", ")),
        format!("{}\n{}\n", hex(&packet[..30]), hex(&packet[30..])),
        format!("  {}  # a comment", hex(&packet)),
    ] {
        assert_eq!(read(&text), [&packet[..]], "{text}");
    }
}

#[test]
fn dumps_are_read_by_their_offsets() {
    let packet = packet();
    let rows = |offset: &dyn Fn(usize) -> String, bytes: &dyn Fn(&[u8]) -> String, bar: &str| {
        let row = |(i, row): (usize, &[u8])| {
            let text = String::from_utf8_lossy(row).replace(|c: char| !c.is_ascii_graphic(), ".");
            format!("{}{:<48}  {bar}{text}{bar}\n", offset(16 * i), bytes(row))
        };
        packet.chunks(16).enumerate().map(row).collect::<String>()
    };
    let spaced = |row: &[u8]| joined(row, "", " ");
    let halves = |row: &[u8]| {
        let (left, right) = row.split_at(row.len().min(8));
        format!("{}  {}", joined(left, "", " "), joined(right, "", " "))
    };
    for text in [
        dump(&packet),
        rows(&|at| format!("{at:08x}  "), &halves, "|") + &format!("{:08x}\n", packet.len()),
        rows(&|at| format!("{at:04x}   "), &spaced, ""),
        rows(&|at| format!("\t0x{at:04x}:  "), &spaced, ""),
    ] {
        assert_eq!(read(&text), [&packet[..]], "{text}");
    }
}

#[test]
fn an_offset_of_zero_begins_another_packet() {
    let text = format!("12:00 IP 10.0.0.1 > x\n{}12:01 IP x\n{}", dump(&packet()), dump(b"abc"));
    assert_eq!(read(&text), [packet(), b"abc".to_vec()]);
}

#[test]
fn lines_that_are_whole_packets_are_several() {
    let line = hex(&packet());
    assert_eq!(read(&format!("{line}\n{line}")), [packet(), packet()]);
}

#[test]
fn an_empty_line_parts_packets() {
    assert_eq!(read("01 02\n03\n\n04\n"), [vec![1, 2, 3], vec![4]]);
}

#[test]
fn base64_is_read_with_and_without_padding() {
    assert_eq!(read("aGVsbG8sIGhvdyBhcmUgeW91ID8="), [b"hello, how are you ?"]);
    assert_eq!(read("aGVsbG8sIGhv\ndyBhcmUgeW91ID8"), [b"hello, how are you ?"]);
}

#[test]
fn our_own_forms_are_read_back() {
    let packets = [(std::time::Duration::ZERO, packet())];
    for form in [Form::Hex, Form::Dump, Form::Bytes, Form::Rust] {
        let shown = form.show(&packets, Start::Ip).unwrap();
        assert_eq!(read_bytes(&shown), Ok(vec![packet()]), "{form:?}");
    }
}

#[test]
fn what_is_no_text_is_the_bytes_themselves() {
    assert_eq!(read_bytes(&[0x45, 0, 1, 0xff]), Ok(vec![vec![0x45, 0, 1, 0xff]]));
}

#[test]
fn an_error_tells_the_place() {
    let error = |text: &str| read_bytes(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        error("45 00\n00 2z!"),
        "line 2 column 5: neither a hex digit nor anything that stands between them"
    );
    assert_eq!(
        error("4500002g"),
        "line 1 column 8: neither a hex digit nor anything that stands between them"
    );
    assert_eq!(error("45 0"), "line 1 column 4: half a byte is missing");
    assert_eq!(error("# nothing"), "line 1 column 1: there are no bytes");
}

#[test]
fn the_start_is_guessed_from_the_surest_sign() {
    assert_eq!(guess(&packet()), Some(Start::Ip));
    assert_eq!(guess(&packet()[..30]), Some(Start::Ip));
    assert_eq!(guess(&packet()[20..]), Some(Start::Tcp));
    assert_eq!(guess(&built("[S] vlan 5")), Some(Start::Ethernet));
    assert_eq!(guess(&built("IP6 [S]")), Some(Start::Ip));
    assert_eq!(guess(&built("[S] ip-cksum 0")), Some(Start::Ip));
    // An IP packet whose source address looks like an Ethernet type and a version.
    assert_eq!(guess(&built("8.0.69.1:1 > 10.0.0.2:2 [S]")), Some(Start::Ip));
    assert_eq!(guess(&[0x45, 0, 0]), Some(Start::Ip));
    assert_eq!(guess(b"hello"), None);
}

#[test]
fn what_programs_print_of_bytes_is_read() {
    let packet = packet();
    let escaped = packet.escape_ascii().to_string();
    let array = format!(
        "/* Frame (60 bytes) */\nstatic const unsigned char pkt1[60] = {{\n{} /* E..<.# */\n}};\n",
        joined(&packet, "0x", ", ")
    );
    let xxd = format!(
        "unsigned char p_bin[] = {{\n  {}\n}};\nunsigned int p_bin_len = 60;\n",
        joined(&packet, "0x", ", ")
    );
    for text in [
        format!("b'{}'", packet.escape_ascii().to_string().replace("\\\"", "\"")),
        format!("packet = b\"{escaped}\""),
        format!("char *packet = \"{escaped}\";"),
        format!("{packet:?}"),
        format!("let packet = vec!{packet:?};"),
        array,
        xxd,
    ] {
        assert_eq!(read(&text), [&packet[..]], "{text}");
    }
    let both = [b"#\xff" as &[u8], &packet].concat();
    assert_eq!(read(&format!("b'#\\xff'\nb'{escaped}'")), [both]);
}

#[test]
fn words_in_the_machines_order_are_not_guessed_at() {
    let error = read_bytes(b"0000000 0045 2a00 57af\n0000006\n").unwrap_err();
    assert!(error.to_string().contains("type hexdump -C"), "{error}");
}

#[test]
fn a_digit_by_itself_is_no_byte() {
    let error = read_bytes(b"45 0 0 28").unwrap_err().to_string();
    assert_eq!(error, "line 1 column 5: half a byte is missing in front of this");
    // A terminal may have broken a line anywhere.
    assert_eq!(read("450\n0"), [[0x45, 0]]);
}

#[test]
fn what_looks_like_a_comment_in_a_dump_is_its_text() {
    let bytes = b"GET /* HTTP/1.0\r\n# \"\\x41\" */ b'\\n' [1,2]\r\n";
    assert_eq!(read(&dump(bytes)), [bytes]);
}
