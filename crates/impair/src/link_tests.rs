use std::vec;
use std::vec::Vec;

use super::*;
use crate::config::Bursts;

const MS: Duration = Duration::from_millis(1);

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn link(change: impl FnOnce(&mut Config)) -> Link<Vec<u8>> {
    Link::new(Config::with(change), 7)
}

/// Offers packets numbered from 0 at time zero, and takes out what ever comes.
fn pass(mut link: Link<Vec<u8>>, packets: u8) -> (Vec<u8>, Counters) {
    for packet in 0..packets {
        link.push(Instant::ZERO, vec![packet]);
    }
    let out = drain(&mut link).into_iter().map(|(_, packet)| packet[0]).collect();
    (out, link.counters())
}

fn drain(link: &mut Link<Vec<u8>>) -> Vec<(Instant, Vec<u8>)> {
    let mut out = Vec::new();
    while let Some(now) = link.next_deadline() {
        out.push((now, link.pop(now).expect("what is due comes out")));
    }
    out
}

#[test]
fn the_default_passes_everything_on_at_once() {
    let (out, counters) = pass(link(|_| {}), 100);
    assert_eq!(out, (0..100).collect::<Vec<_>>());
    assert_eq!((counters.offered, counters.delivered), (100, 100));
}

#[test]
fn a_packet_arrives_after_the_delay_and_not_before() {
    let mut link = link(|c| c.delay = 10 * MS);
    link.push(at(5), vec![1]);
    assert_eq!(link.next_deadline(), Some(at(15)));
    assert_eq!(link.pop(at(15) - Duration::from_nanos(1)), None);
    assert_eq!(link.pop(at(15)), Some(vec![1]));
    assert_eq!(link.next_deadline(), None);
}

#[test]
fn jitter_varies_the_delay_and_keeps_the_order() {
    let mut link = link(|c| (c.delay, c.jitter) = (10 * MS, 5 * MS));
    for packet in 0..100 {
        link.push(at(packet.into()), vec![packet]);
    }
    let out = drain(&mut link);
    let delays: Vec<_> = out.iter().map(|(now, p)| *now - at(p[0].into())).collect();
    assert!(out.iter().map(|(_, packet)| packet[0]).eq(0..100));
    assert!(delays.iter().all(|d| (5 * MS..=15 * MS).contains(d)));
    assert!(delays.iter().any(|d| *d < 9 * MS) && delays.iter().any(|d| *d > 11 * MS));
    assert_eq!(link.counters().reordered, 0);
}

#[test]
fn a_rate_puts_packets_on_the_line_one_after_the_other() {
    // 1000 bytes at 8 Mbit/s take a millisecond.
    let mut link = link(|c| (c.rate, c.delay) = (NonZeroU64::new(8_000_000), 10 * MS));
    for _ in 0..3 {
        link.push(at(0), vec![0; 1000]);
    }
    link.push(at(50), vec![0; 1000]);
    let times: Vec<_> = drain(&mut link).into_iter().map(|(now, _)| now).collect();
    assert_eq!(times, [at(11), at(12), at(13), at(61)]);
}

#[test]
fn what_finds_no_room_before_the_line_is_dropped() {
    let mut link = link(|c| {
        c.rate = NonZeroU64::new(8_000_000);
        c.queue = Limit { packets: 2, bytes: 10_000 };
        c.delay = 100 * MS;
    });
    for now in [0, 0, 0, 1, 1] {
        link.push(at(now), vec![0; 1000]);
    }
    // The third and the fifth found two before them; the fourth, that one of them was gone.
    assert_eq!((link.counters().queue_dropped, link.held()), (2, 3));
}

#[test]
fn a_queue_is_limited_in_bytes_too() {
    let mut link = link(|c| {
        c.rate = NonZeroU64::new(8);
        c.queue = Limit { packets: 100, bytes: 2_500 };
    });
    for _ in 0..3 {
        link.push(at(0), vec![0; 1000]);
    }
    link.push(at(0), vec![0; 500]);
    assert_eq!((link.counters().queue_dropped, link.held_bytes()), (1, 2_500));
}

#[test]
fn packets_on_their_way_are_limited_even_without_a_rate() {
    let mut link = link(|c| {
        c.delay = 10 * MS;
        c.held = Limit { packets: 2, bytes: 1 << 20 };
    });
    for _ in 0..3 {
        link.push(at(0), vec![0]);
    }
    assert_eq!((link.counters().queue_dropped, link.held()), (1, 2));
}

