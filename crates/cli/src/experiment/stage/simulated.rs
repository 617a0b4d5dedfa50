//! Our own stack as the peer, in virtual time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use handclasp::host::store::ConnId;
use handclasp::tcp::config::KeepAlive;
use handclasp::tcp::connection::Error as ConnectionError;
use handclasp::tcp::{Config, State, Tuple};
use handclasp::wire::frame::Medium;
use handclasp::wire::time::Instant;
use handclasp::{Backlog, Cidr};
use handclasp_explain::track::Fate;
use handclasp_impair::config::Config as LinkConfig;
use handclasp_sim::apps::server::Server;
use handclasp_sim::{App, HostId, Network, Next, Settings, View, tap};

use super::{CLOSED, Came, SERVER, Service, Stage};
use crate::error::Error;
use crate::lab::PAGE;
use crate::watch::eye::look;
use crate::watch::{Answer, SeenPacket, Sight};

/// How long packets travel each way, so that there is something to see.
const DELAY: Duration = Duration::from_millis(10);

/// Bits per second: packets that leave together arrive one after the other.
const RATE: u64 = 1_000_000_000;

/// Connections that may be half open where there is little room for them.
const HALF_OPEN: usize = 4;

/// Connections that may be half open by Fast Open at once.
const FAST_OPENED: usize = 16;

const OURS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 77, 0, 1));
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 77, 0, 2));
const PREFIX: u8 = 24;

/// A host that runs our stack, at the other end of a link.
pub(in crate::experiment) struct Simulated {
    network: Network,
    peer: HostId,
    heard: Heard,
    /// Packets of ours on their way, and when they arrive.
    flying: VecDeque<SeenPacket>,
    sights: SyncSender<Sight>,
}

impl Simulated {
    pub(in crate::experiment) fn new(
        service: Service,
        seed: u64,
        sights: &SyncSender<Sight>,
    ) -> Self {
        let mut network = Network::new(seed);
        let peer = network.add_host(Settings::ip(Cidr::new(PEER, PREFIX)));
        // Somebody has to be at our end of the cable; it has no address and says nothing.
        let nobody = network.add_host(Settings::ip([]));
        let link = LinkConfig::with(|c| {
            c.delay = DELAY;
            c.rate = NonZeroU64::new(RATE);
        });
        network.join(&[peer, nobody], &link);
        let heard = Heard { peer, events: Rc::default() };
        network.tap(heard.clone());
        let at = SocketAddr::new(PEER, SERVER);
        let mut config = Config::default();
        if service == Service::KeepAlive {
            config.keep_alive = Some(KeepAlive::default());
        }
        let mut backlog = Backlog::default();
        if service == Service::FastOpen {
            backlog.fast_open = FAST_OPENED;
        }
        if service == Service::SmallQueue {
            backlog.syn = HALF_OPEN;
        }
        let server = Server::new(at, move |id| Guest::new(id, service != Service::KeepAlive));
        network.run(peer, server.config(Arc::new(config)).backlog(backlog));
        network.settle();
        Self { network, peer, heard, flying: VecDeque::new(), sights: sights.clone() }
    }

    fn ask(&self, ours: &Tuple) -> State {
        match self.network.state(self.peer, &ours.reversed()) {
            State::Closed if ours.remote_port == SERVER => State::Listen,
            state => state,
        }
    }

    /// Does what can be done up to `until`; says whether anything is left to do before.
    fn step(&mut self, until: Instant) -> bool {
        self.network.settle();
        self.tell();
        let went_on = self.network.step(until).is_none();
        let now = self.network.now();
        while let Some(mut packet) = self.flying.pop_front_if(|packet| packet.at <= now) {
            let state = self.ask(&packet.tuple());
            packet.peer = Some(Answer { at: packet.at, state });
            self.show(Sight::Far(Box::new(packet)));
        }
        self.tell();
        went_on
    }

    fn tell(&self) {
        let mut events = self.heard.events.borrow_mut();
        for mut sight in events.sights.drain(..) {
            if let Sight::Far(packet) = &mut sight {
                let state = self.ask(&packet.tuple());
                packet.peer = Some(Answer { at: packet.at, state });
            }
            self.show(sight);
        }
    }
}

impl Stage for Simulated {
    fn now(&self) -> Instant {
        self.network.now()
    }

    fn ours(&self) -> IpAddr {
        OURS
    }

    fn server(&self) -> SocketAddr {
        SocketAddr::new(PEER, SERVER)
    }

