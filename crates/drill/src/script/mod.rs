//! The language of packetdrill: what a script says, before anything is run.
//!
//! [`Script::parse`] reads a whole script. What it cannot read it points at: line, column and
//! what should stand there.

mod call;
mod cursor;
mod error;
mod lex;
mod packet;
mod parse;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use handclasp_wire::ip::Ecn;
use handclasp_wire::tcp::Flags;

pub use error::ScriptError;

/// A whole script.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// `--name=value` in front of everything else.
    pub settings: Vec<Setting>,
    /// Run before the first event.
    pub init: Option<Command>,
    /// What happens, in order.
    pub events: Vec<Event>,
    /// Run at the end, whatever came before.
    pub cleanup: Option<Command>,
}

/// An option in the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The line on which it stands.
    pub line: usize,
    /// Its name, without the dashes.
    pub name: String,
    /// What stands behind `=`.
    pub value: Option<String>,
}

/// A shell command between backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The line on which it starts.
    pub line: usize,
    /// The command.
    pub text: String,
}

/// One step of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The line on which it starts.
    pub line: usize,
    /// When it is to happen.
    pub when: When,
    /// What is to happen.
    pub action: Action,
}

/// When an event is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long after the script's start.
    At(Duration),
    /// So long after the event before.
    After(Duration),
    /// At any time.
    Any,
    /// Between two times after the script's start.
    Between(Duration, Duration),
    /// Between two times after the event before.
    AfterBetween(Duration, Duration),
}

/// What an event is.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A packet that the host receives, or is expected to send.
    Packet(Packet),
    /// A system call.
    Call(Call),
    /// A shell command.
    Command(String),
    /// Python, mostly assertions about `tcp_info`.
    Code(String),
}

/// Which way a packet goes, seen from the host under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `<`: the host receives it.
    In,
    /// `>`: the host is to send it.
    Out,
}

/// A packet as the script tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Which way it goes.
    pub direction: Direction,
    /// Headers around it, the outermost first.
    pub around: Vec<Around>,
    /// What is said of its IP header.
    pub ip: IpInfo,
    /// What it carries.
    pub body: Body,
    /// The packet as it stands in the script, in one line.
    pub text: String,
}

/// A header around the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Around {
    /// An IP header, `ipv4 a > b:` or `ipv6 a > b:`.
    Ip(IpAddr, IpAddr),
    /// GRE, MPLS or PSP, which are read and not run: the words as they stand there.
    Other(String),
}

/// What is said of a packet's IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct IpInfo {
    /// The traffic class.
    pub class: Class,
    /// Time to live or hop limit.
    pub ttl: Option<u8>,
    /// IPv6's flow label.
    pub flow_label: Option<u32>,
}

/// What is said of a traffic class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Class {
    /// Nothing.
    #[default]
    Any,
    /// Its ECN bits.
    Ecn(Ecn),
    /// ECT(0) or ECT(1).
    Ect01,
    /// All of it.
    Whole(u8),
}

/// What an IP packet carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A TCP segment.
    Tcp(Segment),
    /// A UDP datagram.
    Udp {
        /// Source and destination port, where they are told.
        ports: Option<(u16, u16)>,
        /// Bytes of payload.
        len: u16,
    },
    /// An ICMP message.
    Icmp(Icmp),
}

/// A TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Source and destination port, where they are told.
    pub ports: Option<(u16, u16)>,
    /// The control bits, those of `ace` left out.
    pub flags: Flags,
    /// AE, CWR and ECE as one number of three bits (RFC 9768 §3.1.1), where it is told.
    pub ace: Option<u8>,
    /// The first sequence number.
    pub seq: u32,
    /// Bytes of payload.
    pub len: u16,
    /// The acknowledgment number.
    pub ack: Option<u32>,
    /// The window field.
    pub window: Option<u16>,
    /// The urgent pointer.
    pub urgent: u16,
    /// The options' bytes; `None` where any will do. SACK's edges are as in the script.
    pub options: Option<Vec<u8>>,
}

/// An ICMP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Its type's name.
    pub kind: String,
    /// Its code's name.
    pub code: Option<String>,
    /// The next hop's MTU.
    pub mtu: Option<u32>,
    /// An echo's identifier.
    pub id: Option<u16>,
    /// The packet that it is about.
    pub about: About,
}

/// Which packet an ICMP message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A segment with this sequence number and so much payload.
    Tcp(u32, u16),
    /// A datagram with so much payload.
    Udp(u16),
    /// So many bytes of nothing in particular.
    Raw(u16),
}

/// A system call and what it is to return.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Where it may block: when it is to return, on the same base as its start.
    pub ends: Option<Duration>,
    /// The function's name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Expr>,
    /// What it is to return.
    pub result: Expr,
    /// The error it is to fail with.
    pub errno: Option<String>,
    /// The call as it stands in the script, in one line.
    pub text: String,
}

/// An argument, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `...`: whatever is needed.
    Any,
    /// A number.
    Int(i64),
    /// A name.
    Word(String),
    /// Bytes between quotation marks.
    Text(Vec<u8>),
    /// `a | b`.
    Or(Box<Expr>, Box<Expr>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `{a, name = b, name(c) = d}`.
    Struct(Vec<Field>),
    /// `name(a, b)`.
    Call(String, Vec<Expr>),
    /// An address.
    Address(IpAddr),
}

/// A member of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// What stands in parentheses behind the name.
    pub argument: Option<Expr>,
    /// Its value.
    pub value: Expr,
}

impl Expr {
    /// The member of a struct with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find(|field| field.name.as_deref() == Some(name)).map(|field| &field.value)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list(f: &mut fmt::Formatter<'_>, items: &[Expr]) -> fmt::Result {
            items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| write!(f, "{}{item}", if i > 0 { ", " } else { "" }))
        }
        match self {
            Self::Any => f.write_str("..."),
            Self::Int(n) => write!(f, "{n}"),
            Self::Word(word) => f.write_str(word),
            Self::Text(text) => write!(f, "{:?}", String::from_utf8_lossy(text)),
            Self::Or(a, b) => write!(f, "{a}|{b}"),
            Self::List(items) => {
                f.write_str("[")?;
                list(f, items)?;
                f.write_str("]")
            }
            Self::Struct(fields) => {
                f.write_str("{")?;
                for (i, field) in fields.iter().enumerate() {
                    f.write_str(if i > 0 { ", " } else { "" })?;
                    if let Some(name) = &field.name {
                        f.write_str(name)?;
                        if let Some(argument) = &field.argument {
                            write!(f, "({argument})")?;
                        }
                        f.write_str("=")?;
                    }
                    write!(f, "{}", field.value)?;
                }
                f.write_str("}")
            }
            Self::Call(name, arguments) => {
                write!(f, "{name}(")?;
                list(f, arguments)?;
                f.write_str(")")
            }
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
