use super::*;

#[test]
fn every_transition_of_the_table_is_in_the_picture() {
    let drawn: usize = edges().iter().map(|edge| edge.causes.len()).sum();
    let ways = STATES.iter().flat_map(|state| CAUSES.map(|cause| state.after(cause)));
    assert_eq!(drawn, ways.flatten().count());
    let svg = svg();
    for state in STATES {
        assert!(svg.contains(&format!(">{}</text>", state.name())), "{state}");
    }
}

#[test]
fn every_way_that_is_drawn_has_a_place_of_its_own() {
    for edge in edges().iter().filter(|edge| !edge.ends) {
        assert!(layout::way(edge.from, edge.to).is_some(), "{} → {}", edge.from, edge.to);
    }
}

#[test]
fn the_picture_in_characters() {
    insta::assert_snapshot!(text());
}

#[test]
fn the_picture_for_mermaid() {
    insta::assert_snapshot!(mermaid());
}

#[test]
fn the_picture_as_svg() {
    insta::assert_snapshot!(svg());
}
