//! Values of fields, and what they are compared with.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::Relation;

/// A field's value in a packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// Of a protocol: there is nothing to compare.
    Present,
    Number(u64),
    Address(IpAddr),
    /// A time, in nanoseconds.
    Time(u64),
    Bytes(&'a [u8]),
}

/// What a field can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Protocol,
    Number,
    Address,
    Time,
    Bytes,
}

/// A value in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    Number(u64),
    /// An address, and how many of its first bits count.
    Network(IpAddr, u8),
    Time(u64),
    Bytes(Vec<u8>),
}

impl Constant {
    /// Reads a word as a value of this kind.
    pub(super) fn read(kind: Kind, word: &str) -> Option<Self> {
        match kind {
            Kind::Protocol => None,
            Kind::Number => number(word).map(Self::Number),
            Kind::Time => seconds(word).map(Self::Time),
            Kind::Address => {
                let (address, bits) = match word.split_once('/') {
                    Some((address, bits)) => (address, Some(bits.parse().ok()?)),
                    None => (word, None),
                };
                let address: IpAddr = address.parse().ok()?;
                let all = if address.is_ipv4() { 32 } else { 128 };
                Some(Self::Network(address, bits.unwrap_or(all))).filter(|_| bits <= Some(all))
            }
            Kind::Bytes => {
                let digits = |pair: &str| {
                    let hex = (1..=2).contains(&pair.len()) && !pair.starts_with('+');
                    u8::from_str_radix(pair, 16).ok().filter(|_| hex)
                };
                word.split([':', '-']).map(digits).collect::<Option<_>>().map(Self::Bytes)
            }
        }
    }
}

fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x").or(word.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None if word.eq_ignore_ascii_case("true") => Some(1),
        None if word.eq_ignore_ascii_case("false") => Some(0),
        None => word.parse().ok(),
    }
}

/// Seconds with up to nine decimals, as nanoseconds.
fn seconds(word: &str) -> Option<u64> {
    let (whole, decimals) = word.split_once('.').unwrap_or((word, "0"));
    let digits = decimals.len() <= 9 && decimals.bytes().all(|b| b.is_ascii_digit());
    let nanos: u64 = format!("{decimals:0<9}").parse().ok().filter(|_| digits)?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

impl Value<'_> {
    pub(super) fn compare(&self, relation: Relation, with: &Constant) -> bool {
        use Relation as R;
        let order = match (self, with) {
            (Self::Number(a), Constant::Number(b)) if relation == R::Bits => return a & b != 0,
            (Self::Bytes(a), Constant::Bytes(b)) if relation == R::Contains => {
                return b.is_empty() || a.windows(b.len()).any(|part| part == b);
            }
            (Self::Number(a), Constant::Number(b)) | (Self::Time(a), Constant::Time(b)) => a.cmp(b),
            (Self::Bytes(a), Constant::Bytes(b)) => (*a).cmp(b),
            (Self::Address(a), Constant::Network(b, bits)) => match common_bits(*a, *b) {
                Some(common) if common >= *bits => Ordering::Equal,
                Some(_) => a.cmp(b),
                None => return false,
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
            R::Contains | R::Bits => false,
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
