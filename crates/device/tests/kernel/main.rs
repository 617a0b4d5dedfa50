//! Devices, with the kernel at the other end.
#![cfg(target_os = "linux")]

mod capture;
mod guard;
mod host;
mod impaired;
mod interfaces;
mod record;
mod states;
