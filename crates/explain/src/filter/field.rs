//! The fields, by Wireshark's names.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::IpAddr;
use std::time::Duration;

use handclasp_wire::ethernet::EthernetView;
use handclasp_wire::frame::Medium;
use handclasp_wire::packet::Packet as Layers;
use handclasp_wire::tcp::Flags;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::time::Instant;
use serde::Serializer;
use serde::ser::SerializeMap;
use smallvec::{SmallVec, smallvec};

use super::Packet;
use super::term::Values;
use super::value::{Kind, Value, date_text};
use crate::capture::link::{LinkType, strip};
use crate::mark::{Marks, Scale};

/// A field of packets, under Wireshark's name.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What its values are like.
    pub kind: Kind,
    values: for<'a> fn(&Packet<'a>) -> Values<'a>,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Field {
    /// Its values in a packet, none if it is not there.
    pub fn values<'a>(&self, packet: &Packet<'a>) -> SmallVec<[Value<'a>; 4]> {
        (self.values)(packet)
    }

    /// A protocol's bytes.
    pub(super) fn bytes<'a>(&self, packet: &Packet<'a>) -> Option<&'a [u8]> {
        let whole = packet.frame.bytes;
        if self.name == "frame" {
            return Some(whole);
        }
        if self.name == "eth" {
            return (packet.frame.link == LinkType::ETHERNET).then_some(whole);
        }
        if (self.values)(packet).is_empty() {
            return None;
        }
        let ip = strip(packet.frame.link, whole)?.ip;
        let layout = Layers::dissect(Medium::Ip, ip).0.layout;
        match self.name {
            "tcp" => ip.get(layout.transport..layout.end),
            _ => ip.get(..layout.end),
        }
    }

    /// Writes its values as `tshark -T fields` does, with commas between them.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(&self, out: &mut impl Write, packet: &Packet<'_>) -> fmt::Result {
        for (i, value) in self.values(packet).iter().enumerate() {
            if i > 0 {
                out.write_char(',')?;
            }
            self.write_value(out, value)?;
        }
        Ok(())
    }

    fn write_value(&self, out: &mut impl Write, value: &Value<'_>) -> fmt::Result {
        match (value, self.kind) {
            (Value::Present, _) => out.write_str(self.name),
            (Value::Number(number), Kind::Hex) => write!(out, "{number:#06x}"),
            (Value::Number(number), _) => write!(out, "{number}"),
            (Value::Address(address, _), _) => write!(out, "{address}"),
            (Value::Time(nanos), Kind::Date) if self.name == "frame.time" => {
                out.write_str(&date_text(Instant::from_nanos(nanos.unsigned_abs())))
            }
            (Value::Time(nanos), _) => {
                let sign = if *nanos < 0 { "-" } else { "" };
                let nanos = nanos.unsigned_abs();
                write!(out, "{sign}{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
            }
            (Value::Bytes(bytes), Kind::Mac) => {
                bytes.iter().enumerate().try_for_each(|(i, byte)| {
                    write!(out, "{}{byte:02x}", if i > 0 { ":" } else { "" })
                })
            }
            (Value::Bytes(bytes), _) => bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
        }
    }

    /// Adds it to an object, if it is there: a number as a number, a mark and a bit as true or
    /// false, a time in seconds, several values as a list, everything else as text.
    fn serialize<M: SerializeMap>(&self, map: &mut M, packet: &Packet<'_>) -> Result<(), M::Error> {
        let values = self.values(packet);
        match &values[..] {
            [] => Ok(()),
            [value] => map.serialize_entry(self.name, &Shown { field: self, value }),
            several => {
                let shown = several.iter().map(|value| Shown { field: self, value });
                map.serialize_entry(self.name, &shown.collect::<SmallVec<[_; 4]>>()[..])
            }
        }
    }
}

struct Shown<'a> {
    field: &'a Field,
    value: &'a Value<'a>,
}

impl serde::Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.value, self.field.kind) {
            (Value::Present, _) => serializer.serialize_bool(true),
            (Value::Number(number), Kind::Flag | Kind::Mark) => {
                serializer.serialize_bool(*number != 0)
            }
            (Value::Number(number), _) => serializer.serialize_i64(*number),
            (Value::Time(nanos), Kind::Time) => serializer.serialize_f64(*nanos as f64 / 1e9),
            (value, _) => {
                let mut text = String::new();
                // A string takes everything.
                let _ = self.field.write_value(&mut text, value);
                serializer.serialize_str(&text)
            }
        }
    }
}

/// The fields of a packet that serialize as entries of one object, by their names.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a Packet<'a>, pub &'a [&'static Field]);

impl serde::Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.1.iter().try_for_each(|field| field.serialize(&mut map, self.0))?;
        map.end()
    }
}

