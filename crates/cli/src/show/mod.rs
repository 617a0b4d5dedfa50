//! `handclasp show`: a line for each packet of a capture.

pub(crate) mod args;
mod dump;
mod line;
mod lines;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use handclasp_explain::capture::writer::Writer;
use handclasp_explain::filter::field::{self, Field};
use handclasp_explain::trace::{Step, What};

use crate::Outcome;
use crate::error::Error;
use crate::input::{self, Bar, Input};
use crate::output::plain_stdout;

use args::ShowArgs;

/// What becomes of a packet that passes.
trait Sink {
    fn step(&mut self, step: &Step<'_>) -> io::Result<()>;

    /// Whether it takes what is no TCP segment, too.
    fn takes_all(&self) -> bool;

    fn flush(&mut self) -> io::Result<()>;
}

/// Runs the command.
///
/// # Errors
///
/// When the capture cannot be read, the filter is none, or the output cannot be written.
pub(crate) fn run(args: &ShowArgs) -> Result<Outcome, Error> {
    let text = args.filter();
    let filter = if text.trim().is_empty() { None } else { Some(input::filter(&text)?) };
    let mut sink = sink(args)?;
    let mut input = Input::open(&args.input(), Bar::UnlessStdoutIsTerminal)?;
    let mut shown = 0;
    while args.count.is_none_or(|count| shown < count) {
        let Some(step) = input.next() else { break };
        let passes = match (step.packet(), &filter) {
            (Some(packet), Some(filter)) => filter.passes(&packet),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => sink.takes_all() || matches!(step.what, What::Complaint(_)),
        };
        if passes {
            let at = step.frame.at;
            sink.step(&step)?;
            input.trace().displayed(at);
            shown += 1;
        }
        // Nothing is said of connections that are over.
        drop(input.trace().take_over());
    }
    sink.flush()?;
    input.finish().1.map(|()| Outcome::Done)
}

fn sink(args: &ShowArgs) -> Result<Box<dyn Sink>, Error> {
    if let Some(path) = &args.write {
        return Ok(Box::new(Copy(Writer::new(create(path)?)?)));
    }
    let fields = args.fields.iter().map(|name| find(name.trim())).collect::<Result<Vec<_>, _>>()?;
    let (out, coloured) = plain_stdout();
    Ok(match (args.json, fields.is_empty()) {
        (true, _) => Box::new(lines::Json::new(out, fields)),
        (false, false) => Box::new(lines::Columns::new(out, fields)),
        (false, true) => Box::new(line::Lines::new(out, coloured, args)),
    })
}

fn find(name: &str) -> Result<&'static Field, Error> {
    field::find(name).map_err(|nearest| Error::NoField(name.to_owned(), nearest))
}

fn create(path: &Path) -> Result<Box<dyn Write>, Error> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    }
    let file = File::create(path).map_err(|cause| Error::Write(path.into(), cause))?;
    Ok(Box::new(BufWriter::new(file)))
}

/// Copies frames to another file.
struct Copy(Writer<Box<dyn Write>>);

impl Sink for Copy {
    fn step(&mut self, step: &Step<'_>) -> io::Result<()> {
        self.0.frame(&step.frame)
    }

    fn takes_all(&self) -> bool {
        true
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
