//! What happened, as a ladder: the host under test left, its peer right.

use std::fmt;
use std::time::Duration;

use crate::linux;

/// What a row of the ladder tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A packet that the host received.
    In,
    /// A packet that the host sent.
    Out,
    /// A system call.
    Call,
    /// A shell command.
    Command,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When, counted from the script's start.
    pub at: Duration,
    /// What it was.
    pub kind: Kind,
    /// The state of the socket under test right then, as `tcp_info` numbers it.
    pub state: Option<i64>,
    /// The packet or the call as scripts write it.
    pub text: String,
}

impl Row {
    /// The state's name, as RFC 9293 writes it.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        self.state.map_or("", state_name)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, text) = (self.state_name(), &self.text);
        write!(f, "{:>10.6}  ", self.at.as_secs_f64())?;
        match self.kind {
            Kind::In => write!(f, "{state:<12} ◀── {text}"),
            Kind::Out => write!(f, "{state:<12} ──▶ {text}"),
            Kind::Call => write!(f, "{text}"),
            Kind::Command => write!(f, "`{text}`"),
        }
    }
}

/// The name of a state that `tcp_info` numbers so.
const fn state_name(state: i64) -> &'static str {
    match state {
        linux::TCP_ESTABLISHED => "ESTABLISHED",
        linux::TCP_SYN_SENT => "SYN-SENT",
        linux::TCP_SYN_RECV => "SYN-RECEIVED",
        linux::TCP_FIN_WAIT1 => "FIN-WAIT-1",
        linux::TCP_FIN_WAIT2 => "FIN-WAIT-2",
        linux::TCP_TIME_WAIT => "TIME-WAIT",
        linux::TCP_CLOSE_WAIT => "CLOSE-WAIT",
        linux::TCP_LAST_ACK => "LAST-ACK",
        linux::TCP_LISTEN => "LISTEN",
        linux::TCP_CLOSING => "CLOSING",
        _ => "CLOSED",
    }
}
