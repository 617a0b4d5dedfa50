//! `connect` and `listen` as a user runs them.

mod common;

use common::{handclasp, handclasp_fed};

#[test]
fn a_page_is_fetched_by_hand() {
    let request = "GET / HTTP/1.0\r\n\r\n";
    let Some(run) = handclasp_fed(&["connect", "-v", "10.77.0.2", "80"], request) else { return };
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("HTTP/1.1 200 OK"), "{run}");
    assert!(run.stderr.contains("TIME-WAIT") && run.stderr.contains("✔"), "{run}");
}

#[test]
fn the_end_of_the_input_closes_our_direction_only() {
    let text = "one line\nand another\n".repeat(10_000);
    let Some(run) = handclasp_fed(&["connect", "10.77.0.2", "7"], &text) else { return };
    assert_eq!((run.code, &*run.stderr), (0, ""));
    assert!(run.stdout == text, "the echo differs");
}

#[test]
fn a_refusal_is_a_failure_in_one_line() {
    let Some(run) = handclasp(&["connect", "10.77.0.2", "81"]) else { return };
    assert_eq!((run.code, &*run.stdout), (1, ""), "{run}");
    assert!(run.stderr.contains("refused") && run.stderr.lines().count() == 1, "{run}");
}

#[test]
fn the_peer_may_close_first_and_still_get_an_answer() {
    let Some(run) = handclasp_fed(&["listen", "-v", "8080"], "an answer\n") else { return };
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout, "hello from the other end\n");
    assert!(run.stderr.contains("LAST-ACK"), "{run}");
}
