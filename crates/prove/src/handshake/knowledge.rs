//! What each end knows: what is true in every state that looks the same to it.

use std::collections::{HashMap, HashSet, VecDeque};

use stateright::Model;

use super::{Act, Body, End, Handshake, Isn, Moment, Side};

/// Something that an end would like to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// What it sent in this incarnation reached the peer: its sending works, and so does the
    /// peer's receiving.
    Sending,
    /// Something arrived: its receiving works, and so does the peer's sending.
    Receiving,
    /// The peer has its initial sequence number.
    OwnNumber,
    /// The number it has is the peer's in this incarnation, and no old one.
    PeerNumber,
    /// The peer counts the connection as open.
    PeerOpen,
}

impl Fact {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Sending, Self::Receiving, Self::OwnNumber, Self::PeerNumber, Self::PeerOpen];

    /// Whether it is true for `side`.
    fn holds(self, moment: &Moment, side: Side) -> bool {
        let (own, other) = (moment.end(side), moment.end(side.other()));
        match self {
            Self::Sending => moment.reached[side as usize],
            Self::Receiving => moment.heard[side as usize],
            Self::OwnNumber => own.isn.is_some() && other.peer == own.isn,
            Self::PeerNumber => own.peer.is_some() && own.peer == other.isn,
            Self::PeerOpen => other.open,
        }
    }
}

/// How things stand after a packet of a handshake that nothing disturbs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The packet that just arrived; 0 before the first.
    pub number: u8,
    /// What the client knows, then what the server knows, in the order of [`Fact::ALL`].
    pub facts: [[bool; Fact::ALL.len()]; 2],
    /// Which ends count the connection as open.
    pub open: [bool; 2],
}

/// What an end sees of the world: what it remembers, and whether something ever arrived.
type View = (End, bool);

fn view(moment: &Moment, side: Side) -> View {
    (*moment.end(side), moment.heard[side as usize])
}

/// What the same end would see if the two incarnations' numbers were the other way round: a
/// number does not say how old it is.
fn exchanged((end, heard): View) -> View {
    let exchange = |isn| match isn {
        Isn::CLIENT => Isn::OLD_CLIENT,
        Isn::OLD_CLIENT => Isn::CLIENT,
        other => other,
    };
    (End { isn: end.isn.map(exchange), peer: end.peer.map(exchange), ..end }, heard)
}

/// What each end knows after each packet, found out by looking at every state there is.
#[must_use]
pub fn table(ways: u8) -> Vec<Known> {
    let model = Handshake::new(ways);
    // For every view of an end, the facts that are true in all states it could be in.
    let mut sure: [HashMap<View, [bool; Fact::ALL.len()]>; 2] = Default::default();
    for moment in reachable(&model) {
        for side in [Side::Client, Side::Server] {
            let facts = Fact::ALL.map(|fact| fact.holds(&moment, side));
            let view = view(&moment, side);
            for view in [view, exchanged(view)] {
                let known = sure[side as usize].entry(view).or_insert(facts);
                known.iter_mut().zip(facts).for_each(|(known, holds)| *known &= holds);
            }
        }
    }
    let known = |number: u8, moment: &Moment| Known {
        number,
        facts: [Side::Client, Side::Server].map(|side| sure[side as usize][&view(moment, side)]),
        open: [moment.ends[0].open, moment.ends[1].open],
    };
    undisturbed(&model).iter().enumerate().map(|(n, m)| known(n as u8, m)).collect()
}

fn reachable(model: &Handshake) -> HashSet<Moment> {
    let mut seen: HashSet<Moment> = model.init_states().into_iter().collect();
    let mut ahead: VecDeque<Moment> = seen.iter().cloned().collect();
    while let Some(moment) = ahead.pop_front() {
        for next in model.next_states(&moment) {
            if seen.insert(next.clone()) {
                ahead.push_back(next);
            }
        }
    }
    seen
}

/// The moments of a handshake where everything arrives once and nothing old does: after the
/// client connects, and after each packet.
fn undisturbed(model: &Handshake) -> Vec<Moment> {
    let mut moments = Vec::new();
    let mut next = Some(Act::Connect);
    let mut at = model.init_states().swap_remove(0);
    while let Some(act) = next.take() {
        let Some(after) = model.next_state(&at, act) else { break };
        at = after;
        let wanted = moments.len() as u8 + 1;
        moments.push(at.clone());
        let is_next = |body: &Body| matches!(body, Body::Shake { number, .. } if *number == wanted);
        next = at.network.iter().find(|p| !p.old && is_next(&p.body)).map(|p| Act::Deliver(*p));
    }
    moments
}
