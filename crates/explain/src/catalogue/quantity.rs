//! Quantities with their units, three figures of each.

use std::fmt;
use std::time::Duration;

/// A length of time: `41 µs`, `1.04 s`.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Duration);

/// Bytes: `78 B`, `1.45 kB`, `105 MB`.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

/// A number: `12`, `12,345`.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

/// Bytes in a time, told in bits: `9.41 Gbit/s`.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many bytes.
    pub bytes: u64,
    /// In which time.
    pub time: Duration,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0.as_nanos() as f64, &["ns", "µs", "ms", "s"])
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0 as f64, &["B", "kB", "MB", "GB", "TB"])
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.bytes as f64 * 8.0 / self.time.as_secs_f64().max(1e-9);
        scaled(f, bits, &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (i, digit) in digits.char_indices() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Three figures, in the first of these units, each a thousand of the one before, that makes
/// them less than 1,000; or in the last.
fn scaled(f: &mut fmt::Formatter<'_>, mut value: f64, units: &[&str]) -> fmt::Result {
    let mut units = units.iter().peekable();
    while let Some(unit) = units.next() {
        if value < 999.5 || units.peek().is_none() {
            return three_figures(f, value, unit);
        }
        value /= 1e3;
    }
    Ok(())
}

fn three_figures(f: &mut fmt::Formatter<'_>, value: f64, unit: &str) -> fmt::Result {
    let places = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.places$}");
    // 41 µs, not 41.0 µs: a measured whole number has no more figures to show.
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    write!(f, "{text} {unit}")
}

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;
