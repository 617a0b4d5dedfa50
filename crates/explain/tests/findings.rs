//! What is found in real captures.

mod common;

use common::Case;
use handclasp_explain::capture::Reader;
use handclasp_explain::capture::dissect::{Dissector, Found};
use handclasp_explain::catalogue::English;
use handclasp_explain::catalogue::findings::Findings as _;
use handclasp_explain::finding::{Finding, find};
use handclasp_explain::flow::table::{Limits, Table};

/// All that is found in a capture, as far as it can be read.
fn findings(case: &Case) -> Vec<Finding> {
    let mut reader = Reader::new(case.open()).unwrap();
    let mut dissector = Dissector::default();
    let mut table = Table::new(Limits::endless());
    while let Ok(Some(frame)) = reader.next() {
        match dissector.dissect(&frame) {
            Found::Segment(segment) => drop(table.see(&segment)),
            Found::Complaint(complaint) => table.complain(&complaint),
            Found::Nothing => {}
        }
    }
    find(&table.finish())
}

/// Captures that are known for something, and the finding that must be among theirs.
const KNOWN: [(&str, &str); 10] = [
    ("cs_refused", "refused: a RST came 1.32 ms after the SYN, nobody listens there"),
    ("ppa_syn_unanswered", "nothing answered 3 SYNs, sent again after 2.94 s, 6.04 s"),
    ("ppa_portscan", "10.100.25.14 tried 29 ports of one host, 0 answered: a port scan"),
    (
        "tt_urgent",
        "the client had no room 17 times, for up to 3.56 s, and never again as far as was \
         captured",
    ),
    (
        "tt_null_winfull",
        "the client filled the window of the server 205 times: 16.7 kB at most, which limits the \
         speed",
    ),
    ("nd_spurious", "of what the server sent again, 3 of 3 had arrived before"),
    ("pp_unidir_missing", "only packets from the client were captured, though it was answered"),
    (
        "cs_ip4and6",
        "4 checksums from the server are wrong, as on a machine whose network card fills them in",
    ),
    ("zk_pppoe_qinq", "the client closed, and the server did not for 235 s"),
    ("nd_dnp3", "16 packets from the client were captured twice"),
];

#[test]
fn known_captures_are_explained_as_they_are_known() {
    for case in common::cases("known_captures_are_explained_as_they_are_known") {
        let sentences: Vec<String> =
            findings(&case).iter().map(|finding| English.finding(&finding.says)).collect();
        for (_, known) in KNOWN.iter().filter(|(name, _)| *name == case.name) {
            let told = sentences.iter().any(|sentence| sentence == known);
            assert!(told, "{}: {known:?} is not among {sentences:#?}", case.name);
        }
    }
}

/// Connections that went well.
const QUIET: [&str; 8] = [
    "cs_handshake",
    "nd_pgsql_ecn",
    "pp_http_fin",
    "sv_chdlc",
    "td_nano",
    "tt_ppp",
    "zk_timestamp",
    "zk_tfo",
];

#[test]
fn nothing_is_said_of_captures_where_all_is_well() {
    for case in common::cases("nothing_is_said_of_captures_where_all_is_well") {
        if QUIET.contains(&case.name.as_str()) {
            assert_eq!(findings(&case), [], "{}", case.name);
        }
    }
}
