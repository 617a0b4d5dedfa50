//! What must be true, whatever the adversary does.

use super::end::{End, Ending};
use super::scene::Scene;
use super::world::World;

/// Steps in which everything must come to rest once nothing is harmed any more.
pub const STEPS: usize = 200;

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// Nobody reads what was not written, or twice, or in another order.
    Stream,
    /// Two ends that believe that they are connected have the same two sequence numbers, and
    /// nobody is connected to somebody who never called.
    Numbers,
    /// Who reads to the end has read everything.
    Whole,
    /// No connection fails, unless an end wants it to.
    Unharmed,
    /// From here everything comes to rest, with nothing left over, if nothing more is harmed.
    Rest,
}

impl Law {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Stream, Self::Numbers, Self::Whole, Self::Unharmed, Self::Rest];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Numbers => "numbers",
            Self::Whole => "whole",
            Self::Unharmed => "unharmed",
            Self::Rest => "rest",
        }
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(self, scene: Scene, world: &World) -> bool {
        let ends = [&*world.ends[0], &*world.ends[1]];
        let both = [(ends[0], ends[1]), (ends[1], ends[0])];
        match self {
            Self::Stream => both.iter().all(|(a, b)| b.app.wrote.starts_with(&a.app.read)),
            Self::Numbers => both.iter().all(|(a, b)| numbers_agree(a, b)),
            Self::Whole => both.iter().all(|(a, b)| {
                a.app.ending != Some(Ending::Whole) || b.app.finished && a.app.read == b.app.wrote
            }),
            Self::Unharmed => both.iter().all(|(a, b)| {
                let failed = matches!(a.app.ending, Some(Ending::Failed(_)));
                !failed || a.app.aborted || b.app.aborted
            }),
            Self::Rest => comes_to_rest(scene, world),
        }
    }
}

/// What one end believes, given the other's.
fn numbers_agree(a: &End, b: &End) -> bool {
    let Some((iss, irs)) = a.app.numbers else { return true };
    let called = b.app.called.is_none_or(|called| called == irs);
    let believed =
        b.app.numbers.is_none_or(|(other_iss, other_irs)| (other_iss, other_irs) == (irs, iss));
    // Somebody must have called: at least one of the two.
    let somebody = a.app.called.is_some() || b.app.called.is_some();
    called && believed && somebody
}

/// Plays on without loss: packets in order, programs to their end, timers when they are due.
fn comes_to_rest(scene: Scene, world: &World) -> bool {
    let msl = scene.config().msl;
    let mut world = world.clone();
    // Who called in vain calls again when time has passed.
    let mut in_vain = [false; 2];
    for _ in 0..STEPS {
        if !world.network.is_empty() {
            let packet = world.network.remove(0);
            world.deliver(packet);
        } else if let Some(end) =
            (0..2).find(|end| !in_vain[*end] && world.ends[*end].next_call().is_some())
        {
            let before = world.ends[end].calls();
            world.act(end, End::call);
            in_vain[end] = world.ends[end].calls() == before;
        } else if let Some((at, end)) = world.first_deadline() {
            in_vain = [false; 2];
            world.wait_until(at, msl);
            world.act(end, End::expire);
        } else {
            return is_over(scene, &world);
        }
    }
    false
}

/// Nothing is left of any connection, and both programs know how theirs ended.
fn is_over(scene: Scene, world: &World) -> bool {
    let ends = [&*world.ends[0], &*world.ends[1]];
    let others = [ends[1], ends[0]];
    let empty = ends.iter().all(|end| end.is_empty());
    let ended = ends.iter().zip(others).all(|(end, other)| {
        // Who was never reached by one who gave up knows of nothing.
        let untouched = other.app.aborted && end.app.numbers.is_none();
        end.app.aborted || end.app.ending.is_some() && end.is_through() || untouched
    });
    let whole = scene == Scene::Abort
        || ends.iter().zip(others).all(|(end, other)| end.app.read == other.app.wrote);
    empty && ended && whole
}
