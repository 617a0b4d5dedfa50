//! What is said before and after the packets.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::Duration;

use handclasp::tcp::connection::Info;
use handclasp_explain::catalogue::{Cast, Hint, Message};
use handclasp_explain::json;
use handclasp_explain::ladder::View;
use handclasp_explain::track::row::{Known, Row};
use handclasp_explain::track::{Both, Flow, Side};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::Outcome;
use crate::lab::args::{LabLink, Role};
use crate::language::language;
use crate::watch::tell::{About, Drawing, Lines, Teller};
use crate::watch::totals::totals;

use super::plan::{Plan, Task, Telling};

/// After so many rows, runs of data are not shown packet by packet.
const FOLD_AFTER: u64 = 60;

/// What was moved, as our stack sees it.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    /// Bytes in each direction.
    pub(super) bytes: u64,
    /// How sending them went.
    pub(super) course: Course,
    /// How long it took to receive them.
    pub(super) r#in: Duration,
    /// Whether they arrived as they were sent, both ways.
    pub(super) equal: bool,
}

/// How it went to send them.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// How long it took, until the last was acknowledged.
    pub(super) time: Duration,
    /// How the connection fared in the end.
    pub(super) end: Box<Info>,
    /// And on the way.
    pub(super) moments: Vec<Moment>,
}

/// A connection at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Since it began to send.
    pub(super) at: Duration,
    pub(super) cwnd: u32,
    pub(super) ssthresh: u32,
    pub(super) rtt: Option<Duration>,
    pub(super) in_flight: u32,
    pub(super) delivered: u64,
}

impl Course {
    /// The share of bytes that were sent again.
    pub(super) fn resent(&self) -> f64 {
        let all = &self.end.statistics;
        all.bytes_resent as f64 / all.bytes_out.max(1) as f64
    }

    /// The share of segments that the peer said it had twice because we sent them again.
    fn spurious(&self) -> f64 {
        let recovery = &self.end.recovery;
        let known = recovery.dsacks_received.saturating_sub(recovery.dsacks_ignored);
        known as f64 / self.end.statistics.segments_out.max(1) as f64
    }
}

/// What came of the task.
#[derive(Debug)]
pub(super) enum Report {
    /// The status of the page, as `200 OK`.
    Page(io::Result<String>),
    /// What was moved.
    Bulk(io::Result<Moved>),
    /// How the program ended.
    Command(ExitStatus),
    /// The user stopped it.
    Interrupted,
}

impl Report {
    /// Whether what was asked for worked out.
    pub(super) fn outcome(&self) -> Outcome {
        let well = match self {
            Self::Page(status) => status.as_ref().is_ok_and(|status| status.starts_with("200")),
            Self::Bulk(moved) => moved.as_ref().is_ok_and(|moved| moved.equal),
            Self::Command(status) => status.success(),
            Self::Interrupted => false,
        };
        if well { Outcome::Done } else { Outcome::Failed }
    }