    fn closed(&self) -> SocketAddr {
        SocketAddr::new(PEER, CLOSED)
    }

    fn send(&mut self, packet: &[u8]) -> Result<(), Error> {
        let (now, due) = (self.now(), self.now() + DELAY);
        if let Some(seen) = look(Medium::Ip, now, true, packet) {
            self.show(Sight::Near(Box::new(seen.clone())));
            self.flying.push_back(SeenPacket { at: due, ..seen });
        }
        self.network.inject(self.peer, due, packet.to_vec());
        Ok(())
    }

    fn lose(&mut self, packet: &[u8]) -> Result<(), Error> {
        if let Some(seen) = look(Medium::Ip, self.now(), true, packet) {
            let answer = Answer { at: seen.at, state: self.ask(&seen.tuple()) };
            let lost = SeenPacket { fate: Fate::Lost, peer: Some(answer), ..seen.clone() };
            self.show(Sight::Lost(Box::new(lost)));
            self.show(Sight::Near(Box::new(seen)));
        }
        Ok(())
    }

    fn receive(&mut self, until: Instant) -> Result<Option<Came>, Error> {
        loop {
            if let Some(came) = self.heard.events.borrow_mut().came.pop_front() {
                return Ok(Some(came));
            }
            if !self.step(until) {
                self.network.run_until(until);
                self.tell();
                return Ok(self.heard.events.borrow_mut().came.pop_front());
            }
        }
    }

    fn state(&mut self, ours: &Tuple) -> Result<Option<State>, Error> {
        Ok(Some(self.ask(ours)))
    }

    fn commands_peer(&self) -> bool {
        true
    }

    fn call(&mut self, to: SocketAddr) -> Result<(), Error> {
        self.network.run(self.peer, Caller { to, guest: None });
        Ok(())
    }

    fn is_real(&self) -> bool {
        false
    }

    fn show(&self, sight: Sight) {
        // A narrator that is gone has no reader any more.
        let _ = self.sights.send(sight);
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

/// What the peer sent, on its way to us.
#[derive(Default)]
struct Events {
    sights: Vec<Sight>,
    came: VecDeque<Came>,
}

#[derive(Clone)]
struct Heard {
    peer: HostId,
    events: Rc<RefCell<Events>>,
}

impl tap::Tap for Heard {
    fn seen(&mut self, seen: &tap::Seen<'_>) {
        if seen.from != self.peer {
            return;
        }
        let mut events = self.events.borrow_mut();
        let packet = look(seen.medium, seen.at, false, seen.bytes).map(Box::new);
        match seen.fate {
            tap::Fate::Delivered => {
                events.sights.extend(packet.map(Sight::Near));
                events.came.push_back((seen.at, seen.bytes.to_vec()));
            }
            _ => events.sights.extend(packet.map(Sight::Far)),
        }
    }
}

/// Talks on a connection of the peer's.
struct Guest {
    id: ConnId,
    /// Whether a request is to be answered.
    serves: bool,
    received: Vec<u8>,
}

impl Guest {
    fn new(id: ConnId, serves: bool) -> Self {
        Self { id, serves, received: Vec::new() }
    }

    /// Says whether the peer closed.
    fn go_on(&mut self, host: &mut View<'_>) -> Result<bool, ConnectionError> {
        let mut buffer = [0; 4096];
        loop {
            match host.read(self.id, &mut buffer)? {
                None => return Ok(false),
                Some(0) => return Ok(true),
                Some(count) if self.serves => self.received.extend_from_slice(&buffer[..count]),
                Some(_) => {}
            }
            if self.received.windows(4).any(|end| end == b"\r\n\r\n") {
                (self.serves, self.received) = (false, Vec::new());
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length:";
                let page = format!("{head} {}\r\nConnection: close\r\n\r\n{PAGE}", PAGE.len());
                // It is far smaller than any buffer.
                host.write(self.id, page.as_bytes())?;
                host.shutdown(self.id);
            }
        }
    }
}

impl App for Guest {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        if self.go_on(host) == Ok(false) {
            return Next::Wait;
        }
        host.close(self.id);
        Next::Done
    }
}

/// Connects, reads to the end, and closes.
struct Caller {
    to: SocketAddr,
    guest: Option<Guest>,
}

impl App for Caller {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        let guest = match &mut self.guest {
            Some(guest) => guest,
            None => match host.connect(&Arc::default(), None, self.to) {
                Ok(id) => self.guest.insert(Guest::new(id, false)),
                Err(_) => return Next::Done,
            },
        };
        guest.poll(host)
    }
}
