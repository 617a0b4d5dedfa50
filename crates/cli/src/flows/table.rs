//! The table on a screen.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use handclasp_explain::catalogue::{Cast, Count, Heading, Message, Reading, Size, Time};
use handclasp_explain::finding::{Finding, Severity};
use handclasp_explain::ladder::layout::{cells, cut, pad};

use super::row::Row;
use crate::language::{findings, language};
use crate::watch::tell::screen_width;

const FAINT: Style = Style::new().dimmed();

/// The columns, and whether their cells stand at the right.
const COLUMNS: [(Heading, bool); 7] = [
    (Heading::Client, false),
    (Heading::Server, false),
    (Heading::Duration, true),
    (Heading::Packets, true),
    (Heading::Bytes, true),
    (Heading::RoundTrip, true),
    (Heading::Resent, true),
];

/// Cells that a verdict needs to say something.
const LEAST: usize = 40;

/// A colour for how much something matters.
pub(crate) fn style(severity: Option<Severity>) -> Style {
    match severity {
        Some(Severity::Error) => AnsiColor::Red.on_default(),
        Some(Severity::Warn) => AnsiColor::Yellow.on_default(),
        Some(Severity::Note) | None => Style::new(),
    }
}

pub(super) fn write(out: &mut impl Write, rows: &[Row], found: &[Finding]) -> io::Result<()> {
    let say = |message: &Message<'_>| language().say(&Cast::default(), message);
    let mut table: Vec<Vec<String>> = rows.iter().map(row_cells).collect();
    let mut headings = vec!["#".to_owned()];
    headings.extend(
        COLUMNS.iter().map(|(heading, _)| say(&Message::Reading(Reading::Heading(*heading)))),
    );
    table.insert(0, headings);
    let widths: Vec<usize> = (0..=COLUMNS.len())
        .map(|column| table.iter().map(|row| cells(&row[column])).max().unwrap_or(0))
        .collect();
    // Nobody's screen is to be filled with lines that break; a file takes what there is.
    let width = if io::stdout().is_terminal() { screen_width() } else { usize::MAX };
    let before = widths.iter().map(|width| width + 2).sum::<usize>();
    // Where a verdict has no room behind its row, it stands below it.
    let below = width.saturating_sub(before) < LEAST;
    let indent = if below { widths[0] + 2 } else { 0 };
    let room = width - if below { indent } else { before };
    for (i, row) in table.iter().enumerate() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let right = column == 0 || COLUMNS[column - 1].1;
            let space = " ".repeat(widths[column] - cells(cell));
            line.push_str(&if right {
                format!("{space}{cell}  ")
            } else {
                format!("{cell}{space}  ")
            });
        }
        match i.checked_sub(1).map(|i| &rows[i]) {
            None => {
                let verdict = say(&Message::Reading(Reading::Heading(Heading::Verdict)));
                let line = if below { line.trim_end() } else { &line };
                let verdict = if below { "" } else { &verdict };
                writeln!(out, "{FAINT}{line}{verdict}{FAINT:#}")?;
            }
            Some(row) => {
                let (style, verdict) = (style(row.severity), cut(&row.verdict, room));
                if below {
                    writeln!(out, "{}", line.trim_end())?;
                    line = " ".repeat(indent);
                }
                writeln!(out, "{line}{style}{verdict}{style:#}")?;
            }
        }
    }
    for finding in found {
        let style = style(Some(finding.severity));
        let severity = pad(&say(&Message::Reading(Reading::Severity(finding.severity))), 8);
        writeln!(out, "{style}{severity}{style:#} {}", findings().finding(&finding.says))?;
    }
    Ok(())
}

fn row_cells(row: &Row) -> Vec<String> {
    let [client, server] = row.sockets;
    let resent = row.resent[0] + row.resent[1];
    vec![
        row.stream.to_string(),
        client.to_string(),
        server.to_string(),
        Time(row.duration).to_string(),
        format!("{}/{}", Count(row.packets[0]), Count(row.packets[1])),
        format!("{}/{}", Size(row.bytes[0]), Size(row.bytes[1])),
        row.round_trip.map(|time| Time(time).to_string()).unwrap_or_default(),
        if resent > 0 { Count(resent).to_string() } else { String::new() },
    ]
}
