//! Every rule of findings beside real stacks: something that makes it speak, and something close
//! to it of which it has nothing to say.

mod stage;

use std::net::SocketAddr;

use handclasp_tcp::Config;
use handclasp_tcp::config::KeepAlive;
use handclasp_wire::tcp::Flags;
use stage::{CLIENT, MS, SECOND, SERVER, Stage, client_at, link, server_at, told};

/// Whether this rule has something to say.
fn speaks(told: &[String], rule: &str) -> bool {
    told.iter().any(|said| said == rule)
}

#[track_caller]
fn assert_told(told: Vec<String>, rule: &str) {
    assert!(speaks(&told, rule), "{rule} is not among {told:?}");
}

#[track_caller]
fn assert_silent(told: Vec<String>, rule: &str) {
    assert!(!speaks(&told, rule), "{told:?}");
}

/// A connection that carries some data and ends as it should.
fn well(mut stage: Stage) -> Stage {
    let (client, server) = stage.open();
    stage.send((CLIENT, client), (SERVER, server), 100_000);
    stage.send((SERVER, server), (CLIENT, client), 100_000);
    stage.close(client, server);
    stage
}

#[test]
fn nothing_is_said_where_all_goes_well() {
    let stage = well(Stage::plain());
    assert_eq!(stage.told(), [""; 0]);
    assert_eq!(stage.told_at_server(), [""; 0]);
}

#[test]
fn refused() {
    let mut stage = Stage::plain();
    stage.connect(Config::default());
    stage.run_for(SECOND);
    assert_eq!(stage.told(), ["refused"]);
    assert_silent(well(Stage::plain()).told(), "refused");
}

#[test]
fn unanswered() {
    let mut stage = Stage::plain();
    stage.network.plug(stage.cable, false);
    stage.connect(Config::default());
    stage.run_for(200 * SECOND);
    assert_eq!(stage.told(), ["unanswered"]);
    let mut late = Stage::plain();
    late.listen(Config::default());
    late.network.plug(late.cable, false);
    late.connect(Config::default());
    late.run_for(2 * SECOND);
    late.network.plug(late.cable, true);
    late.run_for(10 * SECOND);
    assert_eq!(late.told(), ["answered-late"]);
}

#[test]
fn answered_late() {
    let mut stage = Stage::new(link(|link| link.drop_nth = vec![1]), link(|_| {}));
    stage.open();
    assert_eq!(stage.told(), ["answered-late"]);
    let mut slow = Stage::new(link(|link| link.delay = 400 * MS), link(|_| {}));
    slow.open();
    assert_eq!(slow.told(), [""; 0]);
}

#[test]
fn the_last_ack_lost() {
    let mut stage = Stage::new(link(|link| link.drop_nth = vec![2]), link(|_| {}));
    stage.open();
    assert_told(stage.told(), "last-ack-lost");
    // Lost before the capture, it is another loss.
    assert_silent(stage.told_at_server(), "last-ack-lost");
}

#[test]
fn half_open() {
    let mut stage = Stage::plain();
    stage.listen(Config::default());
    stage.connect(Config::default());
    stage.run_for(15 * MS);
    stage.network.plug(stage.cable, false);
    stage.run_for(200 * SECOND);
    assert_told(stage.told_at_server(), "half-open");
    assert_silent(well(Stage::plain()).told_at_server(), "half-open");
}

#[test]
fn a_system_that_resets_what_it_knows_nothing_of() {
    let mut stage = Stage::plain();
    stage.listen(Config::default());
    // A program sends the SYN past its system.
    let syn = Stage::forge([client_at(), server_at()], Flags::SYN, [1000, 0], 64);
    stage.inject(SERVER, syn);
    stage.run_for(SECOND);
    assert_eq!(stage.told(), ["kernel-reset"]);
    let mut stage = Stage::plain();
    let (client, _) = stage.open();
    stage.network.on(CLIENT).abort(client);
    stage.run_for(SECOND);
    assert_silent(stage.told(), "kernel-reset");
}

#[test]
fn a_syn_ack_in_the_name_of_a_closed_port() {
    let mut stage = Stage::new(link(|_| {}), link(|link| link.delay = 30 * MS));
    stage.connect(Config::default());
    stage.run_for(5 * MS);
    let [isn, _] = stage.last_of(CLIENT, Flags::SYN);
    let both = Flags::SYN | Flags::ACK;
    let forged = Stage::forge([server_at(), client_at()], both, [7000, isn.wrapping_add(1)], 64);
    stage.inject(CLIENT, forged);
    stage.run_for(SECOND);
    assert_told(stage.told(), "shows-closed");
    assert_silent(well(Stage::plain()).told(), "shows-closed");
}

