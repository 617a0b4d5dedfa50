//! The command as a user runs it: against the Linux kernel, in the private network it makes.

mod common;

use std::path::Path;
use std::process::Command;

use common::{Run, handclasp, handclasp_as_nobody, scratch};
use serde_json::Value;

/// The rows of a ladder: what stands left and right of the arrow.
fn rows(ladder: &str) -> Vec<(String, String)> {
    let arrows = ["──▶", "◀──", "──✗", "✗──"];
    let row = |line: &str| {
        let (left, right) = arrows.iter().find_map(|arrow| line.split_once(arrow))?;
        let state = left.split_whitespace().nth(1)?.to_owned();
        Some((state, right.split_whitespace().rev().take(2).collect::<Vec<_>>().join(" ")))
    };
    ladder.lines().filter_map(row).collect()
}

fn states(ladder: &str) -> Vec<(String, String)> {
    let states = |(ours, kernel): (String, String)| {
        let (_mark, kernel) = kernel.split_once(' ').expect("a mark and a state");
        (ours, kernel.to_owned())
    };
    let mut all: Vec<_> = rows(ladder).into_iter().map(states).collect();
    all.dedup();
    all
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(ours, kernel)| (ours.into(), kernel.into())).collect()
}

#[test]
fn a_page_is_fetched_and_both_ends_states_are_told() {
    let Some(run) = handclasp(&["lab"]) else { return };
    assert_eq!(run.code, 0, "{run}");
    let states = states(&run.stdout);
    let opening = [
        ("SYN-SENT", "SYN-RECEIVED"),
        ("ESTABLISHED", "SYN-RECEIVED"),
        ("ESTABLISHED", "ESTABLISHED"),
    ];
    assert_eq!(states[..3], pairs(&opening), "{run}");
    assert_eq!(states.last(), pairs(&[("CLOSED", "TIME-WAIT")]).last(), "{run}");
    assert!(
        run.stdout.contains("✔ 200 OK") && run.stdout.contains("closed by the server"),
        "{run}"
    );
    assert!(rows(&run.stdout).iter().any(|(_, kernel)| kernel.starts_with('•')), "{run}");
}

#[test]
fn the_kernel_fetches_from_our_stack() {
    let Some(run) = handclasp(&["lab", "--role", "server"]) else { return };
    assert_eq!(run.code, 0, "{run}");
    let states = states(&run.stdout);
    assert_eq!(states[0], pairs(&[("SYN-RECEIVED", "SYN-SENT")])[0], "{run}");
    assert_eq!(states.last(), pairs(&[("TIME-WAIT", "CLOSED")]).last(), "{run}");
    assert!(run.stdout.contains("✔ 200 OK") && run.stdout.contains("closed by us"), "{run}");
}

#[test]
fn ipv6_does_the_same() {
    let Some(run) = handclasp(&["lab", "--ipv6"]) else { return };
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("[fd77::2]:80") && run.stdout.contains("✔ 200 OK"), "{run}");
}

#[test]
fn a_tun_interface_does_the_same() {
    let Some(run) = handclasp(&["lab", "--link", "tun"]) else { return };
    if run.stderr.contains("/dev/net/tun") {
        return common::skip("a_tun_interface_does_the_same", &run.stderr);
    }
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("✔ 200 OK"), "{run}");
}

#[test]
fn an_ordinary_user_needs_no_root() {
    let Some(run) = handclasp_as_nobody(&["lab"]) else { return };
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("no root") && run.stdout.contains("✔ 200 OK"), "{run}");
}

#[test]
fn the_request_completes_the_handshake_when_the_third_packet_is_lost() {
    let Some(run) = handclasp(&["lab", "--drop", "client:2"]) else { return };
    assert_eq!(run.code, 0, "{run}");
    let lost = run.stdout.lines().find(|line| line.contains("──✗")).expect("a lost packet");
    assert!(lost.contains("[.]") && lost.ends_with("SYN-RECEIVED •"), "{run}");
    assert!(run.stdout.contains("in place of the 3rd"), "{run}");
    assert!(run.stdout.contains("1 lost on the way"), "{run}");
}

