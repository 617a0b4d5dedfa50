//! A packet in one line, close to tcpdump's.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use anstyle::{AnsiColor, Style};
use handclasp::tcp::State;
use handclasp::wire::ethernet::EthernetView;
use handclasp::wire::notation::{self, Base};
use handclasp::wire::seq::SeqNumber;
use handclasp::wire::time::Instant;
use handclasp_explain::capture::Frame;
use handclasp_explain::capture::dissect::{About, Complaint};
use handclasp_explain::capture::link::{LinkType, strip};
use handclasp_explain::catalogue::Time;
use handclasp_explain::filter::value::date_text;
use handclasp_explain::filter::{Clock, Packet};
use handclasp_explain::mark::Marks;
use handclasp_explain::trace::{Step, What};

use super::args::ShowArgs;
use super::{Sink, dump};

/// The styles of a line's parts.
#[derive(Clone, Copy, Debug, Default)]
struct Styles {
    faint: Style,
    bad: Style,
    news: Style,
}

/// Those of a terminal.
const COLOURED: Styles = Styles {
    faint: Style::new().dimmed(),
    bad: AnsiColor::Red.on_default(),
    news: AnsiColor::Yellow.on_default(),
};

/// What a line begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    None,
    Epoch,
    Delta,
    Date,
    Relative,
}

/// Writes lines.
pub(super) struct Lines<W> {
    out: W,
    text: String,
    styles: Styles,
    form: Form,
    absolute: bool,
    link: bool,
    hex: u8,
    both: u8,
    ascii: bool,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(out: W, coloured: bool, args: &ShowArgs) -> Self {
        let form = match args.time {
            1 => Form::None,
            2 => Form::Epoch,
            3 => Form::Delta,
            4 => Form::Date,
            _ => Form::Relative,
        };
        let (hex, both, ascii) = (args.hex, args.both, args.ascii);
        let (absolute, link) = (args.absolute, args.link);
        let styles = if coloured { COLOURED } else { Styles::default() };
        Self { out, text: String::new(), styles, form, absolute, link, hex, both, ascii }
    }

    fn begin(&mut self, frame: &Frame<'_>, clock: Clock) {
        self.text.clear();
        let Styles { faint, .. } = self.styles;
        let text = &mut self.text;
        let _ = write!(text, "{faint}{:>5}{faint:#} ", frame.number);
        let since = |from: Instant| frame.at.as_micros().saturating_sub(from.as_micros());
        let seconds = |micros: u64| (micros / 1_000_000, micros % 1_000_000);
        let relative = match self.form {
            Form::None => None,
            Form::Epoch => {
                let (seconds, micros) = seconds(since(Instant::ZERO));
                let _ = write!(text, "{seconds}.{micros:06} ");
                None
            }
            Form::Date => {
                let date = date_text(frame.at);
                let _ = write!(text, "{} ", date.get(..date.len() - 3).unwrap_or(&date));
                None
            }
            Form::Delta => Some(since(clock.displayed)),
            Form::Relative => Some(since(clock.first)),
        };
        if let Some((seconds, micros)) = relative.map(seconds) {
            let _ = write!(text, "{seconds:>3}.{micros:06} ");
        }
        if self.link {
            self.text.push_str(&link(frame));
        }
    }

    fn segment(&mut self, packet: &Packet<'_>) {
        let (segment, analysis) = (packet.segment, &packet.seen.analysis);
        let _ =
            write!(self.text, "{} > {}: ", Socket(segment.src, true), Socket(segment.dst, false));
        let shown = notation::Segment {
            flags: segment.header.flags,
            seq: segment.header.seq,
            ack: segment.header.ack,
            window: segment.header.window,
            urgent: segment.header.urgent,
            options: segment.options.into(),
            len: segment.len,
        };
        let base = match self.absolute {
            true => Base::ABSOLUTE,
            false => Base {
                seq: segment.header.seq - analysis.seq,
                ack: match segment.header.flags.contains(handclasp::wire::tcp::Flags::ACK) {
                    true => segment.header.ack - analysis.ack,
                    false => SeqNumber(0),
                },
            },
        };
        let _ = write!(self.text, "{}", shown.display(base));
        let mut words = marks(packet, self.styles);
        let states = packet.seen.states;
        if states != packet.seen.before {
            let client = packet.seen.client;
            words.push(format!("{}, {}", name(states[client]), name(states[1 - client])));
        }
        if !words.is_empty() {
            let Styles { faint, .. } = self.styles;
            let _ = write!(self.text, "  {faint}#{faint:#} {}", words.join("; "));
        }
        self.text.push('\n');
    }

