//! A segment in one short line: `[S.]  seq 0 ack 1  win 65160 mss 1460 ws 7`.

use std::fmt::Write;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

use crate::track::note::Note;
use crate::track::row::{Row, Segment};

/// The row's segment as words; a line breaks between them only.
pub(super) fn words(row: &Row, absolute: bool) -> Vec<String> {
    let segment = &row.segment;
    let mut words = vec![format!("{:<5}", format!("[{}]", segment.flags))];
    words.push(format!("seq {}", segment.seq.get(absolute)));
    words.extend(segment.ack.map(|ack| format!("ack {}", ack.get(absolute))));
    if segment.len > 0 {
        words.push(format!("len {}", segment.len));
    }
    words.extend(window(row));
    words.extend(options(segment, absolute));
    if segment.flags.contains(Flags::URG) {
        words.push("urg".into());
    }
    words.extend(preview(&segment.preview));
    words
}

/// The window, where it is news: in the handshake, and when it closes or opens.
fn window(row: &Row) -> Option<String> {
    let segment = &row.segment;
    let third = row.notes.iter().any(|note| matches!(note, Note::Third { .. }));
    let moved = |note: &Note| matches!(note, Note::WindowClosed | Note::WindowOpened { .. });
    let syn = segment.flags.contains(Flags::SYN);
    if !syn && !third && !row.notes.iter().any(moved) {
        return None;
    }
    let mut text = format!("win {}", segment.window());
    if third && segment.scale > 0 {
        let _ = write!(text, " ({}<<{})", segment.raw_window, segment.scale);
    }
    Some(text)
}

fn options(segment: &Segment, absolute: bool) -> Vec<String> {
    let options = &segment.options;
    let mut words = Vec::new();
    words.extend(options.mss.map(|mss| format!("mss {mss}")));
    words.extend(options.window_scale.map(|scale| format!("ws {scale}")));
    words.extend(options.fast_open.map(|cookie| match cookie.as_slice() {
        [] => "tfo cookiereq".into(),
        bytes => format!("tfo cookie of {} B", bytes.len()),
    }));
    for (left, right) in &segment.sack {
        // A block below the acknowledgment tells of a duplicate (RFC 2883 §4).
        let again = segment.ack.is_some_and(|ack| SeqNumber(right.raw).le(SeqNumber(ack.raw)));
        let name = if again { "dsack" } else { "sack" };
        words.push(format!("{name} {}-{}", left.get(absolute), right.get(absolute)));
    }
    words
}

/// The payload's first line, if it is text.
fn preview(payload: &[u8]) -> Option<String> {
    const LEN: usize = 24;
    let line = payload.split(|&byte| byte == b'\r' || byte == b'\n').next()?;
    let text = std::str::from_utf8(line).ok()?;
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return None;
    }
    let more = if text.len() > LEN { "…" } else { "" };
    Some(format!("\"{}{more}\"", text.get(..LEN).unwrap_or(text)))
}