#[test]
fn a_lost_syn_ack_is_waited_for_and_told() {
    let Some(run) = handclasp(&["lab", "--drop", "server:1"]) else { return };
    assert_eq!(run.code, 0, "{run}");
    // Both ends' timers fire after a second; either may be the first.
    assert!(run.stdout.contains("✗── [S.]") && run.stdout.contains("2nd again"), "{run}");
}

#[test]
fn a_closed_port_is_a_failure_and_not_a_trouble() {
    let Some(run) = handclasp(&["lab", "--port", "81"]) else { return };
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(states(&run.stdout), pairs(&[("SYN-SENT", "CLOSED"), ("CLOSED", "CLOSED")]));
    assert!(run.stdout.contains("nobody listens on port 81"), "{run}");
}

#[test]
fn a_program_talks_to_our_stack() {
    if common::is_missing("curl", "a_program_talks_to_our_stack") {
        return;
    }
    let Some(run) = handclasp(&["lab", "--", "curl", "-sI", "http://10.77.0.2/"]) else { return };
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stdout.contains("HTTP/1.1 200 OK") && run.stdout.contains("\"HEAD / HTTP"),
        "{run}"
    );
}

#[test]
fn a_program_that_fails_is_a_failure() {
    let Some(run) = handclasp(&["lab", "--", "false"]) else { return };
    assert_eq!(run.code, 1, "{run}");
}

#[test]
fn bulk_data_crosses_a_bad_link_unharmed() {
    for role in ["client", "server"] {
        let whims = "--loss 1% --reorder 1% --duplicate 1% --corrupt 1% --seed 3";
        let words = format!("lab --role {role} --bytes 2MB {whims}");
        let words: Vec<_> = words.split(' ').collect();
        let Some(run) = handclasp(&words) else { return };
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stdout.contains("every byte as it was sent"), "{run}");
        assert!(run.stdout.contains("more of data and ACKs"), "{run}");
    }
}

#[test]
fn virtual_time_needs_no_network_and_repeats_itself() {
    let words = "lab --virtual --json --loss 30% --duplicate 30% --corrupt 10% --seed";
    let run = |seed: &str| Run::of(common::command().args(words.split(' ')).arg(seed));
    let runs = [run("5"), run("5"), run("6")];
    assert_eq!(runs[0].code, 0, "{}", runs[0]);
    assert_eq!(runs[0].stdout, runs[1].stdout);
    assert_ne!(runs[0].stdout, runs[2].stdout);
}

#[test]
fn both_ends_of_a_virtual_network_are_told() {
    let run = Run::of(common::command().args(["lab", "--virtual", "--drop", "server:1"]));
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("LAST-ACK") && run.stdout.contains("TIME-WAIT"), "{run}");
    assert!(run.stdout.contains("✗── [S.]") && run.stdout.contains("✔ 200 OK"), "{run}");
}

#[test]
fn json_lines_tell_every_packet_the_connection_and_the_result() {
    let Some(run) = handclasp(&["lab", "--json"]) else { return };
    assert_eq!(run.code, 0, "{run}");
    let lines: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let of = |kind: &str| lines.iter().filter(|l| l["type"] == kind).collect::<Vec<_>>();
    let packets = of("packet");
    assert_eq!(packets[0]["tcp.flags.letters"], "S");
    assert_eq!(packets[0]["tcp.seq"], 0);
    assert_eq!(packets[1]["states"]["server"]["state"], "SYN-RECEIVED");
    let [connection] = of("connection")[..] else { panic!("{run}") };
    let sent = |end: &str| connection[end]["packets"].as_u64().expect("a number");
    assert_eq!(sent("client") + sent("server"), packets.len() as u64);
    assert_eq!(connection["ending"]["by"], "server");
    let [result] = of("result")[..] else { panic!("{run}") };
    assert_eq!((&result["ok"], &result["status"]), (&true.into(), &"200 OK".into()));
}

