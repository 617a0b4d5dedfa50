use super::*;
use crate::secret::Secret;
use crate::slots::Key;

const MINUTE: Duration = Duration::from_secs(60);

fn sockets() -> Sockets {
    Sockets::new(Secret::new([1; 32]).table_hash())
}

fn id(index: u32) -> UdpId {
    UdpId(Key { index, generation: 0 })
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

#[test]
fn the_most_particular_socket_gets_the_datagram() {
    let mut sockets = sockets();
    sockets.bind(id(0), addr("0.0.0.0:53"));
    sockets.begin(id(2), addr("10.0.0.1:53"), addr("10.0.0.9:5000"), MINUTE, at(0));
    let found = |sockets: &Sockets, local, remote| sockets.find(addr(local), addr(remote));
    assert_eq!(found(&sockets, "10.0.0.1:53", "10.0.0.9:5000"), Some(id(2)));
    assert_eq!(found(&sockets, "10.0.0.1:53", "10.0.0.9:5001"), Some(id(0)));
    assert_eq!(found(&sockets, "10.0.0.1:54", "10.0.0.9:5000"), None);
    assert_eq!(found(&sockets, "[fd00::1]:53", "[fd00::9]:5000"), None);
}

#[test]
fn a_port_is_in_use_where_two_sockets_would_get_one_datagram() {
    let mut sockets = sockets();
    sockets.bind(id(0), addr("10.0.0.1:53"));
    assert!(!sockets.is_free(addr("10.0.0.1:53")));
    assert!(!sockets.is_free(addr("0.0.0.0:53")));
    assert!(sockets.is_free(addr("10.0.0.2:53")));
    assert!(sockets.is_free(addr("[::]:53")));
    assert!(sockets.remove(id(0)));
    assert!(sockets.is_free(addr("0.0.0.0:53")));
}

#[test]
fn a_flow_that_is_used_lives_on_and_an_idle_one_ends() {
    let mut sockets = sockets();
    sockets.begin(id(0), addr("10.0.0.1:53"), addr("10.0.0.9:1"), MINUTE, at(0));
    sockets.begin(id(1), addr("10.0.0.1:53"), addr("10.0.0.9:2"), MINUTE, at(0));
    sockets.used(id(1), at(30));
    assert_eq!(sockets.next_deadline(), Some(at(60)));
    assert_eq!(sockets.next_over(at(60)), Some(id(0)));
    sockets.remove(id(0));
    assert_eq!(sockets.next_over(at(60)), None);
    assert_eq!(sockets.next_deadline(), Some(at(90)));
    assert_eq!(sockets.flows(), 1);
}

#[test]
fn an_old_name_does_not_reach_a_new_socket() {
    let mut sockets = sockets();
    sockets.bind(id(0), addr("0.0.0.0:53"));
    let old = UdpId(Key { index: 0, generation: 7 });
    assert!(!sockets.remove(old));
    assert!(sockets.get_mut(old).is_none());
    assert!(sockets.get(id(0)).is_some());
}
