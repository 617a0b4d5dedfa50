//! A network of stacks in virtual time: hosts, cables, programs, and those who watch them.
//!
//! A [`Network`] holds hosts (each a [`Host`](handclasp_stack::Host) with its connections and
//! its memory) and the cables between them, which harm packets as
//! [`impair`](handclasp_impair) does. Time stands still while anything can be done and then
//! jumps to the next moment at which something happens, so that an hour of retransmissions
//! takes a millisecond. All chance comes from one seed: the same seed is the same run, packet
//! by packet.
//!
//! Programs run on a host as small machines ([`App`]), or a test acts in their place through
//! [`Network::on`]. A [`Tap`] sees every packet and what becomes of it.
//!
//! ```
//! use handclasp_impair::config::Config;
//! use handclasp_sim::apps::http::{Get, Page};
//! use handclasp_sim::apps::server::Server;
//! use handclasp_sim::{Network, Settings};
//!
//! let mut network = Network::new(7);
//! let client = network.add_host(Settings::ip(["10.0.0.1/24".parse().unwrap()]));
//! let server = network.add_host(Settings::ip(["10.0.0.2/24".parse().unwrap()]));
//! network.join(&[client, server], &Config::with(|c| c.loss = 0.1));
//!
//! let at = "10.0.0.2:80".parse().unwrap();
//! network.run(server, Server::new(at, |id| Page::new(id, "hello")));
//! let (get, answer) = Get::new(at, "/");
//! network.run(client, get);
//! network.run_until_idle();
//! assert_eq!(answer.take().unwrap().unwrap().body, b"hello");
//! ```
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods)]

pub mod app;
pub mod apps;
pub mod bottleneck;
pub mod check;
pub mod dice;
pub mod network;
pub mod swarm;
pub mod tap;
pub mod trace;

mod cable;
mod frame;
mod narrow;
mod node;
mod store;

pub use app::{App, Next, View};
pub use network::{CableId, HostId, Network, Outcome};
pub use node::Settings;
pub use tap::{Fate, Seen, Tap};
