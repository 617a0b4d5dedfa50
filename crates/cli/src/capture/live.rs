//! The capture itself, from the first packet to Ctrl-C.

use std::io::{self, Write};
use std::time::Duration;

use handclasp::device::live::{Frame, Live, Options};
use handclasp::device::save::{Files, Packet, Rotation, Saved, Source};
use handclasp::wire::frame::Medium;
use handclasp_explain::capture::dissect::{Dissector, Found};
use handclasp_explain::capture::link::LinkType;
use handclasp_explain::capture::{self};
use handclasp_explain::catalogue::{Capturing, Message};
use handclasp_explain::filter::{self, Clock, Filter};
use handclasp_explain::flow::table::{Limits, Table};
use handclasp_explain::pcap_filter::{PcapFilter, PcapFilterError, Target};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::args::CaptureArgs;
use crate::Outcome;
use crate::error::Error;
use crate::language::say;

/// How often what was captured is handed to the file, for those who read it meanwhile.
const FLUSH: Duration = Duration::from_millis(500);

/// Runs the command.
///
/// # Errors
///
/// When a filter is none, the interface cannot be watched, or the file cannot be written.
pub(crate) fn run(args: &CaptureArgs) -> Result<Outcome, Error> {
    let text = args.filter();
    let filter = PcapFilter::parse(&text).map_err(|error| misread(&error, &text))?;
    let display = args.display_filter.as_deref().map(crate::input::filter).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(capture(args, &text, &filter, display))
}

fn misread(error: &PcapFilterError, text: &str) -> Error {
    Error::Filter(error.to_string(), error.under(text))
}

async fn capture(
    args: &CaptureArgs,
    text: &str,
    filter: &PcapFilter,
    display: Option<Filter>,
) -> Result<Outcome, Error> {
    let mut live = open(args, text, filter)?;
    let mut sieve = display.map(|display| Sieve::new(display, live.medium()));
    let mut files = create(args, text, live.medium())?;
    let begin = say(&Message::Capture(Capturing::Begins { interface: &args.interface }));
    writeln!(io::stderr(), "{begin}")?;
    let (mut interrupt, mut end) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut flush = tokio::time::interval(FLUSH);
    let failed = |cause| Error::Write(args.write.clone(), cause);
    let wanted = |files: &Files| args.count.is_none_or(|count| files.saved().packets < count);
    let mut error = None;
    while wanted(&files) {
        let mut written = Ok(());
        let next = live.next(|frame| {
            if sieve.as_mut().is_none_or(|sieve| sieve.passes(frame)) {
                let Frame { at, direction, len, bytes } = *frame;
                written = files.packet(&Packet { at, direction, len, bytes });
            }
            Ok(written.is_ok() && wanted(&files))
        });
        tokio::select! {
            seen = next => match seen {
                Ok(_) => written.map_err(failed)?,
                Err(gone) => {
                    error = Some(gone);
                    break;
                }
            },
            _ = flush.tick() => files.flush().map_err(failed)?,
            _ = interrupt.recv() => break,
            _ = end.recv() => break,
        }
    }
    let counted = live.statistics().unwrap_or_default();
    let saved = files.finish(counted.passed, counted.dropped).map_err(failed)?;
    tell(args, &saved, counted.passed, counted.dropped)?;
    error.map_or(Ok(Outcome::Done), |error| Err(error.into()))
}

fn open(args: &CaptureArgs, text: &str, filter: &PcapFilter) -> Result<Live, Error> {
    let compile = |medium| {
        let link = match medium {
            Medium::Ethernet => LinkType::ETHERNET,
            Medium::Ip => LinkType::RAW,
        };
        let target = Target { link, live: true, snap_len: args.snapshot_length };
        filter.compile(&target).map_err(|error| misread(&error, text))
    };
    let options = |filter| Options {
        snap_len: args.snapshot_length,
        filter,
        promiscuous: !args.no_promiscuous,
        ..Options::default()
    };
    let medium = Live::medium_of(&args.interface)?;
    Ok(Live::open(&args.interface, &options(compile(medium)?))?)
}

fn create(args: &CaptureArgs, text: &str, medium: Medium) -> Result<Files, Error> {
    let rotation = Rotation {
        size: args.file_size,
        time: args.file_seconds.map(Duration::from_secs),
        files: args.files.map(|files| files as usize),
    };
    if rotation.files.is_some() && !rotation.rotates() {
        return Err(Error::FilesWithoutEnd);
    }
    let (interface, snap_len) = (args.interface.clone(), args.snapshot_length);
    let source = Source { interface, medium, snap_len, filter: text.to_owned() };
    if args.write.as_os_str() != "-" {
        let files = Files::create(&args.write, rotation, source);
        return files.map_err(|cause| Error::Write(args.write.clone(), cause));
    }
    match rotation.rotates() || args.json {
        true => Err(Error::StreamRotates),
        false => Ok(Files::stream(io::stdout(), source)?),
    }
}

/// Lets TCP packets pass by what they are within their connections.
struct Sieve {
    filter: Filter,
    link: LinkType,
    dissector: Dissector,
    table: Table,
    number: u64,
    clock: Option<Clock>,
}

impl Sieve {
    fn new(filter: Filter, medium: Medium) -> Self {
        let link = match medium {
            Medium::Ethernet => LinkType::ETHERNET,
            Medium::Ip => LinkType::RAW,
        };
        let (dissector, table) = (Dissector::default(), Table::new(Limits::default()));
        Self { filter, link, dissector, table, number: 0, clock: None }
    }

    fn passes(&mut self, frame: &Frame<'_>) -> bool {
        self.number += 1;
        let &Frame { at, len, bytes, .. } = frame;
        let (number, link) = (self.number, self.link);
        let frame = capture::Frame { number, at, link, interface: 0, len, bytes };
        let clock = self.clock.get_or_insert(Clock { first: at, previous: at, displayed: at });
        let now = *clock;
        clock.previous = at;
        let passes = match self.dissector.dissect(&frame) {
            Found::Segment(segment) => {
                let seen = self.table.see(&segment);
                let packet =
                    filter::Packet { frame: &frame, segment: &segment, seen: &seen, clock: now };
                self.filter.passes(&packet)
            }
            Found::Complaint(complaint) => {
                self.table.complain(&complaint);
                false
            }
            Found::Nothing => false,
        };
        if passes && let Some(clock) = &mut self.clock {
            clock.displayed = at;
        }
        drop(self.table.take_over());
        passes
    }
}

#[derive(Serialize)]
struct Totals<'a> {
    v: u32,
    r#type: &'static str,
    interface: &'a str,
    /// Packets written.
    packets: u64,
    bytes: u64,
    files: u64,
    /// Packets that the capture filter let pass.
    passed: u64,
    /// Of these, those that the kernel had no room for.
    dropped: u64,
}

fn tell(args: &CaptureArgs, saved: &Saved, passed: u64, dropped: u64) -> io::Result<()> {
    let &Saved { packets, bytes, files } = saved;
    if args.json {
        let (v, r#type) = (handclasp_explain::json::VERSION, "capture");
        let interface = args.interface.as_str();
        let totals = Totals { v, r#type, interface, packets, bytes, files, passed, dropped };
        return writeln!(io::stdout(), "{}", serde_json::to_string(&totals)?);
    }
    let captured = say(&Message::Capture(Capturing::Saved { packets, bytes, files }));
    let dropped = say(&Message::Capture(Capturing::Dropped { dropped, of: passed }));
    writeln!(io::stderr(), "{captured} · {dropped}")
}
