//! Every experiment, against the Linux kernel and against our own stack: which packets pass, and
//! in which states they leave both ends.

mod common;

use common::{handclasp, skip};
use handclasp_lab::isolated::Isolated;
use handclasp_lab::lab::{Lab, LabConfig, OUR_INTERFACE, OUR_IPV4, PEER_IPV4};
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};
use serde_json::Value;

/// One packet, and both ends' states behind it.
#[derive(Clone, Debug)]
struct Packet {
    stream: u64,
    /// `client S 0 1 18`: who sends it, flags, relative sequence number and acknowledgment (`-`
    /// without one), bytes.
    segment: String,
    /// `SYN-SENT SYN-RECEIVED`, the client's first.
    states: String,
    time: u64,
    lost: bool,
}

/// What an experiment showed.
#[derive(Debug)]
struct Run {
    packets: Vec<Packet>,
    verdict: Value,
}

fn packet(object: &Value) -> Packet {
    let number = |name: &str| object[name].as_u64();
    let state = |side: &str| object["states"][side]["state"].as_str().unwrap_or("?").to_owned();
    let ack = number("tcp.ack").map_or("-".into(), |ack| ack.to_string());
    let from = object["from"].as_str().expect("an end");
    let flags = object["tcp.flags.letters"].as_str().expect("flags");
    let (seq, len) = (number("tcp.seq").expect("a number"), number("tcp.len").expect("a length"));
    Packet {
        stream: number("tcp.stream").expect("a stream"),
        segment: format!("{from} {flags} {seq} {ack} {len}"),
        states: format!("{} {}", state("client"), state("server")),
        time: number("time_ns").expect("a time"),
        lost: object["fate"] == "lost",
    }
}

/// Runs an experiment, which must come out as the RFC says.
fn run(against: &str, words: &str) -> Option<Run> {
    let words = format!("try {words} --against {against} --json");
    let run = handclasp(&words.split(' ').collect::<Vec<_>>())?;
    let objects: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let of_type = |name: &'static str| objects.iter().filter(move |object| object["type"] == name);
    let packets = of_type("packet").map(packet).collect();
    let verdict = of_type("experiment").next().cloned().unwrap_or_default();
    assert_eq!((run.code, &verdict["ok"]), (0, &Value::Bool(true)), "{words}\n{run}");
    assert_eq!(verdict["against"], against);
    Some(Run { packets, verdict })
}

/// Runs it against both peers; with `sysctl` against the kernel.
fn both(words: &str, sysctl: &str, check: impl Fn(&Run)) {
    check(&run("handclasp", words).expect("nothing is in the way of virtual time"));
    let words = format!("{words} {sysctl}");
    if let Some(run) = run("kernel", words.trim()) {
        check(&run);
    }
}

impl Run {
    /// The packets begin with these, each `segment > states`.
    fn begins(&self, expected: &[&str]) {
        for (number, expected) in expected.iter().enumerate() {
            let packet = self.packets.get(number).unwrap_or_else(|| panic!("{self:#?}"));
            let shown = format!("{} > {}", packet.segment, packet.states);
            assert_eq!(shown, *expected, "packet {number} of {self:#?}");
        }
    }

    /// The page arrived, in answer to the request that ends there.
    fn has_page(&self, ack: u64) {
        let page = |flags: &str| self.count(&format!("server {flags} 1 {ack} 109"));
        assert_eq!(page("P.") + page("FP."), 1, "{self:#?}");
    }

    /// The first packet that begins so.
    fn find(&self, segment: &str) -> &Packet {
        let found = self.packets.iter().find(|packet| packet.segment.starts_with(segment));
        found.unwrap_or_else(|| panic!("no {segment} in {self:#?}"))
    }

    fn count(&self, segment: &str) -> usize {
        self.packets.iter().filter(|packet| packet.segment.starts_with(segment)).count()
    }

    /// When all that begin so were seen, in milliseconds from the first packet on.
    fn times(&self, segment: &str) -> Vec<u64> {
        let seen = self.packets.iter().filter(|packet| packet.segment.starts_with(segment));
        seen.map(|packet| (packet.time - self.packets[0].time) / 1_000_000).collect()
    }

    fn ends(&self, states: &[&str]) {
        let last = &self.packets.last().expect("packets").states;
        assert!(states.contains(&last.as_str()), "{self:#?}");
    }

    /// The packets of another connection.
    fn stream(&self, number: u64) -> Self {
        let packets = self.packets.iter().filter(|packet| packet.stream == number);
        Self { packets: packets.cloned().collect(), verdict: self.verdict.clone() }
    }
}

