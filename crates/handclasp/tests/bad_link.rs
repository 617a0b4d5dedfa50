//! Links that lose, reorder, double and corrupt packets, with the kernel at the other end:
//! what comes is compared byte by byte. Chance comes from the seed in the test; the kernel's
//! part in the conversation cannot be seeded.
#![cfg(target_os = "linux")]

mod common;

use std::time::Duration;

use common::transfer::{Opener, Sizes, exchange};
use common::{Link, impaired_network, isolated_on, run, run_on_threads};
use handclasp_impair::config::{Bursts, Config};

/// Enough for every kind of accident to happen often.
const SOME: Sizes = Sizes { by_us: 10_000_000, by_kernel: 10_000_000 };
const MUCH: Sizes = Sizes { by_us: 100_000_000, by_kernel: 100_000_000 };

async fn both_ways(link: Link, v6: bool, opener: Opener, config: Config, sizes: Sizes) {
    let (lab, stack) = impaired_network(link, 7, &config);
    exchange(&lab, &stack, v6, opener, sizes).await;
}

fn loss() -> Config {
    Config::with(|c| c.loss = 0.02)
}

fn bursts_of_loss() -> Config {
    let bursts = Bursts { enter: 0.003, leave: 0.3, loss_in_good: 0.0, loss_in_bad: 0.7 };
    Config::with(|c| c.bursts = Some(bursts))
}

fn reordering() -> Config {
    Config::with(|c| {
        c.reorder = 0.05;
        c.reorder_delay = Duration::from_millis(2);
    })
}

fn duplication() -> Config {
    Config::with(|c| c.duplicate = 0.1)
}

fn corruption() -> Config {
    Config::with(|c| c.corrupt = 0.02)
}

fn all_of_it() -> Config {
    Config::with(|c| {
        c.delay = Duration::from_millis(2);
        c.jitter = Duration::from_millis(1);
        c.loss = 0.01;
        c.reorder = 0.02;
        c.duplicate = 0.02;
        c.corrupt = 0.01;
    })
}

macro_rules! bad_links {
    ($sizes:ident: $($name:ident:
        $config:ident, $link:ident, $v6:literal, $opener:ident, $run:ident;)*) => {$(
        #[test]
        fn $name() {
            let test = || $run(both_ways(Link::$link, $v6, Opener::$opener, $config(), $sizes));
            isolated_on(Link::$link).run(test);
        }
    )*};
}

bad_links! {
    MUCH:
    loss_in_100_mb_each_way_changes_no_byte: loss, Packet, true, Kernel, run_on_threads;
    reordering_in_100_mb_each_way_changes_no_byte: reordering, Tun, false, Us, run;
    duplication_in_100_mb_each_way_changes_no_byte: duplication, Packet, false, Us, run;
    corruption_in_100_mb_each_way_changes_no_byte: corruption, Tun, true, Kernel, run;
}

bad_links! {
    SOME:
    loss_over_a_packet_socket_changes_no_byte: loss, Packet, false, Us, run;
    loss_over_a_packet_socket_and_ipv6_changes_no_byte: loss, Packet, true, Kernel, run;
    loss_over_tun_changes_no_byte: loss, Tun, false, Kernel, run;
    loss_over_tun_and_ipv6_changes_no_byte: loss, Tun, true, Us, run_on_threads;
    bursts_of_loss_over_a_packet_socket_change_no_byte: bursts_of_loss, Packet, true, Us, run;
    bursts_of_loss_over_tun_change_no_byte: bursts_of_loss, Tun, false, Kernel, run;
    reordering_over_a_packet_socket_changes_no_byte: reordering, Packet, false, Kernel, run;
    reordering_over_a_packet_socket_and_ipv6_changes_no_byte: reordering, Packet, true, Us, run;
    reordering_over_tun_changes_no_byte: reordering, Tun, false, Us, run;
    reordering_over_tun_and_ipv6_changes_no_byte: reordering, Tun, true, Kernel, run;
    duplication_over_a_packet_socket_changes_no_byte: duplication, Packet, true, Us, run;
    duplication_over_a_plain_packet_socket_changes_no_byte:
        duplication, PlainPacket, false, Kernel, run;
    duplication_over_tun_changes_no_byte: duplication, Tun, false, Us, run;
    duplication_over_plain_tun_and_ipv6_changes_no_byte: duplication, PlainTun, true, Kernel, run;
    corruption_over_a_packet_socket_changes_no_byte: corruption, Packet, false, Us, run;
    corruption_over_a_packet_socket_and_ipv6_changes_no_byte: corruption, Packet, true, Us, run;
    corruption_over_tun_changes_no_byte: corruption, Tun, false, Kernel, run;
    corruption_over_tun_and_ipv6_changes_no_byte: corruption, Tun, true, Kernel, run;
    everything_at_once_over_a_packet_socket_changes_no_byte:
        all_of_it, Packet, false, Kernel, run_on_threads;
    everything_at_once_over_tun_and_ipv6_changes_no_byte: all_of_it, Tun, true, Us, run;
}
