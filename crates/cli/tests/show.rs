//! `handclasp show` on captures that the lab made, with tshark as the judge.

mod common;

use std::fs;

use common::{CAPTURES, capture, is_missing, objects, offline, offline_fed, scratch, tshark};
use handclasp_craft::dissect::Start;
use handclasp_craft::template::Template;
use handclasp_explain::capture::writer::Writer;
use handclasp_explain::capture::{Frame, Reader};
use handclasp_explain::flow::table::Limits;
use handclasp_explain::trace::Trace;

fn lines(words: &[&str]) -> Vec<String> {
    let run = offline(&[&["show"], words].concat());
    assert_eq!(run.code, 0, "{run}");
    run.stdout.lines().map(str::to_owned).collect()
}

/// The numbers of the frames that a filter lets pass.
fn numbers(file: &str, filter: &str) -> Vec<u64> {
    let lines = lines(&[file, filter, "--fields", "frame.number"]);
    lines.iter().map(|line| line.parse().expect("a number")).collect()
}

#[test]
fn every_line_is_a_packet_that_craft_reads_back() {
    for name in CAPTURES {
        let file = capture(name);
        let lines = lines(&["-S", &file]);
        let mut trace = Trace::new(fs::File::open(&file).unwrap(), Limits::default()).unwrap();
        let mut read = 0;
        while let Some(step) = trace.next().unwrap() {
            let Some(packet) = step.packet() else { continue };
            let line = &lines[read];
            let template: Template = line.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
            assert_ne!(template.options.is_some(), packet.segment.options.is_empty(), "{line}");
            let matched = template.matches(packet.frame.bytes, Start::Ethernet);
            assert!(matched.is_ok(), "{line}: {matched:?}");
            read += 1;
        }
        assert_eq!(read, lines.len());
    }
}

#[test]
fn numbers_are_relative_and_states_and_marks_stand_behind_the_segment() {
    let lines = lines(&["-t", &capture("lost_syn_ack")]);
    assert!(lines[0].contains("[S] seq 0 win 64240 <mss 1460,"), "{lines:#?}");
    assert!(lines[0].ends_with("# SYN-SENT, ?"), "{lines:#?}");
    let again: Vec<_> = lines.iter().filter(|line| line.contains("# retransmission ")).collect();
    assert!(
        again.len() >= 2
            && again.iter().all(|line| line.contains("1s after #") || line.contains(" s after #")),
        "{lines:#?}"
    );
    assert!(lines.last().unwrap().ends_with("# CLOSED, TIME-WAIT"), "{lines:#?}");
}

/// Fields that both of us print in the same way.
const FIELDS: &str = "frame.number,frame.time_epoch,frame.time_relative,frame.time_delta,\
    frame.len,frame.cap_len,eth.src,eth.dst,eth.type,ip.src,ip.dst,ip.ttl,ip.id,ip.proto,\
    ip.dsfield.ecn,ipv6.src,ipv6.dst,ipv6.hlim,tcp.stream,tcp.srcport,tcp.dstport,tcp.port,\
    tcp.len,tcp.payload,tcp.seq,tcp.seq_raw,tcp.nxtseq,tcp.ack,tcp.ack_raw,tcp.hdr_len,tcp.flags,\
    tcp.flags.fin,tcp.flags.syn,tcp.flags.reset,tcp.flags.push,tcp.flags.ack,\
    tcp.window_size_value,tcp.window_size,tcp.window_size_scalefactor,tcp.options,\
    tcp.options.mss_val,tcp.options.wscale.shift,tcp.options.timestamp.tsval,\
    tcp.options.timestamp.tsecr,tcp.options.sack_le,tcp.options.sack_re,tcp.time_relative,\
    tcp.time_delta,tcp.analysis.retransmission,tcp.analysis.fast_retransmission,\
    tcp.analysis.duplicate_ack,tcp.analysis.duplicate_ack_num,tcp.analysis.acks_frame,\
    tcp.analysis.ack_rtt,tcp.analysis.rto,\
    tcp.analysis.bytes_in_flight,tcp.analysis.push_bytes_sent";

