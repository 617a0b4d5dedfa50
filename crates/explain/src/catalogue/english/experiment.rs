//! What is said of experiments.

use std::fmt::{self, Write};

use super::super::experiment::{Column, Experiment, Happened};
use super::super::findings::Times;
use super::super::{Count, Time};

pub(super) const fn tried(experiment: Experiment) -> &'static str {
    use Experiment as E;
    match experiment {
        E::Handshake => "SYN, SYN-ACK and ACK made by hand, then a request over it",
        E::DataInThird => "the request rides in the third packet itself",
        E::SkipThird => "no bare third packet: a while later the request comes instead",
        E::LateThird => "the data first, and the bare third packet only behind it",
        E::LostThird => "the third packet gets lost, and the client has nothing to say",
        E::LostThirdTalking => "the third packet gets lost, and the client goes on with data",
        E::ClosedPort => "a SYN to a port where nobody listens",
        E::DataInFirst => "a request in the SYN, with no Fast Open",
        E::FastOpen => "a request in the SYN, with a Fast Open cookie",
        E::DataInSecond => "we are the server, and put data into the SYN-ACK",
        E::FakeSynAck => "a SYN-ACK from a port that is closed",
        E::OldDuplicate => "an old duplicate SYN (seq 90) arrives before the new one (seq 100)",
        E::OldDuplicateSynFirst => {
            "an old duplicate SYN, and the new one arrives before the RST that undoes the old"
        }
        E::LostLastAck => "we close first, and never acknowledge the peer's FIN",
        E::HalfOpen => "a SYN, and then silence: the SYN-ACK is never answered",
        E::SynFlood => "SYNs that nobody goes on with fill the queue; then an honest client comes",
        E::SimultaneousOpen => "both ends send a SYN, and the two cross",
        E::HalfClose => "one direction is closed, and the other goes on",
        E::OutOfWindow => "data beyond the window, and data from before it",
        E::BlindReset => {
            "a forged RST: outside the window, inside it, and with exactly the next number"
        }
        E::KeepAliveDeadPeer => "an idle connection with keep-alive, whose client is gone",
    }
}

pub(super) const fn theory(experiment: Experiment) -> &'static str {
    use Experiment as E;
    match experiment {
        E::Handshake => {
            "each end acknowledges the other's ISN + 1; after three packets both are \
             ESTABLISHED, and the request is answered"
        }
        E::DataInThird | E::SkipThird => {
            "any acceptable segment that acknowledges the SYN-ACK opens the connection, and its \
             data is delivered"
        }
        E::LateThird => {
            "the data opens the connection; the late ACK carries an old number and changes nothing"
        }
        E::LostThird => {
            "the server cannot know: its timer sends the SYN-ACK again, and the answer to that \
             opens the connection"
        }
        E::LostThirdTalking => {
            "the first data acknowledges the SYN-ACK just as the lost packet did"
        }
        E::ClosedPort => "a RST with sequence number 0 that acknowledges the SYN",
        E::DataInFirst => {
            "data may come with a SYN, but is not delivered before the connection is open; a \
             receiver may leave it, and then it is sent again"
        }
        E::FastOpen => {
            "a peer that offers Fast Open gives a cookie, and with it takes data in the next SYN \
             and answers before the third packet"
        }
        E::DataInSecond => {
            "data may come with a SYN-ACK; a receiver that does not acknowledge it gets it again"
        }
        E::FakeSynAck
        | E::OldDuplicate
        | E::OldDuplicateSynFirst
        | E::LostLastAck
        | E::HalfOpen
        | E::SynFlood
        | E::SimultaneousOpen
        | E::HalfClose
        | E::OutOfWindow
        | E::BlindReset
        | E::KeepAliveDeadPeer => theory_behind_the_handshake(experiment),
    }
}

const fn theory_behind_the_handshake(experiment: Experiment) -> &'static str {
    use Experiment as E;
    match experiment {
        E::FakeSynAck => {
            "whoever did not ask answers with a RST whose number is what was acknowledged; only a \
             peer in SYN-SENT with just these numbers can be fooled"
        }
        E::OldDuplicate => {
            "the SYN-ACK for the old one acknowledges 91, which the client never sent: it answers \
             RST with seq 91, the server forgets it, and the new SYN opens the connection"
        }
        E::OldDuplicateSynFirst => {
            "the exchange is longer and RSTs may go both ways, but no connection is left open by \
             mistake, and the new SYN opens one when it is sent again"
        }
        E::LostLastAck => {
            "the FIN is sent again after waits that double, some times, and then the peer gives \
             up and forgets the connection"
        }
        E::HalfOpen => {
            "the SYN-ACK is sent again after waits that double from 1 s on (Linux: 1, 2, 4, 8, \
             16, then 32 s to the end: 63 s), and then the half-open connection is forgotten"
        }
        E::SynFlood => {
            "with SYN cookies the SYN-ACK's number holds all that the server has to know, so that \
             it keeps nothing until the ACK brings it back; without them the client is shut out"
        }
        E::SimultaneousOpen => {
            "both go from SYN-SENT to SYN-RECEIVED and on to ESTABLISHED: one connection, not two"
        }
        E::HalfClose => {
            "after a FIN its sender still receives, and the other end still sends; each direction \
             closes by itself"
        }
        E::OutOfWindow => {
            "what is not acceptable is dropped and answered by an ACK with the number that is \
             expected; the connection lives on"
        }
        E::BlindReset => {
            "outside: dropped; inside: a challenge ACK, and the connection lives; exact: it ends"
        }
        E::KeepAliveDeadPeer => {
            "after an idle time come probes with a number that was acknowledged already; when \
             none is answered, the connection ends"
        }
        _ => "",
    }
}

