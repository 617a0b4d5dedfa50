//! Packets made by hand put on a link, and their answers waited for.

use std::collections::HashSet;
use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use handclasp::wire::frame::Medium;
use handclasp::wire::packet::Packet;
use handclasp::wire::time::Instant as Moment;
use handclasp_craft::conversation::{Exchange, Relation, relation, wants_answer};
use handclasp_craft::dissect::{Start, address_value};
use handclasp_craft::field::{Family, Field, Layer};
use handclasp_craft::template::Template;
use handclasp_explain::catalogue::ByHand;
use handclasp_lab::enter::enter;
use rand_pcg::Pcg64;

use super::args::CraftArgs;
use super::report::Report;
use crate::Outcome;
use crate::error::Error;
use crate::lab::args::LabLink;
use crate::link::LinkName;
use crate::raw::host::{Kernel, SETTLING, towards};
use crate::raw::lab::RawLab;
use crate::raw::{Came, Raw, Watchers, is_the_kernels};

/// Sends the packets of these templates.
///
/// # Errors
///
/// When the link cannot be had, a packet does not fit it, or the output cannot be written.
pub(super) fn run(
    args: &CraftArgs,
    templates: Vec<Template>,
    rng: &mut Pcg64,
) -> Result<Outcome, Error> {
    if args.send.link == LinkName::Lab {
        // An ordinary user can do this only while there is one thread.
        enter()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(perform(args, templates, rng))
}

async fn perform(
    args: &CraftArgs,
    templates: Vec<Template>,
    rng: &mut Pcg64,
) -> Result<Outcome, Error> {
    let mut report = Report::new(args)?;
    let tagged = templates.iter().any(|template| template.layers.contains(&Layer::Vlan));
    if tagged && args.send.reply.is_some() {
        report.note(ByHand::TagsUnseen)?;
    }
    let watchers = Watchers { sights: None, write: args.send.write.as_deref() };
    let sender = |raw, ours| Sender {
        raw,
        kernel: None,
        slips: Vec::new(),
        ours,
        exchange: Exchange::default(),
        report,
        rng,
        patience: args.send.reply,
        began: Instant::now(),
    };
    if args.send.link == LinkName::Lab {
        let lab = RawLab::new(LabLink::Packet, watchers)?;
        let _servers = [lab.web_server(false)?, lab.web_server(true)?];
        let [v4, v6] = [false, true]
            .map(|ipv6| (Some(lab.lab.our_address(ipv6)), Some(lab.lab.peer_address(ipv6))));
        let ends = |family, _| if family == Family::V6 { v6 } else { v4 };
        return sender(lab.raw, vec![v4.0, v6.0]).all(args, templates, &ends).await;
    }
    let (link, own) = (&args.send.link, args.send.address);
    let not_free = own.is_none_or(|own| is_the_kernels(own.address()));
    if let (LinkName::Packet(name), true) = (link, not_free) {
        let (raw, kernel, mut ours) = Raw::open_as_host(name, args.send.gateway, watchers)?;
        if let Some(own) = own {
            ours.insert(0, own.address());
        }
        let ends = |_, peer: IpAddr| (towards(&ours, peer), None);
        let sender = sender(raw, ours.iter().copied().map(Some).collect()).beside(kernel)?;
        return sender.all(args, templates, &ends).await;
    }
    let raw = Raw::open(link, own, args.send.gateway, watchers)?;
    let own = own.map(|own| own.address());
    let ends = |family, _| {
        let fits = |own: &IpAddr| Family::of(*own) == family;
        (own.filter(fits), None)
    };
    sender(raw, vec![own]).all(args, templates, &ends).await
}

/// Our address and the peer's, of a family and where packets go, where nobody says others.
type Ends<'a> = &'a dyn Fn(Family, IpAddr) -> (Option<IpAddr>, Option<IpAddr>);

struct Sender<'r> {
    raw: Raw,
    /// The host's kernel, where its own address is used.
    kernel: Option<Kernel>,
    /// What it slipped in and nobody was told of yet.
    slips: Vec<Vec<u8>>,
    ours: Vec<Option<IpAddr>>,
    exchange: Exchange,
    report: Report,
    rng: &'r mut Pcg64,
    /// For how long an answer is waited for, if one is.
    patience: Option<Duration>,
    began: Instant,
}

