//! Devices, with the kernel at the other end.
#![cfg(target_os = "linux")]

mod capture;
mod host;
mod interfaces;
mod record;
