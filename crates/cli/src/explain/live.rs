//! Connections told while they pass an interface.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::{Instant as Monotonic, SystemTime, UNIX_EPOCH};

use handclasp::device::capture::{Capture, Captured};
use handclasp::device::tap::Direction;
use handclasp::wire::frame::Medium;
use handclasp::wire::gso::split_inbound;
use handclasp::wire::time::Instant;
use handclasp_explain::capture::Frame;
use handclasp_explain::capture::link::LinkType;
use handclasp_explain::catalogue::{Cast, Heading, Message, Reading};
use handclasp_explain::filter::{Filter, Packet};
use handclasp_explain::flow::Flow;
use handclasp_explain::flow::table::Limits;
use handclasp_explain::json;
use handclasp_explain::ladder::{Ladder, View};
use handclasp_explain::trace::Observer;
use handclasp_explain::track::row::Row;
use handclasp_explain::track::tale::Tale;
use handclasp_explain::track::{Fate, Side};
use tokio::signal::unix::{SignalKind, signal};

use super::args::ExplainArgs;
use super::found::Found;
use crate::Outcome;
use crate::error::Error;
use crate::language::{findings, language};
use crate::output;
use crate::verdict::Judge;
use crate::watch::tell::screen_width;

/// The interface that shows each packet twice, out and in.
const LOOPBACK: &str = "lo";

/// Watches an interface until Ctrl-C, or until so many packets passed as were asked for.
///
/// # Errors
///
/// When the interface cannot be watched, or the output cannot be written.
pub(super) fn run(
    args: &ExplainArgs,
    interface: &str,
    filter: Option<Filter>,
) -> Result<Outcome, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watch(args, interface, filter))
}

async fn watch(
    args: &ExplainArgs,
    interface: &str,
    filter: Option<Filter>,
) -> Result<Outcome, Error> {
    let name = || interface.to_owned();
    let mut capture = Capture::open(interface).map_err(|cause| Error::Open(name(), cause))?;
    let (mut interrupt, mut end) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut scene = Scene::new(args, filter, capture.medium());
    scene.begin()?;
    while scene.goes_on() {
        let captured = tokio::select! {
            captured = capture.next() => captured.map_err(|cause| Error::Open(name(), cause))?,
            _ = interrupt.recv() => break,
            _ = end.recv() => break,
        };
        // Of the two sights of it the later one is as it arrives.
        if interface != LOOPBACK || captured.direction == Direction::In {
            scene.see(&captured)?;
        }
    }
    scene.finish()
}

/// What turns the times of packets into those of the calendar. It is read once, so that times
/// do not jump when the calendar is set.
struct Calendar {
    monotonic: Monotonic,
    since_1970: std::time::Duration,
}

impl Calendar {
    fn read() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { monotonic: Monotonic::now(), since_1970 }
    }

    fn instant(&self, at: Monotonic) -> Instant {
        let later = at.saturating_duration_since(self.monotonic);
        let earlier = self.monotonic.saturating_duration_since(at);
        Instant::ZERO + (self.since_1970 + later).saturating_sub(earlier)
    }
}

struct Scene<'a> {
    args: &'a ExplainArgs,
    filter: Option<Filter>,
    medium: Medium,
    calendar: Calendar,
    observer: Observer,
    /// Connections, and whether anything of them was told.
    tales: HashMap<u64, (Tale, bool)>,
    /// The connection of the last row.
    current: Option<u64>,
    ladder: Ladder<'static, Box<dyn Write>>,
    judge: Judge,
    found: Found,
    frames: u64,
    shown: u64,
    connections: u64,
    packets: u64,
}