    fn parts(&self, say: impl Fn(&Message<'_>) -> String) -> Vec<String> {
        match self {
            Self::Page(Ok(status)) => vec![status.clone()],
            Self::Page(Err(error)) | Self::Bulk(Err(error)) => vec![error.to_string()],
            Self::Bulk(Ok(Moved { bytes, course, r#in, equal })) => {
                let (bytes, equal) = (*bytes, *equal);
                let repairs = Message::Repairs {
                    resent: course.resent(),
                    spurious: course.spurious(),
                    timeouts: course.end.statistics.timeouts,
                };
                let compared = if equal { Message::BytesEqual } else { Message::BytesDiffer };
                vec![
                    say(&compared),
                    say(&Message::MovedOut { bytes, time: course.time }),
                    say(&repairs),
                    say(&Message::MovedIn { bytes, time: *r#in }),
                ]
            }
            Self::Command(status) => vec![status.to_string()],
            Self::Interrupted => vec![say(&Message::Interrupted)],
        }
    }
}

/// What an answer's first line says: `200 OK`.
///
/// # Errors
///
/// When it is no HTTP.
pub(super) fn status(answer: &[u8]) -> io::Result<String> {
    let line = answer.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    match line.strip_prefix("HTTP/1.").and_then(|rest| rest.split_once(' ')) {
        Some((_, status)) => Ok(status.to_owned()),
        None => Err(no_http()),
    }
}

/// The error of an answer that is none.
pub(super) fn no_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP")
}

/// Tells rows, and what frames them.
pub(super) enum Voice {
    Ladder(Box<Drawing<Box<dyn Write + Send>>>),
    Lines(Lines<io::Stdout>),
}

impl Voice {
    /// A voice that has said what the network is like.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub(super) fn new(plan: &Plan, ends: &Both<SocketAddr>) -> io::Result<Self> {
        let Telling::Ladder { absolute, every_packet } = plan.telling else {
            return Ok(Self::Lines(Lines::new(io::stdout())));
        };
        let left = match plan.role {
            Role::Client => Side::Client,
            Role::Server => Side::Server,
        };
        let say = |message: &Message<'_>| language().say(&Cast::default(), message);
        let other = match plan.link {
            Some(_) => say(&Message::KernelHeading),
            None => "handclasp".into(),
        };
        let view = View {
            left,
            names: ["handclasp".into(), other],
            marked: [false, plan.link.is_some()],
            absolute,
            width: crate::watch::tell::screen_width(),
            fold_after: (!every_packet).then_some(FOLD_AFTER),
            cast: Cast { ours: Some(left) },
        };
        let mut drawing = Drawing::new(Box::new(anstream::stdout()) as _, view, bar(plan));
        let mut title = Vec::new();
        if plan.link.is_some() {
            title.push(say(&Message::Network { root: is_root() }));
        }
        title.push(names(plan, ends));
        title.push(say(match plan.link {
            Some(LabLink::Packet) => &Message::PacketSocket,
            Some(LabLink::Tun) => &Message::Tun,
            None => &Message::Virtual,
        }));
        if plan.is_left_to_chance() {
            title.push(say(&Message::Seed(plan.seed)));
        }
        drawing.ladder().title(&title)?;
        drawing.ladder().headings()?;
        Ok(Self::Ladder(Box::new(drawing)))
    }

    /// The bar that shows how far the task is.
    pub(super) fn bar(&self) -> ProgressBar {
        match self {
            Self::Ladder(drawing) => drawing.bar(),
            Self::Lines(_) => ProgressBar::hidden(),
        }
    }

    /// Says what came of it.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub(super) fn finish(
        &mut self,
        plan: &Plan,
        report: &Report,
        flows: &[Flow],
    ) -> io::Result<()> {
        match self {
            Self::Ladder(drawing) => finish_ladder(drawing, plan, report, flows),
            Self::Lines(lines) => finish_lines(lines, report, flows),
        }
    }
}

impl Teller for Voice {
    fn begin(&mut self, about: &About, states: &Both<Known>) -> io::Result<()> {
        match self {
            Self::Ladder(drawing) => drawing.begin(about, states),
            Self::Lines(lines) => lines.begin(about, states),
        }
    }

    fn row(&mut self, about: &About, row: &Row) -> io::Result<()> {
        match self {
            Self::Ladder(drawing) => drawing.row(about, row),
            Self::Lines(lines) => lines.row(about, row),
        }
    }
}

fn finish_ladder<W: Write + Send>(
    drawing: &mut Drawing<W>,
    plan: &Plan,
    report: &Report,
    flows: &[Flow],
) -> io::Result<()> {
    let ladder = drawing.ladder();
    let mut parts = report.parts(|message| ladder.say(message));
    parts
        .extend(totals(flows, plan.role == Role::Server).iter().map(|message| ladder.say(message)));
    ladder.outcome(report.outcome() == Outcome::Done, &parts)?;
    let (command, hint) = next(plan);
    ladder.next(command, &ladder.say(&Message::Hint(hint)))?;
    ladder.flush()
}

/// What the task came to, for programs.
#[derive(Serialize)]
struct Result<'a> {
    v: u32,
    r#type: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    moved: Option<MovedObject>,
}

#[derive(Serialize)]
struct MovedObject {
    bytes: u64,
    equal: bool,
    out_ns: u64,
    controller: &'static str,
    resent_share: f64,
    spurious_share: f64,
    timeouts: u64,
    in_ns: u64,
}

fn finish_lines<W: Write + Send>(
    lines: &mut Lines<W>,
    report: &Report,
    flows: &[Flow],
) -> io::Result<()> {
    for (number, flow) in flows.iter().enumerate() {
        let connection = json::Connection::new(number as u64, flow.sockets(), flow.summary());
        lines.object(&connection)?;
    }
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let mut result = Result {
        v: json::VERSION,
        r#type: "result",
        ok: report.outcome() == Outcome::Done,
        status: None,
        error: None,
        exit_code: None,
        moved: None,
    };
    match report {
        Report::Page(Ok(status)) => result.status = Some(status),
        Report::Page(Err(error)) | Report::Bulk(Err(error)) => {
            result.error = Some(error.to_string());
        }
        Report::Bulk(Ok(moved)) => {
            result.moved = Some(MovedObject {
                bytes: moved.bytes,
                equal: moved.equal,
                out_ns: nanos(moved.course.time),
                controller: moved.course.end.congestion.name(),
                resent_share: moved.course.resent(),
                spurious_share: moved.course.spurious(),
                timeouts: moved.course.end.statistics.timeouts,
                in_ns: nanos(moved.r#in),
            });
        }
        Report::Command(status) => result.exit_code = status.code(),
        Report::Interrupted => result.error = Some("interrupted".into()),
    }
    lines.object(&result)
}

/// `10.77.0.1 handclasp ⇄ 10.77.0.2:80 Linux 6.18`.
fn names(plan: &Plan, ends: &Both<SocketAddr>) -> String {
    let (ours, other) = match plan.link {
        Some(_) => ("handclasp".to_owned(), kernel_name()),
        None => ("handclasp".to_owned(), "handclasp".to_owned()),
    };
    let (client, server) = match plan.role {
        Role::Client => (ours, other),
        Role::Server => (other, ours),
    };
    format!("{} {client} ⇄ {} {server}", ends.client.ip(), ends.server)
}

/// `Linux 6.18`.
pub(crate) fn kernel_name() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version: Vec<_> = release.trim().split(['.', '-']).take(2).collect();
    format!("Linux {}", version.join("."))
}

/// Whether the network was made with root's rights, rather than in a user namespace that maps
/// this one user.
pub(crate) fn is_root() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().nth(2) != Some("1")
}

