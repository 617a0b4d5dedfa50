//! Connections go from state to state as RFC 9293's figure 5 says, and in no other way.

use std::cell::RefCell;
use std::collections::HashMap;

use handclasp_tcp::event::{Event, Log};
use handclasp_tcp::{State, Tuple};
use handclasp_wire::time::Instant;

use super::Violations;

/// A log that checks every change of state.
#[derive(Debug, Default)]
pub struct States {
    known: RefCell<HashMap<Tuple, State>>,
    violations: RefCell<Violations>,
}

impl States {
    /// What was wrong so far.
    #[must_use]
    pub fn violations(&self) -> Violations {
        self.violations.borrow().clone()
    }
}

impl Log for States {
    fn record(&self, at: Instant, tuple: &Tuple, event: &Event<'_>) {
        let Event::State { from, to, cause } = *event else { return };
        let known = self.known.borrow_mut().insert(*tuple, to);
        let follows = match known {
            None | Some(State::Closed) => matches!(from, State::Closed | State::Listen),
            Some(known) => known == from,
        };
        if !follows || from.after(cause) != Some(to) {
            let line = format!("{at:?} {tuple}: {from} → {to} on {cause:?}, last known {known:?}");
            self.violations.borrow_mut().push(line);
        }
    }
}

#[cfg(test)]
#[path = "states_tests.rs"]
mod tests;
