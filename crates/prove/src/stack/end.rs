//! An end: a whole host, its connections, its memory, and the program on it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use handclasp_stack::host::Holder;
use handclasp_stack::listen::{Backlog, ListenerId};
use handclasp_stack::{Cidr, ConnId, Host, HostConfig, Interface, Secret, SlabStore};
use handclasp_tcp::canonical::Form;
use handclasp_tcp::connection::Error;
use handclasp_tcp::{Budget, Config, Connection, Context, State, Tuple};
use handclasp_wire::frame::{Inbound, Outbound};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

/// The sockets between which all connections are: the same every time, so that an earlier
/// incarnation can haunt a later one.
const PORTS: [u16; 2] = [40_000, 80];

/// What a program does next; reading it does whenever there is something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Opens actively.
    Connect,
    /// Writes bytes.
    Write(&'static str),
    /// Has no more to write.
    Shutdown,
    /// Ends the connection with a RST.
    Abort,
}

/// How a connection ended in its program's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The peer had no more to say.
    Whole,
    /// Badly.
    Failed(Error),
}

/// A program, and all that it saw.
#[derive(Clone, Debug)]
pub struct App {
    script: &'static [Call],
    done: usize,
    listener: Option<ListenerId>,
    connection: Option<ConnId>,
    /// The initial sequence number of its connection attempt.
    pub called: Option<SeqNumber>,
    /// Both initial sequence numbers of what it believes to be a connection, its own first.
    pub numbers: Option<(SeqNumber, SeqNumber)>,
    /// What it wrote.
    pub wrote: Vec<u8>,
    /// What it read.
    pub read: Vec<u8>,
    /// It said that it has no more to write.
    pub finished: bool,
    /// It ended the connection with a RST.
    pub aborted: bool,
    /// How reading ended.
    pub ending: Option<Ending>,
}

impl App {
    const fn new(script: &'static [Call], listener: Option<ListenerId>) -> Self {
        Self {
            script,
            done: 0,
            listener,
            connection: None,
            called: None,
            numbers: None,
            wrote: Vec::new(),
            read: Vec::new(),
            finished: false,
            aborted: false,
            ending: None,
        }
    }
}

/// An end.
pub struct End {
    host: Host,
    store: SlabStore,
    budget: Budget,
    config: Arc<Config>,
    addresses: [SocketAddr; 2],
    /// The program.
    pub app: App,
}

impl Clone for End {
    fn clone(&self) -> Self {
        Self {
            host: self.host.fork().expect("there is no forwarder"),
            store: self.store.clone(),
            budget: self.budget.clone(),
            config: self.config.clone(),
            addresses: self.addresses,
            app: self.app.clone(),
        }
    }
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("End").field("state", &self.state()).field("app", &self.app).finish()
    }
}

impl End {
    /// One of two ends; the second listens if `listens`.
    pub(crate) fn new(place: usize, config: &Arc<Config>, listens: bool, now: Instant) -> Self {
        let ip = |place: usize| IpAddr::V4(Ipv4Addr::new(10, 0, 0, place as u8 + 1));
        let own = SocketAddr::new(ip(place), PORTS[place]);
        let peer = SocketAddr::new(ip(1 - place), PORTS[1 - place]);
        let secret = Secret::new([place as u8 + 1; 32]);
        let mut host = Host::new(HostConfig::default(), Interface::ip(1500), &secret);
        if let Some(network) = Cidr::new(own.ip(), 24) {
            host.add_address(network, now);
        }
        let listener = match listens {
            true => host.listen(own, Backlog::default(), config.clone()).ok(),
            false => None,
        };
        Self {
            host,
            store: SlabStore::new(),
            budget: Budget::default(),
            config: config.clone(),
            addresses: [own, peer],
            app: App::new(&[], listener),
        }
    }

    /// A new program begins; the host stays as it is.
    pub(crate) fn start(&mut self, script: &'static [Call]) {
        self.app = App::new(script, self.app.listener);
    }

    /// The four-tuple of every connection here.
    #[must_use]
    pub const fn tuple(&self) -> Tuple {
        Tuple::new(self.addresses[0], self.addresses[1])
    }

