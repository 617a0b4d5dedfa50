//! A handshake of any number of packets, and everything that a network may do to it.
//!
//! The packets go to and fro between a client and a server. The first two carry their sender's
//! initial sequence number, every one from the second on acknowledges the other's. An end
//! counts the connection as open once it has sent or received the last packet that concerns
//! it. What does not fit is answered with a RST, as TCP answers it.
//!
//! The network keeps every packet that was ever sent, and those of an earlier incarnation of
//! the connection, and delivers any of them at any time. That is every order of delivery,
//! every delay, duplication and retransmission; a packet that it never delivers is lost.

pub mod knowledge;

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::first::First;

/// Half-open connections that a server may begin: after so many it takes no SYN any more,
/// which keeps the number of states finite.
const ATTEMPTS: u8 = 3;

/// The most packets of a handshake that can be asked for.
pub const WAYS_MAX: u8 = 5;

/// An end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Who opens actively.
    Client,
    /// Who listens.
    Server,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// An initial sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Isn(pub u16);

impl Isn {
    /// The client's in this incarnation.
    pub const CLIENT: Self = Self(100);
    /// The client's in the earlier one.
    pub const OLD_CLIENT: Self = Self(10);
    /// The server's in the earlier one.
    pub const OLD_SERVER: Self = Self(20);

    /// The server's for the half-open connection of this number.
    const fn server(attempt: u8) -> Self {
        Self(200 + attempt as u16)
    }
}

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet {
    /// Who sent it.
    pub from: Side,
    /// What it says.
    pub body: Body,
    /// It is of an earlier incarnation of the connection.
    pub old: bool,
}

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Body {
    /// It is this one of the handshake, from 1 on.
    Shake {
        /// Which.
        number: u8,
        /// Its sender's initial sequence number.
        isn: Isn,
        /// The number that it acknowledges; none in the first.
        ack: Option<Isn>,
    },
    /// What acknowledged `about` fits nothing here.
    Reset {
        /// The number that was acknowledged.
        about: Isn,
    },
}

/// What an end remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct End {
    /// Its own initial sequence number, once it chose one.
    pub isn: Option<Isn>,
    /// The peer's, as far as it was told.
    pub peer: Option<Isn>,
    /// The last packet of the handshake that it sent or received.
    pub stage: u8,
    /// It counts the connection as open.
    pub open: bool,
    /// A RST ended it.
    pub refused: bool,
    /// Half-open connections begun.
    pub attempts: u8,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The client, then the server.
    pub ends: [End; 2],
    /// A packet of this incarnation from the client, or the server, reached the other.
    pub reached: [bool; 2],
    /// Something arrived at the client, or the server, be it old.
    pub heard: [bool; 2],
    /// What the network may deliver.
    pub network: BTreeSet<Packet>,
}

impl Moment {
    /// An end.
    #[must_use]
    pub const fn end(&self, side: Side) -> &End {
        &self.ends[side as usize]
    }
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The client's application connects.
    Connect,
    /// The network delivers a packet.
    Deliver(Packet),
}

/// The handshake of so many packets.
#[derive(Debug, Default)]
pub struct Handshake {
    /// How many.
    pub ways: u8,
    /// The server believes whatever acknowledgment comes: for tests of the checker.
    pub credulous: bool,
    agreement: First,
    last_word: First,
}

/// What exploring a handshake showed.
#[derive(Clone, Debug)]
pub struct Proof {
    /// How many packets it has.
    pub ways: u8,
    /// Different states explored.
    pub states: usize,
    /// The shortest run after which an end counts the connection as open whose other end does
    /// not have these two numbers.
    pub broken: Option<Run>,
    /// The shortest run after which who sent the last packet counts the connection as open, and
    /// the other end does not.
    pub unsure: Option<Run>,
}

/// What happened, and how things stood after it.
pub type Run = Vec<(Option<Act>, Moment)>;

impl Handshake {
    /// A handshake of `ways` packets, at most [`WAYS_MAX`].
    #[must_use]
    pub fn new(ways: u8) -> Self {
        Self { ways: ways.min(WAYS_MAX), ..Self::default() }
    }

    /// Who sends the last packet; nobody where there are none.
    #[must_use]
    pub const fn last_sender(&self) -> Option<Side> {
        match self.ways {
            0 => None,
            n if n % 2 == 1 => Some(Side::Client),
            _ => Some(Side::Server),
        }
    }

    /// Explores every state that can be reached.
    #[must_use]
    pub fn explore(self) -> Proof {
        let ways = self.ways;
        let done = self.checker().finish_when(HasDiscoveries::All).spawn_bfs().join();
        let run = |name| {
            let path = done.discovery(name)?;
            Some(told(path.into_vec()))
        };
        Proof {
            ways,
            states: done.unique_state_count(),
            broken: run("agreement"),
            unsure: run("last word"),
        }
    }

    /// Whoever counts the connection as open knows the other's number, and is known to it.
    fn agrees(moment: &Moment) -> bool {
        [Side::Client, Side::Server].into_iter().all(|side| {
            let (own, other) = (moment.end(side), moment.end(side.other()));
            !own.open
                || own.isn.is_some()
                    && own.peer.is_some()
                    && own.peer == other.isn
                    && other.peer == own.isn
        })
    }

