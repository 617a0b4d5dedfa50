//! What was found, told to people: the same of many connections once.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::mem::{Discriminant, discriminant};

use anstyle::Style;
use handclasp_explain::catalogue::{Cast, Message, Reading};
use handclasp_explain::finding::{Finding, Says, Severity};
use handclasp_explain::ladder::layout::{pad, wrap_text};

use crate::flows::table::style;
use crate::language::{findings, language};
use crate::watch::tell::screen_width;

/// So many of one kind are told one by one.
const TOLD: usize = 3;
/// Where sentences begin.
const INDENT: usize = 9;
/// Lines that are longer than this are hard to read.
const MAX_WIDTH: usize = 108;

const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// Findings by their kinds.
#[derive(Default)]
pub(super) struct Found {
    kinds: Vec<Kind>,
}

struct Kind {
    of: (Severity, Discriminant<Says>),
    first: Vec<Finding>,
    count: u64,
}

impl Found {
    pub(super) fn add(&mut self, finding: Finding) {
        let of = (finding.severity, discriminant(&finding.says));
        let at = self.kinds.iter().position(|kind| kind.of == of).unwrap_or_else(|| {
            self.kinds.push(Kind { of, first: Vec::new(), count: 0 });
            self.kinds.len() - 1
        });
        let kind = &mut self.kinds[at];
        kind.count += 1;
        if kind.first.len() < TOLD {
            kind.first.push(finding);
        }
    }

    /// Writes them, the worst first.
    pub(super) fn write(
        mut self,
        out: &mut impl Write,
        connections: u64,
        packets: u64,
    ) -> io::Result<()> {
        let (connections, packets) = (Message::Connections(connections), Message::Packets(packets));
        writeln!(out, "{STRONG}{} · {}{STRONG:#}", say(&connections), say(&packets))?;
        if self.kinds.is_empty() {
            writeln!(out, "{}", say(&Message::Reading(Reading::NothingFound)))?;
        }
        self.kinds.sort_by_key(|kind| Reverse(kind.of.0));
        for kind in &self.kinds {
            kind.write(out)?;
        }
        writeln!(out)
    }
}

impl Kind {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let style = style(Some(self.of.0));
        for (i, finding) in self.first.iter().enumerate() {
            let severity = if i == 0 {
                say(&Message::Reading(Reading::Severity(self.of.0)))
            } else {
                String::new()
            };
            let mut lines = lines(&findings().finding(&finding.says)).into_iter();
            let first = lines.next().unwrap_or_default();
            writeln!(out, "{style}{}{style:#}{first}", pad(&severity, INDENT))?;
            for line in lines {
                writeln!(out, "{:INDENT$}{line}", "")?;
            }
            faint(out, &evidence(finding))?;
        }
        if let Some(finding) = self.first.first() {
            let more = self.count - self.first.len() as u64;
            if more > 0 {
                faint(out, &say(&Message::Reading(Reading::More(more))))?;
            }
            faint(out, &format!("→ {}", findings().advice(&finding.says)))?;
        }
        Ok(())
    }
}

fn evidence(finding: &Finding) -> String {
    let frames = say(&Message::Reading(Reading::Frames(&finding.evidence)));
    match finding.about {
        Some(about) => format!("#{} {} → {} · {frames}", about.stream, about.client, about.server),
        None => frames,
    }
}

fn faint(out: &mut impl Write, text: &str) -> io::Result<()> {
    lines(text).iter().try_for_each(|line| writeln!(out, "{:INDENT$}{FAINT}{line}{FAINT:#}", ""))
}

fn lines(text: &str) -> Vec<String> {
    let room = screen_width().clamp(40, MAX_WIDTH) - INDENT;
    wrap_text(text, room, 2)
}

fn say(message: &Message<'_>) -> String {
    language().say(&Cast::default(), message)
}
