//! What all connections came to.

use handclasp_explain::catalogue::Message;
use handclasp_explain::track::Flow;
use handclasp_explain::track::summary::{Ending, Summary};

/// The totals of one connection, or of several, as our side sees them.
pub(crate) fn totals(flows: &[Flow], ours_is_server: bool) -> Vec<Message<'static>> {
    let summaries: Vec<Summary> = flows.iter().map(Flow::summary).collect();
    let sum = |f: fn(&Summary) -> u64| summaries.iter().map(f).sum::<u64>();
    let (client, server) = (sum(|s| s.sent.client.bytes), sum(|s| s.sent.server.bytes));
    let (out, r#in) = if ours_is_server { (server, client) } else { (client, server) };
    let lost = sum(|s| s.sent.client.lost + s.sent.server.lost);
    let mut parts = Vec::new();
    match &summaries[..] {
        [one] => parts.extend(one.handshake_rtt.map(Message::HandshakeTime)),
        several => parts.push(Message::Connections(several.len() as u64)),
    }
    parts.push(Message::Bytes { out, r#in });
    parts.extend((lost > 0).then_some(Message::LostOnTheWay(lost)));
    parts.push(Message::Retransmitted(sum(Summary::retransmitted)));
    if let [Summary { ending, .. }] = summaries[..]
        && ending != Ending::Refused
    {
        parts.push(Message::Ending(ending));
    }
    parts.push(Message::Packets(sum(Summary::packets)));
    parts
}
