//! Which tests say that they show which requirement.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What the doc comments of tests say.
#[derive(Default)]
pub(crate) struct Ties {
    /// Each requirement named, with its tests as `file:name`.
    pub(crate) tests: BTreeMap<String, BTreeSet<String>>,
    /// `Requirement:` lines that cannot be read or belong to no test, as `file:line`.
    pub(crate) astray: Vec<String>,
}

/// The `Requirement:` lines of one doc comment.
#[derive(Default)]
struct Note {
    line: Option<usize>,
    ids: Vec<String>,
    goes_on: bool,
    readable: bool,
    is_test: bool,
}

impl Note {
    /// Takes a line of a doc comment.
    fn doc(&mut self, text: &str, line: usize) {
        let list = match text.strip_prefix("Requirement:") {
            Some(list) => {
                self.readable = self.line.is_none() || self.readable;
                self.line.get_or_insert(line);
                list
            }
            None if self.goes_on => text,
            None => return,
        };
        self.goes_on = list.ends_with(',');
        for id in list.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            self.readable &= id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            self.ids.push(id.to_owned());
        }
    }
}

impl Ties {
    /// Takes what the tests of one file say.
    pub(crate) fn read(&mut self, file: &str, text: &str) {
        let mut note = Note::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(doc) = line.strip_prefix("///") {
                note.doc(doc.trim(), at + 1);
            } else if line.starts_with("#[") {
                note.is_test |= line.ends_with("test]") || line.contains("test(");
            } else {
                let name = line.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
                self.close(file, std::mem::take(&mut note), name);
            }
        }
        self.close(file, note, None);
    }

    fn close(&mut self, file: &str, note: Note, name: Option<&str>) {
        let Some(line) = note.line else { return };
        match name {
            Some(name) if note.is_test && note.readable => {
                for id in note.ids {
                    self.tests.entry(id).or_default().insert(format!("{file}:{name}"));
                }
            }
            _ => self.astray.push(format!("{file}:{line}")),
        }
    }
}

/// What all tests under `folder` say.
pub(crate) fn of_sources(folder: &Path) -> Ties {
    let mut ties = Ties::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            // The ledger's own tests hold lines that only look like ties.
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("ledger.rs") {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                ties.read(&name, &fs::read_to_string(&path).unwrap());
            }
        }
    }
    ties.astray.sort();
    ties
}
