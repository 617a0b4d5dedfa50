//! `handclasp prove` as a user runs it.

mod common;

use common::{Run, command};
use serde_json::Value;

fn prove(words: &[&str]) -> Run {
    Run::of(command().arg("prove").args(words))
}

#[test]
fn fewer_than_three_packets_go_wrong_and_the_run_is_shown() {
    let cases = [
        ("0", "nobody knows anybody", "OPEN"),
        ("1", "the client is alone", "1: SYN isn 100"),
        ("2", "delayed duplicate", "1: SYN isn 10 (old duplicate)"),
    ];
    for (ways, says, row) in cases {
        let run = prove(&["handshake", "--ways", ways]);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stdout.contains(says) && run.stdout.contains(row), "{run}");
    }
}

#[test]
fn three_packets_are_enough_and_the_states_are_counted() {
    let run = prove(&["handshake"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("✔ 3 packets: nothing goes wrong in "), "{run}");
    assert!(run.stdout.contains("what each end knows after each packet"), "{run}");
}

#[test]
fn with_more_than_three_the_last_sender_still_does_not_know() {
    for (ways, sender) in [("4", "the server"), ("5", "the client")] {
        let run = prove(&["handshake", "--ways", ways]);
        assert_eq!(run.code, 0, "{run}");
        let says = format!("who sends the last packet, {sender}, cannot know");
        assert!(run.stdout.contains(&says) && run.stdout.contains('✗'), "{run}");
    }
}

#[test]
fn a_program_reads_what_each_end_knows() {
    let run = prove(&["handshake", "--ways", "2", "--json"]);
    assert_eq!(run.code, 1, "{run}");
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["holds"], false);
    let server = &told["known"][2]["server"];
    assert_eq!(server["open"], true);
    assert_eq!(server["own_isn_acknowledged"], false);
    assert_eq!(server["peer_isn_current"], false);
    assert_eq!(told["known"][2]["client"]["own_isn_acknowledged"], true);
}

#[test]
fn our_state_machine_keeps_its_laws_in_every_scene() {
    let run = prove(&["stack", "--depth", "3", "--json"]);
    assert_eq!(run.code, 0, "{run}");
    let told: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), 5, "{run}");
    assert!(told.iter().all(|scene| scene["holds"] == true && scene["depth"] == 3), "{run}");
}

#[test]
fn a_forger_who_sees_the_numbers_breaks_them_and_the_run_is_a_ladder() {
    let run = prove(&["stack", "--scene", "meet", "--depth", "4", "--sighted"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("✘ meet: nobody reads what was not written"), "{run}");
    assert!(run.stdout.contains("\"?\" (forged)"), "{run}");
}

#[test]
fn the_state_machine_is_drawn_in_every_form() {
    let start = |form: &str| {
        let run = prove(&["diagram", "--as", form]);
        assert_eq!(run.code, 0, "{run}");
        run.stdout.lines().next().unwrap().to_owned()
    };
    assert!(start("text").starts_with("CLOSED        ──▶ LISTEN"));
    assert!(start("svg").starts_with("<svg "));
    assert_eq!(start("mermaid"), "stateDiagram-v2");
    assert_eq!(start("json"), r#"{"cause":"listen","from":"CLOSED","to":"LISTEN"}"#);
}

#[test]
fn what_cannot_be_asked_is_refused_in_one_line() {
    for words in [&["handshake", "--ways", "6"][..], &["stack", "--depth", "0"], &["diagram", "x"]]
    {
        let run = prove(words);
        assert_eq!(run.code, 2, "{run}");
        assert_eq!(run.stderr.lines().count(), 1, "{run}");
    }
}
