//! How much may leave while losses are repaired: proportional rate reduction (RFC 9937).

/// One congestion episode.
#[derive(Clone, Debug)]
pub(crate) struct Prr {
    /// RecoverFS: what was in flight when it began.
    recover_fs: u32,
    ssthresh: u32,
    /// prr_delivered.
    delivered: u64,
    /// prr_out.
    out: u64,
    cwnd: u32,
}

impl Prr {
    /// An episode begins (§6.1) with `left` bytes in flight, to end with `ssthresh`. ACKs that
    /// came together with the one that began it delivered `gone` more, and nothing was sent for
    /// them yet: they count as if they had come within it. Until an ACK says more, `cwnd` is
    /// what is under way.
    pub(crate) fn new(left: u32, gone: u32, cwnd: u32, ssthresh: u32) -> Self {
        let recover_fs = left.saturating_add(gone).max(1);
        Self { recover_fs, ssthresh, delivered: u64::from(gone), out: 0, cwnd }
    }

    /// RecoverFS.
    pub(crate) fn recover_fs(&self) -> u32 {
        self.recover_fs
    }

    pub(crate) fn cwnd(&self) -> u32 {
        self.cwnd
    }

    /// An ACK delivered so many bytes and left `inflight` under way (§6.2). It is `safe` if it
    /// moved `snd.una` and showed no further loss.
    pub(crate) fn acked(&mut self, delivered: u32, inflight: u32, safe: bool, smss: u32) {
        if delivered == 0 {
            return;
        }
        self.delivered += u64::from(delivered);
        let may_send = if inflight > self.ssthresh {
            let share = self.delivered * u64::from(self.ssthresh);
            share.div_ceil(u64::from(self.recover_fs)).saturating_sub(self.out)
        } else {
            let conservative = self.delivered.saturating_sub(self.out).max(u64::from(delivered));
            let bound = conservative + if safe { u64::from(smss) } else { 0 };
            bound.min(u64::from(self.ssthresh - inflight))
        };
        // The fast retransmit leaves in any case.
        let may_send = if self.out == 0 { may_send.max(u64::from(smss)) } else { may_send };
        self.cwnd = inflight.saturating_add(u32::try_from(may_send).unwrap_or(u32::MAX));
    }

    /// Bytes left, new or again.
    pub(crate) fn sent(&mut self, len: u32) {
        self.out += u64::from(len);
    }
}

#[cfg(test)]
#[path = "prr_tests.rs"]
mod tests;
