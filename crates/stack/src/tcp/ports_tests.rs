use std::collections::HashSet;
use std::vec::Vec;

use super::*;

fn ports(range: RangeInclusive<u16>) -> Ports {
    Ports::new(range, &Secret::new([7; 32]))
}

fn choose(ports: &mut Ports, remote: SocketAddr, free: impl Fn(u16) -> bool) -> Option<u16> {
    let (candidates, counter) = ports.candidates(here(), remote);
    let (tried, port) = candidates.enumerate().find(|(_, port)| free(*port))?;
    ports.chosen(counter, tried);
    Some(port)
}

fn here() -> IpAddr {
    IpAddr::from([10, 0, 0, 1])
}

fn there(last: u8) -> SocketAddr {
    ([10, 0, 0, last], 443).into()
}

/// Requirement: RFC6056-R01
#[test]
fn choices_spread_over_the_whole_range() {
    let mut ports = ports(1024..=65_535);
    let mut quarters = [0; 4];
    for host in 0..200 {
        let port = choose(&mut ports, there(host), |_| true).unwrap();
        quarters[usize::from(port - 1024) * 4 / 64_512] += 1;
    }
    assert!(quarters.iter().all(|count| *count > 25), "{quarters:?}");
}

/// Requirement: RFC6056-R03
/// Requirement: RFC5927-P07
#[test]
fn one_choice_does_not_give_away_the_next() {
    let mut ports = ports(1024..=65_535);
    let chosen: Vec<u16> =
        (0..100).map(|_| choose(&mut ports, there(2), |_| true).unwrap()).collect();
    let steps: HashSet<u16> = chosen.windows(2).map(|w| w[1].wrapping_sub(w[0])).collect();
    assert!(steps.len() > 8, "{steps:?}");
}

/// Requirement: RFC6056-P05
#[test]
fn destinations_see_different_sequences_and_ports_come_back_late() {
    let mut ports = ports(1024..=65_535);
    let mut one = Vec::new();
    let mut other = Vec::new();
    for _ in 0..1000 {
        one.push(choose(&mut ports, there(2), |_| true).unwrap());
        other.push(choose(&mut ports, there(3), |_| true).unwrap());
    }
    assert_ne!(one[0], other[0]);
    assert_eq!(one.iter().collect::<HashSet<_>>().len(), 1000);
}

/// Requirement: RFC6056-P04
#[test]
fn every_port_is_used_before_choosing_fails() {
    let mut ports = ports(40_000..=40_009);
    let mut used = HashSet::new();
    for _ in 0..10 {
        let port = choose(&mut ports, there(2), |port| !used.contains(&port)).unwrap();
        assert!(used.insert(port));
    }
    assert_eq!(choose(&mut ports, there(2), |port| !used.contains(&port)), None);
    used.remove(&40_004);
    let freed = choose(&mut ports, there(2), |port| !used.contains(&port));
    assert_eq!(freed, Some(40_004));
}

/// Requirement: RFC6056-R02
/// Requirement: RFC6056-R06
#[test]
fn reserved_ports_are_never_chosen() {
    let mut ports = ports(1024..=1033);
    for _ in 0..100 {
        let port = choose(&mut ports, there(2), |port| port != 1030).unwrap();
        assert_ne!(port, 1030);
    }
}

#[test]
fn an_empty_range_gives_nothing() {
    #[expect(clippy::reversed_empty_ranges)]
    let mut ports = ports(2..=1);
    assert_eq!(choose(&mut ports, there(2), |_| true), None);
}
