//! TUN interfaces and packet sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::host::{Host, OUR_MAC, PATIENCE, PEER_MAC, block_on, frame, inside, tun, veth};
use bytes::Bytes;
use handclasp_device::device::Device;
use handclasp_device::packet::PacketSocket;
use handclasp_device::tun::{FdOptions, Tun};
use handclasp_lab::isolated::{Isolated, Need, in_namespace};
use handclasp_lab::lab::{Lab, LabConfig, OUR_INTERFACE, OUR_IPV4, PEER_INTERFACE, PEER_IPV4};
use handclasp_lab::link::Links;
use handclasp_lab::pattern::Pattern;
use handclasp_wire::arp::{Arp, Operation};
use handclasp_wire::ethernet::{EtherType, Ethernet, MacAddr};
use handclasp_wire::frame::{Inbound, Medium, Outbound, RxChecksum};
use handclasp_wire::icmp::Echo;
use handclasp_wire::icmpv4::Icmpv4;
use handclasp_wire::ip::protocol;
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::tcp::header::Header;
use smallvec::smallvec;

#[test]
fn the_kernel_answers_an_arp_request_of_ours() {
    in_namespace(|| {
        block_on(async {
            let (_lab, mut host) = veth();
            let request = Arp::request(OUR_MAC, OUR_IPV4, PEER_IPV4);
            host.send(frame(&request, MacAddr::BROADCAST)).await.expect("sent");
            let answer = host.find(|packet, _| match packet.net {
                Net::Arp(arp) if arp.operation() == Operation::REPLY => Some(arp.to_repr()),
                _ => None,
            });
            assert_eq!(answer.await, request.reply(PEER_MAC));
        });
    });
}

pub(crate) fn echo_request<D: Device>(host: &Host<D>, sequence: u16) -> Outbound {
    let message = Icmpv4::EchoRequest(Echo { identifier: 7, sequence, data: b"handclasp" });
    let mut header = host.headers(protocol::ICMPV4, message.emitted_len());
    message.emit(&mut header);
    Outbound { header, ..Outbound::default() }
}

/// The number of the request that this answers.
pub(crate) fn echo_reply(packet: &Packet<'_>, _: &Inbound) -> Option<u16> {
    let Transport::Icmpv4(icmp) = packet.transport else { return None };
    match icmp.to_repr() {
        Icmpv4::EchoReply(Echo { identifier: 7, sequence, data: b"handclasp" }) => Some(sequence),
        _ => None,
    }
}

/// The kernel finds our hardware address by asking for it.
async fn ping<D: Device>(host: &mut Host<D>) {
    host.send(echo_request(host, 1)).await.expect("sent");
    assert_eq!(host.find(echo_reply).await, 1);
}

#[test]
fn the_kernel_answers_an_echo_request_through_a_packet_socket() {
    in_namespace(|| block_on(async { ping(&mut veth().1).await }));
}

#[test]
fn the_kernel_answers_an_echo_request_through_a_tun_interface() {
    Isolated::new().needs(Need::Tun).run(|| block_on(async { ping(&mut tun().1).await }));
}

/// What the kernel writes at once comes as few packets, without finished checksums.
async fn receive_large<D: Device>(lab: &Lab, mut host: Host<D>) {
    let (mut stream, ours) = host.accept(lab).await;
    let mut sent = vec![0; 10_000];
    Pattern::new(1).fill(0, &mut sent);
    stream.write_all(&sent).expect("written");
    let (tcp, inbound) = loop {
        let (tcp, inbound) = host.find_segment().await;
        assert_eq!(inbound.checksum, RxChecksum::Trusted);
        if inbound.segment_size.is_some() {
            break (tcp, inbound);
        }
    };
    assert_eq!(inbound.segment_size, Some(1460));
    let medium = host.device.capabilities().medium;
    let packet = Packet::parse(medium, &inbound.data).expect("a packet");
    let payload = &inbound.data[packet.layout.payload()];
    assert!(payload.len() > 1460, "{} bytes", payload.len());
    let offset = u64::from(tcp.seq.0.wrapping_sub(ours.ack.0));
    assert_eq!(Pattern::new(1).check(offset, payload), Ok(()));
}

