//! `handclasp explain`: what happened in a capture.

pub(crate) mod args;
mod found;
#[cfg(target_os = "linux")]
mod live;
#[cfg(not(target_os = "linux"))]
#[path = "nowhere.rs"]
mod live;
mod story;

use std::cmp::Reverse;
use std::collections::HashSet;
use std::io::Write;
use std::net::SocketAddr;

use handclasp_explain::catalogue::{Cast, Message};
use handclasp_explain::filter::Filter;
use handclasp_explain::finding::{Finding, Severity};
use handclasp_explain::flow::Flow;
use handclasp_explain::json;
use handclasp_explain::mark::Marks;

use crate::Outcome;
use crate::error::Error;
use crate::input::{self, Again, Bar};
use crate::language::{findings, language};
use crate::output;
use crate::verdict::{Judge, verdict};

use args::ExplainArgs;
use found::Found;

/// How many connections are drawn if nobody says which.
const DRAWN: usize = 3;

/// Runs the command.
///
/// # Errors
///
/// When the capture cannot be read, the filter is none, there is no such connection, or the
/// output cannot be written.
pub(crate) fn run(args: &ExplainArgs) -> Result<Outcome, Error> {
    let text = args.filter();
    let filter = if text.trim().is_empty() { None } else { Some(input::filter(&text)?) };
    if let Some(interface) = &args.live {
        return live::run(args, interface, filter);
    }
    let again = Again::new(args.file())?;
    let mut out = output::stdout();
    let mut survey = Survey::new(args, filter, &mut out);
    let mut input = again.open(Bar::Allowed)?;
    while let Some(step) = input.next() {
        survey.look(&step);
        for flow in input.trace().take_over() {
            survey.see(&flow)?;
        }
    }
    let (left, whole) = input.finish();
    for flow in &left {
        survey.see(flow)?;
    }
    let connections = survey.connections;
    let (drawn, outcome) = match survey.conclude() {
        // It may stand behind the damage.
        Err(error @ Error::NoFlow(_)) => return whole.and(Err(error)),
        other => other?,
    };
    for (nth, one) in drawn.iter().enumerate() {
        if args.json {
            story::lines(&again, one, &mut out)?;
        } else {
            if nth > 0 {
                writeln!(out)?;
            }
            story::draw(&again, one, args, &mut out)?;
        }
    }
    if !args.json {
        story::next(args, &drawn, connections, &mut out)?;
    }
    out.flush()?;
    whole.map(|()| outcome)
}

/// A connection that is to be drawn.
struct Drawn {
    stream: u64,
    sockets: [SocketAddr; 2],
    last_frame: u64,
    severity: Option<Severity>,
    /// What it came to.
    totals: Vec<String>,
}

impl Drawn {
    fn new(flow: &Flow, severity: Option<Severity>) -> Self {
        let ends = [flow.client, flow.server()];
        let [sent, received] = ends.map(|end| flow.ends[end].counts.unique_bytes);
        let resent = ends.map(|end| flow.evidence[end].count(Marks::RETRANSMISSION));
        let messages = [
            flow.handshake.round_trip().map(Message::HandshakeTime),
            Some(Message::Bytes { out: sent, r#in: received }),
            Some(Message::Retransmitted(resent[0] + resent[1])),
            Some(Message::Ending(flow.ending())),
            Some(Message::Packets(flow.packets())),
        ];
        let say = |message: Message<'_>| language().say(&Cast::default(), &message);
        Self {
            stream: flow.stream,
            sockets: ends.map(|end| flow.key.ends[end]),
            last_frame: flow.last.frame,
            severity,
            totals: messages.into_iter().flatten().map(say).collect(),
        }
    }
}

/// The first reading: what is found, and which connections are worth drawing.
struct Survey<'a, W> {
    args: &'a ExplainArgs,
    filter: Option<Filter>,
    /// Connections of which a packet passed.
    passed: HashSet<u64>,
    judge: Judge,
    found: Found,
    drawn: Vec<Drawn>,
    connections: u64,
    packets: u64,
    out: &'a mut W,
}

impl<'a, W: Write> Survey<'a, W> {
    fn new(args: &'a ExplainArgs, filter: Option<Filter>, out: &'a mut W) -> Self {
        Self {
            args,
            filter,
            passed: HashSet::new(),
            judge: Judge::default(),
            found: Found::default(),
            drawn: Vec::new(),
            connections: 0,
            packets: 0,
            out,
        }
    }

    fn look(&mut self, step: &handclasp_explain::trace::Step<'_>) {
        if let (Some(filter), Some(packet)) = (&self.filter, step.packet())
            && filter.passes(&packet)
        {
            self.passed.insert(packet.seen.stream);
        }
    }

    fn see(&mut self, flow: &Flow) -> Result<(), Error> {
        let found = self.judge.see(flow);
        let named = self.args.flow.is_empty() || self.args.flow.contains(&flow.stream);
        let passes = self.filter.is_none() || self.passed.contains(&flow.stream);
        if !named || !passes {
            return Ok(());
        }
        self.connections += 1;
        self.packets += flow.packets();
        let severity = found.first().map(|finding| finding.severity);
        if self.args.json {
            let verdict = verdict(flow, &found);
            output::object(self.out, &json::Followed::new(flow, severity, &verdict))?;
        }
        self.drawn.push(Drawn::new(flow, severity));
        if self.args.flow.is_empty() {
            self.drawn.sort_by_key(|drawn| (Reverse(drawn.severity), drawn.stream));
            self.drawn.truncate(DRAWN);
        }
        self.tell(found)
    }

    fn tell(&mut self, found: Vec<Finding>) -> Result<(), Error> {
        for finding in found {
            if self.args.json {
                output::object(self.out, &json::Found::new(&finding, findings()))?;
            } else {
                self.found.add(finding);
            }
        }
        Ok(())
    }

    /// Tells what was found; gives the connections to draw.
    fn conclude(mut self) -> Result<(Vec<Drawn>, Outcome), Error> {
        let (over_all, outcome) = std::mem::take(&mut self.judge).conclude(self.args.fail_on);
        // What several connections show together is no matter of those that were picked.
        if self.args.flow.is_empty() && self.filter.is_none() {
            self.tell(over_all)?;
        }
        let missing = |stream: &&u64| !self.drawn.iter().any(|drawn| drawn.stream == **stream);
        if let Some(stream) = self.args.flow.iter().find(missing) {
            return Err(Error::NoFlow(*stream));
        }
        self.drawn.sort_by_key(|drawn| drawn.stream);
        if !self.args.json {
            self.found.write(self.out, self.connections, self.packets)?;
        }
        Ok((self.drawn, outcome))
    }
}
