//! TCP that you can embed: a userspace TCP/IP stack for tokio programs.
//!
//! A [`Stack`] stands on a [`Device`](device::Device) — a TUN interface, a packet socket, a
//! channel, or your own — and gives you tokio streams:
//!
//! ```
//! use handclasp::Stack;
//! use handclasp::device::channel;
//! use handclasp::wire::frame::Medium;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! // Two stacks joined by a link in memory.
//! let (here, there) = channel::pair(64, 1500, Medium::Ip);
//! let client = Stack::builder(here).address("10.0.0.1/24".parse().unwrap()).spawn()?;
//! let server = Stack::builder(there).address("10.0.0.2/24".parse().unwrap()).spawn()?;
//!
//! let listener = server.listen("10.0.0.2:80".parse().unwrap())?;
//! let mut dialled = client.connect("10.0.0.2:80".parse().unwrap()).await?;
//! let (mut accepted, _peer) = listener.accept().await?;
//!
//! dialled.write_all(b"hello").await?;
//! dialled.shutdown().await?;
//! let mut heard = String::new();
//! accepted.read_to_string(&mut heard).await?;
//! assert_eq!(heard, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! One task, spawned by [`Builder::spawn`], moves the packets. Reads and writes lock their own
//! connection only. All types are `Send`, and a current-thread runtime works as well as any.
#![forbid(unsafe_code)]

pub mod clock;

mod connection;
mod core;
mod driver;
mod error;
mod forward;
mod listener;
mod socket;
mod stack;
mod store;
mod stream;
mod surroundings;
#[cfg(feature = "tracing")]
mod trace;
mod udp;

pub use handclasp_device as device;
pub use handclasp_stack::counters::Counters;
pub use handclasp_stack::forward::{Decision, ForwardConfig, Policy, Rejection, Unreachable};
pub use handclasp_stack::host::HostConfig;
pub use handclasp_stack::ip::cidr::Cidr;
pub use handclasp_stack::ip::route::Route;
pub use handclasp_stack::listen::{Backlog, CookieMode};
pub use handclasp_tcp as tcp;
pub use handclasp_wire as wire;

pub use forward::{Forwarder, PendingTcp};
pub use handclasp_stack as host;
pub use listener::TcpListener;
pub use socket::TcpSocket;
pub use stack::{Aborted, Builder, ConnectionEntry, Stack};
pub use stream::{OwnedReadHalf, OwnedWriteHalf, ReuniteError, TcpStream};
#[cfg(feature = "tracing")]
pub use trace::TracingLog;
pub use udp::{UdpFlow, UdpSocket};

/// The README's example compiles.
#[cfg(all(doctest, target_os = "linux"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
