//! Two hosts, joined back to back: opening, moving bytes, closing.

mod common;

use std::sync::Arc;

use common::{Net, millis, seconds, sock};
use handclasp_stack::host::TableSizes;
use handclasp_stack::listen::Backlog;
use handclasp_tcp::connection::Error;
use handclasp_tcp::{Config, Connection, State};
use handclasp_wire::tcp::Flags;

/// Moves `len` bytes from the client to the server and the same back, then closes.
fn exchange(net: &mut Net, len: usize) {
    let (client, server) = net.open();
    let data: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
    let (mut written, mut echoed) = (0, Vec::new());
    for _ in 0..10_000 {
        if echoed.len() == len {
            break;
        }
        if written < len {
            written += net.nodes[0].write(client, &data[written..]);
        }
        net.run(millis(5));
        let heard = net.nodes[1].read(server);
        assert_eq!(net.nodes[1].write(server, &heard), heard.len());
        net.run(millis(5));
        echoed.extend(net.nodes[0].read(client));
    }
    assert!(echoed == data, "{} of {len} bytes came back", echoed.len());
    net.nodes[0].close(client);
    net.run(millis(10));
    net.nodes[1].close(server);
    net.run(millis(10));
}

/// Requirement: RFC9293-P08
#[test]
fn bytes_go_and_come_back_over_a_link_without_link_header() {
    let mut net = Net::ip();
    exchange(&mut net, 500_000);
    assert_eq!(net.nodes[0].host.table_sizes().time_wait, 1);
    assert_eq!(net.nodes[1].host.table_sizes(), TableSizes::default());
}

#[test]
fn bytes_go_and_come_back_over_ethernet() {
    exchange(&mut Net::ethernet(), 500_000);
}

#[test]
fn bytes_go_and_come_back_over_ipv6() {
    for mut net in [Net::ip(), Net::ethernet()] {
        let listener = net.nodes[1].listen("[::]:80", Backlog::default());
        let client = net.nodes[0].connect("[fd00::2]:80");
        net.nodes[0].write(client, b"hello");
        net.run(millis(20));
        let server = net.nodes[1].host.accept(listener).unwrap().id;
        assert_eq!(net.nodes[1].read(server), b"hello");
        net.nodes[1].write(server, b"world");
        net.run(millis(20));
        assert_eq!(net.nodes[0].read(client), b"world");
    }
}

#[test]
fn bursts_go_whole_where_the_device_cuts_them() {
    let mut net = Net::ip();
    for node in &mut net.nodes {
        let mut interface = node.host.interface().clone();
        interface.tx_checksum = true;
        interface.burst = 60_000;
        let mut host = handclasp_stack::Host::new(
            handclasp_stack::HostConfig::default(),
            interface,
            &handclasp_stack::Secret::new([9; 32]),
        );
        for address in node.host.addresses() {
            host.add_address(*address, node.now);
        }
        node.host = host;
    }
    let listener = net.nodes[1].listen("0.0.0.0:80", Backlog::default());
    let client = net.nodes[0].connect("10.0.0.2:80");
    net.run(millis(10));
    let server = net.nodes[1].host.accept(listener).unwrap().id;
    let mut total = 0;
    for _ in 0..100 {
        net.nodes[0].write(client, &[7; 60_000]);
        net.run(millis(5));
        total += net.nodes[1].read(server).len();
    }
    assert!(total > 1_000_000, "{total}");
    let largest = net.sent.iter().map(|sent| sent.data.len()).max().unwrap();
    assert!(largest > 30_000, "{largest}");
    assert!(net.nodes[0].host.counters().tcp_out_segs > total as u64 / 1460);
}

