//! What scripts take for granted of Linux.

use handclasp_tcp::Config;

/// Linux's settings, where they are not the stack's own.
pub(super) fn linux() -> Config {
    let mut config = Config::default();
    config.syn_retries = 6;
    config.rto_variation_min = config.rto_min;
    config
}
