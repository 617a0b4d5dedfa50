//! Values of fields, and what they are compared with.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use handclasp_wire::time::Instant;

use super::Relation;

/// A field's value in a packet, or a value in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Of a protocol: there is nothing to compare.
    Present,
    /// A number.
    Number(i64),
    /// An address, and how many of its first bits count.
    Address(IpAddr, u8),
    /// A time, in nanoseconds: a span, or since 1970.
    Time(i64),
    /// Bytes, or a string.
    Bytes(Cow<'a, [u8]>),
}

/// What a field's values are like, and how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A protocol, which is there or not.
    Protocol,
    /// A number in decimal digits.
    Number,
    /// A number of 16 bits in hexadecimal digits.
    Hex,
    /// One bit.
    Flag,
    /// Something that is said of a packet or not.
    Mark,
    /// An address of IP.
    Address,
    /// A span of time, in seconds.
    Time,
    /// A point in time, in seconds since 1970 or as a date in UTC.
    Date,
    /// Bytes.
    Bytes,
    /// An address of Ethernet.
    Mac,
}

impl Kind {
    /// Whether values of both can be compared.
    pub(super) fn is_like(self, other: Self) -> bool {
        let group = |kind| match kind {
            Self::Number | Self::Hex | Self::Flag | Self::Mark => 0,
            Self::Address => 1,
            Self::Time | Self::Date => 2,
            Self::Bytes | Self::Mac | Self::Protocol => 3,
        };
        group(self) == group(other)
    }
}

impl Value<'static> {
    /// Reads a word as a value of this kind.
    pub(super) fn read(kind: Kind, word: &str) -> Option<Self> {
        match kind {
            Kind::Number | Kind::Hex | Kind::Flag | Kind::Mark => number(word).map(Self::Number),
            Kind::Time => seconds(word).map(Self::Time),
            Kind::Date => seconds(word).or_else(|| date(word)).map(Self::Time),
            Kind::Address => {
                let (address, bits) = match word.split_once('/') {
                    Some((address, bits)) => (address, Some(bits.parse().ok()?)),
                    None => (word, None),
                };
                let address: IpAddr = address.parse().ok()?;
                let all = if address.is_ipv4() { 32 } else { 128 };
                Some(Self::Address(address, bits.unwrap_or(all))).filter(|_| bits <= Some(all))
            }
            Kind::Bytes | Kind::Mac | Kind::Protocol => {
                bytes(word).map(|bytes| Self::Bytes(bytes.into()))
            }
        }
    }

    /// A string as a value of this kind.
    pub(super) fn of_text(kind: Kind, text: Vec<u8>) -> Option<Self> {
        match kind {
            Kind::Bytes | Kind::Protocol => Some(Self::Bytes(text.into())),
            Kind::Date => date(str::from_utf8(&text).ok()?).map(Self::Time),
            _ => None,
        }
    }

    /// A character as a value of this kind.
    pub(super) fn of_character(kind: Kind, byte: u8) -> Option<Self> {
        match kind {
            Kind::Bytes | Kind::Protocol => Some(Self::Bytes(vec![byte].into())),
            Kind::Number | Kind::Hex => Some(Self::Number(byte.into())),
            _ => None,
        }
    }
}

fn number(word: &str) -> Option<i64> {
    let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok();
    match word.as_bytes() {
        [b'0', b'x' | b'X', ..] => radix(&word[2..], 16),
        [b'0', b'b' | b'B', ..] => radix(&word[2..], 2),
        [b'0', b'0'..=b'9', ..] => radix(&word[1..], 8),
        _ if word.eq_ignore_ascii_case("true") => Some(1),
        _ if word.eq_ignore_ascii_case("false") => Some(0),
        [b'+', ..] => None,
        _ => word.parse().ok(),
    }
}

/// Pairs of hexadecimal digits, with or without something in between.
fn bytes(word: &str) -> Option<Vec<u8>> {
    let hex = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    let digits = word.strip_prefix("0x").unwrap_or(word);
    if digits.len() > 2 && digits.len().is_multiple_of(2) && digits.is_ascii() {
        let pairs = digits.as_bytes().as_chunks::<2>().0;
        let all = pairs.iter().map(|pair| hex(str::from_utf8(pair).ok()?));
        if let Some(bytes) = all.collect() {
            return Some(bytes);
        }
    }
    digits.split([':', '-']).map(hex).collect()
}

/// Seconds with up to nine decimals, as nanoseconds.
fn seconds(word: &str) -> Option<i64> {
    let (sign, word) = word.strip_prefix('-').map_or((1, word), |rest| (-1, rest));
    let (whole, decimals) = word.split_once('.').unwrap_or((word, "0"));
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if decimals.len() > 9 || !is_number(decimals) || !is_number(whole) {
        return None;
    }
    let nanos: i64 = format!("{decimals:0<9}").parse().ok()?;
    Some(sign * whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)?)
}

/// `2026-11-21`, with `04:12:25.5` behind a blank or a T, as nanoseconds since 1970 in UTC.
fn date(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let mut parts = time.splitn(3, ':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    let nanos = seconds(parts.next().unwrap_or("0"))?;
    let fits = (1970..2262).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute);
    // March is the first month, so that the day that comes and goes is the last of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let seconds = (days * 24 + hour) * 3600 + minute * 60;
    fits.then_some(seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?)
}

/// A point in time as `2026-11-21 04:12:25.000000000`, in UTC.
#[must_use]
pub fn date_text(at: Instant) -> String {
    let (seconds, nanos) = (at.as_nanos() / 1_000_000_000, at.as_nanos() % 1_000_000_000);
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let (year, hour, minute) = (year + 400 * era + next, second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02}.{nanos:09}", second % 60)
}

impl Value<'_> {
    /// Whether it is more than nothing.
    pub(super) fn is_set(&self) -> bool {
        !matches!(self, Self::Number(0) | Self::Time(0))
    }

    pub(super) fn compare(&self, relation: Relation, with: &Value<'_>) -> bool {
        use Relation as R;
        if relation == R::Contains {
            let (Self::Bytes(a), Value::Bytes(b)) = (self, with) else { return false };
            return b.is_empty() || a.windows(b.len()).any(|part| part == &**b);
        }
        let order = match (self, with) {
            (Self::Number(a), Value::Number(b)) | (Self::Time(a), Value::Time(b)) => a.cmp(b),
            (Self::Bytes(a), Value::Bytes(b)) => (**a).cmp(&**b),
            (Self::Address(a, bits), Value::Address(b, others)) => match common_bits(*a, *b) {
                Some(common) if common >= *bits.min(others) => Ordering::Equal,
                Some(_) => a.cmp(b),
                None => return relation == R::NotEqual,
            },
            _ => return false,
        };
        match relation {
            R::Equal => order.is_eq(),
            R::NotEqual => order.is_ne(),
            R::Less => order.is_lt(),
            R::LessOrEqual => order.is_le(),
            R::Greater => order.is_gt(),
            R::GreaterOrEqual => order.is_ge(),
            R::Contains => false,
        }
    }
}

/// How many of their first bits two addresses share; `None` if they are of two families.
fn common_bits(a: IpAddr, b: IpAddr) -> Option<u8> {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros() as u8),
        (IpAddr::V6(a), IpAddr::V6(b)) => Some((a.to_bits() ^ b.to_bits()).leading_zeros() as u8),
        _ => None,
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
