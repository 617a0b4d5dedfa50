use handclasp_tcp::connection::Error;

use super::*;

fn report(end: End, written: u64, read: u64) -> Report {
    let tuple = Tuple::new("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap());
    Report { tuple, written, read, end }
}

/// The other end's.
fn other(end: End, written: u64, read: u64) -> Report {
    Report { tuple: report(end, 0, 0).tuple.reversed(), ..report(end, written, read) }
}

fn count(reports: &[Report]) -> usize {
    disagreements(reports, other_left).len()
}

#[test]
fn ends_that_read_what_was_written_agree() {
    assert_eq!(count(&[report(End::Whole, 5, 7), other(End::Whole, 7, 5)]), 0);
}

#[test]
fn bytes_that_are_missing_at_the_end_of_the_stream_are_noticed() {
    assert_eq!(count(&[report(End::Whole, 5, 6), other(End::Whole, 7, 5)]), 1);
}

#[test]
fn bytes_that_nobody_wrote_are_noticed() {
    assert_eq!(count(&[report(End::Left, 5, 8), other(End::Whole, 7, 5)]), 1);
}

#[test]
fn an_end_without_another_is_noticed() {
    assert_eq!(count(&[report(End::Whole, 0, 0)]), 1);
}

#[test]
fn a_failure_is_excused_where_the_other_end_left() {
    let failed = report(End::Failed(Error::Reset), 5, 3);
    assert_eq!(count(&[failed, other(End::Left, 7, 5)]), 0);
    assert_eq!(count(&[failed, other(End::Whole, 7, 5)]), 1);
}

#[test]
fn of_two_lives_of_the_same_sockets_one_must_agree() {
    let ghost = other(End::Left, 7, 0);
    assert_eq!(count(&[report(End::Whole, 5, 7), other(End::Whole, 7, 5), ghost]), 0);
}
