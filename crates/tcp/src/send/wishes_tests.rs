use super::*;

fn number(n: u32) -> SeqNumber {
    SeqNumber(n)
}

#[test]
fn a_range_ends_with_its_record() {
    let mut wishes = Wishes::default();
    wishes.record_ended(number(100));
    wishes.record_ended(number(300));
    assert_eq!(wishes.within_record(number(0), 500), 100);
    assert_eq!(wishes.within_record(number(100), 500), 200);
    assert_eq!(wishes.within_record(number(300), 500), 500);
    assert!(wishes.is_record_end(number(300)) && !wishes.is_record_end(number(299)));
}

#[test]
fn ends_of_records_are_forgotten_once_acknowledged_and_are_never_too_many() {
    let mut wishes = Wishes::default();
    for n in 1..=3000 {
        wishes.record_ended(number(n));
    }
    assert_eq!(wishes.ends.as_ref().map(|ends| ends.len()), Some(RECORDS_MAX));
    wishes.acknowledged(number(3000));
    assert!(wishes.ends.is_none());
}

#[test]
fn more_holds_back_until_an_ack_and_a_cork_until_it_is_taken_out() {
    let mut wishes = Wishes::default();
    wishes.more_follows();
    assert!(wishes.hold_small() && !wishes.pushes_last());
    wishes.acknowledged(number(1));
    assert!(!wishes.hold_small() && !wishes.pushes_last());
    wishes.written();
    assert!(wishes.pushes_last());
    wishes.cork = true;
    wishes.acknowledged(number(2));
    assert!(wishes.hold_small());
    wishes.flush();
    assert!(!wishes.hold_small());
}
