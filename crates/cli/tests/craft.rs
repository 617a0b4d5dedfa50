//! `craft` as a user runs it.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{Run, command, handclasp, handclasp_fed, is_missing, scratch};

/// Runs `craft`, which must understand these words.
fn craft(words: &[&str]) -> String {
    let run = Run::of(command().arg("craft").args(words));
    assert_eq!((run.code, &*run.stderr), (0, ""), "{run}");
    run.stdout
}

/// What is said of words that `craft` does not understand; nothing else may be printed.
fn refused(words: &[&str]) -> String {
    let run = Run::of(command().arg("craft").args(words));
    assert_eq!((run.code, &*run.stdout), (2, ""), "{run}");
    run.stderr
}

/// The three packets of an article about netwox.
const SYN: [&str; 14] = [
    "--src",
    "192.168.59.131:443",
    "--dst",
    "192.168.59.135:8080",
    "--flags",
    "S",
    "--seq",
    "0xA97F8D14",
    "--window",
    "1500",
    "--ip-id",
    "0x2262",
    "--ttl",
    "128",
];
const SYN_ACK: [&str; 16] = [
    "--src",
    "192.168.59.135:8081",
    "--dst",
    "192.168.59.131:443",
    "--flags",
    "SA",
    "--seq",
    "0xAC34C455",
    "--ack",
    "0xC166",
    "--window",
    "1500",
    "--ip-id",
    "0x37E2",
    "--ttl",
    "128",
];
const DATA: [&str; 18] = [
    "--src",
    "192.168.59.131:443",
    "--dst",
    "192.168.59.135:8080",
    "--flags",
    "A",
    "--seq",
    "0x6339F336",
    "--ack",
    "0x18C9",
    "--window",
    "1500",
    "--ip-id",
    "0x029B",
    "--ttl",
    "128",
    "--data",
    "hello, how are you ?",
];

#[test]
fn a_syn_comes_out_in_the_boxes_that_netwox_prints() {
    let boxes = craft(&SYN);
    assert_eq!(
        boxes,
        "\
IP______________________________________________________________.
|version|  ihl  |      tos      |            totlen             |
|___4___|___5___|____0x00=0_____|___________0x0028=40___________|
|              id               |r|D|M|       offsetfrag        |
|__________0x2262=8802__________|0|0|0|________0x0000=0_________|
|      ttl      |   protocol    |           checksum            |
|___0x80=128____|____0x06=6_____|____________0x2013_____________|
|                            source                             |
|________________________192.168.59.131_________________________|
|                          destination                          |
|________________________192.168.59.135_________________________|
TCP_____________________________________________________________.
|          source port          |       destination port        |
|__________0x01BB=443___________|__________0x1F90=8080__________|
|                            seqnum                             |
|_____________________0xA97F8D14=2843708692_____________________|
|                            acknum                             |
|_________________________0x00000000=0__________________________|
| doff  |r|r|r|r|C|E|U|A|P|R|S|F|            window             |
|___5___|0|0|0|0|0|0|0|0|0|0|1|0|__________0x05DC=1500__________|
|           checksum            |            urgptr             |
|_________0x59CC=22988__________|___________0x0000=0____________|
"
    );
}

#[test]
fn the_published_packets_have_the_right_sums() {
    for (words, ip, tcp) in [
        (&SYN[..], "0x2013", "0x59CC"),
        // 0x110E was printed for the second IP header, which was a mistake.
        (&SYN_ACK[..], "0x0A93", "0x5E5E"),
        (&DATA[..], "0x3FC6", "0x0A33"),
    ] {
        let boxes = craft(words);
        let sum = |value: &str| boxes.lines().filter(|line| line.contains(value)).count();
        assert_eq!((sum(ip), sum(tcp)), (1, 1), "{boxes}");
    }
    let boxes = craft(&DATA);
    assert!(boxes.contains("0x003C=60") && boxes.contains("0x000018C9=6345"), "{boxes}");
    assert!(boxes.ends_with("6f 75 20 3f                                         # ou ?\n"));
}

