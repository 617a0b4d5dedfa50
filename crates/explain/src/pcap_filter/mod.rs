//! Which packets to capture: pcap-filter's language, compiled to classic BPF.
//!
//! ```
//! use handclasp_explain::capture::link::LinkType;
//! use handclasp_explain::pcap_filter::{PcapFilter, Target};
//! use handclasp_wire::bpf;
//!
//! let filter = PcapFilter::parse("tcp[tcpflags] & (tcp-syn|tcp-ack) != 0").unwrap();
//! let target = Target { link: LinkType::ETHERNET, live: false, snap_len: 65_535 };
//! let program = filter.compile(&target).unwrap();
//! assert_eq!(bpf::run(&program, &bpf::Seen::default()), 0);
//!
//! let error = PcapFilter::parse("tcp port htpp").unwrap_err();
//! assert_eq!(error.to_string(), "no port has the name htpp; type its number");
//! assert_eq!(error.span, 9..13);
//! ```
//!
//! It is the language's common part: `host`, `net`, `port`, `portrange`, `proto`, `src`, `dst`,
//! `ether`, `ip`, `ip6`, `arp`, `rarp`, `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `vlan`,
//! `broadcast`, `multicast`, `inbound`, `outbound`, `less`, `greater`, and comparisons of
//! packet bytes. Names of hosts are not looked up. `docs/capture.md` has what differs.

mod assemble;
mod condition;
mod lex;
mod names;
mod parse;
mod value;

use std::fmt;
use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};

use handclasp_wire::bpf::Instruction;
use handclasp_wire::ethernet::MacAddr;

use crate::capture::link::LinkType;

/// A capture filter.
#[derive(Clone, Debug)]
pub struct PcapFilter {
    test: Option<Test>,
}

/// What a filter is compiled for.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What packets begin with: Ethernet or raw IP.
    pub link: LinkType,
    /// Whether a kernel runs it, which takes VLAN tags out of frames and knows which way a
    /// packet goes.
    pub live: bool,
    /// How many bytes of a packet are wanted.
    pub snap_len: u32,
}

/// Why a filter could not be read or compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcapFilterError {
    /// The bytes of the filter that are at fault.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub cause: Cause,
}

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Something else was expected.
    Expected(&'static str),
    /// No port has this name.
    UnknownPort(String),
    /// Names of hosts are not looked up.
    HostName(String),
    /// A word that is none of the language's.
    UnknownWord(String, &'static str),
    /// Bits behind a network's mask are set.
    BitsBehindMask,
    /// A range that ends before it begins.
    EmptyRange,
    /// Division by zero.
    Zero,
    /// Parentheses are nested deeper than anybody writes.
    TooDeep,
    /// Only a kernel knows this of a packet.
    OnlyLive(&'static str),
    /// The link has no such header.
    NotOnThisLink,
    /// Kernels take no program as long as that.
    TooLong,
}

impl fmt::Display for PcapFilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Expected(what) => write!(f, "{what} is expected here"),
            Cause::UnknownPort(name) => {
                write!(f, "no port has the name {name}; type its number")
            }
            Cause::HostName(name) => {
                write!(f, "{name} is no address; names are not looked up, type the address")
            }
            Cause::UnknownWord(word, nearest) => {
                write!(f, "capture filters have no word {word}; is it {nearest}?")
            }
            Cause::BitsBehindMask => f.write_str("bits behind the mask are set"),
            Cause::EmptyRange => f.write_str("the range ends before it begins"),
            Cause::Zero => f.write_str("division by zero"),
            Cause::TooDeep => f.write_str("too many parentheses"),
            Cause::OnlyLive(word) => write!(f, "{word} is known of live packets only"),
            Cause::NotOnThisLink => f.write_str("packets of this interface have no such header"),
            Cause::TooLong => f.write_str("the filter is too long for the kernel"),
        }
    }
}

impl PcapFilterError {
    /// The filter, and under it a line that marks the fault. Tabs and characters of other widths
    /// than one count as one column.
    #[must_use]
    pub fn under(&self, text: &str) -> String {
        crate::filter::underlined(text, &self.span)
    }
}

impl std::error::Error for PcapFilterError {}

type Result<T> = std::result::Result<T, PcapFilterError>;

impl PcapFilter {
    /// Reads a filter; an empty one lets everything pass.
    ///
    /// # Errors
    /// If it is not in the language.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { test: parse::filter(text)? })
    }

    /// The program that returns how many bytes of a packet are wanted, zero for those that do
    /// not pass.
    ///
    /// # Errors
    /// If it asks for what the target has not.
    pub fn compile(&self, target: &Target) -> Result<Vec<Instruction>> {
        let condition = match &self.test {
            Some(test) => condition::Scope::new(target).test(test)?,
            None => condition::Condition::Always,
        };
        assemble::program(&condition, target.snap_len)
    }
}

/// A filter as it was written.
#[derive(Clone, Debug)]
enum Test {
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
    Is(Primitive, Range<usize>),
}

/// What is asked of a packet.
#[derive(Clone, Debug)]
enum Primitive {
    /// A header is there.
    Protocol(Protocol),
    /// IP's protocol number; of one version only, or of both.
    Number(Option<Family>, u8),
    EtherType(u16),
    EtherHost(Way, MacAddr),
    /// An address's first bits; by default in ARP too.
    Net(Option<Protocol>, Way, IpAddr, u8),
    Port(Option<Protocol>, Way, RangeInclusive<u16>),
    Vlan(Option<u16>),
    Broadcast,
    Multicast(Option<Family>),
    Outgoing(bool),
    Compare(Value, Relation, Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Ether,
    Ip,
    Ip6,
    Arp,
    Rarp,
    Tcp,
    Udp,
    Sctp,
    Icmp,
    Icmp6,
}

/// Which end is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Src,
    Dst,
    Either,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A number worked out from a packet.
#[derive(Clone, Debug)]
enum Value {
    Constant(u32),
    Length,
    /// This many bytes of a header, from this one on.
    Bytes(Protocol, Box<Value>, u8),
    /// Two values, and an operation by its BPF code.
    Both(Box<Value>, u16, Box<Value>),
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
