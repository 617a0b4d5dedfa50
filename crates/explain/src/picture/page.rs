//! A page about a whole capture: one file, without scripts or styles from elsewhere.
//!
//! Everything that came from a network goes into the page as JSON whose `<` is written in
//! another way, or as escaped SVG; the script writes it as text, never as markup.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;

use handclasp_wire::time::Instant;
use serde::Serialize;

use super::course::{Course, Numbers};
use super::histogram::Histogram;
use super::ladder::{self, Place};
use super::svg::Escaped;
use crate::catalogue::Language;
use crate::catalogue::findings::Findings;
use crate::catalogue::page::PageTexts;
use crate::finding::{Finding, Severity};
use crate::flow::Flow;
use crate::mark::Marks;
use crate::nanos;
use crate::track::summary::Ending;

const SHELL: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Findings about several connections, and those of one connection, that are told.
const MAX_FINDINGS: usize = 200;

/// How much a page may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections in the table.
    pub listed: usize,
    /// Connections that are drawn.
    pub drawn: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { listed: 10_000, drawn: 100 }
    }
}

impl Limits {
    /// Points of each series of a connection, so that the page stays usable.
    #[must_use]
    pub fn points(&self) -> usize {
        const ALL: usize = 400_000;
        const SERIES: usize = 8;
        (ALL / SERIES / self.drawn.max(1)).clamp(300, super::course::POINTS)
    }
}

/// What a page tells.
pub struct Report {
    limits: Limits,
    first: Option<Instant>,
    last: Instant,
    frames: u64,
    frame_bytes: u64,
    segments: u64,
    connections: u64,
    rows: Vec<Row>,
    endings: [u64; ENDINGS.len()],
    begun: Histogram<{ ENDINGS.len() }>,
    rules: BTreeMap<String, Rule>,
    general: Vec<Told>,
}

/// Endings by their names, in the order in which they are counted.
const ENDINGS: [&str; 6] = ["closed", "half-closed", "open", "reset", "refused", "unanswered"];

const fn ending(ending: Ending) -> usize {
    match ending {
        Ending::Closed(_) => 0,
        Ending::HalfClosed(_) => 1,
        Ending::Open => 2,
        Ending::Reset(_) => 3,
        Ending::Refused => 4,
        Ending::Unanswered => 5,
    }
}

/// How often a rule found something.
#[derive(Default, Serialize)]
struct Rule {
    count: u64,
    severity: u8,
}

/// A connection in the table. Pairs are of the client and the server.
#[derive(Serialize)]
struct Row {
    stream: u64,
    client: SocketAddr,
    server: SocketAddr,
    ending: usize,
    verdict: String,
    /// From the capture's first frame, in nanoseconds.
    start: u64,
    duration: u64,
    packets: [u64; 2],
    bytes: [u64; 2],
    resent: [u64; 2],
    rtt: Option<u64>,
    conn_state: &'static str,
    history: String,
    severity: Option<u8>,
    findings: Vec<Told>,
}

impl Row {
    /// The worst first, then the largest; those that began first among equals.
    fn rank(&self) -> impl Ord + use<> {
        let packets = self.packets[0] + self.packets[1];
        std::cmp::Reverse((self.severity, packets, u64::MAX - self.stream))
    }
}

/// A finding in words.
#[derive(Serialize)]
struct Told {
    rule: String,
    severity: u8,
    text: String,
    advice: String,
    frames: Vec<u64>,
}

impl Told {
    fn new(finding: &Finding, words: &dyn Findings) -> Self {
        let name = serde_json::to_value(&finding.says).ok();
        let name = name.and_then(|says| Some(says.get("rule")?.as_str()?.to_owned()));
        Self {
            rule: name.unwrap_or_default(),
            severity: severity(finding.severity),
            text: words.finding(&finding.says),
            advice: words.advice(&finding.says),
            frames: finding.evidence.clone(),
        }
    }
}

const fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Note => 0,
        Severity::Warn => 1,
        Severity::Error => 2,
    }
}