    fn packet(&self, from: Side, number: u8, end: &End) -> Option<Packet> {
        let ack = if number == 1 { None } else { Some(end.peer?) };
        let body = Body::Shake { number, isn: end.isn?, ack };
        Some(Packet { from, body, old: false })
    }

    /// An end has sent or received packet `stage`: goes on, or is done.
    fn proceed(&self, moment: &mut Moment, side: Side, stage: u8) {
        let mut end = *moment.end(side);
        end.stage = stage;
        let answer = stage + 1;
        if answer <= self.ways {
            end.stage = answer;
            moment.network.extend(self.packet(side, answer, &end));
        }
        // Nothing more will come for whom the last packet is sent, or received.
        end.open = end.stage >= self.ways;
        moment.ends[side as usize] = end;
    }

    /// A packet of the handshake arrives. One that came before changes nothing: what answers
    /// it is in the network already.
    fn shake(&self, moment: &mut Moment, side: Side, number: u8, isn: Isn, ack: Option<Isn>) {
        let end = *moment.end(side);
        if side == Side::Server && number == 1 {
            if end.isn.is_none() && end.attempts < ATTEMPTS {
                let attempts = end.attempts + 1;
                moment.ends[side as usize] = End {
                    isn: Some(Isn::server(attempts)),
                    peer: Some(isn),
                    attempts,
                    ..End::default()
                };
                self.proceed(moment, side, 1);
            }
            return;
        }
        let acks = ack == end.isn || self.credulous && side == Side::Server;
        let knows = end.peer == Some(isn) || side == Side::Client && end.peer.is_none();
        if end.isn.is_none() || end.refused || !acks || !knows {
            if let Some(about) = ack {
                let body = Body::Reset { about };
                moment.network.insert(Packet { from: side, body, old: false });
            }
            return;
        }
        if number == end.stage + 1 {
            moment.ends[side as usize].peer = Some(isn);
            self.proceed(moment, side, number);
        }
    }

    fn reset(moment: &mut Moment, side: Side, about: Isn) {
        let end = &mut moment.ends[side as usize];
        if end.peer == Some(about) {
            let refused = side == Side::Client;
            *end = End { attempts: end.attempts, refused, ..End::default() };
        }
    }
}

fn told(path: Vec<(Moment, Option<Act>)>) -> Run {
    let mut cause = None;
    let mut run = Run::new();
    for (moment, next) in path {
        run.push((cause, moment));
        cause = next;
    }
    run
}

/// What an earlier incarnation of the connection left in the network.
fn old_duplicates(ways: u8) -> BTreeSet<Packet> {
    let packet = |number: u8| {
        let from = if number % 2 == 1 { Side::Client } else { Side::Server };
        let (isn, ack) = match from {
            Side::Client => (Isn::OLD_CLIENT, Isn::OLD_SERVER),
            Side::Server => (Isn::OLD_SERVER, Isn::OLD_CLIENT),
        };
        let body = Body::Shake { number, isn, ack: (number > 1).then_some(ack) };
        Packet { from, body, old: true }
    };
    (1..=ways).map(packet).collect()
}

impl Model for Handshake {
    type State = Moment;
    type Action = Act;

    fn init_states(&self) -> Vec<Moment> {
        // Where nothing is asked for, whoever listens is connected.
        let server = End { open: self.ways == 0, ..End::default() };
        vec![Moment {
            ends: [End::default(), server],
            reached: [false; 2],
            heard: [false; 2],
            network: old_duplicates(self.ways),
        }]
    }

    fn actions(&self, moment: &Moment, acts: &mut Vec<Act>) {
        let client = moment.end(Side::Client);
        if client.isn.is_none() && !client.refused {
            acts.push(Act::Connect);
        }
        acts.extend(moment.network.iter().copied().map(Act::Deliver));
    }

    fn next_state(&self, last: &Moment, act: Act) -> Option<Moment> {
        let mut moment = last.clone();
        match act {
            Act::Connect => {
                moment.ends[0].isn = Some(Isn::CLIENT);
                self.proceed(&mut moment, Side::Client, 0);
            }
            Act::Deliver(packet) => {
                let to = packet.from.other();
                moment.heard[to as usize] = true;
                moment.reached[packet.from as usize] |= !packet.old;
                match packet.body {
                    Body::Shake { number, isn, ack } => {
                        self.shake(&mut moment, to, number, isn, ack);
                    }
                    Body::Reset { about } => Self::reset(&mut moment, to, about),
                }
            }
        }
        (moment != *last).then_some(moment)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("agreement", |model: &Self, moment: &Moment| {
                model.agreement.holds(|| Self::agrees(moment))
            }),
            Property::always("last word", |model: &Self, moment: &Moment| {
                model.last_word.holds(|| {
                    let Some(side) = model.last_sender() else { return true };
                    !moment.end(side).open || moment.end(side.other()).open
                })
            }),
            // Keeps the explorer going until there is nothing new.
            Property::sometimes("all", |_, _| false),
        ]
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
