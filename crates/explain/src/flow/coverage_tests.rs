use handclasp_wire::seq::SeqNumber;

use super::{Coverage, Sighting};

fn from_100() -> Coverage {
    Coverage::starting_at(SeqNumber(100))
}

#[test]
fn what_follows_moves_the_contiguous_part_on() {
    let mut seen = from_100();
    assert_eq!(seen.add(SeqNumber(100), 10), Sighting::Next);
    assert_eq!((seen.next(), seen.end()), (SeqNumber(110), SeqNumber(110)));
}

#[test]
fn a_gap_is_kept_open_until_it_is_filled() {
    let mut seen = from_100();
    assert_eq!(seen.add(SeqNumber(110), 10), Sighting::Beyond);
    assert_eq!((seen.next(), seen.end()), (SeqNumber(100), SeqNumber(120)));
    assert_eq!(seen.add(SeqNumber(100), 10), Sighting::Fills);
    assert_eq!((seen.next(), seen.end()), (SeqNumber(120), SeqNumber(120)));
}

#[test]
fn what_was_seen_is_seen_again_and_an_empty_range_is_nothing() {
    let mut seen = from_100();
    seen.add(SeqNumber(100), 10);
    seen.add(SeqNumber(120), 10);
    assert_eq!(seen.add(SeqNumber(102), 3), Sighting::Again);
    assert_eq!(seen.add(SeqNumber(120), 10), Sighting::Again);
    assert_eq!(seen.add(SeqNumber(105), 0), Sighting::Empty);
}

#[test]
fn islands_that_touch_become_one() {
    let mut seen = from_100();
    seen.add(SeqNumber(110), 10);
    seen.add(SeqNumber(130), 10);
    assert_eq!(seen.add(SeqNumber(120), 10), Sighting::Fills);
    assert_eq!(seen.add(SeqNumber(110), 30), Sighting::Again);
}

#[test]
fn numbers_wrap_round() {
    let mut seen = Coverage::starting_at(SeqNumber(u32::MAX - 1));
    assert_eq!(seen.add(SeqNumber(u32::MAX - 1), 10), Sighting::Next);
    assert_eq!(seen.next(), SeqNumber(8));
}

#[test]
fn islands_are_bounded() {
    let mut seen = from_100();
    for n in 1..10_000 {
        seen.add(SeqNumber(100 + 2 * n), 1);
    }
    assert_eq!(seen.islands().len(), super::MAX_ISLANDS);
}