pub(super) fn happened(out: &mut dyn Write, happened: &Happened) -> fmt::Result {
    use Happened as H;
    match happened {
        H::Missed { expected, instead: None } => {
            write!(out, "{expected} was expected, and nothing came")
        }
        H::Missed { expected, instead: Some(instead) } => {
            write!(out, "{expected} was expected; of what came instead, {instead}")
        }
        H::NotSilent { came } => write!(out, "{came} came where nothing should"),
        H::WrongState { expected, found } => {
            write!(out, "the peer should be in {expected}, and is in {found}")
        }
        H::NoBackoff { waits } => {
            write!(out, "the waits do not double: ")?;
            list(out, waits)
        }
        H::SynAckCameAgain { after } => write!(
            out,
            "the SYN-ACK came again after {}, and the answer to it opened the connection",
            Time(*after)
        ),
        H::DuplicateUndoneLater { resets } => {
            match resets {
                0 => write!(out, "no RST came from the peer")?,
                1 => write!(out, "one RST came from the peer as well")?,
                n => write!(out, "{} RSTs came from the peer as well", Count((*n).into()))?,
            }
            write!(out, "; the new SYN, sent again, opened the connection")
        }
        H::FinGivenUp { times, took, reset } => {
            let times = Times((*times).into());
            write!(out, "the FIN came again {times} in {}, then ", Time(*took))?;
            end(out, *reset)
        }
        H::SynAckGivenUp { waits } => {
            write!(out, "the SYN-ACK came again {}, after ", Times(waits.len() as u64))?;
            list(out, waits)?;
            write!(out, "; then the half-open connection was forgotten")
        }
        H::LetInByCookie { syns } => write!(
            out,
            "after {} SYNs the client was let in, and nothing was kept of it before its ACK",
            Count((*syns).into())
        ),
        H::DeadPeerNoticed { idle, probes, reset } => {
            let probes = Count((*probes).into());
            write!(out, "after {} idle, {probes} probes without an answer, then ", Time(*idle))?;
            end(out, *reset)
        }
        plain => out.write_str(plainly(plain)),
    }
}

/// What needs no figures.
const fn plainly(happened: &Happened) -> &'static str {
    use Happened as H;
    match happened {
        H::Answered => "the request was answered: a handshake made by hand is a real connection",
        H::ThirdTaken => "the data in the third packet was delivered and answered",
        H::ThirdSkipped => "the data opened the connection in the third packet's place",
        H::LateThirdIgnored => "the data opened the connection, and the late ACK changed nothing",
        H::Refused => "a RST told that nobody listens",
        H::FirstLeft => {
            "only the SYN was acknowledged; the data was delivered when it came again, once the \
             connection was open"
        }
        H::FirstKept => {
            "the data was acknowledged with the SYN, and delivered once the connection was open"
        }
        H::NoFastOpen => "the peer offers no Fast Open, which is its choice",
        H::FastOpened => "the request in the SYN was answered before the third packet",
        H::FastOpenDeclined => {
            "the peer gave a cookie, but did not take data with it, which is its choice"
        }
        H::SecondTaken => "the data in the SYN-ACK was taken at once",
        H::SecondLeft => {
            "the SYN was acknowledged and the data with it was not; it was taken when it came again"
        }
        H::FakeReset => "the SYN-ACK that nobody asked for was answered by a RST",
        H::FakeBelieved => {
            "who did not ask answered with a RST, and so did a peer in SYN-SENT where the number \
             was wrong; with the right number it was fooled"
        }
        H::DuplicateUndone => "the RST undid the old connection, and the new SYN opened one",
        H::OpenedAtOnce => "the two SYNs made one connection",
        H::HalfClosed => "data still went the other way after each end's FIN",
        H::KeptOut => {
            "both were answered by an ACK with the number expected, and nothing was taken"
        }
        H::ResetByExactOnly => {
            "outside the window it was dropped, inside it drew a challenge ACK, and only the exact \
             number ended the connection"
        }
        _ => "",
    }
}

fn end(out: &mut dyn Write, reset: bool) -> fmt::Result {
    out.write_str(match reset {
        true => "a RST: the connection was given up",
        false => "the connection was given up without a word",
    })
}

fn list(out: &mut dyn Write, times: &[std::time::Duration]) -> fmt::Result {
    for (i, time) in times.iter().enumerate() {
        write!(out, "{}{}", if i == 0 { "" } else { ", " }, Time(*time))?;
    }
    Ok(())
}

pub(super) const fn column(column: Column) -> &'static str {
    match column {
        Column::Name => "experiment",
        Column::Article => "article",
        Column::Clause => "clause",
        Column::Tried => "what is tried",
    }
}
