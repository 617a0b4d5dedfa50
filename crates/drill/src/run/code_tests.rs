use super::*;

fn run(text: &str) -> Result<(), String> {
    let mut snippets = Snippets::default();
    let fields = BTreeMap::from([("tcpi_snd_cwnd", 10), ("tcpi_options", 7)]);
    snippets.take(1, text, fields).map_err(|failure| failure.message)?;
    if snippets.beyond.is_some() { Err("beyond".to_owned()) } else { Ok(()) }
}

#[test]
fn plain_assertions_are_understood() {
    for text in [
        "assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd",
        "assert tcpi_snd_cwnd == 10, 'cwnd=%d' % tcpi_snd_cwnd",
        "assert (tcpi_options & TCPI_OPT_SYN_DATA) == 0, tcpi_options",
        "assert tcpi_options & 4 and not tcpi_snd_cwnd > 11",
        "print(tcpi_snd_cwnd); cwnd = 8; cwnd += 2; assert tcpi_snd_cwnd == cwnd, 'no'",
        "assert 2 + 3 * 4 == 14 # as at school\nassert 1 << 2 | 1 == 5 or True",
        "assert 7 // 2 - 1 == 2",
        "assert TCP_CA_Open == 0",
        "assert 9 <= tcpi_snd_cwnd <= 11, tcpi_snd_cwnd",
        "assert 3 > 2 > 1 != 0",
    ] {
        assert_eq!(run(text), Ok(()), "{text}");
    }
}

#[test]
fn what_does_not_hold_tells_its_values() {
    let message = run("assert tcpi_snd_cwnd == 20, tcpi_snd_cwnd").unwrap_err();
    assert!(message.contains("tcpi_snd_cwnd is 10"), "{message}");
}

#[test]
fn every_link_of_a_chain_of_comparisons_must_hold() {
    assert!(run("assert 11 <= tcpi_snd_cwnd <= 12").is_err());
    assert!(run("assert 1 < tcpi_snd_cwnd < 10").is_err());
}

#[test]
fn a_field_that_is_not_told_is_named() {
    assert_eq!(run("assert tcpi_foo == 1").unwrap_err(), "this stack does not tell tcpi_foo");
}

#[test]
fn what_is_no_plain_assertion_is_left_to_python() {
    for text in ["import os", "assert abs(-1) == 1", "if True:\n  pass"] {
        assert_eq!(run(text), Err("beyond".to_owned()), "{text}");
    }
}
