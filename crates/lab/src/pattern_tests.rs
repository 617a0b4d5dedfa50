use std::io::Read;

use super::Pattern;

fn stream(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Pattern::new(7).fill(0, &mut bytes);
    bytes
}

#[test]
fn any_part_is_the_same_as_in_the_whole() {
    let whole = stream(64);
    for start in 0..40 {
        for len in 0..24 {
            let mut part = vec![0; len];
            Pattern::new(7).fill(start as u64, &mut part);
            assert_eq!(part, whole[start..start + len], "{start} + {len}");
        }
    }
}

#[test]
fn a_difference_is_found_at_its_offset() {
    let mut bytes = stream(20_000);
    bytes[12_345] ^= 1;
    assert_eq!(Pattern::new(7).check(0, &bytes), Err(12_345));
    assert_eq!(Pattern::new(7).check(12_000, &bytes[12_000..]), Err(12_345));
    assert_eq!(Pattern::new(7).check(12_346, &bytes[12_346..]), Ok(()));
}

#[test]
fn swapped_and_missing_bytes_show() {
    let bytes = stream(3000);
    let swapped = [&bytes[1000..2000], &bytes[..1000], &bytes[2000..]].concat();
    assert_eq!(Pattern::new(7).check(0, &swapped), Err(0));
    let missing = [&bytes[..1448], &bytes[2896..]].concat();
    assert!(Pattern::new(7).check(0, &missing).is_err_and(|at| (1448..1460).contains(&at)));
}

#[test]
fn a_reader_ends_where_it_was_told_to() {
    let mut read = Vec::new();
    Pattern::new(7).reader(1001).read_to_end(&mut read).expect("no I/O");
    assert_eq!(read, stream(1001));
}
