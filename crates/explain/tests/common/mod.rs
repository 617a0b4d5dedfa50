//! The captures with other tools' readings, and how often we agree with them.

// Not every test uses all of it.
#![allow(dead_code)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

/// A capture and tshark's reading of it.
pub(crate) struct Case {
    pub(crate) name: String,
    path: PathBuf,
    columns: Vec<String>,
    /// One for each TCP packet, by its number.
    rows: Vec<(u64, Vec<String>)>,
    /// Cells that another version of tshark fills otherwise.
    disputed: HashSet<(u64, String)>,
}

/// A connection's sockets, and tcptrace's figures of both directions by name.
pub(crate) type Totals = ([String; 2], HashMap<String, [u64; 2]>);

/// The folder of captures, which is no part of the project.
fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // The workspace may itself be a work tree beside the main one.
    let candidates = ["../shared/captures", "../../shared/captures"];
    candidates.iter().map(|path| root.join(path)).find(|path| path.is_dir())
}

/// All the captures; says loudly that there are none.
pub(crate) fn cases(test: &str) -> Vec<Case> {
    let Some(folder) = folder() else {
        eprintln!("SKIPPED {test}: the captures are not beside the workspace (shared/captures)");
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder.join("captures")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| Case::load(&folder.join("oracle"), path)).collect()
}

fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    let gz = path.with_added_extension("gz");
    match File::open(path) {
        Ok(mut file) => file.read_to_string(&mut text).unwrap(),
        Err(_) => MultiGzDecoder::new(File::open(gz).ok()?).read_to_string(&mut text).unwrap(),
    };
    Some(text)
}

fn cells(line: &str) -> Vec<String> {
    line.split('\t').map(str::to_owned).collect()
}

impl Case {
    fn load(oracle: &Path, path: PathBuf) -> Self {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let table = text(&oracle.join(format!("{name}.tsv"))).unwrap();
        let mut lines = table.lines().map(cells);
        let columns = lines.next().unwrap();
        // tshark lists TCP that ICMP errors quote too, and headers that are cut short, of which
        // nothing follows.
        let at = |name| columns.iter().position(|column| column == name).unwrap();
        let (raw, icmp) = (at("tcp.seq_raw"), [at("icmp.type"), at("icmpv6.type")]);
        let counts = |row: &Vec<String>| {
            !row[raw].is_empty() && icmp.iter().all(|&column| row[column].is_empty())
        };
        let rows = lines.filter(counts).map(|row| (row[0].parse().unwrap(), row)).collect();
        let disputes = text(&oracle.join(format!("{name}.v44diff.tsv"))).unwrap_or_default();
        let disputed = disputes
            .lines()
            .skip(1)
            .map(cells)
            .map(|row| (row[0].parse().unwrap(), row[1].clone()))
            .collect();
        Self { name, path, columns, rows, disputed }
    }

    /// Bro's lines of TCP connections, cut into fields.
    pub(crate) fn bro_connections(&self) -> Vec<Vec<String>> {
        let name = format!("{}.bro_conn.log", self.name);
        let log = text(&folder().unwrap().join("oracle").join(name)).unwrap_or_default();
        let lines = log.lines().filter(|line| !line.starts_with('#')).map(cells);
        lines.filter(|line| line.len() > 15 && line[6] == "tcp").collect()
    }

    /// tcptrace's totals: of each connection both sockets, and both values by name.
    pub(crate) fn tcptrace_connections(&self) -> Vec<Totals> {
        let name = format!("{}.tcptrace.txt", self.name);
        let log = text(&folder().unwrap().join("oracle").join(name)).unwrap_or_default();
        let mut connections: Vec<Totals> = Vec::new();
        for line in log.lines().map(str::trim) {
            if let Some(host) = line.strip_prefix("host ") {
                let (_, socket) = host.split_once(':').unwrap();
                match connections.last_mut() {
                    Some((sockets, cells)) if sockets[1].is_empty() && cells.is_empty() => {
                        sockets[1] = socket.trim().to_owned();
                    }
                    _ => connections.push(([socket.trim().into(), String::new()], HashMap::new())),
                }
                continue;
            }
            // `name: value unit   name: value unit`, of both directions.
            let (Some((name, rest)), Some((_, cells))) =
                (line.split_once(':'), connections.last_mut())
            else {
                continue;
            };
            let Some((left, right)) = rest.split_once(&format!("{name}:")) else { continue };
            let number = |text: &str| text.split_whitespace().next()?.parse().ok();
            if let (Some(left), Some(right)) = (number(left), number(right)) {
                cells.entry(name.to_owned()).or_insert([left, right]);
            }
        }
        connections
    }

    pub(crate) fn open(&self) -> File {
        File::open(&self.path).unwrap()
    }
}

/// What we say of one packet: columns and their cells.
pub(crate) type Cells = Vec<(&'static str, String)>;

/// How often we agree, column by column.
#[derive(Default)]
pub(crate) struct Agreement {
    columns: BTreeMap<&'static str, Score>,
    misses: Vec<String>,
}

#[derive(Default)]
struct Score {
    cells: u64,
    agreed: u64,
    /// Cells where either of us says more than "no".
    said: u64,
    said_alike: u64,
}

impl Agreement {
    /// Compares what we say of a capture's packets, by number, with what tshark says.
    pub(crate) fn compare(&mut self, case: &Case, ours: &HashMap<u64, Cells>) {
        let at: HashMap<&str, usize> =
            case.columns.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
        for (number, row) in &case.rows {
            let Some(cells) = ours.get(number) else {
                self.misses.push(format!("{} #{number}: not seen at all", case.name));
                self.columns.entry("(seen)").or_default().add(false, true);
                continue;
            };
            self.columns.entry("(seen)").or_default().add(true, true);
            for (column, cell) in cells {
                if case.disputed.contains(&(*number, (*column).to_owned())) {
                    continue;
                }
                let theirs = &row[at[column]];
                let no = |cell: &str| cell.is_empty() || cell == "0";
                let alike = cell == theirs;
                self.columns.entry(column).or_default().add(alike, !no(cell) || !no(theirs));
                if !alike {
                    let name = &case.name;
                    self.misses.push(format!("{column} {name} #{number}: {theirs} ours {cell}"));
                }
            }
        }
    }

    /// Prints the table, and fails for columns that agree in less than `percent` of the cells.
    pub(crate) fn judge(&self, percent: f64) {
        println!("{:40} {:>7} {:>8} {:>7} {:>8}", "field", "cells", "agree %", "said", "agree %");
        let mut low = Vec::new();
        for (column, score) in &self.columns {
            let rate = 100.0 * score.agreed as f64 / score.cells as f64;
            let said = 100.0 * score.said_alike as f64 / score.said.max(1) as f64;
            println!("{column:40} {:>7} {rate:>8.3} {:>7} {said:>8.2}", score.cells, score.said);
            if rate < percent {
                low.push(*column);
            }
        }
        let mut by_column: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for miss in &self.misses {
            by_column.entry(miss.split(' ').next().unwrap()).or_default().push(miss);
        }
        let most = std::env::var("HANDCLASP_MISSES").map_or(3, |n| n.parse().unwrap());
        for misses in by_column.values() {
            for miss in misses.iter().take(most) {
                println!("  {miss}");
            }
        }
        assert!(low.is_empty(), "less than {percent} % of the cells agree: {low:?}");
    }
}

impl Score {
    fn add(&mut self, alike: bool, said: bool) {
        self.cells += 1;
        self.agreed += u64::from(alike);
        self.said += u64::from(said);
        self.said_alike += u64::from(said && alike);
    }
}