#[test]
fn when_both_have_closed_and_time_has_passed_nothing_is_left() {
    let mut net = Net::ethernet();
    exchange(&mut net, 1000);
    net.run(seconds(60));
    for node in &net.nodes {
        let sizes = node.host.table_sizes();
        assert_eq!(sizes, TableSizes { neighbours: sizes.neighbours, ..TableSizes::default() });
        assert!(node.store.is_empty());
        assert_eq!(node.budget.used(), 0);
    }
    assert_eq!(net.nodes[0].host.counters().tcp_ext_tw, 1);
}

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let mut net = Net::ip();
    let listener = net.nodes[1].listen("0.0.0.0:80", Backlog::default());
    for _ in 0..10 {
        let clients: Vec<_> = (0..1000).map(|_| net.nodes[0].connect("10.0.0.2:80")).collect();
        net.run(millis(10));
        clients.into_iter().for_each(|id| net.nodes[0].close(id));
        net.run(millis(10));
        while let Some(accepted) = net.nodes[1].host.accept(listener) {
            net.nodes[1].close(accepted.id);
        }
        net.run(millis(10));
        net.sent.clear();
    }
    assert_eq!(net.nodes[0].host.table_sizes().time_wait, 10_000);
    net.run(seconds(60));
    for node in &net.nodes {
        assert_eq!(node.host.table_sizes(), TableSizes::default());
        assert_eq!(node.host.next_deadline(), None);
        assert!(node.store.is_empty());
        assert_eq!(node.budget.used(), 0);
    }
    assert_eq!(net.nodes[1].host.counters().tcp_passive_opens, 10_000);
}

/// Requirement: RFC9293-MUST-13
/// Requirement: RFC9293-P54
#[test]
fn time_wait_lasts_twice_the_segment_lifetime() {
    let mut net = Net::ip();
    exchange(&mut net, 1);
    let waiting = |net: &Net| net.nodes[0].host.table_sizes().time_wait;
    net.run(seconds(59));
    assert_eq!(waiting(&net), 1);
    net.run(seconds(1));
    assert_eq!(waiting(&net), 0);
}

#[test]
fn a_stranger_s_port_refuses() {
    let mut net = Net::ip();
    let client = net.nodes[0].connect("10.0.0.2:81");
    net.run(millis(10));
    assert_eq!(net.nodes[0].error(client), Some(Error::Refused));
    assert_eq!(net.nodes[0].host.table_sizes(), TableSizes::default());
    let counters = net.nodes[0].host.counters();
    assert_eq!((counters.tcp_active_opens, counters.tcp_attempt_fails), (1, 1));
    assert_eq!(net.nodes[1].host.counters().tcp_out_rsts, 1);
}

#[test]
fn many_senders_take_turns() {
    let mut net = Net::ip();
    let listener = net.nodes[1].listen("0.0.0.0:80", Backlog::default());
    let clients: Vec<_> = (0..8).map(|_| net.nodes[0].connect("10.0.0.2:80")).collect();
    net.run(millis(10));
    assert!((0..8).all(|_| net.nodes[1].host.accept(listener).is_some()));
    for client in &clients {
        net.nodes[0].write(*client, &[0; 8000]);
    }
    let first: Vec<u16> = net.nodes[0]
        .poll(16)
        .iter()
        .map(|packet| u16::from_be_bytes([packet.data[20], packet.data[21]]))
        .collect();
    assert_eq!(first.len(), 16);
    assert_eq!(first[..8], first[8..], "each had its turn before any had a second");
}

#[test]
fn a_link_that_takes_nothing_loses_nothing() {
    let mut net = Net::ip();
    let (client, server) = net.open();
    net.nodes[0].write(client, &[1; 10_000]);
    assert_eq!(net.nodes[0].poll(0), []);
    assert!(net.nodes[0].host.wants_to_transmit());
    net.run(millis(20));
    assert_eq!(net.nodes[1].read(server).len(), 10_000);
    assert_eq!(net.nodes[0].host.counters().tcp_retrans_segs, 0);
}

/// Requirement: RFC9293-MUST-42
/// Requirement: RFC9293-MUST-41
#[test]
fn listening_works_on_the_port_of_a_connection_being_opened() {
    let mut net = Net::ip();
    let far = net.nodes[1].listen("0.0.0.0:80", Backlog::default());
    let from = Some(sock("10.0.0.1:5000"));
    let client = net.nodes[0].connect_from(from, "10.0.0.2:80", Config::default()).unwrap();
    assert_eq!(net.nodes[0].state(client), State::SynSent);
    let near = net.nodes[0].listen("0.0.0.0:5000", Backlog::default());
    let other = net.nodes[1].connect("10.0.0.1:5000");
    net.run(millis(20));
    assert_eq!(net.nodes[0].state(client), State::Established);
    assert_eq!(net.nodes[1].state(other), State::Established);
    assert!(net.nodes[1].host.accept(far).is_some());
    assert!(net.nodes[0].host.accept(near).is_some());
}

