//! Two of our hosts over a link that marks packets instead of losing them.

mod common;

use std::num::NonZeroU64;

use common::{CLIENT, MS, Pair, SECOND, SERVER, link};
use handclasp_impair::config::{Config as LinkConfig, Limit};
use handclasp_tcp::Config;
use handclasp_tcp::connection::Statistics;
use handclasp_tcp::ecn::{Agreed, EcnMode};

const LEN: usize = 2_000_000;

/// Sends some megabytes there with one packet in fifty marked, and says what both ends counted.
fn transfer(mode: EcnMode, there: LinkConfig) -> (Statistics, Statistics, Agreed) {
    let mut pair = Pair::new(there, link());
    let mut config = Config::default();
    config.ecn = mode;
    let (client, server) = pair.open_with(config);
    let agreed = pair.network.on(CLIENT).connection(client).unwrap().info().ecn;
    let data = vec![7; LEN];
    let (mut sent, mut received) = (0, 0);
    while received < LEN {
        sent += pair.network.on(CLIENT).write(client, &data[sent..]).unwrap();
        pair.run_for(20 * MS);
        received += pair.read(SERVER, server).len();
    }
    // What the last ACKs report.
    pair.run_for(SECOND);
    let mut statistics = |host, id| *pair.network.on(host).connection(id).unwrap().statistics();
    (statistics(CLIENT, client), statistics(SERVER, server), agreed)
}

fn marking() -> LinkConfig {
    LinkConfig::with(|c| (c.delay, c.mark) = (10 * MS, 0.02))
}

#[test]
fn every_mark_is_reported_where_they_are_counted() {
    let (client, server, agreed) = transfer(EcnMode::Accurate, marking());
    assert_eq!(agreed, Agreed::Accurate);
    assert!(server.marks_in >= 20, "{server:?}");
    assert_eq!(client.marks_reported, server.marks_in);
    // A tail loss probe may have been too early for a delayed ACK.
    assert!(client.segments_resent <= 1 && client.timeouts == 0, "{client:?}");
}

#[test]
fn marks_are_echoed_where_that_is_agreed_on() {
    let (client, server, agreed) = transfer(EcnMode::Classic, marking());
    assert_eq!(agreed, Agreed::Classic);
    assert!(server.marks_in > 0 && client.marks_reported > 0);
    // A tail loss probe may have been too early for a delayed ACK.
    assert!(client.segments_resent <= 1 && client.timeouts == 0, "{client:?}");
}

#[test]
fn nothing_is_marked_where_nothing_was_agreed_on() {
    let (client, server, agreed) = transfer(EcnMode::OnRequest, marking());
    assert_eq!(agreed, Agreed::None);
    assert_eq!((server.marks_in, client.marks_reported), (0, 0));
}

#[test]
fn a_queue_that_marks_in_time_loses_nothing() {
    let narrow = |mark_above| {
        LinkConfig::with(|c| {
            c.delay = 10 * MS;
            c.rate = NonZeroU64::new(20_000_000);
            c.queue = Limit { packets: 60, bytes: 1 << 20 };
            c.mark_above = mark_above;
        })
    };
    let (marked, ..) = transfer(EcnMode::Accurate, narrow(Some(10)));
    let (dropped, ..) = transfer(EcnMode::Off, narrow(None));
    assert!(marked.segments_resent <= 1, "{marked:?}");
    assert!(dropped.segments_resent > 10, "{dropped:?}");
}
