//! Packets that nobody would send: whatever they are, reading, following and judging them must
//! come to an end without a panic, and without memory that grows with their number.

use std::collections::HashMap;

use handclasp_explain::catalogue::findings::Findings as _;
use handclasp_explain::catalogue::{Cast, English};
use handclasp_explain::filter::Packet;
use handclasp_explain::filter::field::{FIELDS, Field};
use handclasp_explain::finding::find;
use handclasp_explain::flow::table::Limits;
use handclasp_explain::json;
use handclasp_explain::stream::Stream;
use handclasp_explain::trace::Trace;
use handclasp_explain::track::Fate;
use handclasp_explain::track::tale::Tale;
use proptest::prelude::*;

/// A generator that needs no crate: Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    /// Often one of the numbers at which something turns over.
    fn number(&mut self) -> u32 {
        match self.below(4) {
            0 => 0,
            1 => u32::MAX - self.below(4) as u32,
            2 => 1000 + self.below(3000) as u32,
            _ => self.roll() as u32,
        }
    }

    /// A TCP packet between two of a few ends, most of whose fields are anything.
    fn packet(&mut self) -> Vec<u8> {
        let payload = self.below(40) as usize;
        let options = 4 * self.below(11) as usize;
        let total = 20 + 20 + options + payload;
        let ends = self.below(4);
        let mut bytes = vec![0x45, 0, 0, total as u8, 0, self.roll() as u8, 0, 0, 64, 6, 0, 0];
        bytes.extend([10, 0, 0, (ends & 1) as u8, 10, 0, 0, 1 - (ends & 1) as u8]);
        let ports = [5000u16, 80];
        bytes.extend(ports[(ends & 1) as usize].to_be_bytes());
        bytes.extend(ports[1 - (ends & 1) as usize].to_be_bytes());
        bytes.extend(self.number().to_be_bytes());
        bytes.extend(self.number().to_be_bytes());
        bytes.push(((20 + options) << 2) as u8);
        bytes.extend([self.roll() as u8, self.roll() as u8, self.roll() as u8, 0, 0, 0, 0]);
        for _ in 0..options + payload {
            let byte = self.roll() as u8;
            bytes.push(if self.below(2) == 0 { byte % 11 } else { byte });
        }
        if self.below(20) == 0 {
            let at = self.below(bytes.len() as u64) as usize;
            bytes[at] = self.roll() as u8;
        }
        bytes
    }
}

/// A pcap file of raw IP with these packets, at times that may go backwards.
fn file(dice: &mut Dice, packets: usize) -> Vec<u8> {
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 101]);
    for _ in 0..packets {
        let packet = dice.packet();
        let len = packet.len() as u32;
        let (seconds, micros) = (dice.below(200) as u32, dice.below(1_000_000) as u32);
        file.extend(words(&[seconds, micros, len, len + dice.below(2) as u32]));
        file.extend(packet);
    }
    file
}

/// All that can be done with a capture; how much was said of it.
fn digest(file: &[u8]) -> usize {
    let Ok(mut trace) = Trace::new(file, Limits::default()) else { return 0 };
    let (mut tales, mut streams) = (HashMap::new(), HashMap::new());
    let (mut flows, mut text, mut said) = (Vec::new(), String::new(), 0);
    let fields: Vec<&Field> = FIELDS.iter().collect();
    while let Ok(Some(step)) = trace.next() {
        if let Some(packet) = step.packet() {
            let Packet { segment, seen, .. } = packet;
            let tale: &mut Tale = tales.entry(seen.stream).or_default();
            let row = tale.row(segment, Fate::Arrived, seen);
            let object = json::Packet::new(0, &row, &English, &Cast::default());
            said += serde_json::to_string(&object).unwrap().len();
            let object = json::Captured::new(&packet, &fields);
            said += serde_json::to_string(&object).unwrap().len();
            fields.iter().for_each(|field| field.write(&mut text, &packet).unwrap());
            let streams: &mut [Stream; 2] = streams.entry(seen.stream).or_default();
            streams[seen.from].sent(segment, |_| {});
            streams[1 - seen.from].acknowledged(segment.header.ack, segment.at, |_| {});
            text.clear();
        }
        flows.extend(trace.take_over());
    }
    for stream in streams.into_values().flatten() {
        stream.finish(None, |_| {});
    }
    flows.extend(trace.finish());
    let findings = find(&flows);
    let objects = findings.iter().map(|finding| json::Found::new(finding, &English));
    said += objects.map(|object| serde_json::to_string(&object).unwrap().len()).sum::<usize>();
    said + findings.iter().map(|finding| English.finding(&finding.says).len()).sum::<usize>()
}

#[test]
fn no_order_of_segments_panics() {
    for seed in 1..6 {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ seed);
        let file = file(&mut dice, 2000);
        assert!(digest(&file) > 0, "seed {seed}: something is to be said of that");
    }
}

#[test]
fn no_damaged_file_panics() {
    let mut dice = Dice(77);
    let whole = file(&mut dice, 100);
    for _ in 0..100 {
        let mut damaged = whole.clone();
        for _ in 0..=dice.below(8) {
            let at = dice.below(damaged.len() as u64) as usize;
            damaged[at] = dice.roll() as u8;
        }
        damaged.truncate(dice.below(damaged.len() as u64 + 1) as usize);
        digest(&damaged);
    }
}

/// Places in a file, and what is to stand there.
fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..20)
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), magic in 0..4usize) {
        let magics = [0xa1b2_c3d4_u32, 0xa1b2_3c4d, 0x0a0d_0d0a, 0x0000_8b1f];
        let mut file = magics[magic].to_le_bytes().to_vec();
        file.extend(bytes);
        digest(&file);
    }

    #[test]
    fn no_damage_to_a_good_file_panics(damage in damage(), seed in 1u64..1000) {
        let mut file = file(&mut Dice(seed), 40);
        for (place, byte) in damage {
            let at = place.index(file.len());
            file[at] = byte;
        }
        digest(&file);
    }
}
