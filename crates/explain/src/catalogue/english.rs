//! The sentences in English.

mod experiment;

use std::fmt::{self, Write};
use std::time::Duration;

use handclasp_tcp::State;
use handclasp_tcp::event::LossSign;

use super::{ByHand, Cast, Count, Hint, Language, Message, Rate, Size, Time};
use crate::track::Side;
use crate::track::note::{Note, Resent};
use crate::track::summary::Ending;

/// English.
#[derive(Clone, Copy, Debug, Default)]
pub struct English;

impl Language for English {
    fn write(&self, out: &mut dyn Write, cast: &Cast, message: &Message<'_>) -> fmt::Result {
        match *message {
            Message::Note { from, note } => write_note(out, cast, from, note),
            Message::Ending(ending) => write_ending(out, cast, ending),
            Message::Hint(hint) => out.write_str(hint_text(hint)),
            Message::Tried(which) => out.write_str(experiment::tried(which)),
            Message::Theory(which) => out.write_str(experiment::theory(which)),
            Message::Happened(happened) => experiment::happened(out, happened),
            Message::Column(column) => out.write_str(experiment::column(column)),
            ref other => write_rest(out, other),
        }
    }
}

impl Cast {
    fn subject(&self, side: Side) -> &'static str {
        self.choose(side, "we", "the client", "the server")
    }

    fn possessive(&self, side: Side) -> &'static str {
        self.choose(side, "our", "the client's", "the server's")
    }

    fn agent(&self, side: Side) -> &'static str {
        self.choose(side, "us", "the client", "the server")
    }

    /// A subject with its verb, in the form for "we" or for anybody else.
    fn does(&self, side: Side, we: &'static str, other: &'static str) -> String {
        format!("{} {}", self.subject(side), self.choose(side, we, other, other))
    }

    fn is(&self, side: Side) -> String {
        self.does(side, "are", "is")
    }

    fn has(&self, side: Side) -> String {
        self.does(side, "have", "has")
    }

    fn knows(&self, side: Side) -> String {
        self.does(side, "know", "knows")
    }

    fn choose<T>(&self, side: Side, ours: T, client: T, server: T) -> T {
        match side {
            _ if self.ours == Some(side) => ours,
            Side::Client => client,
            Side::Server => server,
        }
    }
}

fn write_note(out: &mut dyn Write, cast: &Cast, from: Side, note: &Note) -> fmt::Result {
    let peer = from.other();
    match *note {
        Note::First { isn } => {
            write!(out, "1st: {} ISN {isn}; SYN uses up one number", cast.possessive(from))
        }
        Note::Second => {
            let (whose, open, not) = (cast.possessive(peer), cast.is(peer), cast.is(from));
            write!(out, "2nd: ack = {whose} ISN + 1; {open} open, {not} not yet")
        }
        Note::CrossingSyn => write!(out, "the SYNs cross: both ends open at once"),
        Note::Third { data } => out.write_str(third_text(data)),
        Note::InPlaceOfThird => {
            write!(out, "in place of the 3rd: its ack completes the handshake just as well")
        }
        Note::Again { what, after } => write_again(out, what, after),
        Note::BeyondGap { missing } => {
            write!(out, "ahead of its turn: {} and on is missing", missing.relative)
        }
        Note::FillsGap => write!(out, "late: it fills a gap"),
        Note::DuplicateAck { count, missing } => {
            let misses = cast.does(from, "still miss", "still misses");
            write!(out, "duplicate ACK {count}: {misses} {}", missing.relative)
        }
        Note::WindowClosed => {
            let (full, wait) = (cast.has(from), cast.does(peer, "have to", "has to"));
            write!(out, "{full} no room left: {wait} wait")
        }
        Note::WindowOpened { bytes } => {
            write!(out, "{} room again: {}", cast.has(from), Size(bytes.into()))
        }
        Note::WindowProbe => write!(out, "asks whether the window has opened"),
        Note::KeepAlive => write!(out, "keep-alive: asks whether {} still there", cast.is(peer)),
        Note::FirstFin => {
            write!(out, "{} no more to send; {} may go on", cast.has(from), cast.subject(peer))
        }
        Note::SecondFin => {
            let closes = cast.does(from, "close", "closes");
            write!(out, "{closes} too: nothing is left to send either way")
        }
        Note::FinAcknowledged { state } => write_fin_acknowledged(out, cast, peer, state),
        Note::Refused { port } => write!(out, "refused: nobody listens on port {port}"),
        Note::Reset => {
            let ends = cast.does(from, "end", "ends");
            write!(out, "{ends} it at once: what was not delivered is lost")
        }
        Note::NoConnection => write!(out, "{} of no such connection", cast.knows(from)),
        Note::StrayReset => {
            write!(out, "a RST that fits nothing: {} may ignore it", cast.subject(peer))
        }
        Note::Lost => write!(out, "✗ lost on the way"),
        Note::ThirdLost => {
            let (open, other) = (cast.is(from), cast.subject(peer));
            write!(out, "✗ lost on the way: {open} open, {other} cannot know it yet")
        }
        Note::Damaged => write!(out, "✗ damaged on the way: its checksum fails"),
        Note::Copied => write!(out, "a copy that the link made"),
        ref by_hand @ (Note::OldDuplicate
        | Note::NeverSent
        | Note::Undoes
        | Note::Rejects
        | Note::Fits
        | Note::Forged
        | Note::SlippedIn
        | Note::UnaskedSynAck
        | Note::CrossingSynAck
        | Note::AnotherSyn) => write_by_hand(out, cast, from, by_hand),
    }
}

