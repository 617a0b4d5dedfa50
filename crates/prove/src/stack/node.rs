//! A state of the explorer: a world that is made anew when it is looked at.
//!
//! Hundreds of thousands of worlds wait to be looked at while the explorer works. Each is kept
//! as the step that leads to it from the world before, which its siblings share.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use super::Act;
use super::world::World;

/// A world, and how to get there.
#[derive(Clone, Debug)]
pub struct Node {
    before: Option<(Arc<World>, Act)>,
    world: OnceLock<Arc<World>>,
    /// Its canonical form, as 128 bits.
    digest: [u64; 2],
    /// Steps from the beginning.
    pub(crate) steps: usize,
}

impl Node {
    pub(crate) fn first(world: World) -> Self {
        let digest = digest(&world);
        Self { before: None, world: OnceLock::from(Arc::new(world)), digest, steps: 0 }
    }

    /// The node behind `act`, which leads to `world`.
    pub(crate) fn next(&self, before: &Arc<World>, act: Act, world: &World) -> Self {
        Self {
            before: Some((before.clone(), act)),
            world: OnceLock::new(),
            digest: digest(world),
            steps: self.steps + 1,
        }
    }

    /// The world; `step` leads to it from the one before.
    pub(crate) fn world(&self, step: impl FnOnce(&World, Act) -> Option<World>) -> &Arc<World> {
        self.world.get_or_init(|| {
            let (before, act) = self.before.as_ref().expect("the first world is there");
            Arc::new(step(before, *act).expect("what was possible once is possible again"))
        })
    }
}

fn digest(world: &World) -> [u64; 2] {
    let form = world.form();
    [0u8, 1].map(|salt| {
        let mut hasher = DefaultHasher::new();
        (salt, form.words()).hash(&mut hasher);
        hasher.finish()
    })
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Hash for Node {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.digest.hash(hasher);
    }
}