#[test]
fn a_packet_is_also_one_line() {
    let line = "192.168.59.131:443 > 192.168.59.135:8080 [S] seq 0xA97F8D14 win 1500 \
                ip-id 0x2262 ttl 128";
    assert_eq!(craft(&[line]), craft(&SYN));
    let tcpdump = craft(&["--format", "tcpdump", line]);
    assert_eq!(
        tcpdump,
        "IP 192.168.59.131.443 > 192.168.59.135.8080: Flags [S], seq 2843708692, win 1500, \
         length 0\n"
    );
    // What tcpdump prints is read back, and the flags say what it does not.
    assert_eq!(craft(&[tcpdump.trim(), "--ip-id", "0x2262", "--ttl", "128"]), craft(&SYN));
}

#[test]
fn what_is_printed_as_a_line_is_read_back() {
    let words = ["--vlan", "5", "--ipv6", "--options", "mss 1440, nop, wscale 7", "--data", "x"];
    let line = craft(&[&["--format", "line"], &words[..]].concat());
    assert_eq!(craft(&["--format", "line", line.trim()]), line);
}

#[test]
fn flags_win_over_the_line_and_say_the_same_of_every_packet() {
    let lines = ["1.1.1.1:1 > 2.2.2.2:2 [S] seq 1 win 5", "2.2.2.2:2 > 1.1.1.1:1 [.] ack 3"];
    let both = craft(&["--format", "tcpdump", "--win", "9", "--seq", "7", lines[0], lines[1]]);
    let [first, second] = both.lines().collect::<Vec<_>>()[..] else { panic!("{both}") };
    assert!(first.contains("seq 7, win 9"), "{first}");
    assert!(second.contains("ack 3, win 9"), "{second}");
}

#[test]
fn packets_from_both_ends_are_a_connection() {
    let packets = craft(&[
        "--format",
        "tcpdump",
        "--win",
        "9",
        "1.1.1.1:1 > 2.2.2.2:2 [S] seq 10",
        "2.2.2.2:2 > 1.1.1.1:1 [S.] seq 20",
        "1.1.1.1:1 > 2.2.2.2:2",
        "data \"hi\"",
        "2.2.2.2:2 > 1.1.1.1:1",
    ]);
    assert_eq!(
        packets,
        "\
IP 1.1.1.1.1 > 2.2.2.2.2: Flags [S], seq 10, win 9, length 0
IP 2.2.2.2.2 > 1.1.1.1.1: Flags [S.], seq 20, ack 11, win 9, length 0
IP 1.1.1.1.1 > 2.2.2.2.2: Flags [.], ack 21, win 9, length 0
IP 1.1.1.1.1 > 2.2.2.2.2: Flags [P.], seq 11:13, ack 21, win 9, length 2
IP 2.2.2.2.2 > 1.1.1.1.1: Flags [.], ack 13, win 9, length 0
"
    );
}

#[test]
fn what_nobody_says_is_sane_and_differs_from_run_to_run() {
    let line = |words: &[&str]| craft(&[&["--format", "line"], words].concat());
    let packet = line(&[]);
    for sane in ["[S]", "win 64240", "ttl 64", "ihl 5", "data-offset 5"] {
        assert!(packet.contains(sane), "{packet}");
    }
    assert_ne!(line(&[]), line(&[]));
    assert_eq!(line(&["--seed", "5"]), line(&["--seed", "5"]));
}

#[test]
fn wrong_values_can_be_forced() {
    let line = ["--format", "line", "--seed", "1"];
    let right = craft(&line);
    let wrong = craft(&[&line[..], &["--cksum", "auto+1", "--data-offset", "3"]].concat());
    assert!(right.contains("data-offset 5") && wrong.contains("data-offset 3"), "{wrong}");
    let told = craft(&["--ihl", "7", "--total-len", "20", "--ip-version", "9", "-f", "hex"]);
    assert!(told.starts_with("97000014"), "{told}");
}

