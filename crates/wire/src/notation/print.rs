//! Printing.

use core::fmt;

use super::{Base, LETTERS, NO_FLAGS, Segment};
use crate::tcp::header::Flags;
use crate::tcp::options::{AccEcn, AccEcnOrder};
use crate::tcp::options::{FastOpen, Timestamps};
use crate::tcp::raw::{OptionIter, TcpOption};

/// The letters, `S.` for SYN and ACK; `none` if no flag is set.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str(NO_FLAGS);
        }
        LETTERS
            .iter()
            .filter(|(flag, _)| self.contains(*flag))
            .try_for_each(|(_, c)| write!(f, "{c}"))
    }
}

impl Segment {
    /// The line, with numbers counted from `base`.
    #[must_use]
    pub const fn display(&self, base: Base) -> SegmentText<'_> {
        SegmentText { segment: self, base }
    }
}

/// A segment that prints itself as a line.
#[derive(Clone, Copy, Debug)]
pub struct SegmentText<'a> {
    segment: &'a Segment,
    base: Base,
}

impl fmt::Display for SegmentText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, base } = self;
        let Segment { flags, seq, ack, window, urgent, options, len } = segment;
        write!(f, "[{flags}] seq {}", *seq - base.seq)?;
        // The base is no part of a field that has no meaning.
        match (flags.contains(Flags::ACK), ack.0) {
            (true, _) => write!(f, " ack {}", *ack - base.ack)?,
            (false, 0) => {}
            (false, raw) => write!(f, " ack {raw}")?,
        }
        write!(f, " win {window}")?;
        if flags.contains(Flags::URG) || *urgent != 0 {
            write!(f, " urg {urgent}")?;
        }
        if !options.is_empty() {
            write!(f, " <{}>", OptionList::new(options, *base))?;
        }
        if *len > 0 {
            write!(f, " len {len}")?;
        }
        Ok(())
    }
}

/// A header's bytes of options that print themselves by their names, separated by commas. What
/// it prints tells every byte: [`read_options`](super::read_options) gives them back.
#[derive(Clone, Copy, Debug)]
pub struct OptionList<'a> {
    bytes: &'a [u8],
    base: Base,
}

impl<'a> OptionList<'a> {
    /// The list of these options, with SACK's blocks counted from `base`.
    #[must_use]
    pub const fn new(bytes: &'a [u8], base: Base) -> Self {
        Self { bytes, base }
    }
}

impl fmt::Display for OptionList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut read = 0;
        for option in OptionIter::new(self.bytes, 0) {
            if read > 0 {
                f.write_str(", ")?;
            }
            if let Ok(option) = option {
                write!(f, "{}", option.display(self.base))?;
                read += option.emitted_len();
            } else {
                write!(f, "bad {}", Hex(self.bytes.get(read..).unwrap_or_default()))?;
            }
        }
        Ok(())
    }
}

impl<'a> TcpOption<'a> {
    /// The option by its name, with SACK's blocks counted from `base`.
    #[must_use]
    pub const fn display(self, base: Base) -> OptionText<'a> {
        OptionText { option: self, base }
    }
}

/// An option that prints itself by its name.
#[derive(Clone, Copy, Debug)]
pub struct OptionText<'a> {
    option: TcpOption<'a>,
    base: Base,
}

impl fmt::Display for OptionText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.option {
            TcpOption::EndOfList { padding } => named(f, "eol", padding),
            TcpOption::Nop => f.write_str("nop"),
            TcpOption::Mss(mss) => write!(f, "mss {mss}"),
            TcpOption::WindowScale(shift) => write!(f, "wscale {shift}"),
            TcpOption::SackPermitted => f.write_str("sackOK"),
            TcpOption::Sack(blocks) => {
                write!(f, "sack {}{}", blocks.len(), if blocks.is_empty() { "" } else { " " })?;
                blocks.as_slice().iter().try_for_each(|block| {
                    let (left, right) = (block.left - self.base.ack, block.right - self.base.ack);
                    write!(f, "{{{left}:{right}}}")
                })
            }
            TcpOption::Timestamps(Timestamps { value, echo }) => {
                write!(f, "TS val {value} ecr {echo}")
            }
            TcpOption::FastOpen(fast_open) => print_fast_open(f, fast_open),
            TcpOption::UserTimeout(raw) => write!(f, "uto {raw:#06x}"),
            TcpOption::AccEcn(AccEcn { order, counters }) => {
                f.write_str(match order {
                    AccEcnOrder::Ect0First => "accecn0",
                    AccEcnOrder::Ect1First => "accecn1",
                })?;
                counters.iter().map_while(|c| *c).try_for_each(|counter| write!(f, " {counter}"))
            }
            TcpOption::Md5(data) => named(f, "md5", data),
            TcpOption::Ao(data) => named(f, "ao", data),
            TcpOption::Mptcp(data) => named(f, "mptcp", data),
            TcpOption::Unknown { kind, data } => {
                write!(f, "unknown-{kind}")?;
                named(f, "", data)
            }
        }
    }
}

fn print_fast_open(f: &mut fmt::Formatter<'_>, fast_open: &FastOpen) -> fmt::Result {
    f.write_str(if fast_open.experimental { "exp-tfo" } else { "tfo" })?;
    match fast_open.as_slice() {
        [] => f.write_str(" cookiereq"),
        cookie => write!(f, " cookie {}", Hex(cookie)),
    }
}

/// A name and, if there is any, data in hex.
fn named(f: &mut fmt::Formatter<'_>, name: &str, data: &[u8]) -> fmt::Result {
    f.write_str(name)?;
    if data.is_empty() { Ok(()) } else { write!(f, " {}", Hex(data)) }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
