//! What can be found, with the figures that a sentence needs.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::capture::dissect::About as Complaint;
use crate::nanos;
use crate::track::Side;

/// What was found. Durations are as the capture's clock shows them.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Says {
    /// A SYN was answered by a RST.
    Refused {
        /// Who seems to have refused it.
        by: Refuser,
        /// From the SYN to the answer.
        #[serde(rename = "after_ns", serialize_with = "nanos::of")]
        after: Duration,
        /// How many SYNs were sent.
        syns: u64,
    },
    /// No SYN was answered by anything.
    Unanswered {
        /// How many were sent.
        syns: u64,
        /// How long after the one before each was sent.
        #[serde(rename = "waits_ns", serialize_with = "nanos::each")]
        waits: Vec<Duration>,
    },
    /// A SYN was answered only when it had been sent again.
    AnsweredLate {
        /// How many were sent.
        syns: u64,
        /// From the first one to the answer.
        #[serde(rename = "after_ns", serialize_with = "nanos::of")]
        after: Duration,
    },
    /// A SYN-ACK came for which there was no SYN.
    UnaskedSynAck,
    /// The system under the client reset what it knew nothing of.
    KernelReset {
        /// From the SYN-ACK to the RST.
        #[serde(rename = "after_ns", serialize_with = "nanos::of")]
        after: Duration,
    },
    /// The server sent its SYN-ACK again although the client had answered.
    LastAckLost {
        /// How many SYN-ACKs there were.
        syn_acks: u64,
        /// Whether the connection was opened in the end.
        opened: bool,
    },
    /// The client never answered the SYN-ACK.
    HalfOpen {
        /// How many SYN-ACKs there were.
        syn_acks: u64,
    },
    /// A port opened a connection and then showed itself closed.
    ShowsClosed {
        /// From the SYN-ACK to the RST.
        #[serde(rename = "after_ns", serialize_with = "nanos::of")]
        after: Duration,
    },
    /// A connection was ended by a RST.
    Reset {
        /// By whom.
        by: Side,
        /// Bytes that had come for its sender and that it never acknowledged.
        unread: u32,
        /// Whether its sender had closed already.
        closed: bool,
    },
    /// A RST did not come from whom it names.
    ForgedReset {
        /// Whom it names.
        named: Side,
        /// Its time to live.
        ttl: u8,
        /// That of the others of this side.
        usual: u8,
    },
    /// A receiver had no room.
    ZeroWindow {
        /// Who.
        by: Side,
        /// How often.
        times: u64,
        /// For how long at once.
        #[serde(rename = "longest_ns", serialize_with = "nanos::of")]
        longest: Duration,
        /// Whether it never had room again.
        still: bool,
    },
    /// A sender could have sent more than the receiver had room for.
    WindowLimited {
        /// Whose window was too small.
        by: Side,
        /// How often it was full.
        times: u64,
        /// The largest window, in bytes.
        window: u32,
    },
    /// Segments were sent again.
    Loss {
        /// By whom.
        from: Side,
        /// How many.
        resent: u64,
        /// Of how many with data.
        of: u64,
        /// How many of them duplicate ACKs asked for.
        fast: u64,
        /// The longest that one had been waiting.
        #[serde(rename = "longest_ns", serialize_with = "nanos::of")]
        longest: Duration,
    },
    /// Segments were sent again that had arrived.
    Spurious {
        /// By whom.
        from: Side,
        /// How many.
        count: u64,
        /// Of how many that were sent again.
        of: u64,
    },
    /// Packets are in the capture twice.
    Copies {
        /// Whose.
        of: Side,
        /// How many.
        count: u64,
    },
    /// Large segments do not arrive.
    BlackHole {
        /// Whose.
        from: Side,
        /// Their size, in bytes of payload.
        size: u32,
        /// How often one was sent in vain.
        times: u64,
        /// The router that says what it takes, and how many bytes that is.
        told: Option<(IpAddr, u32)>,
    },
    /// One end closed, the other did not.
    HalfClosed {
        /// Who closed.
        by: Side,
        /// For how long the other did not.
        #[serde(rename = "time_ns", serialize_with = "nanos::of")]
        time: Duration,
        /// Whether it did in the end.
        ended: bool,
    },
    /// Nothing but keep-alives.
    KeepAliveOnly {
        /// How many.
        count: u64,
        /// In what time.
        #[serde(rename = "time_ns", serialize_with = "nanos::of")]
        time: Duration,
    },
    /// Something was sent again and again and never acknowledged.
    Unacknowledged {
        /// By whom.
        from: Side,
        /// How many bytes.
        bytes: u32,
        /// Whether a FIN is among them.
        fin: bool,
        /// How often the worst segment was sent again.
        times: u64,
    },
    /// Only one direction was captured.
    Asymmetric {
        /// Whose packets were.
        seen: Side,
    },
    /// Checksums are wrong because the capture was made before the network card filled them in.
    Offloaded {
        /// Of whose packets.
        of: Side,
        /// How many.
        packets: u64,
    },
    /// Packets were damaged.
    Damaged {
        /// Whose.
        of: Side,
        /// How many.
        packets: u64,
    },
    /// What the client offered did not come back.
    OptionsMissing {
        /// Maximum segment size: 536 bytes then, or 1220 of IPv6.
        mss: bool,
        /// Window scale.
        window_scale: bool,
        /// SACK.
        sack: bool,
        /// Timestamps.
        timestamps: bool,
    },
    /// Many SYNs that nobody meant to answer for.
    Flood {
        /// What they were for.
        target: SocketAddr,
        /// How many connections.
        syns: u64,
        /// How many addresses they came from; that many or more.
        sources: u64,
    },
    /// One host tried many ports.
    Scan {
        /// Who.
        source: IpAddr,
        /// How many addresses it tried.
        hosts: u64,
        /// How many ports.
        ports: u64,
        /// How many of them were open.
        open: u64,
    },
    /// A host's initial sequence numbers can be guessed.
    PredictableIsns {
        /// Whose.
        host: IpAddr,
        /// How many were seen.
        samples: u64,
        /// By what each was larger than the one before; zero if they were the same.
        step: u32,
    },
}

/// Who refuses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "who", rename_all = "kebab-case")]
pub enum Refuser {
    /// The host: nobody listens at the port.
    Port,
    /// Something on the path in its name: the TTL is not the host's.
    Path {
        /// The RST's time to live.
        ttl: u8,
        /// The host's.
        usual: u8,
    },
    /// Somebody who says so with ICMP.
    Icmp {
        /// Who.
        from: IpAddr,
        /// What he says.
        about: Complaint,
    },
}