#[test]
fn fields_are_printed_as_tshark_prints_them() {
    if is_missing("tshark", "fields_are_printed_as_tshark_prints_them") {
        return;
    }
    for name in CAPTURES {
        let file = capture(name);
        let mut words = vec!["-Y", "tcp", "-T", "fields"];
        FIELDS.split(',').for_each(|field| words.extend(["-e", field]));
        let theirs = tshark(&file, &words);
        let ours = lines(&[&file, "--fields", FIELDS]);
        assert_eq!(ours.len(), theirs.lines().count());
        for (ours, theirs) in ours.iter().zip(theirs.lines()) {
            let cells = FIELDS.split(',').zip(ours.split('\t')).zip(theirs.split('\t'));
            for ((field, ours), theirs) in cells {
                // Newer versions write bits as words; a mark may stand there twice.
                let theirs = match theirs {
                    "True" | "1,1" => "1",
                    "False" => "0",
                    other => other,
                };
                // SACK's edges count from the ISN there, and here they are as in the header.
                let alike = ours == theirs || field.starts_with("tcp.options.sack_");
                assert!(alike, "{name} {field}: {ours:?}, tshark says {theirs:?}");
            }
        }
    }
}

/// Filters of every kind that the language has.
const FILTERS: [&str; 24] = [
    "tcp.flags.reset == 1 && tcp.seq == 1",
    "tcp.flags.syn == 1 && tcp.analysis.retransmission",
    "tcp.port == 80 and not tcp.len == 0",
    "tcp.srcport > tcp.dstport",
    "ip.src == 10.77.0.0/31",
    "ip.addr == 10.77.0.1 || ipv6.addr == fd77::/16",
    "ip.src != 10.77.0.1",
    "tcp.port in {80, 443, 8000..9000}",
    "tcp.flags.fin == 1 or tcp.flags.push == 1",
    "tcp.payload contains \"HTTP/1.1\"",
    "tcp.payload matches \"^get \"",
    "tcp.payload matches r\"\\d{3} OK\"",
    "tcp contains \"GET\"",
    "frame contains 48:54:54:50",
    "tcp.payload[0:3] == 47:45:54",
    "tcp[13] == 12",
    "tcp.flags & 0x12 == 0x12",
    "frame.number in {5..8}",
    "tcp.len > 100 && frame.time_relative < 0.03",
    "tcp.window_size_scalefactor > 0",
    "tcp.options.sack_perm",
    "tcp.analysis",
    "tcp.analysis.flags",
    "eth.src[0:2] == 02:77 && !(tcp.completeness == 0)",
];

#[test]
fn filters_let_pass_what_they_let_pass_in_tshark() {
    if is_missing("tshark", "filters_let_pass_what_they_let_pass_in_tshark") {
        return;
    }
    let file = merged("filters");
    let mut passed = 0;
    for filter in FILTERS {
        // ARP and neighbours' ICMP are no matter of ours.
        let both = format!("tcp && ({filter})");
        let theirs = tshark(&file, &["-2", "-Y", &both, "-T", "fields", "-e", "frame.number"]);
        let theirs: Vec<u64> = theirs.lines().map(|line| line.parse().unwrap()).collect();
        let ours = numbers(&file, filter);
        assert_eq!(ours, theirs, "{filter}");
        passed += ours.len();
    }
    assert!(passed > 500, "{passed} packets passed: is there a filter at all?");
}

/// All captures in one, since tshark takes long to start.
fn merged(name: &str) -> String {
    let mut frames = Vec::new();
    for capture in CAPTURES.map(capture) {
        let mut reader = Reader::new(fs::File::open(capture).unwrap()).unwrap();
        while let Some(frame) = reader.next().unwrap() {
            frames.push((frame.at, frame.link, frame.len, frame.bytes.to_vec()));
        }
    }
    frames.sort_by_key(|(at, ..)| *at);
    let path = scratch(name).join("merged.pcapng");
    let mut writer = Writer::new(fs::File::create(&path).unwrap()).unwrap();
    for (at, link, len, bytes) in &frames {
        let (at, link, len, bytes) = (*at, *link, *len, &bytes[..]);
        writer.frame(&Frame { number: 0, at, link, interface: 0, len, bytes }).unwrap();
    }
    path.display().to_string()
}

#[test]
fn the_articles_filters_find_what_they_are_for_in_its_own_spelling() {
    let refused = capture("closed_port");
    let run = offline(&["show", &refused, "tcp.Flags.Reset == 1 && tcp.Seq == 1"]);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 1), "{run}");
    assert!(run.stderr.contains("tcp.Seq is read as tcp.seq"), "{run}");
    let lost = capture("lost_syn_ack");
    assert!(!numbers(&lost, "tcp.flags.syn == 1 && tcp.analysis.retransmission").is_empty());
}

#[test]
fn what_is_written_is_read_by_tshark() {
    let folder = scratch("show");
    let copy = folder.join("copy.pcapng").display().to_string();
    let run = offline(&["show", &capture("page"), "-Y", "tcp.len > 0", "-w", &copy]);
    assert_eq!((run.code, &*run.stdout), (0, ""), "{run}");
    let lines = lines(&["-r", &copy, "-tt"]);
    assert_eq!(lines.len(), 2);
    if is_missing("tshark", "what_is_written_is_read_by_tshark") {
        return;
    }
    let theirs = tshark(&copy, &["-T", "fields", "-e", "frame.time_epoch", "-e", "tcp.len"]);
    let ours = self::lines(&["-r", &copy, "--fields", "frame.time_epoch,tcp.len"]);
    assert_eq!(theirs.lines().collect::<Vec<_>>(), ours);
}