/// What somebody who makes packets by hand says of them.
fn write_by_hand(out: &mut dyn Write, cast: &Cast, from: Side, note: &Note) -> fmt::Result {
    let peer = from.other();
    match note {
        Note::OldDuplicate => write!(out, "an old duplicate, which the network kept until now"),
        Note::NeverSent => {
            write!(out, "acknowledges what {} never sent: a RST is due", cast.subject(peer))
        }
        Note::Undoes => write!(out, "undoes what the old duplicate began"),
        Note::Rejects => {
            write!(out, "the ack fits nothing; {} on", cast.does(from, "wait", "waits"))
        }
        Note::Fits => write!(out, "invented as well, but the ack fits"),
        Note::Forged => {
            write!(out, "forged: somebody else sends it in {} name", cast.possessive(from))
        }
        Note::SlippedIn => {
            write!(out, "not made by hand: this host's kernel knows of no such connection")
        }
        Note::UnaskedSynAck => {
            write!(out, "a SYN-ACK for nothing that {} sent", cast.subject(peer))
        }
        Note::CrossingSynAck => {
            write!(out, "the same SYN, with an ack now: {} seen the other", cast.has(from))
        }
        Note::AnotherSyn => write!(out, "another SYN than the one that was answered"),
        _ => Ok(()),
    }
}

fn third_text(data: bool) -> &'static str {
    match data {
        false => "3rd: both ISNs acknowledged; no reply is waited for",
        true => "3rd, with data in it: delivered as soon as the handshake is complete",
    }
}

fn write_again(out: &mut dyn Write, what: Resent, after: Option<Duration>) -> fmt::Result {
    let what = match what {
        Resent::Syn => "1st again: no answer came",
        Resent::SynAck => "2nd again: the 3rd did not come",
        Resent::SynAckForSyn => return write!(out, "2nd again: the 1st came again"),
        Resent::Wanted { duplicates } => {
            return write!(out, "again: {duplicates} duplicate ACKs asked for it");
        }
        Resent::Data | Resent::Told { why: LossSign::Timeout } => "again: not acknowledged",
        Resent::Told { why } => return out.write_str(told(why)),
        Resent::Fin => "FIN again: not acknowledged",
    };
    match after {
        Some(after) => write!(out, "{what} in {}", Time(after)),
        None => out.write_str(what),
    }
}

