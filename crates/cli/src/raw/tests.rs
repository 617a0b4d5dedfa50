use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::sync_channel;

use handclasp::wire::tcp::{Flags, TcpView};
use handclasp_craft::template::Template;
use handclasp_lab::isolated::{Isolated, Need};

use super::lab::RawLab;
use super::*;
use crate::lab::args::LabLink;
use crate::watch::eye::BACKLOG;

/// Runs `f` in a tokio runtime.
fn block_on<F: Future>(f: impl FnOnce() -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { f().await })
}

fn syn(ours: IpAddr, peer: IpAddr, port: u16) -> Vec<u8> {
    let (from, to) = (SocketAddr::new(ours, 5000), SocketAddr::new(peer, port));
    let syn: Template = format!("{from} > {to} [S] seq 100").parse().unwrap();
    syn.build(&mut rand_pcg::Pcg32::new(1, 1))
}

/// Sends it until it is answered, as any client does: an IPv6 address is not yet the kernel's
/// for a moment after its interface came up.
async fn ask(raw: &mut Raw, packet: &[u8]) -> Option<(Flags, u32)> {
    for _ in 0..5 {
        raw.send(packet).await.unwrap();
        let answer = answer(raw).await;
        if answer.is_some() {
            return answer;
        }
    }
    None
}

/// The flags and the acknowledgment of the next TCP segment.
async fn answer(raw: &mut Raw) -> Option<(Flags, u32)> {
    let until = Instant::now() + Duration::from_secs(1);
    while let Some(came) = raw.receive(until).await.unwrap() {
        let packet = Packet::parse_ip(came.packet()).expect("a packet");
        if let handclasp::wire::packet::Transport::Tcp(tcp) = packet.transport {
            let tcp: TcpView<'_> = tcp;
            assert_eq!(packet.checksum_ok(), Some(true));
            return Some((tcp.flags(), tcp.ack().0));
        }
    }
    None
}

async fn knock(link: LabLink) {
    let mut net = RawLab::new(link, Watchers::default()).unwrap();
    for ipv6 in [false, true].into_iter().filter(|ipv6| !ipv6 || net.lab.has_ipv6()) {
        let _server = net.web_server(ipv6).unwrap();
        let (ours, peer) = (net.lab.our_address(ipv6), net.lab.peer_address(ipv6));
        let answer = ask(&mut net.raw, &syn(ours, peer, 80)).await;
        assert_eq!(answer, Some((Flags::SYN | Flags::ACK, 101)));
        let answer = ask(&mut net.raw, &syn(ours, peer, 81)).await;
        assert_eq!(answer, Some((Flags::RST | Flags::ACK, 101)));
    }
}

#[test]
fn a_packet_socket_finds_the_kernel_and_is_found_by_it() {
    Isolated::new().run(|| block_on(|| knock(LabLink::Packet)));
}

#[test]
fn a_tun_interface_needs_no_hardware_addresses() {
    Isolated::new().needs(Need::Tun).run(|| block_on(|| knock(LabLink::Tun)));
}

#[test]
fn who_is_watched_is_seen_at_both_sides_of_the_link() {
    Isolated::new().run(|| {
        block_on(async || {
            let (sights, heard) = sync_channel(BACKLOG);
            let watchers = Watchers { sights: Some(&sights), write: None };
            let mut net = RawLab::new(LabLink::Packet, watchers).unwrap();
            let (ours, peer) = (net.lab.our_address(false), net.lab.peer_address(false));
            net.raw.send(&syn(ours, peer, 80)).await.unwrap();
            assert!(answer(&mut net.raw).await.is_some());
            let seen: Vec<_> = heard.try_iter().collect();
            let near = seen.iter().filter(|sight| matches!(sight, Sight::Near(_))).count();
            let far = seen.iter().filter(|sight| matches!(sight, Sight::Far(_))).count();
            assert_eq!((near, far), (2, 2));
        });
    });
}

#[test]
fn what_cannot_be_sent_is_told() {
    Isolated::new().run(|| {
        block_on(async || {
            let mut net = RawLab::new(LabLink::Packet, Watchers::default()).unwrap();
            let ours = net.lab.our_address(false);
            let far = net.raw.send(&syn(ours, [192, 0, 2, 1].into(), 80)).await;
            assert!(matches!(far, Err(Error::NoWay(_))), "{far:?}");
            let large = net.raw.send(&[0x45; 1501]).await;
            assert!(matches!(large, Err(Error::TooLarge { bytes: 1501, mtu: 1500 })), "{large:?}");
            assert!(matches!(net.raw.send(b"no").await, Err(Error::NoIp)));
            let nobody = net.raw.send(&syn(ours, [10, 77, 0, 9].into(), 80)).await;
            assert!(matches!(nobody, Err(Error::NoNeighbour(_))), "{nobody:?}");
        });
    });
}

#[test]
fn an_address_of_the_kernels_is_refused() {
    Isolated::new().run(|| {
        block_on(async || {
            let own = "127.0.0.1/8".parse().ok();
            let opened = Raw::open(&LinkName::Packet("lo".into()), own, None, Watchers::default());
            assert!(matches!(opened.err(), Some(Error::KernelsAddress(_))));
        });
    });
}
