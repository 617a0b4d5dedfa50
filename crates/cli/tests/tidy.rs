//! The house rules that a compiler does not check.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const LINE_CHARS: usize = 100;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Each crate's floor, from the block in ARCHITECTURE.md.
fn floors() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text.split("```floors\n").nth(1).expect("ARCHITECTURE.md has a floors block");
    let mut floors = BTreeMap::new();
    for line in block.split("```").next().unwrap().lines() {
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("floor"), "{line:?}");
        let floor = words.next().unwrap().parse().unwrap();
        floors.extend(words.map(|name| (name.to_owned(), floor)));
    }
    floors
}

fn crates() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).unwrap();
    entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// The crates of ours that `name` is built from, tests aside.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = root().join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(manifest).unwrap();
    let mut wanted = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            wanted = line.ends_with("dependencies]") && !line.contains("dev-dependencies");
        }
        let key = line.split(['.', '=', ' ']).next().unwrap();
        if wanted && let Some(dep) = key.strip_prefix("handclasp") {
            found.push(match dep {
                "" => "handclasp".to_owned(),
                dep => dep.trim_start_matches('-').to_owned(),
            });
        }
    }
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    files
}

/// Functions longer than the limit, as (name line, length).
fn long_functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut long = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let is_fn = code.starts_with("fn ")
            || (code.starts_with("pub") || code.starts_with("async") || code.starts_with("const"))
                && code.contains("fn ");
        if !is_fn {
            continue;
        }
        // Formatted code closes a function at its own indentation.
        let indent = line.len() - code.len();
        let closes = |l: &&str| l.len() == indent + 1 && l.ends_with('}');
        let ends_at_once = |l: &&str| l.trim_end().ends_with(';') && !l.contains('{');
        let body = lines[start..].iter().take_while(|l| !closes(l)).count() + 1;
        let signature = lines[start..].iter().position(|l| l.contains('{') || ends_at_once(l));
        if signature.is_some_and(|at| lines[start + at].contains('{')) && body > FUNCTION_LINES {
            long.push((code.to_owned(), body));
        }
    }
    long
}

#[test]
fn every_crate_stands_on_lower_floors_only() {
    let floors = floors();
    for name in crates() {
        let floor = floors.get(&name).unwrap_or_else(|| panic!("{name} is on no floor"));
        for dep in dependencies(&name) {
            assert!(floors[&dep] < *floor, "{name} (floor {floor}) imports {dep}");
        }
    }
}

#[test]
fn no_file_function_or_line_is_too_long() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES {
            broken.push(format!("{}: {lines} lines", path.display()));
        }
        for (i, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_CHARS && !line.contains("https://") {
                broken.push(format!("{}:{}: line too long", path.display(), i + 1));
            }
        }
        for (name, length) in long_functions(&text) {
            broken.push(format!("{}: {length} lines: {name}", path.display()));
        }
    }
    assert!(broken.is_empty(), "what are these really two of?\n{}", broken.join("\n"));
}

#[test]
fn unsafe_code_is_forbidden_outside_device_lab_and_drill_so() {
    for name in crates() {
        if ["device", "lab", "drill-so"].contains(&name.as_str()) {
            continue;
        }
        let source = root().join("crates").join(&name).join("src");
        let top = ["lib.rs", "main.rs"].map(|f| source.join(f)).into_iter().find(|f| f.exists());
        let text = fs::read_to_string(top.unwrap()).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{name} does not forbid unsafe code");
    }
}

#[test]
fn the_core_has_no_operating_system() {
    for name in ["wire", "tcp", "stack"] {
        let text = fs::read_to_string(root().join(format!("crates/{name}/src/lib.rs"))).unwrap();
        assert!(text.contains("#![no_std]"), "{name} is not no_std");
    }
}

#[test]
fn a_function_of_eighty_lines_is_noticed() {
    let text = format!("    pub fn long() {{\n{}    }}\n", "        work();\n".repeat(78));
    assert_eq!(long_functions(&text), [("pub fn long() {".to_owned(), 80)]);
    assert!(long_functions("    fn short() {\n    }\n").is_empty());
    assert!(long_functions("trait T {\n    fn declared(&self);\n}\n").is_empty());
}