#[test]
fn a_large_segment_of_the_kernels_comes_whole_through_a_packet_socket() {
    in_namespace(|| {
        block_on(async {
            let (lab, host) = veth();
            receive_large(&lab, host).await;
        });
    });
}

#[test]
fn a_large_segment_of_the_kernels_comes_whole_through_a_tun_interface() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let (lab, host) = tun();
            receive_large(&lab, host).await;
        });
    });
}

/// What we send at once the kernel cuts, or need not, and finishes.
async fn send_large<D: Device>(lab: &Lab, mut host: Host<D>) {
    let (mut stream, ours) = host.accept(lab).await;
    let mut bytes = vec![0; 50_001];
    Pattern::new(2).fill(0, &mut bytes);
    let whole = Bytes::from(bytes);
    let slices = [whole.slice(..7), whole.slice(7..30_000), whole.slice(30_000..)];
    let large = Outbound { segment_size: Some(1460), ..host.segment(&ours, &slices) };
    host.send(large).await.expect("sent");
    let mut got = vec![0; 50_001];
    stream.read_exact(&mut got).expect("read");
    assert_eq!(Pattern::new(2).check(0, &got), Ok(()));
    // One that fits in a segment asks for nothing but its checksum.
    let next = Header { seq: ours.seq + 50_001, ..ours };
    let small = host.segment(&next, &[Bytes::from_static(b"end")]);
    host.send(Outbound { segment_size: Some(1460), ..small }).await.expect("sent");
    stream.read_exact(&mut got[..3]).expect("read");
    assert_eq!(&got[..3], b"end");
}

#[test]
fn a_large_segment_of_ours_reaches_the_kernel_through_a_packet_socket() {
    in_namespace(|| {
        block_on(async {
            let (lab, host) = veth();
            send_large(&lab, host).await;
        });
    });
}

#[test]
fn a_large_segment_of_ours_reaches_the_kernel_through_a_tun_interface() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let (lab, host) = tun();
            send_large(&lab, host).await;
        });
    });
}

#[test]
fn without_the_vnet_header_packets_are_complete_and_fit_the_mtu() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let lab = Lab::tun(&LabConfig::default()).expect("a lab");
            let open = || Tun::builder().name(PEER_INTERFACE).vnet_header(false).open();
            let mut host = Host::new(inside(&lab, open).expect("a TUN interface"));
            lab.configure_tun().expect("configured");
            let capabilities = host.device.capabilities();
            assert!(!capabilities.tso_v4 && !capabilities.tx_checksum);
            let connecting = lab.peer().spawn(|| TcpStream::connect((OUR_IPV4, 80)));
            let (_, inbound) = host.find_segment().await;
            assert_eq!(inbound.checksum, RxChecksum::Unknown);
            let packet = Packet::parse(Medium::Ip, &inbound.data).expect("a packet");
            assert_eq!(packet.checksum_ok(), Some(true));
            drop(connecting);
        });
    });
}

#[test]
fn the_stack_has_a_hardware_address_of_its_own() {
    in_namespace(|| {
        block_on(async {
            let (_lab, host) = veth();
            assert_eq!(host.device.capabilities().hardware_address, Some(OUR_MAC));
            let random = PacketSocket::builder(OUR_INTERFACE).open().expect("a packet socket");
            let address = random.capabilities().hardware_address.expect("an address");
            assert!(address.is_unicast());
            assert_eq!(address.0[0] & 2, 2, "administered locally");
            let group = PacketSocket::builder(OUR_INTERFACE)
                .hardware_address(MacAddr::BROADCAST)
                .open()
                .expect_err("no host's address");
            assert_eq!(group.kind(), ErrorKind::InvalidInput);
        });
    });
}

