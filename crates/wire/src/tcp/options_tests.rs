use super::*;

fn block(left: u32) -> SackBlock {
    SackBlock { left: SeqNumber(left), right: SeqNumber(left + 1) }
}

fn blocks(n: u32) -> SackBlocks {
    let mut blocks = SackBlocks::new();
    (0..n).for_each(|left| assert!(blocks.push(block(left))));
    blocks
}

#[test]
fn a_fifth_block_finds_no_room() {
    let mut full = blocks(4);
    assert!(!full.push(block(9)));
    assert_eq!(full, blocks(4));
}

#[test]
fn the_first_blocks_of_many_equal_as_many_blocks() {
    assert_eq!(blocks(4).first(2), blocks(2));
    assert_eq!(blocks(2).first(9), blocks(2));
    assert!(blocks(2).first(0).is_empty());
}

#[test]
fn a_cookie_has_an_even_number_of_bytes_from_4_to_16() {
    for len in 0..=18 {
        let cookie = FastOpen::new(&[7; 18][..len], false);
        let allowed = len == 0 || (4..=16).contains(&len) && len % 2 == 0;
        assert_eq!(cookie.map(|c| c.as_slice().len()), allowed.then_some(len));
    }
}
