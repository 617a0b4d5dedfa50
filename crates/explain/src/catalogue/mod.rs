//! Every sentence that Handclasp says to a person, as a typed message with its parameters.
//!
//! A language is one file that implements [`Language`]; the compiler tells it which messages it
//! does not have yet. What is no sentence is not here: states, flags, field names and commands
//! are the same in every language.

mod chinese;
mod english;
pub mod experiment;
pub mod findings;
pub mod quantity;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::track::Side;
use crate::track::note::Note;
use crate::track::summary::Ending;

use experiment::{Column, Experiment, Happened};

pub use chinese::Chinese;
pub use english::English;
pub use quantity::{Count, Rate, Size, Time};

/// A tongue to say messages in.
pub trait Language: Sync {
    /// Writes `message` as a sentence, without a full stop.
    ///
    /// # Errors
    ///
    /// When `out` fails.
    fn write(&self, out: &mut dyn fmt::Write, cast: &Cast, message: &Message<'_>) -> fmt::Result;

    /// The sentence as a string.
    fn say(&self, cast: &Cast, message: &Message<'_>) -> String {
        let mut text = String::new();
        // A string takes everything.
        let _ = self.write(&mut text, cast, message);
        text
    }
}

/// Who the ends of a connection are to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cast {
    /// The end that is ours, of which a sentence says "we"; none in a capture.
    pub ours: Option<Side>,
}

/// What is to be said beside packets that are made by hand. With the host's own address, its
/// kernel knows nothing of their connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByHand<'a> {
    /// The answer came after so long.
    Answered(Duration),
    /// None came in so long.
    NoAnswer(Duration),
    /// Something else of the connection came: this packet.
    Meanwhile(&'a str),
    /// What was open is reset in the end: by this packet.
    ResetInTheEnd(&'a str),
    /// The host's kernel is kept from resetting the connections.
    Guarded,
    /// Nothing keeps it from that, for this reason.
    Unguarded(&'a str),
    /// It sent this packet, and not we.
    SlippedIn(&'a str),
    /// So many of its resets were held back.
    HeldBack(u64),
    /// Answers with a VLAN tag are not seen.
    TagsUnseen,
}

/// What can be said.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// Heading of the column of times, which are in microseconds.
    TimeHeading,
    /// Heading of the column of segments.
    SegmentHeading {
        /// Whether its numbers are as in the headers.
        absolute: bool,
    },
    /// Heading of the states of the kernel, where it is the other end.
    KernelHeading,
    /// Heading of the states of an unknown other end.
    PeerHeading,
    /// What the marks behind states mean.
    Legend,
    /// What a packet means.
    Note {
        /// Who sent the packet.
        from: Side,
        /// What it means.
        note: &'a Note,
    },
    /// So many packets of plain data and acknowledgments are not shown.
    Folded {
        /// How many.
        packets: u64,
        /// Bytes of payload in them, from the client and from the server.
        bytes: [u64; 2],
    },
    /// A private network was made.
    Network {
        /// Whether by root.
        root: bool,
    },
    /// The connection goes over a packet socket.
    PacketSocket,
    /// The connection goes over a TUN interface.
    Tun,
    /// Both ends live in virtual time.
    Virtual,
    /// Random choices come from this seed.
    Seed(u64),
    /// How long it took from the SYN to the SYN-ACK.
    HandshakeTime(Duration),
    /// Bytes of payload in both directions, as our side sees it, or the client.
    Bytes {
        /// Sent.
        out: u64,
        /// Received.
        r#in: u64,
    },
    /// A hash told that all the bytes arrived as they were sent.
    BytesEqual,
    /// A hash told that bytes were altered, lost or doubled.
    BytesDiffer,
    /// How fast payload was sent.
    MovedOut {
        /// Bytes of payload.
        bytes: u64,
        /// In this time.
        time: Duration,
    },
    /// What it took to send it over a bad path.
    Repairs {
        /// The share of bytes that were sent again, 0 to 1.
        resent: f64,
        /// The share of segments that were sent again for nothing, as far as is known.
        spurious: f64,
        /// How often the retransmission timer fired.
        timeouts: u64,
    },
    /// How fast payload was received.
    MovedIn {
        /// Bytes of payload.
        bytes: u64,
        /// In this time.
        time: Duration,
    },
    /// Packets sent again.
    Retransmitted(u64),
    /// Packets that the link lost or damaged.
    LostOnTheWay(u64),
    /// How the connection ended.
    Ending(Ending),
    /// Packets of the connection.
    Packets(u64),
    /// Connections that were seen.
    Connections(u64),
    /// A connection begins.
    ConnectionBegins {
        /// Who opens it.
        client: SocketAddr,
        /// To whom.
        server: SocketAddr,
    },
    /// The user stopped it.
    Interrupted,
    /// Something beside packets that are made by hand.
    ByHand(ByHand<'a>),
    /// Heading of the states of packets made by hand.
    HandHeading,
    /// Heading of what an experiment tries.
    TriedHeading,
    /// What an experiment tries.
    Tried(Experiment),
    /// Heading of what theory expects.
    TheoryHeading,
    /// What theory expects of an experiment.
    Theory(Experiment),
    /// What came of an experiment.
    Happened(&'a Happened),
    /// What came of an experiment, and whether that is what the document says.
    Verdict {
        /// Which, and where in it: `RFC 9293 §3.5`.
        clause: &'a str,
        /// Whether it is.
        as_said: bool,
        /// What came.
        happened: &'a Happened,
    },
    /// How long a packet has been awaited.
    Awaited {
        /// What.
        what: &'a str,
        /// So long.
        since: Duration,
        /// Of this time at most.
        within: Duration,
    },
    /// The peer is to be made to connect to us.
    CallUs(SocketAddr),
    /// How many experiments came out as the RFCs say, and how many did not.
    Tally {
        /// As they say.
        as_said: u64,
        /// Otherwise.
        otherwise: u64,
    },
    /// Heading of a column in the table of experiments.
    Column(Column),
    /// Heading of the commands to try next.
    Next,
    /// What a suggested command shows.
    Hint(Hint),
}

/// What a suggested command shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// The third handshake packet gets lost.
    LoseThird,
    /// The SYN-ACK gets lost.
    LoseSecond,
    /// Some packets get lost at random.
    LoseSome,
    /// The kernel is the client.
    TurnRound,
    /// Bulk data, compared.
    Bulk,
    /// Nobody listens.
    ClosedPort,
    /// A capture is written.
    Capture,
    /// Sequence numbers as in the headers.
    Absolute,
    /// A well-known program does the same.
    Curl,
}
