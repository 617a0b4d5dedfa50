//! What joins hosts: everyone hears what one of them sends.

use handclasp_impair::config::Config;
use handclasp_impair::link::Link;
use handclasp_wire::time::Instant;

use crate::dice::Dice;
use crate::frame::Frame;
use crate::narrow::Narrow;
use crate::network::HostId;
use crate::tap::Fate;

/// Two hosts or more, and for each of them a link to all others.
pub(crate) struct Cable {
    ends: Vec<(HostId, Link<Frame>)>,
    pub(crate) plugged: bool,
    pub(crate) narrow: Option<Narrow>,
}

impl Cable {
    pub(crate) fn new(ends: &[(HostId, Config)], dice: &mut Dice) -> Self {
        let link = |(host, config): &(_, Config)| (*host, Link::new(config.clone(), dice.seed()));
        Self { ends: ends.iter().map(link).collect(), plugged: true, narrow: None }
    }

    pub(crate) fn joins(&self, host: HostId) -> bool {
        self.ends.iter().any(|(other, _)| *other == host)
    }

    pub(crate) fn others(&self, host: HostId) -> impl Iterator<Item = HostId> {
        self.ends.iter().map(|(other, _)| *other).filter(move |other| *other != host)
    }

    /// The link of what `host` sends.
    pub(crate) fn link(&self, host: HostId) -> Option<&Link<Frame>> {
        self.ends.iter().find(|(other, _)| *other == host).map(|(_, link)| link)
    }

    /// The next packet that has come out of the link of one of the hosts.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(HostId, Frame)> {
        self.ends.iter_mut().find_map(|(host, link)| Some((*host, link.pop(now)?)))
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.ends.iter().filter_map(|(_, link)| link.next_deadline()).min()
    }

    /// Sends a packet of which `ip_len` bytes are IP's; says what becomes of it.
    pub(crate) fn push(&mut self, host: HostId, now: Instant, frame: Frame, ip_len: usize) -> Fate {
        let link = self.ends.iter_mut().find(|(other, _)| *other == host);
        let Some((_, link)) = link.filter(|_| self.plugged) else { return Fate::Lost };
        if self.narrow.is_some_and(|narrow| !narrow.carries(ip_len)) {
            return Fate::TooBig;
        }
        let (before, held) = (link.counters(), link.held());
        link.push(now, frame);
        let after = link.counters();
        match link.held() - held {
            0 if after.lost > before.lost => Fate::Lost,
            0 => Fate::QueueDropped,
            1 if after.corrupted > before.corrupted => Fate::Damaged,
            1 => Fate::Carried,
            _ => Fate::Duplicated,
        }
    }
}
