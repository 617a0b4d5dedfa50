use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn ms(n: u64) -> Instant {
    Instant::from_millis(n)
}

#[test]
fn slots_fire_in_the_order_of_their_deadlines() {
    let mut timers = Timers::new();
    for (slot, at) in [(3, 30), (1, 10), (2, 20), (0, 5)] {
        timers.schedule(slot, ms(at));
    }
    assert_eq!(timers.next(), Some(ms(5)));
    let fired: Vec<_> = core::iter::from_fn(|| timers.pop_due(ms(25))).collect();
    assert_eq!(fired, [0, 1, 2]);
    assert_eq!(timers.next(), Some(ms(30)));
}

#[test]
fn a_deadline_that_moves_away_costs_nothing_and_fires_early() {
    let mut timers = Timers::new();
    timers.schedule(7, ms(10));
    timers.schedule(7, ms(1000));
    assert_eq!(timers.next(), Some(ms(10)));
    assert_eq!(timers.heap.len(), 1);
}

#[test]
fn a_deadline_that_comes_nearer_moves_its_only_entry() {
    let mut timers = Timers::new();
    timers.schedule(7, ms(7_200_000));
    for round in 0..1000 {
        timers.schedule(7, ms(round));
        assert_eq!(timers.pop_due(ms(round)), Some(7));
        timers.schedule(7, ms(7_200_000 + round));
    }
    assert_eq!(timers.heap.len(), 1);
}

#[test]
fn a_cancelled_slot_never_fires() {
    let mut timers = Timers::new();
    timers.schedule(1, ms(10));
    timers.schedule(2, ms(20));
    timers.cancel(1);
    timers.cancel(1);
    timers.cancel(99);
    assert_eq!(timers.pop_due(ms(100)), Some(2));
    assert_eq!(timers.pop_due(ms(100)), None);
}

#[test]
fn a_burst_leaves_no_memory_behind() {
    let mut timers = Timers::new();
    for slot in 0..5000 {
        timers.schedule(slot, ms(slot as u64));
    }
    while timers.pop().is_some() {}
    assert_eq!((timers.heap.capacity(), timers.place.capacity()), (0, 0));
}

proptest! {
    #[test]
    fn it_agrees_with_a_map_of_the_earliest_deadlines(
        steps in prop::collection::vec((0..3u8, 0..20usize, 0..100u64), 0..200)
    ) {
        let mut timers = Timers::new();
        let mut model = BTreeMap::new();
        for (verb, slot, at) in steps {
            match verb {
                0 => {
                    timers.schedule(slot, ms(at));
                    let earliest = model.entry(slot).or_insert(at);
                    *earliest = at.min(*earliest);
                }
                1 => {
                    timers.cancel(slot);
                    model.remove(&slot);
                }
                _ => match timers.pop_due(ms(at)) {
                    Some(slot) => {
                        let fired = model.remove(&slot).unwrap();
                        prop_assert!(fired <= at && model.values().all(|other| *other >= fired));
                    }
                    None => prop_assert!(model.values().all(|other| *other > at)),
                },
            }
            prop_assert_eq!(timers.next(), model.values().min().map(|at| ms(*at)));
        }
    }
}
