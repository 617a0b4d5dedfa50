//! `handclasp explain` on captures that the lab made.

mod common;

use std::fs;
use std::net::TcpStream;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use common::{CAPTURES, Run, capture, objects, offline, offline_fed};
use handclasp_explain::capture::Reader;
use handclasp_explain::capture::writer::Writer;
use handclasp_lab::isolated::in_namespace;

#[test]
fn a_handshake_shows_both_states_after_each_packet() {
    let run = offline(&["explain", &capture("page")]);
    assert_eq!(run.code, 0, "{run}");
    let rows: Vec<_> = run.stdout.lines().filter(|line| line.starts_with("#")).skip(1).collect();
    let states: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| {
            let words: Vec<_> = row.split_whitespace().collect();
            (words[2], *words.last().unwrap())
        })
        .collect();
    let opening =
        [("SYN-SENT", "?"), ("ESTABLISHED", "SYN-RECEIVED"), ("ESTABLISHED", "ESTABLISHED")];
    assert_eq!(states[..3], opening, "{run}");
    assert_eq!(states.last(), Some(&("CLOSED", "TIME-WAIT")), "{run}");
    assert!(run.stdout.contains("1st: the client's ISN"), "{run}");
    assert!(run.stdout.contains("nothing stands out"), "{run}");
    assert!(run.stdout.contains("✔ ") && run.stdout.contains("closed by the server"), "{run}");
}

#[test]
fn findings_come_first_with_their_packets_and_what_to_do() {
    let run = offline(&["explain", &capture("closed_port")]);
    assert_eq!(run.code, 0, "{run}");
    let lines: Vec<_> = run.stdout.lines().collect();
    assert!(lines[1].starts_with("error    refused: a RST came"), "{run}");
    assert!(lines[2].contains("10.77.0.2:81 · packets "), "{run}");
    assert!(lines[3].trim_start().starts_with("→ "), "{run}");
    assert!(run.stdout.contains("nobody listens on port 81"), "{run}");
    assert!(run.stdout.contains("✘ "), "{run}");
}

#[test]
fn pauses_are_marked_and_runs_of_data_folded() {
    let run = offline(&["explain", &capture("lost_syn_ack")]);
    assert!(run.stdout.contains("⋮               1"), "{run}");
    assert!(run.stdout.contains(" s pass\n"), "{run}");
    assert!(run.stdout.contains("2nd again") || run.stdout.contains("1st again"), "{run}");
    let lossy = capture("lossy");
    let folded = offline(&["explain", &lossy]);
    assert!(folded.stdout.contains("more of data and ACKs"), "{folded}");
    let whole = offline(&["explain", &lossy, "--packets"]);
    assert!(!whole.stdout.contains("more of data and ACKs"), "{whole}");
    let rows = whole.stdout.lines().filter(|line| line.contains("──▶") || line.contains("◀──"));
    assert_eq!(rows.count(), 48, "{whole}");
    assert!(folded.stdout.contains("duplicate ACKs asked for it"), "{folded}");
}

#[test]
fn numbers_are_absolute_if_asked_for() {
    let run = offline(&["explain", "-S", &capture("ipv6")]);
    let isn = run.stdout.split("ISN ").nth(1).unwrap().split(';').next().unwrap();
    assert!(run.stdout.contains(&format!("[S]   seq {isn}")), "{run}");
}