/// Why a sender that tells it sends data again.
fn told(why: LossSign) -> &'static str {
    match why {
        LossSign::DuplicateAcks => "again: three duplicate ACKs asked for it",
        LossSign::Sack => "again: three segments behind it arrived",
        LossSign::Rack => "again: something sent later arrived",
        LossSign::PartialAck => "again: the last ACK stops before it",
        LossSign::TailProbe => "again, as a probe: nothing behind it could show its loss",
        LossSign::Rescue => "again: to keep ACKs coming, for nothing new may be sent",
        LossSign::Reneging => "again: it was reported to be there, and is gone",
        LossSign::PathMtu => "again: it was too large for the path",
        LossSign::SynAck => "again: the server did not take what came with the SYN",
        _ => "again: it may be lost",
    }
}

/// `closer` is the end whose FIN is acknowledged.
fn write_fin_acknowledged(
    out: &mut dyn Write,
    cast: &Cast,
    closer: Side,
    state: State,
) -> fmt::Result {
    write!(out, "{} FIN is acknowledged", cast.possessive(closer))?;
    match state {
        State::FinWait2 => write!(out, "; the other direction is still open"),
        State::TimeWait => write!(out, "; it waits out 2 MSL"),
        State::Closed => {
            let waits = cast.does(closer.other(), "wait", "waits");
            write!(out, ": all done; {waits} 2 MSL for stragglers")
        }
        _ => Ok(()),
    }
}

fn write_ending(out: &mut dyn Write, cast: &Cast, ending: Ending) -> fmt::Result {
    match ending {
        Ending::Open => write!(out, "still open"),
        Ending::Unanswered => write!(out, "no answer"),
        Ending::Refused => write!(out, "refused"),
        Ending::Closed(side) => write!(out, "closed by {}", cast.agent(side)),
        Ending::HalfClosed(side) => write!(out, "half closed, by {}", cast.agent(side)),
        Ending::Reset(side) => write!(out, "reset by {}", cast.agent(side)),
    }
}

/// What is said beside packets made by hand.
fn write_beside(out: &mut dyn Write, what: &ByHand<'_>) -> fmt::Result {
    match *what {
        ByHand::Answered(time) => write!(out, "answered after {}", Time(time)),
        ByHand::NoAnswer(time) => write!(out, "no answer within {}", Time(time)),
        ByHand::Meanwhile(packet) => write!(out, "meanwhile: {packet}"),
        ByHand::ResetInTheEnd(packet) => write!(out, "reset in the end: {packet}"),
        ByHand::SlippedIn(packet) => {
            write!(out, "! not ours: this host's kernel slipped in: {packet}")
        }
        ByHand::TagsUnseen => write!(
            out,
            "answers with a VLAN tag are not seen here: send without one on the VLAN's own \
             interface (packet:eth0.5)"
        ),
        ByHand::Guarded => write!(
            out,
            "with this host's own address; its kernel's resets of these connections are held back \
             meanwhile"
        ),
        ByHand::Unguarded(why) => write!(
            out,
            "with this host's own address; its kernel will reset these connections, as nothing \
             can hold it back ({why}). With a free address of the network (--address) there is no \
             such trouble"
        ),
        ByHand::HeldBack(1) => write!(out, "1 reset of this host's kernel was held back"),
        ByHand::HeldBack(count) => {
            write!(out, "{} resets of this host's kernel were held back", Count(count))
        }
    }
}