#[test]
fn both_can_open_at_once() {
    let mut net = Net::ip();
    let open = |net: &mut Net, node: usize, from: &str, to: &str| {
        net.nodes[node].connect_from(Some(sock(from)), to, Config::default()).unwrap()
    };
    let first = open(&mut net, 0, "10.0.0.1:5000", "10.0.0.2:6000");
    let second = open(&mut net, 1, "10.0.0.2:6000", "10.0.0.1:5000");
    net.run(millis(20));
    assert_eq!(net.nodes[0].state(first), State::Established);
    assert_eq!(net.nodes[1].state(second), State::Established);
}

#[test]
fn a_host_can_talk_to_itself() {
    let mut net = Net::ethernet();
    let node = &mut net.nodes[0];
    let listener = node.listen("10.0.0.1:80", Backlog::default());
    let client = node.connect("10.0.0.1:80");
    node.write(client, b"to myself");
    for _ in 0..10 {
        assert_eq!(node.segments().len(), 0, "nothing leaves");
    }
    let server = node.host.accept(listener).unwrap().id;
    assert_eq!(node.read(server), b"to myself");
}

/// Requirement: RFC6056-P04
#[test]
fn ports_run_out_with_an_error_and_an_abort_frees_one() {
    let config = {
        let mut config = handclasp_stack::HostConfig::default();
        config.ephemeral_ports = 40_000..=40_003;
        config.reserved_ports = vec![40_001];
        config
    };
    let mut node = common::Node::on_ip(config);
    let opened: Vec<_> = (0..3).map(|_| node.connect("10.0.0.2:80")).collect();
    let again = |node: &mut common::Node| node.connect_from(None, "10.0.0.2:80", Config::default());
    let full = Err(handclasp_stack::open::ConnectError::NoFreePort);
    assert_eq!(again(&mut node), full);
    assert!(node.connect_from(None, "10.0.0.2:81", Config::default()).is_ok(), "another pair");
    node.with(opened[1], Connection::abort);
    node.transmit();
    assert!(again(&mut node).is_ok());
    assert_eq!(again(&mut node), full);
}

/// Requirement: RFC9293-MUST-46
/// Requirement: RFC9293-P29
/// Requirement: RFC9293-MUST-43
#[test]
fn what_cannot_be_opened_fails_at_once() {
    use handclasp_stack::open::ConnectError;
    let mut node = common::Node::on_ip(handclasp_stack::HostConfig::default());
    let mut open =
        |from: Option<&str>, to| node.connect_from(from.map(sock), to, Config::default());
    let groups = ["255.255.255.255:80", "10.0.0.255:80", "224.0.0.1:80", "[ff02::1]:80"];
    for remote in groups.into_iter().chain(["0.0.0.0:80", "[::]:80", "10.0.0.2:0"]) {
        assert_eq!(open(None, remote), Err(ConnectError::NotUnicast), "{remote}");
    }
    for from in ["10.0.0.9:5000", "[fd00::1]:5000"] {
        assert_eq!(open(Some(from), "10.0.0.2:80"), Err(ConnectError::NotOurs), "{from}");
    }
    let from = Some("10.0.0.1:5000");
    assert!(open(from, "10.0.0.2:80").is_ok());
    assert_eq!(open(from, "10.0.0.2:80"), Err(ConnectError::InUse));
    assert!(open(from, "10.0.0.2:81").is_ok());
    node.host.remove_route(&common::read("0.0.0.0/0"));
    let unreachable = node.connect_from(None, "192.0.2.1:80", Config::default());
    assert_eq!(unreachable, Err(ConnectError::NoRoute));
}

