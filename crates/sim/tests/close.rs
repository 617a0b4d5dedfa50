//! Closing, between two of our hosts.

mod common;

use common::*;
use handclasp_tcp::connection::Error;
use handclasp_tcp::{Config, State};
use handclasp_wire::tcp::Flags;

/// Requirement: RFC9293-MUST-13
#[test]
fn who_closes_first_stays_in_time_wait_for_twice_the_msl() {
    let mut config = Config::default();
    config.msl = 120 * SECOND;
    let mut pair = Pair::new(link(), link());
    let (client, server) = pair.open_with(config);
    pair.network.on(CLIENT).close(client);
    pair.run_for(SECOND);
    assert_eq!((pair.client_state(), pair.server_state()), (State::FinWait2, State::CloseWait));
    let closed_at = pair.network.now() + 10 * MS;
    pair.network.on(SERVER).close(server);
    pair.network.run_until(closed_at + 239 * SECOND + 999 * MS);
    assert_eq!((pair.client_state(), pair.server_state()), (State::TimeWait, State::Closed));
    pair.network.run_until(closed_at + 240 * SECOND);
    assert_eq!(pair.client_state(), State::Closed);
    pair.assert_clean();
}

#[test]
fn a_fin_whose_last_ack_never_comes_is_repeated_ten_times_and_then_a_reset_ends_it() {
    let mut config = Config::default();
    config.retries = 10;
    config.tail_loss_probes = false;
    let mut pair = Pair::new(link(), link());
    let (client, server) = pair.open_with(config);
    pair.network.on(SERVER).close(server);
    pair.run_for(SECOND);
    assert_eq!((pair.client_state(), pair.server_state()), (State::CloseWait, State::FinWait2));
    pair.network.plug(pair.cable, false);
    pair.network.on(CLIENT).shutdown(client);
    pair.run_for(MS);
    assert_eq!(pair.client_state(), State::LastAck);
    pair.network.run_until_idle();
    assert_eq!(pair.times(CLIENT, Flags::FIN).len(), 1 + 10);
    let last = pair.sent_by(CLIENT).pop().unwrap();
    assert!(last.header.flags.contains(Flags::RST), "{last}");
    assert_eq!(pair.client_state(), State::Closed);
    let connection = pair.network.on(CLIENT).connection(client).cloned().unwrap();
    assert_eq!(connection.error(), Some(Error::TimedOut));
    pair.network.on(CLIENT).close(client);
    pair.assert_clean();
}

#[test]
fn a_lost_last_ack_is_asked_for_again_and_given() {
    let mut pair = Pair::new(link(), link());
    let (client, server) = pair.open();
    pair.network.on(CLIENT).close(client);
    pair.run_for(SECOND);
    pair.network.on(SERVER).close(server);
    pair.run_for(5 * MS);
    // The FIN is on its way and arrives; what answers it does not.
    pair.network.plug(pair.cable, false);
    pair.run_for(100 * MS);
    assert_eq!((pair.client_state(), pair.server_state()), (State::TimeWait, State::LastAck));
    pair.network.plug(pair.cable, true);
    pair.run_for(SECOND);
    assert_eq!(pair.times(SERVER, Flags::FIN).len(), 2);
    assert_eq!((pair.client_state(), pair.server_state()), (State::TimeWait, State::Closed));
    pair.network.run_until_idle();
    pair.assert_clean();
}

#[test]
fn both_may_close_at_once_and_both_wait() {
    let mut pair = Pair::new(link(), link());
    let (client, server) = pair.open();
    pair.network.on(CLIENT).close(client);
    pair.network.on(SERVER).close(server);
    pair.run_for(MS);
    assert_eq!((pair.client_state(), pair.server_state()), (State::FinWait1, State::FinWait1));
    pair.run_for(10 * MS);
    assert_eq!((pair.client_state(), pair.server_state()), (State::Closing, State::Closing));
    pair.run_for(10 * MS);
    assert_eq!((pair.client_state(), pair.server_state()), (State::TimeWait, State::TimeWait));
    pair.network.run_until_idle();
    pair.assert_clean();
}

#[test]
fn a_half_closed_connection_carries_data_the_other_way() {
    let mut pair = Pair::new(link(), link());
    let (client, server) = pair.open();
    pair.network.on(CLIENT).shutdown(client);
    pair.run_for(SECOND);
    for _ in 0..10 {
        pair.network.on(SERVER).write(server, &[7; 10_000]).unwrap();
        pair.run_for(SECOND);
        assert_eq!(pair.read(CLIENT, client), [7; 10_000]);
    }
    assert_eq!((pair.client_state(), pair.server_state()), (State::FinWait2, State::CloseWait));
}

#[test]
fn a_reset_ends_both_ends_at_once() {
    let mut pair = Pair::new(link(), link());
    let (client, server) = pair.open();
    pair.network.on(CLIENT).abort(client);
    pair.run_for(10 * MS);
    assert_eq!((pair.client_state(), pair.server_state()), (State::Closed, State::Closed));
    let connection = pair.network.on(SERVER).connection(server).cloned().unwrap();
    assert_eq!(connection.error(), Some(Error::Reset));
    pair.network.on(SERVER).close(server);
    pair.assert_clean();
}
