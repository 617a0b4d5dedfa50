//! A large capture, made by our own stack in virtual time: many connections that fetch pages of
//! all sizes over a link that loses, reorders and doubles some of their packets.

use std::cell::RefCell;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use handclasp_impair::config::Config as LinkConfig;
use handclasp_sim::app::{App, Next, View};
use handclasp_sim::apps::server::Server;
use handclasp_sim::apps::talker::{Ledger, Manners, Talker};
use handclasp_sim::dice::Dice;
use handclasp_sim::{Fate, HostId, Network, Seen, Settings, Tap};
use handclasp_tcp::Config;
use handclasp_wire::time::Instant;

/// Ports of the server, and one where nobody listens.
const PORTS: [u16; 4] = [80, 443, 8080, 5432];
const CLOSED: u16 = 81;
/// Connections that begin together, and how long it is until the next ones do.
const TOGETHER: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);
/// When the capture begins, in seconds since 1970.
const EPOCH: u64 = 1_750_000_000;
const SEED: u64 = 7;

/// Writes the capture.
pub(crate) fn write(path: &Path, connections: u32, snap_len: u32) -> Result<(), Box<dyn Error>> {
    let unfinished = path.with_extension("part");
    let mut network = Network::new(SEED);
    let client = network.add_host(Settings::ethernet(["10.1.0.1/16".parse()?]));
    let server = network.add_host(Settings::ethernet(["10.1.0.2/16".parse()?]));
    let link = LinkConfig::with(|link| {
        (link.delay, link.jitter) = (Duration::from_millis(4), Duration::from_millis(1));
        (link.loss, link.duplicate) = (0.004, 0.000_1);
        (link.reorder, link.reorder_delay) = (0.000_3, Duration::from_millis(2));
    });
    network.join(&[client, server], &link);
    let out = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
    let tap = Rc::new(RefCell::new(Pcap::new(out, server, snap_len)?));
    network.tap(tap.clone());
    let ledger = Ledger::default();
    for port in PORTS {
        let (ledger, mut dice) = (ledger.clone(), Dice::new(u64::from(port)));
        let at = SocketAddr::new("10.1.0.2".parse()?, port);
        network.run(
            server,
            Server::new(at, move |id| {
                Talker::new(id, page(&mut dice), Dice::new(dice.seed()), ledger.clone())
            }),
        );
    }
    let dice = Dice::new(SEED);
    let (config, left) = (Arc::<Config>::default(), connections);
    network.run(client, Callers { config, ledger, dice, left });
    network.run_until_idle();
    drop(network);
    let tap = Rc::try_unwrap(tap).map_err(|_| "the network keeps its tap")?.into_inner();
    tap.finish()?;
    std::fs::rename(unfinished, path)?;
    Ok(())
}

/// How a server answers: mostly little, sometimes much.
fn page(dice: &mut Dice) -> Manners {
    let mut manners = Manners::default();
    manners.to_write = match dice.below(100) {
        ..60 => dice.within(200..=5_000),
        60..95 => dice.within(5_000..=28_000),
        _ => dice.within(28_000..=130_000),
    };
    manners
}

/// How a client asks, and sometimes reads slowly.
fn request(dice: &mut Dice) -> Manners {
    let mut manners = Manners::default();
    manners.to_write = dice.within(80..=900);
    match dice.below(100) {
        // Reads so slowly that the server's window closes.
        ..3 => {
            (manners.pauses, manners.pause, manners.chunk) = (30, Duration::from_millis(400), 2_000)
        }
        // Says little at a time, as terminals do.
        3..38 => {
            manners.to_write = dice.within(2_000..=6_000);
            (manners.pauses, manners.pause, manners.chunk) = (60, Duration::from_millis(10), 120);
        }
        _ => {}
    }
    manners
}

/// Opens connections all the time.
struct Callers {
    config: Arc<Config>,
    ledger: Ledger,
    dice: Dice,
    left: u32,
}

impl App for Callers {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        for _ in 0..TOGETHER.min(self.left) {
            self.left -= 1;
            let refused = self.dice.below(80) == 0;
            let port = if refused { CLOSED } else { self.dice.pick(&PORTS) };
            let at = SocketAddr::from(([10, 1, 0, 2], port));
            // Where no port is free, there is one connection less.
            let Ok(id) = host.connect(&self.config, None, at) else { continue };
            let manners = request(&mut self.dice);
            let dice = Dice::new(self.dice.seed());
            host.spawn(Talker::new(id, manners, dice, self.ledger.clone()), id);
        }
        // What others report is of no interest here, and there would be much of it.
        self.ledger.borrow_mut().clear();
        if self.left == 0 { Next::Done } else { Next::WaitUntil(host.now() + PAUSE) }
    }
}

/// A capture at the server's end of the cable, as libpcap writes it.
struct Pcap<W> {
    out: W,
    server: HostId,
    snap_len: u32,
    failure: Option<io::Error>,
}

impl<W: Write> Pcap<W> {
    fn new(mut out: W, server: HostId, snap_len: u32) -> io::Result<Self> {
        const ETHERNET: u32 = 1;
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, snap_len, ETHERNET] {
            out.write_all(&word.to_le_bytes())?;
        }
        Ok(Self { out, server, snap_len, failure: None })
    }

    fn packet(&mut self, at: Instant, bytes: &[u8]) -> io::Result<()> {
        let micros = at.as_micros();
        let kept = bytes.len().min(self.snap_len as usize);
        let (seconds, micros) = (EPOCH + micros / 1_000_000, micros % 1_000_000);
        for word in [seconds as u32, micros as u32, kept as u32, bytes.len() as u32] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(&bytes[..kept])
    }

    fn finish(mut self) -> io::Result<()> {
        self.failure.map_or(Ok(()), Err)?;
        self.out.flush()
    }
}

impl<W: Write> Tap for Pcap<W> {
    fn seen(&mut self, packet: &Seen<'_>) {
        // What the server sends is seen even if it is lost behind this place.
        let passes = match packet.from == self.server {
            true => packet.fate != Fate::Delivered,
            false => packet.fate == Fate::Delivered,
        };
        if passes && self.failure.is_none() {
            self.failure = self.packet(packet.at, packet.bytes).err();
        }
    }
}
