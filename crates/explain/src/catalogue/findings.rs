//! What findings say, and what to do about them.
//!
//! Another language is another implementation of [`Findings`].

use std::fmt::{self, Write};
use std::time::Duration;

use super::{Count, English, Size, Time};
use crate::capture::dissect::About;
use crate::finding::Says;
use crate::finding::says::Refuser;
use crate::track::Side;

/// A tongue to tell findings in.
pub trait Findings: Sync {
    /// Writes what was found as a sentence, without a full stop.
    ///
    /// # Errors
    /// When `out` fails.
    fn write_finding(&self, out: &mut dyn Write, says: &Says) -> fmt::Result;

    /// Writes what to do about it, in the same way.
    ///
    /// # Errors
    /// When `out` fails.
    fn write_advice(&self, out: &mut dyn Write, says: &Says) -> fmt::Result;

    /// What was found, as a string.
    fn finding(&self, says: &Says) -> String {
        let mut text = String::new();
        // A string takes everything.
        let _ = self.write_finding(&mut text, says);
        text
    }

    /// What to do, as a string.
    fn advice(&self, says: &Says) -> String {
        let mut text = String::new();
        let _ = self.write_advice(&mut text, says);
        text
    }
}

impl Findings for English {
    fn write_finding(&self, out: &mut dyn Write, says: &Says) -> fmt::Result {
        match says {
            Says::Refused { .. }
            | Says::Unanswered { .. }
            | Says::KernelReset { .. }
            | Says::LastAckLost { .. }
            | Says::HalfOpen { .. }
            | Says::ShowsClosed { .. }
            | Says::OptionsMissing { .. } => opening(out, says),
            Says::Reset { .. }
            | Says::ForgedReset { .. }
            | Says::HalfClosed { .. }
            | Says::Unacknowledged { .. } => closing(out, says),
            Says::Flood { .. } | Says::Scan { .. } | Says::PredictableIsns { .. } => {
                several(out, says)
            }
            _ => moving(out, says),
        }
    }

    fn write_advice(&self, out: &mut dyn Write, says: &Says) -> fmt::Result {
        out.write_str(advice(says))
    }
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Client => "the client",
        Side::Server => "the server",
    }
}

const fn other(side: Side) -> &'static str {
    name(side.other())
}

/// `once`, `twice`, `5 times`.
pub(super) struct Times(pub(super) u64);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("once"),
            2 => f.write_str("twice"),
            n => write!(f, "{} times", Count(n)),
        }
    }
}

/// `one SYN`, `5 SYNs`.
struct Many(u64, &'static str);

impl fmt::Display for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => write!(f, "one {}", self.1),
            n => write!(f, "{} {}s", Count(n), self.1),
        }
    }
}

fn opening(out: &mut dyn Write, says: &Says) -> fmt::Result {
    match says {
        Says::Refused { by, after, syns } => refused(out, *by, *after, *syns),
        Says::Unanswered { syns, waits } => {
            write!(out, "nothing answered {}", Many(*syns, "SYN"))?;
            for (i, wait) in waits.iter().enumerate() {
                write!(
                    out,
                    "{}{}",
                    if i == 0 { ", sent again after " } else { ", " },
                    Time(*wait)
                )?;
            }
            Ok(())
        }
        Says::KernelReset { after } => {
            let after = Time(*after);
            write!(
                out,
                "the client's own system reset it {after} after the SYN-ACK: it knows of no "
            )?;
            write!(out, "such connection")
        }
        Says::LastAckLost { syn_acks, opened } => {
            write!(
                out,
                "the server sent its SYN-ACK {} although the client had ",
                Times(*syn_acks)
            )?;
            write!(out, "answered it: the handshake's last ACK was lost behind the capture")?;
            write!(out, "{}", if *opened { "" } else { ", and it never opened" })
        }
        Says::HalfOpen { syn_acks } => {
            write!(out, "the client never answered the SYN-ACK, which came {}", Times(*syn_acks))
        }
        Says::ShowsClosed { after } => {
            let after = Time(*after);
            write!(
                out,
                "the port opened and was closed: a RST came {after} after the SYN-ACK, before "
            )?;
            write!(out, "any data")
        }
        Says::OptionsMissing { window_scale, sack, timestamps } => {
            let missing =
                [(*window_scale, "window scale"), (*sack, "SACK"), (*timestamps, "timestamps")];
            let names: Vec<_> =
                missing.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
            write!(out, "the SYN offered {}, the SYN-ACK does not", names.join(", "))
        }
        _ => Ok(()),
    }
}