const SYN: &str = "client S 0 - 0 > SYN-SENT SYN-RECEIVED";
const SYN_ACK: &str = "server S. 0 1 0 > ESTABLISHED SYN-RECEIVED";
const ACK: &str = "client . 1 1 0 > ESTABLISHED ESTABLISHED";

#[test]
fn handshake() {
    both("handshake", "", |run| {
        run.begins(&[SYN, SYN_ACK, ACK]);
        run.find("client P. 1 1 18");
        run.has_page(19);
        run.ends(&["CLOSED TIME-WAIT"]);
    });
}

#[test]
fn data_in_third() {
    both("data-in-third", "", |run| {
        run.begins(&[SYN, SYN_ACK, "client . 1 1 18 > ESTABLISHED ESTABLISHED"]);
        run.has_page(19);
    });
}

#[test]
fn skip_third() {
    both("skip-third", "", |run| {
        run.begins(&[SYN, SYN_ACK, "client P. 1 1 18 > ESTABLISHED ESTABLISHED"]);
        assert!(run.times("client P. 1 1 18")[0] >= 200, "{run:#?}");
        run.has_page(19);
    });
}

#[test]
fn late_third() {
    both("late-third", "", |run| {
        run.begins(&[SYN, SYN_ACK, "client P. 1 1 16 > ESTABLISHED ESTABLISHED"]);
        assert_eq!(run.find("client . 1 1 0").states, "ESTABLISHED ESTABLISHED");
        run.find("client P. 17 1 2");
        run.has_page(19);
    });
}

#[test]
fn lost_third() {
    both("lost-third", "", |run| {
        run.begins(&[SYN, SYN_ACK, "client . 1 1 0 > ESTABLISHED SYN-RECEIVED"]);
        assert!(run.packets[2].lost);
        let again = run.times("server S. 0 1 0");
        assert!(again.len() == 2 && (900..3000).contains(&(again[1] - again[0])), "{run:#?}");
        assert_eq!(run.packets[4].states, "ESTABLISHED ESTABLISHED");
        run.has_page(19);
    });
}

#[test]
fn lost_third_while_the_client_talks() {
    both("lost-third --talking", "", |run| {
        run.begins(&[SYN, SYN_ACK, "client . 1 1 0 > ESTABLISHED SYN-RECEIVED"]);
        assert!(run.packets[2].lost);
        assert_eq!(run.packets[3].segment, "client P. 1 1 18");
        assert_eq!(run.count("server S."), 1);
        run.has_page(19);
    });
}

#[test]
fn closed_port() {
    both("closed-port", "", |run| {
        run.begins(&["client S 0 - 0 > SYN-SENT CLOSED"]);
        assert!(run.packets[1].segment.starts_with("server R. "), "{run:#?}");
        assert!(run.packets[1].segment.ends_with(" 1 0"), "{run:#?}");
        assert_eq!((run.packets.len(), run.packets[1].states.as_str()), (2, "CLOSED CLOSED"));
    });
}

#[test]
fn data_in_first() {
    both("data-in-first", "", |run| {
        run.begins(&["client S 0 - 18 > SYN-SENT SYN-RECEIVED", SYN_ACK, ACK]);
        // Nothing of it was delivered before it came again.
        run.find("client P. 1 1 18");
        run.has_page(19);
    });
}

#[test]
fn data_in_first_with_fast_open() {
    both("data-in-first --fast-open", "", |run| {
        let second = run.stream(1);
        second.begins(&[
            "client S 0 - 18 > SYN-SENT SYN-RECEIVED",
            "server S. 0 19 0 > ESTABLISHED SYN-RECEIVED",
        ]);
        // The page comes before the third packet.
        second.has_page(19);
        let page = second.packets.iter().position(|packet| packet.segment.ends_with(" 109"));
        let third = second.packets.iter().position(|packet| packet.segment.contains("client . "));
        assert!(page < third && page.is_some(), "{second:#?}");
    });
}

#[test]
fn data_in_second() {
    both("data-in-second", "", |run| {
        assert_eq!(run.packets[0].segment, "client S 0 - 0");
        assert_eq!(run.packets[1].segment, "server S. 0 1 6");
        let taken = run.packets[2].segment == "client . 1 7 0";
        assert!(taken || run.find("server P. 1 1 6").states == "ESTABLISHED ESTABLISHED");
        run.find("client . 1 7 0");
    });
}