impl Sender<'_> {
    /// The same with the kernel's own address, about which something is to be said first.
    fn beside(mut self, kernel: Kernel) -> io::Result<Self> {
        self.report.say(kernel.announce())?;
        self.kernel = Some(kernel);
        Ok(self)
    }

    /// Sends all packets, each when the one before is answered.
    async fn all(
        mut self,
        args: &CraftArgs,
        templates: Vec<Template>,
        ends: Ends<'_>,
    ) -> Result<Outcome, Error> {
        let mut outcome = Ok(Outcome::Done);
        let last = templates.len() - 1;
        let mut waited = false;
        for (number, template) in templates.into_iter().enumerate() {
            let (packet, start) = self.build(template, ends).await?;
            let ip = ip_of(&packet, start);
            let at = self.send(&packet, start).await?;
            self.report.sent(&packet, start, at)?;
            let Some(patience) = self.patience else { continue };
            if wants_answer(ip) || number == last && !waited {
                waited = true;
                let answered = tokio::select! {
                    answered = self.answered(ip, start, at, patience) => answered,
                    _ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
                };
                match answered {
                    Ok(true) => {}
                    Ok(false) => {
                        outcome = Ok(Outcome::Failed);
                        self.report.note(ByHand::NoAnswer(patience))?;
                        break;
                    }
                    // What is open is to be ended nevertheless.
                    Err(Error::Interrupted) => {
                        outcome = Err(Error::Interrupted);
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if self.patience.is_some() && !args.send.leave {
            self.reset().await?;
        }
        self.account().await?;
        self.raw.finish()?;
        self.report.finish()?;
        outcome
    }

    /// Builds a packet, from us to the peer if it says nothing else.
    async fn build(
        &mut self,
        mut template: Template,
        ends: Ends<'_>,
    ) -> Result<(Vec<u8>, Start), Error> {
        if !template.layers.contains(&Layer::Ip) {
            return Err(Error::NoIp);
        }
        // What crossed the packets before is acknowledged by this one.
        while let Some(came) = self.raw.receive(Instant::now()).await? {
            self.take(&came)?;
        }
        let family = template.family.unwrap_or_default();
        let to = template.given(Field::Dst).unwrap_or_default();
        let (ours, peer) = ends(family, family.address(to));
        for (field, address) in [(Field::Src, ours), (Field::Dst, peer)] {
            let open = !template.fields.contains_key(&field);
            match address {
                Some(address) if open => {
                    template.family = Some(family);
                    template.set(field, address_value(address));
                }
                None if open => return Err(Error::NoEnd(field.name())),
                _ => {}
            }
        }
        if template.start() == Start::Ethernet {
            self.address_frame(&mut template, family).await?;
        }
        let start = template.start();
        let now = Moment::ZERO + self.began.elapsed();
        Ok((self.exchange.build(template, now, self.rng), start))
    }

    /// Fills in the hardware addresses that nobody says.
    async fn address_frame(
        &mut self,
        template: &mut Template,
        family: Family,
    ) -> Result<(), Error> {
        let open = |field| !template.fields.contains_key(&field);
        let (open_src, open_dst) = (open(Field::EthSrc), open(Field::EthDst));
        if open_src {
            template.set(Field::EthSrc, self.raw.hardware_address());
        }
        if let (true, Some(dst)) = (open_dst, template.given(Field::Dst)) {
            let mac = self.raw.hardware_address_of(family.address(dst)).await?;
            template.set(Field::EthDst, mac);
        }
        Ok(())
    }

    async fn send(&mut self, packet: &[u8], start: Start) -> Result<Instant, Error> {
        if let Some(kernel) = &mut self.kernel {
            kernel.sending(ip_of(packet, start))?;
        }
        match start {
            Start::Ethernet => self.raw.send_frame(packet).await,
            _ => self.raw.send(packet).await,
        }
    }

    /// The next packet that comes until then; what the kernel slips in meanwhile is told.
    async fn receive(&mut self, until: Instant) -> io::Result<Option<Came>> {
        loop {
            let Some(kernel) = &mut self.kernel else { return self.raw.receive(until).await };
            tokio::select! {
                // What the kernel sends follows from what came.
                biased;
                came = self.raw.receive(until) => return came,
                slip = kernel.slips_in() => {
                    self.slips.push(slip?);
                    let soon = Instant::now() + SETTLING;
                    if let Some(came) = self.raw.receive(soon.min(until)).await? {
                        return Ok(Some(came));
                    }
                    self.tell_slips()?;
                }
            }
        }
    }

    /// Says what the kernel slipped in, behind what made it do so.
    fn tell_slips(&mut self) -> io::Result<()> {
        self.slips
            .drain(..)
            .try_for_each(|slip| self.report.aside(|text| ByHand::SlippedIn(text), &slip))
    }

    /// Says what the kernel did, or did not do, because its address was used.
    async fn account(&mut self) -> io::Result<()> {
        let Some(kernel) = &mut self.kernel else { return Ok(()) };
        while let Some(slip) = kernel.last_slip().await? {
            self.slips.push(slip);
        }
        let account = kernel.account()?;
        self.tell_slips()?;
        account.map_or(Ok(()), |text| self.report.say(text))
    }

    /// Waits for the answer to a packet, and prints it.
    async fn answered(
        &mut self,
        sent: &[u8],
        start: Start,
        at: Instant,
        patience: Duration,
    ) -> Result<bool, Error> {
        while let Some(came) = self.receive(at + patience).await? {
            self.exchange.received(came.packet());
            match relation(sent, came.packet()) {
                Relation::Answer => {
                    let took = came.at.saturating_duration_since(at);
                    let shown = match start {
                        Start::Ethernet => &came.bytes,
                        _ => came.packet(),
                    };
                    self.report.answer(shown, start, came.at, took)?;
                    self.tell_slips()?;
                    return Ok(true);
                }
                Relation::Related => {
                    self.report.aside(|text| ByHand::Meanwhile(text), came.packet())?
                }
                Relation::Foreign => {}
            }
        }
        Ok(false)
    }

    /// Takes in what came while nothing was waited for.
    fn take(&mut self, came: &Came) -> io::Result<()> {
        match self.exchange.received(came.packet()) {
            true => self.report.aside(|text| ByHand::Meanwhile(text), came.packet()),
            false => Ok(()),
        }
    }

    /// Resets what the peer has open, so that it is not left sending again and again.
    async fn reset(&mut self) -> Result<(), Error> {
        while let Some(came) = self.raw.receive(Instant::now()).await? {
            self.take(&came)?;
        }
        let ours: HashSet<IpAddr> = self.ours.iter().flatten().copied().collect();
        for template in self.exchange.resets(|ip| ours.contains(&ip)) {
            let packet = template.build(self.rng);
            self.send(&packet, Start::Ip).await?;
            self.report.aside(|text| ByHand::ResetInTheEnd(text), &packet)?;
        }
        Ok(())
    }
}

/// The packet from its IP header on.
fn ip_of(packet: &[u8], start: Start) -> &[u8] {
    match start {
        Start::Ethernet => {
            let ip = Packet::dissect(Medium::Ethernet, packet).0.layout.net().start;
            packet.get(ip..).unwrap_or_default()
        }
        _ => packet,
    }
}
