//! What is said of the scripts: lines, a table, or objects.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use handclasp_drill::Outcome;
use handclasp_drill::run::Kind;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::args::Against;
use super::junit;
use super::plan::{Output, Plan};
use super::runner::{Done, Ran};
use crate::error::Error;

/// How many scripts fared how.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) scripts: usize,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) unread: usize,
    /// The machine's own time, in seconds, of all scripts together.
    pub(crate) script_seconds: f64,
    /// Real time, in seconds.
    pub(crate) seconds: f64,
}

/// What was said of one script.
pub(crate) struct Verdict {
    pub(crate) path: PathBuf,
    pub(crate) took: Duration,
    /// Why it did not pass: the line, and what was wrong.
    pub(crate) wrong: Option<Wrong>,
}

pub(crate) struct Wrong {
    pub(crate) unread: bool,
    pub(crate) line: usize,
    pub(crate) message: String,
    /// All of it, with the ladder.
    pub(crate) text: String,
}

/// Says how scripts fare, one after the other.
pub(crate) struct Report {
    output: Output,
    out: Box<dyn Write>,
    bar: ProgressBar,
    totals: Totals,
    verdicts: Vec<Verdict>,
    junit: Option<PathBuf>,
    virtual_time: bool,
    begun: Instant,
}

#[derive(Serialize)]
struct Json<'a> {
    script: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_seconds: Option<f64>,
    seconds: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ladder: Vec<JsonRow<'a>>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    seconds: f64,
    kind: &'static str,
    state: &'static str,
    text: &'a str,
}

impl Report {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            output: plan.output,
            out: Box::new(anstream::stdout()),
            bar: bar(plan),
            totals: Totals::default(),
            verdicts: Vec::new(),
            junit: plan.junit.clone(),
            virtual_time: plan.against == Against::Stack,
            begun: Instant::now(),
        }
    }

    /// Says how one script fared.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub(crate) fn add(&mut self, done: Done) -> Result<(), Error> {
        let wrong = wrong(&done);
        self.totals.scripts += 1;
        match &wrong {
            None => self.totals.passed += 1,
            Some(wrong) if wrong.unread => self.totals.unread += 1,
            Some(_) => self.totals.failed += 1,
        }
        if let Ok(Ran::Run(outcome)) = &done.result {
            self.totals.script_seconds += outcome.took.as_secs_f64();
        }
        self.bar.suspend(|| match self.output {
            Output::Json => json(&mut self.out, &done, wrong.as_ref()),
            Output::Markdown => {
                if self.totals.scripts == 1 {
                    writeln!(self.out, "| script | verdict | where | why | lacks |")?;
                    writeln!(self.out, "| --- | --- | --- | --- | --- |")?;
                }
                table_row(&mut self.out, &done, wrong.as_ref())
            }
            Output::Text { ladders } => text(&mut self.out, &done, wrong.as_ref(), ladders),
        })?;
        self.bar.inc(1);
        if self.junit.is_some() {
            self.verdicts.push(Verdict { path: done.path, took: done.took, wrong });
        }
        Ok(())
    }

    /// Says how all of them fared.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub(crate) fn finish(mut self) -> Result<Totals, Error> {
        self.bar.finish_and_clear();
        self.totals.seconds = self.begun.elapsed().as_secs_f64();
        let Totals { scripts, passed, failed, unread, script_seconds, seconds } = self.totals;
        match self.output {
            Output::Json => {
                let summary = serde_json::json!({ "summary": self.totals });
                writeln!(self.out, "{summary}")?;
            }
            Output::Markdown => {
                writeln!(self.out, "\n{passed} of {scripts} passed.")?;
            }
            Output::Text { .. } => {
                let mut told = vec![format!("{passed} passed")];
                told.extend((failed > 0).then(|| format!("{failed} failed")));
                told.extend((unread > 0).then(|| format!("{unread} could not be read")));
                let told = told.join(", ");
                write!(self.out, "{told} of {scripts} in {seconds:.2} s")?;
                let shown = self.virtual_time && script_seconds > 0.0;
                let shown = shown.then(|| format!(" ({script_seconds:.1} s of virtual time)"));
                writeln!(self.out, "{}", shown.unwrap_or_default())?;
            }
        }
        if let Some(path) = &self.junit {
            let text = junit::report(&self.verdicts, &self.totals);
            std::fs::write(path, text).map_err(|e| Error::Write(path.clone(), e))?;
        }
        Ok(self.totals)
    }
}

