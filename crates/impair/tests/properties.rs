//! What holds for a link whatever its settings.

use std::num::NonZeroU64;
use std::time::Duration;

use handclasp_impair::config::{Bursts, Config, Limit};
use handclasp_impair::link::{Counters, Link};
use handclasp_wire::time::Instant;
use proptest::collection::vec;
use proptest::prelude::*;

/// What is pushed: how long after the one before, and how many bytes.
fn traffic() -> impl Strategy<Value = Vec<(Duration, usize)>> {
    vec((0u64..3_000, 0usize..1_500), 0..60).prop_map(|list| {
        list.into_iter().map(|(us, len)| (Duration::from_micros(us), len)).collect()
    })
}

fn micros(most: u64) -> impl Strategy<Value = Duration> {
    (0..most).prop_map(Duration::from_micros)
}

/// Times, a rate and limits, and no chance of harm.
fn harmless() -> impl Strategy<Value = Config> {
    let rate = prop_oneof![Just(None), (1_000u64..1_000_000_000).prop_map(NonZeroU64::new)];
    (micros(50_000), micros(50_000), rate).prop_map(|(delay, jitter, rate)| {
        Config::with(|c| (c.delay, c.jitter, c.rate) = (delay, jitter, rate))
    })
}

fn harmful() -> impl Strategy<Value = Config> {
    let chance = || prop_oneof![Just(0.0), 0.0..=1.0];
    let bursts = (chance(), chance(), chance(), chance()).prop_map(|(enter, leave, good, bad)| {
        Bursts { enter, leave, loss_in_good: good, loss_in_bad: bad }
    });
    let chances = (chance(), chance(), chance(), chance(), proptest::option::of(bursts));
    let limits = (1usize..50, 1usize..20_000, 1usize..100, 1usize..50_000);
    let numbers = (vec(1u64..60, 0..5), vec((1u64..60, micros(9_000)), 0..5));
    (harmless(), chances, limits, numbers).prop_map(|(config, chances, limits, numbers)| {
        let mut config = config;
        (config.loss, config.reorder, config.duplicate, config.corrupt, config.bursts) = chances;
        config.queue = Limit { packets: limits.0, bytes: limits.1 };
        config.held = Limit { packets: limits.2, bytes: limits.3 };
        (config.drop_nth, config.delay_nth) = numbers;
        config
    })
}

struct Run {
    out: Vec<(Instant, Vec<u8>)>,
    counters: Counters,
    most_packets: usize,
    most_bytes: usize,
}

/// Pushes everything at its time, takes everything out when it is due.
fn run(config: Config, seed: u64, traffic: &[(Duration, usize)]) -> Run {
    let mut link = Link::new(config, seed);
    let (mut out, mut now) = (Vec::new(), Instant::ZERO);
    let (mut most_packets, mut most_bytes) = (0, 0);
    let take = |link: &mut Link<Vec<u8>>, out: &mut Vec<_>, until: Instant| {
        while let Some(due) = link.next_deadline().filter(|due| *due <= until) {
            out.push((due, link.pop(due).expect("what is due comes out")));
        }
    };
    for (nth, (gap, len)) in traffic.iter().enumerate() {
        now += *gap;
        take(&mut link, &mut out, now);
        link.push(now, vec![nth as u8; *len]);
        most_packets = most_packets.max(link.held());
        most_bytes = most_bytes.max(link.held_bytes());
    }
    take(&mut link, &mut out, Instant::FAR_FUTURE);
    assert_eq!((link.held(), link.held_bytes()), (0, 0));
    Run { out, counters: link.counters(), most_packets, most_bytes }
}

proptest! {
    #[test]
    fn without_harm_everything_arrives_once_in_order_and_unchanged(
        config in harmless(),
        seed: u64,
        traffic in traffic(),
    ) {
        let run = run(config, seed, &traffic);
        let expected: Vec<_> =
            traffic.iter().enumerate().map(|(nth, (_, len))| vec![nth as u8; *len]).collect();
        let got: Vec<_> = run.out.into_iter().map(|(_, packet)| packet).collect();
        prop_assert_eq!(got, expected);
        let n = traffic.len() as u64;
        let mut counters = Counters::default();
        (counters.offered, counters.delivered) = (n, n);
        counters.delivered_bytes = traffic.iter().map(|(_, len)| *len as u64).sum();
        prop_assert_eq!(run.counters, counters);
    }

    #[test]
    fn nothing_arrives_before_its_delay(
        config in harmless(),
        seed: u64,
        traffic in traffic(),
    ) {
        let least = config.delay.saturating_sub(config.jitter);
        let run = run(config, seed, &traffic);
        let mut now = Instant::ZERO;
        for ((gap, _), (arrived, _)) in traffic.iter().zip(&run.out) {
            now += *gap;
            prop_assert!(*arrived >= now + least);
        }
    }

    #[test]
    fn one_seed_gives_one_run(config in harmful(), seed: u64, traffic in traffic()) {
        let first = run(config.clone(), seed, &traffic);
        let second = run(config, seed, &traffic);
        prop_assert_eq!(first.out, second.out);
        prop_assert_eq!(first.counters, second.counters);
    }

    #[test]
    fn every_packet_is_accounted_for(config in harmful(), seed: u64, traffic in traffic()) {
        let Run { out, counters, .. } = run(config, seed, &traffic);
        prop_assert_eq!(counters.offered, traffic.len() as u64);
        prop_assert_eq!(counters.delivered, out.len() as u64);
        prop_assert_eq!(
            counters.offered + counters.duplicated,
            counters.lost + counters.queue_dropped + counters.delivered
        );
    }

    #[test]
    fn the_rate_is_never_exceeded(
        bits in 1_000u64..1_000_000_000,
        seed: u64,
        duplicate in 0.0..=1.0,
        traffic in traffic(),
    ) {
        let config = Config::with(|c| {
            c.rate = NonZeroU64::new(bits);
            c.duplicate = duplicate;
        });
        let run = run(config, seed, &traffic);
        // Whatever arrives behind a packet has been sent behind it.
        for (nth, (from, _)) in run.out.iter().enumerate() {
            let mut sent = 0;
            for (until, packet) in &run.out[nth + 1..] {
                sent += packet.len() as u128 * 8;
                let allowed = (*until - *from).as_nanos() * u128::from(bits) / 1_000_000_000;
                prop_assert!(sent <= allowed, "{sent} bits in {:?}", *until - *from);
            }
        }
    }

    #[test]
    fn memory_is_bounded_by_the_limits(config in harmful(), seed: u64, traffic in traffic()) {
        let limit = config.held;
        let run = run(config, seed, &traffic);
        prop_assert!(run.most_packets <= limit.packets && run.most_bytes <= limit.bytes);
    }

    #[test]
    fn without_delay_memory_is_bounded_by_the_queue(
        mut config in harmful(),
        seed: u64,
        traffic in traffic(),
        bits in 1_000u64..10_000_000,
    ) {
        config.rate = NonZeroU64::new(bits);
        (config.delay, config.jitter, config.reorder) = (Duration::ZERO, Duration::ZERO, 0.0);
        config.delay_nth.clear();
        let limit = config.queue;
        let run = run(config, seed, &traffic);
        prop_assert!(run.most_packets <= limit.packets && run.most_bytes <= limit.bytes);
    }
}
