//! Many connections, one after the other and at once.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

use common::*;
use handclasp_sim::app::{App, Next, View};
use handclasp_sim::apps::server::Server;
use handclasp_sim::apps::talker::{End, Ledger, Manners, Talker};
use handclasp_sim::check::leftovers;
use handclasp_sim::dice::Dice;
use handclasp_sim::{Network, Settings};
use handclasp_stack::store::ConnId;
use handclasp_tcp::Config;

/// Connections of a second, and seconds.
const AT_ONCE: usize = 1000;
const SECONDS: usize = 100;
/// Ports of the server: 60,000 connections in TIME-WAIT leave few of one port's pairs.
const PORTS: u16 = 4;

fn port_at(port: u16) -> SocketAddr {
    SocketAddr::new(server_at().ip(), server_at().port() + port)
}

/// Opens so many connections every second.
struct Callers {
    config: Arc<Config>,
    ledger: Ledger,
    seconds: usize,
}

impl App for Callers {
    fn poll(&mut self, host: &mut View<'_>) -> Next {
        for number in 0..AT_ONCE {
            let at = port_at(number as u16 % PORTS);
            let id = host.connect(&self.config, None, at).expect("a port is free");
            host.spawn(talker(id, &self.ledger), id);
        }
        self.seconds -= 1;
        if self.seconds == 0 { Next::Done } else { Next::WaitUntil(host.now() + SECOND) }
    }
}

/// Writes 100 bytes, and reads as many.
fn talker(id: ConnId, ledger: &Ledger) -> Talker {
    let mut manners = Manners::default();
    manners.to_write = 100;
    Talker::new(id, manners, Dice::new(id.index() as u64), ledger.clone())
}

#[test]
fn a_hundred_thousand_connections_leave_the_tables_empty() {
    let mut network = Network::new(7);
    let ip = |address: &str| Settings::ip([address.parse().unwrap()]);
    let hosts = [network.add_host(ip("10.0.0.1/24")), network.add_host(ip("10.0.0.2/24"))];
    network.join(&hosts, &link());
    let ledger = Ledger::default();
    for port in 0..PORTS {
        let (at, ledger) = (port_at(port), ledger.clone());
        network.run(SERVER, Server::new(at, move |id| talker(id, &ledger)));
    }
    let callers = Callers { config: Arc::default(), ledger: ledger.clone(), seconds: SECONDS };
    network.run(CLIENT, callers);
    network.run_until_idle();
    let whole = ledger.borrow().iter().filter(|report| report.end == End::Whole).count();
    assert_eq!(whole, 2 * AT_ONCE * SECONDS);
    for host in hosts {
        assert_eq!(leftovers(&mut network, host), Vec::<String>::new());
    }
}
