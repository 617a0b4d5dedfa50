//! Every step of every connection as a `tracing` event.

use handclasp_tcp::Tuple;
use handclasp_tcp::event::{Event, Log};
use handclasp_wire::time::Instant;

/// A [`Log`] for [`Builder::log`](crate::Builder::log) that hands each step on to `tracing`,
/// with the target `handclasp`: failures as warnings, changes of state and losses as debug
/// events, all else as trace events.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingLog;

impl Log for TracingLog {
    fn record(&self, at: Instant, tuple: &Tuple, event: &Event<'_>) {
        let micros = at.as_micros();
        match event {
            Event::Failed(error) => {
                tracing::warn!(target: "handclasp", micros, connection = %tuple, %error);
            }
            Event::State { from, to, cause } => {
                tracing::debug!(
                    target: "handclasp", micros, connection = %tuple, %from, %to, ?cause
                );
            }
            Event::Loss { bytes, by } => {
                tracing::debug!(
                    target: "handclasp", micros, connection = %tuple, lost = bytes, ?by
                );
            }
            other => {
                tracing::trace!(target: "handclasp", micros, connection = %tuple, ?other);
            }
        }
    }
}