#[test]
fn ethernet_and_tags_stand_in_front() {
    let hex = craft(&["-f", "hex", "--vlan", "5", "--eth-dst", "02:00:00:00:00:07"]);
    assert!(hex.starts_with("02000000000702000000000181000005080045"), "{hex}");
}

#[test]
fn payload_comes_as_text_hex_or_from_a_file() {
    let folder = scratch("craft-payload");
    let file = folder.join("payload");
    fs::write(&file, b"hi\n").expect("written");
    let at = format!("@{}", file.display());
    let tail = |words: &[&str]| {
        let hex = craft(&[&["-f", "hex"], words].concat());
        hex.trim_end()[80..].to_owned()
    };
    assert_eq!(tail(&["--data", "hi\\n"]), "68690a");
    assert_eq!(tail(&["--data-hex", "68 69 0a"]), "68690a");
    assert_eq!(tail(&["--data", &at]), "68690a");
    assert_eq!(tail(&["--len", "3"]), "000000");
}

#[test]
fn packets_are_read_from_standard_input() {
    let lines = "\
12:00:00.000001 IP (tos 0x0, ttl 63, id 8802, offset 0, flags [DF], proto TCP (6), length 40)
    10.0.0.1.1 > 10.0.0.2.2: Flags [S], cksum 0x48d7 (correct), seq 7, win 9, length 0

12:00:00.000002 IP 10.0.0.2.2 > 10.0.0.1.1: Flags [R.], seq 0, ack 8, win 0, length 0
";
    let run = handclasp_fed(&["craft", "-f", "tcpdump", "-"], lines).expect("no network");
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        run.stdout,
        "IP 10.0.0.1.1 > 10.0.0.2.2: Flags [S], seq 7, win 9, length 0\n\
         IP 10.0.0.2.2 > 10.0.0.1.1: Flags [R.], seq 0, ack 8, win 0, length 0\n"
    );
}

#[test]
fn bad_input_is_marked_at_its_place_with_the_nearest_name() {
    assert_eq!(
        refused(&["[S] seq 1 windwo 4"]),
        "handclasp: [S] seq 1 windwo 4\n                     \
         ^^^^^^ there is no such field; did you mean `window`?\n"
    );
    assert_eq!(
        refused(&["--windwo", "5"]),
        "handclasp: --windwo\n             \
         ^^^^^^ there is no such field; did you mean `window`?\n"
    );
    assert_eq!(
        refused(&["--ttl", "256"]),
        "handclasp: --ttl 256\n                 ^^^ the number is above 255\n"
    );
    assert_eq!(
        refused(&["--flags", "syn,akc"]),
        "handclasp: --flags syn,akc\n                       \
         ^ there is no such flag; did you mean `ack`?\n"
    );
    assert_eq!(
        refused(&["--ipv6", "1.1.1.1:1 > 2.2.2.2:2"]),
        "handclasp: --ipv6\n           ^^^^^^ this contradicts that it is IPv4\n"
    );
}

#[test]
fn of_a_long_line_the_part_around_the_fault_is_shown() {
    let line = format!("[S] data \"{}\" windwo 5", "x".repeat(3000));
    let said = refused(&[&line]);
    let [first, second] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(first.contains("…") && first.chars().count() < 110, "{said}");
    let at = second.find('^').expect("marked");
    let shown: String = first.chars().skip(at).take(6).collect();
    assert_eq!(shown, "windwo");
}

