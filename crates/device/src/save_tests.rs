use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use handclasp_wire::frame::Medium;
use handclasp_wire::time::Instant;
use pcap_file::pcapng::{Block, PcapNgReader};

use super::{Files, Packet, Rotation, Source};
use crate::tap::Direction;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("handclasp-save-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn source() -> Source {
    let (interface, filter) = ("eth7".into(), "tcp port 80".into());
    Source { interface, medium: Medium::Ip, snap_len: 96, filter }
}

fn packet(files: &mut Files, millis: u64, bytes: &[u8]) {
    let at = Instant::from_millis(millis);
    let len = bytes.len() as u32 + 7;
    files.packet(&Packet { at, direction: Direction::Out, len, bytes }).unwrap();
}

/// Times, lengths and bytes of a file's packets, and the statistics at its end.
fn read(path: &std::path::Path) -> (Vec<(Duration, u32, Vec<u8>)>, usize) {
    let file = fs::File::open(path).unwrap();
    let (mut packets, mut statistics) = (Vec::new(), 0);
    let mut reader = PcapNgReader::new(file).unwrap();
    while let Some(block) = reader.next_block() {
        match block.unwrap().0 {
            Block::EnhancedPacket(p) => {
                packets.push((p.timestamp, p.original_len, p.data.to_vec()));
            }
            Block::InterfaceStatistics(_) => statistics += 1,
            _ => {}
        }
    }
    (packets, statistics)
}

#[test]
fn packets_are_saved_with_their_lengths_and_times() {
    let folder = folder("one");
    let path = folder.join("trace.pcapng");
    let mut files = Files::create(&path, Rotation::default(), source()).unwrap();
    packet(&mut files, 1500, b"abc");
    packet(&mut files, 2500, b"d");
    let saved = files.finish(2, 0).unwrap();
    assert_eq!((saved.packets, saved.bytes, saved.files), (2, 4, 1));
    let (packets, statistics) = read(&path);
    assert_eq!(packets[0], (Duration::from_millis(1500), 10, b"abc".to_vec()));
    assert_eq!((packets.len(), statistics), (2, 1));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_full_file_is_followed_by_the_next_and_the_oldest_goes() {
    let folder = folder("size");
    let rotation = Rotation { size: Some(1), files: Some(2), ..Rotation::default() };
    let mut files = Files::create(&folder.join("trace.pcapng"), rotation, source()).unwrap();
    for number in 0..5 {
        packet(&mut files, number, &[number as u8]);
    }
    let names: Vec<_> = files.names().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["trace_00004.pcapng", "trace_00005.pcapng"]);
    assert_eq!(files.finish(5, 0).unwrap().files, 5);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    assert_eq!(read(&folder.join("trace_00005.pcapng")).0[0].2, [4]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_lasts_for_a_time_from_its_first_packet() {
    let folder = folder("time");
    let rotation = Rotation { time: Some(Duration::from_secs(1)), ..Rotation::default() };
    let mut files = Files::create(&folder.join("trace"), rotation, source()).unwrap();
    for millis in [0, 999, 1000, 5000, 5999] {
        packet(&mut files, millis, b"x");
    }
    files.finish(5, 0).unwrap();
    let count = |name: &str| read(&folder.join(name)).0.len();
    assert_eq!([count("trace_00001"), count("trace_00002"), count("trace_00003")], [2, 1, 2]);
    fs::remove_dir_all(folder).unwrap();
}