fn bar(plan: &Plan) -> ProgressBar {
    let Task::Bulk(bytes) = plan.task else { return ProgressBar::hidden() };
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = "{wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}";
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes * 2).with_style(style)
}

/// A command that shows something this one did not.
fn next(plan: &Plan) -> (&'static str, Hint) {
    let drops = |numbers: &[u64], by_client: bool| {
        plan.whims.iter().any(|whims| {
            let ours = by_client == (plan.role == Role::Client);
            let direction = if ours { &whims.outgoing } else { &whims.incoming };
            direction.drop_nth == numbers
        })
    };
    if plan.link.is_none() {
        return ("handclasp lab --virtual --loss 20%", Hint::LoseSome);
    }
    match (&plan.task, plan.role) {
        (Task::Command(_), _) => ("handclasp lab -S", Hint::Absolute),
        (Task::Bulk(_), _) => ("handclasp lab --write lab.pcapng", Hint::Capture),
        (Task::Page, Role::Server) => ("handclasp lab -- curl -I http://10.77.0.2/", Hint::Curl),
        _ if drops(&[2], true) => ("handclasp lab --drop server:1", Hint::LoseSecond),
        _ if drops(&[1], false) => ("handclasp lab --port 81", Hint::ClosedPort),
        _ if plan.port != super::plan::SERVER_PORT => {
            ("handclasp lab --bytes 100MB --loss 1%", Hint::Bulk)
        }
        _ if plan.whims.is_some() => ("handclasp lab --role server", Hint::TurnRound),
        _ => ("handclasp lab --drop client:2", Hint::LoseThird),
    }
}
