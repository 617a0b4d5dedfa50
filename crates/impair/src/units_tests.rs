use std::string::ToString;

use super::*;

fn told<T: core::fmt::Debug>(result: Result<T, UnitError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn times_are_read_in_every_unit() {
    for (text, nanos) in [
        ("10ms", 10_000_000),
        ("1.5s", 1_500_000_000),
        ("200us", 200_000),
        ("200µs", 200_000),
        ("50 ns", 50),
        ("2MIN", 120_000_000_000),
        ("0", 0),
        ("0.0000000019s", 1),
    ] {
        assert_eq!(duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
    }
}

#[test]
fn rates_are_bits_per_second() {
    for (text, bits) in
        [("100mbit", 100_000_000), ("1Gbit/s", 1_000_000_000), ("9600bit", 9_600), ("0.5kbit", 500)]
    {
        assert_eq!(rate(text).map(NonZeroU64::get), Ok(bits), "{text}");
    }
}

#[test]
fn sizes_are_bytes_in_thousands_or_1024s() {
    for (text, bytes) in [
        ("1500", 1_500),
        ("1500B", 1_500),
        ("100MB", 100_000_000),
        ("64KiB", 65_536),
        ("1.5kB", 1_500),
    ] {
        assert_eq!(size(text), Ok(bytes), "{text}");
    }
    assert_eq!(size("18446744073709551615"), Ok(u64::MAX));
}

#[test]
fn probabilities_are_percentages() {
    for (text, expected) in [("1%", 0.01), ("0.5 %", 0.005), ("100%", 1.0), ("0", 0.0)] {
        assert_eq!(probability(text), Ok(expected), "{text}");
    }
}

#[test]
fn an_error_says_what_is_wrong_and_what_to_type() {
    assert_eq!(told(duration("10")), "`10` has no unit: type 10ms, 1.5s or 200us");
    assert_eq!(told(duration("ms")), "`ms` does not start with a number: type 10ms, 1.5s or 200us");
    assert_eq!(
        told(duration("-1ms")),
        "`-1ms` does not start with a number: type 10ms, 1.5s or 200us"
    );
    assert_eq!(told(probability("0.01")), "`0.01` has no unit: type 1% or 0.5%");
    assert_eq!(told(probability("101%")), "`101%` is too large for a probability: type 1% or 0.5%");
    assert_eq!(
        told(rate("10mbps")),
        "`10mbps` has no unit of a rate: type 100mbit, 1gbit or 64kbit"
    );
    assert_eq!(told(rate("0")), "`0` lets nothing through: type 100mbit, 1gbit or 64kbit");
    assert_eq!(
        told(size("1.2.3")),
        "`1.2.3` does not start with a number: type 1500, 64KiB or 100MB"
    );
    assert_eq!(
        told(size("20000000000GB")),
        "`20000000000GB` is too large for a size: type 1500, 64KiB or 100MB"
    );
}

#[test]
fn more_digits_than_any_number_has_are_refused() {
    let digits = "9".repeat(60);
    assert!(size(&digits).is_err());
    assert!(duration(&std::format!("0.{digits}s")).is_err());
    assert!(size(".").is_err() && size("").is_err() && size("é").is_err());
}
