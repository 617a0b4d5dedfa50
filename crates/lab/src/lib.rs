//! Private networks for demonstrations, tests and benchmarks, with or without root.
//!
//! A `lab::Lab` is a network of two: an interface that a stack of ours attaches to, and
//! the Linux kernel at the other end, in a network namespace that is gone when the last who
//! uses it is. Nothing in it is reachable from outside, and nothing outside is changed.
//!
//! A program begins with `enter::enter`; a test is wrapped in
//! `isolated::in_namespace`. Root is not needed where unprivileged user namespaces are
//! allowed, and an [`Error`](error::Error) says what to type where they are not.
//!
//! Namespaces are Linux's; elsewhere only [`error`] and [`pattern`] are left of this crate.
#![deny(unsafe_code)]

pub mod error;
pub mod pattern;

#[cfg(target_os = "linux")]
pub mod enter;
#[cfg(target_os = "linux")]
pub mod isolated;
#[cfg(target_os = "linux")]
pub mod lab;
#[cfg(target_os = "linux")]
pub mod link;
#[cfg(target_os = "linux")]
pub mod namespace;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
pub mod serve;
#[cfg(target_os = "linux")]
pub mod server;
#[cfg(target_os = "linux")]
pub mod sock_diag;
#[cfg(target_os = "linux")]
pub mod socket;
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod sys;
#[cfg(target_os = "linux")]
pub mod tun;