impl<'a> Scene<'a> {
    fn new(args: &'a ExplainArgs, filter: Option<Filter>, medium: Medium) -> Self {
        let heading = |heading| {
            language().say(&Cast::default(), &Message::Reading(Reading::Heading(heading)))
        };
        let view = View {
            left: Side::Client,
            names: [heading(Heading::Client), heading(Heading::Server)],
            marked: [false; 2],
            absolute: args.absolute,
            width: screen_width(),
            // Runs of data are folded, however long it goes on.
            fold_after: (!args.packets).then_some(u64::MAX),
            cast: Cast::default(),
            numbered: true,
        };
        Self {
            args,
            filter,
            medium,
            calendar: Calendar::read(),
            observer: Observer::new(Limits::default()),
            tales: HashMap::new(),
            current: None,
            ladder: Ladder::new(Box::new(anstream::stdout()), language(), view),
            judge: Judge::default(),
            found: Found::default(),
            frames: 0,
            shown: 0,
            connections: 0,
            packets: 0,
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.args.json { Ok(()) } else { self.ladder.headings() }
    }

    fn goes_on(&self) -> bool {
        self.args.count.is_none_or(|count| self.shown < count)
    }

    fn see(&mut self, captured: &Captured) -> Result<(), Error> {
        let at = self.calendar.instant(captured.at);
        let link = match self.medium {
            Medium::Ethernet => LinkType::ETHERNET,
            Medium::Ip => LinkType::RAW,
        };
        let mut pieces = split_inbound(&captured.packet, self.medium);
        let mut bytes = Vec::new();
        while pieces.next_into(&mut bytes) {
            self.frames += 1;
            let (number, len) = (self.frames, bytes.len() as u32);
            let frame = Frame { number, at, link, interface: 0, len, bytes: &bytes };
            let step = self.observer.see(frame);
            if let Some(packet) = step.packet() {
                let passes = self.filter.as_ref().is_none_or(|filter| filter.passes(&packet));
                let (tale, told) = self.tales.entry(packet.seen.stream).or_default();
                // What is not shown counts for what is.
                let row = tale.row(packet.segment, Fate::Arrived, packet.seen);
                if passes {
                    *told = true;
                    self.shown += 1;
                    tell(&mut self.ladder, &row, &mut self.current, &packet, self.args.json)?;
                    self.observer.displayed(at);
                }
            }
            for flow in self.observer.take_over() {
                self.over(&flow)?;
            }
        }
        Ok(())
    }

    /// A connection is over. Only those are told of that rows were drawn of.
    fn over(&mut self, flow: &Flow) -> Result<(), Error> {
        if !self.tales.remove(&flow.stream).is_some_and(|(_, told)| told) {
            return Ok(());
        }
        self.connections += 1;
        self.packets += flow.packets();
        let found = self.judge.see(flow);
        if self.args.json {
            let severity = found.first().map(|finding| finding.severity);
            let verdict = crate::verdict::verdict(flow, &found);
            let mut out = output::stdout();
            output::object(&mut out, &json::Followed::new(flow, severity, &verdict))?;
            for finding in &found {
                output::object(&mut out, &json::Found::new(finding, findings()))?;
            }
            out.flush()?;
        }
        found.into_iter().for_each(|finding| self.found.add(finding));
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome, Error> {
        let observer = std::mem::replace(&mut self.observer, Observer::new(Limits::default()));
        for flow in observer.finish() {
            self.over(&flow)?;
        }
        let (over_all, outcome) = self.judge.conclude(self.args.fail_on);
        let mut out = output::stdout();
        for finding in over_all {
            if self.args.json {
                output::object(&mut out, &json::Found::new(&finding, findings()))?;
            }
            self.found.add(finding);
        }
        if !self.args.json {
            writeln!(out)?;
            self.found.write(&mut out, self.connections, self.packets)?;
        }
        out.flush()?;
        Ok(outcome)
    }
}

/// Tells of one packet; where its connection is another one than that of the last, which it is.
fn tell(
    ladder: &mut Ladder<'static, Box<dyn Write>>,
    row: &Row,
    current: &mut Option<u64>,
    packet: &Packet<'_>,
    as_json: bool,
) -> io::Result<()> {
    let (segment, seen) = (packet.segment, packet.seen);
    if as_json {
        let object = json::Packet::new(seen.stream, row, language(), &Cast::default());
        let mut out = output::stdout();
        output::object(&mut out, &object)?;
        return out.flush();
    }
    if ladder.folds(row) {
        return Ok(());
    }
    if current.replace(seen.stream) != Some(seen.stream) {
        let (client, server) = match seen.side() {
            Side::Client => (segment.src, segment.dst),
            Side::Server => (segment.dst, segment.src),
        };
        let begins = ladder.say(&Message::ConnectionBegins { client, server });
        ladder.title(&[format!("#{} {begins}", seen.stream)])?;
    }
    ladder.row(row)?;
    ladder.flush()
}
