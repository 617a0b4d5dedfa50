//! A row for each connection.

use super::{Cell, Table, columns, flag, key, maybe, sockets, text, time};
use crate::finding::{Finding, Severity};
use crate::flow::Flow;
use crate::mark::{Completeness, Marks};
use crate::track::summary::Ending;

/// The table.
pub const TABLE: Table = Table {
    name: "flows",
    says: "A connection, or the part of one that is in the file.",
    columns: columns! {
        "key" Text "The connection's key: the same in every file for the same two ends and network";
        "stream" Number "Its number in the file, from 0 (`tcp.stream`)";
        "client" Text "The address of who opened it, or most likely did";
        "client_port" Number "That end's port";
        "server" Text "The other end's address";
        "server_port" Number "The other end's port";
        "vlan" MaybeNumber "The outermost VLAN's number";
        "start_ns" Number "Its first packet: nanoseconds since 1970";
        "end_ns" Number "Its last packet";
        "first_frame" Number "The number of its first packet's frame";
        "last_frame" Number "The number of its last packet's frame";
        "begins" Flag "Whether its first packet is a SYN; else it began before the file did";
        "ending" Text "`closed`, `half-closed`, `open`, `reset`, `refused` or `unanswered`";
        "client_state" MaybeText "The client's last state, as far as packets show";
        "server_state" MaybeText "The server's last state";
        "completeness" Number "What of it was captured (`tcp.completeness`)";
        "conn_state" Text "Zeek's word for it";
        "history" Text "Zeek's letters";
        "handshake_rtt_ns" MaybeNumber "From the SYN to the SYN-ACK, if neither was repeated";
        "client_isn" MaybeNumber "The client's initial sequence number";
        "server_isn" MaybeNumber "The server's";
        "client_fins" Number "FINs that the client sent";
        "server_fins" Number "FINs that the server sent";
        "client_resets" Number "RSTs that the client sent";
        "server_resets" Number "RSTs that the server sent";
        "client_packets" Number "Packets that the client sent";
        "server_packets" Number "Packets that the server sent";
        "client_bytes" Number "Bytes of the client's payload, each counted once";
        "server_bytes" Number "Bytes of the server's payload";
        "client_data_bytes" Number "The same with those that were sent again";
        "server_data_bytes" Number "The same of the server";
        "client_retransmissions" Number "Segments that the client sent again";
        "server_retransmissions" Number "Segments that the server sent again";
        "client_out_of_order" Number "The client's segments that were overtaken";
        "server_out_of_order" Number "The server's";
        "client_duplicate_acks" Number "The client's repeated acknowledgments";
        "server_duplicate_acks" Number "The server's";
        "client_zero_windows" Number "The client's windows of zero";
        "server_zero_windows" Number "The server's";
        "client_rtt_min_ns" MaybeNumber "The shortest round trip of the client's segments";
        "server_rtt_min_ns" MaybeNumber "The shortest of the server's";
        "client_rtt_mean_ns" MaybeNumber "Their mean";
        "server_rtt_mean_ns" MaybeNumber "Their mean";
        "client_max_in_flight" Number "The most bytes of the client that were not acknowledged";
        "server_max_in_flight" Number "The most of the server";
        "findings" Number "How many findings there are about it";
        "severity" MaybeText "The worst of them: `note`, `warn` or `error`";
    },
};

/// How a connection ended, in a word.
const fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Open => "open",
        Ending::Unanswered => "unanswered",
        Ending::Refused => "refused",
        Ending::Closed(_) => "closed",
        Ending::HalfClosed(_) => "half-closed",
        Ending::Reset(_) => "reset",
    }
}

/// How much a finding matters, in a word.
pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warn => "warn",
        Severity::Error => "error",
    }
}

/// A connection's row.
#[must_use]
pub fn row<'a>(flow: &'a Flow, found: &[Finding]) -> Vec<Cell<'a>> {
    let [client, server] = sockets(flow);
    let both = [flow.client, flow.server()];
    let vlan = flow.key.network.vlans[0];
    let state = |end: usize| maybe(flow.states.of[end], |state| text(state.name()));
    let worst = found.iter().map(|finding| finding.severity).max();
    let mut row = Vec::with_capacity(TABLE.columns.len());
    row.extend([
        key(&flow.key),
        flow.stream.into(),
        text(client.ip().to_string()),
        client.port().into(),
        text(server.ip().to_string()),
        server.port().into(),
        maybe((vlan != 0).then_some(vlan), Cell::from),
        flow.first.at.as_nanos().into(),
        flow.last.at.as_nanos().into(),
        flow.first.frame.into(),
        flow.last.frame.into(),
        flag(flow.completeness.contains(Completeness::SYN)),
        text(ending(flow.ending())),
        state(both[0]),
        state(both[1]),
        flow.completeness.bits().into(),
        text(flow.zeek.conn_state()),
        text(flow.zeek.history()),
        maybe(flow.handshake.round_trip(), time),
    ]);
    let mut pair = |cell: &dyn Fn(usize) -> Cell<'a>| row.extend(both.map(cell));
    pair(&|end| maybe(flow.ends[end].isn, Cell::from));
    pair(&|end| flow.ends[end].counts.fins.into());
    pair(&|end| flow.ends[end].counts.resets.into());
    pair(&|end| flow.ends[end].counts.packets.into());
    pair(&|end| flow.ends[end].counts.unique_bytes.into());
    pair(&|end| flow.ends[end].counts.data_bytes.into());
    pair(&|end| flow.evidence[end].count(Marks::RETRANSMISSION).into());
    pair(&|end| flow.ends[end].counts.out_of_order.into());
    pair(&|end| flow.ends[end].counts.duplicate_acks.into());
    pair(&|end| flow.ends[end].counts.zero_windows.into());
    pair(&|end| {
        let trips = &flow.ends[end].round_trips;
        maybe((trips.samples > 0).then_some(trips.min), time)
    });
    pair(&|end| maybe(flow.ends[end].round_trips.mean(), time));
    pair(&|end| flow.ends[end].counts.max_in_flight.into());
    row.push((found.len() as u64).into());
    row.push(maybe(worst.map(severity), text));
    row
}
