//! What is printed while packets are sent: they and their answers in the form that was asked
//! for, and on standard error what happened.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use handclasp_craft::dissect::Start;
use handclasp_craft::format::{Form, tcpdump};
use handclasp_explain::catalogue::Time;
use serde_json::{Value, json};

use super::args::CraftArgs;
use super::{Timed, show, since_1970};
use crate::error::Error;

/// Prints packets as they are sent and answered.
pub(super) struct Report {
    form: Form,
    out: Box<dyn Write>,
    /// Of a form that needs them all, those so far.
    kept: Vec<Timed>,
    printed: usize,
}

impl Report {
    pub(super) fn new(args: &CraftArgs) -> Result<Self, Error> {
        let out: Box<dyn Write> = match &args.output {
            Some(path) => Box::new(File::create(path).map_err(|e| Error::Write(path.clone(), e))?),
            None => Box::new(io::stdout()),
        };
        Ok(Self { form: args.format, out, kept: Vec::new(), printed: 0 })
    }

    pub(super) fn sent(&mut self, bytes: &[u8], start: Start) -> Result<(), Error> {
        self.packet(bytes, start, &json!({ "direction": "sent" }))
    }

    pub(super) fn answer(
        &mut self,
        bytes: &[u8],
        start: Start,
        took: Duration,
    ) -> Result<(), Error> {
        self.note(&format!("answered after {}", Time(took)))?;
        let took = took.as_nanos() as f64 / 1000.0;
        self.packet(bytes, start, &json!({ "direction": "answer", "took_us": took }))
    }

    /// Says that something else came, or went, than what was sent and its answer.
    pub(super) fn aside(&mut self, what: &str, packet: &[u8]) -> io::Result<()> {
        self.note(&format!("{what}: {}", tcpdump(packet, Start::Ip)))
    }

    /// Says that the host's kernel sent a packet of its own into a connection.
    pub(super) fn slipped_in(&mut self, packet: &[u8]) -> io::Result<()> {
        self.aside("! not ours: this host's kernel slipped in", packet)
    }

    /// Says something where it does not mix with packets.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        self.out.flush()?;
        writeln!(anstream::stderr(), "# {text}")
    }

    fn packet(&mut self, bytes: &[u8], start: Start, more: &Value) -> Result<(), Error> {
        let packet = (since_1970(), bytes.to_vec(), start);
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
