//! Whose habits a connection has, where the RFCs leave room.
//!
//! [`Config::default`] is what we think best, [`Config::linux`] what the Linux kernel does, and
//! [`Config::standard`] the figures that the RFCs recommend. They differ in these settings alone:
//!
//! | setting | default | Linux | standard |
//! | --- | --- | --- | --- |
//! | `syn_retries` | 7 | 6 | 7 |
//! | `syn_linear_timeouts` | 4 | 4 | 0 |
//! | `rto_min` | 200 ms | 200 ms | 1 s (RFC 6298 §2.4) |
//! | `rto_variation_min` | 0 | 200 ms | 0 |
//! | `delayed_ack` | 40 ms | 40 ms | 200 ms |
//! | `quick_acks` | 16 | 16 | 0 |
//! | `push_bursts` | yes | yes | no |
//! | `autosize_bursts` | no | yes | no |
//! | `send_accounting` | bytes | buffers | bytes |
//! | `pacing` | yes | no | yes |
//! | `limit_slow_start` | yes | no | yes |
//! | `msl` | 30 s | 30 s | 2 min (RFC 9293 §3.4.2) |
//!
//! The order and padding of options, an initial window of ten segments, PSH at the end of each
//! write and the window's scale are as in Linux in all three.

use core::time::Duration;

use crate::config::{Config, SendAccounting};

impl Config {
    /// The Linux kernel's settings.
    #[must_use]
    pub fn linux() -> Self {
        let default = Self::default();
        Self {
            syn_retries: 6,
            rto_variation_min: default.rto_min,
            autosize_bursts: true,
            pacing: false,
            limit_slow_start: false,
            send_accounting: SendAccounting::Buffers,
            ..default
        }
    }

    /// The figures that the RFCs recommend.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            syn_retries: 7,
            syn_linear_timeouts: 0,
            rto_min: Duration::from_secs(1),
            rto_variation_min: Duration::ZERO,
            delayed_ack: Duration::from_millis(200),
            quick_acks: 0,
            push_bursts: false,
            msl: Duration::from_secs(120),
            ..Self::default()
        }
    }
}

#[cfg(test)]
#[path = "personality_tests.rs"]
mod tests;