#[test]
fn the_recording_is_read_by_tshark_without_a_malformed_packet() {
    if common::is_missing("tshark", "the_recording_is_read_by_tshark_without_a_malformed_packet") {
        return;
    }
    let folder = scratch("recording");
    let file = folder.join("lab.pcapng");
    let name = file.to_str().expect("a plain name");
    let Some(run) = handclasp(&["lab", "--drop", "server:3", "--write", name]) else { return };
    assert_eq!(run.code, 0, "{run}");
    let whole = tshark(&file, "tcp");
    assert!(whole.lines().count() >= 10, "{whole}");
    let bad = "_ws.malformed || tcp.checksum.status == \"Bad\" || ip.checksum.status == \"Bad\"";
    assert_eq!(tshark(&file, bad), "");
}

fn tshark(file: &Path, filter: &str) -> String {
    let output = Command::new("tshark")
        .args(["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-r"])
        .arg(file)
        .args(["-Y", filter])
        .output()
        .expect("tshark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_reader_who_has_seen_enough_is_no_trouble() {
    let Some(run) = common::handclasp_piped_to_nobody(&["lab"]) else { return };
    assert_eq!((run.code, &*run.stderr), (0, ""), "{run}");
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let misuses = [
        (&["lab", "--loss", "1"][..], "type 1% or 0.5%"),
        (&["lab", "--drop", "kernel:1"], "client:2"),
        (&["lab", "--bytes", "0"], "--bytes 1MB"),
        (&["lab", "--role", "client", "--", "curl"], "leave --role out"),
        (&["lab", "--jason"], "'--json'"),
        (&["connect", "10.0.0.1", "22", "--link", "tun:t0"], "--address"),
        (&["connect", "10.0.0.1", "22", "--link", "wifi"], "packet:INTERFACE"),
        (&["connect", "10.0.0.1", "0"], "1..=65535"),
        (&["listen", "70000"], "1..=65535"),
        (&["connect", "no.such.host.invalid", "80"], "type an IP address"),
    ];
    for (words, hint) in misuses {
        let run = Run::of(common::command().args(words));
        assert_eq!((run.code, &*run.stdout), (2, ""), "{words:?}: {run}");
        assert_eq!(run.stderr.lines().count(), 1, "{words:?}: {run}");
        assert!(run.stderr.contains(hint), "{words:?}: {run}");
    }
}

#[test]
fn a_transfer_by_each_controller_tells_what_it_took_and_is_drawn() {
    let folder = scratch("courses");
    for name in ["cubic", "reno", "bbr"] {
        let path = folder.join(format!("{name}.svg"));
        let plot = path.to_str().expect("text");
        let link = ["--loss", "1%", "--delay", "2ms", "--seed", "5"];
        let words = ["lab", "--bytes", "300kB", "--cc", name, "--plot", plot, "--json"];
        let Some(run) = handclasp(&[&words[..], &link[..]].concat()) else { return };
        assert_eq!(run.code, 0, "{run}");
        let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
        assert_eq!((&last["controller"], &last["equal"]), (&name.into(), &true.into()), "{last}");
        let resent = last["resent_share"].as_f64().unwrap();
        assert!(resent > 0.0 && resent < 0.2, "{last}");
        assert!(last["timeouts"].is_u64() && last["spurious_share"].is_f64(), "{last}");
        let svg = std::fs::read_to_string(&path).unwrap();
        assert!(svg.contains("cwnd") && svg.contains("Delivered"), "{svg}");
    }
}

#[test]
fn a_plot_needs_something_to_draw() {
    let Some(run) = handclasp(&["lab", "--plot", "x.svg"]) else { return };
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("--bytes"), "{run}");
}
