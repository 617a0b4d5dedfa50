//! `handclasp export` and `handclasp report` as a user runs them.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Run, command, is_missing, scratch, skip};

/// A capture of our own stack's, over a bad link.
fn lab(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("lab.pcapng");
    let words = ["lab", "--bytes", "500kB", "--loss", "2%", "--seed", "7", "--write"];
    let run = common::handclasp(&[&words[..], &[path.to_str().unwrap()]].concat())?;
    assert_eq!(run.code, 0, "{run}");
    Some(path)
}

fn export(capture: &Path, out: &Path, words: &[&str]) -> Run {
    Run::of(command().arg("export").arg(capture).arg("-o").arg(out).args(words))
}

#[test]
fn tables_are_written_as_csv_and_as_json_lines() {
    let folder = scratch("tables");
    let Some(capture) = lab(&folder) else { return };
    let out = folder.join("tables");
    for format in ["csv", "jsonl"] {
        let run = export(&capture, &out, &["--format", format]);
        assert_eq!((run.code, &*run.stderr), (0, ""), "{run}");
    }
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    let packets = read("packets.csv");
    let names = packets.lines().next().unwrap().split(',').count();
    assert!(packets.lines().all(|line| line.split(',').count() == names));
    assert_eq!(packets.lines().count(), read("packets.jsonl").lines().count() + 1);
    let flow: serde_json::Value = serde_json::from_str(&read("flows.jsonl")).expect("one flow");
    assert_eq!(flow["client_bytes"], 500_000);
    assert_eq!((&flow["begins"], &flow["type"]), (&true.into(), &"flow".into()));
    assert!(read("findings.jsonl").contains("\"rule\":\"loss\""));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn one_table_may_be_all_that_is_wanted() {
    let folder = scratch("one-table");
    let Some(capture) = lab(&folder) else { return };
    let out = folder.join("tables");
    let run = export(&capture, &out, &["--table", "flows"]);
    assert_eq!(run.code, 0, "{run}");
    let names: Vec<_> = fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["flows.csv"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn connections_that_rotation_cut_are_joined_by_the_documented_query() {
    let test = "connections_that_rotation_cut_are_joined_by_the_documented_query";
    if is_missing("python3", test) {
        return;
    }
    let duckdb = Command::new("python3").args(["-c", "import duckdb"]).output();
    if !duckdb.is_ok_and(|output| output.status.success()) {
        return skip(test, "DuckDB is not installed (pip install duckdb)");
    }
    let folder = scratch("rotated");
    let Some(capture) = lab(&folder) else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/rotated.py");
    let formats: &[&str] =
        if cfg!(feature = "parquet") { &["csv", "jsonl", "parquet"] } else { &["csv", "jsonl"] };
    for format in formats {
        let mut python = Command::new("python3");
        python.arg(&script).arg(&capture).args(["--format", format, "--handclasp"]);
        let run = Run::of(python.arg(env!("CARGO_BIN_EXE_handclasp")));
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stdout.contains("are 1 connections, 1 of them cut"), "{run}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn pictures_are_written_as_svg() {
    let folder = scratch("svg");
    let Some(capture) = lab(&folder) else { return };
    for kind in ["ladder", "sequence", "throughput", "rtt", "window"] {
        let run = Run::of(command().arg("report").arg(&capture).args(["--svg", kind]));
        assert_eq!(run.code, 0, "{run}");
        let whole = run.stdout.starts_with("<svg ") && run.stdout.ends_with("</svg>\n");
        assert!(whole && run.stdout.contains("10.77.0.1"), "{kind}");
    }
    let run = Run::of(command().arg("report").arg(&capture).args(["--svg", "rtt", "--flow", "9"]));
    assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{run}");
    assert!(run.stderr.contains("no connection 9"), "{run}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_no_capture_has_no_page() {
    let folder = scratch("no-capture");
    let (text, page) = (folder.join("text"), folder.join("report.html"));
    fs::write(&text, "what else\n").unwrap();
    let run = Run::of(command().arg("report").arg(&text).arg("-o").arg(&page));
    assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{run}");
    assert!(!page.exists());
    fs::remove_dir_all(folder).unwrap();
}
