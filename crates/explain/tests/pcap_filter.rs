//! Capture filters let through what tcpdump lets through, packet by packet.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use handclasp_explain::capture::Reader;
use handclasp_explain::capture::link::LinkType;
use handclasp_explain::pcap_filter::{PcapFilter, Target};
use handclasp_wire::bpf::{self, Seen};

const FILTERS: &[&str] = &[
    "",
    "tcp",
    "udp",
    "ip",
    "ip6",
    "arp",
    "icmp",
    "icmp6",
    "not tcp",
    "tcp or udp",
    "ip and not tcp",
    "host 10.0.0.1",
    "host 10.0.0.1 and not port 80",
    "src host 10.0.0.1",
    "dst 10.0.0.2",
    "src and dst host 10.0.0.1",
    "ip host 10.0.0.1",
    "arp host 10.0.0.1",
    "host 2001:db8::1",
    "src host 2001:db8::1 or dst host 10.0.0.2",
    "net 10.0.0.0/8",
    "net 10",
    "src net 10.0.0",
    "dst net 10.0.0.0 mask 255.255.255.0",
    "net 10.0.0.2/31",
    "net 2001:db8::/32",
    "src net 2001:db8::/63",
    "ip6 net 2001:db8:0:0:8000::/65",
    "port 80",
    "tcp port 80",
    "udp port 53",
    "src port 80 or 443",
    "tcp dst port 80 and host 10.0.0.1",
    "portrange 53-80",
    "tcp src portrange 1000-2000",
    "port domain",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and ip",
    "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and ip",
    "ip and tcp[13] = 2",
    "ip and tcp[2:2] > 1024",
    "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
    "ip[8] < 64",
    "ip[6:2] & 0x1fff != 0",
    "ip[0] & 0xf != 5",
    "ip6[6] = 6",
    "ip[ip[0] & 0xf] = 0",
    "ether[0] & 1 = 1",
    "ip[2:2] * 2 > len + 10",
    "ip[2:2] % 7 = 3 or ip[2:2] / 16 = 4",
    "icmp[icmptype] = icmp-unreach",
    "icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply",
    "less 60",
    "greater 60",
    "len <= 60",
    "len > 100 or len < 50",
    "ip proto 6",
    r"ip proto \tcp",
    "ip6 proto 58",
    r"proto \udp",
    "ip multicast",
    "ip6 multicast",
    "tcp and (port 80 or port 443) and not (src host 10.0.0.1 or dst host 10.0.0.2)",
    "!(tcp && port 80) || udp",
    "udp or tcp and port 80",
];

/// Those that ask for the Ethernet header.
const ETHERNET: &[&str] = &[
    "ether host 02:00:00:00:00:01",
    "ether src 02:00:00:00:00:01",
    "ether dst 02:00:00:00:00:02 and tcp",
    "ether proto 0x86dd",
    r"ether proto \arp",
    "broadcast",
    "multicast",
    "vlan",
    "vlan 7",
    "vlan 7 and tcp port 80",
    "vlan and host 10.0.0.1",
    "vlan and vlan 8",
    "vlan 7 and vlan 8 and ip",
    "not vlan and tcp",
];

/// A pcap file of these packets, each at its own microsecond.
fn pcap(link: LinkType, packets: &[Vec<u8>]) -> Vec<u8> {
    let word = |value: u32| value.to_le_bytes();
    let mut file = Vec::new();
    for value in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, u32::from(link.0)] {
        file.extend(word(value));
    }
    for (number, packet) in packets.iter().enumerate() {
        let len = packet.len() as u32;
        for value in [1, number as u32, len, len] {
            file.extend(word(value));
        }
        file.extend(packet);
    }
    file
}

/// Why tcpdump has no word about a filter.
enum Silent {
    /// It is not here.
    Absent,
    /// It cannot read the capture.
    Unreadable,
}

/// The times, in nanoseconds, of the packets in a capture that tcpdump lets through.
fn tcpdumps(path: &Path, filter: &str) -> Result<BTreeSet<u64>, Silent> {
    let out = Command::new("tcpdump").arg("-r").arg(path).args(["-w", "-", filter]).output();
    let out = out.map_err(|_| Silent::Absent)?;
    let said = String::from_utf8_lossy(&out.stderr);
    if !out.status.success() && ["pcap_loop", "truncated"].iter().any(|why| said.contains(why)) {
        return Err(Silent::Unreadable);
    }
    if said.contains("expression rejects all packets") {
        return Ok(BTreeSet::new());
    }
    assert!(out.status.success(), "{filter}: {said}");
    let mut reader = Reader::new(&out.stdout[..]).unwrap();
    let mut times = BTreeSet::new();
    while let Some(frame) = reader.next().unwrap() {
        times.insert(frame.at.as_nanos());
    }
    Ok(times)
}

fn ours(file: &[u8], link: LinkType, filter: &str) -> BTreeSet<u64> {
    let filter = PcapFilter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let program = filter.compile(&Target { link, live: false, snap_len: 65_535 }).unwrap();
    let mut reader = Reader::new(file).unwrap();
    let mut times = BTreeSet::new();
    while let Some(frame) = reader.next().unwrap() {
        let packet = Seen { bytes: frame.bytes, len: frame.len, ..Seen::default() };
        if bpf::run(&program, &packet) > 0 {
            times.insert(frame.at.as_nanos());
        }
    }
    times
}

