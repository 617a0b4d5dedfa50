//! The ledger of requirements: `docs/requirements.csv` says of each numbered requirement whether
//! we meet it, and tests name the ones they show in a `Requirement:` line of their doc comment.
//!
//! `HANDCLASP_BLESS=1 cargo test -p handclasp-cli --test ledger` writes `docs/conformance.md`.

#[path = "ledger/conformance.rs"]
mod conformance;
#[path = "ledger/row.rs"]
mod row;
#[path = "ledger/ties.rs"]
mod ties;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use row::{Row, Status};
use ties::Ties;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn rows() -> Vec<Row> {
    row::read(&fs::read_to_string(root().join("docs/requirements.csv")).unwrap())
}

/// Asserts that nothing is in `wrong`, listing it all otherwise.
#[track_caller]
fn none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

/// What is wrong with these rows, given the tests that name them.
fn contradictions(rows: &[Row], ties: &Ties) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        let id = &row.id;
        let tied = ties.tests.contains_key(id);
        if !seen.insert(id) {
            wrong.push(format!("{id} is listed twice"));
        }
        if row.status == Status::Met && !tied {
            wrong.push(format!("{id} is met, but no test names it"));
        }
        // A test may well show how we deviate.
        if matches!(row.status, Status::Open | Status::NotApplicable) && tied {
            wrong.push(format!("{id} is {}, but tests name it", row.status.name()));
        }
        if row.status != Status::Met && row.reason.is_empty() {
            wrong.push(format!("{id} is {} for no given reason", row.status.name()));
        }
    }
    let unknown = ties.tests.iter().filter(|(id, _)| !seen.contains(id));
    wrong.extend(unknown.map(|(id, tests)| format!("{id} is unknown; named by {tests:?}")));
    wrong
}

#[test]
fn every_requirement_is_met_by_a_test_or_argued() {
    let ties = ties::of_sources(&root().join("crates"));
    none("a `Requirement:` line must be a test's", &ties.astray);
    none("the ledger and the tests disagree", &contradictions(&rows(), &ties));
}

#[test]
fn the_conformance_page_is_what_the_ledger_says() {
    let page = root().join("docs/conformance.md");
    let expected = conformance::page(&rows(), &ties::of_sources(&root().join("crates")));
    if std::env::var_os("HANDCLASP_BLESS").is_some() {
        fs::write(&page, &expected).unwrap();
    }
    let actual = fs::read_to_string(&page).unwrap_or_default();
    let differs = actual.lines().zip(expected.lines()).position(|(a, e)| a != e);
    assert!(
        actual == expected,
        "docs/conformance.md is stale from line {}: run \
         HANDCLASP_BLESS=1 cargo test -p handclasp-cli --test ledger",
        differs.unwrap_or(actual.lines().count().min(expected.lines().count())) + 1,
    );
}

#[test]
fn a_met_row_without_a_test_and_a_test_without_a_row_are_noticed() {
    let rows = row::read(
        "id,rfc,section,level,area,statement,status,reason\n\
         A-1,1,1,MUST,x,Shown.,met,\n\
         A-2,1,1,MUST,x,Not shown.,met,\n\
         A-3,1,1,MUST,x,Shown by now.,open,Waits.\n\
         A-4,1,1,MUST,x,\"Said, \"\"why\"\" not.\",deviates,\n",
    );
    let mut ties = Ties::default();
    ties.read("a.rs", "/// Requirement: A-1, A-3,\n/// A-5\n#[test]\nfn shows() {}\n");
    assert_eq!(rows[3].statement, "Said, \"why\" not.");
    assert_eq!(
        contradictions(&rows, &ties),
        [
            "A-2 is met, but no test names it",
            "A-3 is open, but tests name it",
            "A-4 is deviates for no given reason",
            "A-5 is unknown; named by {\"a.rs:shows\"}",
        ]
    );
}

#[test]
fn a_requirement_line_that_no_test_follows_is_noticed() {
    let mut ties = Ties::default();
    ties.read("a.rs", "/// Requirement: A-1\nfn helper() {}\n\n/// Requirement: A-2\n\n");
    ties.read("b.rs", "#[test]\n/// Requirement: A-1\nfn after_the_attribute() {}\n");
    ties.read("c.rs", "/// Requirement: A-1 and A-2\n#[tokio::test]\nasync fn says_more() {}\n");
    assert_eq!(ties.astray, ["a.rs:1", "a.rs:4", "c.rs:1"]);
    assert_eq!(ties.tests["A-1"].iter().collect::<Vec<_>>(), ["b.rs:after_the_attribute"]);
}
