use std::string::ToString;

use super::*;

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_network_contains_what_shares_its_prefix() {
    assert!(cidr("10.1.2.3/24").contains(ip("10.1.2.255")));
    assert!(!cidr("10.1.2.3/24").contains(ip("10.1.3.3")));
    assert!(cidr("0.0.0.0/0").contains(ip("203.0.113.9")));
    assert!(!cidr("0.0.0.0/0").contains(ip("::1")));
    assert!(cidr("fd00::1/64").contains(ip("fd00::ffff")));
    assert!(!cidr("fd00::1/64").contains(ip("fd00:0:0:1::1")));
    assert!(!cidr("10.0.0.1/32").contains(ip("10.0.0.2")));
}

#[test]
fn the_broadcast_address_has_all_host_bits_set() {
    assert!(cidr("10.1.2.3/24").is_broadcast(ip("10.1.2.255")));
    assert!(!cidr("10.1.2.3/24").is_broadcast(ip("10.1.2.254")));
    assert!(cidr("10.1.2.3/22").is_broadcast(ip("10.1.3.255")));
    assert!(cidr("10.1.2.3/0").is_broadcast(ip("255.255.255.255")));
}

#[test]
fn networks_of_one_or_two_addresses_and_ipv6_have_no_broadcast_address() {
    assert!(!cidr("10.1.2.3/31").is_broadcast(ip("10.1.2.3")));
    assert!(!cidr("10.1.2.3/32").is_broadcast(ip("10.1.2.3")));
    assert!(!cidr("fd00::1/64").is_broadcast(ip("fd00::ffff:ffff:ffff:ffff")));
}

#[test]
fn it_reads_what_it_writes() {
    for text in ["10.1.2.3/24", "0.0.0.0/0", "fd00::1/64", "::/0"] {
        assert_eq!(cidr(text).to_string(), text);
    }
}

#[test]
fn a_text_without_a_fitting_prefix_length_is_refused() {
    for text in ["10.1.2.3", "10.1.2.3/33", "fd00::1/129", "10.1.2/24", "/8", "10.1.2.3/-1"] {
        assert_eq!(text.parse::<Cidr>(), Err(CidrError), "{text}");
    }
}
