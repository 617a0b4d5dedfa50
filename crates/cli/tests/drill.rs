//! `handclasp drill` as a user runs it.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Run, command, handclasp, scratch};
use serde_json::Value;

const OPEN: &str = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 30000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss MSS>
+.1 < . 1:1(0) ack 1 win 30000
+0 accept(3, ..., ...) = 4
";

/// A folder with a script that passes, one that fails and one that cannot be read.
fn folder(name: &str) -> PathBuf {
    let folder = scratch(name);
    fs::create_dir_all(folder.join("inner")).unwrap();
    let with = |rest: &str| format!("{}{rest}", OPEN.replace("MSS", "1460"));
    fs::write(folder.join("good.pkt"), with("")).unwrap();
    let bad = with("+0 write(4, ..., 100) = 100\n+0 > . 1:101(100) ack 1\n");
    fs::write(folder.join("inner/bad.pkt"), bad).unwrap();
    fs::write(folder.join("other.txt"), "no script").unwrap();
    folder
}

fn drill(words: &[&str]) -> Run {
    Run::of(command().arg("drill").args(words))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

#[test]
fn a_folder_is_searched_and_a_failure_shows_both_packets_and_the_ladder() {
    let folder = folder("drill-folder");
    let run = drill(&[text(&folder)]);
    assert_eq!(run.code, 1, "{run}");
    let good = format!("pass  {}", folder.join("good.pkt").display());
    assert!(run.stdout.starts_with(&good), "{run}");
    let shown = "    line 9: the flags differ:
      expected  .  1:101(100) ack 1
      actual    P. 1:101(100) ack 1
                ^^
      so far:
        0.000000  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        0.000000  bind(3, ..., ...) = 0
        0.000000  listen(3, 1) = 0
        0.000000  LISTEN       ◀── S 0:0(0) win 30000 <mss 1000>
        0.000000  LISTEN       ──▶ S. 0:0(0) ack 1 <mss 1460>
        0.100000  LISTEN       ◀── . 1:1(0) ack 1 win 30000
        0.100000  accept(3, ..., ...) = 4
        0.100000  write(4, ..., 100) = 100
        0.100000  ESTABLISHED  ──▶ P. 1:101(100) ack 1
";
    assert!(run.stdout.contains(shown), "{run}");
    assert!(run.stdout.contains("\n1 passed, 1 failed of 2 in "), "{run}");
    assert!(run.stdout.trim_end().ends_with("(0.2 s of virtual time)"), "{run}");
}

#[test]
fn a_script_that_passes_is_done_and_shows_its_ladder_when_asked() {
    let folder = folder("drill-passes");
    let run = drill(&[text(&folder.join("good.pkt")), "--verbose"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("0.000000  LISTEN       ──▶ S. 0:0(0) ack 1"), "{run}");
}

#[test]
fn what_is_said_for_programs_is_an_object_for_each_script_and_a_summary() {
    let folder = folder("drill-json");
    let run = drill(&[text(&folder), "--json"]);
    let objects: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(objects.len(), 3, "{run}");
    assert_eq!(objects[0]["verdict"], "passed");
    assert_eq!((&objects[1]["verdict"], &objects[1]["line"]), (&"failed".into(), &9.into()));
    assert_eq!(objects[1]["ladder"][3]["kind"], "in");
    assert_eq!(objects[1]["ladder"][8]["state"], "ESTABLISHED");
    assert_eq!(objects[2]["summary"]["passed"], 1);
}

#[test]
fn a_table_tells_why_without_the_scripts_own_text() {
    let folder = folder("drill-table");
    let run = drill(&[text(&folder), "--markdown"]);
    let row = format!(
        "| `{}` | failed | line 9 | the flags differ |  |",
        folder.join("inner/bad.pkt").display()
    );
    assert!(run.stdout.contains(&row), "{run}");
}

#[test]
fn a_report_for_continuous_integration_is_written() {
    let folder = folder("drill-junit");
    let report = folder.join("report.xml");
    let run = drill(&[text(&folder), "--junit", text(&report)]);
    assert_eq!(run.code, 1, "{run}");
    let xml = fs::read_to_string(report).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");
    assert!(xml.contains("name=\"good.pkt\"") && xml.contains("message=\"the flags differ:\""));
    // The marks and arrows of a failure are text to XML.
    assert!(xml.contains("◀── S 0:0(0) win 30000 &lt;mss 1000&gt;"), "{xml}");
}

#[test]
fn a_script_that_cannot_be_read_is_pointed_at() {
    let folder = scratch("drill-unread");
    let script = folder.join("odd.pkt");
    fs::write(&script, "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 < S 0:0(0) wim 9\n")
        .unwrap();
    let run = drill(&[text(&script)]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stdout.contains("line 2, column 15: expected `win`"), "{run}");
    assert_eq!(run.stderr, "handclasp: 1 could not be read\n");
}

#[test]
fn a_dry_run_reads_and_runs_nothing() {
    let folder = folder("drill-dry");
    let run = drill(&[text(&folder), "--dry-run"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("read  "), "{run}");
}

#[test]
fn symbols_and_options_are_given_by_the_command_line() {
    let script = scratch("drill-symbols").join("mss.pkt");
    fs::write(&script, format!("--mtu=1500\n{OPEN}")).unwrap();
    let run = drill(&[text(&script), "-D", "MSS=1360", "-o", "mtu=1400"]);
    assert_eq!(run.code, 0, "{run}");
    let run = drill(&[text(&script), "-D", "MSS=1360"]);
    assert_eq!(run.code, 1, "{run}");
}

#[test]
fn scripts_run_over_the_ip_version_that_is_asked_for() {
    let script = scratch("drill-ip").join("ip.pkt");
    fs::write(&script, OPEN.replace("MSS", "1460")).unwrap();
    for version in ["ipv4", "ipv6", "ipv4-mapped-ipv6"] {
        let run = drill(&[text(&script), "--ip-version", version]);
        assert_eq!(run.code, 0, "{version}: {run}");
    }
}

#[test]
fn misuse_is_told_in_one_line() {
    let cases: [(&[&str], &str); 4] = [
        (&["/nowhere/at/all.pkt"], "cannot read /nowhere/at/all.pkt: No such file"),
        (&["--option", "mtu=big", "."], "--option: big is no MTU"),
        (&["--option", "colour=red", "."], "--option: there is no option colour"),
        (&["-D", "PORT", "."], "a symbol needs a value: type NAME=VALUE"),
    ];
    for (words, expected) in cases {
        let run = drill(words);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(expected) && run.stderr.lines().count() == 1, "{run}");
    }
}

#[test]
fn the_same_script_is_run_against_the_kernel() {
    let script = scratch("drill-kernel").join("open.pkt");
    fs::write(&script, OPEN.replace("MSS", "1460")).unwrap();
    if !Path::new("/dev/net/tun").exists() {
        return common::skip("the_same_script_is_run_against_the_kernel", "there is no TUN");
    }
    // A busy machine is late; what is sent and returned counts here.
    let late = ["-o", "tolerance_usecs=2000000"];
    let words = [&["drill", text(&script), "--against", "kernel"], &late[..]].concat();
    let Some(run) = handclasp(&words) else { return };
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("1 passed of 1"), "{run}");
}
