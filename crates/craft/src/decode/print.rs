//! A packet taken apart, as a table.

use std::fmt;

use super::{Checksum, Decoded, Flow, Item, Side, Value};
use crate::field::{Field, Kind};

/// Of longer bytes and texts only so much is printed.
const MOST: usize = 40;

/// A line for each field — its bytes, what stands there, its name, its value and what that
/// means — then a line for each finding, and for each thing that cannot be known.
impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut layer = "";
        for item in &self.items {
            if item.layer != layer {
                layer = item.layer;
                writeln!(f, "{layer}")?;
            }
            writeln!(f, "{item}")?;
        }
        for finding in &self.findings {
            writeln!(f, "! {finding}")?;
        }
        for unknown in &self.unknown {
            writeln!(f, "? {unknown}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.bytes.end.saturating_sub(1);
        let place = match last == self.bytes.start {
            true => last.to_string(),
            false => format!("{}-{last}", self.bytes.start),
        };
        let hex = Field::named(&self.name).is_some_and(|field| field.kind() == Kind::Hex);
        let value = match &self.value {
            Value::Number(_) if hex => String::new(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => cut(text),
        };
        let told = match (value.as_str(), self.meaning.as_str()) {
            (value, "") => value.to_owned(),
            ("", meaning) => format!("· {meaning}"),
            (value, meaning) => format!("{value} · {meaning}"),
        };
        let (raw, name) = (cut(&self.raw), &self.name);
        let line = format!("  {place:<7} {raw:<12} {name:<15} {told}");
        f.write_str(line.trim_end())
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Who the ends are, a line for each segment, and what the checksums say together.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.ends;
        if self.client_known {
            writeln!(f, "{a} is the client, {b} the server")?;
        } else {
            writeln!(f, "{a} and {b}; no SYN tells who is the client")?;
        }
        let names = self.names();
        for (isn, name) in self.isns.iter().zip(names) {
            match isn {
                Some(isn) if isn.certain => {
                    writeln!(f, "the {name}'s numbers count from its SYN, {}", isn.number)?;
                }
                Some(isn) => {
                    writeln!(f, "the {name}'s SYN is not there: they count from {}", isn.number)?;
                }
                None => {}
            }
        }
        for segment in &self.segments {
            let arrow = if segment.from == Side::A { ">" } else { "<" };
            write!(f, "{:>3} {arrow} [{}] seq {}", segment.packet + 1, segment.flags, segment.seq)?;
            if let Some(ack) = segment.ack {
                write!(f, " ack {ack}")?;
            }
            if segment.len > 0 {
                write!(f, " len {}", segment.len)?;
            }
            writeln!(f, " · window {} · checksum {}", segment.window, segment.checksum)?;
        }
        if let Some(sum) = self.address_sum {
            writeln!(f, "the addresses are not there; by the checksums they add up to {sum:#06x}")?;
        }
        for (side, name) in [Side::A, Side::B].into_iter().zip(names) {
            let sent = self.segments.iter().filter(|segment| segment.from == side);
            let sums: Vec<_> = sent.map(|segment| segment.checksum).collect();
            let unfinished = |sum: &_| matches!(sum, Checksum::Unfinished { .. });
            if sums.is_empty() {
                continue;
            } else if sums.iter().all(|sum| *sum == Checksum::Right) {
                writeln!(f, "the {name}'s checksums verify")?;
            } else if sums.iter().all(unfinished) {
                writeln!(
                    f,
                    "the {name}'s checksums are unfinished: its network card adds the rest"
                )?;
            }
        }
        Ok(())
    }
}

impl Flow {
    /// What the ends are called.
    pub(super) const fn names(&self) -> [&'static str; 2] {
        if self.client_known { ["client", "server"] } else { ["first", "second"] }
    }
}
