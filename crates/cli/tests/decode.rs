//! `decode` as a user runs it.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Run, command, handclasp_fed, is_missing, scratch};
use serde_json::Value;

/// Runs `decode`, which must understand these words.
fn decode(words: &[&str]) -> String {
    let run = Run::of(command().arg("decode").args(words));
    assert_eq!((run.code, &*run.stderr), (0, ""), "{run}");
    run.stdout
}

fn piped(words: &[&str], input: &str) -> String {
    let words = [&["decode"], words].concat();
    let run = handclasp_fed(&words, input).expect("no network");
    assert_eq!((run.code, &*run.stderr), (0, ""), "{run}");
    run.stdout
}

fn craft(words: &[&str]) -> String {
    let run = Run::of(command().arg("craft").args(words));
    assert_eq!(run.code, 0, "{run}");
    run.stdout
}

/// The line of a field, without its place and raw value.
fn field<'t>(table: &'t str, name: &str) -> &'t str {
    let is_field = |line: &&str| line.split_whitespace().nth(2) == Some(name);
    let line = table.lines().find(is_field).unwrap_or_else(|| panic!("{name} in {table}"));
    line.split_once(name).expect("it has the name").1.trim()
}

/// Six segments of a connection, printed in an article from the TCP header on.
const SEGMENTS: [&str; 6] = [
    "e1bc01bb01fae4a0000000008002faf0752e0000020405b40103030801010402",
    "01bbe1bca114d4f901fae4a18012200099ed0000020405a00103030501010402",
    "e1bc01bb01fae4a1a114d4fa5010020575220000",
    "01bbe1bca114dfe901fafc98501105ccd1f60000",
    "e1bc01bb01fafc98a114dfea5010020275220000",
    "e1bc01bb01fafc98a114dfea5011020275220000",
];

#[test]
fn every_field_has_its_bytes_its_value_and_its_meaning() {
    let table = decode(&[SEGMENTS[0]]);
    for line in [
        "32 bytes from the TCP header on (guessed; --from tells)",
        "  0-1     0xe1bc       sport           57788",
        "  4-7     0x01fae4a0   seq             33219744",
        "  12      0x8          data-offset     8 · 32 bytes",
        "  20-23   0x020405b4   mss             1460 · segments with up to 1460 bytes of data \
         are welcome",
        "  25-27   0x030308     wscale          8 · windows count in units of 256 bytes",
        "? whether the checksum fits: the addresses that it covers are not there",
    ] {
        assert!(table.lines().any(|told| told == line), "{line}\n{table}");
    }
}

#[test]
fn six_segments_are_one_conversation() {
    let table = decode(&SEGMENTS);
    for line in [
        "port 57788 is the client, port 443 the server",
        "the client's checksums are unfinished: its network card adds the rest",
        "the server's checksums verify",
        "the addresses are not there; by the checksums they add up to 0x7508",
    ] {
        assert!(table.lines().any(|told| told == line), "{line}\n{table}");
    }
    let packets: Vec<_> = table.split("\n\n").collect();
    assert_eq!(field(packets[2], "win"), "517 · 132352 bytes: 517 << 8");
    assert_eq!(field(packets[3], "win"), "1484 · 47488 bytes: 1484 << 5");
    assert_eq!(field(packets[3], "seq"), "2702499817 · 2800 counted from the SYN");
    assert_eq!(field(packets[1], "cksum"), "· right");
    assert!(!table.contains("\n?"), "{table}");
}

#[test]
fn alone_a_segment_says_what_cannot_be_known() {
    let table = decode(&["--from", "tcp", SEGMENTS[2]]);
    assert_eq!(field(&table, "win"), "517 · 517 bytes, if it is not scaled");
    for unknown in ["? whether the checksum fits", "? how many bytes the window", "? how far into"]
    {
        assert!(table.contains(unknown), "{table}");
    }
}

#[test]
fn a_misprinted_checksum_is_told_with_the_right_one() {
    let misprint = craft(&[
        "-f",
        "hex",
        "192.168.59.135:8081 > 192.168.59.131:443 [S.] seq 0xAC34C455 ack 0xC166 win 1500 \
         ip-id 0x37E2 ttl 128 ip-cksum 0x110e",
    ]);
    let table = decode(&[misprint.trim()]);
    assert_eq!(field(&table, "ip-cksum"), "· wrong: it should be 0x0a93");
    assert!(table.contains("! the IP checksum is 0x110e, it should be 0x0a93"), "{table}");
    assert_eq!(field(&table, "cksum"), "· right");
}

#[test]
fn bytes_are_read_in_any_spelling() {
    let packet = craft(&["-f", "hex", "--seed", "1", "--data", "hi"]);
    let hex = packet.trim();
    let expected = decode(&[hex]);
    let pairs: Vec<_> = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]).collect();
    let array = format!("unsigned char p[] = {{ 0x{} }};", pairs.join(", 0x"));
    for text in [
        pairs.join(" "),
        pairs.join(":"),
        format!("0x{hex}"),
        format!("\"\\x{}\"", pairs.join("\\x")),
        array,
        craft(&["-f", "dump", "--seed", "1", "--data", "hi"]),
        craft(&["-f", "rust", "--seed", "1", "--data", "hi"]),
    ] {
        assert_eq!(piped(&[], &text), expected, "{text}");
        assert_eq!(decode(&[&text]), expected, "{text}");
    }
    // Words that were not quoted are one packet, too.
    assert_eq!(decode(&pairs), expected);
}

