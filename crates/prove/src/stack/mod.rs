//! The real state machine, explored: two hosts and an adversary who owns the network.
//!
//! Nothing here is a model of TCP. Each end is a [`handclasp_stack::Host`] with its
//! connections, which is copied whenever the explorer tries something, and told apart from
//! others by its canonical form. The adversary loses, copies and reorders packets, holds them
//! back, delivers those of an earlier incarnation of the same connection, forges what somebody
//! may who sees nothing, and lets timers fire in the order of their deadlines or a little late;
//! each of it as often as its [`Bounds`] allow.

mod end;
mod forger;
mod law;
mod node;
mod scene;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant as Wall};

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::first::First;

pub use end::{App, Call, End, Ending};
pub use forger::Forgery;
pub use law::{Law, STEPS};
pub use node::Node;
pub use scene::Scene;
pub use world::{Flying, Spent, World};

/// How much of everything the adversary may do in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Steps of a run.
    pub depth: usize,
    /// Of each kind of harm, so often.
    pub harm: Spent,
    /// How late a timer may fire, while another that is due later fires before it.
    pub skew: Duration,
    /// The forger sees the numbers: it is then that things go wrong.
    pub sighted: bool,
}

impl Bounds {
    /// Bounds under which a scene takes well under a minute, optimized.
    #[must_use]
    pub const fn of(scene: Scene) -> Self {
        let depth = match scene {
            Scene::Meet | Scene::Abort => 9,
            Scene::Again => 8,
            Scene::Cross => 7,
            Scene::Haunt => 6,
        };
        // A SYN and the ACK that belonged to it.
        let replays = if matches!(scene, Scene::Haunt) { 2 } else { 1 };
        Self {
            depth,
            harm: Spent { losses: 1, copies: 1, overtakings: 2, replays, forgeries: 1, timers: 2 },
            skew: Duration::from_millis(50),
            sighted: false,
        }
    }
}

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The program at an end makes its next call.
    Call(usize),
    /// The packet at this place of the network arrives.
    Deliver(usize),
    /// It arrives, and will arrive again.
    Copy(usize),
    /// It is lost.
    Lose(usize),
    /// The next timer of an end fires.
    Expire(usize),
    /// A packet of an earlier incarnation arrives.
    Replay(usize),
    /// A forged packet arrives at an end.
    Forge(usize, Forgery),
}

/// One scene under an adversary.
pub struct Explorer {
    scene: Scene,
    bounds: Bounds,
    first: World,
    /// What an earlier incarnation sent.
    old: Vec<Flying>,
    found: [First; Law::ALL.len()],
}

/// What exploring a scene showed.
pub struct Proof {
    /// The scene.
    pub scene: Scene,
    /// Different states explored.
    pub states: usize,
    /// Transitions tried.
    pub transitions: usize,
    /// Steps of the longest run.
    pub depth: usize,
    /// The time it took.
    pub took: Duration,
    /// Laws that were broken, each with a shortest run that breaks it.
    pub broken: Vec<(Law, Vec<Step>)>,
}

/// What happened, and how things stood after it; first nothing did.
pub struct Step {
    /// What happened.
    pub act: Option<Act>,
    /// The packet that it happened to.
    pub packet: Option<Flying>,
    /// The packets that were sent because of it.
    pub sent: Vec<Flying>,
    /// How things stand now.
    pub world: World,
}

impl Explorer {
    /// Sets a scene.
    #[must_use]
    pub fn new(scene: Scene, bounds: Bounds) -> Self {
        let (first, old) = scene.set();
        Self { scene, bounds, first, old, found: Default::default() }
    }

    /// Explores every run of at most [`Bounds::depth`] steps.
    ///
    /// # Panics
    /// Where the machine itself does: the run that led there is lost then.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the time a proof took is no part of it")]
    pub fn explore(self) -> Proof {
        let scene = self.scene;
        let began = Wall::now();
        let done = self.checker().finish_when(HasDiscoveries::All).spawn_bfs().join();
        let broken = Law::ALL.into_iter().filter_map(|law| {
            let path = done.discovery(law.name())?.into_vec();
            let model = done.model();
            let worlds = path.into_iter().map(|(node, act)| (World::clone(model.at(&node)), act));
            Some((law, told(model, worlds.collect())))
        });
        Proof {
            scene,
            states: done.unique_state_count(),
            transitions: done.state_count(),
            depth: done.max_depth().saturating_sub(1),
            took: began.elapsed(),
            broken: broken.collect(),
        }
    }