    /// The connection at the four-tuple, if it is beyond half-open and before TIME-WAIT.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        self.host.connections().find_map(|(_, holder)| match holder {
            Holder::Connection(id) => self.store.get(id),
            _ => None,
        })
    }

    /// The state of what is at the four-tuple.
    #[must_use]
    pub fn state(&self) -> State {
        let held = self.host.connections().next();
        match held.map(|(_, holder)| holder) {
            Some(Holder::Connection(id)) => {
                self.store.get(id).map_or(State::Closed, Connection::state)
            }
            Some(Holder::HalfOpen | Holder::Pending) => State::SynReceived,
            Some(Holder::TimeWait) => State::TimeWait,
            None if self.app.listener.is_some() => State::Listen,
            None => State::Closed,
        }
    }

    /// Both initial sequence numbers of what is at the four-tuple, ours first.
    #[must_use]
    pub fn initial_numbers(&self) -> Option<(SeqNumber, SeqNumber)> {
        self.host.initial_numbers(&self.store, &self.tuple())
    }

    /// Where our sequence numbers are counted from.
    #[must_use]
    pub fn base(&self) -> SeqNumber {
        let app = &self.app;
        let now = self.initial_numbers().map(|(iss, _)| iss);
        now.or(app.called).or(app.numbers.map(|n| n.0)).unwrap_or_default()
    }

    /// Whether the program has nothing left to do but to wait for the end.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.app.done == self.app.script.len()
    }

    /// Calls that the program has made.
    #[must_use]
    pub const fn calls(&self) -> usize {
        self.app.done
    }

    /// Whether nothing is left of any connection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.host.table_sizes().tuples == 0
    }

    /// What the program would do now; `None` while it must wait.
    #[must_use]
    pub fn next_call(&self) -> Option<Call> {
        let call = *self.app.script.get(self.app.done)?;
        let ready = match call {
            Call::Connect => true,
            _ => self.app.numbers.is_some() || self.app.ending.is_some(),
        };
        ready.then_some(call)
    }

    /// When something is due here.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.host.connection_deadline(&self.store)
    }

    /// The program makes its next call.
    pub(crate) fn call(&mut self, now: Instant) -> Vec<Bytes> {
        let Some(call) = self.next_call() else { return Vec::new() };
        self.app.done += 1;
        if call == Call::Connect {
            let Self { host, store, budget, config, addresses: [own, peer], app } = self;
            let cx = Context::new(now, budget);
            let opened = host.connect(store, &cx, config.clone(), Some(*own), *peer);
            match opened {
                Ok(id) => {
                    app.connection = Some(id);
                    app.called = store.get(id).map(Connection::iss);
                }
                // The sockets are still in TIME-WAIT: it tries again later.
                Err(_) => app.done -= 1,
            }
            return self.settle(now);
        }
        let Some(id) = self.app.connection else { return Vec::new() };
        let cx = Context::new(now, &self.budget);
        let Some(connection) = self.store.get_mut(id) else { return Vec::new() };
        match call {
            Call::Write(text) => {
                let taken = connection.write(&cx, text.as_bytes()).unwrap_or(0);
                self.app.wrote.extend_from_slice(&text.as_bytes()[..taken]);
            }
            Call::Shutdown => {
                connection.shutdown(&cx);
                self.app.finished = true;
            }
            Call::Abort => {
                connection.abort(&cx);
                self.app.aborted = true;
            }
            Call::Connect => {}
        }
        self.host.touched(id);
        self.settle(now)
    }

    /// A packet arrives.
    pub(crate) fn receive(&mut self, now: Instant, packet: Bytes) -> Vec<Bytes> {
        let cx = Context::new(now, &self.budget);
        self.host.receive(&mut self.store, &cx, Inbound::new(packet));
        self.settle(now)
    }

    /// The time of a timer has come.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Bytes> {
        let cx = Context::new(now, &self.budget);
        self.host.deadline_passed(&mut self.store, &cx);
        self.settle(now)
    }

    /// Sends what is to be sent and lets the program read, until neither has anything to do.
    fn settle(&mut self, now: Instant) -> Vec<Bytes> {
        let mut sent = Vec::new();
        let mut out = VecDeque::new();
        loop {
            self.look(now);
            let cx = Context::new(now, &self.budget);
            self.host.poll_transmit(&mut self.store, &cx, &mut out, usize::MAX);
            if out.is_empty() {
                return sent;
            }
            sent.extend(out.drain(..).map(|packet| flatten(&packet)));
        }
    }

    /// The program looks after its connection.
    fn look(&mut self, now: Instant) {
        let Self { host, store, budget, app, .. } = self;
        // It accepts once: who comes later is seen in the host alone.
        if app.connection.is_none()
            && app.numbers.is_none()
            && let Some(accepted) = app.listener.and_then(|listener| host.accept(listener))
        {
            app.connection = Some(accepted.id);
        }
        let Some(id) = app.connection else { return };
        let cx = Context::new(now, budget);
        let Some(connection) = store.get_mut(id) else { return };
        if connection.was_open() {
            app.numbers.get_or_insert((connection.iss(), connection.irs()));
        }
        let mut buffer = [0; 64];
        while app.ending.is_none() {
            match connection.read(&cx, &mut buffer) {
                Ok(Some(0)) => app.ending = Some(Ending::Whole),
                Ok(Some(n)) => app.read.extend_from_slice(&buffer[..n]),
                Ok(None) => break,
                Err(error) => app.ending = Some(Ending::Failed(error)),
            }
            host.touched(id);
        }
        let failed = matches!(app.ending, Some(Ending::Failed(_)));
        if failed {
            app.done = app.script.len();
        }
        if failed || app.aborted || app.finished && app.ending.is_some() {
            connection.close(&cx);
            host.touched(id);
            store.release(id);
            app.connection = None;
        }
    }

    /// Writes down all that this end will act on.
    pub(crate) fn canonical(&self, form: &mut Form) {
        self.host.canonical(&self.store, form);
        let App {
            script: _,
            done,
            listener,
            connection,
            called,
            numbers,
            wrote,
            read,
            finished,
            aborted,
            ending,
        } = &self.app;
        form.count(*done);
        form.word(connection.is_some());
        form.option(*called, Form::own);
        form.option(*numbers, |form, (iss, irs)| {
            form.own(iss);
            form.peer(irs);
        });
        form.bytes(wrote);
        form.bytes(read);
        form.text(&(listener.is_some(), finished, aborted, ending));
    }
}

fn flatten(packet: &Outbound) -> Bytes {
    let parts = packet.payload.iter().map(|part| &part[..]);
    std::iter::once(&packet.header[..]).chain(parts).collect::<Vec<_>>().concat().into()
}
