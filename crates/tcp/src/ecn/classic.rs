//! Feedback as RFC 3168 §6.1 has it: an echo from the first mark on until the sender says that
//! it slowed down.

use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

use super::Marker;

#[derive(Clone, Debug)]
pub(crate) struct Classic {
    pub(crate) marker: Marker,
    /// Our next new data says that the window was reduced.
    reduced: bool,
    /// A mark came in, and the peer did not say yet that it slowed down.
    echoes: bool,
}

impl Classic {
    pub(crate) const fn new(iss: SeqNumber) -> Self {
        Self { marker: Marker { active: true, answered: iss }, reduced: false, echoes: false }
    }

    /// An acceptable segment came in with `len` bytes of text. Returns whether it is to be
    /// acknowledged at once: a sender should hear of a mark soon.
    pub(crate) fn received(&mut self, flags: Flags, ecn: Ecn, len: usize) -> bool {
        if flags.contains(Flags::CWR) && len > 0 {
            self.echoes = false;
        }
        let begins = ecn == Ecn::Ce && !self.echoes;
        self.echoes |= ecn == Ecn::Ce;
        begins
    }

    /// The window was reduced for whatever reason: data sent before is answered with that.
    pub(crate) const fn window_reduced(&mut self, nxt: SeqNumber) {
        self.marker.answered = nxt;
        self.reduced = self.marker.active;
    }

    /// The bits of a segment that leaves; `new` if it carries data for the first time.
    pub(crate) fn bits(&mut self, new: bool) -> Flags {
        let mut flags = Flags::empty();
        flags.set(Flags::ECE, self.echoes);
        flags.set(Flags::CWR, new && core::mem::take(&mut self.reduced));
        flags
    }

    /// Whether the next new data says that the window was reduced: once, so alone.
    pub(crate) const fn speaks_once(&self) -> bool {
        self.reduced
    }
}