#[test]
fn one_connection_of_several_is_picked_by_number_or_by_filter() {
    let two =
        [fs::read(capture("page")).unwrap(), fs::read(capture("closed_port")).unwrap()].concat();
    let ladders = |words: &[&str]| {
        let run = offline_fed(&[&["explain", "-"], words].concat(), two.clone());
        assert_eq!(run.code, 0, "{run}");
        let titles = run.stdout.lines().filter(|line| line.contains(" → 10.77.0.2:"));
        let titles = titles.filter(|line| line.starts_with('#'));
        titles.map(|line| line[..2].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ladders(&[]), ["#0", "#1"]);
    assert_eq!(ladders(&["--flow", "1"]), ["#1"]);
    assert_eq!(ladders(&["tcp.flags.reset == 1"]), ["#1"]);
    // A pipe can be read but once, under any name.
    let run = offline_fed(&["explain", "/dev/stdin"], two.clone());
    assert_eq!((run.code, run.stdout.matches("✔ ").count()), (0, 1), "{run}");
    let run = offline_fed(&["explain", "-", "--flow", "7"], two.clone());
    assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{run}");
    assert!(run.stderr.contains("there is no connection 7"), "{run}");
}

#[test]
fn objects_tell_findings_connections_and_packets() {
    let run = offline(&["explain", "--json", &capture("closed_port")]);
    assert_eq!(run.code, 0, "{run}");
    let objects = objects(&run);
    let of = |kind: &str| objects.iter().filter(|o| o["type"] == kind).collect::<Vec<_>>();
    let [finding] = of("finding")[..] else { panic!("{run}") };
    assert_eq!(
        (&finding["severity"], &finding["figures"]["rule"]),
        (&"error".into(), &"refused".into())
    );
    assert_eq!(finding["figures"]["by"]["who"], "port");
    assert_eq!(finding["frames"].as_array().unwrap().len(), 2);
    assert!(finding["sentence"].as_str().unwrap().starts_with("refused"));
    assert!(finding["figures"]["after_ns"].as_u64().unwrap() > 0);
    assert_eq!(of("connection").len(), 1);
    let packets = of("packet");
    assert_eq!(packets.len(), 2);
    assert_eq!(packets[1]["states"]["client"]["state"], "CLOSED");
    assert!(packets[1]["notes"][0].as_str().unwrap().contains("nobody listens"));
}

#[test]
fn packets_of_the_kernels_that_were_captured_twice_are_told_from_resent_ones() {
    let mut reader = Reader::new(fs::File::open(capture("page")).unwrap()).unwrap();
    let mut twice = Vec::new();
    let mut writer = Writer::new(&mut twice).unwrap();
    while let Some(frame) = reader.next().unwrap() {
        writer.frame(&frame).unwrap();
        writer.frame(&frame).unwrap();
    }
    let run = offline_fed(&["explain", "-", "--json"], twice);
    let found = objects(&run).into_iter().filter(|object| object["type"] == "finding");
    let rules: Vec<_> = found.map(|finding| finding["figures"]["rule"].clone()).collect();
    assert!(rules.contains(&"copies".into()), "{rules:?}");
    assert!(!rules.contains(&"loss".into()), "{rules:?}");
}

#[test]
fn what_was_found_may_fail_the_command() {
    let code =
        |limit: &str, name: &str| offline(&["explain", "--fail-on", limit, &capture(name)]).code;
    assert_eq!(code("error", "closed_port"), 1);
    assert_eq!(code("error", "lossy"), 0);
    assert_eq!(code("warn", "lossy"), 1);
}

#[test]
fn a_damaged_file_is_told_as_far_as_it_goes() {
    for name in CAPTURES {
        let whole = fs::read(capture(name)).unwrap();
        for percent in [30, 60, 90] {
            let cut = whole[..whole.len() * percent / 100].to_vec();
            let run = offline_fed(&["explain", "-"], cut);
            let at_an_end = run.code == 0 && run.stderr.is_empty();
            assert!(at_an_end || run.code == 2, "{name} {percent}: {run}");
            assert!(at_an_end || run.stderr.contains("is damaged at byte"), "{run}");
            assert!(run.stdout.contains("connection"), "{run}");
        }
    }
}

#[test]
fn what_passes_an_interface_is_told_live() {
    in_namespace(|| {
        let mut command = common::command();
        command.args(["explain", "--live", "lo", "-c", "10", "--json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the command starts");
        let talking = thread::spawn(|| {
            // The command may need a while until it listens: something is there to hear until
            // it has heard enough.
            for _ in 0..600 {
                let _ = TcpStream::connect("127.0.0.1:81");
                thread::sleep(Duration::from_millis(50));
            }
        });
        let run = Run::from(child.wait_with_output().expect("the command ends"));
        assert_eq!(run.code, 0, "{run}");
        let objects = objects(&run);
        let packets: Vec<_> = objects.iter().filter(|o| o["type"] == "packet").collect();
        assert_eq!(packets.len(), 10, "{run}");
        let letters: Vec<_> = packets.iter().map(|p| p["tcp.flags.letters"].as_str()).collect();
        assert!(letters.contains(&Some("S")) && letters.contains(&Some("R.")), "{run}");
        let refused = objects.iter().filter(|o| o["figures"]["rule"] == "refused").count();
        assert!(refused >= 4, "{run}");
        drop(talking);
    });
}

#[test]
fn an_interface_that_is_not_there_is_said_in_one_line() {
    let run = offline(&["explain", "--live", "nosuch0"]);
    assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{run}");
    assert!(run.stderr.contains("nosuch0"), "{run}");
}
