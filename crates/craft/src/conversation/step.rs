//! A step, and its text.

use std::str::FromStr;
use std::time::Duration;

use crate::template::Template;
use crate::text::{Problem, SpecError};

/// One step of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send a packet. What its template leaves open carries on: ends, numbers, flags (ACK, and
    /// PSH with payload, once the peer's SYN is there) and timestamps (if both SYNs have them).
    Send(Template),
    /// Wait for a packet. Its template may have `auto` for what would be next in line.
    Expect {
        /// What is expected. Other packets of the connection are let by.
        what: Template,
        /// For how long.
        within: Duration,
    },
    /// Wait, and see that nothing comes.
    Silence(Duration),
}

impl Step {
    /// For how long it waits.
    pub(super) const fn wait(&self) -> Option<Duration> {
        match self {
            Self::Send(_) => None,
            Self::Expect { within, .. } | Self::Silence(within) => Some(*within),
        }
    }
}

/// How long an expectation waits if it does not say.
const PATIENCE: Duration = Duration::from_secs(1);

const WORDS: [&str; 3] = ["send", "expect", "silence"];

impl FromStr for Step {
    type Err = SpecError;

    /// Reads `send TEMPLATE`, `expect TEMPLATE`, which waits for a second,
    /// `expect TEMPLATE within 200ms`, or `silence 200ms`. Durations are in `s`, `ms` or `us`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let word = text.split(' ').next().unwrap_or_default();
        let at = text.len().min(word.len() + 1);
        let rest = text.get(at..).unwrap_or_default();
        let inside = |e: SpecError| e.behind(at);
        match word {
            "send" => Ok(Self::Send(rest.parse().map_err(inside)?)),
            "silence" => Ok(Self::Silence(duration(rest).map_err(inside)?)),
            "expect" => {
                let (what, within) = match rest.rsplit_once(" within ") {
                    Some((what, within)) => {
                        let front = at + what.len() + " within ".len();
                        (what, duration(within).map_err(|e| e.behind(front))?)
                    }
                    None => (rest, PATIENCE),
                };
                Ok(Self::Expect { what: what.parse().map_err(inside)?, within })
            }
            _ => Err(SpecError::unknown(0..word.len(), "step", word, WORDS.into_iter())),
        }
    }
}

fn duration(text: &str) -> Result<Duration, SpecError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let number = number.parse::<u32>().ok().map(u64::from);
    let duration = match (number, unit) {
        (Some(number), "s") => Some(Duration::from_secs(number)),
        (Some(number), "ms") => Some(Duration::from_millis(number)),
        (Some(number), "us") => Some(Duration::from_micros(number)),
        _ => None,
    };
    let problem = Problem::Expected("a duration, like 2s, 200ms or 50us");
    duration.ok_or(SpecError::new(0..text.len(), problem))
}