#[test]
fn a_syn_ack_that_nobody_asked_for() {
    let mut stage = Stage::plain();
    let both = Flags::SYN | Flags::ACK;
    let forged = Stage::forge([server_at(), client_at()], both, [7000, 1], 64);
    stage.inject(CLIENT, forged);
    stage.run_for(SECOND);
    assert_eq!(stage.told(), ["unasked-syn-ack"]);
    let whole = well(Stage::plain()).seen_at(CLIENT);
    assert_silent(told(&whole[1..]), "unasked-syn-ack");
}

#[test]
fn reset_with_something_unread() {
    let mut stage = Stage::plain();
    let (client, server) = stage.open();
    stage.network.on(CLIENT).write(client, &[0; 5000]).unwrap();
    stage.run_for(SECOND);
    stage.network.on(SERVER).close(server);
    stage.run_for(SECOND);
    assert_told(stage.told(), "reset");
    assert_silent(well(Stage::plain()).told(), "reset");
}

#[test]
fn a_reset_in_anothers_name() {
    let reset = |ttl: u8| {
        let mut stage = Stage::plain();
        let (client, server) = stage.open();
        stage.send((SERVER, server), (CLIENT, client), 1000);
        stage.network.on(CLIENT).write(client, b"more").unwrap();
        stage.run_for(SECOND);
        let [seq, ack] = stage.last_of(SERVER, Flags::ACK);
        let forged = Stage::forge([server_at(), client_at()], Flags::RST, [seq, ack], ttl);
        stage.inject(CLIENT, forged);
        stage.run_for(SECOND);
        stage.told()
    };
    assert_told(reset(200), "forged-reset");
    assert_silent(reset(64), "forged-reset");
}

/// A server with a small buffer.
fn small() -> Config {
    let mut config = Config::default();
    (config.receive_buffer_start, config.receive_buffer_max) = (8192, 8192);
    config
}

#[test]
fn a_window_that_closes() {
    let mut stage = Stage::plain();
    let (client, _) = stage.open_with(Config::default(), small());
    stage.network.on(CLIENT).write(client, &[0; 60_000]).unwrap();
    stage.run_for(5 * SECOND);
    assert_told(stage.told(), "zero-window");
    assert_silent(well(Stage::plain()).told(), "zero-window");
}

#[test]
fn a_window_that_limits_the_speed() {
    let mut stage = Stage::plain();
    let (client, server) = stage.open_with(Config::default(), small());
    stage.send((CLIENT, client), (SERVER, server), 300_000);
    assert_told(stage.told(), "window-limited");
    assert_silent(well(Stage::plain()).told(), "window-limited");
}

#[test]
fn loss_and_repair() {
    let lossy = |nth: Vec<u64>| well(Stage::new(link(|link| link.drop_nth = nth), link(|_| {})));
    assert_told(lossy(vec![20]).told(), "loss");
    // A SYN is no data.
    assert_silent(lossy(vec![1]).told(), "loss");
}

#[test]
fn what_is_sent_again_without_need() {
    let late = link(|link| link.delay_nth = vec![(3, 3 * SECOND)]);
    let mut stage = Stage::new(late, link(|_| {}));
    let (client, _) = stage.open();
    stage.network.on(CLIENT).write(client, &[7; 100]).unwrap();
    stage.run_for(10 * SECOND);
    assert_told(stage.told(), "spurious");
    let lost = link(|link| link.drop_nth = vec![3]);
    let mut stage = Stage::new(lost, link(|_| {}));
    let (client, _) = stage.open();
    stage.network.on(CLIENT).write(client, &[7; 100]).unwrap();
    stage.run_for(10 * SECOND);
    assert_silent(stage.told(), "spurious");
}

#[test]
fn a_black_hole_for_large_segments() {
    let stage = |router: Option<&str>| {
        let mut stage = Stage::plain();
        let (client, server) = stage.open();
        stage.send((CLIENT, client), (SERVER, server), 100);
        stage.network.narrow(stage.cable, 1300, router.map(|router| router.parse().unwrap()));
        stage.network.on(CLIENT).write(client, &[0; 20_000]).unwrap();
        stage.run_for(60 * SECOND);
        stage
    };
    assert_told(stage(None).told(), "black-hole");
    assert_silent(stage(Some("10.0.0.9")).told(), "black-hole");
}

#[test]
fn half_closed_for_long() {
    let after = |time| {
        let mut stage = Stage::plain();
        let (client, server) = stage.open();
        stage.network.on(CLIENT).shutdown(client);
        stage.run_for(time);
        stage.network.on(SERVER).close(server);
        stage.run_for(SECOND);
        stage.told()
    };
    assert_told(after(45 * SECOND), "half-closed");
    assert_silent(after(5 * SECOND), "half-closed");
}