/// Requirement: RFC9293-MUST-45
#[test]
fn a_connection_keeps_its_address_when_better_ones_come() {
    let mut net = Net::ip();
    let (client, server) = net.open();
    let node = &mut net.nodes[0];
    node.add("10.0.0.3/30");
    node.host.add_route(handclasp_stack::Route {
        source: Some(common::ip("10.0.0.3")),
        ..handclasp_stack::Route::on_link(common::read("10.0.0.2/32"))
    });
    node.write(client, b"still me");
    net.run(millis(10));
    assert_eq!(net.nodes[1].read(server), b"still me");
    let segments = net.segments();
    let ours = segments.iter().filter(|(from, _)| *from == 0);
    assert!(ours.clone().count() > 2);
    assert!(ours.map(|(_, segment)| segment.src.ip()).all(|ip| ip == common::ip("10.0.0.1")));
    let fresh = net.nodes[0].connect("10.0.0.2:80");
    let local = net.nodes[0].store.get(fresh).unwrap().tuple().local_ip;
    assert_eq!(local, common::ip("10.0.0.3"));
}

#[test]
fn the_first_address_of_a_network_speaks_until_it_goes() {
    let mut net = Net::ip();
    let speaks = |net: &mut Net| {
        let id = net.nodes[0].connect("10.0.0.2:80");
        net.nodes[0].store.get(id).unwrap().tuple().local_ip.to_string()
    };
    net.nodes[0].add("10.0.0.3/24");
    assert_eq!(speaks(&mut net), "10.0.0.1");
    net.nodes[0].host.remove_address(common::ip("10.0.0.1"));
    assert_eq!(speaks(&mut net), "10.0.0.3");
    net.nodes[0].host.remove_address(common::ip("10.0.0.3"));
    let nowhere = net.nodes[0].connect_from(None, "10.0.0.2:80", Config::default());
    assert_eq!(nowhere, Err(handclasp_stack::open::ConnectError::NoRoute));
}

#[test]
fn an_address_that_goes_and_comes_back_takes_its_connections_along() {
    let mut net = Net::ip();
    let (client, server) = net.open();
    assert!(net.nodes[1].host.remove_address(common::ip("10.0.0.2")));
    net.nodes[0].write(client, b"where are you?");
    net.run(seconds(1));
    assert_eq!(net.nodes[1].read(server), b"");
    net.nodes[1].add("10.0.0.2/24");
    net.run(seconds(2));
    assert_eq!(net.nodes[1].read(server), b"where are you?");
}

#[test]
fn a_listener_that_closes_resets_what_nobody_accepted() {
    let mut net = Net::ip();
    let listener = net.nodes[1].listen("0.0.0.0:80", Backlog::default());
    let client = net.nodes[0].connect("10.0.0.2:80");
    net.run(millis(10));
    let node = &mut net.nodes[1];
    let cx = handclasp_tcp::Context::new(node.now, &node.budget);
    node.host.close_listener(&mut node.store, &cx, listener);
    net.run(millis(10));
    assert_eq!(net.nodes[0].error(client), Some(Error::Reset));
    assert_eq!(net.nodes[1].host.table_sizes(), TableSizes::default());
    assert!(net.nodes[1].store.is_empty());
    let segments = net.segments();
    assert!(segments.last().unwrap().1.header.flags.contains(Flags::RST));
}

#[test]
fn a_port_of_zero_listens_where_the_host_chooses() {
    let mut net = Net::ip();
    let listener = net.nodes[1].listen("0.0.0.0:0", Backlog::default());
    let local = net.nodes[1].host.listening_at(listener).unwrap();
    assert!(local.port() >= 1024);
    let remote = format!("10.0.0.2:{}", local.port());
    let client = net.nodes[0].connect(&remote);
    net.run(millis(10));
    assert_eq!(net.nodes[0].state(client), State::Established);
}

#[test]
fn a_shared_config_serves_many() {
    let config = Arc::new(Config::default());
    let mut net = Net::ip();
    let node = &mut net.nodes[1];
    for port in 80..90 {
        let local = sock(&format!("0.0.0.0:{port}"));
        node.host.listen(local, Backlog::default(), config.clone()).unwrap();
    }
    assert_eq!(Arc::strong_count(&config), 11);
}
