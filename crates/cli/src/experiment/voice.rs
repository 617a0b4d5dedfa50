//! What is said of an experiment, before, meanwhile and behind.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use handclasp_explain::catalogue::experiment::{Column, Happened};
use handclasp_explain::catalogue::{Cast, Message};
use handclasp_explain::json;
use handclasp_explain::ladder::View;
use handclasp_explain::track::row::{Known, Row};
use handclasp_explain::track::{Both, Flow, Side};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::table::{ALL, Experiment};
use crate::language::say;
use crate::watch::tell::{About, Drawing, Lines, Teller, screen_width};

/// How one experiment is told.
pub(super) struct Telling<'a> {
    pub(super) experiment: &'a Experiment,
    /// Both ends and what joins them, for the title.
    pub(super) title: Vec<String>,
    /// The heading of the peer's states, and whether it can be asked for them.
    pub(super) peer: (String, bool),
    /// What programs are told that the peer is.
    pub(super) against: &'static str,
    pub(super) absolute: bool,
    pub(super) json: bool,
}

/// What came of it.
pub(super) struct Verdict<'a> {
    pub(super) happened: &'a Happened,
    pub(super) as_said: bool,
    pub(super) took: Duration,
}

/// Tells rows, and what frames them.
pub(super) enum Voice {
    Ladder(Box<Drawing<Box<dyn Write + Send>>>),
    Lines(Lines<io::Stdout>),
}

impl Voice {
    /// A voice that has said what is tried and what theory expects.
    pub(super) fn new(telling: &Telling<'_>) -> io::Result<Self> {
        if telling.json {
            return Ok(Self::Lines(Lines::new(io::stdout())));
        }
        let Experiment { row, clause, what, .. } = telling.experiment;
        let view = View {
            left: Side::Client,
            names: [say(&Message::HandHeading), telling.peer.0.clone()],
            marked: [false, telling.peer.1],
            absolute: telling.absolute || telling.experiment.absolute,
            width: screen_width(),
            fold_after: None,
            cast: Cast { ours: Some(Side::Client) },
        };
        let mut drawing = Drawing::new(Box::new(anstream::stdout()) as _, view, bar());
        let ladder = drawing.ladder();
        ladder.title(&[telling.experiment.title(), (*row).into(), (*clause).into()])?;
        ladder.title(&telling.title)?;
        ladder.paragraph(&say(&Message::TriedHeading), &say(&Message::Tried(*what)))?;
        ladder.paragraph(&say(&Message::TheoryHeading), &say(&Message::Theory(*what)))?;
        ladder.headings()?;
        ladder.flush()?;
        Ok(Self::Ladder(Box::new(drawing)))
    }

    /// A line that says what is waited for.
    pub(super) fn bar(&self) -> ProgressBar {
        match self {
            Self::Ladder(drawing) => drawing.bar(),
            Self::Lines(_) => ProgressBar::hidden(),
        }
    }

    /// Says what came of it.
    pub(super) fn finish(
        &mut self,
        telling: &Telling<'_>,
        verdict: &Verdict<'_>,
        flows: &[Flow],
    ) -> io::Result<()> {
        let Experiment { name, option, row, clause, .. } = *telling.experiment;
        match self {
            Self::Ladder(drawing) => {
                let Verdict { as_said, happened, .. } = *verdict;
                let said = say(&Message::Verdict { clause, as_said, happened });
                let ladder = drawing.ladder();
                ladder.verdict(as_said, &said)?;
                ladder.flush()
            }
            Self::Lines(lines) => {
                for (number, flow) in flows.iter().enumerate() {
                    let (number, summary) = (number as u64, flow.summary());
                    lines.object(&json::Connection::new(number, flow.sockets(), summary))?;
                }
                lines.object(&Object {
                    v: json::VERSION,
                    r#type: "experiment",
                    name,
                    option,
                    against: telling.against,
                    article: row,
                    clause,
                    ok: verdict.as_said,
                    happened: say(&Message::Happened(verdict.happened)),
                    took_ns: u64::try_from(verdict.took.as_nanos()).unwrap_or(u64::MAX),
                })
            }
        }
    }
}

impl Teller for Voice {
    fn begin(&mut self, about: &About, states: &Both<Known>) -> io::Result<()> {
        match self {
            Self::Ladder(drawing) => {
                drawing.ladder().face(about.ours);
                drawing.begin(about, states)
            }
            Self::Lines(lines) => lines.begin(about, states),
        }
    }

    fn row(&mut self, about: &About, row: &Row) -> io::Result<()> {
        match self {
            Self::Ladder(drawing) => {
                drawing.ladder().face(about.ours);
                drawing.row(about, row)
            }
            Self::Lines(lines) => lines.row(about, row),
        }
    }
}

/// An experiment's end, for programs.
#[derive(Serialize)]
struct Object {
    v: u32,
    r#type: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<&'static str>,
    against: &'static str,
    article: &'static str,
    clause: &'static str,
    ok: bool,
    happened: String,
    took_ns: u64,
}

/// How all of them came out, for programs.
#[derive(Serialize)]
struct Tally {
    v: u32,
    r#type: &'static str,
    ok: bool,
    as_said: u64,
    otherwise: u64,
}

/// Says how all of them came out.
pub(super) fn tally(json: bool, as_said: u64, otherwise: u64) -> io::Result<()> {
    if json {
        let (v, ok) = (json::VERSION, otherwise == 0);
        let tally = Tally { v, r#type: "summary", ok, as_said, otherwise };
        return Lines::new(io::stdout()).object(&tally);
    }
    writeln!(anstream::stdout(), "{}", say(&Message::Tally { as_said, otherwise }))
}

/// An experiment that could be run, for programs.
#[derive(Serialize)]
struct Listed {
    v: u32,
    r#type: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<&'static str>,
    article: &'static str,
    clause: &'static str,
    tried: String,
    theory: String,
}

/// Shows all of them.
pub(super) fn list(json: bool) -> io::Result<()> {
    if json {
        let mut lines = Lines::new(io::stdout());
        return ALL.iter().try_for_each(|experiment| {
            lines.object(&Listed {
                v: json::VERSION,
                r#type: "listed",
                name: experiment.name,
                option: experiment.option,
                article: experiment.row,
                clause: experiment.clause,
                tried: say(&Message::Tried(experiment.what)),
                theory: say(&Message::Theory(experiment.what)),
            })
        });
    }
    let heading = |column| say(&Message::Column(column));
    let columns = [Column::Name, Column::Article, Column::Clause, Column::Tried].map(heading);
    let rows = ALL
        .iter()
        .map(|e| [e.title(), e.row.into(), e.clause.into(), say(&Message::Tried(e.what))]);
    let rows: Vec<_> = std::iter::once(columns).chain(rows).collect();
    let out = &mut anstream::stdout();
    handclasp_explain::ladder::table(&rows, screen_width())
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
