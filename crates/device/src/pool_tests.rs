use std::io::Write;
use std::os::unix::net::UnixDatagram;

use super::{LARGE_CHUNK, Pool, RETIRED, SMALL_CHUNK};

fn pair() -> (UnixDatagram, UnixDatagram) {
    UnixDatagram::pair().expect("a pair of sockets")
}

#[test]
fn a_packet_is_taken_without_what_stands_before_it() {
    let (a, b) = pair();
    let mut pool = Pool::new();
    for len in [0, 1, 100, 2048, 2049, 60_000] {
        let packet: Vec<u8> = (0..len + 10).map(|i| i as u8).collect();
        a.send(&packet).expect("sent");
        assert_eq!(pool.read(&b).expect("read"), packet);
        assert_eq!(pool.take(10), packet[10..]);
    }
}

#[test]
fn packets_that_are_kept_do_not_overwrite_each_other() {
    let (a, b) = pair();
    let mut pool = Pool::new();
    let mut kept = Vec::new();
    for (byte, len) in (0u8..60).zip([40, 3000, 64_000].into_iter().cycle()) {
        a.send(&vec![byte; len]).expect("sent");
        pool.read(&b).expect("read");
        kept.push((byte, len, pool.take(0)));
    }
    for (byte, len, packet) in kept {
        assert_eq!(packet, vec![byte; len]);
    }
}

#[test]
fn chunks_are_used_again_once_their_packets_are_gone() {
    let (a, b) = pair();
    let mut pool = Pool::new();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..1000 {
        a.send(&[7; 60_000]).expect("sent");
        pool.read(&b).expect("read");
        let packet = pool.take(0);
        seen.insert(packet.as_ptr() as usize / LARGE_CHUNK);
    }
    assert!(pool.large.retired.len() <= 1, "{} chunks", pool.large.retired.len());
    assert!(seen.len() <= 4, "{seen:?}");
}

#[test]
fn chunks_whose_packets_are_kept_are_not_hoarded() {
    let (a, b) = pair();
    let mut pool = Pool::new();
    let mut kept = Vec::new();
    for _ in 0..100 {
        a.send(&[7; 60_000]).expect("sent");
        pool.read(&b).expect("read");
        kept.push(pool.take(0));
    }
    assert_eq!(pool.large.retired.len(), RETIRED);
}

#[test]
fn small_packets_stand_side_by_side() {
    let (a, b) = pair();
    let mut pool = Pool::new();
    let packets: Vec<_> = (0..20)
        .map(|_| {
            a.send(&[7; 100]).expect("sent");
            pool.read(&b).expect("read");
            pool.take(0)
        })
        .collect();
    let first = packets[0].as_ptr() as usize;
    assert!(packets.iter().all(|p| p.as_ptr() as usize - first < SMALL_CHUNK));
}

#[test]
fn what_read_says_is_passed_on() {
    let (mut a, b) = std::os::unix::net::UnixStream::pair().expect("a pair of sockets");
    b.set_nonblocking(true).expect("nonblocking");
    let mut pool = Pool::new();
    assert_eq!(pool.read(&b).expect_err("nothing there").kind(), std::io::ErrorKind::WouldBlock);
    a.write_all(b"x").expect("written");
    assert_eq!(pool.read(&b).expect("read"), b"x");
}
