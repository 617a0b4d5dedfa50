//! SYN cookies: a handshake that leaves nothing to remember (RFC 4987 §3.6).
//!
//! What a half-open entry would hold travels in the SYN-ACK and comes back in the ACK. The
//! sequence number holds a minute counter, the peer's MSS as an index and a keyed hash of it
//! all; where the peer sends timestamps, the low bits of TSval hold the rest.

use core::time::Duration;

use handclasp_tcp::config::Config;
use handclasp_tcp::context::Context;
use handclasp_tcp::half_open::{HalfOpen, Rebuilt};
use handclasp_tcp::negotiation::{Negotiated, timestamp};
use handclasp_tcp::opening::Opening;
use handclasp_tcp::tuple::Tuple;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use crate::secret::{Message, Prf, Purpose, Secret};

/// Seconds that one count of the clock in a cookie lasts. A cookie is good during its count
/// and the next: for 64 to 128 s, which covers the 63 s for which a SYN-ACK would be resent.
const COUNT: u64 = 64;
/// The longest that a cookie is good.
pub(crate) const LIFETIME: Duration = Duration::from_secs(2 * COUNT);

/// The peer's MSS is rounded down to one of these: the values that links of common MTUs
/// announce, with and without tunnels, and the least there can be.
const MSS: [u16; 8] = [64, 536, 1220, 1360, 1400, 1440, 1460, 8900];

/// Low bits of TSval that hold options.
const OPTION_BITS: u32 = 5;
const OPTION_MASK: u32 = (1 << OPTION_BITS) - 1;
const SACK: u32 = 0x10;
const SCALE: u32 = 0x0f;
/// In place of a window scale, which is at most 14: there is none.
const NO_SCALE: u32 = 0x0f;

/// Makes and checks cookies.
pub(crate) struct Cookies {
    /// Hides the layout, and makes each tuple's cookies start elsewhere.
    mask: Prf,
    mac: Prf,
}

impl Cookies {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self { mask: secret.prf(Purpose::CookieMask), mac: secret.prf(Purpose::CookieMac) }
    }

    /// The SYN-ACK that answers `syn`; `opening` is what the host would choose for the tuple,
    /// its `iss` left aside.
    pub(crate) fn syn_ack(
        &self,
        config: &Config,
        tuple: &Tuple,
        syn: &Header,
        opening: Opening,
        cx: &Context<'_>,
    ) -> Header {
        let agreed = Negotiated::new(config, &syn.options, tuple.local_ip.is_ipv4());
        let mss = MSS.iter().rposition(|mss| *mss <= agreed.peer_mss).unwrap_or(0);
        // Without timestamps there is no room for the other options: do without them.
        let negotiated = Negotiated {
            scaling: agreed.scaling && agreed.timestamps,
            sack: agreed.sack && agreed.timestamps,
            ..agreed
        };
        let plain = timestamp(cx.now, opening.timestamp_offset);
        let rebuilt = Rebuilt {
            opening: Opening {
                iss: self.sequence(tuple, syn.seq, mss as u32, count(cx.now)),
                timestamp_offset: opening
                    .timestamp_offset
                    .wrapping_sub(plain.wrapping_sub(with_options(plain, &negotiated))),
                ..opening
            },
            irs: syn.seq,
            negotiated,
            ts_recent: syn.options.timestamps.map_or(0, |t| t.value),
        };
        HalfOpen::rebuilt(config, tuple, rebuilt, cx.now).syn_ack(config, tuple, cx)
    }

    /// The half-open connection whose SYN-ACK `header` acknowledges, if there was one: also
    /// when the bare ACK was lost and this is the data behind it.
    pub(crate) fn open(
        &self,
        config: &Config,
        tuple: &Tuple,
        header: &Header,
        opening: Opening,
        now: Instant,
    ) -> Option<HalfOpen> {
        if !header.flags.contains(Flags::ACK) || header.flags.intersects(Flags::SYN | Flags::RST) {
            return None;
        }
        let (iss, irs) = (header.ack - 1, header.seq - 1);
        let mss = self.check(tuple, iss, irs, now)?;
        let timestamps = header.options.timestamps.filter(|_| config.timestamps);
        let options = timestamps.map_or(NO_SCALE, |t| t.echo & OPTION_MASK);
        let scale = Some(options & SCALE).filter(|scale| *scale != NO_SCALE);
        let negotiated = Negotiated {
            peer_mss: mss,
            snd_scale: scale.unwrap_or(0) as u8,
            rcv_scale: scale.map_or(0, |_| config.window_scale()),
            scaling: scale.is_some(),
            sack: options & SACK != 0,
            timestamps: timestamps.is_some(),
        };
        let rebuilt = Rebuilt {
            opening: Opening { iss, ..opening },
            irs,
            negotiated,
            ts_recent: timestamps.map_or(0, |t| t.value),
        };
        Some(HalfOpen::rebuilt(config, tuple, rebuilt, now))
    }

    fn sequence(&self, tuple: &Tuple, irs: SeqNumber, mss: u32, count: u32) -> SeqNumber {
        let plain = (count & 0x1f) << 27 | mss << 24 | self.mac(tuple, irs, mss, count);
        SeqNumber(plain) + self.mask(tuple)
    }

    /// The MSS in a cookie, if it is one of ours and young enough.
    fn check(&self, tuple: &Tuple, iss: SeqNumber, irs: SeqNumber, now: Instant) -> Option<u16> {
        let plain = (iss - self.mask(tuple)).0;
        let mss = plain >> 24 & 7;
        let age = count(now).wrapping_sub(plain >> 27) & 0x1f;
        let then = count(now).checked_sub(age).filter(|_| age <= 1)?;
        (self.sequence(tuple, irs, mss, then) == iss).then(|| MSS[mss as usize])
    }

    fn mask(&self, tuple: &Tuple) -> u32 {
        self.mask.of(&Message::new().tuple(tuple)) as u32
    }

    fn mac(&self, tuple: &Tuple, irs: SeqNumber, mss: u32, count: u32) -> u32 {
        // 29 bits of count last for a thousand years.
        let message = Message::new().tuple(tuple).number(irs.0).number(count << 3 | mss);
        self.mac.of(&message) as u32 & 0x00ff_ffff
    }
}

fn count(now: Instant) -> u32 {
    (now.as_millis() / 1000 / COUNT) as u32
}

/// The latest timestamp up to `plain` whose low bits hold the options: an earlier one, so that
/// the connection's own timestamps do not seem to go back (RFC 7323 §5.3).
fn with_options(plain: u32, negotiated: &Negotiated) -> u32 {
    let scale = if negotiated.scaling { u32::from(negotiated.snd_scale) } else { NO_SCALE };
    let sack = if negotiated.sack { SACK } else { 0 };
    let tick = (plain & !OPTION_MASK) | sack | scale;
    if SeqNumber(tick).gt(SeqNumber(plain)) { tick.wrapping_sub(1 << OPTION_BITS) } else { tick }
}

#[cfg(test)]
#[path = "cookie_tests.rs"]
mod tests;
