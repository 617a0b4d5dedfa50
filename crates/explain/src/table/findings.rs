//! A row for each finding.

use super::flows::severity;
use super::{Cell, Table, columns, key, maybe, sockets, text};
use crate::catalogue::findings::Findings;
use crate::finding::Finding;
use crate::flow::Flow;

/// The table.
pub const TABLE: Table = Table {
    name: "findings",
    says: "Something worth telling of a connection, or of several.",
    columns: columns! {
        "key" MaybeText "The key of the connection; empty if it is about several";
        "stream" MaybeNumber "The connection's number in the file";
        "client" MaybeText "The address of who opened it";
        "client_port" MaybeNumber "That end's port";
        "server" MaybeText "The other end's address";
        "server_port" MaybeNumber "The other end's port";
        "rule" Text "What kind of finding it is";
        "severity" Text "`note`, `warn` or `error`";
        "finding" Text "The finding in a sentence";
        "advice" Text "What to do about it";
        "frames" Text "Frames that show it, parted by blanks; not all, if there are many";
        "figures" Text "The finding's figures as a JSON object";
    },
};

/// A finding's row; `flow` is the connection that it is about.
#[must_use]
pub fn row<'a>(finding: &Finding, flow: Option<&Flow>, words: &dyn Findings) -> Vec<Cell<'a>> {
    // Nothing in it can fail to be written.
    let figures = serde_json::to_value(&finding.says).unwrap_or_default();
    let rule = figures.get("rule").and_then(|rule| rule.as_str()).unwrap_or_default().to_owned();
    let frames: Vec<_> = finding.evidence.iter().map(u64::to_string).collect();
    let ends = flow.map(sockets);
    let ip = |i: usize| maybe(ends, |ends| text(ends[i].ip().to_string()));
    let port = |i: usize| maybe(ends, |ends| ends[i].port().into());
    vec![
        maybe(flow, |flow| key(&flow.key)),
        maybe(flow, |flow| flow.stream.into()),
        ip(0),
        port(0),
        ip(1),
        port(1),
        text(rule),
        text(severity(finding.severity)),
        text(words.finding(&finding.says)),
        text(words.advice(&finding.says)),
        text(frames.join(" ")),
        text(figures.to_string()),
    ]
}
