//! Where a stack of ours is attached.

use std::fmt;
use std::str::FromStr;

/// The link that a user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkName {
    /// A TUN interface, which is made if there is none of this name.
    Tun(String),
    /// A packet socket on this Ethernet interface.
    Packet(String),
    /// A private network.
    Lab,
}

/// A text that names no link.
#[derive(Debug, thiserror::Error)]
#[error("no such kind of link: type tun:NAME, packet:INTERFACE or lab")]
pub(crate) struct NoSuchLink;

impl FromStr for LinkName {
    type Err = NoSuchLink;

    fn from_str(text: &str) -> Result<Self, NoSuchLink> {
        match text.split_once(':') {
            Some(("tun", name)) if !name.is_empty() => Ok(Self::Tun(name.into())),
            Some(("packet", name)) if !name.is_empty() => Ok(Self::Packet(name.into())),
            None if text == "lab" => Ok(Self::Lab),
            _ => Err(NoSuchLink),
        }
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tun(name) => write!(f, "tun:{name}"),
            Self::Packet(name) => write!(f, "packet:{name}"),
            Self::Lab => f.write_str("lab"),
        }
    }
}
