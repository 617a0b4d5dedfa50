use super::{Layout, cells, pad, wrap, wrap_text};

#[test]
fn the_columns_fill_the_line() {
    for width in [10, 80, 90] {
        let layout = Layout::new(width, false, 27);
        assert_eq!(layout.arrow + 3 + 1 + layout.segment + 1 + 14, layout.width);
    }
}

#[test]
fn a_wide_screen_has_room_for_the_whole_heading() {
    let layout = Layout::new(1000, false, 27);
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

#[test]
fn a_sentence_breaks_between_words_and_between_wide_characters() {
    let english = wrap_text("one two three", 8, 2);
    assert_eq!(english, ["one two", "  three"]);
    let chinese = wrap_text("服务器不知道 ACK 丢了，再发。", 10, 2);
    assert_eq!(chinese, ["服务器不知", "  道 ACK", "  丢了，再", "  发。"]);
    assert!(chinese.iter().all(|line| cells(line) <= 10));
}

#[test]
fn what_is_too_long_is_cut() {
    assert_eq!(wrap_text("abcdefghij", 5, 0), ["abcd…"]);
    assert_eq!(wrap_text("", 5, 0), [""]);
}
