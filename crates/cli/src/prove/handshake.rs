//! What exploring a handshake showed, printed.

use std::io::{self, Write};

use handclasp_explain::catalogue::English;
use handclasp_explain::catalogue::proofs::{ProofSays, Proofs};
use handclasp_prove::handshake::knowledge::{Fact, Known, table};
use handclasp_prove::handshake::{
    Act, Body, End, Handshake, Isn, Moment, Packet, Proof, Run, Side,
};
use serde_json::{Value, json};

use super::args::HandshakeArgs;
use super::rows::{self, Row, Way};
use crate::Outcome;
use crate::error::Error;

pub(super) fn run(args: &HandshakeArgs) -> Result<Outcome, Error> {
    let model = Handshake::new(args.ways);
    let by_server = model.last_sender() == Some(Side::Server);
    let proof = model.explore();
    let known = table(args.ways);
    let outcome = if proof.broken.is_some() { Outcome::Failed } else { Outcome::Done };
    let mut out = anstream::stdout().lock();
    if args.json {
        writeln!(out, "{}", as_json(&proof, &known))?;
        return Ok(outcome);
    }
    if let Some(run) = &proof.broken {
        let says = ProofSays::HandshakeBroken { ways: args.ways };
        rows::say(&mut out, '✘', &English.proof(says))?;
        writeln!(out)?;
        rows::write(&mut out, &ladder(run, args.ways))?;
    } else {
        let says = ProofSays::HandshakeHolds { ways: args.ways, states: proof.states };
        rows::say(&mut out, '✔', &English.proof(says))?;
        writeln!(out)?;
        if let Some(run) = &proof.unsure {
            let says = ProofSays::LastWord { ways: args.ways, by_server };
            rows::say(&mut out, '·', &English.proof(says))?;
            writeln!(out)?;
            rows::write(&mut out, &ladder(run, args.ways))?;
        }
    }
    if args.ways > 0 {
        writeln!(out)?;
        rows::say(&mut out, '·', &English.proof(ProofSays::KnowledgeHeading))?;
        writeln!(out)?;
        write_table(&mut out, &known)?;
    }
    Ok(outcome)
}

/// A run as a ladder; at its end, what the ends sent and the network never delivered.
fn ladder(run: &Run, ways: u8) -> Vec<Row> {
    let mut rows = vec![Row {
        left: "client".into(),
        way: Way::Still,
        what: String::new(),
        right: "server".into(),
    }];
    let mut delivered = Vec::new();
    for (act, moment) in run {
        let (way, what) = match act {
            None => (Way::Still, String::new()),
            Some(Act::Connect) => (Way::Still, English.proof(ProofSays::Connects)),
            Some(Act::Deliver(packet)) => {
                delivered.push(*packet);
                (Way::to(packet.from == Side::Client, true), describe(packet))
            }
        };
        rows.push(row(moment, way, what, ways));
    }
    if let Some((_, moment)) = run.last() {
        let lost = moment.network.iter().filter(|p| !p.old && !delivered.contains(p));
        rows.extend(lost.map(|packet| {
            row(moment, Way::to(packet.from == Side::Client, false), describe(packet), ways)
        }));
    }
    rows
}

fn row(moment: &Moment, way: Way, what: String, ways: u8) -> Row {
    let left = standing(moment.end(Side::Client), Side::Client, ways);
    let right = standing(moment.end(Side::Server), Side::Server, ways);
    Row { left, way, what, right }
}

/// How an end stands: a state, and the number that it has of the other's.
fn standing(end: &End, side: Side, ways: u8) -> String {
    let state = match (end.open, end.isn, side) {
        (true, ..) => "OPEN",
        (_, None, Side::Client) => "CLOSED",
        (_, None, Side::Server) => "LISTEN",
        (_, Some(_), Side::Client) => "SYN-SENT",
        (_, Some(_), Side::Server) => "SYN-RECEIVED",
    };
    match end.peer {
        Some(Isn(number)) => format!("{state}, peer {number}"),
        None if end.open && ways > 0 => format!("{state}, peer unknown"),
        None => state.to_owned(),
    }
}

