use std::vec;
use std::vec::Vec;

use super::*;
use crate::secret::Secret;

const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 9]);

fn neighbours() -> Neighbours {
    Neighbours::new(Secret::new([1; 32]).table_hash())
}

fn ip(n: u16) -> IpAddr {
    let [a, b] = n.to_be_bytes();
    IpAddr::from([10, 0, a, b])
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn packet(number: u8) -> Outbound {
    let mut packet = Outbound::default();
    packet.header.push(number);
    packet
}

fn questions(neighbours: &mut Neighbours) -> Vec<Question> {
    core::iter::from_fn(|| neighbours.next_question()).collect()
}

#[test]
fn a_packet_waits_until_its_neighbour_answers() {
    let mut neighbours = neighbours();
    assert_eq!(neighbours.lookup(ip(1), at(0)), None);
    assert_eq!(neighbours.wait(ip(1), packet(1)), None);
    assert_eq!(questions(&mut neighbours), [Question { target: ip(1), ask: None }]);
    let waited = neighbours.learn(ip(1), MAC, Evidence::Answer, at(5));
    assert_eq!(waited, [packet(1)]);
    assert_eq!(neighbours.lookup(ip(1), at(6)), Some(MAC));
    assert_eq!(questions(&mut neighbours), []);
}

#[test]
fn many_packets_at_once_ask_one_question() {
    let mut neighbours = neighbours();
    for number in 0..10 {
        assert_eq!(neighbours.lookup(ip(1), at(0)), None);
        neighbours.wait(ip(1), packet(number));
    }
    assert_eq!(questions(&mut neighbours).len(), 1);
}

#[test]
fn the_oldest_waiting_packet_makes_room() {
    let mut neighbours = neighbours();
    neighbours.lookup(ip(1), at(0));
    for number in 0..WAITING {
        assert_eq!(neighbours.wait(ip(1), packet(number as u8)), None);
    }
    assert_eq!(neighbours.wait(ip(1), packet(200)), Some(packet(0)));
}

#[test]
fn packets_for_many_silent_neighbours_take_bounded_room() {
    let mut neighbours = neighbours();
    for n in 0..100 {
        neighbours.lookup(ip(n), at(0));
        for number in 0..100 {
            neighbours.wait(ip(n), packet(number));
        }
    }
    let waiting = |neighbours: &Neighbours| {
        neighbours.entries.iter().map(|(_, neighbour)| neighbour.waiting.len()).sum::<usize>()
    };
    assert_eq!(waiting(&neighbours), WAITING_IN_ALL);
    assert_eq!(neighbours.learn(ip(0), MAC, Evidence::Answer, at(1)).len(), 100);
    neighbours.lookup(ip(200), at(1));
    assert_eq!(neighbours.wait(ip(200), packet(1)), None, "there is room again");
    while let Some(next) = neighbours.next_deadline() {
        while neighbours.pop_failed(next).is_some() {}
    }
    assert_eq!((waiting(&neighbours), neighbours.waiting), (0, 0));
}

#[test]
fn a_silent_neighbour_is_asked_three_times_and_given_up() {
    let mut neighbours = neighbours();
    neighbours.lookup(ip(1), at(0));
    neighbours.wait(ip(1), packet(1));
    let mut asked = questions(&mut neighbours).len();
    for second in 1..3 {
        assert_eq!(neighbours.next_deadline(), Some(at(second * 1000)));
        assert_eq!(neighbours.pop_failed(at(second * 1000)), None);
        asked += questions(&mut neighbours).len();
    }
    assert_eq!(asked, 3);
    let failed = neighbours.pop_failed(at(3000));
    assert_eq!(failed, Some((ip(1), VecDeque::from(vec![packet(1)]))));
    assert_eq!(neighbours.next_deadline(), None);
    assert_eq!(neighbours.entries.len(), 0);
}

#[test]
fn a_stale_neighbour_is_used_and_asked_again_after_a_while() {
    let mut neighbours = neighbours();
    neighbours.lookup(ip(1), at(0));
    neighbours.learn(ip(1), MAC, Evidence::Answer, at(0));
    questions(&mut neighbours);
    assert_eq!(neighbours.lookup(ip(1), at(29_999)), Some(MAC));
    assert_eq!(neighbours.pop_failed(at(29_999)), None);
    assert_eq!(neighbours.lookup(ip(1), at(30_000)), Some(MAC));
    assert_eq!(neighbours.next_deadline(), Some(at(35_000)));
    assert_eq!(questions(&mut neighbours), []);
    assert_eq!(neighbours.pop_failed(at(35_000)), None);
    assert_eq!(questions(&mut neighbours), [Question { target: ip(1), ask: Some(MAC) }]);
    assert_eq!(neighbours.lookup(ip(1), at(35_500)), Some(MAC));
    assert_eq!(questions(&mut neighbours), []);
    assert_eq!(neighbours.pop_failed(at(36_000)), None);
    assert_eq!(neighbours.pop_failed(at(37_000)), None);
    assert_eq!(neighbours.pop_failed(at(38_000)), Some((ip(1), Waiting::new())));
}

#[test]
fn who_asks_for_us_is_learnt_but_not_trusted_for_long() {
    let mut neighbours = neighbours();
    neighbours.learn(ip(1), MAC, Evidence::AskedUs, at(0));
    assert_eq!(neighbours.lookup(ip(1), at(0)), Some(MAC));
    assert_eq!(questions(&mut neighbours), [], "it need not be asked back at once");
    assert_eq!(neighbours.pop_failed(at(5000)), None);
    assert_eq!(questions(&mut neighbours).len(), 1);
}

#[test]
fn announcements_and_unasked_answers_of_strangers_are_not_believed() {
    let mut neighbours = neighbours();
    neighbours.learn(ip(1), MAC, Evidence::Announcement, at(0));
    neighbours.learn(ip(2), MAC, Evidence::Answer, at(0));
    assert_eq!(neighbours.entries.len(), 0);
}

#[test]
fn an_announcement_of_a_new_address_moves_a_known_neighbour() {
    let mut neighbours = neighbours();
    neighbours.lookup(ip(1), at(0));
    neighbours.learn(ip(1), MAC, Evidence::Answer, at(0));
    questions(&mut neighbours);
    let moved = MacAddr([2, 0, 0, 0, 0, 10]);
    neighbours.learn(ip(1), moved, Evidence::Announcement, at(1));
    assert_eq!(neighbours.lookup(ip(1), at(2)), Some(moved));
    assert_eq!(neighbours.pop_failed(at(5002)), None);
    assert_eq!(questions(&mut neighbours), [Question { target: ip(1), ask: Some(moved) }]);
}

#[test]
fn a_link_full_of_askers_takes_bounded_room() {
    let mut neighbours = neighbours();
    for n in 0..5000 {
        neighbours.learn(ip(n), MAC, Evidence::AskedUs, at(u64::from(n)));
    }
    assert_eq!((neighbours.entries.len(), neighbours.by_ip.len()), (CAPACITY, CAPACITY));
    assert_eq!(neighbours.iter().count(), CAPACITY);
    assert!(neighbours.by_ip.contains_key(&ip(4999)));
}
