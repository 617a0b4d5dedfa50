//! What is kept of a connection for the table.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use handclasp::wire::time::Instant;
use handclasp_explain::finding::{Finding, Severity};
use handclasp_explain::flow::Flow;
use handclasp_explain::json;
use handclasp_explain::mark::Marks;

use crate::verdict::verdict;

/// A connection. Pairs are of the client and the server.
pub(super) struct Row {
    pub(super) stream: u64,
    pub(super) first: Instant,
    pub(super) sockets: [SocketAddr; 2],
    pub(super) duration: Duration,
    pub(super) packets: [u64; 2],
    pub(super) bytes: [u64; 2],
    pub(super) resent: [u64; 2],
    pub(super) round_trip: Option<Duration>,
    pub(super) severity: Option<Severity>,
    pub(super) verdict: String,
    conn_state: &'static str,
    history: Box<str>,
    /// The connection as an object, if that is wanted.
    pub(super) json: String,
}

impl Row {
    pub(super) fn new(flow: &Flow, found: &[Finding], json: bool) -> Self {
        let ends = [flow.client, flow.server()];
        let counts = ends.map(|end| flow.ends[end].counts);
        let severity = found.first().map(|finding| finding.severity);
        let verdict = verdict(flow, found);
        let object = json.then(|| json::Followed::new(flow, severity, &verdict));
        // Nothing in it can fail to be written.
        let json = object.map(|object| serde_json::to_string(&object).unwrap_or_default());
        Self {
            stream: flow.stream,
            first: flow.first.at,
            sockets: ends.map(|end| flow.key.ends[end]),
            duration: flow.duration(),
            packets: counts.map(|counts| counts.packets),
            bytes: counts.map(|counts| counts.unique_bytes),
            resent: ends.map(|end| flow.evidence[end].count(Marks::RETRANSMISSION)),
            round_trip: flow.handshake.round_trip(),
            severity,
            conn_state: flow.zeek.conn_state(),
            history: flow.zeek.history().into(),
            json: json.unwrap_or_default(),
            verdict,
        }
    }

    fn csv(&self) -> String {
        let seconds = |time: Duration| format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
        let [client, server] = self.sockets;
        let mut line = format!("{},{}", self.stream, seconds(self.first - Instant::ZERO));
        let (client_ip, server_ip) = (client.ip(), server.ip());
        let _ = write!(line, ",{client_ip},{},{server_ip},{}", client.port(), server.port());
        let _ = write!(line, ",{}", seconds(self.duration));
        for [client, server] in [self.packets, self.bytes, self.resent] {
            let _ = write!(line, ",{client},{server}");
        }
        let round_trip = self.round_trip.map(seconds).unwrap_or_default();
        let severity = match self.severity {
            None => "",
            Some(Severity::Note) => "note",
            Some(Severity::Warn) => "warn",
            Some(Severity::Error) => "error",
        };
        let verdict = self.verdict.replace('"', "\"\"");
        let _ = write!(line, ",{round_trip},{},{},{severity}", self.conn_state, self.history);
        let _ = write!(line, ",\"{verdict}\"");
        line
    }
}

/// The columns of CSV.
const COLUMNS: &str = "stream,start,client,client_port,server,server_port,duration_s,\
    client_packets,server_packets,client_bytes,server_bytes,client_resent,server_resent,\
    handshake_rtt_s,conn_state,history,severity,verdict";

/// Writes a line of names and a line for each connection.
pub(super) fn write_csv(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    writeln!(out, "{COLUMNS}")?;
    rows.iter().try_for_each(|row| writeln!(out, "{}", row.csv()))
}
