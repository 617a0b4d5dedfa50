//! What the documents show as printed by the command is what it prints.
//!
//! Each block that begins with `$ handclasp` is run again. What comes out the same every time is
//! compared line by line. What talks to the kernel differs in times, ports and numbers, and takes
//! a while: `HANDCLASP_ARTICLES=1` runs that as well, and compares all but the packets, which
//! `experiments.rs` looks at. `HANDCLASP_BLESS=1` writes the blocks anew.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{is_missing, scratch, skip};

/// The documents with such blocks.
const DOCUMENTS: [&str; 4] =
    ["README.md", "README.zh-CN.md", "docs/articles.md", "docs/zh/articles.md"];

/// A block of a document: the command, and what stands there as its output.
#[derive(Debug)]
struct Block {
    command: String,
    shown: Vec<String>,
}

enum Piece {
    Text(String),
    Block(Block),
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut lines = text.lines().peekable();
    let mut pieces = Vec::new();
    while let Some(line) = lines.next() {
        let command = lines.peek().and_then(|next| next.strip_prefix("$ ")).map(str::to_owned);
        pieces.push(Piece::Text(line.into()));
        let Some(command) = command.filter(|_| line == "```text") else { continue };
        lines.next();
        let mut shown = Vec::new();
        while let Some(line) = lines.next_if(|line| *line != "```") {
            shown.push(line.to_owned());
        }
        pieces.push(Piece::Block(Block { command, shown }));
    }
    pieces
}

/// Whether a command prints the same every time.
fn is_steady(command: &str) -> bool {
    let kernel = ["--send", " lab ", " show ", " explain "]
        .iter()
        .any(|word| format!("{command} ").contains(word));
    !kernel && (!command.contains(" try ") || command.contains("--against handclasp"))
}

/// What a command prints now; `None` where it cannot be run here.
fn run(command: &str, folder: &Path) -> Option<Vec<String>> {
    let name = format!("the block: {command}");
    if command.contains("curl") && is_missing("curl", &name) {
        return None;
    }
    let bin = Path::new(env!("CARGO_BIN_EXE_handclasp")).parent().expect("a folder");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("PATH", path).env("LC_ALL", "C");
    let output = shell.output().expect("a shell");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for reason in ["unrecognized subcommand", "a private network is not allowed here"] {
        if err.contains(reason) {
            skip(&name, err.trim());
            return None;
        }
    }
    Some(out.trim_end().lines().map(|line| line.trim_end().to_owned()).collect())
}

/// Units that stand behind numbers, longer ones before those that begin them.
const UNITS: [&str; 13] =
    ["Gbit/s", "Mbit/s", "kbit/s", "bit/s", "times", "ns", "µs", "ms", "kB", "MB", "GB", "B", "s"];

/// A text with every number in it, and the unit behind it, as one sign.
fn masked(text: &str) -> String {
    let text = text.replace(" once", " 1 times").replace(" twice", " 2 times");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if !c.is_ascii_digit() {
            // How words are broken into lines depends on the numbers.
            if c != '·' && !(c == ' ' && out.ends_with(' ')) {
                out.push(c);
            }
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let number = |c: char| !c.is_ascii_digit() && c != '.';
        rest = &rest[rest.find(number).unwrap_or(rest.len())..];
        let behind = rest.strip_prefix(' ').unwrap_or(rest);
        let whole = |unit: &&&str| {
            let after = behind.strip_prefix(**unit);
            after.is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric()))
        };
        if let Some(unit) = UNITS.iter().find(whole) {
            rest = &behind[unit.len()..];
        }
        out.push('#');
    }
    out.trim().to_owned()
}

/// Of what talks to the kernel, that which is the same every time: not the packets.
fn frame(lines: &[String]) -> Vec<String> {
    let (mut frame, mut verdict) = (Vec::new(), Vec::new());
    for line in lines {
        if line.starts_with(['✔', '✘']) || (!verdict.is_empty() && line.starts_with("  ")) {
            verdict.push(line.trim());
        } else if !line.starts_with(' ') && !line.contains(" → ") {
            let line = line.replace("private network, no root", "private network");
            frame.push(masked(&line.replace("私有网络，无需 root", "私有网络")));
        }
    }
    frame.push(masked(&verdict.join(" ")));
    frame
}

fn check(document: &str, everything: bool, bless: bool) {
    let path = root().join(document);
    let text = fs::read_to_string(&path).expect("a document");
    let folder = scratch(&format!("articles-{}", document.replace('/', "-")));
    let mut written = String::new();
    for piece in pieces(&text) {
        let Block { command, shown } = match piece {
            Piece::Text(line) => {
                written.push_str(&line);
                written.push('\n');
                continue;
            }
            Piece::Block(block) => block,
        };
        let steady = is_steady(&command);
        let now = if steady || everything || bless { run(&command, &folder) } else { None };
        let now = now.unwrap_or_else(|| shown.clone());
        let (was, is) = match steady {
            true => (shown.clone(), now.clone()),
            false => (frame(&shown), frame(&now)),
        };
        if !bless {
            let remedy = "HANDCLASP_BLESS=1 cargo test -p handclasp-cli --test articles";
            assert_eq!(was, is, "{document} shows otherwise: {command}\n{remedy} writes it anew");
        }
        for line in [format!("$ {command}")].iter().chain(&now) {
            written.push_str(line);
            written.push('\n');
        }
    }
    if bless {
        fs::write(&path, written).expect("a document");
    }
}

#[test]
fn documents_show_what_the_command_prints() {
    let is_set = |name| std::env::var_os(name).is_some();
    let (everything, bless) = (is_set("HANDCLASP_ARTICLES"), is_set("HANDCLASP_BLESS"));
    if !everything {
        skip(
            "blocks that talk to the kernel",
            "they take a minute: HANDCLASP_ARTICLES=1 runs them",
        );
    }
    for document in DOCUMENTS {
        check(document, everything, bless);
    }
}

#[test]
fn the_two_tours_show_the_same_commands() {
    let commands = |document: &str| -> Vec<String> {
        let text = fs::read_to_string(root().join(document)).expect("a document");
        let blocks = pieces(&text).into_iter().filter_map(|piece| match piece {
            Piece::Block(block) => Some(block.command.replace(" --lang zh", "")),
            Piece::Text(_) => None,
        });
        blocks.collect()
    };
    assert_eq!(commands("docs/articles.md"), commands("docs/zh/articles.md"));
}

#[test]
fn numbers_and_their_units_are_masked() {
    let text = "✔ 200 OK · SYN→SYN-ACK 80.2 µs · 54 B out, 1.09 kB in · came 2 times in 1.02 s";
    assert_eq!(masked(text), "✔ # OK SYN→SYN-ACK # # out, # in came # in #");
    assert_eq!(masked("came once in 712 ms, then"), "came # in #, then");
    assert_eq!(masked("用时 1.02 ms：38.1 Mbit/s"), "用时 #：#");
}
