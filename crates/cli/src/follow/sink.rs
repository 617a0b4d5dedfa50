//! Where the bytes go.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use handclasp_explain::catalogue::{Cast, Message, Reading};
use handclasp_explain::stream::Piece;
use handclasp_explain::track::{Both, Side};
use sha2::{Digest, Sha256};

use super::args::FollowArgs;
use crate::Outcome;
use crate::language::language;
use crate::output;

const FAINT: Style = Style::new().dimmed();
const CLIENT: Style = AnsiColor::Cyan.on_default();
const SERVER: Style = AnsiColor::Green.on_default();
const GAP: Style = AnsiColor::Red.on_default();

/// What is done with the bytes.
enum Form {
    /// Shown, both directions told apart.
    Text { last: Option<Side>, ends_line: bool },
    /// Handed on.
    Raw,
    /// Counted and hashed.
    Digest(Box<Both<(u64, Sha256)>>),
}

pub(super) struct Sink {
    out: Box<dyn Write>,
    form: Form,
    /// Whether anything was missing.
    gaps: bool,
    /// Why nothing more is written.
    failure: Option<io::Error>,
}

impl Sink {
    pub(super) fn new(args: &FollowArgs) -> Self {
        let form = match (args.raw, args.digest) {
            (true, _) => Form::Raw,
            (_, true) => Form::Digest(Box::default()),
            _ => Form::Text { last: None, ends_line: true },
        };
        // Nothing of raw bytes is an escape code to be taken away.
        let out = match form {
            Form::Raw => Box::new(io::BufWriter::new(io::stdout().lock())),
            _ => output::stdout(),
        };
        Self { out, form, gaps: false, failure: None }
    }

    /// What went wrong with writing, if anything did.
    pub(super) fn check(&mut self) -> io::Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// The next part of what one end sent; it was complete with this frame, or, if that is
    /// zero, with the last.
    pub(super) fn piece(&mut self, from: Side, frame: u64, piece: Piece<'_>) {
        if self.failure.is_none() {
            self.failure = self.write(from, frame, piece).err();
        }
    }

    fn write(&mut self, from: Side, frame: u64, piece: Piece<'_>) -> io::Result<()> {
        let missing = match piece {
            Piece::Bytes(bytes) => return self.bytes(from, frame, bytes),
            Piece::Missing(bytes) => Some(bytes),
            Piece::Beginning => None,
        };
        self.gaps = true;
        let message = Message::Reading(Reading::NotCaptured { bytes: missing, from });
        let text = language().say(&Cast::default(), &message);
        match &mut self.form {
            Form::Raw | Form::Digest(_) => writeln!(io::stderr(), "handclasp: {text}"),
            Form::Text { ends_line, .. } => {
                let before = if *ends_line { "" } else { "\n" };
                *ends_line = true;
                writeln!(self.out, "{before}{GAP}[{text}]{GAP:#}")
            }
        }
    }

    fn bytes(&mut self, from: Side, frame: u64, bytes: &[u8]) -> io::Result<()> {
        match &mut self.form {
            Form::Raw => self.out.write_all(bytes),
            Form::Digest(both) => {
                let (count, hash) = &mut both[from];
                *count += bytes.len() as u64;
                hash.update(bytes);
                Ok(())
            }
            Form::Text { last, ends_line } => {
                let style = if from == Side::Client { CLIENT } else { SERVER };
                let mut text = String::new();
                if *last != Some(from) {
                    let before = if *ends_line { "" } else { "\n" };
                    let arrow = if from == Side::Client { "──▶" } else { "◀──" };
                    let number = if frame > 0 { format!(" #{frame}") } else { String::new() };
                    let _ = writeln!(text, "{before}{FAINT}{arrow}{number}{FAINT:#}");
                }
                (*last, *ends_line) = (Some(from), bytes.ends_with(b"\n"));
                let _ = write!(text, "{style}{}{style:#}", shown(bytes));
                self.out.write_all(text.as_bytes())
            }
        }
    }

    /// Says what is left to say: whether it was whole, where that matters.
    pub(super) fn finish(mut self, shown: Both<bool>) -> io::Result<Outcome> {
        self.check()?;
        if let Form::Text { ends_line: false, .. } = self.form {
            writeln!(self.out)?;
        }
        if let Form::Digest(both) = &self.form {
            let Both { client, server } = &**both;
            for (from, (bytes, hash)) in [(Side::Client, client), (Side::Server, server)] {
                let mut sha256 = String::new();
                for byte in hash.clone().finalize() {
                    let _ = write!(sha256, "{byte:02x}");
                }
                let message =
                    Message::Reading(Reading::Digest { from, bytes: *bytes, sha256: &sha256 });
                if shown[from] {
                    writeln!(self.out, "{}", language().say(&Cast::default(), &message))?;
                }
            }
        }
        self.out.flush()?;
        let complete = !self.gaps || matches!(self.form, Form::Text { .. });
        Ok(if complete { Outcome::Done } else { Outcome::Failed })
    }
}

/// The bytes as text, without anything that a terminal would act on.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let safe = |c: char| match c {
        '\n' | '\t' => Some(c),
        '\r' => None,
        c if c.is_control() => Some('.'),
        c => Some(c),
    };
    text.chars().filter_map(safe).collect()
}