/// TCP's number.
const TCP: u8 = 6;

fn one(value: Value<'_>) -> Values<'_> {
    smallvec![value]
}

fn number<'a>(value: impl Into<i64>) -> Values<'a> {
    one(Value::Number(value.into()))
}

/// Counts that are never so large as not to fit.
fn count<'a>(value: u64) -> Values<'a> {
    number(i64::try_from(value).unwrap_or(i64::MAX))
}

fn maybe<'a>(value: Option<impl Into<i64>>) -> Values<'a> {
    value.map(|value| Value::Number(value.into())).into_iter().collect()
}

fn maybe_count<'a>(value: Option<u64>) -> Values<'a> {
    value.map_or_else(SmallVec::new, count)
}

fn time<'a>(value: Option<Duration>) -> Values<'a> {
    let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    value.map(|value| Value::Time(nanos(value))).into_iter().collect()
}

/// From one point in time to another, which may be the earlier one.
fn between<'a>(from: Instant, to: Instant) -> Values<'a> {
    one(Value::Time(to.as_nanos().wrapping_sub(from.as_nanos()).cast_signed()))
}

fn date<'a>(at: Instant) -> Values<'a> {
    one(Value::Time(i64::try_from(at.as_nanos()).unwrap_or(i64::MAX)))
}

fn flag<'a>(packet: &Packet<'_>, flag: Flags) -> Values<'a> {
    number(packet.segment.header.flags.contains(flag))
}

/// Marks are there or not; they have no value.
fn mark<'a>(packet: &Packet<'_>, mark: Marks) -> Values<'a> {
    present(packet.seen.analysis.marks.contains(mark), Value::Number(1))
}

fn present(there: bool, value: Value<'_>) -> Values<'_> {
    there.then_some(value).into_iter().collect()
}

fn protocol<'a>(there: bool) -> Values<'a> {
    present(there, Value::Present)
}

fn bytes(bytes: &[u8]) -> Values<'_> {
    present(!bytes.is_empty(), Value::Bytes(Cow::Borrowed(bytes)))
}

fn addresses<'a>(packet: &Packet<'_>, which: [bool; 2], v4: bool) -> Values<'a> {
    let ends = [packet.segment.src.ip(), packet.segment.dst.ip()].into_iter().zip(which);
    let wanted = ends.filter(|(ip, wanted)| *wanted && ip.is_ipv4() == v4);
    let all = if v4 { 32 } else { 128 };
    wanted.map(|(ip, _): (IpAddr, bool)| Value::Address(ip, all)).collect()
}

/// Ethernet's header, if there is one.
fn ethernet<'a>(packet: &Packet<'a>) -> Option<EthernetView<'a>> {
    let is = packet.frame.link == LinkType::ETHERNET;
    EthernetView::parse(packet.frame.bytes).ok().filter(|_| is)
}

fn macs<'a>(packet: &Packet<'a>, which: [bool; 2]) -> Values<'a> {
    let Some(ethernet) = ethernet(packet) else { return SmallVec::new() };
    let both = [ethernet.src(), ethernet.dst()].into_iter().zip(which);
    both.filter(|(_, wanted)| *wanted).map(|(mac, _)| Value::Bytes(mac.0.to_vec().into())).collect()
}

fn sack<'a>(packet: &Packet<'_>, edge: fn(&SackBlock) -> u32) -> Values<'a> {
    let blocks = packet.segment.header.options.sack.as_slice().iter();
    blocks.map(|block| Value::Number(edge(block).into())).collect()
}

/// What follows the segment in its sender's numbers.
fn next<'a>(packet: &Packet<'_>) -> Values<'a> {
    let controls = packet.segment.header.flags.intersects(Flags::SYN | Flags::FIN);
    let len = packet.segment.len + u32::from(controls);
    number(packet.seen.analysis.seq.wrapping_add(len))
}

macro_rules! fields {
    ($($name:literal $kind:ident $values:expr;)*) => {
        /// All of them.
        pub static FIELDS: &[Field] =
            &[$(Field { name: $name, kind: Kind::$kind, values: $values }),*];
    };
}

