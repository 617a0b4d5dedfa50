//! `handclasp capture` as a user runs it, in a network of its own.
#![cfg(target_os = "linux")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use common::{Run, command, scratch};
use handclasp_explain::capture::Reader;
use handclasp_lab::isolated::in_namespace;

/// A capture on the loopback interface that has begun.
fn begun(words: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let mut command = command();
    command.args(["capture", "-i", "lo"]).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("asked for"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line");
    assert_eq!(line, "capturing on lo; Ctrl-C ends it\n");
    (child, stderr)
}

fn interrupted((mut child, mut stderr): (Child, BufReader<ChildStderr>)) -> Run {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    ended(&mut child, &mut stderr)
}

fn ended(child: &mut Child, stderr: &mut impl Read) -> Run {
    let mut run = Run { code: 0, stdout: String::new(), stderr: String::new() };
    child.stdout.take().expect("asked for").read_to_string(&mut run.stdout).expect("text");
    stderr.read_to_string(&mut run.stderr).expect("text");
    run.code = child.wait().expect("it ends").code().unwrap_or(-1);
    run
}

/// A connection over loopback: three packets to open it, two for the data, and the end.
fn talk(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port of our own");
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let (mut server, _) = listener.accept().expect("accepted");
    client.write_all(b"hello").expect("written");
    server.read_exact(&mut [0; 5]).expect("read");
}

fn packets(path: &Path) -> usize {
    let mut reader = Reader::new(std::fs::File::open(path).expect("a file")).expect("a capture");
    let mut count = 0;
    while reader.next().expect("whole").is_some() {
        count += 1;
    }
    count
}

#[test]
fn packets_are_captured_until_ctrl_c_and_counted() {
    in_namespace(|| {
        let folder = scratch("capture");
        let path = folder.join("all.pcapng");
        let capture = begun(&["-w", path.to_str().unwrap()]);
        talk(80);
        let run = interrupted(capture);
        assert_eq!(run.code, 0, "{run}");
        let count = packets(&path);
        assert!(count >= 5, "{count}");
        assert!(run.stderr.starts_with(&format!("{count} packets, ")), "{run}");
        assert!(run.stderr.contains("none dropped by the kernel"), "{run}");
    });
}

#[test]
fn both_kinds_of_filter_choose_packets() {
    in_namespace(|| {
        let folder = scratch("filters");
        let (syns, acks) = (folder.join("syns.pcapng"), folder.join("acks.pcapng"));
        let filter = "tcp dst port 80 and tcp[tcpflags] & tcp-syn != 0";
        let by_kernel = begun(&[filter, "-w", syns.to_str().unwrap(), "--json"]);
        let by_us = begun(&["-Y", "tcp.len == 5", "tcp port 80", "-w", acks.to_str().unwrap()]);
        talk(80);
        talk(81);
        let run = interrupted(by_kernel);
        let totals: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!((&totals["packets"], &totals["passed"]), (&1.into(), &1.into()), "{run}");
        interrupted(by_us);
        assert_eq!((packets(&syns), packets(&acks)), (1, 1));
    });
}

#[test]
fn a_count_ends_the_capture_and_files_take_turns() {
    in_namespace(|| {
        let folder = scratch("turns");
        let path = folder.join("ring.pcapng");
        let path = path.to_str().unwrap();
        let (mut child, mut stderr) = begun(&["-c", "5", "-C", "1B", "-W", "2", "-w", path]);
        talk(80);
        let run = ended(&mut child, &mut stderr);
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stderr.contains("in 5 files"), "{run}");
        let mut names: Vec<_> = std::fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
            .collect();
        names.sort();
        assert_eq!(names, ["ring_00004.pcapng", "ring_00005.pcapng"]);
    });
}

#[test]
fn a_wrong_filter_is_shown_with_its_fault() {
    let run = Run::of(command().args(["capture", "-i", "lo", "-w", "x", "tcp port htpp"]));
    assert_eq!(run.code, 2, "{run}");
    let lines: Vec<_> = run.stderr.lines().collect();
    assert_eq!(
        lines,
        ["handclasp: no port has the name htpp; type its number", "tcp port htpp", "         ^^^^"]
    );
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    in_namespace(|| {
        for (words, said) in [
            (&["-i", "nowhere", "-w", "x"][..], "there is no interface nowhere"),
            (&["-i", "lo", "-W", "2", "-w", "x"], "type -C 100MB or -G 60"),
            (&["-i", "lo", "-C", "1", "-w", "-"], "type -w FILE"),
            (&["-i", "lo", "-w", "/nowhere/x"], "cannot write /nowhere/x"),
        ] {
            let run = Run::of(command().arg("capture").args(words));
            assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{run}");
            assert!(run.stderr.contains(said), "{run}");
        }
    });
}
