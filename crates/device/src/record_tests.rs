use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use handclasp_wire::frame::Medium;
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgReader;
use pcap_file::pcapng::blocks::block_common::Block;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;

use super::Recorder;
use crate::tap::{Direction, Tap};

/// What is in a file: its link types, and of each packet the time, the direction and the bytes.
type Content = (Vec<DataLink>, Vec<(Duration, u32, Vec<u8>)>);

fn read(file: &[u8]) -> Content {
    let mut reader = PcapNgReader::new(file).expect("a pcapng file");
    let (mut links, mut packets) = (Vec::new(), Vec::new());
    while let Some(block) = reader.next_block() {
        match block.expect("a block").0 {
            Block::InterfaceDescription(interface) => links.push(interface.linktype),
            Block::EnhancedPacket(packet) => {
                let flags = packet.options.iter().find_map(|option| match option {
                    EnhancedPacketOption::Flags(flags) => Some(*flags),
                    _ => None,
                });
                let flags = flags.expect("a direction");
                packets.push((packet.timestamp, flags, packet.data.into_owned()));
            }
            other => panic!("{other:?}"),
        }
    }
    (links, packets)
}

#[test]
fn packets_are_read_back_with_their_directions_and_nanoseconds() {
    let mut file = Vec::new();
    let mut recorder = Recorder::new(&mut file, Medium::Ip, "tun0").expect("a recording");
    let now = Instant::now();
    recorder.packet(now, Direction::Out, b"first");
    recorder.packet(now + Duration::from_nanos(12_345), Direction::In, b"second");
    assert_eq!(recorder.finish().expect("written"), 2);
    let (links, packets) = read(&file);
    assert_eq!(links, [DataLink::RAW]);
    let [(first, 2, one), (second, 1, two)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!((&one[..], &two[..]), (&b"first"[..], &b"second"[..]));
    assert_eq!(*second - *first, Duration::from_nanos(12_345));
    let today = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    assert!(today - *first < Duration::from_secs(60), "{first:?}");
}

#[test]
fn a_packet_from_before_the_recording_keeps_its_time() {
    let before = Instant::now() - Duration::from_secs(5);
    let mut file = Vec::new();
    let mut recorder = Recorder::new(&mut file, Medium::Ethernet, "hc0").expect("a recording");
    recorder.packet(before, Direction::In, b"early");
    recorder.packet(before + Duration::from_secs(5), Direction::In, b"late");
    recorder.finish().expect("written");
    let (links, packets) = read(&file);
    assert_eq!(links, [DataLink::ETHERNET]);
    assert_eq!(packets[1].0 - packets[0].0, Duration::from_secs(5));
}

#[test]
fn what_was_recorded_is_written_when_the_last_handle_goes() {
    let mut file = Vec::new();
    let mut recorder = Recorder::new(&mut file, Medium::Ip, "tun0").expect("a recording");
    recorder.clone().packet(Instant::now(), Direction::In, b"one");
    recorder.packet(Instant::now(), Direction::In, b"two");
    drop(recorder);
    assert_eq!(read(&file).1.len(), 2);
}

/// A disk with room for so many bytes.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(bytes.len()) {
            Some(left) => {
                self.0 = left;
                Ok(bytes.len())
            }
            None => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_stops_the_recording_and_is_told_at_the_end() {
    let mut recorder = Recorder::new(Disk(20_000), Medium::Ip, "tun0").expect("a recording");
    for _ in 0..100 {
        recorder.packet(Instant::now(), Direction::In, &[0; 1500]);
    }
    let packets = recorder.packets();
    assert!(packets < 100);
    let error = recorder.clone().finish().expect_err("the disk is full");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    recorder.flush().expect("it was told");
}
