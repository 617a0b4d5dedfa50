//! What we read in real captures beside what tshark reads there, cell by cell.
//!
//! `HANDCLASP_MISSES=50 cargo test -p handclasp-explain --test agreement -- --nocapture` shows
//! the table and 50 disagreements of each field.

mod common;

use std::collections::HashMap;

use common::{Agreement, Case, Cells};
use handclasp_explain::capture::dissect::{Dissector, Found, Segment};
use handclasp_explain::capture::link::Network;
use handclasp_explain::capture::{Frame, Reader};
use handclasp_explain::flow::Flow;
use handclasp_explain::flow::end::End;
use handclasp_explain::flow::key::Key;
use handclasp_explain::flow::table::{Limits, Table};
use handclasp_explain::mark::{Analysis, Completeness, Marks};

/// Part of the cells of each field that must be as in tshark.
const PERCENT: f64 = 99.5;
/// The same of totals beside tcptrace's, which is looser about what overlaps.
const TOTALS_PERCENT: f64 = 98.0;

/// Columns that stand in headers.
fn header_cells(frame: &Frame<'_>, segment: &Segment<'_>) -> Cells {
    let Segment { src, dst, header, .. } = segment;
    let address = |of: std::net::IpAddr, v4: bool| match of.is_ipv4() == v4 {
        true => of.to_string(),
        false => String::new(),
    };
    let nanos = frame.at.as_nanos();
    let flags = header.flags.bits() | u16::from(segment.reserved) << 9;
    let timestamps = header.options.timestamps;
    vec![
        ("frame.time_epoch", format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)),
        ("ip.src", address(src.ip(), true)),
        ("ipv6.src", address(src.ip(), false)),
        ("ip.dst", address(dst.ip(), true)),
        ("ipv6.dst", address(dst.ip(), false)),
        ("tcp.srcport", src.port().to_string()),
        ("tcp.dstport", dst.port().to_string()),
        ("tcp.seq_raw", header.seq.0.to_string()),
        ("tcp.ack_raw", header.ack.0.to_string()),
        ("tcp.len", segment.len.to_string()),
        ("tcp.flags", format!("0x{flags:04x}")),
        ("tcp.window_size_value", header.window.to_string()),
        ("tcp.urgent_pointer", header.urgent.to_string()),
        ("tcp.options.timestamp.tsval", option(timestamps.map(|ts| ts.value))),
        ("tcp.options.timestamp.tsecr", option(timestamps.map(|ts| ts.echo))),
        ("frame.cap_len", frame.bytes.len().to_string()),
        ("frame.len", frame.len.to_string()),
        (
            "tcp.checksum.status",
            match segment.checksum_ok {
                Some(true) => "1",
                Some(false) => "0",
                None => "2",
            }
            .to_owned(),
        ),
    ]
}

fn option<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The frame that IP's length goes beyond, though the capture says that it kept all of it: its
/// writer cut packets and forgot their lengths. tshark believes the frame, we believe IP.
fn is_forged(frame: &Frame<'_>, segment: &Segment<'_>) -> bool {
    let kept = segment.payload.len() + (frame.len as usize - frame.bytes.len());
    segment.len as usize > kept
}

/// Calls `each` for every segment of a capture, as far as it can be read.
fn for_each_segment(case: &Case, mut each: impl FnMut(&Frame<'_>, Segment<'_>)) {
    let mut reader = Reader::new(case.open()).unwrap();
    let mut dissector = Dissector::default();
    loop {
        match reader.next() {
            Ok(Some(frame)) => {
                if let Found::Segment(segment) = dissector.dissect(&frame) {
                    each(&frame, segment);
                }
            }
            Ok(None) => break,
            Err(error) => println!("{}: {error}", case.name),
        }
    }
}

