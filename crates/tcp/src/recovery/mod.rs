//! Loss recovery: what was lost, when it may be sent again, and whether it was lost at all.
//!
//! One file per mechanism, each a piece of arithmetic over the flight that knows nothing of the
//! connection: `rack` and `sack` and `newreno` find losses (RFC 8985, RFC 6675, RFC 6582), `prr`
//! says how much may leave while they are repaired (RFC 9937), `probe` keeps a lost tail from
//! costing a timeout (RFC 8985 §7), `frto` and `undo` find out what was no loss (RFC 5682,
//! RFC 3522, RFC 2883). `connection::repair` puts them together.
//!
//! A flight that nothing happened to needs none of them: its [`Trouble`] begins with the first
//! sign of one and is let go when the last is over.

pub(crate) mod counts;
pub(crate) mod frto;
pub(crate) mod newreno;
pub(crate) mod probe;
pub(crate) mod prr;
pub(crate) mod rack;
pub(crate) mod sack;
pub(crate) mod undo;

use alloc::boxed::Box;

use handclasp_wire::seq::SeqNumber;

use crate::send::flight::Flight;
use counts::RecoveryCounts;
use frto::Frto;
use newreno::Duplicates;
use probe::Probe;
use prr::Prr;
use rack::{Rack, Reordering};
use undo::Undo;

/// Duplicate ACKs, or segments held beyond a gap, that make a loss (RFC 5681 §3.2).
pub(crate) const DUP_THRESH: u32 = 3;

/// How losses are found on a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// By time (RFC 8985).
    Rack,
    /// By what is held beyond them (RFC 6675): the clock is too coarse for RACK.
    Sack,
    /// By duplicate ACKs (RFC 6582): the peer does not speak SACK.
    NewReno,
}

/// Where loss recovery stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Open,
    /// Fast recovery, until everything that was in flight when it began is acknowledged.
    Fast { recover: SeqNumber },
    /// After a timeout, likewise.
    Loss { recover: SeqNumber },
}

/// What recovery remembers for as long as the connection lives: little.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recovery {
    pub(crate) reordering: Reordering,
    /// A probe was sent and no round trip was measured since: a path that answers none must not
    /// be probed again and again (RFC 8985 §7.3).
    pub(crate) probe_unmeasured: bool,
    /// The next retransmission goes out whatever the window says (RFC 6675 §5 step 4.3).
    pub(crate) first_resend: bool,
    trouble: Option<Box<Trouble>>,
    counts: Option<Box<Counted>>,
}

/// What only a flight needs that something happened to.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) method: Method,
    pub(crate) phase: Phase,
    pub(crate) duplicates: Duplicates,
    pub(crate) rack: Rack,
    pub(crate) probe: Option<Probe>,
    pub(crate) prr: Option<Prr>,
    pub(crate) frto: Frto,
    pub(crate) undo: Option<Undo>,
    /// RFC 6675's HighRxt, and whether the rescue of this recovery was sent.
    pub(crate) high_rxt: SeqNumber,
    pub(crate) rescued: bool,
}

/// Totals, and what of them the host was told.
#[derive(Clone, Debug, Default)]
struct Counted {
    total: RecoveryCounts,
    told: RecoveryCounts,
}

impl Recovery {
    pub(crate) fn phase(&self) -> Phase {
        self.trouble.as_ref().map_or(Phase::Open, |t| t.phase)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.phase() == Phase::Open
    }

