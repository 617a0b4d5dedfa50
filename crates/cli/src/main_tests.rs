use clap::CommandFactory;

use super::args::Cli;

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_commands_help_has_an_example() {
    for command in Cli::command().get_subcommands_mut() {
        let help = command.render_help().to_string();
        assert!(help.contains("Example"), "{} has none", command.get_name());
    }
}

#[test]
fn what_clap_says_becomes_one_line() {
    let said = "error: invalid value 'x' for '--loss <SHARE>': no\n\n  tip: a tip\n\n\
                Usage: handclasp\n\nFor more information, try '--help'.\n";
    assert_eq!(super::one_line(said), "invalid value 'x' for '--loss <SHARE>': no; a tip");
}
