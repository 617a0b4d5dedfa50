//! Packetdrill scripts against this stack, in virtual time, or against the Linux kernel.
//!
//! [`script`] reads packetdrill's language, [`sockets`] are the calls that scripts make, and
//! [`run()`] runs a script: packets go in, those that come out are compared, calls are made and
//! what they return is checked. [`mod@kernel`] has the kernel do the same.
//!
//! ```
//! use handclasp_drill::{Script, Setup, run};
//!
//! let script = Script::parse(
//!     "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
//!     +0 bind(3, ..., ...) = 0
//!     +0 listen(3, 1) = 0
//!     +0 < S 0:0(0) win 1000 <mss 1000>
//!     +0 > S. 0:0(0) ack 1 <mss 1460>
//!     +.1 < . 1:1(0) ack 1 win 1000
//!     +0 accept(3, ..., ...) = 4",
//! )?;
//! let outcome = run(&script, &Setup::default());
//! assert!(outcome.failure.is_none(), "{outcome}");
//! # Ok::<(), handclasp_drill::ScriptError>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
pub mod kernel;
pub mod linux;
pub mod notation;
pub mod run;
pub mod script;
pub mod sockets;
pub mod tcp_info;

pub use run::{Failure, Family, Machine, Outcome, Setup, run, run_on};
pub use script::{Script, ScriptError};