#[test]
fn fake_synack() {
    both("fake-synack", "", |run| {
        let (first, second) = (run.stream(0), run.stream(1));
        assert_eq!((first.count("server S."), first.count("client R ")), (1, 1), "{run:#?}");
        second.begins(&[
            "client S 0 - 0 > SYN-SENT CLOSED",
            "server S. 0 1001 0 > SYN-SENT CLOSED",
            "client R 1001 - 0 > SYN-SENT CLOSED",
            "server S. 0 1 0 > ESTABLISHED CLOSED",
            "client . 1 1 0 > ESTABLISHED CLOSED",
        ]);
    });
}

#[test]
fn old_duplicate() {
    both("old-duplicate", "", |run| {
        run.begins(&[SYN, "server S. 0 1 0 > SYN-SENT SYN-RECEIVED"]);
        let reset = &run.packets[2];
        assert_eq!(reset.segment, "client R 1 - 0");
        assert!(["SYN-SENT CLOSED", "SYN-SENT LISTEN"].contains(&reset.states.as_str()));
        // From here on the numbers are those of the new connection.
        let rest = Run { packets: run.packets[3..].to_vec(), verdict: Value::Null };
        rest.begins(&[SYN, SYN_ACK, ACK]);
        rest.has_page(19);
    });
}

#[test]
fn old_duplicate_with_the_new_syn_first() {
    both("old-duplicate --syn-first", "", |run| {
        run.begins(&[SYN, "server S. 0 1 0 > SYN-SENT SYN-RECEIVED"]);
        assert_eq!(run.packets[2].segment, "client S 10 - 0");
        assert_eq!(run.count("client R 1 -"), 1);
        assert_eq!(run.count("client S 0 -"), 2, "{run:#?}");
        run.has_page(19);
    });
}

#[test]
fn simultaneous_open() {
    both("simultaneous-open", "", |run| {
        run.begins(&[
            "client S 0 - 0 > SYN-SENT SYN-RECEIVED",
            "server S 0 - 0 > SYN-RECEIVED SYN-RECEIVED",
            "client S. 0 1 0 > SYN-RECEIVED ESTABLISHED",
            "server S. 0 1 0 > ESTABLISHED ESTABLISHED",
        ]);
        run.find("client . 1 7 0");
    });
}

#[test]
fn half_close() {
    both("half-close", "", |run| {
        let (ours, peers) = (run.stream(0), run.stream(1));
        assert_eq!(ours.find("client FP. 1 1 18").states, "FIN-WAIT-1 CLOSE-WAIT");
        ours.has_page(20);
        ours.ends(&["TIME-WAIT CLOSED"]);
        assert_eq!(peers.find("client P. 19 111 5").states, "CLOSE-WAIT FIN-WAIT-2");
        peers.find("server . 111 24 0");
        peers.ends(&["CLOSED TIME-WAIT"]);
    });
}

#[test]
fn out_of_window() {
    both("out-of-window", "", |run| {
        run.begins(&[
            SYN,
            SYN_ACK,
            ACK,
            "client P. 100000001 1 6 > ESTABLISHED ESTABLISHED",
            "server . 1 1 0 > ESTABLISHED ESTABLISHED",
            "client P. 4294966297 1 6 > ESTABLISHED ESTABLISHED",
            "server . 1 1 0 > ESTABLISHED ESTABLISHED",
        ]);
        run.has_page(19);
    });
}

#[test]
fn blind_reset() {
    both("blind-reset", "", |run| {
        run.begins(&[
            SYN,
            SYN_ACK,
            ACK,
            "client R 100000001 - 0 > ESTABLISHED ESTABLISHED",
            "client R 1001 - 0 > ESTABLISHED ESTABLISHED",
            "server . 1 1 0 > ESTABLISHED ESTABLISHED",
        ]);
        let exact = &run.packets[6];
        assert_eq!(exact.segment, "client R 1 - 0");
        assert!(exact.states.starts_with("ESTABLISHED CLOSED"), "{run:#?}");
        assert_eq!(run.packets.len(), 7, "{run:#?}");
    });
}

/// The time between one and the next.
fn gaps(times: &[u64]) -> Vec<u64> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Whether each is about that many seconds.
fn are_seconds(gaps: &[u64], seconds: &[u64]) -> bool {
    let near = |(gap, second): (&u64, &u64)| gap.abs_diff(second * 1000) <= 200 + second * 100;
    gaps.len() == seconds.len() && gaps.iter().zip(seconds).all(near)
}

