//! Times, rates, sizes and probabilities as people type them: `10ms`, `100mbit`, `64KiB`, `1%`.
//!
//! Numbers may have a fraction, and units are read in either case. What could mean two things
//! is refused, and the error says what to type.

use alloc::string::String;
use core::fmt;
use core::num::NonZeroU64;
use core::time::Duration;

/// A text that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    text: String,
    problem: Problem,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    NoNumber,
    NoUnit,
    UnknownUnit,
    TooLarge,
    Zero,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Time,
    Probability,
    Rate,
    Size,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Probability => "probability",
            Self::Rate => "rate",
            Self::Size => "size",
        }
    }

    const fn examples(self) -> &'static str {
        match self {
            Self::Time => "10ms, 1.5s or 200us",
            Self::Probability => "1% or 0.5%",
            Self::Rate => "100mbit, 1gbit or 64kbit",
            Self::Size => "1500, 64KiB or 100MB",
        }
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, problem, kind } = self;
        let (name, examples) = (kind.name(), kind.examples());
        match problem {
            Problem::NoNumber => write!(f, "`{text}` does not start with a number")?,
            Problem::NoUnit => write!(f, "`{text}` has no unit")?,
            Problem::UnknownUnit => write!(f, "`{text}` has no unit of a {name}")?,
            Problem::TooLarge => write!(f, "`{text}` is too large for a {name}")?,
            Problem::Zero => write!(f, "`{text}` lets nothing through")?,
        }
        write!(f, ": type {examples}")
    }
}

impl core::error::Error for UnitError {}

/// Reads a time: a number with `ns`, `us` (or `µs`), `ms`, `s` or `min`, or a bare 0.
///
/// # Errors
/// If it is no such text, or is longer than 584 years.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    let nanos = read(text, Kind::Time, |unit| {
        Some(match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "min" => 60_000_000_000,
            _ => return None,
        })
    })?;
    Ok(Duration::from_nanos(nanos))
}

/// Reads a rate in bits per second: a number with `bit`, `kbit`, `mbit`, `gbit` or `tbit`, and
/// `/s` behind it or not.
///
/// # Errors
/// If it is no such text, or zero. `mbps` is refused, which is bits to some and bytes to others.
pub fn rate(text: &str) -> Result<NonZeroU64, UnitError> {
    let bits = read(text, Kind::Rate, |unit| {
        Some(match unit.strip_suffix("/s").unwrap_or(unit) {
            "bit" => 1,
            "kbit" => 1_000,
            "mbit" => 1_000_000,
            "gbit" => 1_000_000_000,
            "tbit" => 1_000_000_000_000,
            _ => return None,
        })
    })?;
    NonZeroU64::new(bits).ok_or_else(|| error(text, Kind::Rate, Problem::Zero))
}

/// Reads a size in bytes: a number with `kB`, `MB`, `GB` (thousands), `KiB`, `MiB`, `GiB`
/// (1024s), `B` or nothing.
///
/// # Errors
/// If it is no such text, or does not fit 64 bits.
pub fn size(text: &str) -> Result<u64, UnitError> {
    read(text, Kind::Size, |unit| {
        Some(match unit {
            "" | "b" => 1,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            _ => return None,
        })
    })
}

/// Reads a probability, 0 to 1, from a percentage: a number with `%`, or a bare 0.
///
/// # Errors
/// If it is no such text, or above 100 %.
pub fn probability(text: &str) -> Result<f64, UnitError> {
    // In millionths of a percent.
    let millionths = read(text, Kind::Probability, |unit| (unit == "%").then_some(1_000_000))?;
    match millionths {
        0..=100_000_000 => Ok(millionths as f64 / 100_000_000.0),
        _ => Err(error(text, Kind::Probability, Problem::TooLarge)),
    }
}

fn error(text: &str, kind: Kind, problem: Problem) -> UnitError {
    UnitError { text: text.into(), problem, kind }
}

/// Reads a number and multiplies it by what `factor` says of its unit, in lower case. What is
/// finer than one is cut off.
fn read(text: &str, kind: Kind, factor: fn(&str) -> Option<u64>) -> Result<u64, UnitError> {
    let error = |problem| error(text, kind, problem);
    let typed = text.trim();
    let end = typed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(typed.len());
    let (number, unit) = typed.split_at_checked(end).unwrap_or((typed, ""));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || fraction.contains('.') {
        return Err(error(Problem::NoNumber));
    }
    let unit = unit.trim_start().to_lowercase();
    let factor = match factor(&unit) {
        Some(factor) => factor,
        // Nothing of any unit is nothing.
        None if unit.is_empty() && digits().all(|digit| digit == b'0') => return Ok(0),
        None if unit.is_empty() => return Err(error(Problem::NoUnit)),
        None => return Err(error(Problem::UnknownUnit)),
    };
    let too_large = || error(Problem::TooLarge);
    let mantissa = digits().try_fold(0u128, |value, digit| {
        value.checked_mul(10)?.checked_add(u128::from(digit - b'0'))
    });
    let scaled = mantissa.and_then(|m| m.checked_mul(factor.into())).ok_or_else(too_large)?;
    let places = u32::try_from(fraction.len()).ok().and_then(|n| 10u128.checked_pow(n));
    let value = scaled / places.ok_or_else(too_large)?;
    u64::try_from(value).map_err(|_| too_large())
}

#[cfg(test)]
#[path = "units_tests.rs"]
mod tests;