#[test]
fn headers_are_read_as_tshark_reads_them() {
    let mut agreement = Agreement::default();
    for case in common::cases("headers_are_read_as_tshark_reads_them") {
        let mut ours = HashMap::new();
        for_each_segment(&case, |frame, segment| {
            let mut cells = header_cells(frame, &segment);
            if is_forged(frame, &segment) {
                cells.retain(|(name, _)| !["tcp.len", "tcp.checksum.status"].contains(name));
            }
            ours.insert(frame.number, cells);
        });
        agreement.compare(&case, &ours);
    }
    agreement.judge(PERCENT);
}

/// Columns that tell of a connection so far.
fn mark_cells(stream: u64, before: Completeness, analysis: &Analysis) -> Cells {
    let names = Marks::all().iter();
    let mut cells: Cells = names
        .map(|mark| {
            let name = mark.fields().next().unwrap();
            (name, u8::from(analysis.marks.contains(mark)).to_string())
        })
        .collect();
    let seconds =
        |time: std::time::Duration| format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
    let initial_rtt = analysis.initial_rtt.filter(|_| analysis.says_something());
    // tshark leaves out a round trip of no time at all, as clocks that tick slowly show it.
    let ack_rtt = analysis.acks.map(|acks| acks.time).filter(|time| !time.is_zero());
    cells.extend([
        ("tcp.stream", stream.to_string()),
        ("tcp.seq", analysis.seq.to_string()),
        ("tcp.ack", analysis.ack.to_string()),
        ("tcp.window_size", analysis.window.to_string()),
        ("tcp.window_size_scalefactor", option(analysis.scale.map(|scale| scale.factor()))),
        ("tcp.analysis.initial_rtt", option(initial_rtt.map(seconds))),
        ("tcp.analysis.ack_rtt", option(ack_rtt.map(seconds))),
        (
            "tcp.analysis.duplicate_ack_num",
            option(analysis.duplicate_ack.map(|duplicate| duplicate.count)),
        ),
        ("tcp.analysis.bytes_in_flight", option(analysis.bytes_in_flight)),
        ("tcp.completeness", before.bits().to_string()),
    ]);
    cells
}

#[test]
fn marks_are_tsharks() {
    let mut agreement = Agreement::default();
    for case in common::cases("marks_are_tsharks") {
        let mut ours = HashMap::new();
        let mut table = Table::new(Limits { networks: false, ..Limits::endless() });
        let mut completeness: HashMap<u64, Completeness> = HashMap::new();
        for_each_segment(&case, |frame, mut segment| {
            if is_forged(frame, &segment) {
                segment.len = segment.payload.len() as u32;
            }
            let seen = table.see(&segment);
            let so_far = completeness.entry(seen.stream).or_default();
            let cells = mark_cells(seen.stream, *so_far, &seen.analysis);
            *so_far = seen.analysis.completeness;
            ours.insert(frame.number, cells);
        });
        agreement.compare(&case, &ours);
    }
    agreement.judge(PERCENT);
}

/// What Bro, which Zeek was called then, wrote of a capture's connections.
#[test]
fn connection_states_are_bros() {
    let (mut alike, mut all, mut misses) = (0, 0, Vec::new());
    for case in common::cases("connection_states_are_bros") {
        let mut table = Table::new(Limits { networks: false, ..Limits::endless() });
        for_each_segment(&case, |_, segment| {
            table.see(&segment);
        });
        let flows = table.finish();
        for line in case.bro_connections() {
            let socket = |ip: &str, port: &str| -> std::net::SocketAddr {
                std::net::SocketAddr::new(ip.parse().unwrap(), port.parse().unwrap())
            };
            let (src, dst) = (socket(&line[2], &line[3]), socket(&line[4], &line[5]));
            let (key, client) = Key::new(Network::default(), src, dst);
            let begins = line[0].parse::<f64>().unwrap();
            let at = |flow: &Flow| flow.first.at.as_nanos() as f64 / 1e9;
            // Bro splits what we take for one connection; only those that begin together count.
            let Some(flow) = flows.iter().find(|flow| {
                flow.key == key && flow.client == client && (at(flow) - begins).abs() < 1e-3
            }) else {
                continue;
            };
            all += 1;
            if flow.zeek.conn_state() == line[11] {
                alike += 1;
            } else {
                let (state, history) = (flow.zeek.conn_state(), flow.zeek.history());
                let (theirs, letters) = (&line[11], &line[15]);
                let name = &case.name;
                misses.push(format!("{name} {src} {theirs} {letters} ours {state} {history}"));
            }
        }
    }
    println!("{alike} of {all} connections alike");
    for miss in misses.iter().take(40) {
        println!("  {miss}");
    }
    assert!(20 * (all - alike) <= all, "more than one in twenty differs");
}

