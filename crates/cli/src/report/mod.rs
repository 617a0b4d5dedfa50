//! `handclasp report`: a capture as a page, or a connection as a picture.

pub(crate) mod args;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use handclasp_explain::catalogue::page::ENGLISH;
use handclasp_explain::picture::course::{Course, POINTS};
use handclasp_explain::picture::ladder::Place;
use handclasp_explain::picture::page::{Limits, Report};
use handclasp_explain::picture::{graph, ladder};
use handclasp_explain::trace::{Step, What};
use handclasp_explain::track::Side;

use crate::Outcome;
use crate::error::Error;
use crate::input::{Again, Bar, Input};
use crate::language::{findings, language};
use crate::verdict::{Judge, verdict};

use args::{Picture, ReportArgs};

/// Runs the command.
///
/// # Errors
///
/// When the capture cannot be read, has no such connection, or the output cannot be written.
pub(crate) fn run(args: &ReportArgs) -> Result<Outcome, Error> {
    if let Some(kind) = args.svg {
        return picture(args, kind);
    }
    // It is read twice: first to know what is worth drawing.
    let again = Again::new(&args.file)?;
    let limits = Limits { drawn: args.draw.into(), ..Limits::default() };
    let (mut report, whole) = survey(&again, limits)?;
    if !args.flow.is_empty() {
        report.retain(&args.flow);
    }
    let chosen = report.chosen();
    if let Some(missing) = args.flow.iter().find(|flow| !chosen.contains(flow)) {
        return Err(Error::NoFlow(*missing));
    }
    let mut courses: BTreeMap<u64, Course> =
        chosen.iter().map(|stream| (*stream, Course::new(limits.points()))).collect();
    follow(&again, &mut courses)?;
    let name = match args.file.as_os_str() == "-" {
        true => "standard input".into(),
        false => args.file.file_name().unwrap_or_default().to_string_lossy(),
    };
    let mut out = create(&args.output)?;
    let written = report.write(&mut out, &name, &courses, language(), &ENGLISH);
    written.map_err(|cause| failed(&args.output, cause))?;
    // A damaged file has a page about what could be read, and a message.
    whole.map(|()| Outcome::Done)
}

/// Reads the capture for what is to be said of each connection.
fn survey(again: &Again, limits: Limits) -> Result<(Report, Result<(), Error>), Error> {
    let mut input = again.open(Bar::Allowed)?;
    let (mut report, mut judge) = (Report::new(limits), Judge::default());
    while let Some(step) = input.next() {
        report.frame(step.frame.at, step.frame.len, matches!(step.what, What::Segment(..)));
        for flow in input.trace().take_over() {
            let found = judge.see(&flow);
            report.see(&flow, &found, &verdict(&flow, &found), findings());
        }
    }
    let (left, whole) = input.finish();
    for flow in left {
        let found = judge.see(&flow);
        report.see(&flow, &found, &verdict(&flow, &found), findings());
    }
    let (found, _) = judge.conclude(None);
    report.conclude(&found, findings());
    Ok((report, whole))
}

/// Reads it again for the pictures of these connections.
fn follow(again: &Again, courses: &mut BTreeMap<u64, Course>) -> Result<(), Error> {
    let mut input = again.open(Bar::Allowed)?;
    while let Some(step) = input.next() {
        if let What::Segment(segment, seen) = &step.what
            && let Some(course) = courses.get_mut(&seen.stream)
        {
            course.see(segment, seen);
        }
        drop(input.trace().take_over());
    }
    // Where it is damaged was told already.
    drop(input.finish());
    Ok(())
}

fn picture(args: &ReportArgs, kind: Picture) -> Result<Outcome, Error> {
    let mut input = Input::open(&args.file, Bar::Allowed)?;
    let wanted = match args.flow[..] {
        [] => None,
        [one] => Some(one),
        _ => return Err(Error::OneFlow),
    };
    let mut course = Course::new(POINTS);
    let mut streams = 0;
    while let Some(Step { what, .. }) = input.next() {
        if let What::Segment(segment, seen) = &what {
            streams = streams.max(seen.stream + 1);
            if wanted.unwrap_or(0) == seen.stream {
                course.see(segment, seen);
            }
        }
        drop(input.trace().take_over());
    }
    let (_, whole) = input.finish();
    match wanted {
        None if streams != 1 => return Err(Error::WhichFlow(streams)),
        Some(flow) if flow >= streams => return Err(Error::NoFlow(flow)),
        _ => {}
    }
    let more = |side: Side| course.stream(side).segments().iter().map(|run| run.high).max();
    let sends_more =
        if more(Side::Server) > more(Side::Client) { Side::Server } else { Side::Client };
    let side = args.from.map_or(sends_more, Side::from);
    let svg = match kind.graph() {
        Some(graph) => graph::draw(&course, side, graph, Place::Alone),
        None => ladder::draw(&course, language(), Place::Alone),
    };
    let mut out = create(&args.output)?;
    out.write_all(svg.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|cause| failed(&args.output, cause))?;
    whole.map(|()| Outcome::Done)
}

fn create(path: &Path) -> Result<Box<dyn Write>, Error> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    }
    let file = File::create(path).map_err(|cause| Error::Write(path.into(), cause))?;
    Ok(Box::new(BufWriter::new(file)))
}

fn failed(path: &Path, cause: io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::BrokenPipe => Error::Io(cause),
        _ => Error::Write(path.into(), cause),
    }
}