fn refused(out: &mut dyn Write, by: Refuser, after: Duration, syns: u64) -> fmt::Result {
    let after = Time(after);
    match by {
        Refuser::Port => {
            write!(out, "refused: a RST came {after} after the SYN, nobody listens there")?;
        }
        Refuser::Path { ttl, usual } => {
            write!(out, "refused {after} after the SYN by something on the path in the server's ")?;
            write!(out, "name: its TTL is {ttl}, the server's {usual}")?;
        }
        Refuser::Icmp { from, about } => {
            let why = match about {
                About::PortUnreachable => "nobody listens there",
                About::Prohibited => "it is forbidden",
                About::TooBig { .. } => "it is too big",
                About::TimeExceeded => "it passed too many routers",
                About::Unreachable | About::Other => "it cannot be reached",
            };
            write!(out, "refused: {from} says by ICMP, {after} after the SYN, that {why}")?;
        }
    }
    match syns {
        1 => Ok(()),
        n => write!(out, "; {}", Many(n, "SYN")),
    }
}

fn closing(out: &mut dyn Write, says: &Says) -> fmt::Result {
    match says {
        Says::Reset { by, unread, closed } => {
            write!(out, "{} reset it", name(*by))?;
            if *closed {
                write!(out, ", having closed before")?;
            }
            match unread {
                0 => Ok(()),
                n => write!(out, ": {} had come that it will never read", Size((*n).into())),
            }
        }
        Says::ForgedReset { named, ttl, usual } => {
            write!(out, "a RST in the name of {} came from somebody else: its TTL ", name(*named))?;
            write!(out, "is {ttl}, theirs {usual}")
        }
        Says::HalfClosed { by, time, ended } => {
            let (who, other, time) = (name(*by), other(*by), Time(*time));
            write!(out, "{who} closed, and {other} did not for {time}")?;
            write!(out, "{}", if *ended { "" } else { ", nor ever as far as was captured" })
        }
        Says::Unacknowledged { from, bytes, fin, times } => {
            let what = if *fin { "the FIN of" } else { "what came from" };
            write!(
                out,
                "{what} {} was never acknowledged: {} are left, ",
                name(*from),
                Size((*bytes).into())
            )?;
            write!(out, "sent again {}", Times(*times))
        }
        _ => Ok(()),
    }
}

fn moving(out: &mut dyn Write, says: &Says) -> fmt::Result {
    match says {
        Says::ZeroWindow { by, times, longest, still } => {
            let (who, longest) = (name(*by), Time(*longest));
            write!(out, "{who} had no room {}, for up to {longest}", Times(*times))?;
            write!(out, "{}", if *still { ", and never again as far as was captured" } else { "" })
        }
        Says::WindowLimited { by, times, window } => {
            write!(out, "{} filled the window of {} {}", other(*by), name(*by), Times(*times))?;
            write!(out, ": {} at most, which limits the speed", Size((*window).into()))
        }
        Says::Loss { from, resent, of, fast, longest } => {
            let percent = 100.0 * *resent as f64 / (*of).max(1) as f64;
            write!(out, "{} sent {} again ", name(*from), Many(*resent, "segment"))?;
            write!(out, "({percent:.1} % of {}), {} because ", Count(*of), Count(*fast))?;
            write!(out, "of duplicate ACKs")?;
            match longest.is_zero() {
                true => Ok(()),
                false => write!(out, ", after up to {}", Time(*longest)),
            }
        }
        Says::Spurious { from, count, of } => {
            write!(
                out,
                "of what {} sent again, {} of {} ",
                name(*from),
                Count(*count),
                Count(*of)
            )?;
            write!(out, "had arrived before")
        }
        Says::Copies { of, count } => {
            write!(out, "{} from {} ", Many(*count, "packet"), name(*of))?;
            write!(out, "were captured twice")
        }
        Says::BlackHole { from, size, times, told } => {
            let size = Size((*size).into());
            write!(out, "segments of {size} from {} do not arrive, smaller ones do", name(*from))?;
            write!(out, "; one was sent again {}", Times(*times))?;
            match told {
                Some((router, 0)) => write!(out, "; {router} says that it is too big"),
                Some((router, mtu)) => write!(out, "; {router} takes {mtu} bytes at most"),
                None => Ok(()),
            }
        }
        Says::KeepAliveOnly { count, time } => {
            write!(out, "nothing but {} in {}", Many(*count, "keep-alive"), Time(*time))
        }
        Says::Asymmetric { seen } => {
            write!(out, "only packets from {} were captured, though it was answered", name(*seen))
        }
        Says::Offloaded { of, packets } => {
            write!(out, "{} from {} ", Many(*packets, "checksum"), name(*of))?;
            write!(out, "are wrong, as on a machine whose network card fills them in")
        }
        Says::Damaged { of, packets } => {
            write!(
                out,
                "{} from {} arrived damaged: wrong checksum",
                Many(*packets, "packet"),
                name(*of)
            )
        }
        _ => Ok(()),
    }
}

