//! A host with its connections, its memory and its programs.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::rc::Rc;

use handclasp_stack::{Cidr, Host, HostConfig, Interface, Secret};
use handclasp_tcp::event::{Event, Log};
use handclasp_tcp::{Budget, Context, Tuple};
use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::frame::{Inbound, Medium, Outbound};
use handclasp_wire::gso::Join;
use handclasp_wire::time::Instant;

use crate::app::{App, Next, View};
use crate::store::{Subject, WatchedStore};

/// Packets that a host hands over in one go.
const BATCH: usize = 64;

/// What a host is to be.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Its addresses.
    pub addresses: Vec<Cidr>,
    /// What its packets start with. The network chooses hardware addresses.
    pub medium: Medium,
    /// Largest IP packet, in bytes.
    pub mtu: u16,
    /// The most payload of a burst that its interface cuts into segments; 0 for none (TSO).
    pub burst: usize,
    /// Whether segments that arrive together are joined before the host sees them (GRO).
    pub join: bool,
    /// Limits of its tables.
    pub host: HostConfig,
    /// Bytes that all its buffers may hold.
    pub memory: usize,
    /// Those who hear every step of its connections.
    pub logs: Vec<Rc<dyn Log>>,
}

impl Settings {
    /// A host on a link whose packets start with IP, of 1500 bytes at most, without offloads.
    #[must_use]
    pub fn ip(addresses: impl IntoIterator<Item = Cidr>) -> Self {
        Self {
            addresses: addresses.into_iter().collect(),
            medium: Medium::Ip,
            mtu: 1500,
            burst: 0,
            join: false,
            host: HostConfig::default(),
            memory: Budget::default().limit(),
            logs: Vec::new(),
        }
    }

    /// The same on Ethernet.
    #[must_use]
    pub fn ethernet(addresses: impl IntoIterator<Item = Cidr>) -> Self {
        Self { medium: Medium::Ethernet, ..Self::ip(addresses) }
    }

    fn interface(&self, mac: MacAddr) -> Interface {
        let plain = match self.medium {
            Medium::Ethernet => Interface::ethernet(mac, self.mtu),
            Medium::Ip => Interface::ip(self.mtu),
        };
        Interface { tx_checksum: self.burst > 0, burst: self.burst, ..plain }
    }
}

/// What a host's connections are given with every verb.
pub(crate) struct Surroundings {
    pub(crate) budget: Budget,
    logs: Logs,
}

/// Several logs as one.
struct Logs(Vec<Rc<dyn Log>>);

impl Log for Logs {
    fn record(&self, at: Instant, tuple: &Tuple, event: &Event<'_>) {
        self.0.iter().for_each(|log| log.record(at, tuple, event));
    }
}

impl Surroundings {
    pub(crate) fn context(&self, now: Instant) -> Context<'_> {
        let log = (!self.logs.0.is_empty()).then_some(&self.logs as &dyn Log);
        Context { now, budget: &self.budget, log }
    }
}

/// A program's place on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppId(usize);

struct Running {
    /// Absent while it is polled.
    app: Option<Box<dyn App>>,
    awake: bool,
    /// When it wants to be polled.
    at: Option<Instant>,
}

pub(crate) struct Node {
    pub(crate) host: Host,
    pub(crate) store: WatchedStore,
    pub(crate) surroundings: Surroundings,
    pub(crate) owners: HashMap<Subject, AppId>,
    apps: Vec<Option<Running>>,
    free: Vec<usize>,
    awake: VecDeque<AppId>,
    timers: BinaryHeap<Reverse<(Instant, AppId)>>,
    join: bool,
    pub(crate) inbox: VecDeque<Inbound>,
    out: VecDeque<Outbound>,
}

impl Node {
    pub(crate) fn new(settings: Settings, mac: MacAddr, secret: [u8; 32], now: Instant) -> Self {
        let interface = settings.interface(mac);
        let mut host = Host::new(settings.host, interface, &Secret::new(secret));
        for address in settings.addresses {
            host.add_address(address, now);
        }
        Self {
            host,
            store: WatchedStore::default(),
            surroundings: Surroundings {
                budget: Budget::new(settings.memory),
                logs: Logs(settings.logs),
            },
            owners: HashMap::new(),
            apps: Vec::new(),
            free: Vec::new(),
            awake: VecDeque::new(),
            timers: BinaryHeap::new(),
            join: settings.join,
            inbox: VecDeque::new(),
            out: VecDeque::new(),
        }
    }

