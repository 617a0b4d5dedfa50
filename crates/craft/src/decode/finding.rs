//! What is wrong with a packet, or strange.

use std::fmt;
use std::ops::Range;

use handclasp_wire::error::ParseError;
use handclasp_wire::tcp::{Flags, TcpOption, TcpView};

use super::sums::Checksum;
use crate::dissect::Layout;
use crate::field::{Field, Layer};

/// What is wrong with a packet, or strange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It cannot be read further than there.
    Malformed(ParseError),
    /// IPv4's checksum does not fit.
    IpChecksum {
        /// What it is.
        found: u16,
        /// What it should be.
        right: u16,
    },
    /// TCP's checksum does not fit.
    Checksum {
        /// What it is.
        found: u16,
        /// What it should be.
        right: u16,
    },
    /// TCP's checksum was left to a network card.
    Unfinished {
        /// The pseudo header's sum, which stands there.
        found: u16,
        /// What it will be.
        right: u16,
    },
    /// A field is not zero although the flag that gives it a meaning is not set.
    Meaningless {
        /// The field.
        field: Field,
        /// The flag.
        flag: Flags,
    },
    /// Bits that must be zero are not.
    Reserved(Field),
    /// Flags that no honest segment has together.
    Flags(Flags),
    /// A window scale above 14, which is taken as 14 (RFC 7323 §2.3).
    Scale(u8),
    /// An option that belongs on segments with SYN.
    OnlyWithSyn(&'static str),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "{error}"),
            Self::IpChecksum { found, right } => {
                write!(f, "the IP checksum is {found:#06x}, it should be {right:#06x}")
            }
            Self::Checksum { found, right } => {
                write!(f, "the TCP checksum is {found:#06x}, it should be {right:#06x}")
            }
            Self::Unfinished { found, right } => write!(
                f,
                "the TCP checksum {found:#06x} is unfinished: the network card was to make it \
                 {right:#06x}"
            ),
            Self::Meaningless { field, flag } => {
                write!(f, "{} is not zero, but flag {flag} is not set", field.name())
            }
            Self::Reserved(field) => write!(f, "{} is not zero", field.name()),
            Self::Flags(flags) if flags.is_empty() => f.write_str("no flag is set"),
            Self::Flags(flags) => write!(f, "flags {flags} do not go together"),
            Self::Scale(shift) => {
                write!(f, "the window scale is {shift}; 14 is the most, and what is used")
            }
            Self::OnlyWithSyn(option) => write!(f, "{option} stands on a segment without SYN"),
        }
    }
}

impl Finding {
    /// The bytes that it is about.
    #[must_use]
    pub fn bytes(&self, layout: &Layout) -> Range<usize> {
        let field = match self {
            Self::Malformed(error) => return error.offset..error.offset + 1,
            Self::IpChecksum { .. } => Field::IpChecksum,
            Self::Checksum { .. } | Self::Unfinished { .. } => Field::Checksum,
            Self::Meaningless { field, .. } | Self::Reserved(field) => *field,
            Self::Flags(_) => Field::Flags,
            Self::Scale(_) | Self::OnlyWithSyn(_) => {
                let header = layout.header(Layer::Tcp).unwrap_or_default();
                return header.start + Layer::Tcp.fixed_len(layout.family)..header.end;
            }
        };
        let place = field.place(layout.family);
        let header = layout.header(field.layer()).unwrap_or_default();
        let bytes = place.map(|place| place.bytes()).unwrap_or_default();
        header.start + bytes.start..header.start + bytes.end
    }
}

pub(super) fn findings(
    bytes: &[u8],
    layout: &Layout,
    errors: &[ParseError],
    checksum: Option<Checksum>,
) -> Vec<Finding> {
    let mut found: Vec<_> = errors.iter().copied().map(Finding::Malformed).collect();
    let get = |field| layout.get(bytes, field);
    let fit = layout.fit(bytes, Field::IpChecksum);
    if let (Some(is), Some(right)) = (get(Field::IpChecksum), fit)
        && is != right
    {
        found.push(Finding::IpChecksum { found: is as u16, right: right as u16 });
    }
    for field in [Field::ReservedFlag, Field::Reserved] {
        if get(field).is_some_and(|value| value != 0) {
            found.push(Finding::Reserved(field));
        }
    }
    let is = get(Field::Checksum).unwrap_or_default() as u16;
    match checksum {
        Some(Checksum::Wrong { right }) => found.push(Finding::Checksum { found: is, right }),
        Some(Checksum::Unfinished { right }) => {
            found.push(Finding::Unfinished { found: is, right });
        }
        Some(Checksum::Right | Checksum::Unknown(_)) | None => {}
    }
    if let Some(Ok(tcp)) = layout.segment(bytes).map(TcpView::parse) {
        of_tcp(&tcp, &mut found);
        let start = layout.header(Layer::Tcp).unwrap_or_default().start;
        found.extend(tcp.option_error().map(|error| Finding::Malformed(error.behind(start))));
    }
    found
}

fn of_tcp(tcp: &TcpView<'_>, found: &mut Vec<Finding>) {
    let flags = tcp.flags();
    for (field, flag, value) in
        [(Field::Ack, Flags::ACK, tcp.ack().0), (Field::Urgent, Flags::URG, tcp.urgent().into())]
    {
        if value != 0 && !flags.contains(flag) {
            found.push(Finding::Meaningless { field, flag });
        }
    }
    let opens_and_ends = flags & (Flags::SYN | Flags::FIN | Flags::RST);
    if flags.is_empty() {
        found.push(Finding::Flags(flags));
    } else if opens_and_ends.bits().count_ones() > 1 {
        found.push(Finding::Flags(opens_and_ends));
    }
    for option in tcp.options().map_while(Result::ok) {
        if let TcpOption::WindowScale(shift @ 15..) = option {
            found.push(Finding::Scale(shift));
        }
        let name = match option {
            TcpOption::Mss(_) => "mss",
            TcpOption::WindowScale(_) => "wscale",
            TcpOption::SackPermitted => "sackOK",
            _ => continue,
        };
        if !flags.contains(Flags::SYN) {
            found.push(Finding::OnlyWithSyn(name));
        }
    }
}
