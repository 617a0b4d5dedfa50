//! A row for each TCP segment.

use handclasp_wire::tcp::Flags;

use super::{Cell, Table, columns, flag, key, maybe, text, time};
use crate::filter::Packet;
use crate::flow::key::Key;
use crate::mark::Marks;
use crate::track::Side;

/// The table.
pub const TABLE: Table = Table {
    name: "packets",
    says: "A TCP segment of the capture.",
    columns: columns! {
        "frame" Number "Its frame's number in the file, from 1 (`frame.number`)";
        "time_ns" Number "When it was captured: nanoseconds since 1970";
        "key" Text "The connection's key, the same in every file";
        "stream" Number "The connection's number in the file, from 0 (`tcp.stream`)";
        "from_client" Flag "Whether the client sent it";
        "src" Text "The sender's address";
        "src_port" Number "The sender's port";
        "dst" Text "The receiver's address";
        "dst_port" Number "The receiver's port";
        "vlan" MaybeNumber "The outermost VLAN's number";
        "frame_len" Number "Bytes of the frame";
        "frame_cap_len" Number "Bytes of it that were kept";
        "ip_ttl" Number "Time to live, or hop limit";
        "ip_id" MaybeNumber "IPv4's identification";
        "tcp_flags" Number "The flags as a number (`tcp.flags`)";
        "tcp_flags_text" Text "The flags in tcpdump's letters";
        "tcp_seq" Number "The sequence number from the ISN (`tcp.seq`)";
        "tcp_seq_raw" Number "The same as in the header";
        "tcp_ack" MaybeNumber "What it acknowledges, from the other's ISN; empty without ACK";
        "tcp_ack_raw" MaybeNumber "The same as in the header";
        "tcp_len" Number "Bytes of payload";
        "tcp_window" Number "The window in bytes (`tcp.window_size`)";
        "tcp_window_raw" Number "The same as in the header";
        "tcp_tsval" MaybeNumber "The timestamp";
        "tcp_tsecr" MaybeNumber "The timestamp that it echoes";
        "tcp_sack" MaybeText "SACK blocks in raw numbers: `left-right left-right`";
        "checksum_ok" MaybeFlag "Whether the checksum fits; empty if too little was kept";
        "retransmission" Flag "`tcp.analysis.retransmission`";
        "fast_retransmission" Flag "`tcp.analysis.fast_retransmission`";
        "spurious_retransmission" Flag "`tcp.analysis.spurious_retransmission`";
        "out_of_order" Flag "`tcp.analysis.out_of_order`";
        "lost_segment" Flag "`tcp.analysis.lost_segment`";
        "ack_lost_segment" Flag "`tcp.analysis.ack_lost_segment`";
        "duplicate_ack" Flag "`tcp.analysis.duplicate_ack`";
        "keep_alive" Flag "`tcp.analysis.keep_alive`";
        "keep_alive_ack" Flag "`tcp.analysis.keep_alive_ack`";
        "zero_window" Flag "`tcp.analysis.zero_window`";
        "zero_window_probe" Flag "`tcp.analysis.zero_window_probe`";
        "zero_window_probe_ack" Flag "`tcp.analysis.zero_window_probe_ack`";
        "window_update" Flag "`tcp.analysis.window_update`";
        "window_full" Flag "`tcp.analysis.window_full`";
        "reused_ports" Flag "`tcp.analysis.reused_ports`";
        "duplicate_ack_num" MaybeNumber "`tcp.analysis.duplicate_ack_num`";
        "acks_frame" MaybeNumber "`tcp.analysis.acks_frame`";
        "ack_rtt_ns" MaybeNumber "`tcp.analysis.ack_rtt` in nanoseconds";
        "rto_ns" MaybeNumber "`tcp.analysis.rto` in nanoseconds";
        "bytes_in_flight" MaybeNumber "`tcp.analysis.bytes_in_flight`";
        "client_state" MaybeText "The client's state after it, as far as the packets show";
        "server_state" MaybeText "The server's state after it";
    },
};

/// A segment's row.
#[must_use]
pub fn row<'a>(packet: &Packet<'a>) -> Vec<Cell<'a>> {
    let Packet { frame, segment, seen, .. } = packet;
    let (header, analysis) = (&segment.header, &seen.analysis);
    let acks = header.flags.contains(Flags::ACK);
    let (flow, _) = Key::of(segment);
    let vlan = segment.network.vlans[0];
    let blocks = header.options.sack.as_slice();
    let sack: Vec<_> = blocks.iter().map(|b| format!("{}-{}", b.left.0, b.right.0)).collect();
    let state = |end: usize| maybe(seen.states[end], |state| text(state.name()));
    let stamps = header.options.timestamps;
    let mut row = Vec::with_capacity(TABLE.columns.len());
    row.extend([
        segment.number.into(),
        segment.at.as_nanos().into(),
        key(&flow),
        seen.stream.into(),
        flag(seen.side() == Side::Client),
        text(segment.src.ip().to_string()),
        segment.src.port().into(),
        text(segment.dst.ip().to_string()),
        segment.dst.port().into(),
        maybe((vlan != 0).then_some(vlan), Cell::from),
        frame.len.into(),
        (frame.bytes.len() as u64).into(),
        segment.ip.ttl.into(),
        maybe(segment.ip.id, Cell::from),
        header.flags.bits().into(),
        text(header.flags.to_string()),
        analysis.seq.into(),
        header.seq.0.into(),
        maybe(acks.then_some(analysis.ack), Cell::from),
        maybe(acks.then_some(header.ack.0), Cell::from),
        segment.len.into(),
        analysis.window.into(),
        header.window.into(),
        maybe(stamps.map(|stamps| stamps.value), Cell::from),
        maybe(stamps.map(|stamps| stamps.echo), Cell::from),
        maybe((!sack.is_empty()).then(|| sack.join(" ")), text),
        maybe(segment.checksum_ok, flag),
    ]);
    // In the order of their bits, which is that of the columns.
    row.extend(Marks::all().iter().map(|mark| flag(analysis.marks.contains(mark))));
    row.extend([
        maybe(analysis.duplicate_ack.map(|duplicate| duplicate.count), Cell::from),
        maybe(analysis.acks.map(|acks| acks.frame), Cell::from),
        maybe(analysis.acks.map(|acks| acks.time), time),
        maybe(analysis.rto.map(|rto| rto.time), time),
        maybe(analysis.bytes_in_flight, Cell::from),
        state(seen.client),
        state(1 - seen.client),
    ]);
    row
}
