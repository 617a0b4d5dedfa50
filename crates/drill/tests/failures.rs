//! What a run says of a script that does not hold.

use handclasp_drill::{Outcome, Script, Setup, run};

const OPEN: &str = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 30000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 30000
+0 accept(3, ..., ...) = 4
";

fn outcome(rest: &str) -> Outcome {
    let script = Script::parse(&format!("{OPEN}{rest}")).unwrap();
    run(&script, &Setup::default())
}

/// Why the script that begins with an open connection fails.
fn failure(rest: &str) -> String {
    outcome(rest).failure.map_or("it passed".to_owned(), |failure| failure.to_string())
}

#[test]
fn a_packet_that_differs_stands_below_the_expected_one_with_a_mark() {
    assert_eq!(
        failure("+0 write(4, ..., 100) = 100\n+0 > . 1:101(100) ack 1"),
        "line 9: the flags differ:\n  expected  .  1:101(100) ack 1\n  \
         actual    P. 1:101(100) ack 1\n            ^^"
    );
}

#[test]
fn a_packet_that_is_late_tells_when_it_came() {
    let text =
        failure("+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+.1 > P. 1:101(100) ack 1");
    assert_eq!(text, "line 10: this packet was sent at 0.400000 s, not at 0.200000 s");
}

#[test]
fn a_packet_that_never_comes_is_told() {
    let text = failure("+0 > P. 1:101(100) ack 1");
    assert_eq!(
        text,
        "line 8: nothing was sent, though this was due at 0.100000 s:\n  > P. 1:101(100) ack 1"
    );
}

#[test]
fn a_segment_is_put_together_from_several_but_must_have_its_length() {
    assert_eq!(failure("+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1"), "it passed");
    let short = failure("+0 write(4, ..., 2500) = 2500\n+0 > P. 1:3001(3000) ack 1");
    assert!(short.contains("and no more of it was sent"), "{short}");
}

#[test]
fn strict_segments_are_not_put_together() {
    let source = format!(
        "--strict_segments\n{OPEN}+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1"
    );
    let outcome = run(&Script::parse(&source).unwrap(), &Setup::default());
    assert!(outcome.failure.unwrap().message.contains("sequence numbers differ"));
}

#[test]
fn a_call_that_returns_something_else_is_told() {
    let text = failure("+0 write(4, ..., 100) = 50");
    assert_eq!(text, "line 8: this call returned 100:\n  write(4, ..., 100) = 50");
    let text = failure("+0 read(9, ..., 100) = -1 EAGAIN");
    assert!(text.starts_with("line 8: this call failed with EBADF, not EAGAIN"), "{text}");
}

#[test]
fn a_call_that_ends_at_another_time_is_told() {
    let text = failure("+0...0.5 read(4, ..., 100) = 10\n+.1 < P. 1:11(10) ack 1 win 9\n");
    let expected = "line 8: this call returned at 0.200000 s, not at 0.600000 s";
    assert_eq!(text, expected);
}

#[test]
fn a_call_that_blocks_for_ever_is_told() {
    let text = failure("+0 read(4, ..., 100) = 10");
    assert_eq!(text, "line 8: this call still blocked 600 s after it was due");
}

#[test]
fn an_assertion_that_does_not_hold_tells_the_value() {
    let text = failure("+0 %{ assert tcpi_snd_cwnd == 12, tcpi_snd_cwnd }%");
    assert!(text.contains("this does not hold, tcpi_snd_cwnd is 10"), "{text}");
}

#[test]
fn the_packets_so_far_are_told_with_their_times() {
    let ladder: Vec<String> =
        outcome("+0 close(9) = 0").ladder.iter().map(ToString::to_string).collect();
    assert_eq!(ladder[2], "  0.000000  listen(3, 1) = 0");
    assert_eq!(ladder[4], "  0.000000  LISTEN       ──▶ S. 0:0(0) ack 1 <mss 1460>");
    assert_eq!(ladder[5], "  0.100000  LISTEN       ◀── . 1:1(0) ack 1 win 30000");
}

#[test]
fn what_the_stack_does_not_have_is_noted() {
    let outcome = outcome("+0 setsockopt(4, SOL_TCP, TCP_INQ, [1], 4) = 0\n+0 `reboot now`");
    let notes: Vec<_> = outcome.notes.into_iter().collect();
    assert_eq!(notes, ["the command reboot was not run", "this stack does not have: TCP_INQ"]);
}
