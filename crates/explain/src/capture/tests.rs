use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use handclasp_wire::time::Instant;

use super::writer::Writer;
use super::{Broken, Cause, Format, Frame, LinkType, Reader};

/// Numbers in one of the two byte orders.
#[derive(Clone, Copy)]
struct Order {
    little: bool,
}

const ORDERS: [Order; 2] = [Order { little: false }, Order { little: true }];

impl Order {
    fn u32s(self, numbers: &[u32]) -> Vec<u8> {
        let bytes = |n: &u32| if self.little { n.to_le_bytes() } else { n.to_be_bytes() };
        numbers.iter().flat_map(bytes).collect()
    }

    /// A pcap file with two packets, the second one cut to two bytes of nine.
    fn pcap(self, magic: u32) -> Vec<u8> {
        let version = if self.little { 0x0004_0002 } else { 0x0002_0004 };
        let mut file = self.u32s(&[magic, version, 0, 0, 65535, 101]);
        file.extend(self.u32s(&[7, 500_000, 3, 3]));
        file.extend(b"abc");
        file.extend(self.u32s(&[8, 0, 2, 9]));
        file.extend(b"de");
        file
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let len = padded as u32 + 12;
        let mut block = self.u32s(&[kind, len]);
        block.extend(body);
        block.resize(8 + padded, 0);
        block.extend(self.u32s(&[len]));
        block
    }

    fn section(self) -> Vec<u8> {
        let version = if self.little { 1 } else { 1 << 16 };
        self.block(0x0a0d_0d0a, &self.u32s(&[0x1a2b_3c4d, version, u32::MAX, u32::MAX]))
    }

    /// An Ethernet interface with these options.
    fn interface(self, options: &[u8]) -> Vec<u8> {
        let link = if self.little { 1 } else { 1 << 16 };
        let mut body = self.u32s(&[link, 0]);
        body.extend(options);
        self.block(1, &body)
    }

    fn packet(self, interface: u32, ticks: u64, bytes: &[u8]) -> Vec<u8> {
        let len = bytes.len() as u32;
        let mut body = self.u32s(&[interface, (ticks >> 32) as u32, ticks as u32, len, len]);
        body.extend(bytes);
        self.block(6, &body)
    }

    /// The option of this code with these bytes, of which there must be no more than four.
    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let len = value.len() as u16;
        let field = |n: u16| if self.little { n.to_le_bytes() } else { n.to_be_bytes() };
        let mut option = [field(code), field(len)].concat();
        option.extend(value);
        option.resize(4 + value.len().next_multiple_of(4), 0);
        option
    }
}

type Packet = (u64, u64, u32, Vec<u8>);

/// All packets as number, nanoseconds, length and bytes, and what broke the file.
fn read(file: &[u8]) -> (Vec<Packet>, Option<Broken>) {
    let mut packets = Vec::new();
    let mut reader = match Reader::new(file) {
        Ok(reader) => reader,
        Err(error) => return (packets, Some(error)),
    };
    loop {
        match reader.next() {
            Ok(Some(f)) => packets.push((f.number, f.at.as_nanos(), f.len, f.bytes.to_vec())),
            Ok(None) => return (packets, None),
            Err(error) => {
                assert!(reader.next().unwrap().is_none(), "a broken file is over");
                return (packets, Some(error));
            }
        }
    }
}

fn bytes_of(packets: &[Packet]) -> Vec<&[u8]> {
    packets.iter().map(|(_, _, _, bytes)| bytes.as_slice()).collect()
}

#[test]
fn a_pcap_file_is_read_in_both_byte_orders() {
    for order in ORDERS {
        let (packets, error) = read(&order.pcap(0xa1b2_c3d4));
        assert!(error.is_none());
        let first = (1, 7_500_000_000, 3, b"abc".to_vec());
        assert_eq!(packets, [first, (2, 8_000_000_000, 9, b"de".to_vec())]);
    }
}

#[test]
fn a_pcap_file_may_count_nanoseconds() {
    let (packets, _) = read(&ORDERS[1].pcap(0xa1b2_3c4d));
    assert_eq!(packets[0].1, 7_000_500_000);
}

#[test]
fn the_oldest_pcap_files_have_their_lengths_the_other_way_round() {
    let order = ORDERS[0];
    let mut file = order.u32s(&[0xa1b2_c3d4, 0x0002_0002, 0, 0, 65535, 101]);
    file.extend(order.u32s(&[0, 0, 9, 2]));
    file.extend(b"de");
    let (packets, error) = read(&file);
    assert_eq!((packets[0].2, error.is_none()), (9, true));
}

#[test]
fn a_gzipped_file_is_read_as_the_file_within() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&ORDERS[0].pcap(0xa1b2_c3d4)).unwrap();
    let (packets, error) = read(&gzip.finish().unwrap());
    assert!(error.is_none());
    assert_eq!(bytes_of(&packets), [&b"abc"[..], b"de"]);
}

#[test]
fn a_file_cut_within_a_packet_is_read_up_to_it() {
    let file = ORDERS[0].pcap(0xa1b2_c3d4);
    let (packets, error) = read(&file[..file.len() - 1]);
    assert_eq!(bytes_of(&packets), [b"abc"]);
    let error = error.unwrap();
    assert_eq!(error.to_string(), "at byte 59: the file ends within a packet");
}

