//! Packets built one behind the other, from either end of their connections.

use std::net::IpAddr;

use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;
use rand_core::Rng;

use super::carried::{Carried, Segment};
use crate::dissect::{Start, address_value};
use crate::field::Field;
use crate::template::{Setting, Template};

/// Ends of connections that are remembered; of more, the oldest are forgotten.
const MOST: usize = 256;

/// What packets leave open carries on from those before: each end of each connection has its
/// ports, its numbers and its timestamps. Nothing is waited for, and nothing is judged.
///
/// ```
/// use handclasp_craft::conversation::Exchange;
/// use handclasp_craft::template::Template;
/// use handclasp_wire::time::Instant;
///
/// let lines = ["10.0.0.1:5 > 10.0.0.2:80 [S] seq 7", "10.0.0.2:80 > 10.0.0.1:5 seq 100"];
/// let mut exchange = Exchange::default();
/// let rng = &mut rand_pcg::Pcg32::new(1, 1);
/// for line in lines {
///     let template: Template = line.parse()?;
///     let packet = exchange.build(template.clone(), Instant::ZERO, rng);
///     println!("{}", Template::of(&packet, template.start()));
/// }
/// // The second packet acknowledges the first: [S.] seq 100 ack 8.
/// # Ok::<(), handclasp_craft::text::SpecError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// Each end's view, the one that sent last behind the others.
    ends: Vec<Carried>,
}

impl Exchange {
    /// Builds a packet that goes on where the connection is which it names. One that names none
    /// goes on with the one before.
    pub fn build(
        &mut self,
        template: Template,
        now: Instant,
        rng: &mut (impl Rng + ?Sized),
    ) -> Vec<u8> {
        let start = template.start();
        let sender = self.ends.iter().rev().find(|end| fits(&template, end));
        let template = match sender {
            Some(end) => end.continued(template, now),
            None => template,
        };
        let packet = template.build(rng);
        if let Some(segment) = Segment::read(&packet, start) {
            self.end(&segment, true, |receiver| receiver.received(&segment));
            self.end(&segment, false, |sender| sender.sent(&segment, now));
        }
        packet
    }

    /// Takes in a packet that arrived, from its IP header on: what is built next answers it.
    /// Says whether it is of a connection that a packet was built for.
    pub fn received(&mut self, packet: &[u8]) -> bool {
        let Some(segment) = Segment::read(packet, Start::Ip) else { return false };
        let receiver = segment.from.map(|from| from.reversed());
        let known = receiver.is_some() && self.ends.iter().any(|end| end.tuple() == receiver);
        if known {
            self.end(&segment, true, |receiver| receiver.received(&segment));
        }
        known
    }

    /// The packets that reset what a peer answered and what is open still, so that none is left
    /// sending again and again. `sent_by` says which ends are ours.
    #[must_use]
    pub fn resets(&self, sent_by: impl Fn(IpAddr) -> bool) -> Vec<Template> {
        let open = |end: &&Carried| {
            end.is_open()
                && end.can_close()
                && !end.is_closed()
                && end.tuple().is_some_and(|tuple| sent_by(tuple.local_ip))
        };
        let reset = |end: &Carried| {
            let flags = Template::default().with(Field::Flags, Flags::RST | Flags::ACK);
            end.continued(Template { options: Some(Vec::new()), ..flags }, Instant::ZERO)
        };
        self.ends.iter().filter(open).map(reset).collect()
    }

    /// Tells one end of a segment's connection of it, and puts that end last.
    fn end(&mut self, segment: &Segment, receiver: bool, tell: impl FnOnce(&mut Carried)) {
        let Some(from) = segment.from else { return };
        let tuple = if receiver { from.reversed() } else { from };
        let known = self.ends.iter().position(|end| end.tuple() == Some(tuple));
        let mut end = match known {
            Some(at) => self.ends.remove(at),
            None => Carried::default(),
        };
        tell(&mut end);
        if self.ends.len() >= MOST {
            self.ends.remove(0);
        }
        self.ends.push(end);
    }
}

/// Whether a template may be this end's next packet: no address or port of its own is another.
fn fits(template: &Template, end: &Carried) -> bool {
    let Some(tuple) = end.tuple() else { return false };
    let ends = [
        (Field::Src, address_value(tuple.local_ip)),
        (Field::Dst, address_value(tuple.remote_ip)),
        (Field::SrcPort, tuple.local_port.into()),
        (Field::DstPort, tuple.remote_port.into()),
    ];
    ends.into_iter().all(|(field, value)| match template.fields.get(&field) {
        None | Some(Setting::Auto(_)) => true,
        Some(Setting::Given(given)) => *given == value,
        Some(Setting::Bits { .. } | Setting::Random) => false,
    })
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
