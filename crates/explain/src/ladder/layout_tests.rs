use super::{Layout, cells, pad, wrap};

#[test]
fn the_columns_fill_the_line() {
    for width in [10, 80, 90] {
        let layout = Layout::new(width, false, 27, false);
        assert_eq!(layout.arrow + 3 + 1 + layout.segment + 1 + 14, layout.width);
    }
}

#[test]
fn a_wide_screen_has_room_for_the_whole_heading() {
    let layout = Layout::new(1000, false, 27, false);
    assert_eq!(layout.arrow + 3 + 1 + layout.segment + 1 + 27, layout.width);
}

#[test]
fn wide_characters_take_two_cells() {
    assert_eq!(cells(&pad("握手", 6)), 6);
}

#[test]
fn lines_break_between_words_and_hang() {
    let lines = wrap(["seq 1", "ack 1", "len 78"], 12, 2);
    assert_eq!(lines, ["seq 1 ack 1", "  len 78"]);
}

#[test]
fn a_word_that_does_not_fit_is_cut() {
    assert_eq!(wrap(["abcdefgh"], 5, 0), ["abcd…"]);
}
