use std::time::Duration;

use super::{Count, Rate, Size, Time};

#[test]
fn times_have_three_figures_and_the_unit_that_fits() {
    let text = |nanos| Time(Duration::from_nanos(nanos)).to_string();
    assert_eq!(text(0), "0 ns");
    assert_eq!(text(41_000), "41 µs");
    assert_eq!(text(1_234_567), "1.23 ms");
    assert_eq!(text(999_960_000), "1 s");
    assert_eq!(text(1_040_000_000), "1.04 s");
    assert_eq!(text(63_000_000_000), "63 s");
    assert_eq!(text(123_456_000_000), "123 s");
}

#[test]
fn sizes_are_decimal() {
    assert_eq!(Size(78).to_string(), "78 B");
    assert_eq!(Size(999).to_string(), "999 B");
    assert_eq!(Size(1_448).to_string(), "1.45 kB");
    assert_eq!(Size(999_999).to_string(), "1 MB");
    assert_eq!(Size(100_000_000).to_string(), "100 MB");
}

#[test]
fn rates_are_in_bits() {
    let rate = Rate { bytes: 125_000_000, time: Duration::from_secs(1) };
    assert_eq!(rate.to_string(), "1 Gbit/s");
    assert_eq!(Rate { bytes: 1, time: Duration::ZERO }.to_string(), "8 Gbit/s");
}

#[test]
fn counts_are_grouped_by_three() {
    assert_eq!(Count(7).to_string(), "7");
    assert_eq!(Count(1_234).to_string(), "1,234");
    assert_eq!(Count(1_234_567).to_string(), "1,234,567");
}