    fn complaint(&mut self, complaint: &Complaint) {
        let Complaint { from, src, dst, seq, .. } = complaint;
        let what = match complaint.about {
            About::PortUnreachable => "port unreachable".to_owned(),
            About::Prohibited => "prohibited".to_owned(),
            About::TooBig { mtu } => format!("too big, mtu {mtu}"),
            About::TimeExceeded => "time exceeded".to_owned(),
            _ => "unreachable".to_owned(),
        };
        let ip = if from.is_ipv4() { "IP" } else { "IP6" };
        let (src, dst) = (Socket(*src, false), Socket(*dst, false));
        let (text, Styles { news, .. }) = (&mut self.text, self.styles);
        let _ = writeln!(
            text,
            "{ip} {from} > {}: ICMP {news}{what}{news:#}, of {src} > {dst} \
             seq {} (raw)",
            complaint.src.ip(),
            seq.0
        );
    }

    fn bytes(&mut self, frame: &Frame<'_>) {
        let ip = strip(frame.link, frame.bytes).map_or(frame.bytes, |stripped| stripped.ip);
        let from = |times: u8| if times > 1 { frame.bytes } else { ip };
        if self.both > 0 {
            dump::hex(&mut self.text, from(self.both), true);
        } else if self.hex > 0 {
            dump::hex(&mut self.text, from(self.hex), false);
        }
        if self.ascii {
            dump::ascii(&mut self.text, ip);
        }
    }
}

impl<W: Write> Sink for Lines<W> {
    fn step(&mut self, step: &Step<'_>) -> io::Result<()> {
        self.begin(&step.frame, step.clock());
        match (&step.what, step.packet()) {
            (_, Some(packet)) => self.segment(&packet),
            (What::Complaint(complaint), _) => self.complaint(complaint),
            _ => return Ok(()),
        }
        self.bytes(&step.frame);
        self.out.write_all(self.text.as_bytes())
    }

    fn takes_all(&self) -> bool {
        false
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An address and a port, as tcpdump writes them: with or without the version of IP.
struct Socket(SocketAddr, bool);

impl std::fmt::Display for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let version = match (self.1, self.0.ip()) {
            (true, IpAddr::V4(_)) => "IP ",
            (true, IpAddr::V6(_)) => "IP6 ",
            (false, _) => "",
        };
        write!(f, "{version}{}.{}", self.0.ip(), self.0.port())
    }
}

fn name(state: Option<State>) -> &'static str {
    state.map_or("?", State::name)
}

/// The marks by their names, with what belongs to them.
fn marks(packet: &Packet<'_>, styles: Styles) -> Vec<String> {
    let Styles { bad, news, .. } = styles;
    let analysis = &packet.seen.analysis;
    let mut words = Vec::new();
    if packet.segment.checksum_ok == Some(false) {
        words.push(format!("{bad}bad checksum{bad:#}"));
    }
    let particular = Marks::FAST_RETRANSMISSION | Marks::SPURIOUS_RETRANSMISSION;
    for mark in analysis.marks {
        // A particular kind of retransmission says that it is one.
        if mark == Marks::RETRANSMISSION && analysis.marks.intersects(particular) {
            continue;
        }
        let name = mark.fields().next().unwrap_or_default();
        let name = name.strip_prefix("tcp.analysis.").unwrap_or(name);
        let more = match (mark, analysis.duplicate_ack, analysis.rto) {
            (Marks::DUPLICATE_ACK, Some(duplicate), _) => {
                format!(" {} of #{}", duplicate.count, duplicate.of)
            }
            (Marks::RETRANSMISSION, _, Some(rto)) => {
                format!(" {} after #{}", Time(rto.time), rto.frame)
            }
            _ => String::new(),
        };
        words.push(format!("{news}{name}{news:#}{more}"));
    }
    words
}

/// What stands before IP.
fn link(frame: &Frame<'_>) -> String {
    match EthernetView::parse(frame.bytes) {
        Ok(ethernet) if frame.link == LinkType::ETHERNET => {
            let (src, dst, kind) = (ethernet.src(), ethernet.dst(), ethernet.ethertype().0);
            let tags = ethernet.tags().map(|tag| format!(", vlan {}", tag.id()));
            let tags: String = tags.collect();
            format!("{src} > {dst}{tags}, ethertype {kind:#06x}, length {}: ", frame.len)
        }
        _ => format!("link type {}, length {}: ", frame.link.0, frame.len),
    }
}
