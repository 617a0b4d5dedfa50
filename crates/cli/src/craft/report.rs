//! What is printed while packets are sent: they and their answers in the form that was asked
//! for, and on standard error what happened.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use handclasp_craft::dissect::Start;
use handclasp_craft::format::{Form, tcpdump};
use handclasp_explain::catalogue::{ByHand, Message};
use serde_json::{Value, json};

use super::args::CraftArgs;
use super::{Timed, show, since_1970};
use crate::error::Error;
use crate::language::say;

/// Prints packets as they are sent and answered.
pub(super) struct Report {
    form: Form,
    out: Box<dyn Write>,
    /// Of a form that needs them all, those so far.
    kept: Vec<Timed>,
    printed: usize,
    /// A moment, and when that was since 1970.
    began: (Instant, Duration),
}

impl Report {
    pub(super) fn new(args: &CraftArgs) -> Result<Self, Error> {
        let out: Box<dyn Write> = match &args.output {
            Some(path) => Box::new(File::create(path).map_err(|e| Error::Write(path.clone(), e))?),
            None => Box::new(io::stdout()),
        };
        let began = (Instant::now(), since_1970());
        Ok(Self { form: args.format, out, kept: Vec::new(), printed: 0, began })
    }

    pub(super) fn sent(&mut self, bytes: &[u8], start: Start, at: Instant) -> Result<(), Error> {
        self.packet((self.since_1970(at), bytes.to_vec(), start), &json!({ "direction": "sent" }))
    }

    pub(super) fn answer(
        &mut self,
        bytes: &[u8],
        start: Start,
        at: Instant,
        took: Duration,
    ) -> Result<(), Error> {
        self.note(ByHand::Answered(took))?;
        let took = took.as_nanos() as f64 / 1000.0;
        let more = json!({ "direction": "answer", "took_us": took });
        self.packet((self.since_1970(at), bytes.to_vec(), start), &more)
    }

    /// Says that something else came, or went, than what was sent and its answer.
    pub(super) fn aside(
        &mut self,
        what: for<'p> fn(&'p str) -> ByHand<'p>,
        packet: &[u8],
    ) -> io::Result<()> {
        self.note(what(&tcpdump(packet, Start::Ip)))
    }

    /// Says something where it does not mix with packets.
    pub(super) fn note(&mut self, what: ByHand<'_>) -> io::Result<()> {
        self.say(say(&Message::ByHand(what)))
    }

    pub(super) fn say(&mut self, text: String) -> io::Result<()> {
        self.out.flush()?;
        writeln!(anstream::stderr(), "# {text}")
    }

    fn since_1970(&self, at: Instant) -> Duration {
        self.began.1 + at.saturating_duration_since(self.began.0)
    }

    fn packet(&mut self, packet: Timed, more: &Value) -> Result<(), Error> {
        if matches!(self.form, Form::Pcapng | Form::Rust) {
            self.kept.push(packet);
            return Ok(());
        }
        let mut shown = show(self.form, &[packet])?;
        if self.form == Form::Json {
            shown = with(&shown, more);
        }
        if self.form == Form::Boxes && self.printed > 0 {
            writeln!(self.out)?;
        }
        self.printed += 1;
        self.out.write_all(&shown)?;
        Ok(self.out.flush()?)
    }

    /// Prints what was kept until all is there.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        if !self.kept.is_empty() {
            self.out.write_all(&show(self.form, &self.kept)?)?;
        }
        Ok(self.out.flush()?)
    }
}

/// An object with these members, too.
fn with(object: &[u8], more: &Value) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(object) else { return object.to_vec() };
    if let (Some(object), Some(more)) = (value.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
    format!("{value}\n").into_bytes()
}