    pub(crate) fn is_fast(&self) -> bool {
        matches!(self.phase(), Phase::Fast { .. })
    }

    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_deref()
    }

    pub(crate) fn trouble_mut(&mut self) -> Option<&mut Trouble> {
        self.trouble.as_deref_mut()
    }

    /// Something happened to the flight, all below `una` having arrived. `method` is how its
    /// losses will be found: it stays the same until the trouble is over (RFC 8985 §9.2).
    pub(crate) fn begin_trouble(&mut self, method: Method, una: SeqNumber) -> &mut Trouble {
        self.trouble.get_or_insert_with(|| Box::new(Trouble::new(method, una)))
    }

    /// Lets go of what is not needed any more.
    pub(crate) fn settle(&mut self, una: SeqNumber, flight: &Flight) {
        if self.trouble.as_ref().is_some_and(|t| t.is_over(una, flight)) {
            self.trouble = None;
        }
    }

    /// Lets go of everything: the connection is over.
    pub(crate) fn discard(&mut self) {
        self.trouble = None;
        self.first_resend = false;
    }

    /// Bytes that duplicate ACKs say have left the network, where no SACK says which.
    pub(crate) fn inflation(&self) -> u32 {
        self.trouble.as_ref().map_or(0, |t| t.duplicates.inflation)
    }

    /// The window that proportional rate reduction lets a recovery have.
    pub(crate) fn window(&self) -> Option<u32> {
        self.trouble.as_ref()?.prr.as_ref().map(Prr::cwnd)
    }

    /// Whether F-RTO keeps what is marked lost from being sent again.
    pub(crate) fn holds_back(&self) -> bool {
        self.trouble.as_ref().is_some_and(|t| t.frto != Frto::Off)
    }

    /// Behind the new data that F-RTO wants sent, if it does.
    pub(crate) fn frto_edge(&self) -> Option<SeqNumber> {
        match self.trouble.as_ref()?.frto {
            Frto::Probing { until } => Some(until),
            _ => None,
        }
    }

    /// `len` numbers left, for the first time or again.
    pub(crate) fn sent(&mut self, len: u32) {
        if let Some(prr) = self.trouble.as_mut().and_then(|t| t.prr.as_mut()) {
            prr.sent(len);
        }
    }

    /// Changes the totals.
    pub(crate) fn count(&mut self, change: impl FnOnce(&mut RecoveryCounts)) {
        change(&mut self.counts.get_or_insert_default().total);
    }

    pub(crate) fn counts(&self) -> RecoveryCounts {
        self.counts.as_ref().map_or(RecoveryCounts::default(), |c| c.total)
    }

    /// What was counted since the last call.
    pub(crate) fn take_news(&mut self) -> Option<RecoveryCounts> {
        let counts = self.counts.as_mut()?;
        if counts.told == counts.total {
            return None;
        }
        let news = counts.total.since(&counts.told);
        counts.told = counts.total;
        Some(news)
    }
}

impl Trouble {
    fn new(method: Method, una: SeqNumber) -> Self {
        Self {
            method,
            phase: Phase::Open,
            duplicates: Duplicates::default(),
            rack: Rack::new(una),
            probe: None,
            prr: None,
            frto: Frto::Off,
            undo: None,
            high_rxt: una,
            rescued: false,
        }
    }

    /// Fast recovery begins, until `nxt` is acknowledged.
    pub(crate) fn enter_fast(&mut self, una: SeqNumber, nxt: SeqNumber) {
        self.phase = Phase::Fast { recover: nxt };
        self.undo = Some(Undo::new(una));
        self.high_rxt = una;
        self.rescued = false;
    }

    /// A timeout, after which `nxt` ends recovery. `anew` unless losses of the same flight were
    /// being repaired: what may be undone began with the first of them.
    pub(crate) fn enter_loss(&mut self, una: SeqNumber, nxt: SeqNumber, anew: bool) {
        self.phase = Phase::Loss { recover: nxt };
        self.duplicates = Duplicates::default();
        self.prr = None;
        self.probe = None;
        if anew || self.undo.is_none() {
            self.undo = Some(Undo::new(una));
        }
    }

    /// Recovery is over.
    pub(crate) fn leave(&mut self) {
        self.phase = Phase::Open;
        self.prr = None;
        self.frto = Frto::Off;
        self.duplicates = Duplicates::default();
    }

    /// Whether nothing is left to remember. A duplicate's report that would still undo a
    /// reduction, or tell what a probe did, is waited for though all is acknowledged.
    fn is_over(&self, una: SeqNumber, flight: &Flight) -> bool {
        self.phase == Phase::Open
            && flight.sacked() == 0
            && flight.lost() == 0
            && self.duplicates.is_over()
            && self.rack.round_is_over(una)
            && self.probe.is_none()
            && self.undo.is_none()
    }
}
