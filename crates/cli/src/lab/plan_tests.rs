use std::time::Duration;

use clap::Parser;

use super::{Plan, PlanError, Task, Telling};
use crate::args::{Cli, Command};
use crate::lab::args::{LabLink, Role};

fn plan(line: &str) -> Result<Plan, PlanError> {
    let words = ["handclasp", "lab"].into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(words).expect("arguments that exist").command {
        Command::Lab(args) => Plan::new(*args, 7),
        other => panic!("{other:?}"),
    }
}

/// Why the arguments are refused.
fn refusal(line: &str) -> String {
    let words = ["handclasp", "lab"].into_iter().chain(line.split_whitespace());
    let error = Cli::try_parse_from(words).expect_err("arguments that are refused");
    crate::one_line(&error.render().to_string())
}

#[test]
fn by_default_our_stack_fetches_a_page_over_a_packet_socket() {
    let plan = plan("").unwrap();
    assert_eq!((plan.role, plan.link, plan.port), (Role::Client, Some(LabLink::Packet), 80));
    assert_eq!((plan.task, plan.whims, plan.seed), (Task::Page, None, 7));
    assert_eq!(plan.telling, Telling::Ladder { absolute: false, every_packet: false });
}

#[test]
fn a_program_makes_our_stack_the_server() {
    let plan = plan("-- curl -I http://10.77.0.2/").unwrap();
    assert_eq!(plan.role, Role::Server);
    let Task::Command(words) = plan.task else { panic!("{:?}", plan.task) };
    assert_eq!(words, ["curl", "-I", "http://10.77.0.2/"]);
}

#[test]
fn a_program_leaves_no_choice_of_role_port_or_task() {
    assert_eq!(plan("--role client -- curl"), Err(PlanError::CommandIsTheClient));
    assert_eq!(plan("--port 81 -- curl"), Err(PlanError::CommandOrPort));
    assert_eq!(plan("--bytes 1MB -- curl"), Err(PlanError::CommandOrBytes));
}

#[test]
fn sizes_times_rates_and_shares_have_units() {
    let plan = plan("--bytes 100MB --delay 10ms --loss 1% --rate 100mbit").unwrap();
    assert_eq!(plan.task, Task::Bulk(100_000_000));
    let whims = plan.whims.unwrap();
    assert_eq!(whims.outgoing.delay, Duration::from_millis(10));
    assert_eq!(whims.outgoing.loss, 0.01);
    assert_eq!(whims.incoming.rate.map(u64::from), Some(100_000_000));
}

#[test]
fn packets_to_lose_are_named_by_who_sends_them() {
    let whims = plan("--drop client:2 --drop server:1,3").unwrap().whims.unwrap();
    assert_eq!((whims.outgoing.drop_nth, whims.incoming.drop_nth), (vec![2], vec![1, 3]));
    let whims = plan("--role server --drop client:2").unwrap().whims.unwrap();
    assert_eq!((whims.outgoing.drop_nth, whims.incoming.drop_nth), (vec![], vec![2]));
}

#[test]
fn only_a_run_that_is_left_to_chance_has_a_seed_to_tell() {
    assert!(!plan("--drop client:2 --delay 1ms").unwrap().is_left_to_chance());
    assert!(plan("--loss 1%").unwrap().is_left_to_chance());
    assert!(plan("--delay 1ms --jitter 1ms").unwrap().is_left_to_chance());
    assert_eq!(plan("--loss 1% --seed 9").unwrap().seed, 9);
}

#[test]
fn no_bytes_are_refused() {
    assert_eq!(plan("--bytes 0"), Err(PlanError::NoBytes));
}

#[test]
fn a_share_without_a_unit_is_refused_with_what_to_type() {
    let text = "invalid value '1' for '--loss <SHARE>': `1` has no unit: type 1% or 0.5%";
    assert_eq!(refusal("--loss 1"), text);
}

#[test]
fn a_packet_that_nobody_sends_is_refused_with_what_to_type() {
    for text in ["client", "client:0", "kernel:1", "client:x", "client:1,"] {
        assert!(refusal(&format!("--drop {text}")).ends_with("client:2, server:1 or client:2,3"));
    }
}

#[test]
fn a_misspelt_option_is_refused_in_one_line_with_the_right_one() {
    let text = "unexpected argument '--los' found; a similar argument exists: '--loss'";
    assert_eq!(refusal("--los 1%"), text);
}
