//! What the two programs want, and what was before.

use std::sync::Arc;
use std::time::Duration;

use handclasp_tcp::Config;
use handclasp_wire::time::Instant;

use super::end::{Call, End};
use super::world::{Flying, Spent, World};

/// A situation that is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scene {
    /// A client connects to a server; both write and close.
    Meet,
    /// The same between sockets that had a connection a moment ago, whose packets the network
    /// still holds, and which the server remembers in TIME-WAIT.
    Again,
    /// The same once more, but the server has forgotten the earlier connection: an old SYN finds
    /// it listening, and the ACK that belonged to that SYN may follow.
    Haunt,
    /// Both connect to each other at once.
    Cross,
    /// The client gives up in the middle, with a RST.
    Abort,
}

/// A client that says something, a server that answers, and how they leave.
const CLIENT: &[Call] = &[Call::Connect, Call::Write("ab"), Call::Write("c"), Call::Shutdown];
const SERVER: &[Call] = &[Call::Write("xy"), Call::Shutdown];
const QUITTER: &[Call] = &[Call::Connect, Call::Write("ab"), Call::Abort];
const CALLER: &[Call] = &[Call::Connect, Call::Write("xy"), Call::Shutdown];
/// Those of the earlier incarnation.
const OLD_CLIENT: &[Call] = &[Call::Connect, Call::Write("OLD"), Call::Shutdown];
const OLD_SERVER: &[Call] = &[Call::Write("OLD"), Call::Shutdown];

impl Scene {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Meet, Self::Again, Self::Haunt, Self::Cross, Self::Abort];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meet => "meet",
            Self::Again => "again",
            Self::Haunt => "haunt",
            Self::Cross => "cross",
            Self::Abort => "abort",
        }
    }

    /// The settings of both ends' connections.
    #[must_use]
    pub fn config(self) -> Config {
        // Timestamps are what old duplicates fail by (PAWS); without them a forger's segment
        // gets one check further.
        let mut config = Config::default();
        config.nodelay = true;
        config.timestamps = self.has_past();
        config
    }

    /// Whether the same sockets had a connection before.
    #[must_use]
    pub const fn has_past(self) -> bool {
        matches!(self, Self::Again | Self::Haunt)
    }

    const fn scripts(self) -> [&'static [Call]; 2] {
        match self {
            Self::Meet | Self::Again | Self::Haunt => [CLIENT, SERVER],
            Self::Cross => [CLIENT, CALLER],
            Self::Abort => [QUITTER, SERVER],
        }
    }

    /// The world in which it begins, and what an earlier incarnation sent.
    pub(crate) fn set(self) -> (World, Vec<Flying>) {
        let config = Arc::new(self.config());
        let now = Instant::from_millis(10_000);
        let end = |place| End::new(place, &config, self != Self::Cross && place == 1, now);
        let mut world = World {
            now,
            ends: [Arc::new(end(0)), Arc::new(end(1))],
            network: Vec::new(),
            spent: Spent::default(),
        };
        let old = match self {
            // Who closes first is left in TIME-WAIT.
            Self::Again => earlier_life(&mut world, [1, 0]),
            Self::Haunt => earlier_life(&mut world, [0, 1]),
            Self::Meet | Self::Cross | Self::Abort => Vec::new(),
        };
        for (end, script) in world.ends.iter_mut().zip(self.scripts()) {
            Arc::make_mut(end).start(script);
        }
        if self == Self::Cross {
            // Whoever calls before the other does would only find a closed port.
            world.act(0, End::call);
            world.act(1, End::call);
        }
        (world, old)
    }
}

/// Plays an earlier incarnation to its end, and one second more, after which its sockets may be
/// used again (RFC 6191); returns all that was sent. Whoever stands first in `order` does first
/// what it can.
fn earlier_life(world: &mut World, order: [usize; 2]) -> Vec<Flying> {
    Arc::make_mut(&mut world.ends[0]).start(OLD_CLIENT);
    Arc::make_mut(&mut world.ends[1]).start(OLD_SERVER);
    let mut sent: Vec<Flying> = Vec::new();
    while let Some(end) = order.into_iter().find(|end| world.ends[*end].next_call().is_some()) {
        world.act(end, End::call);
        while !world.network.is_empty() {
            let packet = world.network.remove(0);
            sent.push(packet.clone());
            world.deliver(packet);
        }
    }
    world.now += Duration::from_millis(1500);
    sent
}
