//! One file for each experiment.

pub(super) mod blind_reset;
pub(super) mod closed_port;
pub(super) mod data_in_first;
pub(super) mod data_in_second;
pub(super) mod data_in_third;
pub(super) mod fake_synack;
pub(super) mod half_close;
pub(super) mod half_open;
pub(super) mod handshake;
pub(super) mod keepalive_dead_peer;
pub(super) mod late_third;
pub(super) mod lost_last_ack;
pub(super) mod lost_third;
pub(super) mod old_duplicate;
pub(super) mod out_of_window;
pub(super) mod simultaneous_open;
pub(super) mod skip_third;
pub(super) mod syn_flood;

use std::time::Duration;

use handclasp_explain::catalogue::experiment::{Experiment as What, Happened};

use super::stage::Service;
use super::table::Experiment;
use super::talk::{Ran, Stop, Talk};

/// From here on a wait need not double: RFC 6298 §2.5 lets the RTO be capped at 60 s.
const CAP: Duration = Duration::from_secs(60);

/// The waits before something was sent again, as long as it was: `again` waits for it, at most
/// for as long as it is told.
fn waits(
    talk: &mut Talk<'_>,
    first: handclasp::wire::time::Instant,
    what: &str,
    patience: Duration,
) -> Ran<Vec<Duration>> {
    let (mut waits, mut last, mut within) = (Vec::<Duration>::new(), first, patience);
    while let Some(again) = talk.maybe(what, within)? {
        let wait = again.at - last;
        last = again.at;
        waits.push(wait);
        // Twice as long as the last one, and some more on a busy machine.
        within = wait * 5 / 2 + Duration::from_millis(500);
    }
    Ok(waits)
}

/// Fails unless each wait is about twice the one before it (RFC 6298 §5.5).
fn doubling(waits: &[Duration]) -> Ran<()> {
    let doubles = |pair: &[Duration]| {
        let (before, after) = (pair[0], pair[1]);
        after >= before * 3 / 2 && after <= before * 5 / 2 + Duration::from_millis(200)
            || before * 3 / 2 >= CAP && after + Duration::from_secs(1) >= before
    };
    if !waits.is_empty() && waits.windows(2).all(doubles) {
        return Ok(());
    }
    Err(Stop::Unlike(Happened::NoBackoff { waits: waits.to_vec() }))
}
