//! `docs/conformance.md`, written from the ledger.

use std::fmt::Write as _;

use super::row::{LEVELS, Row, Status};
use super::ties::Ties;

const HEAD: &str = "\
# Conformance

What TCP's standards ask, and how Handclasp stands to each of it. Written from
[`requirements.csv`](requirements.csv) and from the tests, which name in their source what they
show; a test fails when this page and they disagree. To write it anew:

```text
HANDCLASP_BLESS=1 cargo test -p handclasp-cli --test ledger
```

- *met*: the tests named show it.
- *deviates*: not met on purpose, for the reason given.
- *not-applicable*: it asks nothing of a stack like this one, or permits what we do not make
  use of.
- *open*: not met, or not shown, yet.

Identifiers of RFC 9293 with `MUST`, `SHLD`, `MAY` and `REC` are the numbers of its Appendix B;
those with `P` (in all RFCs) are requirements that its text makes without numbering them.
Statements are in our words.
";

/// The whole page.
pub(crate) fn page(rows: &[Row], ties: &Ties) -> String {
    let mut page = HEAD.to_owned();
    let mut rfcs: Vec<u32> = Vec::new();
    for row in rows {
        if !rfcs.contains(&row.rfc) {
            rfcs.push(row.rfc);
        }
    }
    page.push_str("\n## By RFC\n");
    let of_rfc = |rfc: u32| move |row: &&Row| row.rfc == rfc;
    let mut lines: Vec<_> = (rfcs.iter())
        .map(|&rfc| (format!("[{rfc}](#rfc-{rfc})"), counts(rows.iter().filter(of_rfc(rfc)))))
        .collect();
    lines.push(("all".to_owned(), counts(rows.iter())));
    table(&mut page, "RFC", &lines);

    page.push_str("\n## By level\n");
    let of_level = |level: &'static str| move |row: &&Row| row.level == level;
    let lines: Vec<_> = LEVELS
        .iter()
        .map(|&level| (level.to_owned(), counts(rows.iter().filter(of_level(level)))))
        .collect();
    table(&mut page, "level", &lines);

    for rfc in rfcs {
        section(&mut page, rfc, rows.iter().filter(of_rfc(rfc)), ties);
    }
    page
}

/// How many rows there are of each status.
fn counts<'a>(rows: impl Iterator<Item = &'a Row>) -> [usize; 4] {
    let mut counts = [0; 4];
    for row in rows {
        counts[row.status as usize] += 1;
    }
    counts
}

fn table(page: &mut String, what: &str, lines: &[(String, [usize; 4])]) {
    write!(page, "\n| {what} | rows |").unwrap();
    for status in Status::ALL {
        write!(page, " {} |", status.name()).unwrap();
    }
    page.push_str("\n| --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (name, counts) in lines {
        write!(page, "| {name} | {} |", counts.iter().sum::<usize>()).unwrap();
        for count in counts {
            write!(page, " {count} |").unwrap();
        }
        page.push('\n');
    }
}

fn section<'a>(page: &mut String, rfc: u32, rows: impl Iterator<Item = &'a Row>, ties: &Ties) {
    write!(page, "\n## RFC {rfc}\n\n").unwrap();
    page.push_str("| id | § | level | what it asks | status | shown by, or why not |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for row in rows {
        let id = row.id.split_once('-').map_or(row.id.as_str(), |(_, id)| id);
        let tests = ties.tests.get(&row.id).into_iter().flatten();
        let mut why: Vec<_> = tests.map(|test| format!("`{test}`")).collect();
        why.extend((!row.reason.is_empty()).then(|| escaped(&row.reason)));
        let (section, level, status) = (&row.section, &row.level, row.status.name());
        let statement = escaped(&row.statement);
        let why = why.join("<br>");
        writeln!(page, "| {id} | {section} | {level} | {statement} | {status} | {why} |").unwrap();
    }
}

/// Text as it stands in a cell of a table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;")
}
