use super::*;

const MS: Duration = Duration::from_millis(1);

#[test]
fn never_and_always_are_just_that() {
    let mut chance = Chance::new(1, 0);
    for _ in 0..10_000 {
        assert!(!chance.happens(0.0));
        assert!(chance.happens(1.0));
    }
}

#[test]
fn what_is_no_probability_never_happens() {
    assert!(!Chance::new(1, 0).happens(f64::NAN));
    assert!(!Chance::new(1, 0).happens(-1.0));
}

#[test]
fn a_quarter_happens_about_every_fourth_time() {
    let mut chance = Chance::new(1, 0);
    let hits = (0..100_000).filter(|_| chance.happens(0.25)).count();
    assert!((24_000..26_000).contains(&hits), "{hits}");
}

#[test]
fn every_number_below_the_bound_is_drawn() {
    let mut chance = Chance::new(1, 0);
    let mut seen = [false; 8];
    (0..1000).for_each(|_| seen[chance.below(8) as usize] = true);
    assert_eq!(seen, [true; 8]);
    assert_eq!(chance.below(0), 0);
}

#[test]
fn durations_spread_around_their_middle() {
    let mut chance = Chance::new(1, 0);
    let drawn = |chance: &mut Chance| chance.around(10 * MS, 2 * MS);
    let all: std::vec::Vec<_> = (0..1000).map(|_| drawn(&mut chance)).collect();
    assert!(all.iter().all(|d| (8 * MS..=12 * MS).contains(d)));
    assert!(all.iter().any(|d| *d < 9 * MS) && all.iter().any(|d| *d > 11 * MS));
}

#[test]
fn a_spread_wider_than_its_middle_ends_at_zero() {
    let mut chance = Chance::new(1, 0);
    assert!((0..100).any(|_| chance.around(MS, 10 * MS).is_zero()));
    let _no_overflow = chance.around(Duration::MAX, Duration::MAX);
}

#[test]
fn streams_of_one_seed_differ() {
    let mut streams = [0, 1, 2].map(|stream| Chance::new(7, stream).below(u64::MAX));
    streams.sort_unstable();
    assert!(streams.windows(2).all(|pair| pair[0] != pair[1]));
}