    /// The world of a node.
    fn at<'a>(&self, node: &'a Node) -> &'a Arc<World> {
        node.world(|before, act| self.after(before, act))
    }

    /// The world behind an act.
    fn after(&self, before: &World, act: Act) -> Option<World> {
        let mut world = before.clone();
        self.perform(&mut world, act)?;
        Some(world)
    }

    /// The packet that an act concerns.
    fn packet(&self, world: &World, act: Act) -> Option<Flying> {
        match act {
            Act::Call(_) | Act::Expire(_) => None,
            Act::Deliver(at) | Act::Copy(at) | Act::Lose(at) => world.network.get(at).cloned(),
            Act::Replay(at) => self.old.get(at).cloned(),
            Act::Forge(to, forgery) => forgery.packet(to, &world.ends[to], world.now),
        }
    }

    /// What the adversary may still do, given what it did.
    fn allows(&self, world: &World, wanted: fn(&Spent) -> u8) -> bool {
        wanted(&world.spent) < wanted(&self.bounds.harm)
    }

    fn network_acts(&self, world: &World, acts: &mut Vec<Act>) {
        for (at, packet) in world.network.iter().enumerate() {
            let before = &world.network[..at];
            if before.iter().any(|other| other.to == packet.to && other.bytes == packet.bytes) {
                // Of packets that are alike it is always the first.
                continue;
            }
            let overtakes = before.iter().any(|other| other.to == packet.to);
            if overtakes && !self.allows(world, |spent| spent.overtakings) {
                continue;
            }
            acts.push(Act::Deliver(at));
            if self.allows(world, |spent| spent.losses) {
                acts.push(Act::Lose(at));
            }
            if self.allows(world, |spent| spent.copies) {
                acts.push(Act::Copy(at));
            }
        }
    }

    fn timer_acts(&self, world: &World, acts: &mut Vec<Act>) {
        let Some((first, _)) = world.first_deadline() else { return };
        if !self.allows(world, |spent| spent.timers) {
            return;
        }
        let in_time = |end: &usize| {
            world.ends[*end].deadline().is_some_and(|at| at <= first + self.bounds.skew)
        };
        acts.extend([0, 1].into_iter().filter(in_time).map(Act::Expire));
    }

    fn forger_acts(&self, world: &World, acts: &mut Vec<Act>) {
        if self.allows(world, |spent| spent.replays) {
            acts.extend((0..self.old.len()).map(Act::Replay));
        }
        if self.allows(world, |spent| spent.forgeries) {
            let sighted = if self.bounds.sighted { &Forgery::SIGHTED[..] } else { &[] };
            for to in [0, 1] {
                let all = Forgery::BLIND.iter().chain(sighted);
                let possible = all.filter(|f| f.packet(to, &world.ends[to], world.now).is_some());
                acts.extend(possible.map(|forgery| Act::Forge(to, *forgery)));
            }
        }
    }

    /// Lets an act happen.
    fn perform(&self, world: &mut World, act: Act) -> Option<()> {
        let packet = self.packet(world, act);
        match act {
            Act::Call(end) => world.act(end, End::call),
            Act::Deliver(at) | Act::Lose(at) | Act::Copy(at) => {
                let packet = packet?;
                let overtakes = world.network[..at].iter().any(|other| other.to == packet.to);
                world.spent.overtakings += u8::from(overtakes);
                world.spent.losses += u8::from(matches!(act, Act::Lose(_)));
                world.spent.copies += u8::from(matches!(act, Act::Copy(_)));
                if !matches!(act, Act::Copy(_)) {
                    world.network.remove(at);
                }
                if !matches!(act, Act::Lose(_)) {
                    world.deliver(packet);
                }
            }
            Act::Expire(end) => {
                world.spent.timers += 1;
                let at = world.ends[end].deadline()?;
                world.wait_until(at, self.scene.config().msl);
                world.act(end, End::expire);
            }
            Act::Replay(_) => {
                world.spent.replays += 1;
                world.deliver(packet?);
            }
            Act::Forge(..) => {
                world.spent.forgeries += 1;
                world.deliver(packet?);
            }
        }
        Some(())
    }
}

fn told(model: &Explorer, path: Vec<(World, Option<Act>)>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut next: Option<Act> = None;
    for (world, act) in path {
        let before = steps.last().map(|step: &Step| &step.world);
        let packet = before.zip(next).and_then(|(before, act)| model.packet(before, act));
        let known = before.map_or(&[][..], |before| &before.network[..]);
        let is_new = |packet: &&Flying| {
            packet.sent_at == world.now && !known.iter().any(|old| old == *packet)
        };
        let sent = world.network.iter().filter(is_new).cloned().collect();
        steps.push(Step { act: next, packet, sent, world });
        next = act;
    }
    steps
}

impl Model for Explorer {
    type State = Node;
    type Action = Act;

    fn init_states(&self) -> Vec<Node> {
        vec![Node::first(self.first.clone())]
    }

    fn actions(&self, node: &Node, acts: &mut Vec<Act>) {
        if node.steps >= self.bounds.depth {
            return;
        }
        let world = self.at(node);
        let calls = [0, 1].into_iter().filter(|end| world.ends[*end].next_call().is_some());
        acts.extend(calls.map(Act::Call));
        self.network_acts(world, acts);
        self.timer_acts(world, acts);
        self.forger_acts(world, acts);
    }

    fn next_state(&self, last: &Node, act: Act) -> Option<Node> {
        let before = self.at(last);
        let world = self.after(before, act)?;
        Some(last.next(before, act, &world))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn always<const LAW: usize>() -> Property<Explorer> {
            let law = Law::ALL[LAW];
            Property::always(law.name(), |model: &Explorer, node: &Node| {
                let world = model.at(node);
                model.found[LAW].holds(|| Law::ALL[LAW].holds(model.scene, world))
            })
        }
        vec![
            always::<0>(),
            always::<1>(),
            always::<2>(),
            always::<3>(),
            always::<4>(),
            // Keeps the explorer going until there is nothing new.
            Property::sometimes("everything", |_, _| false),
        ]
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