    pub(crate) const fn medium(&self) -> Medium {
        self.host.interface().medium()
    }

    pub(crate) fn start(&mut self, app: Box<dyn App>) -> AppId {
        let running = Running { app: Some(app), awake: true, at: None };
        let place = self.free.pop().unwrap_or_else(|| {
            self.apps.push(None);
            self.apps.len() - 1
        });
        self.apps[place] = Some(running);
        self.awake.push_back(AppId(place));
        AppId(place)
    }

    /// Programs that are not over.
    pub(crate) const fn running(&self) -> usize {
        self.apps.len() - self.free.len()
    }

    /// Takes in the packets that have arrived.
    pub(crate) fn receive(&mut self, now: Instant) {
        self.store.receiving = true;
        let mut join = self.join.then(|| Join::new(self.medium()));
        while let Some(packet) = self.inbox.pop_front() {
            let packet = match &mut join {
                Some(join) => join.push(packet),
                None => Some(packet),
            };
            packet.into_iter().for_each(|packet| self.take_in(now, packet));
        }
        join.and_then(|mut join| join.flush()).into_iter().for_each(|p| self.take_in(now, p));
        self.store.receiving = false;
    }

    fn take_in(&mut self, now: Instant, packet: Inbound) {
        self.host.receive(&mut self.store, &self.surroundings.context(now), packet);
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let app = self.timers.peek().map(|Reverse((at, _))| *at);
        self.host.next_deadline().into_iter().chain(app).min()
    }

    pub(crate) fn deadline_passed(&mut self, now: Instant) {
        if self.host.next_deadline().is_some_and(|at| at <= now) {
            self.store.receiving = true;
            self.host.deadline_passed(&mut self.store, &self.surroundings.context(now));
            self.store.receiving = false;
        }
        while let Some(Reverse((at, id))) = self.timers.peek().copied().filter(|t| t.0.0 <= now) {
            self.timers.pop();
            if self.apps[id.0].as_ref().is_some_and(|running| running.at == Some(at)) {
                self.wake(id);
            }
        }
    }

    /// Lets every program do what it can, and gives the packets that come of it, until there
    /// are none or `send` wants no more.
    pub(crate) fn work(&mut self, now: Instant, mut send: impl FnMut(&Outbound) -> bool) {
        let mut wanted = true;
        while wanted {
            self.wake_owners();
            if let Some(id) = self.awake.pop_front() {
                self.poll(id, now);
            } else if self.host.wants_to_transmit() {
                let cx = self.surroundings.context(now);
                self.host.poll_transmit(&mut self.store, &cx, &mut self.out, BATCH);
                self.out.drain(..).for_each(|packet| wanted &= send(&packet));
            } else {
                return;
            }
        }
    }

    fn wake_owners(&mut self) {
        while let Some(subject) = self.store.changed.pop() {
            if let Some(id) = self.owners.get(&subject) {
                self.wake(*id);
            }
        }
    }

    fn wake(&mut self, id: AppId) {
        if let Some(running) = &mut self.apps[id.0]
            && !std::mem::replace(&mut running.awake, true)
        {
            self.awake.push_back(id);
        }
    }

    fn poll(&mut self, id: AppId, now: Instant) {
        let Some(running) = &mut self.apps[id.0] else { return };
        running.awake = false;
        let set = running.at.take();
        let Some(mut app) = running.app.take() else { return };
        let next = app.poll(&mut View { node: self, now, app: Some(id) });
        let Some(running) = &mut self.apps[id.0] else { return };
        running.app = Some(app);
        match next {
            Next::Wait => {}
            Next::WaitUntil(at) => {
                running.at = Some(at);
                if set != Some(at) {
                    self.timers.push(Reverse((at, id)));
                }
            }
            Next::Done => {
                self.apps[id.0] = None;
                self.free.push(id.0);
            }
        }
    }
}