fn write_rest(out: &mut dyn Write, message: &Message<'_>) -> fmt::Result {
    match *message {
        Message::TimeHeading => write!(out, "time µs"),
        Message::SegmentHeading { absolute: false } => {
            write!(out, "segment (relative; -S absolute)")
        }
        Message::SegmentHeading { absolute: true } => write!(out, "segment (absolute)"),
        Message::KernelHeading => write!(out, "kernel"),
        Message::PeerHeading => write!(out, "peer"),
        Message::Legend => write!(out, "• read, ~ inferred"),
        Message::Folded { packets, bytes: [client, server] } => {
            write!(out, "{} more of data and ACKs: ", Count(packets))?;
            write!(out, "{} from the client, {} from the server", Size(client), Size(server))
        }
        Message::Network { root: true } => write!(out, "private network"),
        Message::Network { root: false } => write!(out, "private network, no root"),
        Message::PacketSocket => write!(out, "packet socket"),
        Message::Tun => write!(out, "TUN"),
        Message::Virtual => write!(out, "virtual time"),
        Message::Seed(seed) => write!(out, "seed {seed}"),
        Message::HandshakeTime(time) => write!(out, "SYN→SYN-ACK {}", Time(time)),
        Message::Bytes { out: sent, r#in } => {
            write!(out, "{} out, {} in", Size(sent), Size(r#in))
        }
        Message::BytesEqual
        | Message::BytesDiffer
        | Message::MovedOut { .. }
        | Message::MovedIn { .. }
        | Message::Repairs { .. }
        | Message::Retransmitted(_)
        | Message::LostOnTheWay(_) => write_transfer(out, message),
        Message::Packets(1) => write!(out, "1 packet"),
        Message::Packets(count) => write!(out, "{} packets", Count(count)),
        Message::Connections(1) => write!(out, "1 connection"),
        Message::Connections(count) => write!(out, "{} connections", Count(count)),
        Message::ConnectionBegins { client, server } => write!(out, "{client} → {server}"),
        Message::Interrupted => write!(out, "interrupted"),
        Message::Next => write!(out, "next"),
        Message::ByHand(ref what) => write_beside(out, what),
        Message::HandHeading => write!(out, "by hand"),
        Message::TriedHeading => write!(out, "tried"),
        Message::TheoryHeading => write!(out, "theory"),
        Message::Verdict { clause, as_said, happened } => {
            write!(out, "{}as {clause} says: ", if as_said { "" } else { "not " })?;
            experiment::happened(out, happened)
        }
        Message::Awaited { what, since, within } => {
            write!(out, "waiting for {what}: {} s of {} s", since.as_secs(), within.as_secs())
        }
        Message::CallUs(socket) => {
            write!(out, "waiting for the peer: have it connect to {socket}")
        }
        Message::Tally { as_said, otherwise } => {
            write!(out, "{} as the RFCs say, {} not", Count(as_said), Count(otherwise))
        }
        Message::Note { .. }
        | Message::Ending(_)
        | Message::Hint(_)
        | Message::Tried(_)
        | Message::Theory(_)
        | Message::Happened(_)
        | Message::Column(_) => Ok(()),
    }
}

/// How a transfer went.
fn write_transfer(out: &mut dyn Write, message: &Message<'_>) -> fmt::Result {
    match *message {
        Message::BytesEqual => write!(out, "every byte as it was sent"),
        Message::BytesDiffer => write!(out, "the bytes differ"),
        Message::MovedOut { bytes, time } => {
            write!(out, "out in {}: {}", Time(time), Rate { bytes, time })
        }
        Message::Repairs { resent, spurious, timeouts } => {
            let again = 100.0 * resent;
            write!(out, "{again:.2} % sent again, {:.2} % for nothing, ", 100.0 * spurious)?;
            match timeouts {
                1 => write!(out, "1 timeout"),
                _ => write!(out, "{} timeouts", Count(timeouts)),
            }
        }
        Message::MovedIn { bytes, time } => {
            write!(out, "in in {}: {}", Time(time), Rate { bytes, time })
        }
        Message::Retransmitted(count) => write!(out, "{} retransmitted", Count(count)),
        Message::LostOnTheWay(count) => write!(out, "{} lost on the way", Count(count)),
        _ => Ok(()),
    }
}

fn hint_text(hint: Hint) -> &'static str {
    match hint {
        Hint::LoseThird => "lose the third handshake packet",
        Hint::LoseSecond => "lose the SYN-ACK",
        Hint::LoseSome => "lose one packet in five",
        Hint::TurnRound => "let the kernel be the client",
        Hint::Bulk => "move 100 MB each way over a bad link and compare it",
        Hint::ClosedPort => "connect where nobody listens",
        Hint::Capture => "keep the packets for Wireshark",
        Hint::Absolute => "show sequence numbers as in the headers",
        Hint::Curl => "let curl talk to our stack",
    }
}
