//! SYNs that ask for Fast Open, or come with a cookie of ours (RFC 7413 §4.2).

use alloc::sync::Arc;

use handclasp_tcp::{Config, Context, HalfOpen};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::FastOpen;

use super::tcp::Segment;
use crate::host::Host;
use crate::listen::{Accepted, ListenerId};
use crate::store::{Origin, Store};
use crate::tcp::fast_open::Worth;

/// What a listener makes of the Fast Open option of a SYN.
pub(super) enum Offer {
    /// The connection is there, with the data of its SYN; the client gets a newer cookie if
    /// its own was of the epoch before.
    Good { renewed: Option<FastOpen> },
    /// An ordinary handshake, with a cookie for the next time.
    Cookie(FastOpen),
}

impl Host {
    /// `None` where the SYN is one like any other: without the option, to a listener that does
    /// not open fast, or that has too many connections of that kind already.
    pub(super) fn fast_open(
        &mut self,
        id: ListenerId,
        segment: &Segment,
        cx: &Context<'_>,
    ) -> Option<Offer> {
        let listener = self.tcp.listeners.get(id).filter(|l| l.fast_limit > 0)?;
        let given = segment.header.options.fast_open?;
        let client = segment.tuple.remote_ip;
        if given.len == 0 {
            self.counters.tcp_ext_fast_open_cookie_reqd += 1;
            return Some(self.fresh(&given, segment, cx));
        }
        let renewed = match self.tcp.fast_cookies.check(client, &given, cx.now) {
            Worth::Nothing => {
                self.counters.tcp_ext_fast_open_passive_fail += 1;
                return Some(self.fresh(&given, segment, cx));
            }
            Worth::Good => None,
            Worth::Old(current) => Some(current),
        };
        if listener.fast >= listener.fast_limit {
            self.counters.tcp_ext_fast_open_listen_overflow += 1;
            return None;
        }
        Some(Offer::Good { renewed })
    }

    fn fresh(&self, asked: &FastOpen, segment: &Segment, cx: &Context<'_>) -> Offer {
        let client = segment.tuple.remote_ip;
        Offer::Cookie(self.tcp.fast_cookies.cookie(client, asked.experimental, cx.now))
    }

    /// Hands a connection over before its handshake is done (RFC 7413 §4.2.2).
    #[expect(clippy::too_many_arguments, reason = "each is one thing that the SYN decides")]
    pub(super) fn open_fast<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        listener: ListenerId,
        config: Arc<Config>,
        segment: Segment,
        after: Option<SeqNumber>,
        renewed: Option<FastOpen>,
    ) {
        let Segment { tuple, header, text, carriage, .. } = segment;
        let opening = self.opening(&tuple, after, cx.now);
        let half = HalfOpen::new(&config, &tuple, &header, opening, cx).carried(carriage.ecn);
        let connection = half.open_fast(config.clone(), tuple, &header, text, renewed, cx);
        let id = store.insert(connection, Origin::Listener(listener));
        self.tcp.adopt(id, tuple, config, self.ip.path_mtu(tuple.remote_ip));
        if let Some(flow) = self.tcp.flows.get_mut(id) {
            flow.fast = Some(listener);
        }
        if let Some(listener) = self.tcp.listeners.get_mut(listener) {
            listener.fast += 1;
            listener.push(Accepted { id, tuple });
        }
        self.touched(id);
        self.counters.tcp_passive_opens += 1;
        self.counters.tcp_ext_fast_open_passive += 1;
    }
}
