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

/// Bytes of what cannot be read twice that are kept.
const MOST_KEPT: u64 = 256 << 20;

/// A capture that is read several times.
pub(crate) enum Again {
    File(PathBuf),
    Kept(String, Rc<[u8]>),
}

impl Again {
    /// A file; or what standard input or a pipe has, which can be read but once.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or has more than can be kept.
    pub(crate) fn new(path: &Path) -> Result<Self, Error> {
        let name = if path.as_os_str() == STDIN { STDIN_NAME.into() } else { path_name(path) };
        let kept = if path.as_os_str() == STDIN {
            keep(io::stdin().lock())
        } else {
            match std::fs::metadata(path) {
                // A folder is no capture, and what is not there is told of when it is opened.
                Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
                    File::open(path).and_then(keep)
                }
                _ => return Ok(Self::File(path.into())),
            }
        };
        match kept.map_err(|cause| Error::Open(name.clone(), cause))? {
            Some(kept) => Ok(Self::Kept(name, kept)),
            None => Err(Error::TooLong(name)),
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
            Self::Kept(name, kept) => {
                let len = Some(kept.len() as u64);
                Input::new(name.clone(), Box::new(io::Cursor::new(kept.clone())), len, bar)
            }
        }
    }
}

/// All that there is to read; nothing if that is too much.
fn keep(read: impl Read) -> io::Result<Option<Rc<[u8]>>> {
    let mut kept = Vec::new();
    let read = read.take(MOST_KEPT + 1).read_to_end(&mut kept)?;
    Ok((read as u64 <= MOST_KEPT).then(|| kept.into()))
}

fn path_name(path: &Path) -> String {
    path.display().to_string()
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
            let name = path_name(path);
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
