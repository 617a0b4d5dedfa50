//! What a proof says of itself.
//!
//! Another language is another implementation of [`Proofs`].

use std::fmt::{self, Write};

use super::English;

/// What can be said of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofSays {
    /// The property of handshakes, and that it is broken by this run.
    HandshakeBroken {
        /// Packets of the handshake.
        ways: u8,
    },
    /// It holds.
    HandshakeHolds {
        /// Packets of the handshake.
        ways: u8,
        /// Different states explored.
        states: usize,
    },
    /// Who sends the last packet does not know whether it arrives, and never will.
    LastWord {
        /// Packets of the handshake.
        ways: u8,
        /// The server sends the last one.
        by_server: bool,
    },
    /// Heading of the table of what each end knows.
    KnowledgeHeading,
    /// An old duplicate: a packet of an earlier incarnation.
    OldDuplicate,
    /// A copy of a packet that arrives again later.
    Copy,
    /// A forged packet.
    Forged,
    /// A timer fires.
    Timer,
    /// A program connects.
    Connects,
    /// It writes what is quoted behind this.
    Writes,
    /// It has no more to write.
    Closes,
    /// It ends its connection with a RST.
    Aborts,
    /// A program read all there was.
    ReadAll,
    /// Every law held in every state of a scene.
    LawsHold {
        /// Different states explored.
        states: usize,
        /// Transitions tried.
        transitions: usize,
        /// Steps of the longest run.
        depth: usize,
    },
    /// A law was broken by this run.
    LawBroken {
        /// The law.
        law: LawName,
        /// Steps of the run.
        steps: usize,
    },
}

/// A law of the stack's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LawName {
    /// What is read.
    Stream,
    /// Initial sequence numbers.
    Numbers,
    /// The end of reading.
    Whole,
    /// No failure.
    Unharmed,
    /// Progress.
    Rest {
        /// In so many steps.
        steps: usize,
    },
}

/// A tongue to tell proofs in.
pub trait Proofs: Sync {
    /// Writes `says` as a sentence, without a full stop.
    ///
    /// # Errors
    /// When `out` fails.
    fn write_proof(&self, out: &mut dyn Write, says: ProofSays) -> fmt::Result;

    /// The sentence as a string.
    fn proof(&self, says: ProofSays) -> String {
        let mut text = String::new();
        // A string takes everything.
        let _ = self.write_proof(&mut text, says);
        text
    }
}

impl Proofs for English {
    fn write_proof(&self, out: &mut dyn Write, says: ProofSays) -> fmt::Result {
        use ProofSays as P;
        out.write_str(match says {
            P::HandshakeBroken { ways } => return out.write_str(broken(ways)),
            P::HandshakeHolds { ways, states } => {
                return write!(
                    out,
                    "{ways} packets: nothing goes wrong in {states} states. Whoever counts the \
                     connection as open has the other's number, and the other has its own",
                );
            }
            P::LastWord { ways, by_server } => {
                let who = if by_server { "the server" } else { "the client" };
                let vain = if ways > 3 { "; packet 4 and later bought no certainty" } else { "" };
                return write!(
                    out,
                    "who sends the last packet, {who}, cannot know that it arrived: this run \
                     looks to it like one where it did{vain}",
                );
            }
            P::KnowledgeHeading => {
                "what each end knows after each packet: true in every state that looks the same \
                 to it"
            }
            P::OldDuplicate => "old duplicate",
            P::Copy => "a copy; it comes again",
            P::Forged => "forged",
            P::Timer => "timer",
            P::Connects => "connects",
            P::Writes => "writes",
            P::Closes => "closes",
            P::Aborts => "aborts",
            P::ReadAll => "read all",
            P::LawsHold { states, transitions, depth } => {
                return write!(
                    out,
                    "every law holds in all {states} states of runs of up to {depth} steps, \
                     {transitions} transitions",
                );
            }
            P::LawBroken { law, steps } => {
                out.write_str(law_text(law))?;
                if let LawName::Rest { steps } = law {
                    write!(out, " {steps} steps")?;
                }
                return write!(out, ": broken after {steps} steps");
            }
        })
    }
}

const fn broken(ways: u8) -> &'static str {
    match ways {
        0 => {
            "0 packets: nobody knows anybody. An end that counts the connection as open has no \
             number of the other's, and no sign that it exists"
        }
        1 => {
            "1 packet: the client is alone. It counts the connection as open, whether or not \
             anybody heard it"
        }
        _ => {
            "2 packets: the delayed duplicate of an old SYN opens a dead connection. The server \
             counts it as open, and the client knows nothing of it"
        }
    }
}

const fn law_text(law: LawName) -> &'static str {
    match law {
        LawName::Stream => "nobody reads what was not written, twice, or out of order",
        LawName::Numbers => "two ends that believe they are connected have the same numbers",
        LawName::Whole => "who reads to the end has read everything",
        LawName::Unharmed => "no connection fails unless an end wants it to",
        LawName::Rest { .. } => "unharmed from here, everything comes to rest within",
    }
}