impl Report {
    /// A report of nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            first: None,
            last: Instant::ZERO,
            frames: 0,
            frame_bytes: 0,
            segments: 0,
            connections: 0,
            rows: Vec::new(),
            endings: Default::default(),
            begun: Histogram::new(),
            rules: BTreeMap::new(),
            general: Vec::new(),
        }
    }

    /// Counts a frame.
    pub fn frame(&mut self, at: Instant, len: u32, is_segment: bool) {
        self.first.get_or_insert(at);
        self.last = self.last.max(at);
        self.frames += 1;
        self.frame_bytes += u64::from(len);
        self.segments += u64::from(is_segment);
    }

    /// Adds a connection that is over, with what was found and what is to be said of it.
    pub fn see(&mut self, flow: &Flow, found: &[Finding], verdict: &str, words: &dyn Findings) {
        let first = self.first.unwrap_or(flow.first.at);
        let start = flow.first.at.saturating_since(first);
        let kind = ending(flow.ending());
        self.connections += 1;
        self.endings[kind] += 1;
        self.begun.add(start, kind, 1);
        let ends = [flow.client, flow.server()];
        let counts = ends.map(|end| &flow.ends[end].counts);
        let [client, server] = ends.map(|end| flow.key.ends[end]);
        let findings: Vec<_> = found.iter().map(|finding| Told::new(finding, words)).collect();
        findings.iter().for_each(|told| self.count(told));
        self.rows.push(Row {
            stream: flow.stream,
            client,
            server,
            ending: kind,
            verdict: verdict.to_owned(),
            start: nanos::count(start),
            duration: nanos::count(flow.duration()),
            packets: counts.map(|counts| counts.packets),
            bytes: counts.map(|counts| counts.unique_bytes),
            resent: ends.map(|end| flow.evidence[end].count(Marks::RETRANSMISSION)),
            rtt: flow.handshake.round_trip().map(nanos::count),
            conn_state: flow.zeek.conn_state(),
            history: flow.zeek.history().to_owned(),
            severity: findings.iter().map(|told| told.severity).max(),
            findings,
        });
        if self.rows.len() >= 2 * self.limits.listed.max(1) {
            self.forget();
        }
    }

    fn count(&mut self, told: &Told) {
        let rule = self.rules.entry(told.rule.clone()).or_default();
        rule.count += 1;
        rule.severity = rule.severity.max(told.severity);
    }

    /// Leaves out those that are beyond what the table may hold.
    fn forget(&mut self) {
        self.rows.sort_by_key(Row::rank);
        self.rows.truncate(self.limits.listed);
    }

    /// Adds what all connections together showed.
    pub fn conclude(&mut self, found: &[Finding], words: &dyn Findings) {
        let told: Vec<_> = found.iter().map(|finding| Told::new(finding, words)).collect();
        told.iter().for_each(|told| self.count(told));
        self.general.extend(told.into_iter().take(MAX_FINDINGS));
        self.forget();
    }

    /// The connections that are worth drawing, by their numbers.
    #[must_use]
    pub fn chosen(&self) -> Vec<u64> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.rank());
        rows.iter().take(self.limits.drawn).map(|row| row.stream).collect()
    }

    /// Keeps only these connections.
    pub fn retain(&mut self, streams: &[u64]) {
        self.rows.retain(|row| streams.contains(&row.stream));
    }

    /// Writes the page. `courses` are of those connections that are drawn.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(
        &mut self,
        out: &mut impl Write,
        name: &str,
        courses: &BTreeMap<u64, Course>,
        language: &dyn Language,
        texts: &PageTexts,
    ) -> io::Result<()> {
        self.rows.sort_by_key(|row| row.stream);
        let drawn = courses.iter().map(|(stream, course)| {
            let (client, server) = (&course.client, &course.server);
            let streams = [Numbers::new(client), Numbers::new(server)];
            let ladder = ladder::draw(course, language, Place::Page);
            (*stream, Drawn { time: nanos::count(course.duration()), streams, ladder })
        });
        let data = Data { report: self, name, texts, drawn: drawn.collect(), endings: ENDINGS };
        let json = serde_json::to_string(&data.object())?;
        let title = format!("{} {name}", texts.report);
        for piece in pieces(SHELL) {
            match piece {
                Piece::Markup(markup) => out.write_all(markup.as_bytes())?,
                Piece::Place("language") => write!(out, "{}", Escaped(texts.language))?,
                Piece::Place("title") => write!(out, "{}", Escaped(&title))?,
                Piece::Place("skip") => write!(out, "{}", Escaped(texts.skip))?,
                Piece::Place("style") => write!(out, "{STYLE}{}", ladder::LADDER)?,
                Piece::Place("script") => out.write_all(SCRIPT.as_bytes())?,
                // No markup begins or ends within a string of a script.
                Piece::Place(_) => out.write_all(json.replace('<', "\\u003c").as_bytes())?,
            }
        }
        out.flush()
    }
}

enum Piece<'a> {
    Markup(&'a str),
    /// What stands in double braces.
    Place(&'a str),
}

fn pieces(shell: &str) -> impl Iterator<Item = Piece<'_>> {
    shell.split("{{").enumerate().flat_map(|(i, part)| match part.split_once("}}") {
        Some((place, markup)) if i > 0 => vec![Piece::Place(place), Piece::Markup(markup)],
        _ => vec![Piece::Markup(part)],
    })
}

/// A connection's pictures.
#[derive(Serialize)]
struct Drawn<'a> {
    time: u64,
    streams: [Numbers<'a>; 2],
    ladder: String,
}

struct Data<'a> {
    report: &'a Report,
    name: &'a str,
    texts: &'a PageTexts,
    drawn: BTreeMap<u64, Drawn<'a>>,
    endings: [&'static str; ENDINGS.len()],
}

/// What the page's script is given.
#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    texts: &'a PageTexts,
    first_ns: String,
    time: u64,
    frames: u64,
    frame_bytes: u64,
    segments: u64,
    connections: u64,
    endings: &'a [&'static str],
    counts: &'a [u64],
    begun: &'a Histogram<{ ENDINGS.len() }>,
    rules: &'a BTreeMap<String, Rule>,
    general: &'a [Told],
    rows: &'a [Row],
    drawn: &'a BTreeMap<u64, Drawn<'a>>,
}

impl Data<'_> {
    fn object(&self) -> Object<'_> {
        let report = self.report;
        let first = report.first.unwrap_or_default();
        Object {
            name: self.name,
            texts: self.texts,
            // Scripts cannot count as far.
            first_ns: first.as_nanos().to_string(),
            time: nanos::count(report.last.saturating_since(first)),
            frames: report.frames,
            frame_bytes: report.frame_bytes,
            segments: report.segments,
            connections: report.connections,
            endings: &self.endings,
            counts: &report.endings,
            begun: &report.begun,
            rules: &report.rules,
            general: &report.general,
            rows: &report.rows,
            drawn: &self.drawn,
        }
    }
}
