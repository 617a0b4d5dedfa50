use super::*;

fn explored(scene: Scene, bounds: Bounds) -> Proof {
    let proof = Explorer::new(scene, bounds).explore();
    let broken: Vec<_> = proof.broken.iter().map(|(law, run)| (law, acts(run))).collect();
    eprintln!("{}: {} states, {:?}, {broken:?}", scene.name(), proof.states, proof.took);
    proof
}

fn acts(run: &[Step]) -> Vec<Act> {
    run.iter().filter_map(|step| step.act).collect()
}

#[test]
fn no_law_is_broken_within_the_bounds_of_a_test() {
    for scene in Scene::ALL {
        // Two who call at once, and what may come from an earlier life, multiply all else.
        let depth = match scene {
            Scene::Cross | Scene::Haunt | Scene::Again => 4,
            Scene::Meet | Scene::Abort => 6,
        };
        let proof = explored(scene, Bounds { depth, ..Bounds::of(scene) });
        assert!(proof.broken.is_empty());
        assert!(proof.states > 300, "{} states", proof.states);
    }
}

#[test]
fn a_forger_who_sees_the_numbers_is_found_out() {
    let bounds = Bounds { depth: 6, sighted: true, ..Bounds::of(Scene::Meet) };
    let proof = explored(Scene::Meet, bounds);
    let broken: Vec<_> = proof.broken.iter().map(|(law, _)| *law).collect();
    assert!(broken.contains(&Law::Stream) && broken.contains(&Law::Unharmed), "{broken:?}");
}
