//! Other tools as judges: scapy builds the same bytes, tcpdump and tshark read them.
//!
//! A test whose tool is absent says so by name. scapy is looked for in the interpreter that
//! `HANDCLASP_PYTHON` names, then in `python3` and the system's.

mod common;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use handclasp_craft::dissect::Start;
use handclasp_craft::field::Field;
use handclasp_craft::format::{Form, Hex, scapy, tcpdump};
use handclasp_craft::template::Template;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rand_pcg::Pcg32;

const LINES: [&str; 15] = [
    "192.168.59.131:443 > 192.168.59.135:8080 [S] seq 0xA97F8D14 win 1500 ip-id 0x2262 ttl 128",
    "10.0.0.1:1 > 10.0.0.2:2 [S.] seq 5 ack 6 <mss 1460, sackOK, TS val 1 ecr 2, nop, wscale 7>",
    "10.0.0.1:1 > 10.0.0.2:2 [P.] seq 5 ack 6 data \"it's \\\\ a \\\"test\\\"\\r\\n\\x00\\xff\"",
    "10.0.0.1:1 > 10.0.0.2:2 [.] ack 6 <nop, nop, sack 2 {5:10}{20:30}>",
    "10.0.0.1:1 > 10.0.0.2:2 [FSRP.UEW] seq 5 ack 6 urg 7 reserved 5 cksum 0x1234 dscp 46 ecn 3",
    "10.0.0.1:1 > 10.0.0.2:2 [none] rf 1 df 1 ip-options 0x0101 <mss 9, eol>",
    "10.0.0.1:1 > 10.0.0.2:2 [S] <tfo cookiereq> data \"x\"",
    "10.0.0.1:1 > 10.0.0.2:2 [S] <tfo cookie 01020304, exp-tfo cookiereq, exp-tfo cookie 01020304>",
    "10.0.0.1:1 > 10.0.0.2:2 [R] seq 5 <unknown-99 0102, nop>",
    "[fd00::1]:1 > [fd00::2]:80 [S] seq 1 flow-label 0x12345 dscp 1 <mss 1440>",
    "[fd00::1]:1 > [fd00::2]:81 [F.] seq 1 ack 2 ip-options 0x0600000000000000 proto 60",
    "10.0.0.1:1 > 10.0.0.2:2 [S] total-len 39 ihl 5 data-offset 5 trailer 0x00",
    "10.0.0.1:0 > 10.0.0.2:0 [S] seq 0 win 0 ip-id 0 ttl 0 mf 1 frag-offset 3 vlan-dei 1",
    "10.0.0.1:1 > 10.0.0.2:2 [S] data-offset 3 proto 6",
    "10.0.0.1:1 > 10.0.0.2:2 [.e] seq 1 <uto 0x0005, accecn0 1 2 3>",
];

fn packets() -> Vec<(Template, Vec<u8>)> {
    let built = LINES.map(|line| {
        let template: Template = line.parse().unwrap();
        let bytes = template.build(&mut Pcg32::new(1, 1));
        (template, bytes)
    });
    built.into()
}

/// Says past the harness, which captures it, that a test cannot judge.
fn skipped(tool: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {tool} is not on this machine");
}