#[test]
fn words_behind_r_are_the_filter_and_c_counts_what_passes() {
    let file = capture("page");
    assert_eq!(lines(&["-r", &file, "tcp.len", ">", "0", "-c", "1"]).len(), 1);
    assert_eq!(lines(&[&file, "tcp.len", ">", "0"]).len(), 2);
    assert_eq!(lines(&["-c", "3", &file]).len(), 3);
}

#[test]
fn bytes_are_dumped_as_tcpdump_dumps_them() {
    if is_missing("tcpdump", "bytes_are_dumped_as_tcpdump_dumps_them") {
        return;
    }
    let file = capture("page");
    for flag in ["-x", "-xx", "-X", "-XX"] {
        let mut tcpdump = std::process::Command::new("tcpdump");
        let theirs = tcpdump.args(["-t", "-n", flag, "-r", &file, "tcp"]).output().unwrap();
        let theirs = String::from_utf8(theirs.stdout).unwrap();
        let dump = |text: &str| -> Vec<String> {
            let dumped = text.lines().filter(|line| line.starts_with("\t0x"));
            dumped.map(|line| line.trim_end().to_owned()).collect()
        };
        assert_eq!(dump(&lines(&[&file, flag]).join("\n")), dump(&theirs), "{flag}");
    }
}

#[test]
fn standard_input_is_read_where_the_file_is_a_dash() {
    let bytes = fs::read(capture("page")).unwrap();
    let run = offline_fed(&["show", "-", "tcp.flags.syn == 1"], bytes);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{run}");
}

#[test]
fn objects_have_wiresharks_names() {
    let run = offline(&["show", "--json", &capture("lossy")]);
    assert_eq!(run.code, 0, "{run}");
    let objects = objects(&run);
    for object in &objects {
        assert_eq!((&object["v"], &object["type"]), (&1.into(), &"packet".into()));
        assert!(object["time_ns"].as_u64().unwrap() > 1_500_000_000_000_000_000);
        let raw = object["tcp.seq_raw"].as_u64().unwrap();
        assert!(object["tcp.seq"].as_u64().unwrap() <= raw || raw < 100_000);
    }
    assert_eq!(objects[0]["tcp.flags.letters"], "S");
    assert_eq!(objects[1]["states"]["client"]["state"], "ESTABLISHED");
    let again = objects.iter().filter(|o| o["tcp.analysis.retransmission"] == true);
    assert_eq!(again.count(), 2);
    let run = offline(&["show", "--json", &capture("page"), "--fields", "tcp.len", "-c", "1"]);
    assert_eq!(common::objects(&run)[0]["tcp.len"], 0, "{run}");
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let folder = scratch("show_broken");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let whole = fs::read(capture("page")).unwrap();
    let cut = file("cut.pcapng", &whole[..1500]);
    let run = offline(&["show", &cut]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stdout.lines().count() > 3, "{run}");
    assert!(run.stderr.contains("damaged at byte") && run.stderr.lines().count() == 1, "{run}");
    let page = capture("page");
    let misuses = [
        (vec!["show".into(), file("text", b"hello, world")], "is no capture"),
        (vec!["show".into(), file("empty", b"")], "the file ends within the file header"),
        (vec!["show".into(), "/no/such/file".into()], "cannot read /no/such/file"),
        (vec!["show".into(), page.clone(), "--fields".into(), "tcp.sek".into()], "is it tcp.seq?"),
        (vec!["show".into(), page.clone(), "-c".into(), "0".into()], "1.."),
        (vec!["show".into()], "<FILE"),
    ];
    for (words, hint) in misuses {
        let run = offline(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((run.code, &*run.stdout), (2, ""), "{words:?}: {run}");
        assert_eq!(run.stderr.lines().count(), 1, "{words:?}: {run}");
        assert!(run.stderr.contains(hint), "{words:?}: {run}");
    }
    let run = offline(&["show", &page, "ip && tcp.flag.syn == 1"]);
    let said: Vec<_> = run.stderr.lines().collect();
    assert_eq!(run.code, 2, "{run}");
    assert_eq!(said[0], "handclasp: there is no field tcp.flag.syn; is it tcp.flags.syn?");
    assert_eq!(said[1..], ["ip && tcp.flag.syn == 1", "      ^^^^^^^^^^^^"]);
}
