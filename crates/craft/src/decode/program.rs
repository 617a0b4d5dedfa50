//! Bytes as programs and their authors write them: string literals, lists of decimal numbers,
//! arrays with comments.

use crate::text::unescape;

/// The text with comments and the lines that only tell a length as blanks, so that what is left
/// stands where it stood.
pub(super) fn without_comments(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("/*") {
        left += before;
        let (comment, behind) = behind.split_once("*/").unwrap_or((behind, ""));
        let blank = |c: char| if c == '\n' { c } else { ' ' };
        left += "  ";
        left.extend(comment.chars().map(blank));
        left += "  ";
        rest = behind;
    }
    left += rest;
    // `xxd -i` says how long its array is.
    let tells_len = |line: &&str| line.contains("_len = ") && line.trim_end().ends_with(';');
    left.lines().map(|line| if tells_len(&line) { "" } else { line }).collect::<Vec<_>>().join("\n")
}

/// The bytes of each line that is a string literal with escapes, as C's `"\x45\x00"` and
/// Python's `b'E\x00'`; `None` if one is something else.
pub(super) fn literals(lines: &[&str]) -> Option<Vec<Vec<u8>>> {
    let lines = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let literals: Option<Vec<_>> = lines.map(literal).collect();
    literals.filter(|literals| !literals.is_empty())
}

fn literal(line: &str) -> Option<Vec<u8>> {
    let at = line.find(['"', '\''])?;
    let (front, rest) = line.split_at_checked(at)?;
    let named = front.trim_end_matches('b').trim_end();
    let quote = rest.chars().next()?;
    let end = rest.rfind(quote).filter(|end| *end > 0)?;
    let (inside, behind) = (rest.get(1..end)?, rest.get(end + 1..)?);
    let alone = (named.is_empty() || named.ends_with(['=', '('])) && front.len() <= 80;
    let ends = behind.chars().all(|c| ";,)\\ ".contains(c));
    (alone && ends && inside.contains('\\')).then(|| unescape(inside).ok())?
}

/// The bytes of a list as `[69, 0, 0, 40]`, which no hex digits could be: one of its numbers
/// has one digit or three.
pub(super) fn decimals(text: &str) -> Option<Vec<u8>> {
    let (_, list) = text.split_once(['[', '{', '('])?;
    let list = list.trim_end().trim_end_matches([';', ']', '}', ')']);
    let words: Vec<_> = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    let odd = words.iter().any(|word| matches!(word.len(), 1 | 3));
    let numbers: Option<Vec<u8>> = words.iter().map(|word| word.parse().ok()).collect();
    numbers.filter(|numbers| odd && numbers.len() > 1)
}

/// Whether lines are what `hexdump` and `od -x` print: words of two bytes in the machine's order.
pub(super) fn has_swapped_words(lines: &[&str]) -> bool {
    let digits = |word: &str, len| {
        word.len() == len && word.chars().all(|letter| letter.is_ascii_hexdigit())
    };
    let mut lines = lines.iter().filter(|line| !line.trim().is_empty());
    lines.next().is_some_and(|line| {
        let mut words = line.split(' ');
        words.next() == Some("0000000")
            && words.clone().count() > 0
            && words.all(|word| digits(word.trim_end(), 4))
    })
}
