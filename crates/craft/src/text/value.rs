//! One field's value as text, and back.

use std::fmt;
use std::net::IpAddr;

use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::tcp::Flags;

use super::{Problem, SpecError};
use crate::dissect::address_value;
use crate::field::{Family, Field, Kind};
use crate::template::Setting;

/// A field's value that prints itself as it is read.
#[derive(Clone, Copy, Debug)]
pub struct ValueText {
    /// Of which field.
    pub field: Field,
    /// In a packet of this family.
    pub family: Family,
    /// The value.
    pub value: u128,
}

impl fmt::Display for ValueText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, family, value } = *self;
        match field.kind() {
            Kind::Decimal => write!(f, "{value}"),
            Kind::Hex => {
                let bits = field.place(family).map_or(16, |place| place.bits);
                write!(f, "{value:#0width$x}", width = 2 + usize::from(bits.div_ceil(4)))
            }
            Kind::Flags => write!(f, "{}", Flags::from_bits_truncate(value as u16)),
            Kind::Address => write!(f, "{}", family.address(value)),
            Kind::Hardware => {
                let [_, _, _, _, _, _, _, _, _, _, mac @ ..] = value.to_be_bytes();
                write!(f, "{}", MacAddr(mac))
            }
        }
    }
}

/// A setting that prints itself as it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct SettingText {
    pub(super) field: Field,
    pub(super) family: Family,
    pub(super) setting: Setting,
}

impl fmt::Display for SettingText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, family, setting } = *self;
        match setting {
            Setting::Given(value) => write!(f, "{}", ValueText { field, family, value }),
            Setting::Bits { value, care } if field == Field::Flags => {
                let flags = |bits: u128| Flags::from_bits_truncate(bits as u16);
                write!(f, "{}?{}", flags(value), flags(!care))
            }
            Setting::Bits { value, care } => {
                let text = |value| ValueText { field, family, value };
                write!(f, "{}/{}", text(value), text(care))
            }
            Setting::Random => f.write_str("random"),
            Setting::Auto(0) => f.write_str("auto"),
            Setting::Auto(more) => write!(f, "auto{more:+}"),
        }
    }
}

/// Reads what is wanted of a field: a value in the field's own form or as a number, decimal or
/// with `0x`; `random`; `auto`, which is what is right, and `auto+1`, or only `+1`, which is
/// one more; `2/3`, of which the bits in the second number count. Tells an address's family.
pub(super) fn read(field: Field, text: &str) -> Result<(Setting, Option<Family>), SpecError> {
    let whole = 0..text.len();
    let relative = text.strip_prefix("auto").unwrap_or(text);
    match text {
        "random" => return Ok((Setting::Random, None)),
        "auto" => return Ok((Setting::Auto(0), None)),
        _ if relative.starts_with(['+', '-']) => {
            let more = relative.parse::<i64>().ok().filter(|more| more.unsigned_abs() < 1 << 32);
            let problem = Problem::Expected("a number of 32 bits behind the sign");
            let more = more.ok_or(SpecError::new(whole, problem))?;
            return Ok((Setting::Auto(more), None));
        }
        _ => {}
    }
    if field.kind() == Kind::Flags {
        return flags(text).map(|setting| (setting, None));
    }
    let Some((value, care)) = text.split_once('/') else {
        return value_of(field, text).map(|(value, family)| (value.into(), family));
    };
    let (mask, _) = value_of(field, care).map_err(|e| e.behind(value.len() + 1))?;
    let (value, family) = value_of(field, value)?;
    Ok((Setting::Bits { value, care: mask }, family))
}

fn value_of(field: Field, text: &str) -> Result<(u128, Option<Family>), SpecError> {
    match field.kind() {
        Kind::Address => {
            let address: Result<IpAddr, _> = text.parse();
            let problem = Problem::Expected("an IP address");
            let address = address.map_err(|_| SpecError::new(0..text.len(), problem))?;
            Ok((address_value(address), Some(Family::of(address))))
        }
        Kind::Hardware => match text.parse() {
            Ok(MacAddr([a, b, c, d, e, f])) => {
                Ok((u64::from_be_bytes([0, 0, a, b, c, d, e, f]).into(), None))
            }
            Err(_) => number(field, text).map(|value| (value, None)),
        },
        Kind::Decimal | Kind::Hex | Kind::Flags => number(field, text).map(|value| (value, None)),
    }
}

