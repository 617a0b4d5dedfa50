//! The canonical form of the receive buffer's tuning.

use super::tuning::Tuning;
use crate::canonical::Form;

impl Tuning {
    pub(crate) fn canonical(&self, form: &mut Form) {
        let Self { limit, round_began, read_in_round, rtt } = self;
        form.count(*limit);
        // A round that outlasted its trip is over at the next read, however long ago it began.
        let trip = rtt.unwrap_or(core::time::Duration::from_secs(120));
        form.age(*round_began, trip);
        form.count(*read_in_round);
        form.text(rtt);
    }
}
