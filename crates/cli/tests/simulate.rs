//! `handclasp simulate` as a user runs it.

mod common;

use std::fs;

use common::{Run, command, scratch};
use serde_json::Value;

fn simulate(words: &str) -> Run {
    Run::of(command().arg("simulate").args(words.split_whitespace()))
}

fn object(words: &str) -> Value {
    let run = simulate(&format!("{words} --json"));
    assert_eq!(run.code, 0, "{run}");
    serde_json::from_str(&run.stdout).expect("one object")
}

#[test]
fn the_same_seed_is_the_same_run() {
    let words = "--flows cubic,bbr --rate 2mbit --time 5s --loss 1% --seed 7";
    assert_eq!(object(words), object(words));
    let other = words.replace("seed 7", "seed 8");
    assert_ne!(object(words)["packets"], object(&other)["packets"]);
}

#[test]
fn flows_alike_share_alike_and_fill_the_link() {
    let run = object("--flows cubic,cubic --rate 2mbit --queue 40 --time 60s --seed 1");
    assert!(run["fairness"].as_f64().unwrap() > 0.95, "{run}");
    assert!(run["utilisation"].as_f64().unwrap() > 0.95, "{run}");
    let queue = run["queue_delay_ns"]["max"].as_u64().unwrap();
    // 40 packets of 1500 bytes are 240 ms.
    assert!((1..=240_000_000).contains(&queue), "{run}");
    assert_eq!(run["flows"][0]["controller"], "cubic");
}

#[test]
fn a_table_tells_what_each_flow_got() {
    let run = simulate("--flows reno,bbr --rate 2mbit --time 3s --seed 3");
    assert_eq!(run.code, 0, "{run}");
    for word in ["reno", "bbr", "Jain", "utilisation", "queue delay", "seed 3"] {
        assert!(run.stdout.contains(word), "{word}: {run}");
    }
}

#[test]
fn a_plot_is_a_picture_of_every_flow() {
    let path = scratch("simulate").join("flows.svg");
    let run = simulate(&format!("--rate 2mbit --time 3s --seed 1 --plot {}", path.display()));
    assert_eq!(run.code, 0, "{run}");
    let svg = fs::read_to_string(&path).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    for word in ["1 cubic", "2 bbr", "Congestion window", "Goodput"] {
        assert!(svg.contains(word), "{word}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn a_flow_that_does_not_end_in_time_has_failed() {
    let ended = simulate("--flows cubic --bytes 50kB --time 5s --seed 1");
    assert_eq!(ended.code, 0, "{ended}");
    let late = simulate("--flows cubic --bytes 50MB --time 5s --seed 1");
    assert_eq!(late.code, 1, "{late}");
}

#[test]
fn misuse_is_told_in_one_line() {
    for (words, told) in [
        ("--flows vegas", "cubic, reno or bbr"),
        ("--queue 0", "0.5bdp"),
        ("--rate 0", "rate"),
        ("--time soon", "time"),
        ("--plot /nowhere/at/all.svg --time 1s", "/nowhere/at/all.svg"),
    ] {
        let run = simulate(words);
        assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{words}: {run}");
        assert!(run.stderr.contains(told), "{words}: {run}");
    }
}