#[test]
fn half_open() {
    let ours = run("handclasp", "half-open").expect("virtual time");
    let waits = gaps(&ours.times("server S. 0 1 0"));
    assert!(are_seconds(&waits, &[1, 2, 4, 8, 16]), "{waits:?}");
    let Some(kernel) = run("kernel", "half-open --sysctl tcp_synack_retries=1") else { return };
    let waits = gaps(&kernel.times("server S. 0 1 0"));
    assert!(are_seconds(&waits, &[1]), "{waits:?}");
    assert_eq!((kernel.packets.len(), kernel.count("client")), (3, 1), "{kernel:#?}");
}

/// The real thing takes 70 s: `HANDCLASP_SLOW=1` runs it.
#[test]
fn half_open_for_as_long_as_the_kernel_takes() {
    const NAME: &str = "half_open_for_as_long_as_the_kernel_takes";
    if std::env::var_os("HANDCLASP_SLOW").is_none() {
        return skip(NAME, "it takes over a minute: HANDCLASP_SLOW=1 runs it");
    }
    let Some(kernel) = run("kernel", "half-open") else { return };
    let waits = gaps(&kernel.times("server S. 0 1 0"));
    assert!(are_seconds(&waits, &[1, 2, 4, 8, 16]), "{waits:?}");
}

#[test]
fn syn_flood() {
    both("syn-flood", "", |run| {
        assert_eq!(run.count("client S 0 - 0"), 9, "{run:#?}");
        let honest = run.packets.iter().map(|packet| packet.stream).max().expect("packets");
        let honest = run.stream(honest);
        // The server keeps no state of it before the third packet.
        assert!(!honest.packets[1].states.ends_with("SYN-RECEIVED"), "{honest:#?}");
        assert_eq!(honest.packets[2].segment, "client . 1 1 0");
        assert_eq!(honest.packets[2].states, "ESTABLISHED ESTABLISHED");
        honest.has_page(19);
    });
}

#[test]
fn without_cookies_a_flood_shuts_honest_clients_out() {
    let words = ["try", "syn-flood", "--sysctl", "tcp_syncookies=0"];
    let Some(run) = handclasp(&words) else { return };
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stdout.contains("✘ not as RFC 4987") && run.stdout.contains("nothing came"),
        "{run}"
    );
}

#[test]
fn lost_last_ack() {
    both("lost-last-ack", "--sysctl tcp_orphan_retries=1", |run| {
        assert_eq!(run.find("client F. 1 1 0").states, "FIN-WAIT-1 CLOSE-WAIT");
        assert!(run.find("client . 2 2 0").lost);
        assert!(run.count("server F. 1 2 0") >= 2, "{run:#?}");
        assert!(run.packets.iter().all(|p| !p.states.ends_with("TIME-WAIT")), "{run:#?}");
    });
}

#[test]
fn keepalive_dead_peer() {
    both("keepalive-dead-peer", "", |run| {
        run.begins(&[SYN, SYN_ACK, ACK]);
        let probes = run.times("server . 0 1 0");
        let (hours, seconds) = (probes.len() == 9, probes.len() == 3);
        assert!(hours && probes[0] >= 7_200_000 || seconds && probes[0] >= 2000, "{run:#?}");
        run.ends(&["CLOSED CLOSED"]);
    });
}

/// What programs read: every object has its version and its type, and every packet and verdict
/// all of its fields.
#[test]
fn all_of_them_are_told_to_programs() {
    let run = handclasp(&["try", "--all", "--against", "handclasp", "--json"]).expect("virtual");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    let mut verdicts = 0;
    for line in run.stdout.lines() {
        let object: Value = serde_json::from_str(line).expect("an object");
        assert_eq!(object["v"], 1, "{line}");
        let strings: &[&str] = match object["type"].as_str().expect("a type") {
            "packet" => &["from", "tcp.flags.letters", "fate"],
            "connection" => &[],
            "experiment" => {
                verdicts += 1;
                assert!(object["ok"].is_boolean() && object["took_ns"].is_u64(), "{line}");
                assert!(object["option"].is_null() || object["option"].is_string(), "{line}");
                &["name", "against", "article", "clause", "happened"]
            }
            "summary" => {
                assert_eq!((&object["as_said"], &object["otherwise"]), (&21.into(), &0.into()));
                assert_eq!(object["ok"], true);
                &[]
            }
            other => panic!("no such type: {other}"),
        };
        let missing = strings.iter().find(|name| !object[**name].is_string());
        assert_eq!(missing, None, "{line}");
    }
    assert_eq!(verdicts, 21);
    let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["type"], "summary");
}

