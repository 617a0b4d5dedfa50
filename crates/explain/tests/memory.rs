//! What a table holds of connections that live.
//!
//! One test, in a binary of its own: the allocator counts for all threads.

use std::alloc::System;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use handclasp_explain::capture::dissect::{Ip, Segment};
use handclasp_explain::capture::link::Network;
use handclasp_explain::flow::table::{Limits, Table};
use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const FLOWS: u16 = 30_000;

fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// The nth packet of a handshake, a request and its answer on a port of the client's.
fn segment(port: u16, nth: usize) -> Segment<'static> {
    const DATA: [u8; 100] = [0; 100];
    let (ack, push) = (Flags::ACK, Flags::ACK | Flags::PSH);
    let (from_client, flags, seq, acks, len) = [
        (true, Flags::SYN, 0, 0, 0),
        (false, Flags::SYN | ack, 0, 1, 0),
        (true, ack, 1, 1, 0),
        (true, push, 1, 1, 100),
        (false, push, 1, 101, 100),
        (true, ack, 101, 101, 0),
    ][nth];
    let socket = |host: u8, port| SocketAddr::new(IpAddr::from([10, 0, 0, host]), port);
    let (client, server) = (socket(1, port), socket(2, 80));
    let (src, dst) = if from_client { (client, server) } else { (server, client) };
    let mut header = Header {
        src_port: src.port(),
        dst_port: dst.port(),
        seq: SeqNumber(seq),
        ack: SeqNumber(acks),
        flags,
        window: 500,
        ..Header::default()
    };
    header.options.mss = flags.contains(Flags::SYN).then_some(1460);
    Segment {
        number: 6 * u64::from(port) + nth as u64,
        at: Instant::ZERO + Duration::from_millis(nth as u64),
        network: Network::default(),
        src,
        dst,
        ip: Ip { ttl: 64, id: None, ecn: Ecn::NotEct, dont_fragment: true },
        header,
        reserved: 0,
        options: &[],
        len,
        payload: &DATA[..len as usize],
        checksum_ok: Some(true),
    }
}

#[test]
fn a_connection_that_lives_takes_less_than_two_kilobytes() {
    let before = held();
    let mut table = Table::new(Limits::endless());
    for nth in 0..6 {
        for port in 0..FLOWS {
            table.see(&segment(port + 1000, nth));
        }
    }
    let each = (held() - before) / table.len();
    println!("{each} bytes for each connection");
    assert!(each < 2048, "{each} bytes");
}