#[test]
fn frames_to_others_are_not_seen_but_those_to_groups_are() {
    in_namespace(|| {
        block_on(async {
            let (lab, mut host) = veth();
            let far = inside(&lab, || PacketSocket::builder(PEER_INTERFACE).open());
            let mut far = Host::new(far.expect("a packet socket"));
            let others = MacAddr([2, 9, 9, 9, 9, 9]);
            let group = MacAddr([0x33, 0x33, 0, 0, 0, 1]);
            let almost = MacAddr([2, 0x77, 0, 0, 1, 1]);
            for (to, number) in [(others, 1), (OUR_MAC, 2), (almost, 3), (group, 4), (OUR_MAC, 5)] {
                far.send(numbered(to, number)).await.expect("sent");
            }
            let mut seen = Vec::new();
            while seen.last() != Some(&5) {
                let packet = host.receive().await.expect("a packet");
                if packet.data[12..14] == [0x88, 0xb5] {
                    seen.push(packet.data[14]);
                }
            }
            assert_eq!(seen, [2, 4, 5]);
        });
    });
}

/// A frame of the type for experiments (0x88b5), with a number in it.
fn numbered(to: MacAddr, number: u8) -> Outbound {
    let mut header = smallvec![];
    Ethernet::new(to, PEER_MAC, EtherType(0x88b5)).emit(&mut header);
    header.extend_from_slice(&[number; 46]);
    Outbound { header, ..Outbound::default() }
}

#[test]
fn frames_of_a_vlan_do_not_pass_for_ours() {
    in_namespace(|| {
        block_on(async {
            let (lab, mut host) = veth();
            let far = inside(&lab, || PacketSocket::builder(PEER_INTERFACE).open());
            let mut far = Host::new(far.expect("a packet socket"));
            let mut tagged = numbered(OUR_MAC, 1);
            tagged.header.insert_from_slice(12, &[0x81, 0x00, 0x00, 0x05]);
            far.send(tagged).await.expect("sent");
            far.send(numbered(OUR_MAC, 2)).await.expect("sent");
            let first = loop {
                let packet = host.receive().await.expect("a packet");
                if packet.data[12] != 0x08 && packet.data[12] != 0x86 {
                    break packet;
                }
            };
            assert_eq!(first.data[12..15], [0x88, 0xb5, 2]);
        });
    });
}

async fn follows_its_mtu<D: Device>(host: &mut Host<D>, mut links: Links, name: &str) {
    assert_eq!(host.device.capabilities().mtu, 1500);
    links.set_mtu(name, 1280).expect("set");
    let mut batch: Vec<Inbound> = Vec::new();
    let changed = std::future::poll_fn(|cx| {
        let _ = host.device.poll_receive(cx, &mut batch, 8);
        if host.device.capabilities().mtu == 1280 {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    });
    tokio::time::timeout(PATIENCE, changed).await.expect("the task is woken");
}

#[test]
fn a_packet_socket_follows_the_mtu_of_its_interface() {
    in_namespace(|| {
        block_on(async {
            let (_lab, mut host) = veth();
            let links = Links::open().expect("links");
            follows_its_mtu(&mut host, links, OUR_INTERFACE).await;
        });
    });
}

#[test]
fn a_tun_interface_follows_its_mtu() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let (lab, mut host) = tun();
            let links = lab.peer().links().expect("links");
            follows_its_mtu(&mut host, links, PEER_INTERFACE).await;
        });
    });
}

/// A packet that waited for the interface is sent when that is up again.
async fn outlives_being_down<D: Device>(host: &mut Host<D>, mut links: Links, name: &str) {
    ping(host).await;
    links.set_down(name).expect("down");
    let waiting = tokio::time::timeout(Duration::from_millis(100), ping(host));
    waiting.await.expect_err("it is down");
    links.set_up(name).expect("up");
    ping(host).await;
}

#[test]
fn a_packet_socket_waits_while_its_interface_is_down() {
    in_namespace(|| {
        block_on(async {
            let (_lab, mut host) = veth();
            let links = Links::open().expect("links");
            outlives_being_down(&mut host, links, OUR_INTERFACE).await;
        });
    });
}

#[test]
fn a_tun_interface_waits_while_it_is_down() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let (lab, mut host) = tun();
            let links = lab.peer().links().expect("links");
            outlives_being_down(&mut host, links, PEER_INTERFACE).await;
        });
    });
}

#[test]
fn what_is_of_neither_ip_version_is_discarded_and_the_rest_is_sent() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let (_lab, mut host) = tun();
            let mut corrupted = echo_request(&host, 1);
            corrupted.header[0] ^= 0x80;
            host.send(corrupted).await.expect("the device goes on");
            ping(&mut host).await;
            assert_eq!(host.device.discarded(), 1);
        });
    });
}

