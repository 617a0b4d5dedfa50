use handclasp_wire::time::Instant;

use super::{Kind, Value, date_text};

#[test]
fn a_date_is_read_as_it_is_written() {
    for seconds in [0u64, 951_782_400, 951_868_799, 1_709_164_800, 1_795_234_345, 4_107_542_399] {
        let at = Instant::from_nanos(seconds * 1_000_000_000 + 250_000_000);
        let read = Value::read(Kind::Date, &date_text(at).replace(' ', "T"));
        assert_eq!(read, Some(Value::Time(at.as_nanos().cast_signed())), "{}", date_text(at));
    }
    assert_eq!(date_text(Instant::from_millis(1_709_208_000_500)), "2024-02-29 12:00:00.500000000");
}

#[test]
fn numbers_are_decimal_hexadecimal_octal_or_binary() {
    for (word, number) in [("80", 80), ("0x50", 80), ("0120", 80), ("0b1010000", 80), ("-1", -1)] {
        assert_eq!(Value::read(Kind::Number, word), Some(Value::Number(number)), "{word}");
    }
    for word in ["", "+1", "8o", "0x", "99999999999999999999"] {
        assert_eq!(Value::read(Kind::Number, word), None, "{word}");
    }
}

#[test]
fn bytes_have_something_between_them_or_nothing() {
    for word in ["48:54", "48-54", "4854", "0x4854"] {
        let bytes = Value::Bytes(b"HT".into());
        assert_eq!(Value::read(Kind::Bytes, word), Some(bytes), "{word}");
    }
    for word in ["485", "+4", "é4", "48::54"] {
        assert_eq!(Value::read(Kind::Bytes, word), None, "{word}");
    }
}
