use std::num::NonZeroU64;
use std::time::Duration;

use clap::Parser;

use super::args::{Queue, SimulateArgs};
use crate::args::{Cli, Command};

fn typed(line: &str) -> Result<SimulateArgs, String> {
    let words = ["handclasp", "simulate"].into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(words) {
        Ok(Cli { command: Command::Simulate(args), .. }) => Ok(*args),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(crate::one_line(&error.render().to_string())),
    }
}

#[test]
fn a_queue_is_packets_or_a_multiple_of_what_the_path_holds() {
    let rate = NonZeroU64::new(12_000_000).unwrap();
    let packets =
        |text: &str| text.parse::<Queue>().unwrap().packets(rate, Duration::from_millis(50));
    assert_eq!(
        (packets("7"), packets("1bdp"), packets("0.5bdp"), packets("0bdp")),
        (7, 100, 50, 10)
    );
    for text in ["0", "-1", "1bd", "bdp", "-1bdp", "NaNbdp", "1e9bdp"] {
        assert!(text.parse::<Queue>().is_err(), "{text}");
    }
}

#[test]
fn a_time_may_be_hours() {
    assert_eq!(typed("--time 24h").unwrap().time, Duration::from_secs(86_400));
    assert_eq!(typed("--time 90s").unwrap().time, Duration::from_secs(90));
}

#[test]
fn a_controller_that_there_is_not_is_told_from_those_there_are() {
    let error = typed("--flows cubic,vegas").unwrap_err();
    assert!(error.contains("vegas") && error.contains("cubic, reno or bbr"), "{error}");
}
