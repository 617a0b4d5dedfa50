//! `handclasp flows` on captures that the lab made.

mod common;

use std::fs;

use common::{capture, is_missing, objects, offline, offline_fed, tshark};

#[test]
fn each_connection_is_a_line_with_a_verdict_in_words() {
    let run = offline(&["flows", &capture("closed_port")]);
    assert_eq!(run.code, 0, "{run}");
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{run}");
    assert!(lines[0].starts_with("#  client") && lines[0].ends_with("verdict"), "{run}");
    assert!(lines[1].contains("10.77.0.2:81"), "{run}");
    assert!(lines[1].contains("refused: a RST came"), "{run}");
    let run = offline(&["flows", &capture("page")]);
    assert!(run.stdout.ends_with("closed by the server\n"), "{run}");
}

#[test]
fn the_exit_code_says_only_what_it_was_asked_to_say() {
    let code =
        |words: &[&str], name: &str| offline(&[&["flows"], words, &[&capture(name)]].concat()).code;
    assert_eq!(code(&[], "closed_port"), 0);
    assert_eq!(code(&["--fail-on", "error"], "closed_port"), 1);
    assert_eq!(code(&["--fail-on", "warn"], "closed_port"), 1);
    assert_eq!(code(&["--fail-on", "error"], "lossy"), 0);
    assert_eq!(code(&["--fail-on", "warn"], "lossy"), 1);
    assert_eq!(code(&["--fail-on", "warn"], "page"), 0);
    assert_eq!(offline(&["flows", "/no/such/file"]).code, 2);
}

/// Both captures one behind the other: pcapng files may be.
fn two() -> Vec<u8> {
    [fs::read(capture("page")).unwrap(), fs::read(capture("lossy")).unwrap()].concat()
}

#[test]
fn connections_are_sorted_as_asked() {
    let clients = |words: &[&str]| {
        let run = offline_fed(&[&["flows", "-", "--csv"], words].concat(), two());
        assert_eq!(run.code, 0, "{run}");
        let lines = run.stdout.lines().skip(1);
        lines.map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(clients(&[]), ["0", "1"]);
    assert_eq!(clients(&["--reverse"]), ["1", "0"]);
    for key in ["bytes", "packets", "time", "resent", "verdict", "rtt"] {
        assert_eq!(clients(&["--sort", key]), ["1", "0"], "{key}");
    }
    assert_eq!(clients(&["tcp.analysis.retransmission"]), ["1"]);
}

#[test]
fn columns_of_csv_have_names() {
    let run = offline(&["flows", "--csv", &capture("lossy")]);
    let rows: Vec<Vec<&str>> = run.stdout.lines().map(|line| line.split(',').collect()).collect();
    let cell = |name: &str| {
        let at = rows[0].iter().position(|column| *column == name).expect("a column");
        rows[1][at]
    };
    assert_eq!(
        (cell("client"), cell("server"), cell("server_port")),
        ("10.77.0.1", "10.77.0.2", "80")
    );
    assert_eq!((cell("client_bytes"), cell("server_bytes")), ("20000", "20000"));
    assert_eq!((cell("client_resent"), cell("conn_state")), ("2", "SF"));
}

#[test]
fn objects_have_both_ends_and_what_they_sent() {
    let run = offline(&["flows", "--json", &capture("page")]);
    let [flow] = &objects(&run)[..] else { panic!("{run}") };
    assert_eq!((&flow["v"], &flow["type"]), (&1.into(), &"connection".into()));
    assert_eq!(flow["sockets"]["server"], "10.77.0.2:80");
    assert_eq!((&flow["client"]["bytes"], &flow["server"]["bytes"]), (&54.into(), &109.into()));
    assert_eq!(
        (&flow["ending"]["how"], &flow["ending"]["by"]),
        (&"closed".into(), &"server".into())
    );
    assert_eq!(
        (&flow["client"]["state"], &flow["server"]["state"]),
        (&"CLOSED".into(), &"TIME-WAIT".into())
    );
    assert_eq!((&flow["tcp.completeness"], &flow["conn_state"]), (&31.into(), &"SF".into()));
}

#[test]
fn tshark_counts_the_same_packets_and_bytes() {
    if is_missing("tshark", "tshark_counts_the_same_packets_and_bytes") {
        return;
    }
    let file = capture("lossy");
    let theirs = tshark(&file, &["-Y", "tcp.srcport != 80", "-T", "fields", "-e", "tcp.len"]);
    let lengths: Vec<u64> = theirs.lines().map(|line| line.parse().unwrap()).collect();
    let run = offline(&["flows", "--json", &file]);
    let flow = &objects(&run)[0];
    assert_eq!(flow["client"]["packets"], lengths.len() as u64);
    assert_eq!(flow["client"]["data_bytes"], lengths.iter().sum::<u64>());
}