/// The figures of one direction that tcptrace has too, under its names.
fn tcptrace_cells(end: &End) -> Vec<(&'static str, u64)> {
    let counts = &end.counts;
    vec![
        ("total packets", counts.packets),
        ("ack pkts sent", counts.acks),
        ("pure acks sent", counts.pure_acks),
        ("sack pkts sent", counts.sacks),
        ("dsack pkts sent", counts.dsacks),
        ("max sack blks/ack", counts.max_sack_blocks.into()),
        ("unique bytes sent", counts.unique_bytes),
        ("actual data pkts", counts.data_packets),
        ("actual data bytes", counts.data_bytes),
        ("rexmt data pkts", counts.resent_packets),
        ("rexmt data bytes", counts.resent_bytes),
        ("zwnd probe pkts", counts.probes),
        ("outoforder pkts", counts.out_of_order),
        ("pushed data pkts", counts.pushed),
        ("urgent data pkts", counts.urgent),
        ("max segm size", counts.max_segment.into()),
        ("min segm size", counts.min_segment.into()),
        ("max win adv", counts.max_window.into()),
        ("min win adv", counts.min_window.into()),
        ("zero win adv", counts.zero_windows),
    ]
}

#[test]
fn totals_are_tcptraces() {
    let mut scores: std::collections::BTreeMap<&str, (u64, u64)> = Default::default();
    let mut misses = Vec::new();
    for case in common::cases("totals_are_tcptraces") {
        let mut table = Table::new(Limits { networks: false, ..Limits::endless() });
        for_each_segment(&case, |_, segment| {
            table.see(&segment);
        });
        let flows = table.finish();
        let theirs = case.tcptrace_connections();
        // Where it sees other connections, its totals are of other packets.
        if theirs.len() != flows.len() {
            continue;
        }
        for (flow, (sockets, cells)) in flows.iter().zip(&theirs) {
            let ends = sockets
                .each_ref()
                .map(|socket| flow.key.ends.iter().position(|end| end.to_string() == *socket));
            let [Some(a), Some(b)] = ends else { continue };
            for (i, end) in [a, b].into_iter().enumerate() {
                // A SYN or FIN that is sent again is a byte of data to it.
                let counts = &flow.ends[end].counts;
                let controls = counts.syns > 1 || counts.fins > 1;
                for (name, ours) in tcptrace_cells(&flow.ends[end]) {
                    let Some(theirs) = cells.get(name) else { continue };
                    if controls && name.starts_with("rexmt") {
                        continue;
                    }
                    let score = scores.entry(name).or_default();
                    score.0 += 1;
                    score.1 += u64::from(theirs[i] == ours);
                    if theirs[i] != ours {
                        let case = &case.name;
                        let stream = flow.stream;
                        let theirs = theirs[i];
                        misses.push(format!("{name}: {case} {stream} {i} {theirs} ours {ours}"));
                    }
                }
            }
        }
    }
    let mut low = Vec::new();
    for (name, (cells, alike)) in &scores {
        let rate = 100.0 * *alike as f64 / *cells as f64;
        println!("{name:20} {cells:>6} {rate:>7.2} %");
        if rate < TOTALS_PERCENT {
            low.push(*name);
        }
        for miss in misses.iter().filter(|miss| miss.starts_with(name)).take(3) {
            println!("  {miss}");
        }
    }
    assert!(low.is_empty(), "less than {TOTALS_PERCENT} % agree: {low:?}");
}