#[test]
fn a_tun_interface_that_was_removed_is_the_end_of_the_device() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let (lab, mut host) = tun();
            lab.peer().links().expect("links").remove(PEER_INTERFACE).expect("removed");
            while host.receive().await.is_ok() {}
        });
    });
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    in_namespace(|| {
        block_on(async {
            let error = PacketSocket::builder("nowhere7").open().expect_err("no interface");
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.to_string().contains("nowhere7"), "{error}");
            let name = "longer-than-fifteen";
            let error = PacketSocket::builder(name).open().expect_err("no name");
            assert!(error.to_string().contains(name), "{error}");
        });
    });
}

#[test]
fn a_missing_privilege_is_named_with_its_remedy() {
    in_namespace(|| {
        block_on(async {
            let (_lab, _host) = veth();
            // For this thread alone, and it ends with the test.
            let none = rustix::thread::CapabilitySets {
                effective: rustix::thread::CapabilitySet::empty(),
                permitted: rustix::thread::CapabilitySet::empty(),
                inheritable: rustix::thread::CapabilitySet::empty(),
            };
            rustix::thread::set_capabilities(None, none).expect("dropped");
            let error = PacketSocket::builder(OUR_INTERFACE).open().expect_err("no privilege");
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            let text = error.to_string();
            assert!(text.contains("CAP_NET_RAW") && text.contains("unshare -Urn"), "{text}");
        });
    });
}

#[test]
fn each_queue_of_a_tun_interface_is_a_device() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let lab = Lab::tun(&LabConfig::default()).expect("a lab");
            let open = || Tun::builder().name(PEER_INTERFACE).open_queues(2);
            let queues = inside(&lab, open).expect("a TUN interface");
            lab.configure_tun().expect("configured");
            assert!(queues.iter().all(|queue| queue.name() == PEER_INTERFACE));
            let mut hosts: Vec<_> = queues.into_iter().map(Host::new).collect();
            let [first, second] = &mut hosts[..] else { panic!("two queues") };
            for number in 1..=2 {
                let sender = if number == 1 { &mut *first } else { &mut *second };
                sender.send(echo_request(sender, number)).await.expect("sent");
                // It is the kernel's choice through which queue it answers.
                let answered = tokio::select! {
                    number = first.find(echo_reply) => number,
                    number = second.find(echo_reply) => number,
                };
                assert_eq!(answered, number);
            }
            let third = inside(&lab, || Tun::builder().name(PEER_INTERFACE).open());
            let error = third.expect_err("it has several queues").to_string();
            assert!(error.contains("number of queues"), "{error}");
        });
    });
}

#[test]
fn a_descriptor_that_was_handed_over_is_a_device() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let lab = Lab::tun(&LabConfig::default()).expect("a lab");
            let attach = || Tun::builder().name(PEER_INTERFACE).open().map(Tun::into_fd);
            let fd = inside(&lab, attach).expect("a TUN interface");
            let other = fd.try_clone().expect("a second descriptor");
            lab.configure_tun().expect("configured");
            let told = FdOptions { mtu: 1400, vnet_header: true };
            let mut host = Host::new(Tun::from_fd(fd, told).expect("a device"));
            assert_eq!(host.device.name(), PEER_INTERFACE);
            assert_eq!(host.device.capabilities().mtu, 1400);
            ping(&mut host).await;
            let wrong = Tun::from_fd(other, FdOptions { vnet_header: false, ..told });
            let wrong = wrong.expect_err("it has a header");
            assert_eq!(wrong.kind(), ErrorKind::InvalidInput);
        });
    });
}

#[test]
fn a_tun_interface_that_another_has_is_busy() {
    Isolated::new().needs(Need::Tun).run(|| {
        block_on(async {
            let (lab, _host) = tun();
            let again = inside(&lab, || Tun::builder().name(PEER_INTERFACE).open());
            let error = again.expect_err("it is taken");
            assert!(error.to_string().contains("another program has it"), "{error}");
        });
    });
}