#[test]
fn files_hold_text_bytes_or_captures() {
    let folder = scratch("decode-files");
    let packet = ["--seed", "1", "--data", "hi"];
    let expected = decode(&[craft(&[&["-f", "hex"], &packet[..]].concat()).trim()]);
    for form in ["hex", "bytes", "dump", "pcapng"] {
        let file = folder.join(form);
        let path = file.to_str().expect("text");
        craft(&[&["-f", form, "-o", path], &packet[..]].concat());
        let table = decode(&[path]).replace(
            " from the IP header on\n",
            " from the IP header on (guessed; --from tells)\n",
        );
        assert_eq!(table, expected, "{form}");
    }
}

#[test]
fn what_other_tools_print_is_read() {
    let folder = scratch("decode-tools");
    let file = folder.join("packet");
    let path = file.to_str().expect("text");
    let packet = ["--seed", "1", "--data", "hi"];
    craft(&[&["-f", "bytes", "-o", path], &packet[..]].concat());
    let expected = decode(&[path]);
    for (tool, words) in [("xxd", &[path][..]), ("hexdump", &["-C", path]), ("base64", &[path])] {
        if is_missing(tool, "what_other_tools_print_is_read") {
            continue;
        }
        let output =
            Command::new(tool).args(words).stderr(Stdio::null()).output().expect("it runs");
        let text = String::from_utf8(output.stdout).expect("text");
        assert_eq!(piped(&[], &text), expected, "{tool}: {text}");
    }
}

#[test]
fn a_packet_cut_short_is_read_as_far_as_it_goes() {
    let packet = craft(&["-f", "hex", "[S] seq 1 win 9"]);
    let table = decode(&[&packet.trim()[..70]]);
    assert_eq!(field(&table, "flags"), "S · SYN");
    for line in [
        "! IPv4 at byte 2: total length of 40 bytes exceeds the 35 that are there",
        "! TCP at byte 35: cut short, 15 of 20 bytes",
        "? the 5 bytes that are cut off",
    ] {
        assert!(table.lines().any(|told| told == line), "{line}\n{table}");
    }
}

#[test]
fn an_impossible_packet_says_where_reading_stopped_and_why() {
    let packet = craft(&["-f", "hex", "[S] data-offset 3 data \"hello\""]);
    let table = decode(&[packet.trim()]);
    assert!(table.contains("! TCP at byte 32: data offset 3 is below the minimum of 5"), "{table}");
    assert!(field(&table, "data").starts_with("hello"), "{table}");
}

#[test]
fn json_has_an_object_for_each_packet_and_conversation() {
    let run = piped(&["--json"], &SEGMENTS.join("\n"));
    let objects: Vec<Value> = run.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = objects.iter().map(|object| object["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["packet", "packet", "packet", "packet", "packet", "packet", "conversation"]);
    assert_eq!(objects[6]["segments"][2]["window"], 132_352);
    let fields = objects[2]["fields"].as_array().expect("fields");
    let window = fields.iter().find(|field| field["name"] == "win").expect("a window");
    assert_eq!(
        (&window["bytes"], &window["raw"]),
        (&serde_json::json!([14, 16]), &"0x0205".into())
    );
    assert!(objects[0]["findings"][0]["text"].as_str().unwrap().contains("unfinished"));
}

#[test]
fn packets_go_on_to_other_forms() {
    let lines = piped(&["--format", "tcpdump"], &SEGMENTS.join("\n"));
    assert!(lines.starts_with("57788 > 443: Flags [S], seq 33219744, win 64240"), "{lines}");
    let boxes = piped(&["--format", "boxes"], SEGMENTS[0]);
    assert!(boxes.starts_with("TCP____"), "{boxes}");
}

#[test]
fn a_damaged_capture_is_read_as_far_as_it_goes() {
    let file = scratch("decode-damaged").join("capture");
    let path = file.to_str().expect("text");
    craft(&["-f", "pcapng", "-o", path, "[S]", "[.]"]);
    let bytes = fs::read(&file).expect("read");
    fs::write(&file, &bytes[..bytes.len() - 10]).expect("written");
    let run = Run::of(command().args(["decode", path]));
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("flags           S · SYN"), "{run}");
    assert!(
        run.stderr.contains("the capture is broken at byte") && run.stderr.lines().count() == 1
    );
}

#[test]
fn more_packets_than_are_wanted_are_told() {
    let run = Run::of(command().args(["decode", "--most", "2"]).args(SEGMENTS));
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("only the first 2 packets"), "{run}");
    assert!(!run.stdout.contains("packet 3"), "{run}");
}

#[test]
fn what_is_no_packet_is_marked_at_its_place() {
    let run = Run::of(command().args(["decode", "4500002g"]));
    assert_eq!((run.code, &*run.stdout), (2, ""), "{run}");
    assert!(
        run.stderr.starts_with("handclasp: 4500002g\n                  ^ neither a hex digit"),
        "{run}"
    );
    let run = Run::of(command().args(["decode", "68656c6c6f"]));
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("type --from ethernet"), "{run}");
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = fs::read_to_string(readme).expect("a README");
    let (_, example) = readme.split_once("$ handclasp decode ").expect("an example");
    let (words, rest) = example.split_once('\n').expect("lines");
    let (shown, _) = rest.split_once("```").expect("an end");
    assert_eq!(decode(&words.split(' ').collect::<Vec<_>>()), shown);
}
