//! A report that continuous integration reads.

use std::fmt::Write;

use super::report::{Totals, Verdict};

/// The report as XML.
pub(crate) fn report(verdicts: &[Verdict], totals: &Totals) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let Totals { scripts, failed, unread, seconds, .. } = totals;
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "<testsuites><testsuite name=\"drill\" tests=\"{scripts}\" failures=\"{failed}\" \
         errors=\"{unread}\" time=\"{seconds:.3}\">"
    );
    for Verdict { path, took, wrong } in verdicts {
        let folder = path.parent().map_or(String::new(), |folder| folder.display().to_string());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let _ = write!(
            text,
            "<testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escape(&folder),
            escape(&name),
            took.as_secs_f64()
        );
        let Some(wrong) = wrong else {
            text += "/>\n";
            continue;
        };
        let kind = if wrong.unread { "error" } else { "failure" };
        let first = wrong.message.lines().next().unwrap_or_default();
        let (first, all) = (escape(first), escape(&wrong.text));
        let _ = writeln!(text, "><{kind} message=\"{first}\">{all}</{kind}></testcase>");
    }
    text += "</testsuite></testsuites>\n";
    text
}

/// Text as XML takes it: its signs written out, and what XML cannot hold left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c if c < ' ' && !matches!(c, '\n' | '\t' | '\r') => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
