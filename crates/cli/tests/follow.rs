//! `handclasp follow` on captures that the lab made, with tshark as the judge.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{capture, command, is_missing, offline, offline_fed, scratch, tshark};

/// The bytes of one direction.
fn raw(file: &str, side: &str) -> Vec<u8> {
    let mut command = command();
    let output = command.args(["follow", file, side, "--raw"]).stdin(Stdio::null()).output();
    let output = output.expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn both_directions_come_in_their_order_with_arrows_between_them() {
    let run = offline(&["follow", &capture("page")]);
    assert_eq!(run.code, 0, "{run}");
    let asked = run.stdout.find("GET / HTTP/1.1").expect("a request");
    let answered = run.stdout.find("HTTP/1.1 200 OK").expect("an answer");
    assert!(asked < answered && run.stdout.starts_with("──▶ #"), "{run}");
    assert!(run.stdout.ends_with("hello from the other end\n"), "{run}");
    assert!(!run.stdout.contains('\x1b') && !run.stdout.contains('\r'), "{run}");
}

#[test]
fn resent_and_reordered_bytes_make_the_whole() {
    if is_missing("tshark", "resent_and_reordered_bytes_make_the_whole") {
        return;
    }
    let file = capture("lossy");
    let words = ["-q", "-z", "follow,tcp,raw,0"];
    let theirs = tshark(&file, &words);
    // Lines of the second node's bytes are indented.
    let lines = theirs.lines().skip_while(|line| !line.starts_with("Node 1")).skip(1);
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with('=')).collect();
    for (side, indented) in [("--client", false), ("--server", true)] {
        let lines = lines.iter().filter(|line| line.starts_with('\t') == indented);
        let hex: String = lines.map(|line| line.trim()).collect();
        let ours: String = raw(&file, side).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(ours.len(), 40_000);
        assert!(ours == hex, "{side} differs from what tshark puts together");
    }
}

#[test]
fn a_digest_is_that_of_the_raw_bytes() {
    if is_missing("sha256sum", "a_digest_is_that_of_the_raw_bytes") {
        return;
    }
    let file = capture("lossy");
    let run = offline(&["follow", &file, "--digest"]);
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{run}");
    for side in ["--client", "--server"] {
        let path = scratch("follow").join(side.trim_start_matches('-'));
        fs::write(&path, raw(&file, side)).unwrap();
        let sum = Command::new("sha256sum").arg(&path).output().unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap();
        let run = offline(&["follow", &file, "--digest", side]);
        assert!(run.stdout.contains(sum.split(' ').next().unwrap()), "{sum} {run}");
        assert!(run.stdout.contains("20,000 bytes"), "{run}");
    }
}

#[test]
fn what_the_capture_lacks_is_said_and_never_filled() {
    let file = capture("lossy");
    let copy = scratch("gaps").join("gaps.pcapng").display().to_string();
    let without = "!(tcp.seq >= 2897 && tcp.seq < 5793 && tcp.srcport != 80)";
    assert_eq!(offline(&["show", &file, without, "-w", &copy]).code, 0);
    let run = offline(&["follow", &copy, "--client"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("[2.9 kB from the client are not in the capture]"), "{run}");
    let run = offline(&["follow", &copy, "--digest", "--client"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("the client: 17,104 bytes"), "{run}");
    assert!(run.stderr.contains("are not in the capture"), "{run}");
}

#[test]
fn a_connection_that_is_not_there_is_said_in_one_line() {
    let run = offline(&["follow", &capture("page"), "--flow", "9"]);
    assert_eq!((run.code, &*run.stdout), (2, ""), "{run}");
    assert_eq!(
        run.stderr,
        "handclasp: there is no connection 9: type handclasp flows to see them\n"
    );
    let run = offline_fed(&["follow", "-"], fs::read(capture("page")).unwrap());
    assert_eq!(run.code, 0, "{run}");
}
