//! A link that delays, limits, queues, loses, reorders, duplicates and corrupts, without I/O.
//!
//! [`Link`](link::Link) is one direction of a link: packets go in with [`push`](link::Link::push)
//! and come out of [`pop`](link::Link::pop) when their time has come. It reads no clock and
//! draws all chance from the seed that it was given, so that one implementation serves the
//! simulator, where a run can be repeated, and live links.
//!
//! ```
//! use std::time::Duration;
//!
//! use handclasp_impair::config::Config;
//! use handclasp_impair::link::Link;
//! use handclasp_wire::time::Instant;
//!
//! let config = Config::with(|c| {
//!     c.delay = Duration::from_millis(10);
//!     c.drop_nth = vec![2];
//! });
//! let mut link = Link::new(config, 7);
//! link.push(Instant::ZERO, b"first".to_vec());
//! link.push(Instant::ZERO, b"second".to_vec());
//! assert_eq!(link.next_deadline(), Some(Instant::from_millis(10)));
//! assert_eq!(link.pop(Instant::from_millis(10)), Some(b"first".to_vec()));
//! assert_eq!(link.pop(Instant::from_millis(10)), None);
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod chance;
pub mod config;
pub mod link;
pub mod packet;
pub mod units;
