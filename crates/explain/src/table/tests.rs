use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::{Cell, Kind, TABLES, Table, findings, flows};
use crate::catalogue::English;
use crate::finding::find;
use crate::scene::{CLIENT, SERVER, Scene};

#[track_caller]
fn fits(table: &Table, row: &[Cell<'_>]) {
    assert_eq!(row.len(), table.columns.len(), "{}", table.name);
    for (cell, column) in row.iter().zip(table.columns) {
        let fits = match cell {
            Cell::Empty => column.optional,
            Cell::Number(_) => column.kind == Kind::Number,
            Cell::Flag(_) => column.kind == Kind::Flag,
            Cell::Text(_) => column.kind == Kind::Text,
        };
        assert!(fits, "{}.{}: {cell:?}", table.name, column.name);
    }
}

#[test]
fn rows_have_a_cell_of_its_kind_for_every_column() {
    let mut scene = Scene::default();
    let mut segments = vec![scene.segment(CLIENT, "S", 0, 0, 0)];
    segments.push(scene.segment(SERVER, "R.", 0, 1, 0));
    let flow = Scene::flow(&segments);
    let found = find([&flow]);
    assert!(!found.is_empty());
    fits(&flows::TABLE, &flows::row(&flow, &found));
    fits(&findings::TABLE, &findings::row(&found[0], Some(&flow), &English));
    fits(&findings::TABLE, &findings::row(&found[0], None, &English));
}

#[test]
fn a_connection_has_one_key_from_either_end() {
    let mut scene = Scene::default();
    let whole = Scene::flow(&scene.handshake());
    let middle = Scene::flow(&[scene.segment(SERVER, ".", 1, 1, 100)]);
    assert_eq!(whole.key.fingerprint(), middle.key.fingerprint());
    // It stands in people's files: it must not change.
    assert_eq!(whole.key.fingerprint(), 0x0309_923a_e01f_5257);
}

#[test]
fn the_document_has_every_column_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/export.md");
    let document = fs::read_to_string(path).unwrap();
    let lines: HashSet<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
    let mut wanted = HashSet::new();
    for table in TABLES {
        for column in table.columns {
            let optional = if column.optional { ", or empty" } else { "" };
            let kind = column.kind.name();
            wanted.insert(format!("| `{}` | {kind}{optional} | {} |", column.name, column.says));
        }
    }
    let missing: Vec<_> = wanted.iter().filter(|line| !lines.contains(line.as_str())).collect();
    let other: Vec<_> = lines.iter().filter(|line| !wanted.contains(**line)).collect();
    assert!(missing.is_empty() && other.is_empty(), "missing {missing:#?}, too many {other:#?}");
}