fn number(field: Field, text: &str) -> Result<u128, SpecError> {
    // Where a field is in both families, it has the same size; addresses are not read here.
    let place = field.place(Family::V4).or(field.place(Family::V6));
    let maximum = place.map_or(u128::MAX, |place| place.maximum());
    let what = match field.kind() {
        Kind::Hardware => "six pairs of hex digits, like 02:00:00:00:00:01",
        _ => "a number",
    };
    number_up_to(maximum, text, what)
}

/// Reads a number, decimal or with `0x`; an error tells `what` is expected.
pub(super) fn number_up_to(
    maximum: u128,
    text: &str,
    what: &'static str,
) -> Result<u128, SpecError> {
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None => (text, 10),
    };
    let span = 0..text.len();
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(SpecError::new(span, Problem::Expected(what)));
    }
    let number = u128::from_str_radix(digits, radix).ok().filter(|number| *number <= maximum);
    number.ok_or(SpecError::new(span, Problem::TooLarge { maximum }))
}

/// Flags by name, as some tools have them.
const NAMES: [(&str, Flags); 10] = [
    ("fin", Flags::FIN),
    ("syn", Flags::SYN),
    ("rst", Flags::RST),
    ("psh", Flags::PSH),
    ("ack", Flags::ACK),
    ("urg", Flags::URG),
    ("ece", Flags::ECE),
    ("cwr", Flags::CWR),
    ("ae", Flags::AE),
    ("none", Flags::empty()),
];

/// Reads flags: letters as tcpdump's (`S.`), `A` and `C` and `N` as others write ACK, CWR and
/// AE; or names (`syn,ack`); or a number. Those behind a `?` may be there or not.
fn flags(text: &str) -> Result<Setting, SpecError> {
    if text.starts_with("0x") || text.starts_with(|c: char| c.is_ascii_digit()) {
        return number(Field::Flags, text).map(Setting::from);
    }
    let Some((needed, free)) = text.split_once('?') else {
        return flag_set(text).map(Setting::from);
    };
    let free = flag_set(free).map_err(|e| e.behind(needed.len() + 1))?;
    let value = flag_set(needed)?.bits().into();
    Ok(Setting::Bits { value, care: (Flags::all() - free).bits().into() })
}

fn flag_set(text: &str) -> Result<Flags, SpecError> {
    let mut set = Flags::empty();
    let mut at = 0;
    for word in text.split([',', '|', '+']) {
        let lower = word.to_ascii_lowercase();
        match NAMES.iter().find(|(name, _)| *name == lower) {
            Some((_, flag)) => set |= *flag,
            None => set |= letters(word).map_err(|e| e.behind(at))?,
        }
        at += word.len() + 1;
    }
    Ok(set)
}

fn letters(word: &str) -> Result<Flags, SpecError> {
    let mut set = Flags::empty();
    for (at, letter) in word.char_indices() {
        let here = at..at + letter.len_utf8();
        set |= match letter {
            'A' => Flags::ACK,
            'C' => Flags::CWR,
            'N' => Flags::AE,
            _ => letter.to_string().parse().map_err(|_| {
                let upper = letter.to_ascii_uppercase();
                let case = LETTERS.into_iter().find(|known| known.starts_with(upper));
                let nearest = super::nearest(word, NAMES.iter().map(|(name, _)| *name)).or(case);
                SpecError { span: here, problem: Problem::Unknown("flag"), nearest }
            })?,
        };
    }
    Ok(set)
}

/// The letters that may have been meant by a small one.
const LETTERS: [&str; 8] = ["F", "S", "R", "P", "A", "U", "E", "W"];
