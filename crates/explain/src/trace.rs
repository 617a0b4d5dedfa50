//! A capture from its first frame to its last: each one with what it says of TCP, and with what
//! that is within its connection.
//!
//! ```no_run
//! use handclasp_explain::flow::table::Limits;
//! use handclasp_explain::trace::Trace;
//! # fn main() -> Result<(), handclasp_explain::capture::Broken> {
//! let mut trace = Trace::new(std::io::stdin().lock(), Limits::default())?;
//! while let Some(step) = trace.next()? {
//!     if let Some(packet) = step.packet() {
//!         println!("{} {:?}", packet.frame.number, packet.seen.analysis.marks);
//!     }
//! }
//! println!("{} connections", trace.finish().len());
//! # Ok(())
//! # }
//! ```

use std::io::Read;

use handclasp_wire::time::Instant;

use crate::capture::dissect::{Complaint, Dissector, Found, Segment};
use crate::capture::{Broken, Frame, Reader};
use crate::filter::{Clock, Packet};
use crate::flow::Seen;
use crate::flow::table::{Flows, Limits, Table};

/// Reads a capture and follows its connections.
pub struct Trace<R> {
    reader: Reader<R>,
    observer: Observer,
}

/// Follows the connections of frames that somebody else has, as they come live.
#[derive(Debug)]
pub struct Observer {
    dissector: Dissector,
    table: Table,
    clock: Option<Clock>,
}

impl Observer {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { dissector: Dissector::default(), table: Table::new(limits), clock: None }
    }

    /// Looks at the next frame.
    pub fn see<'a>(&'a mut self, frame: Frame<'a>) -> Step<'a> {
        let at = frame.at;
        let clock = self.clock.get_or_insert(Clock { first: at, previous: at, displayed: at });
        let now = *clock;
        clock.previous = at;
        let what = match self.dissector.dissect(&frame) {
            Found::Segment(segment) => {
                let seen = self.table.see(&segment);
                What::Segment(segment, seen)
            }
            Found::Complaint(complaint) => {
                self.table.complain(&complaint);
                What::Complaint(complaint)
            }
            Found::Nothing => What::Nothing,
        };
        Step { frame, what, clock: now }
    }

    /// Tells that the frame of this time was shown.
    pub fn displayed(&mut self, at: Instant) {
        if let Some(clock) = &mut self.clock {
            clock.displayed = at;
        }
    }

    /// The connections that are over by now, which are forgotten.
    pub fn take_over(&mut self) -> Flows {
        self.table.take_over()
    }

    /// All connections that were not handed out yet.
    #[must_use]
    pub fn finish(self) -> Flows {
        self.table.finish()
    }
}

/// One frame.
#[derive(Debug)]
pub struct Step<'a> {
    /// What was captured.
    pub frame: Frame<'a>,
    /// What it says of TCP.
    pub what: What<'a>,
    clock: Clock,
}

/// What a frame says of TCP.
#[derive(Debug)]
// One lives at a time, and a box would be one allocation for each packet.
#[expect(clippy::large_enum_variant)]
pub enum What<'a> {
    /// A segment, and what it is within its connection.
    Segment(Segment<'a>, Seen),
    /// An ICMP error about one.
    Complaint(Complaint),
    /// Nothing.
    Nothing,
}

impl Step<'_> {
    /// The segment with all that is known of it, if it is one.
    #[must_use]
    pub fn packet(&self) -> Option<Packet<'_>> {
        let What::Segment(segment, seen) = &self.what else { return None };
        Some(Packet { frame: &self.frame, segment, seen, clock: self.clock })
    }

    /// When other frames were seen.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }
}

impl<R: Read> Trace<R> {
    /// Reads the beginning of a capture.
    ///
    /// # Errors
    /// If it is not the beginning of one.
    pub fn new(read: R, limits: Limits) -> Result<Self, Broken> {
        Ok(Self { reader: Reader::new(read)?, observer: Observer::new(limits) })
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    /// If the file is damaged. What was read before counts.
    // An iterator could not lend its items.
    #[expect(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Step<'_>>, Broken> {
        let Some(frame) = self.reader.next()? else { return Ok(None) };
        Ok(Some(self.observer.see(frame)))
    }

    /// Tells that the frame of this time was shown.
    pub fn displayed(&mut self, at: Instant) {
        self.observer.displayed(at);
    }

    /// The connections that are over by now, which are forgotten.
    pub fn take_over(&mut self) -> Flows {
        self.observer.take_over()
    }

    /// All connections that were not handed out yet.
    #[must_use]
    pub fn finish(self) -> Flows {
        self.observer.finish()
    }
}
