//! SVG: text made harmless, scales, and the colours that all pictures share.

use std::fmt::{self, Write};

/// Text from anywhere, as text within XML or HTML.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // XML has no way to write these, and nobody could read them.
                c if c.is_control() && c != '\n' => f.write_char('\u{fffd}')?,
                '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The colours, for light and dark, of a picture that stands alone. On a page they are the
/// page's.
const COLOURS: &str = "\
svg{--ink:#1d2733;--faint:#667587;--line:#d5dce4;--paper:#fff;--client:#0b6bcb;--server:#0f7b5f;\
--bad:#c4314b;--warn:#a15c00;--ack:#0f7b5f;--window:#8a5cd0;--sack:#b3377e}
@media(prefers-color-scheme:dark){svg{--ink:#e4eaf1;--faint:#93a1b3;--line:#313c4a;--paper:#131920;\
--client:#62aefc;--server:#4fcea8;--bad:#ff7d90;--warn:#f0b45b;--ack:#4fcea8;--window:#b995f5;\
--sack:#f083bf}}
";

/// Rules that all pictures share.
const RULES: &str = "\
text{font:12px ui-sans-serif,system-ui,sans-serif;fill:var(--ink)}
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.faint{fill:var(--faint)}
.strong{font-weight:600}
.grid{stroke:var(--line);fill:none}
.paper{fill:var(--paper)}
";

/// What a picture that stands alone begins with; `own` are its own rules.
pub(super) fn style(own: &str) -> String {
    let paper = "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>";
    format!("<style>\n{COLOURS}{RULES}{own}</style>\n{paper}\n")
}

/// Values between two that are easy to read, about `count` of them.
pub(super) fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let span = high - low;
    if !(span > 0.0 && span.is_finite()) {
        return vec![low];
    }
    let rough = span / count.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= rough);
    let step = step.unwrap_or(10.0) * power;
    let first = (low / step).ceil();
    let last = (high / step + 1e-9).floor();
    (0..=(last - first).clamp(0.0, 100.0) as u64).map(|i| (first + i as f64) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_what_it_stands_in() {
        let text = Escaped("<script>alert('x')</script>&\"\u{0}").to_string();
        assert_eq!(text, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\u{fffd}");
    }

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(ticks(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(3.0, 17.0, 4), [5.0, 10.0, 15.0]);
        assert_eq!(ticks(5.0, 5.0, 4), [5.0]);
    }
}