#[test]
fn packets_are_dropped_by_their_number() {
    let (out, counters) = pass(link(|c| c.drop_nth = vec![4, 1, 2]), 5);
    assert_eq!(out, [2, 4]);
    assert_eq!(counters.lost, 3);
}

#[test]
fn a_packet_held_back_by_its_number_is_overtaken() {
    let (out, counters) = pass(link(|c| c.delay_nth = vec![(2, MS)]), 4);
    assert_eq!(out, [0, 2, 3, 1]);
    assert_eq!(counters.reordered, 1);
}

#[test]
fn certain_loss_leaves_nothing() {
    let (out, counters) = pass(link(|c| c.loss = 1.0), 100);
    assert_eq!((out.len(), counters.lost), (0, 100));
}

#[test]
fn loss_comes_as_often_as_it_should() {
    let mut link = link(|c| c.loss = 0.1);
    (0..10_000).for_each(|_| link.push(at(0), vec![0]));
    assert!((900..1_100).contains(&link.counters().lost), "{:?}", link.counters());
}

#[test]
fn bursts_lose_packets_one_after_the_other() {
    let bursts = Bursts { enter: 0.01, leave: 0.25, loss_in_good: 0.0, loss_in_bad: 1.0 };
    let mut link = link(|c| c.bursts = Some(bursts));
    let lost: Vec<bool> = (0..100_000)
        .map(|_| {
            let before = link.counters().lost;
            link.push(at(0), vec![0]);
            link.counters().lost > before
        })
        .collect();
    let runs = lost.chunk_by(|a, b| a == b).filter(|run| run[0]);
    let (count, total) = runs.fold((0, 0), |(count, total), run| (count + 1, total + run.len()));
    let mean = f64::from(total as u32) / f64::from(count);
    assert!((3.5..4.5).contains(&mean), "bursts of {mean} packets, not of 4");
}

#[test]
fn a_reordered_packet_is_overtaken() {
    let mut link = link(|c| (c.reorder, c.reorder_delay) = (0.2, 3 * MS));
    for packet in 0..100 {
        link.push(at(packet.into()), vec![packet]);
    }
    let out: Vec<u8> = drain(&mut link).into_iter().map(|(_, packet)| packet[0]).collect();
    let descents = out.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(descents > 5 && link.counters().reordered > 5, "{out:?}");
    assert_eq!(out.len(), 100);
}

#[test]
fn a_copy_follows_right_behind_its_original() {
    let (out, counters) = pass(link(|c| c.duplicate = 1.0), 3);
    assert_eq!(out, [0, 0, 1, 1, 2, 2]);
    assert_eq!((counters.duplicated, counters.delivered), (3, 6));
}

#[test]
fn corruption_flips_one_bit() {
    let mut link = link(|c| c.corrupt = 1.0);
    for _ in 0..100 {
        link.push(at(0), vec![0; 10]);
    }
    let ones = |packet: &[u8]| packet.iter().map(|byte| byte.count_ones()).sum::<u32>();
    let out = drain(&mut link);
    assert!(out.iter().all(|(_, packet)| ones(packet) == 1));
    assert!((0..10).all(|byte| out.iter().any(|(_, packet)| packet[byte] != 0)));
    assert_eq!(link.counters().corrupted, 100);
}

#[test]
fn an_empty_packet_has_no_bit_to_flip() {
    let mut link = link(|c| c.corrupt = 1.0);
    link.push(at(0), vec![]);
    assert_eq!((link.pop(at(0)), link.counters().corrupted), (Some(vec![]), 0));
}

#[test]
fn switching_one_chance_on_changes_nothing_of_another() {
    let lost = |change: fn(&mut Config)| {
        let mut config = Config::with(|c| c.loss = 0.3);
        change(&mut config);
        let mut link = Link::new(config, 7);
        (0..200u8).for_each(|packet| link.push(at(0), vec![packet]));
        let mut out: Vec<u8> = drain(&mut link).into_iter().map(|(_, packet)| packet[0]).collect();
        out.sort_unstable();
        out.dedup();
        out
    };
    let alone = lost(|_| {});
    assert_eq!(alone, lost(|c| c.jitter = MS));
    assert_eq!(alone, lost(|c| c.duplicate = 0.5));
    assert_eq!(alone, lost(|c| c.reorder = 0.5));
}
