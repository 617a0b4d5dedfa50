//! Durations as whole nanoseconds, for programs.

use std::time::Duration;

use serde::Serializer;

/// Whole nanoseconds.
#[must_use]
pub fn count(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn of<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(count(*time))
}

pub(crate) fn maybe<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => of(time, serializer),
        None => serializer.serialize_none(),
    }
}

pub(crate) fn each<S: Serializer>(times: &[Duration], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(|time| count(*time)))
}
