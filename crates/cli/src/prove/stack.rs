//! What exploring our state machine showed, printed.

use std::io::Write;
use std::time::Duration;

use handclasp::wire::seq::SeqNumber;
use handclasp::wire::tcp::Flags;
use handclasp_explain::catalogue::English;
use handclasp_explain::catalogue::proofs::{LawName, ProofSays, Proofs};
use handclasp_prove::stack::{
    Act, Bounds, Call, End, Ending, Explorer, Flying, Law, Proof, STEPS, Scene, Step, World,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::args::StackArgs;
use super::rows::{self, Row, Way};
use crate::Outcome;
use crate::error::Error;

/// Numbers further apart than this have nothing to do with each other.
const FAR: u32 = 1 << 20;

pub(super) fn run(args: &StackArgs) -> Result<Outcome, Error> {
    let scenes = match args.scene {
        Some(scene) => vec![Scene::from(scene)],
        None => Scene::ALL.to_vec(),
    };
    let mut outcome = Outcome::Done;
    for scene in scenes {
        let usual = Bounds::of(scene);
        let depth = args.depth.map_or(usual.depth, usize::from);
        let bounds = Bounds { depth, sighted: args.sighted, ..usual };
        let bar = waiting(scene);
        let proof = Explorer::new(scene, bounds).explore();
        bar.finish_and_clear();
        if !proof.broken.is_empty() {
            outcome = Outcome::Failed;
        }
        let mut out = anstream::stdout().lock();
        if args.json {
            writeln!(out, "{}", as_json(&proof))?;
        } else {
            report(&mut out, &proof)?;
        }
    }
    Ok(outcome)
}

/// Something that moves while the explorer works, on a terminal.
fn waiting(scene: Scene) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(scene.name());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn report(out: &mut dyn Write, proof: &Proof) -> std::io::Result<()> {
    let name = proof.scene.name();
    for (law, run) in &proof.broken {
        let says = ProofSays::LawBroken { law: law_name(*law), steps: run.len() - 1 };
        rows::say(out, '✘', &format!("{name}: {}", English.proof(says)))?;
        writeln!(out)?;
        rows::write(out, &ladder(run))?;
        writeln!(out)?;
    }
    if proof.broken.is_empty() {
        let Proof { states, transitions, depth, .. } = *proof;
        let says = ProofSays::LawsHold { states, transitions, depth };
        writeln!(out, "✔ {name}: {} ({:.1} s)", English.proof(says), proof.took.as_secs_f64())?;
    }
    Ok(())
}

const fn law_name(law: Law) -> LawName {
    match law {
        Law::Stream => LawName::Stream,
        Law::Numbers => LawName::Numbers,
        Law::Whole => LawName::Whole,
        Law::Unharmed => LawName::Unharmed,
        Law::Rest => LawName::Rest { steps: STEPS },
    }
}

fn ladder(run: &[Step]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut before: Option<&World> = None;
    for step in run {
        let (way, what) = match (&step.act, &step.packet) {
            (Some(act), Some(packet)) => {
                let world = before.unwrap_or(&step.world);
                let arrives = !matches!(act, Act::Lose(_));
                (Way::to(packet.to == 1, arrives), describe(packet, *act, world, &step.world))
            }
            (Some(act), None) => (Way::Still, at_home(*act, before)),
            (None, _) => (Way::Still, String::new()),
        };
        let [left, right] = &step.world.ends;
        rows.push(Row { left: standing(left), way, what, right: standing(right) });
        before = Some(&step.world);
    }
    rows
}

fn standing(end: &End) -> String {
    let mut text = end.state().name().to_owned();
    if !end.app.read.is_empty() {
        text += &format!(", read \"{}\"", String::from_utf8_lossy(&end.app.read));
    }
    match end.app.ending {
        Some(Ending::Whole) => text + ", " + &English.proof(ProofSays::ReadAll),
        Some(Ending::Failed(error)) => format!("{text}, {error}"),
        None => text,
    }
}

fn at_home(act: Act, before: Option<&World>) -> String {
    let (Act::Call(end) | Act::Expire(end)) = act else { return String::new() };
    let call = before.and_then(|world| world.ends[end].next_call());
    let what = match (act, call) {
        (Act::Call(_), Some(Call::Connect)) => English.proof(ProofSays::Connects),
        (Act::Call(_), Some(Call::Write(text))) => {
            format!("{} \"{text}\"", English.proof(ProofSays::Writes))
        }
        (Act::Call(_), Some(Call::Shutdown)) => English.proof(ProofSays::Closes),
        (Act::Call(_), Some(Call::Abort)) => English.proof(ProofSays::Aborts),
        _ => English.proof(ProofSays::Timer),
    };
    if end == 0 { format!("◀ {what}") } else { format!("{what} ▶") }
}

/// A packet, its numbers relative to the initial ones.
fn describe(packet: &Flying, act: Act, before: &World, after: &World) -> String {
    let Some((header, payload)) = packet.segment() else { return String::new() };
    let base = |end: usize| match before.ends[end].base() {
        SeqNumber(0) => after.ends[end].base(),
        base => base,
    };
    let (from, to) = (base(1 - packet.to), base(packet.to));
    let names = [
        (Flags::SYN, 'S'),
        (Flags::FIN, 'F'),
        (Flags::RST, 'R'),
        (Flags::PSH, 'P'),
        (Flags::ACK, '.'),
    ];
    let flags: String =
        names.iter().filter(|(flag, _)| header.flags.contains(*flag)).map(|f| f.1).collect();
    let mut text = format!("[{flags}] seq {}", relative(header.seq, from));
    if header.flags.contains(Flags::ACK) {
        text += &format!(" ack {}", relative(header.ack, to));
    }
    if !payload.is_empty() {
        text += &format!(" \"{}\"", String::from_utf8_lossy(payload));
    }
    let note = match act {
        Act::Replay(_) => ProofSays::OldDuplicate,
        Act::Copy(_) => ProofSays::Copy,
        Act::Forge(..) => ProofSays::Forged,
        _ => return text,
    };
    format!("{text} ({})", English.proof(note))
}

/// A number counted from `base`; as it is in the header, where it is of another incarnation.
fn relative(seq: SeqNumber, base: SeqNumber) -> String {
    let distance = seq.distance(base);
    if distance.unsigned_abs() < FAR { distance.to_string() } else { seq.0.to_string() }
}

fn as_json(proof: &Proof) -> Value {
    let broken = proof.broken.iter().map(|(law, run)| {
        let rows = ladder(run).into_iter().map(|row| {
            json!({"client": row.left, "what": row.what, "server": row.right,
            "to": match row.way {
                Way::Right | Way::LostRight => Some("server"),
                Way::Left | Way::LostLeft => Some("client"),
                Way::Still => None,
            }})
        });
        json!({"law": law.name(), "run": rows.collect::<Vec<_>>()})
    });
    json!({
        "scene": proof.scene.name(),
        "holds": proof.broken.is_empty(),
        "states": proof.states,
        "transitions": proof.transitions,
        "depth": proof.depth,
        "seconds": proof.took.as_secs_f64(),
        "broken": broken.collect::<Vec<_>>(),
    })
}