#[test]
fn the_same_bytes_come_out_in_every_form() {
    let words = ["--seed", "3", "--data", "hi", "--dst", "10.0.0.9"];
    let form = |form: &str| craft(&[&["-f", form], &words[..]].concat());
    let hex = form("hex");
    for other in ["dump", "rust"] {
        let run = handclasp_fed(&["craft", "-f", "hex"], "").expect("no network");
        assert_eq!(run.code, 0);
        assert!(!form(other).is_empty());
    }
    let packet: serde_json::Value = serde_json::from_str(&form("json")).expect("an object");
    assert_eq!(packet["len"], hex.trim().len() / 2);
    let bytes = command().args(["craft", "-f", "bytes"]).args(words).output().expect("it runs");
    let again: String = bytes.stdout.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(again, hex.trim());
}

#[test]
fn a_capture_file_is_read_by_tshark() {
    let name = "a_capture_file_is_read_by_tshark";
    if is_missing("tshark", name) {
        return;
    }
    let file = scratch("craft-capture").join("handshake.pcapng");
    let path = file.to_str().expect("text");
    let packets = ["1.1.1.1:1 > 2.2.2.2:2 [S]", "2.2.2.2:2 > 1.1.1.1:1", "1.1.1.1:1 > 2.2.2.2:2"];
    craft(
        &[&["-f", "pcapng", "-o", path, "--eth-src", "02:00:00:00:00:09"], &packets[..]].concat(),
    );
    let fields = ["tcp.flags.str", "tcp.seq", "tcp.ack", "tcp.completeness"];
    let fields = fields.iter().flat_map(|field| ["-e", field]);
    let mut tshark = Command::new("tshark");
    tshark.args(["-2", "-r", path, "-o", "tcp.check_checksum:TRUE", "-T", "fields"]).args(fields);
    let output = tshark.stderr(Stdio::null()).output().expect("tshark runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let numbers: Vec<_> = rows.iter().map(|row| (row[1], row[2])).collect();
    assert_eq!(numbers, [("0", "0"), ("0", "1"), ("1", "1")], "{text}");
}

#[test]
fn a_capture_has_one_sort_of_packets() {
    let said = refused(&["-f", "pcapng", "[S] vlan 5", "[S]"]);
    assert!(said.contains("but not both") && said.lines().count() == 1, "{said}");
    let said = refused(&["-f", "pcapng", "[S] layers tcp"]);
    assert!(said.contains("needs an IP or Ethernet header"), "{said}");
}

/// Runs `craft --send` in a private network; nothing where that is not allowed.
fn send(words: &[&str]) -> Option<Run> {
    handclasp(&[&["craft", "--send", "-f", "tcpdump"], words].concat())
}

#[test]
fn a_closed_port_answers_with_a_reset() {
    for family in ["-4", "-6"] {
        let Some(run) = send(&["--reply", "--dport", "81", "--seq", "7", family]) else { return };
        assert_eq!(run.code, 0, "{run}");
        let [syn, reset] = run.stdout.lines().collect::<Vec<_>>()[..] else { panic!("{run}") };
        assert!(syn.contains("Flags [S], seq 7,"), "{run}");
        assert!(reset.contains("Flags [R.], seq 0, ack 8, win 0"), "{run}");
        assert!(run.stderr.starts_with("# answered after "), "{run}");
    }
}

#[test]
fn a_handshake_by_hand_fetches_a_page_and_leaves_nothing_open() {
    let get = r#"data "GET / HTTP/1.0\r\n\r\n""#;
    let Some(run) = send(&["--reply", "[S] seq 99", "[.]", get]) else { return };
    assert_eq!(run.code, 0, "{run}");
    let flags: Vec<_> = run
        .stdout
        .lines()
        .map(|line| {
            let (_, rest) = line.split_once('[').expect("flags");
            rest.split_once(']').expect("flags").0.to_owned()
        })
        .collect();
    assert_eq!(flags[..4], ["S", "S.", ".", "P."], "{run}");
    assert!(run.stdout.contains("seq 100:118"), "{run}");
    assert!(run.stderr.contains("# reset in the end: "), "{run}");
}

#[test]
fn what_is_left_open_on_purpose_is_not_reset() {
    let Some(run) = send(&["--reply", "--leave"]) else { return };
    assert_eq!((run.code, run.stderr.contains("reset in the end")), (0, false), "{run}");
}

#[test]
fn a_segment_out_of_nowhere_is_answered_with_a_reset() {
    // The third published packet fits neither of the others.
    let Some(run) = send(&["--reply", "--flags", "A", "--ack", "0x18C9", "--data", "hello"]) else {
        return;
    };
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("Flags [R], seq 6345, win 0"), "{run}");
}