/// Packets of many kinds, each with a few bytes of its headers changed at random.
fn packets() -> Vec<Vec<u8>> {
    let v4 = |protocol: u8, len: usize| {
        let mut ip = vec![0x45, 0, 0, (20 + len) as u8, 0, 1, 0, 0, 64, protocol, 0, 0];
        ip.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        ip
    };
    let v6 = |next: u8, len: usize| {
        let mut ip = vec![0x60, 0, 0, 0, 0, len as u8, next, 64];
        ip.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        ip.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 2]);
        ip
    };
    let tcp = [5, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x12, 1, 0, 0, 0, 0, 0, b'h', b'i'];
    let udp = [0, 53, 4, 0, 0, 12, 0, 0, 1, 2, 3, 4];
    let icmp = [3, 1, 0, 0, 0, 0, 0, 0];
    let arp = {
        let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1];
        arp.extend([0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
        arp
    };
    let mut options = v4(6, tcp.len() + 8);
    options[0] = 0x47;
    options.extend([1; 8]);
    let bodies: Vec<(u16, Vec<u8>)> = vec![
        (0x0800, [v4(6, tcp.len()), tcp.to_vec()].concat()),
        (0x0800, [options, tcp.to_vec()].concat()),
        (0x0800, [v4(17, udp.len()), udp.to_vec()].concat()),
        (0x0800, [v4(1, icmp.len()), icmp.to_vec()].concat()),
        (0x86dd, [v6(6, tcp.len()), tcp.to_vec()].concat()),
        (0x86dd, [v6(17, udp.len()), udp.to_vec()].concat()),
        (0x86dd, [v6(58, icmp.len()), icmp.to_vec()].concat()),
        (0x0806, arp),
    ];
    let mut random = 1_u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize
    };
    let values = [0, 1, 2, 5, 6, 10, 17, 44, 58, 64, 80, 0x11, 0x20, 0x45, 0x60, 0xbb, 0xe0, 0xff];
    let mut packets = Vec::new();
    for round in 0..4000 {
        let (kind, body) = &bodies[next() % bodies.len()];
        let mut packet = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        for tag in 0..(next() % 6).saturating_sub(3) {
            packet.extend([0x81, 0, 0, 7 + tag as u8]);
        }
        packet.extend(kind.to_be_bytes());
        packet.extend(body);
        packet.resize(packet.len() + next() % 80, b'x');
        for _ in 0..round % 4 {
            let at = next() % packet.len().min(80);
            packet[at] = values[next() % values.len()];
        }
        if next().is_multiple_of(8) {
            packet.truncate(next() % packet.len());
        }
        packets.push(packet);
    }
    packets
}

#[track_caller]
fn compare(path: &Path, file: &[u8], link: LinkType, filters: &[&str]) -> bool {
    for filter in filters {
        let theirs = match tcpdumps(path, filter) {
            Ok(theirs) => theirs,
            Err(Silent::Unreadable) => return true,
            Err(Silent::Absent) => {
                eprintln!("SKIPPED {}: there is no tcpdump", module_path!());
                return false;
            }
        };
        let ours = ours(file, link, filter);
        let apart: Vec<_> = ours.symmetric_difference(&theirs).take(3).collect();
        assert!(apart.is_empty(), "{}: {filter}: {apart:?}", path.display());
    }
    true
}

fn temporary(name: &str, file: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("handclasp-{name}-{}.pcap", std::process::id()));
    fs::write(&path, file).unwrap();
    path
}

#[test]
fn made_up_packets_pass_as_in_tcpdump() {
    let packets = packets();
    for link in [LinkType::ETHERNET, LinkType::RAW] {
        let cut = if link == LinkType::RAW { 14 } else { 0 };
        let packets: Vec<Vec<u8>> =
            packets.iter().map(|packet| packet.get(cut..).unwrap_or_default().to_vec()).collect();
        let file = pcap(link, &packets);
        let path = temporary(&format!("filters-{}", link.0), &file);
        let filters = if link == LinkType::RAW {
            FILTERS.iter().filter(|filter| !filter.contains("ether")).copied().collect()
        } else {
            [FILTERS, ETHERNET].concat()
        };
        compare(&path, &file, link, &filters);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn real_packets_pass_as_in_tcpdump() {
    let few: Vec<&str> = [FILTERS, ETHERNET].concat().into_iter().step_by(3).collect();
    for case in common::cases("real_packets_pass_as_in_tcpdump") {
        let mut file = Vec::new();
        std::io::Read::read_to_end(&mut case.open(), &mut file).unwrap();
        let mut reader = Reader::new(&file[..]).unwrap();
        let link = match reader.next() {
            Ok(Some(frame)) => frame.link,
            _ => continue,
        };
        let whole = loop {
            match reader.next() {
                Ok(Some(frame)) if frame.link != link => break false,
                Ok(Some(_)) => {}
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if link != LinkType::ETHERNET || !whole || file.len() > 5_000_000 {
            continue;
        }
        let path = temporary(&format!("filters-{}", case.name), &file);
        let goes_on = compare(&path, &file, link, &few);
        fs::remove_file(path).unwrap();
        if !goes_on {
            return;
        }
    }
}