fn describe(packet: &Packet) -> String {
    let what = match packet.body {
        Body::Shake { number, isn: Isn(isn), ack } => {
            let ack = ack.map_or_else(String::new, |Isn(ack)| format!(" ack {ack}"));
            let isn = if number <= 2 { format!(" isn {isn}") } else { String::new() };
            let name = match number {
                1 => "SYN",
                2 => "SYN-ACK",
                _ => "ACK",
            };
            format!("{number}: {name}{isn}{ack}")
        }
        Body::Reset { about: Isn(about) } => format!("RST {about}"),
    };
    let old = format!(" ({})", English.proof(ProofSays::OldDuplicate));
    if packet.old { what + &old } else { what }
}

fn write_table(out: &mut dyn Write, known: &[Known]) -> io::Result<()> {
    let heads = Fact::ALL.map(head);
    write!(out, "  {:<16}", "")?;
    heads.iter().try_for_each(|head| write!(out, "  {:<width$}", head[0], width = width(head)))?;
    write!(out, "\n  {:<16}", "after packet")?;
    heads.iter().try_for_each(|head| write!(out, "  {:<width$}", head[1], width = width(head)))?;
    writeln!(out)?;
    for Known { number, facts, open } in known {
        for side in [Side::Client, Side::Server] {
            let name = if side == Side::Client { "client" } else { "server" };
            let label = match (side, number) {
                (Side::Server, _) => String::new(),
                (_, 0) => "none yet".to_owned(),
                (_, number) => number.to_string(),
            };
            write!(out, "  {label:<8}  {name}")?;
            for (knows, head) in facts[side as usize].iter().zip(&heads) {
                let mark = if *knows { "✔" } else { "·" };
                write!(out, "  {mark:<width$}", width = width(head))?;
            }
            writeln!(out, "{}", if open[side as usize] { "  OPEN" } else { "" })?;
        }
    }
    Ok(())
}

fn width(head: &[&str; 2]) -> usize {
    head.iter().map(|word| word.len()).max().unwrap_or(0)
}

const fn head(fact: Fact) -> [&'static str; 2] {
    match fact {
        Fact::Sending => ["own send, peer's", "receive work"],
        Fact::Receiving => ["own receive,", "peer's send work"],
        Fact::OwnNumber => ["own ISN is", "acknowledged"],
        Fact::PeerNumber => ["peer's ISN", "is not old"],
        Fact::PeerOpen => ["peer is", "open"],
    }
}

fn as_json(proof: &Proof, known: &[Known]) -> Value {
    let rows = |run: &Option<Run>| {
        let run = run.as_ref()?;
        let row = |row: Row| {
            json!({"client": row.left, "packet": row.what, "server": row.right,
                "to": match row.way {
                    Way::Right | Way::LostRight => Some("server"),
                    Way::Left | Way::LostLeft => Some("client"),
                    Way::Still => None,
                },
                "lost": matches!(row.way, Way::LostRight | Way::LostLeft)})
        };
        Some(ladder(run, proof.ways).into_iter().skip(1).map(row).collect::<Vec<_>>())
    };
    let facts = |known: &Known, side: usize| {
        let [sending, receiving, own, peer, open] = known.facts[side];
        json!({"sending_works": sending, "receiving_works": receiving, "own_isn_acknowledged": own,
            "peer_isn_current": peer, "peer_open": open, "open": known.open[side]})
    };
    json!({
        "ways": proof.ways,
        "holds": proof.broken.is_none(),
        "states": proof.states,
        "broken": rows(&proof.broken),
        "last_sender_unsure": rows(&proof.unsure),
        "known": known.iter().map(|k| {
            json!({"after": k.number, "client": facts(k, 0), "server": facts(k, 1)})
        }).collect::<Vec<_>>(),
    })
}