#[test]
fn nothing_but_keep_alives() {
    let alive = |bytes: usize| {
        let mut config = Config::default();
        config.keep_alive = Some(KeepAlive { idle: 60 * SECOND, interval: 10 * SECOND, count: 3 });
        let mut stage = Stage::plain();
        let (client, _) = stage.open_with(config, Config::default());
        stage.network.on(CLIENT).write(client, &vec![0; bytes]).unwrap();
        stage.run_for(600 * SECOND);
        stage.told()
    };
    assert_eq!(alive(0), ["keep-alive-only"]);
    assert_silent(alive(100), "keep-alive-only");
}

#[test]
fn what_nobody_acknowledges() {
    let gone = |time| {
        let mut stage = Stage::plain();
        let (client, server) = stage.open();
        stage.send((CLIENT, client), (SERVER, server), 100);
        stage.network.plug(stage.cable, false);
        stage.network.on(CLIENT).write(client, &[0; 500]).unwrap();
        stage.run_for(time);
        stage.network.plug(stage.cable, true);
        stage
    };
    assert_told(gone(60 * SECOND).told(), "unacknowledged");
    let mut back = gone(2 * SECOND);
    back.run_for(60 * SECOND);
    assert_silent(back.told(), "unacknowledged");
}

#[test]
fn only_one_direction_captured() {
    let mut frames = well(Stage::plain()).seen_at(CLIENT);
    assert_silent(told(&frames), "asymmetric");
    frames.retain(|(_, bytes)| bytes[15] == 1);
    assert_told(told(&frames), "asymmetric");
}

#[test]
fn checksums_filled_in_behind_the_capture_and_damage() {
    let frames = well(Stage::plain()).seen_at(CLIENT);
    let breaking = |wanted: fn(usize, &[u8]) -> bool| {
        let mut frames = frames.clone();
        for (i, (_, bytes)) in frames.iter_mut().enumerate() {
            if wanted(i, bytes) {
                bytes[36] ^= 0x55;
            }
        }
        told(&frames)
    };
    assert_told(breaking(|_, bytes| bytes[15] == 1), "offloaded");
    assert_eq!(breaking(|i, _| i == 9), ["damaged"]);
    let corrupting = link(|link| link.corrupt = 0.2);
    let stage = well(Stage::new(corrupting, link(|_| {})));
    assert_told(stage.told_at_server(), "damaged");
    assert_silent(stage.told(), "offloaded");
}

#[test]
fn options_that_do_not_come_back() {
    let mut plain = Config::default();
    (plain.sack, plain.window_scaling, plain.timestamps) = (false, false, false);
    let mut stage = Stage::plain();
    stage.open_with(Config::default(), plain.clone());
    assert_eq!(stage.told(), ["options-missing"]);
    // Who did not ask misses nothing.
    let mut stage = Stage::plain();
    stage.open_with(plain.clone(), plain);
    assert_eq!(stage.told(), [""; 0]);
}

/// SYNs from addresses where nobody is.
fn flooded(count: u16) -> Vec<String> {
    let mut stage = Stage::plain();
    stage.listen(Config::default());
    for n in 0..count {
        let from = SocketAddr::from(([10, 0, 0, 100 + (n % 100) as u8], 2000 + n));
        let isn = u32::from(n).wrapping_mul(0x9e37_79b9);
        stage.inject(SERVER, Stage::forge([from, server_at()], Flags::SYN, [isn, 0], 64));
        stage.run_for(MS);
    }
    stage.run_for(SECOND);
    stage.told_at_server()
}

#[test]
fn a_flood_of_syns() {
    assert_told(flooded(80), "flood");
    assert_silent(flooded(20), "flood");
}

#[test]
fn a_scan_of_ports() {
    let scanned = |ports: u16| {
        let mut stage = Stage::plain();
        for port in 1..=ports {
            let at = SocketAddr::new(server_at().ip(), port);
            stage.network.on(CLIENT).connect(&Config::default().into(), None, at).unwrap();
            stage.run_for(50 * MS);
        }
        stage.told()
    };
    assert_told(scanned(40), "scan");
    assert_silent(scanned(5), "scan");
}

#[test]
fn isns_that_can_be_guessed() {
    let with_isns = |isn: fn(u32) -> u32| {
        let mut stage = Stage::plain();
        stage.listen(Config::default());
        for n in 0..12 {
            let from = SocketAddr::new(client_at().ip(), 3000 + n);
            let syn = Stage::forge([from, server_at()], Flags::SYN, [isn(n.into()), 0], 64);
            stage.inject(SERVER, syn);
            stage.run_for(100 * MS);
        }
        stage.told_at_server()
    };
    assert_told(with_isns(|n| 1000 + 64_000 * n), "predictable-isns");
    // The server's, in the same capture, cannot be guessed.
    assert_silent(with_isns(|n| n.wrapping_mul(n).wrapping_mul(0x9e37_79b9)), "predictable-isns");
}