#[test]
fn no_answer_is_a_failure() {
    let Some(run) = send(&["--reply=50ms", "--flags", "R"]) else { return };
    assert_eq!((run.code, run.stdout.lines().count()), (1, 1), "{run}");
    assert!(run.stderr.contains("# no answer within 50 ms"), "{run}");
}

#[test]
fn a_frame_of_ones_own_is_sent_as_it_is() {
    let Some(run) = handclasp(&["craft", "--send", "--reply", "-f", "json", "--eth-type", "0x800"])
    else {
        return;
    };
    assert_eq!(run.code, 0, "{run}");
    let packets: Vec<serde_json::Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let address = |packet: &serde_json::Value, name: &str| {
        let fields = packet["fields"].as_array().expect("fields").clone();
        fields.into_iter().find(|field| field["name"] == name).expect("there")["value"].clone()
    };
    let [sent, answer] = &packets[..] else { panic!("{run}") };
    assert_eq!((&sent["direction"], &answer["direction"]), (&"sent".into(), &"answer".into()));
    assert_eq!(address(sent, "eth-dst"), address(answer, "eth-src"));
    assert_eq!(address(sent, "eth-src"), address(answer, "eth-dst"));
    assert!(answer["took_us"].as_f64().is_some_and(|took| took > 0.0), "{run}");
}

#[test]
fn bad_input_sends_nothing() {
    let run = Run::of(command().args(["craft", "--send", "[S]", "[.] windwo 3"]));
    assert_eq!((run.code, &*run.stdout), (2, ""), "{run}");
    assert!(run.stderr.contains("did you mean `window`"), "{run}");
    let run = Run::of(command().args(["craft", "--reply"]));
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("--send"), "{run}");
}

#[test]
fn the_rows_of_a_ladder_are_read_back() {
    let Some(lab) = handclasp(&["lab"]) else { return };
    let run = handclasp_fed(&["craft", "-f", "tcpdump", "-"], &lab.stdout).expect("no network");
    assert_eq!(run.code, 0, "{run}");
    let rows = lab.stdout.lines().filter(|line| line.contains("──")).count();
    assert_eq!(run.stdout.lines().count(), rows, "{run}\n{lab}");
    let syn = run.stdout.lines().next().expect("a packet");
    assert!(syn.contains("Flags [S], seq 0, win 64240, options [mss 1460,wscale 7"), "{syn}");
}

#[test]
fn what_was_opened_is_reset_also_when_the_wait_is_interrupted() {
    let name = "what_was_opened_is_reset_also_when_the_wait_is_interrupted";
    if is_missing("kill", name) {
        return;
    }
    let mut waiting = command();
    // Nobody answers a damaged segment.
    waiting.args(["craft", "--send", "--reply=1min", "-f", "tcpdump", "--lang", "en"]);
    waiting.args(["[S]", "data \"x\" cksum auto+1"]);
    let mut child = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let printed = lines.take(3).filter(|line| line.is_ok()).count();
    while printed == 3 && child.try_wait().expect("a child").is_none() {
        // One that comes before it is listened for is lost.
        let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(status.is_ok());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let Some(run) = Run::from(child.wait_with_output().expect("it ends")).allowed() else { return };
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("# reset in the end: "), "{run}");
    assert!(run.stderr.ends_with("handclasp: interrupted\n"), "{run}");
}