#[test]
fn the_table_has_all_of_them() {
    let run = handclasp(&["try", "--list"]).expect("no network");
    let list = handclasp(&["try", "--list", "--json"]).expect("no network");
    assert_eq!((run.code, list.code, list.stdout.lines().count()), (0, 0, 21), "{run}{list}");
    for line in list.stdout.lines() {
        let object: Value = serde_json::from_str(line).expect("an object");
        assert!(run.stdout.contains(object["name"].as_str().expect("a name")), "{run}");
        assert!(object["theory"].is_string() && object["clause"].is_string(), "{line}");
    }
}

#[test]
fn a_wrong_word_is_answered_in_one_line() {
    for (words, answer) in [
        ("try hand-open", "did you mean half-open?"),
        ("try half-open --talking", "--talking belongs to lost-third, not to half-open"),
        ("try handshake --sysctl x", "type tcp_synack_retries=2"),
        (
            "try handshake --against handclasp --sysctl tcp_sack=0",
            "leave out one of --sysctl and --against handclasp",
        ),
        ("try handshake 127.0.0.1 80", "--link"),
        ("try syn-flood --link packet:lo --address 10.0.0.1/8 10.0.0.2 80", "harm to a real host"),
        (
            "try handshake --link tun:nowhere --address 127.0.0.1/8 127.0.0.2 80",
            "has 127.0.0.1 itself",
        ),
    ] {
        let run = handclasp(&words.split(' ').collect::<Vec<_>>()).expect("no network");
        assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{words}: {run}");
        assert!(run.stderr.contains(answer), "{words}: {run}");
    }
}

/// Cells of a text on a screen: Chinese takes two for a character.
fn cells(text: &str) -> usize {
    let wide =
        |c: &char| ('\u{2e80}'..='\u{9fff}').contains(c) || ('\u{ff00}'..='\u{ff60}').contains(c);
    text.chars().count() + text.chars().filter(wide).count()
}

#[test]
fn the_columns_of_a_chinese_ladder_stand_under_each_other() {
    let words = ["--lang", "zh", "try", "handshake", "--against", "handclasp"];
    let run = handclasp(&words).expect("virtual time");
    assert_eq!(run.code, 0, "{run}");
    let heading = run.stdout.lines().find(|line| line.contains("报文段")).expect("headings");
    let column = |line: &str, word: &str| line.split_once(word).map(|(front, _)| cells(front));
    let rows = run.stdout.lines().filter(|line| line.contains("──▶") || line.contains("◀──"));
    for row in rows {
        let arrow = column(row, "──▶").or(column(row, "◀──"));
        assert_eq!(column(heading, "报文段"), arrow.map(|at| at + 4), "{run}");
        let state = row.split_whitespace().rev().nth(1).expect("a state and its mark");
        let right = row.rfind(state).and_then(|at| row.get(..at)).map(cells);
        assert_eq!(column(heading, "handclasp"), right, "{run}");
    }
    assert!(run.stdout.contains("✔ 符合 RFC 9293 §3.5：请求得到了应答"), "{run}");
}

/// A host that answers on a real link, of which only our end can be seen.
#[test]
fn a_host_on_a_link() {
    Isolated::new().run(|| {
        let lab = Lab::veth(&LabConfig::default()).expect("a lab");
        let options = ListenOptions::default();
        let _server =
            Server::start(lab.peer(), (PEER_IPV4, 80).into(), &options, serve::http("page\n"));
        let file = common::scratch("link").join("try.pcapng");
        let on = format!("--link packet:{OUR_INTERFACE} --address {OUR_IPV4}/24 --json");
        for (experiment, port, states) in [
            ("handshake", 80, "ESTABLISHED ESTABLISHED"),
            ("closed-port", 81, "CLOSED CLOSED"),
            ("blind-reset", 80, "ESTABLISHED ESTABLISHED"),
        ] {
            let words = format!("try {experiment} {on} {PEER_IPV4} {port}");
            let run =
                common::Run::of(common::command().args(words.split(' ')).arg("--write").arg(&file));
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{words}: {run}");
            let objects = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
            let objects: Vec<Value> = objects.collect();
            let packets = objects.iter().filter(|object| object["type"] == "packet").map(packet);
            assert!(packets.into_iter().any(|packet| packet.states == states), "{words}: {run}");
            // What a peer says of itself is known in a lab alone.
            assert!(objects.iter().all(|object| object["states"]["server"]["read"] != true));
            let written = std::fs::read(&file).expect("a capture");
            assert_eq!(written[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
        }
        let nobody = format!("try handshake {on} 10.77.0.9 80");
        let run = common::Run::of(common::command().args(nobody.split(' ')));
        assert_eq!((run.code, run.stderr.lines().count()), (2, 1), "{run}");
        assert!(run.stderr.contains("nobody on the link answers for 10.77.0.9"), "{run}");
    });
}