#[test]
fn a_length_that_no_packet_has_ends_the_reading() {
    let mut file = ORDERS[0].pcap(0xa1b2_c3d4);
    file.extend(ORDERS[0].u32s(&[9, 0, u32::MAX, u32::MAX]));
    file.extend([0; 100]);
    let (packets, error) = read(&file);
    assert_eq!(packets.len(), 2);
    assert!(matches!(error.unwrap().cause, Cause::BadLength("a packet", u32::MAX)));
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    let (_, error) = read(b"GIF89a, what else");
    let text = "at byte 0: neither pcap nor pcapng: it begins with 47494638";
    assert_eq!(error.unwrap().to_string(), text);
    assert!(matches!(read(b"").1.unwrap().cause, Cause::CutShort("the file header")));
}

#[test]
fn a_pcapng_file_is_read_in_both_byte_orders() {
    for order in ORDERS {
        let file = [
            order.section(),
            order.interface(&[]),
            order.block(0x0bad, b"a block of a kind that nobody knows"),
            order.packet(0, 5_000_001, b"hello"),
            order.packet(0, 5_000_002, b"again"),
        ]
        .concat();
        let reader = Reader::new(file.as_slice()).unwrap();
        assert_eq!(reader.format(), Format::Pcapng);
        let (packets, error) = read(&file);
        assert!(error.is_none());
        assert_eq!(packets[0], (1, 5_000_001_000, 5, b"hello".to_vec()));
        assert_eq!(packets[1], (2, 5_000_002_000, 5, b"again".to_vec()));
    }
}

#[test]
fn every_interface_has_its_own_unit_of_time() {
    let order = ORDERS[1];
    let file = [
        order.section(),
        order.interface(&order.option(9, &[9])),
        order.interface(&order.option(9, &[0x80 | 10])),
        order.packet(0, 3_000_000_001, b"ns"),
        order.packet(1, 1024 + 512, b"two"),
    ]
    .concat();
    let (packets, _) = read(&file);
    assert_eq!((packets[0].1, packets[1].1), (3_000_000_001, 1_500_000_000));
}

#[test]
fn a_new_section_may_turn_the_byte_order() {
    let mut file = Vec::new();
    for order in ORDERS {
        file.extend(order.section());
        file.extend(order.interface(&[]));
        file.extend(order.packet(0, 1, b"x"));
    }
    let (packets, error) = read(&file);
    assert!(error.is_none());
    assert_eq!(packets.len(), 2);
}

#[test]
fn a_simple_packet_has_no_time_and_no_padding() {
    let order = ORDERS[0];
    let mut body = order.u32s(&[5]);
    body.extend(b"hello");
    let file = [order.section(), order.interface(&[]), order.block(3, &body)].concat();
    assert_eq!(read(&file).0, [(1, 0, 5, b"hello".to_vec())]);
}

#[test]
fn a_packet_of_an_unknown_interface_ends_the_reading() {
    let order = ORDERS[0];
    let file =
        [order.section(), order.interface(&[]), order.packet(0, 0, b"x"), order.packet(3, 0, b"y")]
            .concat();
    let (packets, error) = read(&file);
    assert_eq!(packets.len(), 1);
    assert!(matches!(error.unwrap().cause, Cause::UnknownInterface(3)));
}

#[test]
fn a_pcapng_file_cut_behind_a_packet_still_has_the_packet() {
    let order = ORDERS[0];
    let file = [order.section(), order.interface(&[]), order.packet(0, 0, b"whole")].concat();
    let (packets, error) = read(&file[..file.len() - 5]);
    assert_eq!(bytes_of(&packets), [b"whole"]);
    assert!(matches!(error.unwrap().cause, Cause::CutShort(_)));
}

#[test]
fn the_frame_tells_its_link_type() {
    let file = ORDERS[0].pcap(0xa1b2_c3d4);
    let mut reader = Reader::new(file.as_slice()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().link, LinkType::RAW);
}

#[test]
fn no_cut_and_no_flipped_byte_panics() {
    let order = ORDERS[1];
    let ng = [order.section(), order.interface(&order.option(9, &[6])), order.packet(0, 0, b"x")];
    for file in [order.pcap(0xa1b2_c3d4), ng.concat()] {
        for at in 0..file.len() {
            read(&file[..at]);
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut damaged = file.clone();
                damaged[at] = value;
                read(&damaged);
            }
        }
    }
}

#[test]
fn what_is_written_is_read_again() {
    let frames =
        [(LinkType::ETHERNET, 0, 60u32), (LinkType::RAW, 3, 7), (LinkType::ETHERNET, 0, 5)];
    let bytes: Vec<u8> = (0..60).collect();
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file).unwrap();
    for (number, (link, interface, len)) in (1..).zip(frames) {
        let at = Instant::from_nanos(1_700_000_000_123_456_789 + number);
        let bytes = &bytes[..(len as usize).min(50)];
        writer.frame(&Frame { number, at, link, interface, len, bytes }).unwrap();
    }
    let mut reader = Reader::new(&file[..]).unwrap();
    for (number, (link, _, len)) in (1..).zip(frames) {
        let frame = reader.next().unwrap().unwrap();
        assert_eq!((frame.number, frame.link, frame.len), (number, link, len));
        assert_eq!(frame.at.as_nanos(), 1_700_000_000_123_456_789 + number);
        assert_eq!(frame.bytes, &bytes[..(len as usize).min(50)]);
    }
    assert!(reader.next().unwrap().is_none());
}