fields! {
    "frame" Protocol |_| protocol(true);
    "frame.number" Number |p| count(p.frame.number);
    "frame.len" Number |p| number(p.frame.len);
    "frame.cap_len" Number |p| count(p.frame.bytes.len() as u64);
    "frame.time" Date |p| date(p.frame.at);
    "frame.time_epoch" Date |p| date(p.frame.at);
    "frame.time_relative" Time |p| between(p.clock.first, p.frame.at);
    "frame.time_delta" Time |p| between(p.clock.previous, p.frame.at);
    "frame.time_delta_displayed" Time |p| between(p.clock.displayed, p.frame.at);
    "frame.interface_id" Number |p| number(p.frame.interface);
    "eth" Protocol |p| protocol(ethernet(p).is_some());
    "eth.src" Mac |p| macs(p, [true, false]);
    "eth.dst" Mac |p| macs(p, [false, true]);
    "eth.addr" Mac |p| macs(p, [true, true]);
    "eth.type" Hex |p| maybe(ethernet(p).filter(|eth| eth.tags().len() == 0).map(|eth| {
        eth.ethertype().0
    }));
    "vlan" Protocol |p| protocol(p.segment.network.vlans[0] != 0);
    "vlan.id" Number |p| {
        let vlans = p.segment.network.vlans.into_iter().filter(|&id| id != 0);
        vlans.map(|id| Value::Number(id.into())).collect()
    };
    "ip" Protocol |p| protocol(p.segment.src.is_ipv4());
    "ip.src" Address |p| addresses(p, [true, false], true);
    "ip.dst" Address |p| addresses(p, [false, true], true);
    "ip.addr" Address |p| addresses(p, [true, true], true);
    "ip.ttl" Number |p| maybe(p.segment.src.is_ipv4().then_some(p.segment.ip.ttl));
    "ip.id" Hex |p| maybe(p.segment.ip.id);
    "ip.flags.df" Flag |p| {
        maybe(p.segment.src.is_ipv4().then_some(p.segment.ip.dont_fragment))
    };
    "ip.dsfield.ecn" Number |p| {
        maybe(p.segment.src.is_ipv4().then_some(p.segment.ip.ecn as u8))
    };
    "ip.proto" Number |p| maybe(p.segment.src.is_ipv4().then_some(TCP));
    "ipv6" Protocol |p| protocol(p.segment.src.is_ipv6());
    "ipv6.src" Address |p| addresses(p, [true, false], false);
    "ipv6.dst" Address |p| addresses(p, [false, true], false);
    "ipv6.addr" Address |p| addresses(p, [true, true], false);
    "ipv6.hlim" Number |p| maybe(p.segment.src.is_ipv6().then_some(p.segment.ip.ttl));
    "ipv6.tclass.ecn" Number |p| {
        maybe(p.segment.src.is_ipv6().then_some(p.segment.ip.ecn as u8))
    };
    "tcp" Protocol |_| protocol(true);
    "tcp.stream" Number |p| count(p.seen.stream);
    "tcp.srcport" Number |p| number(p.segment.src.port());
    "tcp.dstport" Number |p| number(p.segment.dst.port());
    "tcp.port" Number |p| [p.segment.src, p.segment.dst].map(|end| {
        Value::Number(end.port().into())
    }).into_iter().collect();
    "tcp.len" Number |p| number(p.segment.len);
    "tcp.payload" Bytes |p| bytes(p.segment.payload);
    "tcp.seq" Number |p| number(p.seen.analysis.seq);
    "tcp.seq_raw" Number |p| number(p.segment.header.seq.0);
    "tcp.nxtseq" Number |p| next(p);
    "tcp.ack" Number |p| number(p.seen.analysis.ack);
    "tcp.ack_raw" Number |p| number(p.segment.header.ack.0);
    "tcp.hdr_len" Number |p| count(20 + p.segment.options.len() as u64);
    "tcp.flags" Hex |p| {
        number(p.segment.header.flags.bits() | u16::from(p.segment.reserved) << 9)
    };
    "tcp.flags.res" Number |p| number(p.segment.reserved);
    "tcp.flags.fin" Flag |p| flag(p, Flags::FIN);
    "tcp.flags.syn" Flag |p| flag(p, Flags::SYN);
    "tcp.flags.reset" Flag |p| flag(p, Flags::RST);
    "tcp.flags.push" Flag |p| flag(p, Flags::PSH);
    "tcp.flags.ack" Flag |p| flag(p, Flags::ACK);
    "tcp.flags.urg" Flag |p| flag(p, Flags::URG);
    "tcp.flags.ece" Flag |p| flag(p, Flags::ECE);
    "tcp.flags.cwr" Flag |p| flag(p, Flags::CWR);
    "tcp.flags.ae" Flag |p| flag(p, Flags::AE);
    "tcp.window_size_value" Number |p| number(p.segment.header.window);
    "tcp.window_size" Number |p| number(p.seen.analysis.window);
    "tcp.window_size_scalefactor" Number |p| maybe(p.seen.analysis.scale.map(Scale::factor));
    "tcp.urgent_pointer" Number |p| number(p.segment.header.urgent);
    "tcp.checksum.status" Number |p| number(match p.segment.checksum_ok {
        Some(fits) => u8::from(fits),
        None => 2,
    });
    "tcp.options" Bytes |p| bytes(p.segment.options);
    "tcp.options.mss_val" Number |p| maybe(p.segment.header.options.mss);
    "tcp.options.wscale.shift" Number |p| maybe(p.segment.header.options.window_scale);
    "tcp.options.timestamp.tsval" Number |p| {
        maybe(p.segment.header.options.timestamps.map(|timestamps| timestamps.value))
    };
    "tcp.options.timestamp.tsecr" Number |p| {
        maybe(p.segment.header.options.timestamps.map(|timestamps| timestamps.echo))
    };
    "tcp.options.sack_perm" Flag |p| {
        present(p.segment.header.options.sack_permitted, Value::Number(1))
    };
    "tcp.options.sack_le" Number |p| sack(p, |block| block.left.0);
    "tcp.options.sack_re" Number |p| sack(p, |block| block.right.0);
    "tcp.time_relative" Time |p| between(p.seen.first, p.frame.at);
    "tcp.time_delta" Time |p| between(p.seen.previous, p.frame.at);
    "tcp.completeness" Number |p| number(p.seen.analysis.completeness.bits());
    "tcp.analysis" Protocol |p| protocol(p.seen.analysis.says_something());
    "tcp.analysis.flags" Protocol |p| protocol(!p.seen.analysis.marks.is_empty());
    "tcp.analysis.retransmission" Mark |p| mark(p, Marks::RETRANSMISSION);
    "tcp.analysis.fast_retransmission" Mark |p| mark(p, Marks::FAST_RETRANSMISSION);
    "tcp.analysis.spurious_retransmission" Mark |p| mark(p, Marks::SPURIOUS_RETRANSMISSION);
    "tcp.analysis.out_of_order" Mark |p| mark(p, Marks::OUT_OF_ORDER);
    "tcp.analysis.lost_segment" Mark |p| mark(p, Marks::LOST_SEGMENT);
    "tcp.analysis.ack_lost_segment" Mark |p| mark(p, Marks::ACK_LOST_SEGMENT);
    "tcp.analysis.duplicate_ack" Mark |p| mark(p, Marks::DUPLICATE_ACK);
    "tcp.analysis.keep_alive" Mark |p| mark(p, Marks::KEEP_ALIVE);
    "tcp.analysis.keep_alive_ack" Mark |p| mark(p, Marks::KEEP_ALIVE_ACK);
    "tcp.analysis.zero_window" Mark |p| mark(p, Marks::ZERO_WINDOW);
    "tcp.analysis.zero_window_probe" Mark |p| mark(p, Marks::ZERO_WINDOW_PROBE);
    "tcp.analysis.zero_window_probe_ack" Mark |p| mark(p, Marks::ZERO_WINDOW_PROBE_ACK);
    "tcp.analysis.window_update" Mark |p| mark(p, Marks::WINDOW_UPDATE);
    "tcp.analysis.window_full" Mark |p| mark(p, Marks::WINDOW_FULL);
    "tcp.analysis.reused_ports" Mark |p| mark(p, Marks::REUSED_PORTS);
    "tcp.analysis.duplicate_ack_num" Number |p| {
        maybe(p.seen.analysis.duplicate_ack.map(|duplicate| duplicate.count))
    };
    "tcp.analysis.duplicate_ack_frame" Number |p| {
        maybe_count(p.seen.analysis.duplicate_ack.map(|duplicate| duplicate.of))
    };
    "tcp.analysis.acks_frame" Number |p| maybe_count(p.seen.analysis.acks.map(|acks| acks.frame));
    "tcp.analysis.ack_rtt" Time |p| time(p.seen.analysis.acks.map(|acks| acks.time));
    "tcp.analysis.initial_rtt" Time |p| time(p.seen.analysis.initial_rtt);
    "tcp.analysis.rto" Time |p| time(p.seen.analysis.rto.map(|rto| rto.time));
    "tcp.analysis.rto_frame" Number |p| maybe_count(p.seen.analysis.rto.map(|rto| rto.frame));
    "tcp.analysis.bytes_in_flight" Number |p| maybe(p.seen.analysis.bytes_in_flight);
    "tcp.analysis.push_bytes_sent" Number |p| maybe(p.seen.analysis.push_bytes);
}

/// The field of this name in any case, or else the one with the nearest name.
///
/// # Errors
/// That one's name, if there is no field of this name.
pub fn find(name: &str) -> Result<&'static Field, &'static str> {
    let found = FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let lower = name.to_ascii_lowercase();
        let nearest = FIELDS.iter().min_by_key(|field| distance(field.name, &lower));
        nearest.map_or("tcp", |field| field.name)
    })
}

/// How many letters are to be put in, taken out or changed to make one of the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    // Longer names are not worth the time, and are none of ours.
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