fn several(out: &mut dyn Write, says: &Says) -> fmt::Result {
    match says {
        Says::Flood { target, syns, sources } => {
            write!(out, "{} to {target} from {} ", Many(*syns, "SYN"), Many(*sources, "source"))?;
            write!(out, "were not gone on with: a SYN flood, or a server that is gone")
        }
        Says::Scan { source, hosts, ports, open } => {
            write!(out, "{source} tried {} of {}, ", Many(*ports, "port"), Many(*hosts, "host"))?;
            write!(out, "{} answered: a port scan", Count(*open))
        }
        Says::PredictableIsns { host, samples, step } => {
            write!(out, "the ISNs of {host} can be guessed: of {} ", Many(*samples, "connection"))?;
            match step {
                0 => write!(out, "several in a row had the same"),
                step => write!(out, "several in a row went up in steps of {step}"),
            }
        }
        _ => Ok(()),
    }
}

fn advice(says: &Says) -> &'static str {
    match says {
        Says::Refused { by: Refuser::Port, .. } => "see that the server runs and listens there",
        Says::Refused { .. } => "ask who keeps the firewall between them",
        Says::Unanswered { .. } => {
            "see whether the SYNs arrive: a firewall drops them, or the host is gone"
        }
        Says::KernelReset { .. } => {
            "use an address that the system does not own, or keep its RSTs from leaving"
        }
        Says::LastAckLost { .. } => "look for loss from the client to the server",
        Says::HalfOpen { .. } => {
            "see whether the SYN-ACK arrives: another path, a filter, or a forged address"
        }
        Says::ShowsClosed { .. } => {
            "look at the proxy, load balancer or firewall that answers in the server's place"
        }
        Says::Reset { unread: 1.., .. } => {
            "let the program read to the end before it closes: what is unread turns FIN into RST"
        }
        Says::Reset { closed: true, .. } => "nothing, if both had said all they had to",
        Says::Reset { .. } => "look into the log of who reset it, at that time",
        Says::ForgedReset { .. } => "look for the device on the path that ends connections",
        Says::ZeroWindow { .. } => "look why the program there does not read",
        Says::WindowLimited { .. } => {
            "give the receiver a larger buffer, or leave it to the system"
        }
        Says::Loss { .. } => "look for the link that loses: errors, a full queue, a policer",
        Says::Spurious { .. } => {
            "look for delays that jump or for lost ACKs; timestamps and SACK help the sender"
        }
        Says::BlackHole { .. } => {
            "let ICMP through, lower the MTU or clamp the MSS; turn MTU probing on (RFC 4821)"
        }
        Says::HalfClosed { .. } => "see that the other program closes when it reads the end",
        Says::KeepAliveOnly { .. } => "nothing, if it is meant to wait",
        Says::Unacknowledged { .. } => "see whether the other end is still there",
        Says::Asymmetric { .. } => "capture where both directions pass",
        Says::Offloaded { .. } => "nothing: capture elsewhere, or turn offloading off to look",
        Says::Copies { .. } => "nothing: capture in one place, or leave copies out",
        Says::Damaged { .. } => "look for bad cables, memory, or a device that rewrites packets",
        Says::OptionsMissing { .. } => {
            "see whether the server sends them: if so, something on the path takes them away"
        }
        Says::Flood { .. } => "turn SYN cookies on, and filter nearer to the source",
        Says::Scan { .. } => "nothing, if it is yours; else see that what is open is meant to be",
        Says::PredictableIsns { .. } => "update that system: its connections can be forged",
    }
}
