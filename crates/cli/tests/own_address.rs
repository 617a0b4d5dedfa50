//! Packets by hand with the host's own address: its kernel wants to reset what it did not open.

mod common;

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};

use common::{Run, command, is_missing};
use handclasp_lab::isolated::{in_namespace, skip};
use handclasp_lab::lab::{
    IPV4_PREFIX, IPV6_PREFIX, Lab, LabConfig, OUR_INTERFACE, OUR_IPV4, OUR_IPV6, PEER_IPV4,
    PEER_IPV6,
};
use handclasp_lab::link::Links;
use handclasp_lab::namespace::Namespace;
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};

const GET: &str = r#"data "GET / HTTP/1.0\r\n\r\n""#;

/// A host with an address of its own, and a web server beside it.
fn host() -> (Lab, Vec<Server>) {
    let lab = Lab::veth(&LabConfig::default()).expect("a lab");
    let enabled = format!("net/ipv6/conf/{OUR_INTERFACE}/disable_ipv6");
    let here = Namespace::current().expect("a namespace");
    here.set_sysctl(&enabled, "0").expect("IPv6");
    let mut links = Links::open().expect("links");
    links.add_address(OUR_INTERFACE, OUR_IPV4.into(), IPV4_PREFIX).expect("an address");
    links.add_address(OUR_INTERFACE, OUR_IPV6.into(), IPV6_PREFIX).expect("an address");
    let start = |ip: IpAddr| {
        let (at, options) = (SocketAddr::new(ip, 80), ListenOptions::default());
        Server::start(lab.peer(), at, &options, serve::http("page")).expect("a server")
    };
    let servers = vec![start(PEER_IPV4.into()), start(PEER_IPV6.into())];
    (lab, servers)
}

fn craft(program: &mut Command, words: &[&str]) -> Run {
    let link = format!("packet:{OUR_INTERFACE}");
    let ours = ["craft", "--send", "-f", "tcpdump", "--link", &link];
    Run::of(program.args(ours).args(words))
}

/// Whether this kernel has no nftables, and the test `name` is skipped.
fn is_unguarded(run: &Run, name: &str) -> bool {
    let unguarded = run.stderr.contains("nothing can hold it back");
    if unguarded {
        skip(name, &run.stderr);
    }
    unguarded
}

#[test]
fn a_handshake_from_the_hosts_own_address_is_not_reset() {
    in_namespace(|| {
        let (_lab, _servers) = host();
        for peer in [IpAddr::from(PEER_IPV4), PEER_IPV6.into()] {
            let family = if peer.is_ipv4() { "-4" } else { "-6" };
            let words = ["--reply", family, "--dst", &peer.to_string(), "[S]", "[.]", GET];
            let run = craft(&mut command(), &words);
            if is_unguarded(&run, "a_handshake_from_the_hosts_own_address_is_not_reset") {
                return;
            }
            assert_eq!(run.code, 0, "{run}");
            // The request was acknowledged, so that the connection was open.
            assert_eq!(run.stdout.matches("Flags [R").count(), 0, "{run}");
            assert_eq!(run.stdout.lines().count(), 5, "{run}");
            assert!(run.stderr.contains("held back"), "{run}");
            assert!(!run.stderr.contains("slipped in"), "{run}");
        }
    });
}

#[test]
fn where_nothing_holds_the_kernel_back_it_is_said_and_its_packets_are_marked() {
    let name = "where_nothing_holds_the_kernel_back_it_is_said_and_its_packets_are_marked";
    if is_missing("setpriv", name) {
        return;
    }
    in_namespace(|| {
        let (_lab, _servers) = host();
        let mut weak = Command::new("setpriv");
        weak.args(["--bounding-set=-net_admin", env!("CARGO_BIN_EXE_handclasp")]);
        let run = craft(&mut weak, &["--reply", "--dst", &PEER_IPV4.to_string(), "[S]", "[.]"]);
        assert_eq!(run.code, 0, "{run}");
        let notes: Vec<_> = run.stderr.lines().collect();
        assert!(notes[0].contains("its kernel will reset these connections"), "{run}");
        let marked = notes.iter().find(|note| note.contains("this host's kernel slipped in"));
        assert!(marked.is_some_and(|note| note.contains("Flags [R], seq")), "{run}");
    });
}

#[test]
fn a_free_address_of_the_network_needs_no_guard() {
    in_namespace(|| {
        let (_lab, _servers) = host();
        let dst = PEER_IPV4.to_string();
        let words = ["--address", "10.77.0.9/24", "--reply", "--dst", &dst, "[S]", "[.]", GET];
        let run = craft(&mut command(), &words);
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stdout.contains("10.77.0.9.") && !run.stderr.contains("kernel"), "{run}");
    });
}

#[test]
fn the_guard_ends_with_a_command_that_is_killed() {
    in_namespace(|| {
        let (_lab, _servers) = host();
        let link = format!("packet:{OUR_INTERFACE}");
        let src = format!("{OUR_IPV4}:5000");
        let dst = PEER_IPV4.to_string();
        // To a port that is open, with a number that draws no answer: RST is ignored.
        let waits = ["craft", "--send", "--link", &link, "--src", &src, "--dst", &dst];
        let mut waiting = command();
        waiting.args(waits).args(["--reply=1min", "--flags", "R"]).stderr(Stdio::piped());
        let mut child = waiting.stdout(Stdio::piped()).spawn().expect("started");
        // What is sent is printed behind the guard's being there.
        let printed = BufReader::new(child.stdout.take().expect("piped")).lines().next();
        assert!(printed.is_some_and(|line| line.is_ok()));
        child.kill().expect("killed");
        child.wait().expect("gone");
        // A rule that was still there would take the reset before the new one counts it.
        let run = craft(&mut command(), &["--src", &src, "--dst", &dst, "--reply", "[S]"]);
        if is_unguarded(&run, "the_guard_ends_with_a_command_that_is_killed") {
            return;
        }
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stderr.contains("1 reset of this host's kernel was held back"), "{run}");
    });
}

/// Runs the handshake of `try` against the web server.
fn shake_hands(program: &mut Command) -> Run {
    let (link, peer) = (format!("packet:{OUR_INTERFACE}"), PEER_IPV4.to_string());
    Run::of(program.args(["try", "handshake", "--lang", "en", "--link", &link, &peer, "80"]))
}

#[test]
fn an_experiment_with_the_hosts_own_address_is_not_disturbed() {
    in_namespace(|| {
        let (_lab, _servers) = host();
        let run = shake_hands(&mut command());
        if is_unguarded(&run, "an_experiment_with_the_hosts_own_address_is_not_disturbed") {
            return;
        }
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stderr.contains("were held back"), "{run}");
        assert!(!run.stdout.contains("not made by hand"), "{run}");
    });
}

#[test]
fn the_ladder_marks_what_the_kernel_slipped_in() {
    let name = "the_ladder_marks_what_the_kernel_slipped_in";
    if is_missing("setpriv", name) {
        return;
    }
    in_namespace(|| {
        let (_lab, _servers) = host();
        let mut weak = Command::new("setpriv");
        weak.args(["--bounding-set=-net_admin", env!("CARGO_BIN_EXE_handclasp")]);
        let run = shake_hands(&mut weak);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains("nothing can hold it back"), "{run}");
        let rows: Vec<_> = run.stdout.lines().collect();
        let marked = rows.windows(2).find(|rows| rows[1].contains("not made by hand"));
        assert!(marked.is_some_and(|rows| rows[0].contains("──▶ [R]")), "{run}");
    });
}