/// Why a script did not pass.
fn wrong(done: &Done) -> Option<Wrong> {
    match &done.result {
        Ok(Ran::Dry) => None,
        Ok(Ran::Run(outcome)) => outcome.failure.as_ref().map(|failure| Wrong {
            unread: false,
            line: failure.line,
            message: failure.message.clone(),
            text: outcome.to_string(),
        }),
        Err(unread) => {
            let line = match unread {
                super::runner::Unread::Script(error) => error.line,
                super::runner::Unread::File(_) => 0,
            };
            let text = unread.to_string();
            Some(Wrong { unread: true, line, message: text.clone(), text })
        }
    }
}

fn verdict(done: &Done, wrong: Option<&Wrong>) -> &'static str {
    match (wrong, &done.result) {
        (Some(wrong), _) if wrong.unread => "unread",
        (Some(_), _) => "failed",
        (None, Ok(Ran::Dry)) => "read",
        (None, _) => "passed",
    }
}

fn text(out: &mut dyn Write, done: &Done, wrong: Option<&Wrong>, ladders: bool) -> io::Result<()> {
    let (colour, name) = match verdict(done, wrong) {
        "unread" => ("\x1b[31m", "UNREAD"),
        "failed" => ("\x1b[31m", "FAIL"),
        "read" => ("\x1b[32m", "read"),
        _ => ("\x1b[32m", "pass"),
    };
    writeln!(out, "{colour}{name}\x1b[0m  {}", done.path.display())?;
    if let Some(wrong) = wrong {
        for line in wrong.text.lines() {
            writeln!(out, "    {line}")?;
        }
        // The next script's verdict is not to be looked for.
        return writeln!(out);
    }
    if let Ok(Ran::Run(outcome)) = &done.result {
        for note in &outcome.notes {
            writeln!(out, "    note: {note}")?;
        }
        for row in outcome.ladder.iter().filter(|_| ladders) {
            writeln!(out, "  {row}")?;
        }
    }
    Ok(())
}

fn json(out: &mut dyn Write, done: &Done, wrong: Option<&Wrong>) -> io::Result<()> {
    let outcome: Option<&Outcome> = match &done.result {
        Ok(Ran::Run(outcome)) => Some(outcome),
        _ => None,
    };
    let rows = outcome.filter(|_| wrong.is_some()).map_or(&[][..], |outcome| &outcome.ladder);
    let object = Json {
        script: done.path.display().to_string(),
        verdict: verdict(done, wrong),
        line: wrong.map(|wrong| wrong.line),
        message: wrong.map(|wrong| wrong.message.as_str()),
        notes: outcome.iter().flat_map(|o| o.notes.iter().map(String::as_str)).collect(),
        script_seconds: outcome.map(|outcome| outcome.took.as_secs_f64()),
        seconds: done.took.as_secs_f64(),
        ladder: rows
            .iter()
            .map(|row| JsonRow {
                seconds: row.at.as_secs_f64(),
                kind: match row.kind {
                    Kind::In => "in",
                    Kind::Out => "out",
                    Kind::Call => "call",
                    Kind::Command => "command",
                },
                state: row.state_name(),
                text: &row.text,
            })
            .collect(),
    };
    serde_json::to_writer(&mut *out, &object)?;
    writeln!(out)
}

/// Only the first line of what was wrong: what stands below it is the script's own text.
fn table_row(out: &mut dyn Write, done: &Done, wrong: Option<&Wrong>) -> io::Result<()> {
    let cell = |text: &str| text.replace('|', "\\|");
    let (line, why) = wrong.map_or((String::new(), String::new()), |wrong| {
        let first = wrong.message.lines().next().unwrap_or_default();
        let first = if wrong.unread { "it could not be read" } else { first };
        (format!("line {}", wrong.line), cell(first.trim_end_matches(':')))
    });
    let lacks = match &done.result {
        Ok(Ran::Run(outcome)) if wrong.is_some() => {
            let lacks = outcome.notes.iter().filter_map(|note| note.split_once("not have: "));
            lacks.map(|(_, what)| cell(what)).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    };
    let (path, verdict) = (done.path.display().to_string(), verdict(done, wrong));
    writeln!(out, "| `{}` | {verdict} | {line} | {why} | {lacks} |", cell(&path))
}

fn bar(plan: &Plan) -> ProgressBar {
    let slow = plan.against == Against::Kernel && !plan.dry_run;
    if !slow || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(plan.scripts.len() as u64).with_style(style)
}
