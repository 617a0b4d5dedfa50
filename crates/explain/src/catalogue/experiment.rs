//! What experiments try, what theory expects of them, and what came of them.

use std::time::Duration;

use handclasp_tcp::State;

/// An experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Experiment {
    /// Three packets by hand, then a request.
    Handshake,
    /// The request rides in the third packet.
    DataInThird,
    /// There is no third packet, but data a while later.
    SkipThird,
    /// Data first, the bare third packet behind it.
    LateThird,
    /// The third packet gets lost and the client has nothing to say.
    LostThird,
    /// The third packet gets lost and the client goes on with data.
    LostThirdTalking,
    /// A SYN to a port where nobody listens.
    ClosedPort,
    /// Data in the SYN.
    DataInFirst,
    /// Data in the SYN with a Fast Open cookie.
    FastOpen,
    /// Data in the SYN-ACK.
    DataInSecond,
    /// A SYN-ACK that answers nothing.
    FakeSynAck,
    /// An old SYN arrives before the new one.
    OldDuplicate,
    /// The same, where the new SYN overtakes the RST.
    OldDuplicateSynFirst,
    /// The last ACK never comes.
    LostLastAck,
    /// The SYN-ACK is never answered.
    HalfOpen,
    /// A flood of SYNs, and then an honest client.
    SynFlood,
    /// Two SYNs cross.
    SimultaneousOpen,
    /// One direction closes, the other goes on.
    HalfClose,
    /// Data that the window does not cover.
    OutOfWindow,
    /// Somebody else's RST.
    BlindReset,
    /// The peer is gone without a word.
    KeepAliveDeadPeer,
}

/// What came of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// The request was answered: a connection made by hand is one.
    Answered,
    /// The data in the third packet was answered.
    ThirdTaken,
    /// Data opened the connection in the third packet's place.
    ThirdSkipped,
    /// The late third packet changed nothing.
    LateThirdIgnored,
    /// The SYN-ACK came again, and its answer opened the connection.
    SynAckCameAgain {
        /// How long after the first one.
        after: Duration,
    },
    /// A RST told that nobody listens.
    Refused,
    /// The data in the SYN was not acknowledged, and was taken when it came again.
    FirstLeft,
    /// The data in the SYN was acknowledged and kept until the connection was open.
    FirstKept,
    /// The peer offers no Fast Open.
    NoFastOpen,
    /// The request in the SYN was answered before the third packet.
    FastOpened,
    /// The peer gave a cookie and did not take the data with it.
    FastOpenDeclined,
    /// The data in the SYN-ACK was taken.
    SecondTaken,
    /// It was not, and was when it came again.
    SecondLeft,
    /// The SYN-ACK that nobody asked for was answered by a RST.
    FakeReset,
    /// So it was, and one with fitting numbers was believed by a peer in SYN-SENT.
    FakeBelieved,
    /// A RST undid the old connection, and the new one opened.
    DuplicateUndone,
    /// The same by a longer way.
    DuplicateUndoneLater {
        /// RSTs that the peer sent.
        resets: u32,
    },
    /// The FIN was sent again and again, then the connection was given up.
    FinGivenUp {
        /// How often.
        times: u32,
        /// From the first to the last.
        took: Duration,
        /// Whether a RST told so.
        reset: bool,
    },
    /// The SYN-ACK was sent again and again, then the connection was given up.
    SynAckGivenUp {
        /// The waits before each time.
        waits: Vec<Duration>,
    },
    /// An honest client was let in although the queue was full: its SYN-ACK held all there was
    /// to know.
    LetInByCookie {
        /// How many SYNs had filled the queue.
        syns: u32,
    },
    /// Both ends opened at once: one connection, not two.
    OpenedAtOnce,
    /// Data went on in one direction after the other was closed, both ways round.
    HalfClosed,
    /// What lies outside the window was answered by an ACK and went nowhere.
    KeptOut,
    /// Only the exact RST was believed.
    ResetByExactOnly,
    /// Probes without an answer ended the connection.
    DeadPeerNoticed {
        /// How long it was idle before the first.
        idle: Duration,
        /// How many there were.
        probes: u32,
        /// Whether a RST told so.
        reset: bool,
    },
    /// A packet that was expected did not come.
    Missed {
        /// What was expected.
        expected: String,
        /// How what came last instead differs.
        instead: Option<String>,
    },
    /// A packet came where none should.
    NotSilent {
        /// What came.
        came: String,
    },
    /// The peer is in another state than it should be.
    WrongState {
        /// The one it should be in.
        expected: State,
        /// The one it is in.
        found: State,
    },
    /// What was sent again was not sent again with growing waits (RFC 6298 §5.5).
    NoBackoff {
        /// The waits.
        waits: Vec<Duration>,
    },
}

/// A column of the table of experiments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// What to type.
    Name,
    /// Where the articles have it.
    Article,
    /// Where the RFC has it.
    Clause,
    /// What is tried.
    Tried,
}
