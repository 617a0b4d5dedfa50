use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn addresses(list: &[&str]) -> Addresses {
    let mut addresses = Addresses::default();
    for text in list {
        addresses.add(text.parse().unwrap());
    }
    addresses
}

#[test]
fn broadcasts_and_the_groups_of_all_hosts_reach_us() {
    let ours = addresses(&["10.0.0.1/24", "fd00::1:2/64"]);
    for group in ["10.0.0.255", "255.255.255.255", "224.0.0.1", "ff02::1", "ff02::1:ff01:2"] {
        assert_eq!(ours.destination(ip(group)), Destination::Group, "{group}");
    }
    for other in ["10.0.0.2", "10.0.1.255", "224.0.0.251", "ff02::fb", "ff02::1:ff01:3"] {
        assert_eq!(ours.destination(ip(other)), Destination::Other, "{other}");
    }
    assert_eq!(ours.destination(ip("fd00::1:2")), Destination::Own);
}

/// Requirement: RFC1122-R03
#[test]
fn only_another_single_host_is_a_valid_source() {
    let ours = addresses(&["10.0.0.1/24", "fd00::1/64"]);
    let never = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"];
    let not_here = ["10.0.0.255", "10.0.0.1", "::", "::1", "ff02::1", "::ffff:1.2.3.4", "fd00::1"];
    for source in never.into_iter().chain(not_here) {
        assert!(!ours.is_valid_source(ip(source)), "{source}");
    }
    for source in ["10.0.0.2", "10.0.1.255", "fd00::2", "fe80::2"] {
        assert!(ours.is_valid_source(ip(source)), "{source}");
    }
}

/// Requirement: RFC9293-MUST-44
#[test]
fn the_source_is_the_address_nearest_to_the_peer() {
    let ours = addresses(&["10.0.0.1/24", "192.168.7.1/16", "fe80::1/64", "fd00::1/64"]);
    assert_eq!(ours.closest_to(ip("192.168.9.9")), Some(ip("192.168.7.1")));
    assert_eq!(ours.closest_to(ip("10.9.9.9")), Some(ip("10.0.0.1")));
    assert_eq!(ours.closest_to(ip("fe80::9")), Some(ip("fe80::1")));
    assert_eq!(ours.closest_to(ip("ff02::9")), Some(ip("fe80::1")));
    assert_eq!(ours.closest_to(ip("2001:db8::9")), Some(ip("fd00::1")));
    assert_eq!(addresses(&["10.0.0.1/24"]).closest_to(ip("fd00::1")), None);
}

#[test]
fn a_removed_address_is_nobody_s() {
    let mut ours = addresses(&["10.0.0.1/24", "10.0.0.2/24"]);
    assert_eq!(ours.remove(ip("10.0.0.1")), "10.0.0.1/24".parse().ok());
    assert_eq!(ours.remove(ip("10.0.0.1")), None);
    assert_eq!(ours.destination(ip("10.0.0.1")), Destination::Other);
    assert_eq!(ours.iter().count(), 1);
}
