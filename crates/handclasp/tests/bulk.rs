//! 100 MB each way at once between our stack and the kernel, compared byte by byte: both
//! openers, both families, over a packet socket and over TUN, with their offloads.
#![cfg(target_os = "linux")]

mod common;

use common::transfer::{Opener, Sizes, exchange};
use common::{Link, isolated_on, network, run, run_on_threads};

const SIZES: Sizes = Sizes { by_us: 100_000_000, by_kernel: 100_000_000 };

async fn both_ways(link: Link, v6: bool, opener: Opener) {
    let (lab, stack) = network(link);
    exchange(&lab, &stack, v6, opener, SIZES).await;
}

macro_rules! bulk {
    ($($name:ident: $link:ident, $v6:literal, $opener:ident, $run:ident;)*) => {$(
        #[test]
        fn $name() {
            let test = || $run(both_ways(Link::$link, $v6, Opener::$opener));
            isolated_on(Link::$link).run(test);
        }
    )*};
}

bulk! {
    our_client_moves_100_mb_each_way_over_a_packet_socket: Packet, false, Us, run;
    our_client_moves_100_mb_each_way_over_a_packet_socket_and_ipv6: Packet, true, Us, run;
    our_client_moves_100_mb_each_way_over_tun: Tun, false, Us, run;
    our_client_moves_100_mb_each_way_over_tun_and_ipv6: Tun, true, Us, run_on_threads;
    our_server_moves_100_mb_each_way_over_a_packet_socket: Packet, false, Kernel, run_on_threads;
    our_server_moves_100_mb_each_way_over_a_packet_socket_and_ipv6: Packet, true, Kernel, run;
    our_server_moves_100_mb_each_way_over_tun: Tun, false, Kernel, run;
    our_server_moves_100_mb_each_way_over_tun_and_ipv6: Tun, true, Kernel, run;
}
