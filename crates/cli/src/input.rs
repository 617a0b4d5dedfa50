//! Captures that commands read: a file or standard input, with a bar for long ones.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use handclasp_explain::capture::Broken;
use handclasp_explain::filter::Filter;
use handclasp_explain::flow::table::{Flows, Limits};
use handclasp_explain::trace::{Step, Trace};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::Error;

/// What stands for standard input.
const STDIN: &str = "-";
const STDIN_NAME: &str = "standard input";

/// A capture that is being read.
pub(crate) struct Input {
    name: String,
    trace: Trace<Watched>,
    bar: ProgressBar,
    broken: Option<Broken>,
}

/// Whether a bar may be drawn on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    /// Nothing else is written there meanwhile.
    Allowed,
    /// Lines may be written to it.
    UnlessStdoutIsTerminal,
}

/// Standard input that is kept, so that it can be read more than once.
const MOST_KEPT: u64 = 256 << 20;

/// A capture that is read several times.
pub(crate) enum Again {
    File(PathBuf),
    Kept(Rc<[u8]>),
}

impl Again {
    /// A file, or what standard input has where `path` is `-`.
    ///
    /// # Errors
    ///
    /// When standard input cannot be read, or has more than can be kept.
    pub(crate) fn new(path: &Path) -> Result<Self, Error> {
        if path.as_os_str() != STDIN {
            return Ok(Self::File(path.into()));
        }
        let mut kept = Vec::new();
        let read = io::stdin().lock().take(MOST_KEPT + 1).read_to_end(&mut kept);
        let read = read.map_err(|cause| Error::Open(STDIN_NAME.into(), cause))?;
        match read as u64 {
            0..=MOST_KEPT => Ok(Self::Kept(kept.into())),
            _ => Err(Error::TooLong),
        }
    }

    /// Begins to read it.
    ///
    /// # Errors
    ///
    /// As [`Input::open`].
    pub(crate) fn open(&self, bar: Bar) -> Result<Input, Error> {
        match self {
            Self::File(path) => Input::open(path, bar),
            Self::Kept(kept) => {
                let len = Some(kept.len() as u64);
                Input::new(STDIN_NAME.into(), Box::new(io::Cursor::new(kept.clone())), len, bar)
            }
        }
    }
}

impl Input {
    /// Opens a capture, or standard input where `path` is `-`.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is no capture.
    pub(crate) fn open(path: &Path, bar: Bar) -> Result<Self, Error> {
        let (name, read, len): (_, Box<dyn Read>, _) = if path.as_os_str() == STDIN {
            (STDIN_NAME.to_owned(), Box::new(io::stdin().lock()), None)
        } else {
            let name = path.display().to_string();
            let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
            let (metadata, file) = opened.map_err(|cause| Error::Open(name.clone(), cause))?;
            let len = metadata.is_file().then_some(metadata.len());
            (name, Box::new(file), len)
        };
        Self::new(name, read, len, bar)
    }

    fn new(name: String, read: Box<dyn Read>, len: Option<u64>, bar: Bar) -> Result<Self, Error> {
        let shown =
            io::stderr().is_terminal() && (bar == Bar::Allowed || !io::stdout().is_terminal());
        let bar = hidden_bar(len);
        let watched = Watched { read, bar: bar.clone(), from: shown.then(Instant::now) };
        match Trace::new(watched, Limits::default()) {
            Ok(trace) => Ok(Self { name, trace, bar, broken: None }),
            Err(broken) => Err(Error::Broken { name, broken, shown: false }),
        }
    }

    /// The next frame; `None` at the end, or where the capture is damaged.
    pub(crate) fn next(&mut self) -> Option<Step<'_>> {
        match self.trace.next() {
            Ok(step) => step,
            Err(broken) => {
                self.broken = Some(broken);
                None
            }
        }
    }

    /// The reader, between one frame and the next.
    pub(crate) fn trace(&mut self) -> &mut Trace<impl Read> {
        &mut self.trace
    }

    /// Stops in the middle.
    pub(crate) fn stop(self) {
        self.bar.finish_and_clear();
    }

    /// The connections that are left, and whether the capture was read to its end.
    pub(crate) fn finish(self) -> (Flows, Result<(), Error>) {
        self.bar.finish_and_clear();
        let (name, broken) = (self.name, self.broken);
        let whole =
            broken.map_or(Ok(()), |broken| Err(Error::Broken { name, broken, shown: true }));
        (self.trace.finish(), whole)
    }
}

fn hidden_bar(len: Option<u64>) -> ProgressBar {
    let template = match len {
        Some(_) => "{wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
        None => "{spinner} {decimal_bytes} {decimal_bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(len, ProgressDrawTarget::hidden()).with_style(style)
}

/// Tells a bar how much was read, and shows it once that takes long.
struct Watched {
    read: Box<dyn Read>,
    bar: ProgressBar,
    /// When the reading began, until the bar is shown; nothing if it never is to be.
    from: Option<Instant>,
}

impl Read for Watched {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        /// What takes less needs no bar.
        const LONG: Duration = Duration::from_secs(1);
        let read = self.read.read(buf)?;
        if self.from.take_if(|from| from.elapsed() > LONG).is_some() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(read as u64);
        Ok(read)
    }
}

/// Reads a filter; says on standard error which names were spelled in another way.
///
/// # Errors
///
/// When it is none; the error shows where.
pub(crate) fn filter(text: &str) -> Result<Filter, Error> {
    let filter =
        Filter::parse(text).map_err(|error| Error::Filter(error.to_string(), error.under(text)))?;
    for (span, name) in &filter.respelled {
        eprintln!("handclasp: {} is read as {name}, as Wireshark spells it", &text[span.clone()]);
    }
    Ok(filter)
}