fn has(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A capture of our packets that goes away with this.
struct Capture(PathBuf);

impl Capture {
    fn of(name: &str, packets: Vec<Vec<u8>>, start: Start) -> Self {
        let packets: Vec<_> = packets.into_iter().map(|p| (Duration::from_secs(9), p)).collect();
        let bytes = Form::Pcapng.show(&packets, start).unwrap();
        let name = format!("handclasp-craft-{}-{name}.pcapng", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn read_by(&self, program: &str, arguments: &[&str]) -> Vec<String> {
        let output = Command::new(program).arg("-r").arg(&self.0).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The interpreter that has scapy, if there is one: the system's may have it where the user's
/// own has not.
fn python() -> Option<String> {
    let told = std::env::var("HANDCLASP_PYTHON").ok();
    let candidates = told.into_iter().chain(["python3", "/usr/bin/python3"].map(str::to_owned));
    let found = candidates.into_iter().find(|python| has(python, &["-c", "import scapy.all"]));
    if found.is_none() {
        skipped("scapy");
    }
    found
}

/// Has scapy build what we say builds these packets.
fn built_by_scapy(python: &str, packets: &[(Vec<u8>, Start)]) {
    let mut script = String::from("from scapy.all import *\n");
    for (bytes, start) in packets {
        script += &format!("print(raw({}).hex())\n", scapy(bytes, *start));
    }
    let mut child = Command::new(python);
    let child = child.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let built: Vec<_> = str::from_utf8(&output.stdout).unwrap().lines().collect();
    assert_eq!(built.len(), packets.len());
    for ((bytes, start), built) in packets.iter().zip(built) {
        assert_eq!(built, Hex(bytes).to_string(), "{}", scapy(bytes, *start));
    }
}

#[test]
fn scapy_builds_the_same_bytes() {
    let Some(python) = python() else { return };
    let mut all = Vec::new();
    for (template, bytes) in packets() {
        all.push((bytes, template.start()));
        let tagged = template.with(Field::InnerVlanId, 5u8);
        all.push((tagged.build(&mut Pcg32::new(2, 2)), Start::Ethernet));
    }
    built_by_scapy(&python, &all);
}

#[test]
fn scapy_builds_any_packet_the_same() {
    let Some(python) = python() else { return };
    let mut runner = TestRunner::deterministic();
    let mut all = Vec::new();
    for _ in 0..150 {
        for strategy in [common::whole().boxed(), common::template().boxed()] {
            let template = strategy.new_tree(&mut runner).unwrap().current();
            all.push((template.build(&mut common::rng()), template.start()));
        }
    }
    built_by_scapy(&python, &all);
}

#[test]
fn tcpdump_prints_what_we_say_it_does_and_we_read_that() {
    if !has("tcpdump", &["--version"]) {
        return skipped("tcpdump");
    }
    // Of the others, tcpdump's versions tell different things.
    let packets = packets().into_iter().take(10);
    let packets: Vec<_> = packets.map(|(_, bytes)| bytes).collect();
    let capture = Capture::of("tcpdump", packets.clone(), Start::Ip);
    let printed = capture.read_by("tcpdump", &["-t", "-nn", "-S"]);
    let ours: Vec<_> = packets.iter().map(|packet| tcpdump(packet, Start::Ip)).collect();
    assert_eq!(printed, ours);
    for (line, packet) in printed.iter().zip(&packets) {
        let template: Template = line.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(template.matches(packet, Start::Ip), Ok(()), "{line}");
    }
    let verbose = capture.read_by("tcpdump", &["-t", "-nn", "-S", "-v"]).join("\n");
    let verbose = verbose.replace("\n    ", " ");
    for (line, packet) in verbose.lines().filter(|line| line.starts_with("IP")).zip(&packets) {
        let template: Template = line.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(template.matches(packet, Start::Ip), Ok(()), "{line}");
    }
}

#[test]
fn what_tcpdump_prints_of_frames_is_read() {
    if !has("tcpdump", &["--version"]) {
        return skipped("tcpdump");
    }
    let frame = |(template, _): (Template, _)| {
        template
            .with(Field::VlanId, 5u8)
            .with(Field::VlanPriority, 3u8)
            .build(&mut Pcg32::new(2, 2))
    };
    let frames: Vec<_> = packets().into_iter().take(10).map(frame).collect();
    let capture = Capture::of("tcpdump-e", frames.clone(), Start::Ethernet);
    let printed = capture.read_by("tcpdump", &["-e", "-t", "-nn", "-S"]);
    assert_eq!(printed.len(), frames.len());
    for (line, frame) in printed.iter().zip(&frames) {
        let template: Template = line.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(template.given(Field::VlanPriority), Some(3), "{line}");
        assert_eq!(template.matches(frame, Start::Ethernet), Ok(()), "{line}");
    }
}

#[test]
fn tshark_finds_the_fields_that_we_name() {
    if !has("tshark", &["--version"]) {
        return skipped("tshark");
    }
    let (template, bytes) = packets().remove(1);
    let capture = Capture::of("tshark", vec![bytes], Start::Ip);
    for (field, name) in template.fields.keys().map(|field| (field, field.name())) {
        let place = field.place(template.family.unwrap_or_default()).unwrap();
        let values = capture.read_by("tshark", &["-T", "fields", "-e", place.key]);
        assert!(values.first().is_some_and(|value| !value.is_empty()), "{name}: {values:?}");
    }
}
